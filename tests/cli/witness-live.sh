#!/bin/sh
# SPDX-License-Identifier: MIT
# A disk that is being recorded answers as well; what was seen of it is said.
. "$SRCDIR/tests/lib.sh"
. "$SRCDIR/tests/cli/data/witness_log.sh"
. "$SRCDIR/tests/serve.sh"
requires jq
cp -r "$SRCDIR/samples/guest-disk/web01.history" live.history
chmod -R u+w live.history
witness_log >audit.log
expect_status 0 "$PROVGRAPH" --alert-ip 10.0.0.5 --json --log audit.log --disk fe:10=live.history
lacks err 'is being recorded'
mv out before
start_disk serve live.history s
io s 'write -P 1 100M 4k' flush
expect_status 0 "$PROVGRAPH" --alert-ip 10.0.0.5 --json --log audit.log --disk fe:10=live.history
contains err 'live.history: is being recorded; seen up to 20'
right_disk
stop_disk "$served"
jq .recover before >recover.before
jq .recover out >recover.live
same recover.before recover.live
