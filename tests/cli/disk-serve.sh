#!/bin/sh
# SPDX-License-Identifier: MIT
# A live disk as QEMU's own tools use it: every kind of request, other writers and sockets, a clean end, a killed one.
. "$SRCDIR/tests/lib.sh"
. "$SRCDIR/tests/serve.sh"
requires qemu-img nbdinfo

expect_status 0 "$PROVGRAPH" disk init h --size 64M --quiet
start_disk serve h s
first=$served

# What QEMU and libvirt have to be told.
contains s.out "-drive 'file=nbd+unix:///?socket=$PWD/s,format=raw"
contains s.out "<host transport='unix' socket='$PWD/s'/>"
[ "$(stat -c %a s)" = 600 ] || fail "others may connect: $(stat -c %a s)"
nbdinfo "$(uri s)" >nbdinfo.out || fail nbdinfo
for promise in 'is_read_only: false' 'can_flush: true' 'can_fua: true' 'can_multi_conn: true' 'can_trim: true' 'can_zero: true' \
	'block_size_minimum: 512' 'export-size: 67108864'; do
	contains nbdinfo.out "$promise"
done

io s 'write -P 7 0 512' 'write -P 8 4k 1M' flush 'read -P 7 0 512' 'read -P 0 512 512' 'read -P 8 4k 1M'
io s 'write -z 8k 4k' 'read -P 8 4k 4k' 'read -P 0 8k 4k' 'read -P 8 12k 4k'
io s 'write -z -u 16k 4k' 'discard 64k 64k' 'read -P 0 64k 64k' 'write -f -P 9 1k 512' 'write -P 10 67108352 512' 'read -P 10 67108352 512'
# A request larger than what is staged, and one over its own zeros.
io s 'write -P 11 8M 20M' 'read -P 11 8M 20M' 'write -P 0 9M 1M' 'read -P 0 9M 1M' 'read -P 11 10M 18M'
qemu-img map --output=json -f raw "$(uri s)" >map.json || fail "qemu-img map"
contains map.json '"start": 8192, "length": 4096, "depth": 0, "present": true, "zero": true, "data": false'
contains map.json '"start": 0, "length": 512, "depth": 0, "present": true, "zero": false, "data": true'

# One writer, and one server for a socket.
expect_status 2 disk serve h --socket s2
contains err "process"
no_files s2
expect_status 2 "$PROVGRAPH" disk serve h --socket s
contains err "somebody serves this socket already"
lacks s.err error
: >plain
expect_status 2 "$PROVGRAPH" disk serve h --socket plain
contains err "is no socket"

stop_disk "$first"
no_files s
[ ! -s s.err ] || { cat s.err; fail "a clean run says something"; }
expect_status 0 "$PROVGRAPH" disk verify h
contains out "sound"

# Killed: what was flushed is there, and the socket that it left behind is no hindrance.
start_disk serve h s --sync direct
io s 'read -P 8 12k 4k' 'write -P 12 0 4k' flush 'write -P 13 4k 4k'
nbdkit=$(tr -d ' ' <"/proc/$served/task/$served/children")
kill -KILL "$served" "$nbdkit"
wait "$served"
[ -S s ] || fail "the killed server took its socket away"
for _ in $(seq 100); do
	kill -0 "$nbdkit" 2>/dev/null || break
	sleep 0.05
done
start_disk serve h s --inline lz4 --compress now
io s 'read -P 12 0 4k' 'read -P 13 4k 4k' 'write -P 14 128k 64k' flush 'read -P 14 128k 64k'
[ ! -s s.err ] || { cat s.err; fail "a recording that goes on says something"; }
if nbdinfo "$(uri s seq:1)" >nbdinfo.out 2>&1; then fail "a live disk has no other exports"; fi
contains s.err "this is the live disk"
kill -INT "$served"
wait "$served" || fail "SIGINT: status $?"
expect_status 0 "$PROVGRAPH" disk verify h
expect_status 0 "$PROVGRAPH" disk info h --utc
contains out "recording:     not now"

# nbdkit goes with the command that started it, however that ends.
start_disk serve h s
nbdkit=$(tr -d ' ' <"/proc/$served/task/$served/children")
kill -KILL "$served"
for _ in $(seq 100); do
	kill -0 "$nbdkit" 2>/dev/null || break
	sleep 0.05
done
if kill -0 "$nbdkit" 2>/dev/null; then fail "nbdkit outlives disk serve"; fi

# A damaged history is not recorded into: which byte, and the status that says so.
expect_status 0 "$PROVGRAPH" disk init d --size 1M --quiet
start_disk serve d s
io s 'write -P 3 0 4k' flush
stop_disk "$served"
printf 'X' | dd of=d/segments/00000001.segment bs=1 seek=$((128 + 8)) conv=notrunc status=none
expect_status 4 disk serve d --socket s
contains err "byte 128:"
contains err "provgraph disk verify lists what is wrong"
no_files s
