#!/bin/sh
# SPDX-License-Identifier: MIT
# Records what needs other rules or another state of audit than samples/provgraph.rules: trap-NAME.log, and trap-NAME.about, which says
# what the recording shows and how much of it (counted by awk, not by provgraph).
#
#     tests/syscalls/record-traps.sh FOLDER          as root, like record.sh
#     tests/syscalls/record-traps.sh FOLDER TRAP...  these only: names of the functions below
# shellcheck disable=SC2317,SC2119 # the traps are called by their names
set -u
SRC=$(cd "$(dirname "$0")" && pwd) || exit 2
OUT=${1:?usage: record-traps.sh FOLDER [TRAP...]}
shift
# shellcheck source=tests/syscalls/audit.sh disable=SC2154
. "$SRC/audit.sh"
audit_take "$OUT"
audit_build # all of them

# rules LINE...: into a file that audit_load takes
rules() {
	printf '%s\n' "$@" >"$was/rules.now"
	audit_load "$was/rules.now"
}

# about NAME TEXT...: counts what the log holds, beside the words
about() {
	name=$1
	shift
	{
		printf '# %s\n' "$@"
		if [ -e "$OUT/$name.log.zst" ]; then zstd -qdc "$OUT/$name.log.zst"; else cat "$OUT/$name.log"; fi | awk '
			{ match($0, /audit\([0-9.]+:[0-9]+\)/); event = substr($0, RSTART, RLENGTH) }
			RSTART == 0 { other++; next }
			{
				type = $1; if (type ~ /^node=/) type = $2
				if (type ~ /=DAEMON_/) { daemon++; next }
				records++
				if (type ~ /=PATH$/) have[event]++
				if (type ~ /=(SYSCALL|URINGOP)$/ && match($0, / items=[0-9]+/)) want[event] = substr($0, RSTART + 7, RLENGTH - 7)
				if (!(event in last)) { events++ } else if (last[event] != NR - 1) {
					if (!(event in apart)) interleaved++
					apart[event] = 1
					if (NR - last[event] > widest) widest = NR - last[event]
				}
				last[event] = NR
			}
			END {
				for (event in want) if (have[event] + 0 < want[event] + 0) partial = 1
				for (event in have) if (!(event in want)) partial = 1
				printf "records %d\nevents %d\ninterleaved %d\nwidest %d\ndaemon %d\nother %d\npartial %s\n",
					records, events, interleaved, widest, daemon, other, partial ? "yes" : "no"
			}'
	} >"$OUT/$name.about"
}

# Interleaving: a backlog of a few records; processes sleep in the middle of their event until there is room.
interleaved() {
	audit_start RAW
	rules "-b 6" "--backlog_wait_time 60000" "-f 1" "-a always,exit -F arch=b64 -S rename -k rename" \
		"-a always,exit -F arch=b64 -S openat,open -F success=1 -k open" "-a always,exit -F arch=b64 -S clone,fork -k fork"
	audit_run ../bin/trap-load 40 || audit_quit 1 "load failed: $(cat "$was/err")"
	audit_mark interleaved
	audit_cut "$OUT/trap-interleaved.log"
	{
		echo "# Records of events that ran at the same time interleave; each is one event all the same."
		cat "$was/truth"
	} >"$OUT/trap-interleaved.truth"
	about trap-interleaved "Three processes rename at once under a backlog of 6 records: processes sleep in audit_log_start, and the" \
		"records of their events come far apart. Each serial is one event."
	audit_stop
	rm -f "$LOG"
}

# Loss: the same without waiting. reset-lost then writes how many were lost into the log.
lost() {
	audit_start RAW
	rules "-b 6" "--backlog_wait_time 0" "-f 1" "-a always,exit -F arch=b64 -S rename -k rename"
	auditctl --reset-lost >/dev/null
	AFTER=$(wc -c <"$LOG")
	audit_run ../bin/trap-load 400 || audit_quit 1 "load failed: $(cat "$was/err")"
	sleep 0.3
	counted=$(audit_status lost)
	auditctl -b 64 >/dev/null
	auditctl --reset-lost >/dev/null
	audit_mark lost
	audit_cut "$OUT/trap-lost.log"
	about trap-lost "A backlog of 6 and no waiting: the kernel dropped records. Serials do not show most of it; lost=0 old=N does." \
		"The kernel counted $counted lost records."
	echo "lost $counted" >>"$OUT/trap-lost.about"
	audit_stop
	rm -f "$LOG"
}

