#!/bin/sh
# SPDX-License-Identifier: MIT
# Which contact is meant, and which window comes from it.
. "$SRCDIR/tests/lib.sh"
requires jq
log=$SRCDIR/tests/cli/data/small.log
run() {
	expect_status 0 "$PROVGRAPH" --log "$log" --alert-ip 10.0.0.5 --utc --json --quiet "$@"
}
# has NAME / hasnt NAME: a process of that name, drawn or folded.
has() {
	jq -e --arg name "$1" 'any((.nodes[], .folded[].members[]); .name == $name)' out >jq.out || fail "no $1: $(jq -c '[.nodes[].name]' out)"
}
hasnt() {
	! jq -e --arg name "$1" 'any((.nodes[], .folded[].members[]); .name == $name)' out >jq.out || fail "$1 is there"
}

# The latest contact, 20 minutes around it: stage2 of 04:00, not curl of 01:01.
run
has stage2
hasnt curl
# The alert's time says which: the one before it.
run --alert-time '2025-11-20 01:02'
has curl
hasnt stage2
# The alert may come long after the contact; it is found beyond the window.
run --alert-time '2025-11-20 03:30'
has curl
hasnt stage2
# Everything: both.
run --window all
has stage2
has curl
run --window 4h
has curl
# From and to.
run --from '2025-11-20 03:59' --to '2025-11-20 04:30'
has stage2
hasnt curl
run --to '2025-11-20 02:00'
has curl
hasnt stage2
expect_status 1 "$PROVGRAPH" --log "$log" --alert-ip 10.0.0.5 --utc --from '2025-11-20 01:30' --to '2025-11-20 02:00'
contains err 'the address occurs'
# The port counts.
run --alert-port 443
has stage2
# An earlier contact is a note with the command that shows it, and that command does.
expect_status 0 "$PROVGRAPH" --log "$log" --alert-ip 10.0.0.5 --utc --format text --quiet
contains out '1 earlier contact'
# Who logged in, three hours before the window.
contains out '198.51.100.7'
command=$(grep -o 'provgraph --log .*--alert-time @[0-9.]*' out | head -n 1 | sed 's/^provgraph //')
[ -n "$command" ] || { tr '\n' ' ' <out | grep -o 'provgraph --log .*' | head -c 400; }
expect_status 0 "$PROVGRAPH" --log "$log" --alert-ip 10.0.0.5 --utc --json --quiet --alert-time @1763600460.012
has curl
