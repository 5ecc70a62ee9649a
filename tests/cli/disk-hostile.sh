#!/bin/sh
# SPDX-License-Identifier: MIT
# Restoring a tree out of images that were made to attack: nothing is written outside the new folder, no special file, nothing set-id,
# nothing larger than --max-bytes; every run ends by itself, in words.
. "$SRCDIR/tests/lib.sh"
requires mke2fs python3 timeout
[ -x "$BUILD/provgraph-fsread" ] || skip "provgraph-fsread is not built"

mkdir tree tree/folder images arena
victim=$(printf 'v%.0s' $(seq 255))
head -c 5000 "$SRCDIR/LICENSE" "$SRCDIR/README.md" | head -c 5000 >"tree/$victim"
echo twin >tree/twin
echo inner >tree/folder/inner
mke2fs -q -F -t ext4 -b 1024 -O ^64bit,^metadata_csum,^has_journal,^resize_inode -d tree plain 16M >log 2>&1 || fail "mke2fs: $(cat log)"
python3 "$SRCDIR/tests/cli/hostile_images.py" plain images >names || fail "the images could not be made"
[ "$(wc -l <names)" -ge 50 ] || fail "only $(wc -l <names) images"

# The plain image first: what the attacks spoil is really restored.
"$PROVGRAPH" disk init plain.history --base plain 2>log || fail "disk init: $(cat log)"
"$PROVGRAPH" disk cat plain.history seq:0 / -o plain.tree 2>log || fail "the plain image: $(cat log)"
rmdir plain.tree/lost+found
diff -r tree plain.tree || fail "the plain image gives another tree"
[ "$(stat -c %a plain.tree plain.tree/folder plain.tree/twin | tr '\n' ' ')" = '700 700 600 ' ] || fail "modes"

while read -r name; do
	rm -rf h arena && mkdir arena
	# Some are refused at once: then there is nothing to attack with.
	"$PROVGRAPH" disk init h --base "images/$name.img" 2>log || fail "$name: disk init: $(cat log)"
	(
		cd arena || exit 2
		umask 0
		exec timeout 60 "$PROVGRAPH" disk cat ../h seq:0 / -o out --max-bytes 1M >../out 2>../err </dev/null
	)
	status=$?
	case $status in
	0) [ -d arena/out ] || fail "$name: status 0 and no folder" ;;
	2)
		[ -s err ] || fail "$name: status 2 without a word"
		no_files arena/out arena/.prov*
		;;
	*) fail "$name: status $status: $(head -c 500 err)" ;;
	esac
	# The reader itself survives all of it.
	for word in 'whole answer' 'died of' 'was killed' 'limit of CPU'; do lacks err "$word"; done
	found=$(find arena -mindepth 1 -maxdepth 1 ! -name out ! -name out.manifest.jsonl)
	[ -z "$found" ] || fail "$name: outside the folder: $found"
	found=$(find arena ! -type f ! -type d)
	[ -z "$found" ] || fail "$name: special files: $found"
	found=$(find arena/out -perm /7077 2>/dev/null)
	[ -z "$found" ] || fail "$name: modes: $found"
	[ "$(du -s --apparent-size -k arena | cut -f1)" -lt 2048 ] || fail "$name: more than --max-bytes"
	# What goes to a terminal cannot act on it.
	LC_ALL=C grep -q "$(printf '[\001-\010\013-\037\177]')" err && fail "$name: control characters in a message"
	no_files /evil /tmp/provgraph-evil ../evil
	timeout 60 "$PROVGRAPH" disk cat h seq:0 "/$victim" --max-bytes 1M >content 2>err
	[ $? -le 2 ] || fail "$name: disk cat: $(head -c 500 err)"
	lacks err 'whole answer'
	lacks err 'died of'
	[ "$(wc -c <content)" -le 1048576 ] || fail "$name: disk cat gives $(wc -c <content) bytes"
	case $name in size-* | extent-* | map-* | table-*) continue ;; esac
	timeout 60 "$PROVGRAPH" disk ls h seq:0 >out 2>err
	[ $? -le 2 ] || fail "$name: disk ls: $(head -c 500 err)"
	LC_ALL=C grep -q "$(printf '[\001-\010\013-\037\177]')" out && fail "$name: control characters in a listing"
done <names

# Many names of one file: the content once, links up to the limit, the rest told.
rm -rf many h && mkdir many && echo one >many/0
i=1
while [ $i -lt 1200 ]; do
	ln many/0 many/$i
	i=$((i + 1))
done
mke2fs -q -F -t ext4 -d many links.img 16M >log 2>&1 || fail "mke2fs: $(cat log)"
"$PROVGRAPH" disk init h --base links.img 2>log || fail "disk init: $(cat log)"
"$PROVGRAPH" disk cat h seq:0 / -o linked 2>err || fail "many links: $(cat err)"
[ "$(stat -c %h linked/1)" -eq 1001 ] || fail "$(stat -c %h linked/1) links"
contains linked.manifest.jsonl "more names than the limit"
contains err "199 left out"
