# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034
# What the recorders share: they take the kernel's audit state for themselves, run a private auditd, and put everything back.
#
# Nothing of this machine gets into a recording: programs run in a folder with a neutral name, and whatever has no login user is
# kept out by the kernel (a `never` rule, so that serials have no gaps).
#
#   audit_take FOLDER   saves the state, makes FOLDER (OUT); put back on exit, however the script ends
#   audit_build [NAME...]       programs of this folder (or these) into $PLACE/bin
#   audit_start FORMAT [NODE]   auditd (RAW or ENRICHED), with node=NODE; no rules yet
#   audit_load RULES    a rules file, behind the rule that keeps this machine out
#   audit_mark NAME     waits until everything so far is in the log: MARK (where it ends), AFTER (where the next begins)
#   audit_cut FILE      what was recorded between the former mark and the last one
#   audit_stop
AUDIT_RULES=$SRC/../../samples/provgraph.rules
PLACE=/var/tmp/patterns
CC=${CC:-gcc}
daemon=

audit_say() { echo "$(basename "$0"): $*" >&2; }
audit_quit() {
	audit_say "$2"
	exit "$1"
}
audit_status() { auditctl -s | awk -v name="$1" '$1 == name { print $2 }'; }

audit_take() {
	[ "$(id -u)" -eq 0 ] || audit_quit 77 "needs root"
	for tool in auditd auditctl flock zstd "$CC"; do
		command -v "$tool" >/dev/null 2>&1 || audit_quit 77 "$tool is not installed"
	done
	auditctl -s >/dev/null 2>&1 || audit_quit 77 "this kernel has no audit, or not for us"
	mkdir -p "$1" || exit 2
	OUT=$(cd "$1" && pwd)
	if [ -z "${PROVGRAPH_AUDIT_LOCKED:-}" ]; then
		exec 9>/run/lock/provgraph-audit.lock
		flock -w 900 9 || audit_quit 77 "somebody else is recording"
	else # a caller's lock, by its descriptor: held until we end too
		eval "exec 9>&$PROVGRAPH_AUDIT_LOCKED $PROVGRAPH_AUDIT_LOCKED>&-"
	fi
	[ "$(audit_status pid)" = 0 ] || audit_quit 77 "an audit daemon is running; stop it first"
	[ "$(audit_status enabled)" != 2 ] || audit_quit 77 "the audit configuration is locked until the next boot"
	was=$(mktemp -d /var/tmp/provgraph-audit.XXXXXX) || exit 2
	auditctl -l | grep -v '^No rules' >"$was/rules"
	was_enabled=$(audit_status enabled) was_backlog=$(audit_status backlog_limit)
	was_wait=$(audit_status backlog_wait_time) was_failure=$(audit_status failure)
	LOG=$was/log/audit.log
	trap audit_put_back EXIT
	trap 'exit 130' HUP INT TERM
}

audit_put_back() {
	trap - EXIT HUP INT TERM
	{
		auditctl -e 0
		[ -z "$daemon" ] || { kill "$daemon" && wait "$daemon"; }
		auditctl -D
		[ ! -s "$was/rules" ] || auditctl -R "$was/rules"
		auditctl -b "$was_backlog"
		auditctl --backlog_wait_time "$was_wait"
		auditctl -f "$was_failure"
		auditctl -e "$was_enabled"
	} >/dev/null 2>&1
	rm -rf "$was" "$PLACE"
}

audit_build() {
	rm -rf "$PLACE"
	mkdir -m 755 "$PLACE" "$PLACE/bin" "$PLACE/here" || exit 2
	for source in "$SRC"/*.c; do
		name=$(basename "$source" .c)
		case " ${*:-$name} launch thirty-two-bit " in
		*" $name "*) ;;
		*) continue ;;
		esac
		case $name in
		check) continue ;; # the program that compares, not a pattern
		thirty-two-bit)
			"$CC" -m32 -nostdlib -static -O1 -fno-stack-protector -o "$PLACE/bin/$name" "$source" 2>"$was/cc" ||
				audit_say "no 32-bit programs: $(head -n 1 "$was/cc")"
			;;
		*) "$CC" -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -O1 -static -pthread -o "$PLACE/bin/$name" "$source" || exit 2 ;;
		esac
	done
}

audit_start() {
	mkdir -p "$was/log" "$was/etc"
	chmod 700 "$was/log"
	cat >"$was/etc/auditd.conf" <<-END
		local_events = yes
		write_logs = yes
		log_file = $LOG
		log_format = $1
		log_group = root
		flush = INCREMENTAL_ASYNC
		freq = 50
		max_log_file = 100
		max_log_file_action = IGNORE
		num_logs = 0
		name_format = NONE
		space_left = 2
		space_left_action = IGNORE
		admin_space_left = 1
		admin_space_left_action = IGNORE
		disk_full_action = IGNORE
		disk_error_action = IGNORE
		q_depth = 20000
	END
	[ -z "${2:-}" ] || sed -i "s/^name_format.*/name_format = USER\nname = $2/" "$was/etc/auditd.conf"
	auditd -n -s nochange -c "$was/etc" >"$was/daemon.out" 2>&1 9>&- &
	daemon=$!
	for _ in $(seq 50); do
		[ "$(audit_status pid)" = "$daemon" ] && break
		sleep 0.1
	done
	[ "$(audit_status pid)" = "$daemon" ] || audit_quit 1 "auditd did not start: $(cat "$was/daemon.out")"
}

# The never rule has to stand in front of all others, and behind -D.
audit_load() {
	{
		printf '%s\n' -D "-a never,exit -F auid=unset"
		grep -v '^-D' "$1"
	} >"$was/loaded"
	auditctl -R "$was/loaded" >"$was/load.out" 2>&1 || audit_quit 1 "the rules do not load: $(grep -v ' [0-9]*$' "$was/load.out")"
	auditctl -e 1 >/dev/null
	# With a node name auditd 3.0.9 does not write the first record after its start (measured): let that be one of ours.
	auditctl -m provgraph-begins >/dev/null
	audit_mark start
}

audit_stop() {
	auditctl -e 0 >/dev/null
	kill "$daemon" && wait "$daemon"
	daemon=
}

audit_mark() {
	FROM=${AFTER:-0}
	auditctl -m "provgraph-mark $1" >/dev/null
	MARK=
	for _ in $(seq 100); do
		MARK=$(grep -abF "provgraph-mark $1 " "$LOG" | tail -n 1 | cut -d: -f1)
		[ -z "$MARK" ] || break
		sleep 0.1
	done
	[ -n "$MARK" ] || audit_quit 1 "the log does not show the end of $1: $(tail -n 3 "$LOG" | cut -c 1-300) $(cat "$was/daemon.out")"
	AFTER=$(wc -c <"$LOG")
}

# Large ones are compressed.
audit_cut() {
	rm -f "$1" "$1.zst"
	tail -c "+$((FROM + 1))" "$LOG" | head -c "$((MARK - FROM))" >"$1"
	if [ "$(wc -c <"$1")" -gt 39000 ]; then
		zstd -q -19 --rm "$1"
	fi
}

# audit_run PROGRAM [ARG...]: in an empty folder, with a login user of its own. Truth and messages into $was/truth and $was/err.
audit_run() {
	rm -rf "$PLACE/here" && mkdir -m 755 "$PLACE/here"
	(cd "$PLACE/here" && exec env -i PATH=/usr/bin:/bin:/usr/sbin LC_ALL=C ../bin/launch 1000 "$@") \
		>"$was/truth" 2>"$was/err" </dev/null 9>&-
}
