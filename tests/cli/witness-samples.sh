#!/bin/sh
# SPDX-License-Identifier: MIT
# Two witnesses: the recorded guests of samples/guest-*, whose audit log and disk are asked together, against what the guests themselves told.
# Needs no root and no QEMU.
. "$SRCDIR/tests/lib.sh"
requires python3 jq zstd
previous=
set -- "$SRCDIR"/samples/guest-*/truth.json
failed=
[ -e "$1" ] || skip "no sample with a disk is there"
for truth in "$@"; do previous=${truth%/truth.json}; done
for truth in "$@"; do
	sample=${truth%/truth.json}
	before=$(cd "$sample" && find . -type f -exec sha256sum {} + | LC_ALL=C sort)
	python3 -B "$SRCDIR/tests/cli/witness_check.py" "$sample" "$previous/web01.history" || failed="$failed ${sample##*/}"
	[ "$(cd "$sample" && find . -type f -exec sha256sum {} + | LC_ALL=C sort)" = "$before" ] || fail "asking changed $sample"
	previous=$sample
done
[ -z "$failed" ] || fail "not as the guest told:$failed"
