# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Every state of a log on a disk that the kernel writes: 1,200 appends with fsync give 1,201 states; in-place changes, sed -i, truncation,
# removal, rename over it, rotation, data that is still on its way, files that came and went. disk log, tamper, diff and files are held against
# what the one who did it saw, and against views at single moments.
#
#     nbdkit with our plugin <- nbdfuse <- loop device <- ext4
# shellcheck source=tests/lib.sh
. "$SRCDIR/tests/lib.sh"
requires_root
requires nbdkit nbdfuse losetup mke2fs python3 fusermount3
[ -c /dev/fuse ] || skip "no /dev/fuse"
mkdir fuse mnt

take_down() {
	umount mnt 2>/dev/null
	[ -z "${loop:-}" ] || losetup -d "$loop"
	fusermount3 -u fuse 2>/dev/null
	[ -z "${server:-}" ] || { kill "$server" && wait "$server"; }
	loop='' server=''
}
cleanup_fn 'take_down >/dev/null 2>&1'

wait_for() { # TEST...: until it holds, at most 10 s
	for _ in $(seq 100); do
		test "$@" && return
		sleep 0.1
	done
	fail "not true within 10 s: $*"
}

# record MKFS-OPTIONS MOUNT-OPTIONS APPENDS: a history in ./h, and the truth
record() {
	rm -rf h socket
	"$PROVGRAPH" disk init h --size 64M >out 2>&1 || fail "$(cat out)"
	"$PROVGRAPH" disk serve h --socket "$PWD/socket" >serve.out 2>&1 &
	server=$!
	wait_for -S socket
	nbdfuse fuse/ --unix "$PWD/socket" >nbdfuse.out 2>&1 &
	wait_for -e fuse/nbd
	loop=$(losetup -f --show fuse/nbd) || fail "no loop device"
	# shellcheck disable=SC2086
	mke2fs -q -F $1 "$loop" || fail "mke2fs $1"
	sync "$loop"
	mount -o "commit=1$2" "$loop" mnt || fail "mount $2"
	python3 "$SRCDIR/tests/root/disk-timeline.py" mnt "$3" >truth || fail "the work failed"
	take_down
	wait
}

check_disk() { # WHAT MKFS-OPTIONS MOUNT-OPTIONS APPENDS JOURNALED
	record "$2" "$3" "$4"
	python3 "$SRCDIR/tests/root/disk-timeline-check.py" "$PROVGRAPH" h truth "$5" >said 2>&1 || { cat said; fail "$1"; }
	echo "$1: $(tail -n 1 said)"
}

check_disk "4 KiB blocks" "-t ext4 -b 4096" "" 1200 0
check_disk "1 KiB blocks" "-t ext4 -b 1024" "" 60 0
check_disk "data=journal" "-t ext4 -b 4096 -J size=4" ",data=journal" 60 1
check_disk "ext3" "-t ext3 -b 1024" "" 60 0
