#!/bin/sh
# SPDX-License-Identifier: MIT
# A history that may not grow any more: the guest gets "no space", reads go on, the end is clean, and more room helps.
. "$SRCDIR/tests/lib.sh"
. "$SRCDIR/tests/serve.sh"
# A preloaded libasan leaves glibc's lock of locales with a negative count; after strerror() the exit of nbdkit then waits for ever.
[ -z "$sanitizer" ] || skip "not under a sanitizer"

expect_status 0 "$PROVGRAPH" disk init h --size 64M --quiet
start_disk serve h s --max-size 12M
io s 'write -P 1 0 4M' flush
status=0
for at in 4 8 12 16 20 24; do
	qemu-io -f raw -c "write -P 2 ${at}M 4M" "$(uri s)" >io.full 2>&1 || status=$?
done
contains io.full "No space left on device"
io s 'read -P 1 0 4M' flush
stop_disk "$served"
contains s.err "largest size"
[ "$(grep -c "largest size" s.err)" -le 2 ] || fail "the same is said again and again"
expect_status 0 "$PROVGRAPH" disk verify h
expect_status 0 "$PROVGRAPH" disk info h --json
used=$(sed -n 's/.*"segment_bytes": \([0-9]*\).*/\1/p' out)
[ "$used" -le 12582912 ] || fail "$used bytes are used"
start_disk serve h s --max-size 64M
io s 'write -P 3 32M 4M' flush 'read -P 3 32M 4M' 'read -P 1 0 4M'
stop_disk "$served"

# Whoever is in the group may connect.
group=$(id -g)
start_disk serve h s --socket-group "$group"
[ "$(stat -c '%a %g' s)" = "660 $group" ] || fail "socket: $(stat -c '%a %g' s)"
stop_disk "$served"
expect_status 2 "$PROVGRAPH" disk serve h --socket s --socket-group no-such-group-here
contains err "no such group"
no_files s
expect_status 2 "$PROVGRAPH" disk serve h --socket "$(printf 'a\001b')"
expect_status 2 "$PROVGRAPH" disk serve h --socket "$(printf '%0120d' 0)"
contains err "a socket's name has at most"
expect_status 2 "$PROVGRAPH" disk serve h --socket nowhere/s
expect_status 2 "$PROVGRAPH" disk serve h --socket s --sync maybe
contains err "is not one of staged, direct"
expect_status 2 "$PROVGRAPH" disk serve nothing-here --socket s
# Names that a shell, QEMU or XML would take apart.
mkdir 'a b,c&d'
start_disk serve h "a b,c&d/s"
grep -qF "file=nbd+unix:///?socket=$PWD/a%20b%2Cc%26d/s,format=raw" "a b,c&d/s.out" || { cat 'a b,c&d/s.out'; fail "-drive is not escaped"; }
contains "a b,c&d/s.out" "socket='$PWD/a b,c&amp;d/s'"
stop_disk "$served"
