#!/bin/sh
# SPDX-License-Identifier: MIT
# With execve and connect alone there is still a tree, and the output says what is blind and which rule would help.
. "$SRCDIR/tests/lib.sh"
requires jq awk
# Events of execve (59) and connect (42) only, with serials of their own: without rules the kernel gives none away.
awk 'match($0, /:[0-9]+\)/) { serial = substr($0, RSTART + 1, RLENGTH - 2) }
	/type=SYSCALL/ && / syscall=(59|42) / { keep[serial] = ++kept }
	keep[serial] { sub(/:[0-9]+\)/, ":" 500 + keep[serial] ")"); print }' "$SRCDIR/tests/cli/data/small.log" >few.log
[ "$(wc -l <few.log)" -gt 20 ] || fail "the cut log is too short"
expect_status 0 "$PROVGRAPH" --log few.log --alert-ip 10.0.0.5 --utc --json --quiet
for name in bash python3.11 stage2; do
	jq -e --arg name $name 'any(.nodes[]; .kind == "process" and .name == $name)' out >jq.out || fail "no $name: $(jq -c '[.nodes[].name]' out)"
done
expect_status 0 "$PROVGRAPH" --log few.log --alert-ip 10.0.0.5 --utc --quiet --format text
contains out 'not audited'
contains out '-a always,exit'
