#!/bin/sh
# SPDX-License-Identifier: MIT
# Discarding a disk of 1 TiB twice costs records, not blocks.
. "$SRCDIR/tests/lib.sh"
. "$SRCDIR/tests/serve.sh"
requires qemu-img

expect_status 0 "$PROVGRAPH" disk init h --size 1T --quiet
start_disk serve h s --compress never
io s 'write -P 1 0 64k' 'write -P 2 1023G 64k'
at=0
set --
while [ "$at" -lt 1024 ]; do
	set -- "$@" "discard ${at}G 1G"
	at=$((at + 1))
done
io s "$@"
io s "$@"
io s 'read -P 0 0 64k' 'read -P 0 1023G 64k' 'write -P 3 512G 4k' 'read -P 3 512G 4k'
qemu-img map --output=json -f raw "$(uri s)" >map.json || fail "qemu-img map"
[ "$(grep -c '"data": true' map.json)" -eq 1 ] || { cat map.json; fail "more than one block is left"; }
resident=$(awk '/^VmHWM/ { print $2 }' "/proc/$(tr -d ' ' <"/proc/$served/task/$served/children")/status")
[ -n "$sanitizer" ] || [ "$resident" -lt 65536 ] || fail "$resident KiB resident"
stop_disk "$served"
expect_status 0 "$PROVGRAPH" disk info h --json
index=$(sed -n 's/.*"index_bytes": \([0-9]*\).*/\1/p' out)
[ "$index" -lt 1048576 ] || fail "$index bytes of index"
records=$(sed -n 's/.*"segment_bytes": \([0-9]*\).*/\1/p' out)
[ "$records" -lt 1048576 ] || fail "$records bytes of records"
