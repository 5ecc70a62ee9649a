# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Every state of a log on a disk that the kernel writes: 1,200 appends with fsync give 1,201 states; in-place changes, sed -i, truncation,
# removal, rename over it, rotation, data that is still on its way, files that came and went. disk log, tamper, diff and files are held against
# what the one who did it saw, and against views at single moments.
# shellcheck source=tests/lib.sh
. "$SRCDIR/tests/lib.sh"
# shellcheck source=tests/mount.sh
. "$SRCDIR/tests/mount.sh"
requires sfdisk

# record MKFS-OPTIONS MOUNT-OPTIONS APPENDS [SECTOR SECTORS]: a history in ./h, and the truth; in a partition of the disk, or on all of it
record() {
	rm -rf h socket
	"$PROVGRAPH" disk init h --size 96M >out 2>&1 || fail "$(cat out)"
	"$PROVGRAPH" disk serve h --socket "$PWD/socket" >serve.out 2>&1 &
	server=$!
	wait_for -S socket
	nbdfuse fuse/ --unix "$PWD/socket" >nbdfuse.out 2>&1 &
	wait_for -e fuse/nbd
	if [ $# -gt 3 ]; then
		printf 'label: dos\nstart=2048,size=2048\nstart=%s,size=%s\n' "$4" "$5" | sfdisk -q fuse/nbd || fail "sfdisk"
		loop=$(losetup -f --show -o $(($4 * 512)) --sizelimit $(($5 * 512)) fuse/nbd) || fail "no loop device"
	else
		loop=$(losetup -f --show fuse/nbd) || fail "no loop device"
	fi
	# shellcheck disable=SC2086
	mke2fs -q -F $1 "$loop" || fail "mke2fs $1"
	sync "$loop"
	mount -o "commit=1$2" "$loop" mnt || fail "mount $2"
	python3 "$SRCDIR/tests/root/disk-timeline.py" mnt "$3" >truth || fail "the work failed"
	take_down
	wait
}

check_disk() { # WHAT JOURNALED VIEWS RECORD...
	what=$1 journaled=$2 views=$3
	shift 3
	record "$@"
	python3 "$SRCDIR/tests/root/disk-timeline-check.py" "$PROVGRAPH" h truth "$journaled" "$views" >said 2>&1 || { cat said; fail "$what"; }
	echo "$what: $(tail -n 1 said)"
	# Every inode in one walk, held against each alone.
	./test_fs_tracks compare h -1 60 3 >said 2>&1 || { cat said; fail "$what: many inodes"; }
	# And contents at many moments in one walk, against each alone.
	first=$("$PROVGRAPH" disk files h seq:1 now --json 2>said | sed -n 's/.*"kind":"file".*"inode_before":\([1-9][0-9]*\),.*/\1/p' | sort -n | head -n 1)
	records=$("$PROVGRAPH" disk info h --json 2>said | sed -n 's/.*"last_seq": *\([0-9]*\).*/\1/p')
	./test_contents compare h 20 $((records / 16 + 1)) "$first" $((first + 5)) >said 2>&1 || { cat said; fail "$what: many contents"; }
}

cp "$BUILD/tests/unit/test_fs_tracks" "$BUILD/tests/unit/test_contents" "$BUILD/provgraph-fsread" . # beside the reader of file systems, where it looks for it
check_disk "4 KiB blocks" 0 8 "-t ext4 -b 4096" "" 1200
check_disk "1 KiB blocks" 0 3 "-t ext4 -b 1024" "" 60
check_disk "data=journal" 1 3 "-t ext4 -b 4096 -J size=4" ",data=journal" 60
check_disk "ext3" 0 3 "-t ext3 -b 1024" "" 60
# A partition that begins in the middle of a block of 4 KiB, as old tools made them.
check_disk "the second partition" 0 3 "-t ext4 -b 4096" "" 60 45063 130000
