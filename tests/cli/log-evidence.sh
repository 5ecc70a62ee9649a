# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# The log as evidence: an audit log on a recorded disk whose records somebody deleted (rm and anew, a copy without them put in its place),
# rewrote in place, or forged. Real records, in steps, on a disk without a journal: no root, no kernel.
# shellcheck source=tests/lib.sh
. "$SRCDIR/tests/lib.sh"
requires mke2fs debugfs qemu-img zstd python3 jq
# shellcheck source=tests/serve.sh
. "$SRCDIR/tests/serve.sh"

# 40 s of it, around the incident.
zstd -qdc "$SRCDIR/samples/mail-attachment/audit.log.zst" | awk '
	match($0, /msg=audit\([0-9]+/) { t = substr($0, RSTART + 10, RLENGTH - 10) + 0; if (t >= 1795266383 && t < 1795266423) print }' >whole.log
lines=$(wc -l <whole.log)
[ "$lines" -gt 1000 ] || fail "only $lines records around the incident"
size=$(wc -c <whole.log)
third=$(head -n $((lines / 3)) whole.log | wc -c)
torn=$((third + (size - third) / 2)) # within a line, as a rule

mkdir -p tree/log/audit
cp whole.log tree/log/audit/audit.log
mke2fs -q -t ext4 -O ^has_journal -b 4096 -d tree image 64M || fail "mke2fs"
log=/log/audit/audit.log

edit() { printf '%s\n' "$@" | debugfs -w -f - image >debugfs.out 2>&1 || fail "$(cat debugfs.out)"; }
now() { "$PROVGRAPH" disk info --json "$history" | sed -n 's/.*"last_seq": \([0-9]*\).*/\1/p'; }
store() {
	qemu-img convert -n -f raw -O raw image "$(uri "$history.socket")" >convert.out 2>&1 || fail "$(cat convert.out)"
	qemu-io -f raw -c flush "$(uri "$history.socket")" >io.out 2>&1 || fail "$(cat io.out)"
	seq=$(now)
}
# begin HISTORY: a disk on which the log grows to its whole length in three steps.
begin() {
	history=$1
	cp image kept
	"$PROVGRAPH" disk init "$history" --size 64M >init.out 2>&1 || fail "$(cat init.out)"
	start_disk serve "$history" "$history.socket"
	for length in "$third" "$torn" "$size"; do
		edit "set_inode_field $log size $length" "set_inode_field $log mtime 2026112110$((10 + length % 40))00"
		store
	done
}
end() {
	stop_disk "$served"
	mv kept image
}
# put FILE: over the log's bytes, in its own blocks, as its own size.
put() {
	debugfs -R "blocks $log" image 2>/dev/null >blocks
	python3 - "$1" <<'PY' || fail "put $1"
import sys
bytes = open(sys.argv[1], "rb").read()
blocks = [int(b) for b in open("blocks").read().split()]
assert len(blocks) * 4096 >= len(bytes)
with open("image", "r+b") as image:
    for i, block in enumerate(blocks):
        image.seek(block * 4096)
        image.write(bytes[i * 4096:(i + 1) * 4096].ljust(4096, b"\0"))
PY
	edit "set_inode_field $log size $(wc -c <"$1")" "set_inode_field $log mtime 20261121120000"
}
# What the case says without what may differ: names of nodes, and links by them.
names() {
	python3 - "$1" <<'PY'
import json, sys
case = json.load(open(sys.argv[1]))
name = {n["id"]: (n["kind"], n["name"], n.get("pid")) for n in case["nodes"]}
for n in sorted(map(str, name.values())):
	print(n)
for e in sorted(str((name[e["from"]], name[e["to"]], e["op"], e["count"])) for e in case["edges"]):
	print(e)
PY
}
# case NAME OPTION...: writes NAME.json; sets status.
case_of() {
	of=$1
	shift
	status=0
	"$PROVGRAPH" --alert-ip 10.0.0.5 --utc --quiet --format json --force -o "$of.json" "$@" >"$of.out" 2>"$of.err" || status=$?
}
case_of whole --log whole.log
[ "$status" -eq 0 ] || [ "$status" -eq 3 ] || fail "$(cat whole.err)"
whole_status=$status
names whole.json >whole.names
[ "$(wc -l <whole.names)" -gt 20 ] || fail "the case of the whole log: $(cat whole.names)"

# --- rm, and a new log with what came after
begin gone
tail -n 40 whole.log >after.log
edit "rm $log" "write after.log $log"
store
end
expect_status 1 "$PROVGRAPH" disk lost gone "$log" --json --utc
[ "$(wc -l <out)" -eq $((lines - 40)) ] || fail "$(wc -l <out) lines are lost of $((lines - 40))"
python3 - out whole.log <<'PY' || fail "the lost lines are not those of the log"
import json, sys
lost = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8", errors="surrogateescape")]
assert [l["line"] for l in lost] == open(sys.argv[2]).read().split("\n")[:len(lost)]
assert all(l["whole"] and l["gone"] > l["arrival"] for l in lost)
assert len({l["arrival_seq"] for l in lost}) >= 3
PY
case_of after --log after.log
[ "$status" -eq 1 ] || fail "the new log alone knows the contact: status $status"
case_of back --log after.log --disk fe:33=gone
[ "$status" -eq "$whole_status" ] || fail "status $status: $(cat back.err)"
names back.json >back.names
same back.names whole.names
contains back.json '"recovered":true'
lacks whole.json '"recovered":true'
# A disk of nothing but logs is taken, as no record need name its device. Mistyped, it would be taken, too: the log's devices are told.
contains back.err 'gone: fe:33 is no device of the log in the window; this disk is taken for the audit log that it holds, and for no file'
jq -r '.nodes[].dev // empty' back.json | sort -u >devices
[ -s devices ] || fail "no device in the case"
while read -r device; do
	grep -Eq "^provgraph:   $device  [0-9,]+ files?\$" back.err || fail "$device is not listed: $(cat back.err)"
done <devices
lacks back.err 'not proven'
# No log at hand at all.
case_of alone --disk fe:33=gone
[ "$status" -eq "$whole_status" ] || fail "status $status: $(cat alone.err)"
names alone.json >alone.names
same alone.names whole.names
# The log by its name; one that is not there; and a log that has nothing to do with the disk's.
case_of named --disk fe:33=gone --disk-log "$log"
names named.json >named.names
same named.names whole.names
case_of none --log after.log --disk fe:33=gone --disk-log /log/never
[ "$status" -eq 2 ] || fail "status $status for a log that was never there"
contains none.err "/log/never: no recorded disk ever held such a file"
sed 's/audit(17952/audit(17951/' whole.log >other.log
"$PROVGRAPH" --alert-ip 10.0.0.5 --log other.log --disk fe:00=gone --format json -o other.json >other.out 2>other.err || true
contains other.err "has no record in common with the log"
lacks other.json '"recovered":true'

# --- a copy without the attacker's records takes the log's place
begin sed
grep -v -e '/tmp/.x' -e stage2 -e ' pid=30996 ' -e ' ppid=30996 ' whole.log >clean.log
edit "write clean.log /log/audit/sedQ8xYz1" "rm $log" "ln /log/audit/sedQ8xYz1 $log" "unlink /log/audit/sedQ8xYz1"
store
end
expect_status 1 "$PROVGRAPH" disk lost sed "$log" --json
[ "$(wc -l <out)" -eq $(($(sort -u whole.log | wc -l) - $(sort -u clean.log | wc -l))) ] || fail "$(wc -l <out) lines are lost"
contains out '"change":["replaced"]'
case_of clean --log clean.log
case_of sed --log clean.log --disk fe:33=sed
[ "$status" -eq "$whole_status" ] || fail "status $status: $(cat sed.err)"
names sed.json >sed.names
same sed.names whole.names
same_or_less() { [ "$(names "$1" | wc -l)" -lt "$(wc -l <whole.names)" ] || fail "$1 is as large as the whole"; }
[ ! -e clean.json ] || same_or_less clean.json
contains sed.json 'removed'
# The terminal is told in one line.
"$PROVGRAPH" --alert-ip 10.0.0.5 --log clean.log --disk fe:33=sed --utc --format text -o - >sed.text 2>sed.err || true
contains sed.err "records were removed; the disk gives back what it once held"
contains sed.text "removed"

# --- in place: the address of the contact is another one, in as many bytes
begin forged
python3 - whole.log forged.log <<'PY'
import sys
log = open(sys.argv[1], "rb").read()
forged = log.replace(b"saddr=020001BB0A000005", b"saddr=020001BB0A000009")
assert forged != log and len(forged) == len(log)
open(sys.argv[2], "wb").write(forged)
PY
put forged.log
store
end
case_of forged --log forged.log
[ "$status" -eq 1 ] || fail "the forged log knows the contact: status $status"
case_of true --log forged.log --disk fe:33=forged
[ "$status" -eq "$whole_status" ] || fail "status $status: $(cat true.err)"
names true.json >true.names
same true.names whole.names
contains true.json 'saddr=020001BB0A000009'
case_of truealone --disk fe:33=forged
names truealone.json >truealone.names
same truealone.names whole.names

# --- in place: the attacker's records are cut out, what follows moves up; and one that never was is put between others
begin shifted
put clean.log
store
end
case_of shifted --log clean.log --disk fe:33=shifted
names shifted.json >shifted.names
same shifted.names whole.names
begin planted
python3 - whole.log planted.log <<'PY'
import sys
lines = open(sys.argv[1]).read().splitlines(keepends=True)
place = len(lines) // 3
lines.insert(place, "type=USER_LOGIN msg=audit(1795266000.000:4000000001): pid=1 uid=0 auid=1001 ses=3 msg='op=login acct=\"mallory\" res=success'\n")
del lines[-3:]
open(sys.argv[2], "w").write("".join(lines))
PY
put planted.log
store
end
"$PROVGRAPH" --alert-ip 10.0.0.5 --log planted.log --disk fe:00=planted --utc --format json -o planted.json >planted.out 2>planted.err || true
contains planted.err "3 records were removed, 1 put in later"
contains planted.json 'mallory'

# --- rotation: the log goes on under another name, and its lines with it; then the oldest file goes
begin rotated
edit "ln $log $log.1" "unlink $log" "set_inode_field $log.1 links_count 1" "write after.log $log"
store
kept_seq=$seq
edit "rm $log.1"
store
end
expect_status 0 "$PROVGRAPH" disk lost rotated "$log" --to "seq:$kept_seq"
expect_status 1 "$PROVGRAPH" disk lost rotated "$log" --json --from "seq:$kept_seq"
[ "$(wc -l <out)" -eq $((lines - 40)) ] || fail "$(wc -l <out) lines went with the rotated file"
[ "$(grep -c '"change":\["deleted","renamed"\]' out)" -eq "$(wc -l <out)" ] || fail "how they went: $(head -n 1 out)"
# A log that is moved aside and removed at once was removed.
expect_status 1 "$PROVGRAPH" disk lost rotated "$log" --json
[ "$(grep -c '"change":\["replaced"\]' out)" -eq $((lines - 40)) ] || fail "how they went: $(head -n 1 out)"
case_of rotated --log after.log --disk fe:33=rotated
names rotated.json >rotated.names
same rotated.names whole.names

# --- a log that ends within a line when it goes; and what is no log: lines of a mebibyte, NUL bytes, no newline at all
begin torn
python3 - junk <<'PY'
import sys
open(sys.argv[1], "wb").write(b"x" * 1000000 + b"\n" + b"\0" * 5000 + b"\n" + b"\xff\x1b[31m\n" * 1000 + b"a\0b\n\n\n" + b"y" * 3000000)
PY
head -c 100000 whole.log >half.log
edit "write junk /log/junk"
store
edit "rm $log" "write half.log $log"
store
edit "rm $log" "rm /log/junk"
store
end
expect_status 1 "$PROVGRAPH" disk lost torn "$log" --json
[ "$(grep -c '"whole":false' out)" -eq 1 ] || fail "$(grep -c '"whole":false' out) lines ended in the middle"
expect_status 1 "$PROVGRAPH" disk lost torn /log/junk --json
[ "$(wc -l <out)" -eq 3 ] || fail "$(wc -l <out) lines of junk"
[ "$(awk '{ if (length($0) > most) most = length($0) } END { print most }' out)" -lt 70000 ] || fail "a line is not cut"
expect_status 1 "$PROVGRAPH" disk lost torn /log/junk
lacks out "$(printf '\033')"

# --- nothing happened: no word about it
begin clean
end
"$PROVGRAPH" --alert-ip 10.0.0.5 --log whole.log --disk fe:00=clean --utc --format json -o calm.json >calm.out 2>calm.err || true
lacks calm.err "removed"
lacks calm.json '"recovered":true'
expect_status 0 "$PROVGRAPH" disk lost clean "$log"
[ ! -s out ] || fail "$(cat out)"
# A copy that was taken before the log had grown: what is newer was not removed.
head -n $((lines / 2)) whole.log >early.log
"$PROVGRAPH" --alert-ip 10.0.0.5 --log early.log --disk fe:00=clean --utc --format json -o early.json >early.out 2>early.err || true
lacks early.err "removed"
# An extract lacks what the disk still has: that is taken from there, and nobody is accused.
grep -v SOCKADDR whole.log >extract.log
case_of extract --log extract.log --disk fe:33=clean
names extract.json >extract.names
same extract.names whole.names
"$PROVGRAPH" --alert-ip 10.0.0.5 --log extract.log --disk fe:33=clean --format json -o extract2.json >extract.out 2>extract.err || true
contains extract.err "that it still holds are not in the log at hand"
lacks extract.err "removed"
contains extract2.json '"log_findings":[]'

# --- a volume that anybody may write to holds a file with a log's name, made for the records of the log at hand: it shares none with it, and
# stands for none
cp image kept
mkdir other
grep 'type=SYSCALL' whole.log | head -n 3 | sed 's/pid=[0-9]*/pid=4242/' >other/audit.log
grep 'saddr=020001BB0A000005' whole.log | sed 's/0A000005/0A000063/' >>other/audit.log
rm image
mke2fs -q -t ext4 -O ^has_journal -b 4096 -d other image 64M || fail "mke2fs"
"$PROVGRAPH" disk init stranger --size 64M >init.out 2>&1 || fail "$(cat init.out)"
start_disk serve stranger stranger.socket
history=stranger
store
edit "rm /audit.log"
store
end
for disks in '--disk fe:00=stranger' '--disk fe:33=clean --disk fe:00=stranger' '--disk fe:00=stranger --disk fe:33=clean'; do
	# shellcheck disable=SC2086 # several words
	"$PROVGRAPH" --alert-ip 10.0.0.5 --log whole.log $disks --utc --format json --force -o stranger.json >stranger.out 2>stranger.err || true
	contains stranger.err "/audit.log of stranger: has no record in common with the log"
	lacks stranger.err "removed"
	lacks stranger.json '"recovered":true'
done
