#!/bin/sh
# SPDX-License-Identifier: MIT
# Logs of dm-log-writes go out and come in: the same states at the same times. QEMU's blklogwrites, too.
. "$SRCDIR/tests/lib.sh"
. "$SRCDIR/tests/serve.sh"

expect_status 0 "$PROVGRAPH" disk init h --size 16M --quiet
start_disk serve h s
io s 'write -P 1 0 64k' 'write -f -P 2 4k 512' flush 'discard 8k 8k' 'write -z 32k 4k' 'write -P 3 1M 3M' flush 'write -P 4 512 512' \
	'write -z 12M 1M'
stop_disk "$served"
expect_status 0 "$PROVGRAPH" disk export h --format dm-log-writes -o log
[ "$(stat -c %a log)" = 600 ] || fail "mode $(stat -c %a log)"
expect_status 2 "$PROVGRAPH" disk export h --format dm-log-writes -o log
contains err "exists already"
# The magic number, version 1 and sectors of 512 bytes, as Linux writes them.
[ "$(od -An -tx1 -N 16 log | tr -d ' \n')" = 7268737766736a000100000000000000 ] || fail "$(od -An -tx1 -N 16 log)"

expect_status 0 "$PROVGRAPH" disk init copy --size 16M --quiet
expect_status 0 "$PROVGRAPH" disk import copy log --utc
contains err "6 writes"
expect_status 0 "$PROVGRAPH" disk verify copy
expect_status 0 "$PROVGRAPH" disk export copy --format dm-log-writes -o log2
cmp log log2 || fail "a second export differs"
# Every time that stands in the log names the same state in both.
tr '\0' '\n' <log | sed -n 's/^t=\([0-9]*\)\([0-9]\{9\}\)$/@\1.\2/p' >time.list
[ "$(wc -l <time.list)" -ge 8 ] || fail "times: $(cat time.list)"
while read -r time; do
	for history in h copy; do
		expect_status 0 "$PROVGRAPH" disk export "$history" "$time" --raw -o "$history.img" --force --quiet
	done
	cmp h.img copy.img || fail "at $time"
done <time.list
[ "$(du -k h.img | cut -f 1)" -lt 8192 ] || fail "an image without holes: $(du -k h.img)"
expect_status 0 "$PROVGRAPH" disk export h now --raw -o -
cmp out h.img || fail "an image on standard output differs"
expect_status 2 "$PROVGRAPH" disk import copy log
contains err "a new history"

# Damaged logs are refused with the byte; nothing is read behind their end.
head -c 70000 log >short.log
expect_status 0 "$PROVGRAPH" disk init cut.history --size 16M --quiet
expect_status 2 "$PROVGRAPH" disk import cut.history short.log
contains err "the file ends inside"
expect_status 0 "$PROVGRAPH" disk verify cut.history
expect_status 0 "$PROVGRAPH" disk info cut.history --json
contains out '"records": 0' # a log that is refused leaves nothing behind: the next one may be the right one
expect_status 0 "$PROVGRAPH" disk import cut.history log
head -c 4096 /dev/zero >zeros
expect_status 0 "$PROVGRAPH" disk init new --size 8M --quiet
expect_status 2 "$PROVGRAPH" disk import new zeros
contains err "is no log of dm-log-writes"
expect_status 2 "$PROVGRAPH" disk import new log
contains err "which has 8388608"

# What QEMU logs by itself has no times.
truncate -s 8M q.img
: >q.log
qemu-io -c 'write -P 3 0 64k' -c flush -c 'write -f -P 4 4k 4k' -c 'discard 8k 8k' -c 'write -z 32k 4k' -c 'write -P 5 33k 512' --image-opts \
	"driver=blklogwrites,file.driver=file,file.filename=q.img,log.driver=file,log.filename=q.log" >qemu.out 2>&1 || skip "qemu-io has no blklogwrites"
expect_status 0 "$PROVGRAPH" disk init q --size 8M --quiet
expect_status 2 "$PROVGRAPH" disk import q q.log
contains err "--start TIME"
expect_status 0 "$PROVGRAPH" disk import q q.log --start '2026-01-01T00:00:00Z' --utc
contains err "from 2026-01-01T00:00:00+00:00"
expect_status 0 "$PROVGRAPH" disk export q now --raw -o q2.img
cmp q.img q2.img || fail "QEMU's image and ours differ"
expect_status 0 "$PROVGRAPH" disk export q @1767225600.000000000 --raw -o q3.img
cmp q2.img q3.img && fail "entries share one time"
expect_status 0 "$PROVGRAPH" disk info q --json
contains out '"first_ns": 1767225600000000000'
