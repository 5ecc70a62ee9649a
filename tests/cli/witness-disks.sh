#!/bin/sh
# SPDX-License-Identifier: MIT
# Several recorded disks, partitions of one, and one that is not the device's.
. "$SRCDIR/tests/lib.sh"
. "$SRCDIR/tests/cli/data/witness_log.sh"
requires jq python3
history=$SRCDIR/samples/guest-disk/web01.history
expect_status 0 "$PROVGRAPH" disk export "$history" --format dm-log-writes -o writes

# other NAME SECONDS PARTITIONS [FROM_NS STEP]: NAME.history
other() {
	name=$1
	shift
	python3 "$SRCDIR/tests/cli/data/witness_disks.py" writes "$name.writes" "$@" || fail "$name: witness_disks.py"
	expect_status 0 "$PROVGRAPH" disk init "$name.history" --size 512M --quiet
	expect_status 0 "$PROVGRAPH" disk import "$name.history" "$name.writes" --quiet
	rm "$name.writes"
}
other long 600 0
other parts 0 2
witness_log >audit.log
witness_log fe:11 >first.log
ask() {
	expect_status "$1" "$PROVGRAPH" --alert-ip 10.0.0.5 --json --utc --log "$2" "$3" "$4" ${5+"$5" "$6"}
}

# Not its disk: the log saw its files made at other times than the disk, which recorded long enough to know.
witness_log fe:10 100 >late.log
ask 2 late.log --disk fe:10=long.history
contains err 'long.history is not the disk of device fe:10: of'
contains err 'Which history'
ask 0 audit.log --disk fe:10=long.history
right_disk

# Which partition? Both hold a file system; each is as good, since they are copies.
ask 2 first.log --disk fe:11=parts.history
contains err 'parts.history: '
contains err '2 (ext4, 192.0 MiB)'
for n in 1 2; do
	ask 0 first.log --disk fe:11=parts.history:$n
	right_disk "fe:11 is parts.history:$n"
	contains err "guest's clock 0.6"
	jq -e --arg n $n '[.recover[].command | select(contains(" --disk parts.history:" + $n + " --inode 15"))] | length >= 1' out >/dev/null ||
		fail "no command names the partition"
done
# One is enough of each: a partition cannot be two devices, nor part of one be left open.
sed 's/inode=\(12\|13\|24577\) dev=fe:11/inode=\1 dev=fe:12/' first.log >both.log
ask 2 both.log --disk fe:11=parts.history:1 --disk fe:12=parts.history:1
contains err 'the same recorded disk'
ask 2 both.log --disk fe:11=parts.history:1 --disk fe:12=parts.history
contains err 'the same recorded disk'

# Two at once: each answers for its own files.
ask 0 both.log --disk fe:12=parts.history:2 --disk fe:11=parts.history:1
right_disk 'fe:12 is parts.history:2'
right_disk 'fe:11 is parts.history:1'
contains err '; by all disks '
mv out twice
ask 0 both.log --disk fe:12=parts.history:2 --disk fe:11=parts.history:1
same twice out

# Two hosts in one log; the one that the contact is of needs no name.
witness_log fe:10 0 web >hosts.log
witness_log fe:10 0 db | sed 's/saddr=0200115C0A000005/saddr=0200115C0A000009/' >>hosts.log
ask 0 hosts.log --disk "fe:10=$history"
contains err '7 files asked'
ask 0 hosts.log --disk "web/fe:10=$history" --disk db/fe:10=long.history
right_disk 'db/fe:10 is long.history'
contains err '; 0 files asked'

# A clock that was set back: a finding, and both stretches of that time are looked at.
other stepped 0 0 1795275533000000000 90
ask 0 audit.log --disk fe:10=stepped.history
right_disk
jq -e '[.completeness.missing[].words | select(startswith("the guest'"'"'s clock was set back by 9"))] | length == 1' out >/dev/null ||
	fail "the step is not told"
jq -e '.disks[0].clock | map(.stepped) == [false, true]' out >/dev/null || fail "clock: $(jq -c '.disks[0].clock' out)"

# The reader gives up at the last question, for contents: the case stands, with commands and without what they would give.
mkdir -m 777 broken
cp "$PROVGRAPH" broken/provgraph
[ ! -e "$BUILD/provgraph-layout" ] || cp "$BUILD/provgraph-layout" broken
cat >broken/provgraph-fsread <<END
#!/bin/sh
echo >>"$PWD/broken/questions"
[ "\$(wc -l <"$PWD/broken/questions")" -ne "\$(cat "$PWD/broken/fails")" ] || exit 1
exec "$BUILD/provgraph-fsread"
END
chmod 755 broken/provgraph-fsread
: >broken/questions
echo 0 >broken/fails
expect_status 0 broken/provgraph --alert-ip 10.0.0.5 --json --log audit.log --disk "fe:10=$history"
jq -e '[.recover[] | select(.before_sha256 != "")] | length > 0' out >/dev/null || fail "no hashes"
wc -l <broken/questions >broken/fails
: >broken/questions
expect_status 0 broken/provgraph --alert-ip 10.0.0.5 --json --log audit.log --disk "fe:10=$history"
contains err 'the page has commands, but no contents of this disk'
jq -e '[.recover[] | select(.before_sha256 != "" or .preview != "")] == []' out >/dev/null || fail "contents out of nowhere"
# At the one before, for states: the case stands without what the disk showed.
total=$(cat broken/fails)
echo $((total - 1)) >broken/fails
: >broken/questions
expect_status 0 broken/provgraph --alert-ip 10.0.0.5 --json --log audit.log --disk "fe:10=$history"
contains err "$history: provgraph-fsread"
contains err 'the case goes on without what this disk showed'
jq -e '[.nodes[] | select(.kind == "file") | .disk_states[]] == [] and any(.completeness.missing[]; .words | test("could not be read"))' out >jq.out ||
	fail "states out of nowhere"
jq -e '[.nodes[] | .disk_verdict // empty | select(test("never reached"))] == []' out >jq.out || fail "a disk that was not read proves nothing"
# Where the guest's clock is asked for, the disk is unusable, and named.
echo 2 >broken/fails
: >broken/questions
expect_status 2 broken/provgraph --alert-ip 10.0.0.5 --json --log audit.log --disk "fe:10=$history" --disk-log /log/audit.log
contains err "provgraph-fsread"
