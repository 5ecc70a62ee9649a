#!/bin/sh
# SPDX-License-Identifier: MIT
# The manual page formats without a warning, and has the sections that people look for.
. "$SRCDIR/tests/lib.sh"
requires groff
groff -man -Tutf8 -ww -z "$BUILD/provgraph.1" 2>warnings || fail "groff: status $?"
[ ! -s warnings ] || { cat warnings; exit 1; }
for section in NAME SYNOPSIS DESCRIPTION OPTIONS 'EXIT STATUS' EXAMPLES ENVIRONMENT 'SEE ALSO'; do
	contains "$BUILD/provgraph.1" ".SH $section"
done
if grep -q '@[A-Z]*@' "$BUILD/provgraph.1"; then
	fail "a placeholder is left"
fi
