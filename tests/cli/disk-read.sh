#!/bin/sh
# SPDX-License-Identifier: MIT
# Files out of many kinds of ext file systems, compared with the tree that they were made from, with debugfs and with The Sleuth Kit.
. "$SRCDIR/tests/lib.sh"
requires mke2fs debugfs
[ -x "$BUILD/provgraph-fsread" ] || skip "provgraph-fsread is not built"
quiet() { "$@" >log 2>&1 || fail "$*: $(tail -n 5 log)"; }

mkdir tree tree/many tree/etc "tree/a folder"
i=0
while [ $i -lt 400 ]; do
	echo "file $i" >"tree/many/file-with-a-longer-name-$i"
	i=$((i + 1))
done
head -c 100000 /dev/urandom >tree/hundred
head -c 3000000 /dev/urandom >tree/large
: >tree/empty
printf x >tree/tiny
head -c 140 /dev/urandom >tree/inside
truncate -s 30M tree/sparse
printf end >>tree/sparse
echo root:x:0:0 >tree/etc/passwd
echo 'odd name' >"tree/a folder/$(printf 'tab\tquote\047 \303\251')"
ln tree/tiny tree/tiny-too
ln -s etc/passwd tree/link
ln -s ../etc tree/many/to-etc
chmod 4755 tree/tiny
touch -d @1700000000 tree/hundred

# listing IMAGE FOLDER: what debugfs says of it, in the columns: inode mode uid gid size name
listing() {
	debugfs -R "ls -l $2" "$1" 2>/dev/null | awk 'NF >= 8 && $1 > 0 { name = $0; sub(/^ *[0-9]+ +[0-9]+ +\([0-9]+\) +[0-9]+ +[0-9]+ +[0-9]+ +[^ ]+ +[^ ]+ /, "", name);
		if (name != "." && name != "..") print $1, $2, $4, $5, $6, name }' | LC_ALL=C sort
}
ours() {
	"$PROVGRAPH" disk ls "$1" seq:0 "$2" --json 2>err | sed -n 's/.*"name":"\([^"]*\)","inode":\([0-9]*\),.*"mode":"0*\([0-7]*\)".*"uid":\([0-9]*\),"gid":\([0-9]*\),"size":\([0-9]*\).*/\2 \3 \4 \5 \6 \1/p' | LC_ALL=C sort
}

