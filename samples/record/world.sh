# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced by record.sh: the recorded host in namespaces of its own, the network around it, and its audit daemon.
#
#   outside namespace ($net_outside): bridge with 10.0.0.5 (command and control), .7 (file server), .9 (the
#     attacker's download and mail server), .23 to .26 (desks of the users), .66 (a stranger)
#   host namespace ($net_host): 10.0.0.2, all of the recorded daemons
# The pid and user namespaces are the machine's own: audit writes pids of the first, and talks only to the second.

net_outside=pgsample-out
net_host=pgsample-host
world_pid=

in_outside() { ip netns exec "$net_outside" "$@"; }

# Runs a command inside the recorded host without a login id: `-F auid=unset` keeps it out of the log.
in_world() {
	env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C \
		nsenter -t "$world_pid" -m -u -i -n --root --wd=/ "$@"
}

network_start() {
	local address
	ip netns add "$net_outside"
	ip netns add "$net_host"
	ip -n "$net_outside" link set lo up
	ip -n "$net_host" link set lo up
	ip -n "$net_outside" link add br0 type bridge
	ip -n "$net_outside" link add port0 type veth peer name eth0 netns "$net_host"
	ip -n "$net_outside" link set port0 master br0
	for address in 5 7 9 23 24 25 26 66; do
		ip -n "$net_outside" address add "10.0.0.$address/24" dev br0
		ip -n "$net_outside" address add "fd00:a::$address/64" dev br0 nodad
	done
	ip -n "$net_outside" link set br0 up
	ip -n "$net_outside" link set port0 up
	ip -n "$net_host" address add 10.0.0.2/24 dev eth0
	ip -n "$net_host" address add fd00:a::2/64 dev eth0 nodad
	ip -n "$net_host" link set eth0 up
}

network_stop() {
	local name
	for name in "$net_host" "$net_outside"; do
		ip netns pids "$name" 2>/dev/null | xargs -r kill 2>/dev/null || true
	done
	sleep 1
	for name in "$net_host" "$net_outside"; do
		ip netns pids "$name" 2>/dev/null | xargs -r kill -9 2>/dev/null || true
		ip netns delete "$name" 2>/dev/null || true
	done
}

# world_start FOLDER HOSTNAME SERVICE...: starts the host's first process and waits at the gate in boot.
world_start() {
	local folder=$1 hostname=$2 run
	shift 2
	echo "$hostname" >"$folder/etc/hostname"
	run=$(mktemp)
	# The login id makes this tree a recorded one; audit is still off, so the change itself leaves no record.
	# shellcheck disable=SC2016  # expands inside
	nsenter --net="/run/netns/$net_host" unshare --mount --uts --ipc --propagation private bash -c '
		set -e
		folder=$1 run=$2 hostname=$3
		shift 3
		hostname "$hostname"
		mount --bind "$folder" "$folder"
		mount -t proc proc "$folder/proc"
		mount -t sysfs -o ro sysfs "$folder/sys"
		mount -t tmpfs -o mode=755 tmpfs "$folder/run"
		mkdir -p "$folder/run/lock" "$folder/run/exim4" "$folder/dev/pts" "$folder/dev/shm"
		chown --reference="$folder/var/spool/exim4" "$folder/run/exim4"
		mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$folder/dev/pts"
		mount -t tmpfs -o mode=1777 tmpfs "$folder/dev/shm"
		ln -sf pts/ptmx "$folder/dev/ptmx"
		mkfifo "$folder/run/control"
		echo $$ >"$run"
		# Not chroot: sshd confines itself once more, and audit would then print paths from the real root.
		cd "$folder"
		pivot_root . .
		umount -l .
		exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
			/bin/sh -c "echo 0 >/proc/self/loginuid; cd /; exec /usr/local/sbin/boot \"\$@\"" boot "$@"
	' bash "$folder" "$run" "$hostname" "$@" </dev/null >/dev/null 2>&1 &
	while [ ! -s "$run" ]; do sleep 0.1; done
	world_pid=$(cat "$run")
	rm -f "$run"
	until [ "$(cat "/proc/$world_pid/loginuid")" = 0 ]; do sleep 0.1; done
	sleep 0.5
}

# What the kernel reports without a system call (network filters, seccomp, BPF, crashes) passes the exit filter by.
others_out="-a never,exit -F auid=unset
-a never,exclude -F auid=unset -F msgtype=NETFILTER_CFG
-a never,exclude -F auid=unset -F msgtype=SECCOMP
-a never,exclude -F auid=unset -F msgtype=BPF
-a never,exclude -F auid=unset -F msgtype=ANOM_PROMISCUOUS
-a never,exclude -F auid=unset -F msgtype=ANOM_ABEND"

# audit_start RULES [SETTING VALUE]...: the host's own auditd and rules. Everything without a login id, which is the
# rest of this machine, is dropped by the kernel before it gets a serial, so that the log has no holes.
audit_start() {
	local rules=$1 config=/proc/$world_pid/root/etc/audit/auditd.conf
	shift
	awk -v first="$others_out" '/^-a/ && !done { print first; done = 1 } { print }' "$rules" \
		>"/proc/$world_pid/root/etc/audit/rules.d/audit.rules"
	set -- max_log_file 400 num_logs 50 log_format RAW "$@"
	while [ $# -gt 0 ]; do
		sed -i "s/^$1 = .*/$1 = $2/" "$config"
		shift 2
	done
	in_world /sbin/auditd
	sleep 1
	in_world /sbin/auditctl -R /etc/audit/rules.d/audit.rules >/dev/null
	in_world /sbin/auditctl -b 65536 >/dev/null
	in_world /sbin/auditctl --backlog_wait_time 60000 >/dev/null
	in_world /sbin/auditctl --reset-lost >/dev/null
}

# Ends the recording: the kernel's count of lost records goes into the log, then auditd leaves. The rules go after it:
# `auditctl -D` removes the one that keeps the rest of this machine out first.
audit_stop() {
	local daemon
	daemon=$(cat "/proc/$world_pid/root/run/auditd.pid")
	in_world /sbin/auditctl --reset-lost >/dev/null
	sleep 1
	in_world /bin/kill -TERM "$daemon"
	while [ -d "/proc/$daemon" ]; do sleep 0.05; done
	auditctl -e 0 >/dev/null
}

audit_save() {
	saved_rules=$(auditctl -l)
	saved_status=$(auditctl -s)
}

saved_value() { awk -v name="$1" '$1 == name { print $2 }' <<<"$saved_status"; }

audit_restore() {
	local line
	auditctl -D >/dev/null 2>&1 || true
	if [ "$saved_rules" != "No rules" ]; then
		while read -r line; do
			# shellcheck disable=SC2086  # one rule a line, as auditctl prints it
			auditctl $line >/dev/null
		done <<<"$saved_rules"
	fi
	auditctl -b "$(saved_value backlog_limit)" >/dev/null
	auditctl --backlog_wait_time "$(saved_value backlog_wait_time)" >/dev/null
	auditctl -f "$(saved_value failure)" >/dev/null
	auditctl -e "$(saved_value enabled)" >/dev/null
}
