# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# disk log, tamper, diff and files on a disk without a journal, made by e2fsprogs: no root, no kernel. Each state of an image is written over
# the live disk. (What a kernel and its journal do: tests/root/disk-timeline.sh.)
# shellcheck source=tests/lib.sh
. "$SRCDIR/tests/lib.sh"
requires mke2fs debugfs qemu-img
# shellcheck source=tests/serve.sh
. "$SRCDIR/tests/serve.sh"

for i in 0 1 2 3 4 5 6 7 8 9; do echo "line $i of the log"; done >lines # 180 bytes
escape=$(printf '\033')
mkdir -p tree/log
cp lines tree/log/auth
cp lines tree/log/clean
echo "not here" >"tree/log/${escape}[31mred"
mke2fs -q -t ext4 -O ^has_journal -b 1024 -d tree image 4M || fail "mke2fs"

"$PROVGRAPH" disk init h --size 4M >init.out 2>&1 || fail "$(cat init.out)"
start_disk serve h socket
now() { "$PROVGRAPH" disk info --json h | sed -n 's/.*"last_seq": \([0-9]*\).*/\1/p'; }
# The image as it is becomes the disk as it is. Sets seq.
store() {
	qemu-img convert -n -f raw -O raw image "$(uri socket)" >convert.out 2>&1 || fail "$(cat convert.out)"
	qemu-io -f raw -c flush "$(uri socket)" >io.out 2>&1 || fail "$(cat io.out)"
	seq=$(now)
}
edit() { printf '%s\n' "$@" | debugfs -w -f - image >debugfs.out 2>&1 || fail "$(cat debugfs.out)"; }
# overwrite PATH BYTE TEXT: in the file's first block, as nobody but a tool that knows no file system would
overwrite() {
	block=$(debugfs -R "bmap $1 0" image 2>/dev/null)
	printf '%s' "$3" | dd of=image bs=1 seek=$((block * 1024 + $2)) conv=notrunc status=none
}

store; first=$seq
overwrite /log/clean 180 "line 10 of the log
"
edit "set_inode_field /log/clean size 199" "set_inode_field /log/clean mtime 20261121100000"
store; grown=$seq
overwrite /log/auth 54 "LINE"
store; rewritten=$seq
edit "set_inode_field /log/auth size 90" "set_inode_field /log/auth mtime 20261121100001"
store; cut=$seq
edit "write lines /brief" "rm /log/auth" "rm /log/${escape}[31mred"
store
edit "rm /brief"
store
stop_disk "$served"

# Every state, in words and as objects.
expect_status 0 "$PROVGRAPH" disk log h /log/auth
awk 'NR > 1 { printf "%s", $4; for (i = 6; i <= NF; i++) printf " %s", $i; print "" }' out >words
cat >wanted <<'END'
180 appeared
180 rewritten from byte 54 on
90 cut by 90 bytes
- deleted
END
same words wanted
contains err "from before the first record to "
expect_status 0 "$PROVGRAPH" disk log h /log/auth --json --quiet
[ ! -s err ] || fail "--quiet: $(cat err)"
[ "$(wc -l <out)" -eq 4 ] || fail "$(cat out)"
contains out '"change":["rewritten"],"changed_from":54,"changed_to":58,"pending_bytes":0,"from_journal":false}'
inode=$(sed -n '1s/.*"inode":\([0-9]*\).*/\1/p' out)
expect_status 0 "$PROVGRAPH" disk log h --inode "$inode" --from "seq:$grown" --to "seq:$rewritten"
contains out "as the span begins"
contains out "rewritten from byte 54 on"
[ "$(wc -l <out)" -eq 3 ] || fail "$(cat out)"
expect_status 1 "$PROVGRAPH" disk log h /log/never
contains err "/log/never: was never there in this span of the history"
expect_status 2 "$PROVGRAPH" disk log h /log/auth --to seq:1
contains err "no partition holds a file system"
expect_status 2 "$PROVGRAPH" disk ls h 1999-12-31
contains err "1999-12-31: before the first record, 20"
expect_status 2 "$PROVGRAPH" disk log h
contains err "which file?"
expect_status 2 "$PROVGRAPH" disk log h /log/auth --from "seq:$cut" --to "seq:$first"
contains err "ends before it begins"

# Tampering: 1 and what was done; 0 and nothing for a file that grew.
expect_status 1 "$PROVGRAPH" disk tamper h /log/auth
contains out "rewritten in place, line 4 (byte 54): 1 line gone, 1 line new"
contains out "  - line 3 of the log"
contains out "  + LINE 3 of the log"
contains out "cut, line 6 (byte 90): 5 lines gone, 0 lines new"
contains out "deleted, line 1 (byte 0): 5 lines gone, 0 lines new"
# The command that it prints shows what was there before.
sed -n 's/^  before: provgraph //p' out | head -n 1 >printed
# shellcheck disable=SC2046
expect_status 0 "$PROVGRAPH" $(cat printed)
same out lines
expect_status 0 "$PROVGRAPH" disk tamper h /log/clean
[ ! -s out ] || fail "$(cat out)"
contains err "changed at its end only"
expect_status 2 "$PROVGRAPH" disk tamper h /log
contains err "/log: is no regular file"
expect_status 2 "$PROVGRAPH" disk tamper h /log/never
expect_status 1 "$PROVGRAPH" disk tamper h /log/auth --json --to "seq:$rewritten"
[ "$(wc -l <out)" -eq 1 ] || fail "$(cat out)"
contains out '"offset":54,"line":4,"lines_removed":1,"lines_added":1,"before":"line 3 of the log\u000a","after":"LINE 3 of the log\u000a"}'

# Two moments.
expect_status 1 "$PROVGRAPH" disk diff h "seq:$first" "seq:$cut"
sed 1d out >listed
cat >wanted <<'END'
size          file               180           90 /log/auth
size          file               180          199 /log/clean
END
same listed wanted
expect_status 1 "$PROVGRAPH" disk diff h "seq:$grown" "seq:$rewritten" --json
[ "$(wc -l <out)" -eq 1 ] || fail "$(cat out)"
contains out '{"what":"content","kind":"file","path":"/log/auth",'
expect_status 0 "$PROVGRAPH" disk diff h "seq:$cut" "seq:$cut"
[ ! -s out ] || fail "$(cat out)"
# Names are chosen by attackers: what a terminal would obey is shown, not done.
expect_status 1 "$PROVGRAPH" disk diff h "seq:$cut" now
contains out '/log/\x1b[31mred'
lacks out "$escape"
expect_status 1 "$PROVGRAPH" disk diff h "seq:$cut" now --json
contains out '/log/\u001b[31mred"'

# The span between them: what came and went within it is told, too.
expect_status 0 "$PROVGRAPH" disk files h "seq:$cut" now
contains out "came-and-went file                 -          180 /brief"
contains out "removed       file                90            - /log/auth"
lacks out "$escape"
expect_status 0 "$PROVGRAPH" disk files h "seq:$grown" "seq:$rewritten"
[ "$(grep -c content out)" -eq 1 ] && contains out "/log/auth" && lacks out "/log/clean"
expect_status 2 "$PROVGRAPH" disk files h "seq:$cut"
expect_status 2 "$PROVGRAPH" disk diff h seq:0 now
