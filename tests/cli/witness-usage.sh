#!/bin/sh
# SPDX-License-Identifier: MIT
# --disk beside an alert: what is refused, and what is said instead of an answer.
. "$SRCDIR/tests/lib.sh"
. "$SRCDIR/tests/cli/data/witness_log.sh"
requires jq
history=$SRCDIR/samples/guest-disk/web01.history
witness_log >audit.log
witness_log fe:10 0 web >web.log

# told TEXT ARGUMENTS...: refused, nothing is written
told() {
	text=$1
	shift
	expect_status 2 "$PROVGRAPH" --alert-ip 10.0.0.5 --json "$@"
	[ ! -s out ] || fail "$*: something on standard output"
	contains err "$text"
	grep -qv '^provgraph: ' err && fail "$*: a line without the program's name"
	return 0
}
# What can be judged without reading evidence.
told 'which device of the log is it' --log audit.log --disk "$history"
told 'which device of the log is it' --log audit.log --disk "fe=$history"
told 'which device of the log is it' --log audit.log --disk "fe:1g=$history"
told 'which device of the log is it' --log audit.log --disk "/fe:10=$history"
told 'which device of the log is it' --log audit.log --disk "1000:0=$history"
told 'name is empty' --log audit.log --disk fe:10=
told '--disk-log: on which disk' --log audit.log --disk-log /log/audit.log
told '--evidence: out of which disk' --log audit.log --evidence folder
told "$(printf 'which device')" --log audit.log --disk "$(printf '\033[31m')"
contains err '\x1b[31m'

# What the history says.
told 'nowhere: cannot open' --log audit.log --disk fe:10=nowhere
mkdir empty
told 'empty' --log audit.log --disk fe:10=empty
told 'no partition 3' --log audit.log --disk "fe:10=$history:3"
contains err "$history:3"
cp -r "$history" copy.history
told 'device fe:10 is given twice' --log audit.log --disk "fe:10=$history" --disk fe:10=copy.history
told 'are the same recorded disk' --log audit.log --disk "fe:10=$history" --disk fe:00=copy.history

# What the log says: its devices, with how many files each.
told 'no file of this device' --log audit.log --disk "fe:11=$history"
contains err '  fe:00  3 files'
contains err '  fe:10  7 files'
told 'no file of this device' --log audit.log --disk "web/fe:10=$history"
told 'no file of this device' --log web.log --disk "db/fe:10=$history"
contains err '  web/fe:10  7 files'
for disk in "fe:10=$history" "web/fe:10=$history" "web/FE:10=$history/"; do
	expect_status 0 "$PROVGRAPH" --alert-ip 10.0.0.5 --json --log web.log --disk "$disk"
	right_disk
done

# Too few births to tell: said, on the page as well.
expect_status 0 "$PROVGRAPH" --alert-ip 10.0.0.5 --json --log audit.log --disk "fe:00=$history"
contains err 'is not proven'
jq -e '[.completeness.missing[].words | select(contains("is not proven"))] | length == 1' out >/dev/null || fail "not in the case"

# A record of another day: no error, but no witness.
witness_log fe:10 -400000 >early.log
expect_status 0 "$PROVGRAPH" --alert-ip 10.0.0.5 --json --log early.log --disk "fe:10=$history"
contains err 'does not cover the window: recorded from 2026-11-21'
jq -e '[.completeness.missing[].words | select(contains("nothing of the window was recorded"))] | length == 1' out >/dev/null || fail "not in the case"
expect_status 0 "$PROVGRAPH" disk init fresh.history --size 16M --quiet
expect_status 0 "$PROVGRAPH" --alert-ip 10.0.0.5 --json --log audit.log --disk fe:10=fresh.history
contains err 'nothing has been recorded yet'
