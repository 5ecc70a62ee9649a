#!/bin/sh
# SPDX-License-Identifier: MIT
# provgraph rules, and what it says of other rules and of logs.
. "$SRCDIR/tests/lib.sh"
expect_status 0 "$PROVGRAPH" rules
same "$SRCDIR/samples/provgraph.rules" out
expect_status 0 "$PROVGRAPH" rules --check "$SRCDIR/samples/provgraph.rules"
contains out '0 partly, 0 blind'

cat >few.rules <<'END'
-a always,exit -F arch=b64 -S execve -k exec
-a always,exit -F arch=b64 -S connect -F success=1 -k net
END
expect_status 1 "$PROVGRAPH" rules --check few.rules
grep -q '^partly *provgraph_connect' out || fail "connect: $(grep connect out)"
grep -q '^blind *provgraph_fork' out || fail "fork: $(grep fork out)"
contains out 'rule: -a always,exit'
: >none.rules
expect_status 1 "$PROVGRAPH" rules --check none.rules
contains out '0 groups covered'

expect_status 1 "$PROVGRAPH" rules --check --log "$SRCDIR/tests/cli/data/small.log"
grep -q '^seen *provgraph_exec' out || fail "exec: $(cat out)"
contains out 'not seen'
expect_status 2 "$PROVGRAPH" rules --check missing.rules
contains err missing.rules
expect_status 2 "$PROVGRAPH" rules few.rules
contains err -- --check
echo 'this is a letter, not a rule' >letter
expect_status 2 "$PROVGRAPH" rules --check letter
contains err 'no audit rule'
