#!/bin/sh
# SPDX-License-Identifier: MIT
# A bind shell: accept waits for an hour, so its record's stamp is an hour older than the connection. The contact, its window and what
# follows count from the return of the call.
. "$SRCDIR/tests/lib.sh"
requires jq awk
awk 'BEGIN {
	serial = 1000; start = 1763600400
	exec(start, 600, 500, "nc", "/usr/bin/nc", 77)
	for (k = 1; k <= 3600; k++)
		open(start + k)
	call(start, 43, 4, 3, 600, 500, "nc", "/usr/bin/nc", 0)
	printf "type=SOCKADDR msg=audit(%d.100:%d): saddr=0200BC1F0A0000050000000000000000\n", start, serial++
	call(start + 3601, 56, 601, "1200011", 600, 500, "nc", "/usr/bin/nc", 0); serial++
	exec(start + 3601, 601, 600, "sh", "/usr/bin/dash", 78)
	for (k = 3602; k <= 3700; k++)
		open(start + k)
}
function call(time, number, result, a0, pid, ppid, comm, exe, items) {
	printf "type=SYSCALL msg=audit(%d.100:%d): arch=c000003e syscall=%d success=yes exit=%d a0=%s a1=0 a2=0 a3=0 items=%d ppid=%d pid=%d auid=1000 uid=1000 gid=1000 euid=1000 suid=1000 fsuid=1000 egid=1000 sgid=1000 fsgid=1000 tty=pts0 ses=5 comm=\"%s\" exe=\"%s\" key=(null)\n", time, serial, number, result, a0, items, ppid, pid, comm, exe
}
function path(time, name, inode) {
	printf "type=CWD msg=audit(%d.100:%d): cwd=\"/\"\ntype=PATH msg=audit(%d.100:%d): item=0 name=\"%s\" inode=%d dev=fe:00 mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL\n", time, serial, time, serial++, name, inode
}
function exec(time, pid, ppid, comm, exe, inode) {
	call(time, 59, 0, "1", pid, ppid, comm, exe, 1)
	printf "type=EXECVE msg=audit(%d.100:%d): argc=1 a0=\"%s\"\n", time, serial, comm
	path(time, exe, inode)
}
function open(time) {
	call(time, 257, 3, "ffffff9c", 700, 1, "cron", "/usr/sbin/cron", 1)
	path(time, "/etc/crontab", 88)
}' >audit.log </dev/null
expect_status 0 "$PROVGRAPH" --log audit.log --alert-ip 10.0.0.5 --utc --json --quiet
jq -e '.alert.contact | startswith("2025-11-20T02:00:")' out >jq.out || fail "contact at $(jq .alert.contact out)"
for name in nc sh; do
	jq -e --arg comm "$name" 'any(.nodes[]; .comm == $comm)' out >jq.out || fail "no $name: $(jq -c '[.nodes[].comm]' out)"
done
# Before it had returned there was no connection.
expect_status 1 "$PROVGRAPH" --log audit.log --alert-ip 10.0.0.5 --alert-time '2025-11-20 01:30' --utc --json --quiet