check_variant() { # NAME, mke2fs OPTION...
	name=$1
	shift
	rm -rf image h out* dumped
	quiet mke2fs -q -F "$@" -d tree image 64M
	# Pieces: what is written between files that were removed.
	{
		echo 'mkdir pieces'
		i=0
		while [ $i -lt 60 ]; do
			echo "write tree/inside pieces/small$i"
			i=$((i + 1))
		done
		i=0
		while [ $i -lt 60 ]; do
			echo "rm pieces/small$i"
			i=$((i + 2))
		done
		echo 'write tree/large pieces/large'
		case $name in ext2* | ext3* | inline) ;; *) echo 'write /dev/null pieces/reserved'; echo 'fallocate pieces/reserved 2 9' ;; esac
	} >commands
	quiet debugfs -w -f commands image
	quiet "$PROVGRAPH" disk init h --base image
	quiet "$PROVGRAPH" disk cat h seq:0 / -o out
	for link in link many/to-etc; do
		grep -q "\"path\":\"/$link\".*\"target\":\"\(../\)\{0,1\}etc\(/passwd\)\{0,1\}\".*\"skipped\"" out.manifest.jsonl || fail "$name: the manifest lacks $link"
	done
	if [ "$name" = inline ]; then # debugfs 1.47 fills small files up with zeros: the source is the judge
		cp -a tree dumped
		mv out/pieces out/lost+found .
	else
		mkdir dumped
		quiet debugfs -R "rdump / dumped" image
	fi
	find dumped -type l -exec rm {} +
	diff -r dumped out >difference || fail "$name: the tree differs: $(head difference)"
	[ "$name" != inline ] || mv pieces lost+found out
	cmp tree/large out/pieces/large || fail "$name: the file in pieces differs"
	[ "$(stat -c %h out/tiny)" = 2 ] || fail "$name: a hard link is gone"
	[ "$(du -k out/sparse | cut -f1)" -le 64 ] || fail "$name: the hole of a sparse file was filled"
	[ -z "$(find out -perm /7077)" ] || fail "$name: modes"
	for folder in / /many /etc /pieces; do
		listing image "\"$folder\"" >theirs
		ours h "$folder" >listed
		[ -s listed ] || fail "$name: $folder: nothing is listed: $(cat err)"
		diff theirs listed || fail "$name: $folder is listed otherwise"
	done
	# One file to standard output, to a file, by inode; through a symlink; inode numbers as icat takes them.
	inode=$(debugfs -R 'stat hundred' image 2>/dev/null | sed -n 's/^Inode: \([0-9]*\).*/\1/p')
	"$PROVGRAPH" disk cat h seq:0 --inode "$inode" >by_inode 2>err || fail "$name: --inode: $(cat err)"
	cmp tree/hundred by_inode || fail "$name: --inode gives other bytes"
	"$PROVGRAPH" disk cat h seq:0 many/to-etc/passwd 2>err | cmp tree/etc/passwd - || fail "$name: through a symlink"
	case $name in
	bigalloc | meta-bg* | 64k) ;; # The Sleuth Kit cannot
	*)
		if command -v icat >/dev/null; then
			icat -f ext image "$inode" | cmp by_inode - || fail "$name: icat gives other bytes"
			icat -f ext image "$(debugfs -R 'stat pieces/large' image 2>/dev/null | sed -n 's/^Inode: \([0-9]*\).*/\1/p')" | cmp out/pieces/large - ||
				fail "$name: icat gives another file in pieces"
		fi
		;;
	esac
}

# tests/unit/test_fs_ext.c reads 28 kinds; these are read by others, too.
check_variant default -t ext4
check_variant 64k -t ext4 -b 65536
check_variant ext2-1k -t ext2 -b 1024
check_variant ext3 -t ext3 -b 1024
check_variant inline -t ext4 -O inline_data
check_variant bigalloc -t ext4 -O bigalloc -C 16384
check_variant meta-bg -t ext4 -O meta_bg,^resize_inode
check_variant no-checksums -t ext4 -O ^metadata_csum,^64bit
check_variant large-dir -t ext4 -O large_dir,ea_inode
check_variant orphan-file -t ext4 -O orphan_file

