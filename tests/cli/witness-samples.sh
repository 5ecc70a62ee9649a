#!/bin/sh
# SPDX-License-Identifier: MIT
# Two witnesses: the recorded guests of samples/guest-*, whose audit log and disk are asked together, against what the guests themselves told.
# Needs no root and no QEMU.
. "$SRCDIR/tests/lib.sh"
requires python3 jq zstd
set -- "$SRCDIR"/samples/guest-*/truth.json
[ -e "$1" ] || skip "no sample with a disk is there"
failed=
for truth in "$@"; do
	sample=${truth%/truth.json}
	others=
	for other in "$@"; do [ "$other" = "$truth" ] || others="$others ${other%/truth.json}"; done
	before=$(cd "$sample" && find . -type f -exec sha256sum {} + | LC_ALL=C sort)
	# shellcheck disable=SC2086  # a list of folders
	python3 -B "$SRCDIR/tests/cli/witness_check.py" "$sample" $others || failed="$failed ${sample##*/}"
	[ "$(cd "$sample" && find . -type f -exec sha256sum {} + | LC_ALL=C sort)" = "$before" ] || fail "asking changed $sample"
done
[ -z "$failed" ] || fail "not as the guest told:$failed"
