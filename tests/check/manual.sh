#!/bin/sh
# SPDX-License-Identifier: MIT
# The manual pages format without a warning, and have the sections that people look for.
. "$SRCDIR/tests/lib.sh"
requires groff
for page in "$BUILD/provgraph.1" "$BUILD/provgraph-disk.1"; do
	groff -man -Tutf8 -ww -z "$page" 2>warnings || fail "groff: status $?"
	[ ! -s warnings ] || { cat warnings; exit 1; }
	for section in NAME SYNOPSIS DESCRIPTION OPTIONS 'EXIT STATUS' EXAMPLES ENVIRONMENT 'SEE ALSO'; do
		contains "$page" ".SH $section"
	done
	if grep -q '@[A-Z]*@' "$page"; then
		fail "$page: a placeholder is left"
	fi
done
