#!/bin/sh
# SPDX-License-Identifier: MIT
# The history of samples/guest-disk, recorded from a real guest: every state that the guest told of its own files comes back, byte for byte,
# without root; the versions of its log; the tampering; what came and went.
. "$SRCDIR/tests/lib.sh"
requires jq
sample=$SRCDIR/samples/guest-disk
history=$sample/web01.history
# Reading changes nothing, and needs nothing but to read.
before=$(cd "$history" && find . -type f -exec sha256sum {} + | LC_ALL=C sort)

at() {
	printf '@%s.%s' "${1%?????????}" "${1#"${1%?????????}"}"
}

states=0
while read -r stamp what step path size hash; do
	[ "$what" = after ] || continue
	rm -f restored
	status=0
	"$PROVGRAPH" --restore-at "$(at "$stamp")" --disk "$history" --path "/$path" -o restored >out 2>err || status=$?
	if [ -z "$size" ]; then
		[ $status -eq 1 ] || fail "$step: status $status for a file that was not there"
		no_files restored
		continue
	fi
	[ $status -eq 0 ] || { cat err >&2; fail "$step: status $status"; }
	got=$(sha256sum restored | cut -d' ' -f1)
	if [ "$step" = lazy ]; then # not on disk yet at that moment: what was before
		[ "$got" != "$hash" ] || fail "the disk cannot have had this yet"
		[ "$(stat -c %s restored)" -eq 21545 ] || fail "size before the late line"
		continue
	fi
	[ "$got" = "$hash" ] || fail "$step: /$path differs from what the guest had"
	states=$((states + 1))
done <"$sample/truth"
[ $states -ge 30 ] || fail "$states states were compared"

expect_status 0 "$PROVGRAPH" --versions /log/auth.log --disk "$history" --json
[ "$(jq -s '[.[] | .states? // .] | flatten | length' out)" -ge 30 ] || fail "too few versions of the log"

expect_status 1 "$PROVGRAPH" disk tamper "$history" /log/auth.log
contains out 'from 10.0.0.5'
contains out 'from 10.0.0.9'
lacks out 'cron[900]' # an append is no tampering

expect_status 0 "$PROVGRAPH" disk files "$history" seq:1 now
contains out '/home/alice/.tool'
expect_status 1 "$PROVGRAPH" disk diff "$history" seq:100 now
contains out '/log/auth.log'
expect_status 0 "$PROVGRAPH" disk verify "$history"
expect_status 0 "$PROVGRAPH" disk info "$history" --json

# A history without its index, and one that was copied without its rights, say the same.
cp -r "$history" copy
rm -rf copy/index
chmod -R a-w copy
expect_status 1 "$PROVGRAPH" disk tamper copy /log/auth.log
contains out 'from 10.0.0.5'
chmod -R u+w copy

after=$(cd "$history" && find . -type f -exec sha256sum {} + | LC_ALL=C sort)
[ "$before" = "$after" ] || fail "reading changed the history"
