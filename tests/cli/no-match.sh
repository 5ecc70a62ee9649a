#!/bin/sh
# SPDX-License-Identifier: MIT
# No connection with the address: status 1, and what there is instead.
. "$SRCDIR/tests/lib.sh"
log=$SRCDIR/tests/cli/data/small.log

expect_status 1 "$PROVGRAPH" --log "$log" --alert-ip 10.0.0.6 --utc
[ ! -s out ] || fail "something on standard output"
contains err 'no connection with 10.0.0.6'
contains err '2025-11-20T00:59:59.960+00:00 to 2025-11-20T04:06:00'
# The same network before the rest, however often the rest occurs.
contains err '10.0.0.5:443'
contains err '10.0.0.77:80'
[ "$(grep -n '10\.0\.0\.77' err | head -n 1 | cut -d: -f1)" -lt "$(grep -n '192\.0\.2\.9' err | cut -d: -f1)" ] || fail "order: $(cat err)"
no_files provgraph-*

# A time outside the log.
expect_status 1 "$PROVGRAPH" --log "$log" --alert-ip 10.0.0.5 --alert-time '2024-01-01 00:00' --utc
contains err 'lies outside'
# The address occurs, but with another port.
expect_status 1 "$PROVGRAPH" --log "$log" --alert-ip 10.0.0.5 --alert-port 8443 --utc
contains err '10.0.0.5:443'
expect_status 1 "$PROVGRAPH" --log "$log" --alert-ip 2001:db8::5 --utc
contains err '2001:db8::5'
# An address family that is not in the log at all, and a log without connections.
grep -v -e SOCKADDR "$log" | grep -v 'syscall=42' >quiet.log
expect_status 1 "$PROVGRAPH" --log quiet.log --alert-ip 10.0.0.5 --utc
contains err 'no connection at all'
contains err 'rules --check'
