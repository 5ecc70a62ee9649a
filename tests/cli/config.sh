#!/bin/sh
# SPDX-License-Identifier: MIT
# Settings from a file; the command line goes over them; --print-config says which is which.
. "$SRCDIR/tests/lib.sh"
[ ! -e /etc/provgraph.conf ] || skip "this machine has an /etc/provgraph.conf"
log=$SRCDIR/tests/cli/data/small.log
export XDG_CONFIG_HOME="$PWD/xdg"
mkdir -p xdg/provgraph
expect_status 0 "$PROVGRAPH" --print-config
contains out 'window = 20m  # default'

printf '# comment\n\n  window = 4h \nlog = %s\ntz=Asia/Tokyo\nquiet = yes\ncolor = never\nno-pager = no\n' "$log" >xdg/provgraph/config
expect_status 0 "$PROVGRAPH" --print-config --tz +02:00
contains out "window = 4h  # $PWD/xdg/provgraph/config:3"
contains out 'tz = +02:00  # --tz'
contains out 'quiet = yes'
contains out 'no-pager = no  # default'
# The file gives log, window and zone ...
expect_status 0 "$PROVGRAPH" --alert-ip 10.0.0.5 --format text
contains out +09:00
contains out curl
[ ! -s err ] || fail "quiet = yes, and yet: $(cat err)"
# ... and the command line other ones.
expect_status 0 "$PROVGRAPH" --alert-ip 10.0.0.5 --format text --utc --window 20m
contains out +00:00
expect_status 0 "$PROVGRAPH" --alert-ip 10.0.0.5 --format text --from '2025-11-20 12:59' --to '2025-11-20 13:30'
expect_status 2 "$PROVGRAPH" --alert-ip 10.0.0.5 --log nowhere.log
contains err nowhere.log

# bad LINE TEXT: refused, with the place.
bad() {
	printf 'utc = yes\n%s\n' "$1" >xdg/provgraph/config
	expect_status 2 "$PROVGRAPH" --alert-ip 10.0.0.5
	contains err "provgraph/config:2: "
	contains err "$2"
}
bad 'alert-ip = 10.0.0.5' 'is no setting'
bad 'force = yes' 'is no setting'
bad 'window' 'NAME = VALUE'
bad 'window = 20' 'has no unit'
bad 'quiet = maybe' 'yes or no'
bad 'color = pink' 'auto'
