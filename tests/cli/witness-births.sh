#!/bin/sh
# SPDX-License-Identifier: MIT
# Is it the right disk? How many births must agree, and that they need not be of the case.
. "$SRCDIR/tests/lib.sh"
. "$SRCDIR/tests/cli/data/witness_log.sh"
requires jq python3
expect_status 0 "$PROVGRAPH" disk export "$SRCDIR/samples/guest-disk/web01.history" --format dm-log-writes -o writes
python3 "$SRCDIR/tests/cli/data/witness_disks.py" writes long.writes 600 0 || fail "witness_disks.py"
expect_status 0 "$PROVGRAPH" disk init long.history --size 512M --quiet
expect_status 0 "$PROVGRAPH" disk import long.history long.writes --quiet
witness_log >audit.log

# births LATE THERE: the log, with the making of the inodes LATE 100 s later; the inodes THERE were there before.
births() {
	awk -v late=" $1 " -v there=" $2 " '
	{ lines[NR] = $0; match($0, /:[0-9]+\)/); serial[NR] = substr($0, RSTART, RLENGTH) }
	/type=PATH/ && /nametype=CREATE/ {
		match($0, /inode=[0-9]+/)
		inode = " " substr($0, RSTART + 6, RLENGTH - 6) " "
		if (index(late, inode)) is_late[serial[NR]] = 1
		if (index(there, inode)) is_there[serial[NR]] = 1
	}
	END {
		for (n = 1; n <= NR; n++) {
			line = lines[n]
			match(line, /audit\([0-9]+/)
			if (serial[n] in is_late)
				line = substr(line, 1, RSTART + 5) (substr(line, RSTART + 6, RLENGTH - 6) + 100) substr(line, RSTART + RLENGTH)
			if (serial[n] in is_there) sub(/nametype=CREATE/, "nametype=NORMAL", line)
			print line
		}
	}' audit.log | sort -s -t'(' -k2,2
}
# ask STATUS LATE THERE
ask() {
	births "$2" "$3" >births.log
	expect_status "$1" "$PROVGRAPH" --alert-ip 10.0.0.5 --json --log births.log --disk fe:10=long.history
}
ask 0 '' ''
contains err '6 of 6 births of files agree'
ask 0 '12 13 24577' '' # half of them
contains err '3 of 6 births of files agree'
lacks err 'not the disk'
ask 2 '12 13 24577' '15' # fewer
contains err 'of 5 files that the log saw made there, it shows 2 made at that time'
ask 2 '12 13' '14 15' # three are enough for that
contains err 'of 3 files that the log saw made there, it shows 1 made at that time'
ask 0 '12 13' '14 15 24577' # two are not
contains err 'is not proven: the log saw 2 of its files made'
ask 0 '' '14 15 24577'
contains err 'is not proven: the log saw 2 of its files made'
ask 0 '' '14 15'
contains err '3 of 3 births of files agree'
lacks err 'not proven'

# A case that made no file on the disk believes none for that: what anybody made there tells. (Here: the shell and what it ran touch nothing
# there, another process made all.)
elsewhere() {
	witness_log fe:10 "$1" | awk '/pid=200 / && /syscall=83/ { sub(/ppid=150 pid=200/, "ppid=890 pid=900"); sub(/ses=3/, "ses=9") }
	/type=PATH/ && /nametype=DELETE|nametype=PARENT|auth.log|\.tool|loot/ { sub(/dev=fe:10/, "dev=fe:20") } { print }' >births.log
}
elsewhere 0
expect_status 0 "$PROVGRAPH" --alert-ip 10.0.0.5 --json --log births.log --disk fe:10=long.history
contains err '3 of 3 births of files agree'
contains err '; 0 files asked'
elsewhere 100
expect_status 2 "$PROVGRAPH" --alert-ip 10.0.0.5 --json --log births.log --disk fe:10=long.history
contains err 'of 3 files that the log saw made there, it shows 0 made at that time'
