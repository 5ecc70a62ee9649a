#!/bin/sh
# SPDX-License-Identifier: MIT
# What the recorded guests' disks show of their cleaned logs, in words that a person reads first: the moment lies in the printed interval,
# the one who did it is named, and what no disk was named for is said once.
. "$SRCDIR/tests/lib.sh"
requires python3 jq zstd

ask() { expect_status "$1" provgraph --log "$SRCDIR/samples/$2" --alert-ip 10.0.0.5 --disk "fe:10=$SRCDIR/samples/$2/web01.history" --utc "$3"; }
mkdir bin
ln -s "$PROVGRAPH" bin/provgraph
PATH=$PWD/bin:$PATH

cat >interval.py <<'EOF'
"""interval.py TRUTH CASE STEP WORDS: the only note with WORDS has an interval that meets the true one of STEP."""
import datetime
import json
import re
import sys

truth, case = (json.load(open(name, encoding="utf-8")) for name in sys.argv[1:3])
step = next(change for change in truth["disk"]["tampered"] if change["step"] == sys.argv[3])
notes = [note["words"] for note in case["notes"] if note["kind"] == "cleaned" and sys.argv[4] in note["words"]]
assert len(notes) == 1, notes
told = re.search(r"between (\S+) \(.*?\) and (\S+) \+-(\d+) ms \(on the disk, seq:\d+\)", notes[0])
assert told, notes


def moment(clock):
    day = datetime.datetime.fromtimestamp(step["guest_from_ns"] // 10**9, datetime.timezone.utc)
    hours, minutes, seconds = clock.split(":")
    return int(day.replace(hour=0, minute=0, second=0).timestamp()) * 10**9 + (int(hours) * 3600 + int(minutes) * 60) * 10**9 + round(float(seconds) * 1e9)


begin, end = moment(told[1]), moment(told[2]) + int(told[3]) * 10**6
assert begin < step["guest_to_ns"] and end > step["guest_from_ns"], (notes, step)
assert end - begin < 2 * 10**9, notes  # and says something
EOF
interval() { python3 interval.py "$SRCDIR/samples/$1/truth.json" out "$2" "$3" || fail "$1: $3"; }

# A line in auth.log, in place: what changed, who had it open, when.
ask 0 guest-tamper --json
interval guest-tamper tamper '/var/log/auth.log was changed elsewhere than at its end (byte 5,677 of 6,353), by invoice.bin [155]'
jq -e '[.nodes[] | select(.path == "/var/log/auth.log") | .disk_states[] | select(.loss)] | length == 1 and
	(.[0].verdict | startswith("changed in place, byte 5,677, written here by invoice.bin [155]"))' out >/dev/null || fail "auth.log's state"
jq -e '[.nodes[].disk_states[]? | select(.loss | not) | .verdict | select(test("in place|emptied|cut"))] == []' out >/dev/null || fail "other states"
jq -e '[.story[].words | select(contains("opened /var/log/auth.log for writing; the disk shows it changed in place, by this or 1 other that had it open"))] | length == 1' \
	out >/dev/null || fail "the story: $(jq -c '[.story[].words]' out)"
jq -e '.disks_missing | startswith("1 of ") and contains("fe:00 (/")' out >/dev/null || fail "$(jq .disks_missing out)"

# Deleted and written anew, under the old inode number, with a clock that is more than an hour off.
ask 0 guest-clock --json
interval guest-clock anew '/var/log/auth.log was deleted and written anew: 6,353 bytes before, 6,261 after, by invoice.bin [159]'

jq -r '.recover[] | select(.words == "before invoice.bin [159] deleted it") | .preview' out >preview
contains preview '@ the second is the file that was made anew under the name'
contains preview '@ 1 line gone, none new'
[ "$(grep -c '^[-+]' preview)" -eq 1 ] && grep -q '^- .* from 10\.0\.0\.5 port 40002 ssh2$' preview || fail "$(cat preview)"

# The audit log itself: one line an event, not its raw records; they are in json.
for sample in guest-audit guest-audit-sed; do
	ask 0 $sample --format=text
	sed -n '/^Records that were removed/,/^Next/p' out >records
	[ "$(grep -c ' event [0-9]*: ' records)" -eq 10 ] || fail "$sample: $(cat records)"
	contains records ' SYSCALL, SOCKADDR, PROCTITLE removed; invoice.bin ['
	contains records 'the lines of all: add --format json'
	lacks records 'msg=audit('
done
ask 0 guest-audit --json
jq -e '[.notes[] | select(.kind == "cleaned") | .words | select(startswith("/var/log/audit/audit.log was emptied: 61,838 bytes before, 0 after, by invoice.bin [150]") or
	startswith("/var/log/audit/audit.log was emptied: 61,838 bytes before, 0 after, by invoice.bin [155]"))] | length == 1' out >/dev/null || fail "audit.log emptied"
jq -e '.log_findings | length > 100 and all(.[]; .was | contains("type="))' out >/dev/null || fail "records in json"
# What the loader opened is folded, and named.
jq -e '[.folded[].members[].name | select(test("/lib[a-z0-9-]*\\.so"))] | length >= 5' out >/dev/null || fail "libraries"

# In the page: no box repeats it.
expect_status 0 provgraph --log "$SRCDIR/samples/guest-tamper" --alert-ip 10.0.0.5 --disk "fe:10=$SRCDIR/samples/guest-tamper/web01.history" --utc -o case.svg
contains case.svg '>6.2 KiB changed in place</text>'
contains case.svg 'of the drawn files is recorded; not covered: '
lacks case.svg '>disk not covered</text>'
contains case.svg 'on no recorded disk that was named'
lacks case.svg '>HISTORY stands for'

# A log that lost something stands on the first screen, once: where the records are told, its file is not told again.
ask 0 guest-tamper --json
jq -e '.findings | length == 1 and (.[0] | test("^/var/log/auth.log was changed elsewhere than at its end .* by invoice.bin"))' out >jq.out || fail "findings: $(jq -c .findings out)"
jq -e '[.notes[] | select(.loss)] | length == 1' out >jq.out || fail "notes that tell a loss"
ask 0 guest-audit --json
jq -e '.findings | length == 1 and (.[0] | test("records of /log/audit/audit.log"))' out >jq.out || fail "findings: $(jq -c .findings out)"
