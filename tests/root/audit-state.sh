# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Recording puts back the audit rules and switches that it found, also when it is interrupted.
# shellcheck source=tests/lib.sh
. "$SRCDIR/tests/lib.sh"
requires_root
requires auditd auditctl flock zstd gcc

exec 8>/run/lock/provgraph-audit.lock
flock -w 900 8 || skip "somebody else is recording"
export PROVGRAPH_AUDIT_LOCKED=8
[ "$(auditctl -s | awk '$1 == "pid" { print $2 }')" = 0 ] || skip "an audit daemon is running"

state() {
	auditctl -l
	auditctl -s | grep -e '^enabled' -e '^failure' -e '^backlog_limit' -e '^backlog_wait_time '
}
state >found
auditctl -l | grep -v '^No rules' >found.rules
put_back() {
	auditctl -D
	[ ! -s found.rules ] || auditctl -R found.rules
	auditctl -b "$(awk '$1 == "backlog_limit" { print $2 }' found)"
	auditctl -f "$(awk '$1 == "failure" { print $2 }' found)"
	auditctl --backlog_wait_time "$(awk '$1 == "backlog_wait_time" { print $2 }' found)"
}
cleanup_fn 'put_back >/dev/null 2>&1'

# Something of somebody else's.
auditctl -D >/dev/null
auditctl -a always,exit -F arch=b64 -S chroot -F auid=4711 -k mine
auditctl -w /etc/hosts -p wa -k hosts
auditctl -b 4711 >/dev/null
auditctl --backlog_wait_time 4711 >/dev/null
state >before
contains before 4711
contains before /etc/hosts

sh "$SRCDIR/tests/syscalls/record.sh" "$PWD/one" fork-exec >out 2>err || fail "$(cat err)"
[ -s one/fork-exec.log ] || fail "nothing was recorded"
state >after
same before after

# Interrupted in the middle: exec-many takes long enough, and the rules are loaded by then.
sh "$SRCDIR/tests/syscalls/record.sh" "$PWD/two" exec-many long-argv exec-many long-argv exec-many long-argv >out 2>err &
recorder=$!
cleanup_fn "kill $recorder 2>/dev/null; wait $recorder 2>/dev/null"
for _ in $(seq 1000); do
	auditctl -l | grep -q provgraph_exec && break
	sleep 0.1
done
auditctl -l | grep -q provgraph_exec || fail "the recorder never loaded its rules: $(cat err)"
kill -TERM "$recorder"
wait "$recorder" && fail "the recorder was not interrupted"
state >after
same before after
