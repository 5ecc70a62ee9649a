#!/bin/sh
# SPDX-License-Identifier: MIT
# Past moments as exports, any number at once, while recording goes on.
. "$SRCDIR/tests/lib.sh"
. "$SRCDIR/tests/serve.sh"
requires qemu-img nbdinfo nbdcopy

expect_status 0 "$PROVGRAPH" disk init h --size 16M --quiet
start_disk serve h s
live=$served
io s 'write -P 1 0 1M' flush
expect_status 0 "$PROVGRAPH" disk info h --json
seq1=$(sed -n 's/.*"last_seq": \([0-9]*\).*/\1/p' out)
time1=$(sed -n 's/.*"last_ns": \([0-9]*\)\([0-9]\{9\}\),/@\1.\2/p' out)
io s 'write -P 2 512k 1M' 'discard 0 64k' flush
expect_status 0 "$PROVGRAPH" disk info h --json
seq2=$(sed -n 's/.*"last_seq": \([0-9]*\).*/\1/p' out)

start_disk views h v --utc
views=$served
contains v.out "nbdinfo 'nbd+unix:///%40"
contains v.out "?socket=$PWD/v'"
# old NAME COMMAND...: qemu-io on a moment.
old() {
	old_name=$1
	shift
	qemu-io -r -f raw -c "$@" "$(uri v "$old_name")" >old.out 2>&1 || { cat old.out >&2; fail "$old_name"; }
	if grep -qi -e failed -e error old.out; then cat old.out >&2; fail "$old_name: $*"; fi
}
old "raw:seq:$seq1" 'read -P 1 0 1M' -c 'read -P 0 1M 15M'
old "seq:$seq1" 'read -P 1 0 1M'
old "$time1" 'read -P 1 0 1M'
old "raw:$time1" 'read -P 1 512k 512k'
old "raw:seq:$seq2" 'read -P 0 0 64k' -c 'read -P 1 64k 448k' -c 'read -P 2 512k 1M'
old "raw:seq:0" 'read -P 0 0 16M'
nbdinfo "$(uri v "raw:seq:$seq1")" >nbdinfo.out || fail nbdinfo
contains nbdinfo.out 'is_read_only: true'
contains nbdinfo.out 'can_multi_conn: true'
contains nbdinfo.out 'export-size: 16777216'
qemu-img map --output=json -f raw "$(uri v "raw:seq:$seq2")" >map.json || fail "qemu-img map"
contains map.json '"start": 0, "length": 65536, "depth": 0, "present": true, "zero": true, "data": false'
contains map.json '"start": 65536, "length": 1507328, "depth": 0, "present": true, "zero": false, "data": true'

# What is no moment has no export; names are made visible.
for name in '' now -2h 10:00 seq:99999999 seq:x raw: 2500-01-01T00:00:00Z raw:raw:seq:1 "$(printf 'a\033[31mb')"; do
	if nbdinfo "$(uri v "$name")" >nbdinfo.out 2>&1; then fail "an export is called $name"; fi
done
if grep -q "$(printf '\033')" v.err; then fail "an escape sequence reaches the terminal"; fi
contains v.err "lies in the future"

# Several at once, each by several connections, while the guest writes: a view stays what it is.
(
	i=0
	while [ $i -lt 20 ]; do
		io s "write -P $((i + 10)) 0 4M" 'discard 4M 4M' flush
		i=$((i + 1))
	done
) &
guest=$!
for round in 1 2 3; do
	nbdcopy "$(uri v "raw:seq:$seq1")" "one.$round" &
	one=$!
	nbdcopy "$(uri v "raw:seq:$seq2")" "two.$round" &
	two=$!
	wait $one || fail "nbdcopy"
	wait $two || fail "nbdcopy"
done
wait $guest || fail "the guest"
for round in 2 3; do
	cmp one.1 one.$round || fail "seq:$seq1 changed"
	cmp two.1 two.$round || fail "seq:$seq2 changed"
done
expect_status 0 "$PROVGRAPH" disk export h "seq:$seq2" --raw -o two.img
cmp two.1 two.img || fail "the view and the exported image differ"
# A view sees what came after it was started.
expect_status 0 "$PROVGRAPH" disk info h --json
seq3=$(sed -n 's/.*"last_seq": \([0-9]*\).*/\1/p' out)
old "raw:seq:$seq3" 'read -P 29 0 4M'
stop_disk "$views"
no_files v
stop_disk "$live"
