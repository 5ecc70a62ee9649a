#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# A view that moves through time shows at each moment what a replay of the journal shows there, and tells what changed: blocks of 1 and of
# 4 KiB, tags with and without 64 bits, with checksums of either kind and with none.
# shellcheck source=tests/lib.sh
. "$SRCDIR/tests/lib.sh"
requires mke2fs
mke2fs -q -t ext4 -b 1024 -J size=1 -N 64 small 4M || fail "mke2fs"
mke2fs -q -t ext4 -b 4096 -J size=4 -N 64 large 16M || fail "mke2fs"
for features in 18 8 0; do # RING_64BIT | RING_V3, RING_V2, neither
	"$BUILD/tests/unit/test_fs_cursor" small "small.$features" $features || fail "blocks of 1 KiB, features $features"
done
"$BUILD/tests/unit/test_fs_cursor" large large.18 18 || fail "blocks of 4 KiB"
