#!/bin/bash
# SPDX-License-Identifier: MIT
# Records the incidents of this folder anew, under real auditd on the kernel that runs: record.sh NAME...
# Needs root, debootstrap, iproute2, auditd's tools, ssh, zstd, python3. See README.md.
# shellcheck source-path=SCRIPTDIR
set -euo pipefail

samples=$(dirname "$(readlink -f "$0")")
cd /
tools=$samples/record
place=${PROVGRAPH_WORLD:-/var/tmp/provgraph-world}
# shellcheck source=record/world.sh
. "$tools/world.sh"

cleanup() {
	[ -z "$witness_pid" ] || kill "$witness_pid" 2>/dev/null || true
	network_stop
	audit_restore
	rm -rf "$place/run"
}

# record NAME HOSTNAME provgraph.rules|few DRIVER PROGRAM SERVICES [AUDITD_SETTING VALUE]...
record() {
	local name=$1 hostname=$2 kind=$3 driver=$4 program=$5 services=$6 world=$place/host rules=$samples/provgraph.rules
	shift 6
	[ "$kind" != few ] || rules=$tools/few.rules
	rm -rf "$world" "$place/run"
	mkdir -p "$place/run" "$samples/$name"
	cp -a "$place/base" "$world"
	key_install "$world"
	cp "$tools/$program" "$world/root/"
	chroot "$world" gcc -O2 -s -o /root/program "/root/$program"
	mv "$world/root/program" "$place/run/program"
	rm "$world/root/$program"

	exec 9>/run/lock/provgraph-audit.lock
	flock 9
	witness_pid=
	audit_save
	trap cleanup EXIT
	network_start
	# shellcheck disable=SC2086  # a list of words
	world_start "$world" "$hostname" $services
	audit_start "$rules" "$@"
	# shellcheck disable=SC2154  # world_start sets it
	python3 -B "$tools/witness.py" "$world_pid" "$place/run/witness.json" "$world" &
	witness_pid=$!
	exec 8>"/proc/$world_pid/root/run/control"
	echo begin >&8
	sleep 3
	in_outside python3 -B "$tools/$driver" "$place/run" "$world" "$world_pid" "$place/run/witness.json" "$place/run/key" \
		"$place/run/program" "$kind"
	audit_stop
	auditctl -s | grep '^lost'
	collect "$name" "$world"
	exec 8>&-
	cleanup
	trap - EXIT
	exec 9>&-
}

# One key for all users, made for this recording and thrown away after it.
key_install() {
	local user
	ssh-keygen -q -t ed25519 -N '' -C 'desk' -f "$place/run/key"
	chroot "$1" ssh-keygen -A >/dev/null
	for user in alice bob carol dave; do
		cat "$place/run/key.pub" >"$1/home/$user/.ssh/authorized_keys"
	done
}

# One log compressed with zstd, or the set that auditd's own rotation left, as logrotate would pack it.
collect() {
	local folder=$samples/$1 logs=$2/var/log/audit log
	rm -f "$folder"/audit.log*
	if [ -e "$logs/audit.log.1" ]; then
		for log in "$logs"/audit.log.*; do
			gzip -9n <"$log" >"$folder/${log##*/}.gz"
		done
		cat "$logs/audit.log" >"$folder/audit.log"
	else
		zstd -q -19 "$logs/audit.log" -o "$folder/audit.log.zst"
		chmod 644 "$folder/audit.log.zst"
	fi
	cp "$place/run/truth.json" "$place/run/alert.eve.json" "$folder/"
	python3 -B "$tools/verify.py" "$folder" "$place" "$samples"
}

main() {
	local name
	[ "$(id -u)" = 0 ] || { echo "record.sh: needs root" >&2; exit 2; }
	mkdir -p "$place"
	[ -e "$place/base/usr/local/sbin/boot" ] || bash "$tools/base.sh" "$place/base"
	for name; do
		case $name in
		mail-attachment)
			record "$name" ws01 provgraph.rules mail_attachment.py stage2.c "rsyslogd cron sshd exim" ;;
		mail-attachment-few-rules)
			record "$name" ws01 few mail_attachment.py stage2.c "rsyslogd cron sshd exim" max_log_file 1 ;;
		web-cron)
			record "$name" web01 provgraph.rules web_cron.py stage2.c "rsyslogd cron sshd lighttpd" ;;
		tool-injection)
			record "$name" ws02 provgraph.rules tool_injection.py inject.c "rsyslogd cron sshd" \
				log_format ENRICHED name_format HOSTNAME ;;
		*) echo "record.sh: $name: no such incident" >&2; exit 2 ;;
		esac
	done
}

main "$@"
