#!/bin/sh
# SPDX-License-Identifier: MIT
# --why answers for what is drawn, what is folded, and what is neither.
. "$SRCDIR/tests/lib.sh"
requires jq
log=$SRCDIR/tests/cli/data/small.log
why() {
	expect_status "$1" "$PROVGRAPH" --log "$log" --alert-ip 10.0.0.5 --utc --quiet --why "$2"
}
expect_status 0 "$PROVGRAPH" --log "$log" --alert-ip 10.0.0.5 --utc --json --quiet
id=$(jq -r '[.nodes[] | select(.name == "stage2")][0].id' out)
for node in /tmp/.x/stage2 921 921@2025-11-20T04:00:00.050Z 10.0.0.5 "$id"; do
	why 0 "$node"
	[ -s out ] || fail "no answer for $node"
done
why 0 920
contains out python3
expect_status 2 "$PROVGRAPH" --log "$log" --alert-ip 10.0.0.5 --why 920 --format json
why 1 /no/such/file
contains err /no/such/file
why 1 n999
why 1 99999
no_files provgraph-*
