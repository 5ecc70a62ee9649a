#!/bin/sh
# SPDX-License-Identifier: MIT
# Evidence that is missing inside the window: status 3, and every output says so. What nobody audits is no loss.
. "$SRCDIR/tests/lib.sh"
requires jq
log=$SRCDIR/tests/cli/data/small.log
run() {
	wanted=$1
	shift
	expect_status "$wanted" "$PROVGRAPH" --alert-ip 10.0.0.5 --utc --quiet "$@"
}
run 0 --log "$log" --json
jq -e '.completeness.loss == false' out >jq.out || fail "a loss where none is"

# An event that lacks a record.
grep -v 'type=PATH.*item=1 name="/tmp/.x/stage2" inode=41 .*CREATE' "$log" >partial.log
run 3 --log partial.log --json
jq -e '.completeness.loss == true' out >jq.out || fail "json hides the loss"
for format in text svg; do
	run 3 --log partial.log --format $format
	contains out 'lack'
done
# A line that is no record, inside the window.
sed '60i this is no audit record' "$log" >rejected.log
run 3 --log rejected.log --format text
contains out 'no audit record'
run 2 --log rejected.log --format text --strict
contains err 'rejected.log'
# Serials that never came, inside the window and before it.
grep -v 'type=[A-Z]* msg=audit(1763611200.0[67]' "$log" >gap.log
run 3 --log gap.log --format text
contains out 'missing (serials'
grep -v 'msg=audit(1763600460.012' "$log" >before.log
run 0 --log before.log --format text