# Several keys in one rule come as hexadecimal with 0x01 between them; mmap has a record of its own; so have failed look-ups.
keys() {
	audit_start RAW
	rules "-f 1" "-a always,exit -F arch=b64 -S execve,open,openat,mmap -k one -k two" "-a always,exit -F arch=b64 -S exit_group"
	audit_run /usr/bin/cat /etc/hostname /nonexistent/file
	audit_mark keys
	audit_cut "$OUT/trap-keys.log"
	about trap-keys "key= holds two keys as hexadecimal with 0x01 between; MMAP records; a failed open has a PATH without inode;" \
		"exit_group has neither success= nor exit=, and its key is (null)."
	audit_stop
	rm -f "$LOG"
}

# Changes of rules by a process that is itself recorded: CONFIG_CHANGE comes before the SYSCALL of the same serial.
config() {
	audit_start RAW
	rules "-f 1" "-a always,exit -F arch=b64 -S execve,sendto -k own"
	audit_run /usr/sbin/auditctl -a always,exit -F arch=b64 -S kill -k later
	audit_run /usr/sbin/auditctl -d always,exit -F arch=b64 -S kill -k later
	audit_run /usr/sbin/auditctl -w /etc/hosts -p wa -k "hosts"
	audit_run /usr/sbin/auditctl -b 8192
	audit_run /usr/sbin/auditctl -e 0
	auditctl -e 1 >/dev/null
	audit_run /usr/sbin/auditctl -D
	rules "-f 1"
	audit_mark config
	grep -v -e provgraph-mark -e provgraph-begins "$LOG" >"$OUT/trap-config.log"
	about trap-config "Rules are added, removed and cleared, auditing is switched off and on: CONFIG_CHANGE stands before the SYSCALL of the" \
		"same serial. While it was off nothing was recorded: coverage, not loss."
	audit_stop
	rm -f "$LOG"
}

# The daemon's own records have another counter, and its absence is a gap in time.
daemon_life() {
	audit_start RAW
	rules "-f 1" "-a always,exit -F arch=b64 -S execve -k exec"
	audit_run /usr/bin/true
	audit_mark first
	kill "$daemon" && wait "$daemon"
	audit_run /usr/bin/true # nobody takes it
	audit_start RAW
	rules "-f 1" "-a always,exit -F arch=b64 -S execve -k exec"
	audit_run /usr/bin/true
	audit_mark second
	audit_stop
	grep -v -e provgraph-mark -e provgraph-begins "$LOG" >"$OUT/trap-daemon.log"
	about trap-daemon "auditd ends and starts again: DAEMON_* records count in another series of serials; one execve in between is not in" \
		"the log (and some of the serials are those of removed marks of the recorder)."
	rm -f "$LOG"
}

node() {
	audit_start RAW web-01
	rules "-f 1" "-a always,exit -F arch=b64 -S execve,rename,openat -F success=1 -k node"
	audit_run ../bin/rename-chain || audit_quit 1 "rename-chain failed: $(cat "$was/err")"
	audit_mark node
	audit_cut "$OUT/trap-node.log"
	about trap-node "name_format = USER: every line starts with node=web-01."
	audit_stop
	rm -f "$LOG"
}

# io_uring under a rule of its own list, which auditctl 3.0.9 cannot load.
uring() {
	audit_start RAW
	audit_load "$AUDIT_RULES"
	if "$PLACE/bin/trap-uring-rule"; then
		audit_run ../bin/io-uring || audit_quit 1 "io-uring failed: $(cat "$was/err")"
		audit_mark uring
		audit_cut "$OUT/trap-uringop.log"
		about trap-uringop "io_uring with -a always,io_uring -S openat,unlinkat (loaded through netlink): URINGOP instead of SYSCALL," \
			"with uring_op= and PATH records. Without such a rule there is nothing: see io-uring.log."
		"$PLACE/bin/trap-uring-rule" remove
	fi
	audit_stop
	rm -f "$LOG"
}

[ $# -gt 0 ] || set -- interleaved lost keys config daemon_life node uring
for trap_name in "$@"; do
	"$trap_name"
done
exit 0
