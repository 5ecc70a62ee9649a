#!/bin/sh
# SPDX-License-Identifier: MIT
# disk clock and --guest-time on a recording of a real guest, which read its clock once, from a hardware clock with a resolution of a second.
. "$SRCDIR/tests/lib.sh"
requires jq mke2fs
history=$SRCDIR/samples/guest-disk/web01.history

expect_status 0 "$PROVGRAPH" disk clock "$history" --utc
contains out "HOST - GUEST (s)"
[ "$(wc -l <out)" -eq 2 ] || fail "$(cat out)"
grep -qE '^2026-11-21T15:38:49\.[0-9]+\+00:00 +\+0\.66[0-9]{4} +0\.00[2-4][0-9]{3} +\+0\.0 +33 journal$' out || fail "$(cat out)"
same err /dev/null
expect_status 0 "$PROVGRAPH" disk clock "$history" --json
jq -e '.source == "journal" and .samples == 33 and .contradicting == 0 and (.stepped | not) and .middle_offset_ns > 655000000 and
	.middle_offset_ns < 665000000 and .middle_error_ns < 5000000 and .from_ns < .middle_ns and .middle_ns < .to_ns and
	(.middle_offset_seconds * 1e9 - .middle_offset_ns | fabs) < 1000' out >/dev/null || fail "$(cat out)"

# The offset agrees with file times, which are the guest's: what the host calls `after create` was modified shortly before, less the offset.
# (An inode's times come from the coarse clock, and the file was synced before the stamp.)
after=$(sed -n 's/ after create .*//p' "$SRCDIR/samples/guest-disk/truth")
before=$(sed -n 's/ before create$//p' "$SRCDIR/samples/guest-disk/truth")
offset=$(jq .middle_offset_ns out)
expect_status 0 "$PROVGRAPH" --versions /log/auth.log --disk "$history" --json
modified=$(jq -s '.[0].modified_ns' out)
[ $((modified + offset)) -ge $((before - 10000000)) ] || fail "the file was modified before the guest began"
[ $((modified + offset)) -le "$after" ] || fail "the file was modified after the guest was done"

# A moment by the guest's clock is the same moment by the host's.
guest=$((after - offset))
for verb in "cat" "ls"; do
	expect_status 0 "$PROVGRAPH" disk $verb "$history" "@$((after / 1000000000)).$(printf %09d $((after % 1000000000)))" /log/auth.log
	cp out wanted
	expect_status 0 "$PROVGRAPH" disk $verb --guest-time "$history" "@$((guest / 1000000000)).$(printf %09d $((guest % 1000000000)))" /log/auth.log
	same out wanted
	contains err "by the guest's clock is 2026-11-21T15:38:42.9840047"
	contains err "+-0.00"
done
expect_status 0 "$PROVGRAPH" --restore-at "@$((guest / 1000000000)).$(printf %09d $((guest % 1000000000)))" --guest-time --disk "$history" \
	--path /log/auth.log
[ "$(sha256sum <out | cut -d ' ' -f 1)" = "$(sed -n 's/.* after create .* //p' "$SRCDIR/samples/guest-disk/truth")" ] || fail "another content"
# seq:N is no time; --quiet says nothing.
expect_status 0 "$PROVGRAPH" disk ls --guest-time --quiet "$history" seq:200 /
same err /dev/null

# The span only chooses what is shown.
expect_status 0 "$PROVGRAPH" disk clock "$history" --utc --from 2026-11-21T15:38:50Z --to 2026-11-21T15:38:52Z
contains out '2026-11-21T15:38:51'
contains out '+0.66'
expect_status 2 "$PROVGRAPH" disk clock "$history" --from 2026-11-21T15:38:52Z --to 2026-11-21T15:38:50Z
expect_status 2 "$PROVGRAPH" disk clock "$history" /log/auth.log

# Recordings whose guests told both clocks at once, again and again: the true offset lies between disk.clock.low_ns and .high_ns; where the
# clock was set once, between those of disk.clock.step from there on.
checked=0
for truth in "$SRCDIR"/samples/guest-*/truth.json; do
	[ -e "$truth" ] || continue
	expect_status 0 "$PROVGRAPH" disk clock "$(dirname "$truth")/$(jq -r .disk.history "$truth")" --json
	jq -e -s --slurpfile truth "$truth" '($truth[0].disk.clock | [., .step // empty]) as $parts | length == ($parts | length) and
		all([., $parts] | transpose[]; .[1] as $true | .[0] |
		.middle_offset_ns - .middle_error_ns <= $true.low_ns and .middle_offset_ns + .middle_error_ns >= $true.high_ns and
		.middle_error_ns <= 10000000 and (.middle_offset_ns - ($true.low_ns + $true.high_ns) / 2 | fabs) <= 5000000)' out >/dev/null || {
		cat out >&2
		fail "$truth: the offset is $(jq -c '.disk.clock | [.low_ns, .high_ns]' "$truth")"
	}
	checked=$((checked + 1))
done
[ $checked -ge 2 ] || fail "$checked recordings were compared"

# A disk on which nothing tells the time; one without a file system.
mke2fs -q -t ext4 -O ^has_journal image 4M || fail "mke2fs"
"$PROVGRAPH" disk init silent --base image >init.out 2>&1 || fail "$(cat init.out)"
expect_status 1 "$PROVGRAPH" disk clock silent
contains err "nothing on this disk tells the guest's time"
expect_status 2 "$PROVGRAPH" disk ls --guest-time silent now
contains err "without --guest-time"
"$PROVGRAPH" disk init empty --size 1M >init.out 2>&1 || fail "$(cat init.out)"
expect_status 2 "$PROVGRAPH" disk clock empty

# When a state arrived is told of a guest, too, whose clock is an hour off.
expect_status 0 "$PROVGRAPH" disk cat "$SRCDIR/samples/guest-clock/web01.history" now /log/auth.log --utc -o content
grep -q '  disk arrival: 2026-.* (this host' err || { cat err >&2; fail "no disk arrival"; }
