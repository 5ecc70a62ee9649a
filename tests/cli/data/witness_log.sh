# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# An audit log of what the guest of samples/guest-disk might have told: the inodes and times of birth are those of its disk (guest
# clock), who did it is made up. For corners of --disk; sourced by tests/cli/witness-*.sh.
#     witness_log [DEV [SHIFT [NODE]]]      DEV: of the data disk (fe:10); SHIFT: seconds added to every stamp; NODE: node=
witness_log() {
	awk -v dev="${1:-fe:10}" -v shift="${2:-0}" -v node="${3:+node=$3 }" '
	function stamp(at) { return sprintf("audit(%d.%03d:%d)", 1795275500 + int(at) + shift, int(at * 1000 + 0.5) % 1000, serial) }
	function call(at, number, ret, items, pid, ppid, comm, exe, a0, a1) {
		serial++
		msg = stamp(at)
		printf "%stype=SYSCALL msg=%s: arch=c000003e syscall=%d success=yes exit=%s a0=%s a1=%s a2=42 a3=1b6 items=%d ppid=%d pid=%d auid=1000 uid=1000 gid=1000 euid=1000 suid=1000 fsuid=1000 egid=1000 sgid=1000 fsgid=1000 tty=pts0 ses=3 comm=\"%s\" exe=\"%s\" key=\"k\"\n",
			node, msg, number, ret, a0, a1, items, ppid, pid, comm, exe
	}
	function path(item, name, inode, d, kind, mode) {
		printf "%stype=PATH msg=%s: item=%d name=\"%s\" inode=%d dev=%s mode=%s ouid=0 ogid=0 rdev=00:00 nametype=%s cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0\n",
			node, msg, item, name, inode, d, mode, kind
	}
	function cwd() { printf "%stype=CWD msg=%s: cwd=\"/\"\n", node, msg }
	function end() { printf "%stype=EOE msg=%s: \n", node, msg }
	function fork(at, child, pid, ppid, comm, exe) { call(at, 56, child, 0, pid, ppid, comm, exe, "1200011", "0"); end() }
	function run(at, pid, ppid, comm, exe, inode, d) {
		call(at, 59, 0, 2, pid, ppid, comm, exe, "55", "56")
		printf "%stype=EXECVE msg=%s: argc=1 a0=\"%s\"\n", node, msg, exe
		cwd(); path(0, exe, inode, d, "NORMAL", "0100755"); path(1, "/lib64/ld-linux-x86-64.so.2", 11, "fe:00", "NORMAL", "0100755"); end()
	}
	function make(at, pid, ppid, comm, exe, folder, finode, name, inode) {
		call(at, 257, 3, 2, pid, ppid, comm, exe, "ffffff9c", "7ffd")
		cwd(); path(0, folder, finode, dev, "PARENT", "040755"); path(1, name, inode, dev, "CREATE", "0100644"); end()
	}
	function directory(at, pid, ppid, comm, exe, folder, finode, name, inode) {
		call(at, 83, 0, 2, pid, ppid, comm, exe, "55", "1ed")
		cwd(); path(0, folder, finode, dev, "PARENT", "040755"); path(1, name, inode, dev, "CREATE", "040755"); end()
	}
	function open_write(at, pid, ppid, comm, exe, name, inode) { # O_RDWR
		call(at, 257, 4, 1, pid, ppid, comm, exe, "ffffff9c", "7ffd")
		cwd(); path(0, name, inode, dev, "NORMAL", "0100644"); end()
	}
	function close_fd(at, pid, ppid, comm, exe, fd) { call(at, 3, 0, 0, pid, ppid, comm, exe, fd, "0"); end() }
	function remove(at, pid, ppid, comm, exe, folder, finode, name, inode) {
		call(at, 87, 0, 2, pid, ppid, comm, exe, "55", "56")
		cwd(); path(0, folder, finode, dev, "PARENT", "040755"); path(1, name, inode, dev, "DELETE", "0100644"); end()
	}
	function connect(at, pid, ppid, comm, exe) {
		call(at, 42, 0, 0, pid, ppid, comm, exe, "3", "7ffd")
		printf "%stype=SOCKADDR msg=%s: saddr=0200115C0A0000050000000000000000\n", node, msg
		end()
	}
	BEGIN {
		serial = 100
		fork(22.200, 200, 150, 1, "sshd", "/usr/sbin/sshd")
		run(22.204, 200, 150, "bash", "/usr/bin/bash", 21, "fe:00")
		directory(22.248, 200, 150, "bash", "/usr/bin/bash", "/srv", 2, "/srv/log", 12)
		directory(22.256, 200, 150, "bash", "/usr/bin/bash", "/srv", 2, "/srv/home", 24577)
		directory(22.256, 200, 150, "bash", "/usr/bin/bash", "/srv/home", 24577, "/srv/home/alice", 13)
		make(22.264, 200, 150, "bash", "/usr/bin/bash", "/srv/log", 12, "/srv/log/auth.log", 14)
		close_fd(22.280, 200, 150, "bash", "/usr/bin/bash", 3)
		fork(24.100, 210, 200, 150, "bash", "/usr/bin/bash")
		run(24.104, 210, 200, "python3", "/usr/bin/python3.11", 23, "fe:00")
		make(24.128, 210, 200, "python3", "/usr/bin/python3.11", "/srv/home/alice", 13, "/srv/home/alice/.tool", 15)
		close_fd(24.156, 210, 200, "python3", "/usr/bin/python3.11", 3)
		fork(24.200, 214, 210, 200, "python3", "/usr/bin/python3.11")
		run(24.300, 214, 210, ".tool", "/srv/home/alice/.tool", 15, dev)
		connect(24.352, 214, 210, ".tool", "/srv/home/alice/.tool")
		remove(24.544, 214, 210, ".tool", "/srv/home/alice/.tool", "/srv/home/alice", 13, "/srv/home/alice/.tool", 15)
		open_write(24.660, 214, 210, ".tool", "/srv/home/alice/.tool", "/srv/log/auth.log", 14)
		close_fd(24.684, 214, 210, ".tool", "/srv/home/alice/.tool", 4)
		make(24.760, 214, 210, ".tool", "/srv/home/alice/.tool", "/srv/home/alice", 13, "/srv/home/alice/loot", 15)
		close_fd(24.764, 214, 210, ".tool", "/srv/home/alice/.tool", 3)
		remove(24.768, 214, 210, ".tool", "/srv/home/alice/.tool", "/srv/home/alice", 13, "/srv/home/alice/loot", 15)
		remove(35.056, 214, 210, ".tool", "/srv/home/alice/.tool", "/srv/log", 12, "/srv/log/auth.log", 14)
		make(35.056, 214, 210, ".tool", "/srv/home/alice/.tool", "/srv/log", 12, "/srv/log/auth.log", 14)
		close_fd(35.060, 214, 210, ".tool", "/srv/home/alice/.tool", 3)
	}'
}
# right_disk [WHICH]: err says that (of the disk named so) every birth that could be compared agrees, three or more.
right_disk() {
	grep -qE "${1:-}.*; ([3-9]|[1-9][0-9]+) of \\1 births of files agree;" err || fail "births: $(grep births err)"
}
