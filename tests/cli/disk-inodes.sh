#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# The states of many inodes in one walk are those of each alone: on the disk of a real guest with a journal, and on one without, whose
# inode tables share blocks and whose inodes are deleted and used again.
# shellcheck source=tests/lib.sh
. "$SRCDIR/tests/lib.sh"

# Beside the reader of file systems, where it looks for it.
cp "$BUILD/tests/unit/test_fs_tracks" "$BUILD/provgraph-fsread" .
./test_fs_tracks "$SRCDIR/samples/guest-disk/web01.history" -1 130 6 >out || fail "the guest's disk: differs"
contains out "seq:0 to seq:"
[ "$(sed -n '1s/.*: \([0-9]*\) states/\1/p' out)" -ge 100 ] || fail "too few states: $(cat out)"

requires mke2fs debugfs qemu-img
# shellcheck source=tests/serve.sh
. "$SRCDIR/tests/serve.sh"
mkdir -p tree/log
for i in 1 2 3 4 5 6 7 8; do echo "file $i" >"tree/log/$i"; done
mke2fs -q -t ext4 -O ^has_journal -b 1024 -I 128 -d tree image 4M || fail "mke2fs"
"$PROVGRAPH" disk init h --size 4M >init.out 2>&1 || fail "$(cat init.out)"
start_disk serve h socket
store() {
	qemu-img convert -n -f raw -O raw image "$(uri socket)" >convert.out 2>&1 || fail "$(cat convert.out)"
	qemu-io -f raw -c flush "$(uri socket)" >io.out 2>&1 || fail "$(cat io.out)"
}
edit() { printf '%s\n' "$@" | debugfs -w -f - image >debugfs.out 2>&1 || fail "$(cat debugfs.out)"; }
store
head -c 70000 /dev/zero | tr '\0' x >large
edit "write large /log/large" "rm /log/3" "set_inode_field /log/4 mtime 20261121100000"
store
edit "write tree/log/1 /log/again" "set_inode_field /log/again generation 77" "rm /log/5" "set_inode_field /log/6 size 3"
store
edit "rm /log/large" "write large /log/5" "set_inode_field /log/7 links_count 0" "mkdir /new"
store
stop_disk "$served"
./test_fs_tracks h -1 40 8 >out || fail "a disk without a journal: differs"
[ "$(sed -n '1s/.*: \([0-9]*\) states/\1/p' out)" -ge 25 ] || fail "too few states: $(cat out)"