# What is said, and where results go.
rm -rf image h out
quiet mke2fs -q -F -t ext4 -d tree image 64M
quiet debugfs -w -R 'set_inode_field hundred mtime_extra 493827156' image # 123456789 ns, two bits of epoch
quiet "$PROVGRAPH" disk init h --base image
expect_status 0 "$PROVGRAPH" disk cat h seq:0 /hundred -o file
cmp file tree/hundred || fail "-o"
[ "$(stat -c %a file)" = 600 ] || fail "mode $(stat -c %a file)"
contains err "SHA-256 $(sha256sum file | cut -d' ' -f1)"
contains err "modified 2023-11-14T22:13:20.123456789"
contains err "system call:  not known here"
contains err "before the first record"
echo precious >file
expect_status 2 "$PROVGRAPH" disk cat h seq:0 /hundred -o file
contains err "exists already; --force"
contains file precious
expect_status 0 "$PROVGRAPH" disk cat h seq:0 /hundred -o file --force
cmp file tree/hundred || fail "--force"
# A symlink in the way is not followed; with --force it is replaced itself.
echo precious >target && ln -s target pointer
expect_status 2 "$PROVGRAPH" disk cat h seq:0 /tiny -o pointer
expect_status 0 "$PROVGRAPH" disk cat h seq:0 /tiny -o pointer --force
contains target precious
[ ! -L pointer ] || fail "a symlink was written through"
expect_status 1 "$PROVGRAPH" disk cat h seq:0 /nothing -o none
contains err "no such file at that moment"
expect_status 1 "$PROVGRAPH" disk cat h seq:0 --inode 4000 -o none
expect_status 1 "$PROVGRAPH" disk ls h seq:0 /nothing
expect_status 2 "$PROVGRAPH" disk cat h seq:0 /large -o none --max-bytes 1M
contains err "3000000 bytes"
expect_status 2 "$PROVGRAPH" disk cat h seq:0 /etc
contains err "is a folder"
expect_status 2 "$PROVGRAPH" disk cat h seq:0 /link
contains err "is a symlink to etc/passwd"
expect_status 2 "$PROVGRAPH" disk cat h seq:99 /tiny
expect_status 2 "$PROVGRAPH" disk cat h seq:0
expect_status 2 "$PROVGRAPH" disk cat h seq:0 /tiny --inode 12
expect_status 2 "$PROVGRAPH" disk cat h seq:0 /tiny --json
mkdir there
expect_status 2 "$PROVGRAPH" disk cat h seq:0 /etc -o there
expect_status 2 "$PROVGRAPH" disk cat h seq:0 /tiny -o missing/none
no_files none missing there/* .prov*
expect_status 0 "$PROVGRAPH" disk cat h seq:0 /hundred -o file --force --json --quiet
python3 -c 'import json,sys; d=json.load(open("out")); assert d["size"] == 100000 and d["verdict"] == "on disk" and d["sha256"], d' || fail "--json"
expect_status 0 "$PROVGRAPH" disk cat h seq:0 /empty -o nothing-in-it
[ -f nothing-in-it ] && [ ! -s nothing-in-it ] || fail "an empty file"
expect_status 0 "$PROVGRAPH" disk cat h seq:0 /tiny -o /dev/null
expect_status 0 "$PROVGRAPH" disk ls h seq:0 '/a folder'
contains out 'tab\x09quote'

# Partitions: named, or the list.
if command -v sfdisk >/dev/null; then
	rm -rf disk h
	truncate -s 96M disk
	printf 'label: gpt\nstart=2048, size=65536\nstart=67584, size=65536\nstart=133120, size=2048\n' | sfdisk -q disk >log 2>&1 || fail "sfdisk: $(cat log)"
	mkdir first second
	echo one >first/file && echo two >second/file
	quiet mke2fs -q -F -t ext4 -d first part1 32M
	quiet mke2fs -q -F -t ext3 -d second part2 32M
	dd if=part1 of=disk bs=1M seek=1 conv=notrunc status=none
	dd if=part2 of=disk bs=1M seek=33 conv=notrunc status=none
	quiet "$PROVGRAPH" disk init h --base disk
	expect_status 2 "$PROVGRAPH" disk cat h seq:0 /file
	contains err "ext4"
	contains err "ext3"
	expect_status 0 "$PROVGRAPH" disk cat h:1 seq:0 /file
	contains out one
	expect_status 0 "$PROVGRAPH" disk cat h:2 seq:0 /file
	contains out two
	expect_status 2 "$PROVGRAPH" disk ls h:3 seq:0
	expect_status 2 "$PROVGRAPH" disk ls h:9 seq:0
fi

# What is missing is asked for by name, and an option is no TIME.
expect_status 2 "$PROVGRAPH" disk cat h
contains err "disk cat: at which TIME, which file?"
expect_status 2 "$PROVGRAPH" --restore-at --disk h --path /hundred
contains err "--restore-at: needs a value"

# An image says which state it holds, and questions name the verb that asks them.
expect_status 0 "$PROVGRAPH" disk export h seq:0 -o state.img
contains err "moment: before the first record"
expect_status 2 "$PROVGRAPH" disk cat h seq:0 --image
contains err "disk cat: where to?"
