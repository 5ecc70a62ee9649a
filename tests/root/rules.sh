# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Every line of samples/provgraph.rules loads into this kernel, and `provgraph rules --check` then finds nothing missing.
# shellcheck source=tests/lib.sh
. "$SRCDIR/tests/lib.sh"
requires_root
requires auditctl flock

exec 8>/run/lock/provgraph-audit.lock
flock -w 900 8 || skip "somebody else is recording"
auditctl -l >found 2>err || skip "this kernel has no audit, or not for us"
[ "$(auditctl -s | awk '$1 == "enabled" { print $2 }')" != 2 ] || skip "the audit configuration is locked"
auditctl -s | awk '$1 == "backlog_limit" || $1 == "failure" || $1 == "backlog_wait_time"' >found.switches
put_back() {
	auditctl -D
	grep -v '^No rules' found >found.rules && auditctl -R found.rules
	auditctl -b "$(awk '$1 == "backlog_limit" { print $2 }' found.switches)"
	auditctl -f "$(awk '$1 == "failure" { print $2 }' found.switches)"
	auditctl --backlog_wait_time "$(awk '$1 == "backlog_wait_time" { print $2 }' found.switches)"
}
cleanup_fn 'put_back >/dev/null 2>&1'

"$PROVGRAPH" rules >printed
same "$SRCDIR/samples/provgraph.rules" printed
auditctl -R printed >out 2>err || fail "$(cat err)"
[ "$(auditctl -l | grep -c '^-a')" -eq "$(grep -c '^-a' printed)" ] || fail "not every rule was loaded"
expect_status 0 "$PROVGRAPH" rules --check
contains out " 0 partly, 0 blind"

auditctl -D >/dev/null
auditctl -a always,exit -F arch=b64 -S connect -F success=1
expect_status 1 "$PROVGRAPH" rules --check
contains out EINPROGRESS
