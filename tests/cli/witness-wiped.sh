#!/bin/sh
# SPDX-License-Identifier: MIT
# The attacker's last act is to wipe the disk. The record holds what was there before, and the case says where it ends.
. "$SRCDIR/tests/lib.sh"
. "$SRCDIR/tests/serve.sh"
requires jq
sample=$SRCDIR/samples/guest-audit
ask() {
	expect_status 0 "$PROVGRAPH" --alert-ip 10.0.0.5 --log "$sample" --disk fe:10="$1" --utc --json
}
ask "$sample/web01.history"
jq '[.nodes[] | select(.kind == "file" and .disk != null) | {path, disk_states}], .log_findings' out >whole
lacks err 'cannot be read'

mkdir wiped
cp -r "$sample/web01.history" wiped/
chmod -R u+w wiped
last=$("$PROVGRAPH" disk info wiped/web01.history --json | jq -r .last_seq)
start_disk serve wiped/web01.history s
size=$("$PROVGRAPH" disk info wiped/web01.history --json | jq -r .disk_bytes)
io s "write -P 0 0 $size" flush
stop_disk "$served"
ask wiped/web01.history
contains err 'its file system cannot be read, as after a wipe: it is asked up to seq:'
end=$(sed -n 's/.*it is asked up to seq:\([0-9]*\)$/\1/p' err)
{ [ "$end" -ge "$last" ] && [ "$end" -le $((last + 2)) ]; } || fail "asked up to seq:$end, recorded before the wipe: seq:$last"
jq '[.nodes[] | select(.kind == "file" and .disk != null) | {path, disk_states}], .log_findings' out >after
same whole after
jq -e 'any(.completeness.missing[]; .words | test("as after a wipe"))' out >jq.out || fail "the case does not say it"

# One that can be read at no moment is still refused.
"$PROVGRAPH" disk init empty.history --size 16M 2>init.err || fail "disk init"
start_disk serve empty.history e
io e 'write -P 1 0 1M' flush
stop_disk "$served"
expect_status 2 "$PROVGRAPH" --alert-ip 10.0.0.5 --log "$sample" --disk fe:10=empty.history --utc --json
contains err 'no partition holds a file system'
