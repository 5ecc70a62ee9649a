#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# The states of many inodes in one walk are those of each alone: on the disk of a real guest with a journal; on one without, whose inode
# tables share blocks and whose inodes are deleted and used again; on one whose journal lost bits. A reader that lies is not believed.
# shellcheck source=tests/lib.sh
. "$SRCDIR/tests/lib.sh"

# Beside the reader of file systems, where it looks for it.
cp "$BUILD/tests/unit/test_fs_tracks" "$BUILD/tests/unit/test_contents" "$BUILD/provgraph-fsread" .
./test_fs_tracks compare "$SRCDIR/samples/guest-disk/web01.history" -1 130 3 >out || fail "the guest's disk: differs"
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
./test_fs_tracks compare h -1 40 4 >out || fail "a disk without a journal: differs"
[ "$(sed -n '1s/.*: \([0-9]*\) states/\1/p' out)" -ge 25 ] || fail "too few states: $(cat out)"

# A walk reads of the journal what it needs. Where that turns out to be damaged it says what one says that reads everything.
mkdir files
for i in $(seq 30); do echo "file $i" >"files/$i"; done
mke2fs -q -t ext4 -b 4096 -J size=4 -N 8192 -d files busy 512M || fail "mke2fs"
./test_fs_tracks busy busy b 6000 30 || fail "no busy history"
./test_fs_tracks compare b -1 45 2 >out || fail "a journal with damaged copies: differs"
[ "$(sed -n '1s/.*: \([0-9]*\) states/\1/p' out)" -ge 500 ] || fail "too few states: $(cat out)"
# So do contents, some of which are met half-way through an answer.
./test_contents compare b 1 400 13 22 >out || fail "contents, in a journal with damaged copies: differ"

# Files with more states than there is room for take nothing from the others.
./test_fs_tracks share b 30 || fail "shares"
expect_status 0 ./test_fs_tracks ask b 0 6000 20 13
[ "$(head -n 1 out)" = "20 0 0" ] && contains out "13 0 0" || fail "not as asked: $(cat out)"
expect_status 0 ./test_fs_tracks ask b 0 6000 4000000000 # an inode that cannot be
[ ! -s out ] || fail "$(cat out)"
# shellcheck disable=SC2046
expect_status 1 ./test_fs_tracks ask b 0 6000 $(seq 4097)
contains out "4096 are the most"

requires python3
python3=$(command -v python3)
protocol=$(sed -n "s/^#define FSREAD_PROTOCOL \([0-9]*\).*/\1/p" "$SRCDIR/snapshots/fsread.h")
lie() { # FRAMES WORDS
	rm -f provgraph-fsread
	cat >provgraph-fsread <<END
#!$python3
import struct, sys, time
out = sys.stdout.buffer
def frame(kind, payload=b''):
    out.write(struct.pack('<II', kind, len(payload)) + payload)
    out.flush()
u64 = lambda *values: b''.join(struct.pack('<Q', v) for v in values)
state = lambda inode, seq, generation=7: frame(10, u64(seq, 0, inode, generation, *[0] * 14))
frame(1, u64($protocol))
$1
frame(13)
END
	chmod +x provgraph-fsread
	expect_status 1 ./test_fs_tracks ask b 5 100 12 14 13
	contains out "$2"
}
lie 'state(15, 6)' 'which nobody asked for'
lie 'state(13, 6); state(12, 7)' 'not in the order asked'
lie 'state(12, 8); state(12, 7)' 'out of order'
lie 'state(12, 4)' 'out of order'
lie 'state(12, 101)' 'out of order'
lie 'state(12, 6, 2**40)' 'a state'
lie 'frame(10, u64(1))' 'a state'
lie 'frame(7, u64(1))' 'nobody asked for'
lie 'state(12, 6); sys.exit(0)' 'without a whole answer'
