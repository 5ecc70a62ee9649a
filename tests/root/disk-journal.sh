# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# The replayed view of a disk that the kernel writes is what `e2fsck -E journal_only` makes of the recorded bytes, at random moments of real
# histories: data=ordered and data=journal, blocks of 1 and 4 KiB, journals of 4 and 16 MiB, ext3, no checksums, checksums of version 1.
# What the view serves also mounts read only as it is, and e2fsck finds no fault in it.
# shellcheck source=tests/lib.sh
. "$SRCDIR/tests/lib.sh"
# shellcheck source=tests/mount.sh
. "$SRCDIR/tests/mount.sh"
requires e2fsck debugfs

STATES=${STATES:-17} # of each configuration

last_seq() {
	"$PROVGRAPH" disk info --json h | sed -n 's/.*"last_seq": \([0-9]*\).*/\1/p'
}

# Appends with fsync, many small files, removals (revokes), blocks that begin with the journal's magic (escapes), renames, a large file.
work() {
	for i in $(seq 100); do
		echo "line $i" >>mnt/log
		sync mnt/log
		cp "$SRCDIR/tests/lib.sh" "mnt/file-$i"
		printf '\300\073\071\230%s' "$i" >>"mnt/magic-$((i % 5))"
		head -c 5000 /dev/zero | tr '\0' "$((i % 10))" >>"mnt/magic-$((i % 5))"
		case $i in
		*5)
			mkdir "mnt/folder-$i"
			for j in $(seq 60); do : >"mnt/folder-$i/a-longer-name-of-a-file-$j"; done
			sync -f mnt
			rm -r "mnt/folder-$i"
			cp "$SRCDIR/ARCHITECTURE.md" "mnt/large-$i"
			;;
		*8) mv "mnt/file-$i" "mnt/file-$((i - 1))" ;;
		*9) rm "mnt/file-$((i - 4))" ;;
		esac
	done
}

# record MKFS-OPTIONS MOUNT-OPTIONS: a history in ./h; $made: the first record after mkfs
record() {
	rm -rf h socket
	"$PROVGRAPH" disk init h --size 48M >out 2>&1 || fail "$(cat out)"
	"$PROVGRAPH" disk serve h --socket "$PWD/socket" >serve.out 2>&1 &
	server=$!
	wait_for -S socket
	nbdfuse fuse/ --unix "$PWD/socket" >nbdfuse.out 2>&1 &
	wait_for -e fuse/nbd
	loop=$(losetup -f --show fuse/nbd) || fail "no loop device"
	# shellcheck disable=SC2086
	mke2fs -q -F $1 "$loop" || fail "mke2fs $1"
	sync "$loop"
	sleep 0.2
	made=$(last_seq)
	mount -o "commit=1$2" "$loop" mnt || fail "mount $2"
	work
	sleep 0.3
	last=$(last_seq) # what unmounting writes is not of interest: the journal is clean then
	umount mnt
	journal=$(debugfs -R 'bmap <8> 0' "$loop" 2>/dev/null)
	bytes=$(debugfs -R stats "$loop" 2>/dev/null | sed -n 's/^Block size: *//p')
	take_down
	wait
}

cat >compare.py <<'EOF'
# compare.py OURS THEIRS RAW JOURNAL-BLOCK BLOCK-BYTES: blocks that differ, superblocks apart; prints how many replay changed
import sys
ours, theirs, raw = (open(path, 'rb') for path in sys.argv[1:4])
journal, size = int(sys.argv[4]), int(sys.argv[5])
number, changed, wrong = 0, 0, []
while True:
    a, b, c = (f.read(1 << 20) for f in (ours, theirs, raw))
    if len(a) != len(b):
        sys.exit('the images have different sizes')
    if not a:
        break
    if a != b or a != c:
        for at in range(0, len(a), size):
            x = a[at:at + size]
            changed += x != c[at:at + size]
            if x != b[at:at + size] and number + at // size not in (1024 // size, journal):
                wrong.append(number + at // size)
    number += len(a) // size
print(changed)
if wrong:
    sys.exit('%d blocks differ: %s' % (len(wrong), wrong[:10]))
EOF

states=0 dirty=0 blocks=0
compare_states() { # WHAT
	python3 -c 'import random, sys; r = random.Random(sys.argv[1]); print(*sorted(r.sample(range(int(sys.argv[2]) + 1, int(sys.argv[3]) + 1), int(sys.argv[4]))))' \
		"$1" "$made" "$last" "$STATES" >seqs || fail "$1: too few records: $made to $last"
	for seq in $(cat seqs); do
		rm -f ours.img raw.img theirs.img
		"$PROVGRAPH" disk export h "seq:$seq" --raw -o raw.img >out 2>&1 || fail "$1, seq:$seq: $(cat out)"
		"$PROVGRAPH" disk export h "seq:$seq" -o ours.img >out 2>&1 || fail "$1, seq:$seq: $(cat out)"
		cp --sparse=always raw.img theirs.img
		e2fsck -y -E journal_only theirs.img >e2fsck.out 2>&1
		changed=$(python3 compare.py ours.img theirs.img raw.img "$journal" "$bytes" 2>err) || {
			[ -z "${KEEP:-}" ] || cp -r h raw.img ours.img theirs.img "$KEEP"
			fail "$1, seq:$seq: $(cat err)"
		}
		states=$((states + 1)) blocks=$((blocks + changed))
		! grep -q 'recovering journal' e2fsck.out || dirty=$((dirty + 1))
	done
	# The last of them as a whole.
	e2fsck -fn ours.img >e2fsck.out 2>&1 || fail "$1, seq:$seq: e2fsck -fn: $(cat e2fsck.out)"
	loop=$(losetup -r -f --show ours.img)
	mount -r "$loop" view || fail "$1, seq:$seq: the exact image does not mount read only"
	[ -s view/log ] || fail "$1, seq:$seq: no log in it"
	umount view
	losetup -d "$loop"
	loop=
}

check() { # MKFS-OPTIONS MOUNT-OPTIONS
	record "$1" "$2"
	compare_states "$1 $2"
}

for data in '' ',data=journal'; do
	for block in 1024 4096; do
		for journal in 4 16; do
			check "-t ext4 -b $block -J size=$journal" "$data"
		done
	done
done
check "-t ext3 -b 1024 -J size=4" ""
check "-t ext4 -b 4096 -J size=4 -O ^metadata_csum,^64bit" ""
check "-t ext4 -b 1024 -J size=4 -O ^metadata_csum" ",journal_checksum"
check "-t ext4 -b 4096 -J size=4 -O ^metadata_csum" ",data=writeback,journal_async_commit"
echo "$states states compared, $dirty with transactions to replay, $blocks blocks replayed"
[ "$states" -ge $((12 * STATES)) ] || fail "only $states states"
[ "$dirty" -gt $((states / 2)) ] || fail "only $dirty of $states journals were dirty"
