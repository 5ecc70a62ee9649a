#!/bin/sh
# SPDX-License-Identifier: MIT
# What disk cat says of a log at every single moment of a small recorded ext4 disk: a state whose content is pending gets a command that
# gives it whole, an absence says when the file is first there, and the bytes are those of the view whatever the verdict.
#
# The recording (a kernel's ext4, commit=1): 40 lines and fsync; a line of an intruder and fsync; 135 bytes without fsync, committed two seconds
# later and on the disk three seconds after that; 1,080 bytes; fsync; "end" and fsync.
. "$SRCDIR/tests/lib.sh"
requires jq cmp
tar xzf "$SRCDIR/tests/cli/data/pending.history.tar.gz" || fail "tar"
history=pending.history
path=/log/auth.log
mkdir bin && ln -s "$PROVGRAPH" bin/provgraph
last=$("$PROVGRAPH" disk info "$history" --json | jq .last_seq)
[ "$last" -gt 50 ] || fail "only $last records"

nul_bytes() { # FILE FROM COUNT
	tail -c +$(($2 + 1)) "$1" | head -c "$3" | tr -dc '\0' | wc -c
}
pending=0 whole=0 absent=0 seen=
seq=1
while [ "$seq" -le "$last" ]; do
	rm -f file
	status=0
	"$PROVGRAPH" disk cat "$history" "seq:$seq" $path -o file --json >json 2>err || status=$?
	case $status in
	0)
		[ "$(jq .size json)" -eq "$(wc -c <file)" ] || fail "seq:$seq: the size is another"
		[ "$(jq -r .sha256 json)" = "$(sha256sum file | cut -d' ' -f1)" ] || fail "seq:$seq: the digest is another"
		;;
	1)
		no_files file
		absent=$((absent + 1))
		if [ "$(jq .complete_seq json)" -gt 0 ]; then
			[ "$(jq .complete_seq json)" -gt "$seq" ] || fail "seq:$seq: first there before it"
			"$PROVGRAPH" disk cat "$history" "seq:$(jq .complete_seq json)" $path >first 2>err || fail "seq:$seq: not there when it should be: $(cat err)"
		fi
		;;
	2) # before there was a whole file system
		[ -z "$seen" ] && [ -s err ] || fail "seq:$seq: $(cat err)"
		;;
	*) fail "seq:$seq: status $status" ;;
	esac
	[ $status -eq 2 ] || seen=1
	if [ $status -eq 0 ] && [ "$(jq -r .verdict json)" = "committed, content pending" ]; then
		pending=$((pending + 1))
		from=$(jq .pending_from json) bytes=$(jq .pending_bytes json) complete=$(jq .complete_seq json)
		[ "$(nul_bytes file "$from" "$bytes")" -gt 0 ] || fail "seq:$seq: nothing is missing there"
		if [ "$complete" -gt 0 ]; then
			[ "$complete" -gt "$seq" ] || fail "seq:$seq: complete before it"
			# The printed command, as it stands.
			sed -n 's/^provgraph: the first later state that has them: \(provgraph .*\) -o FILE$/\1/p' err >command_line
			[ "$(wc -l <command_line)" -eq 1 ] || fail "seq:$seq: no command: $(cat err)"
			grep -q -e '--restore-at @[0-9]*\.[0-9]\{9\} ' command_line || fail "seq:$seq: not in host time to the nanosecond: $(cat command_line)"
			rm -f later
			PATH=$PWD/bin:$PATH sh -c "$(cat command_line) -o later" >out 2>&1 || fail "seq:$seq: the command fails: $(cat out)"
			[ "$(nul_bytes later "$from" "$bytes")" -eq 0 ] || fail "seq:$seq: the command's state has not the bytes"
			head -c "$from" file >head1 && head -c "$from" later >head2
			cmp head1 head2 || fail "seq:$seq: what lies before is another"
		fi
	elif [ $status -eq 0 ]; then
		whole=$((whole + 1))
		[ "$(jq -r .verdict json)" = "on disk" ] || fail "seq:$seq: $(jq -r .verdict json)"
		[ "$(nul_bytes file 0 "$(wc -c <file)")" -eq 0 ] || fail "seq:$seq: NUL bytes, and no word of it"
	fi
	seq=$((seq + 1))
done
[ $whole -ge 15 ] && [ $pending -ge 5 ] && [ $absent -ge 1 ] || fail "$whole whole, $pending pending, $absent absent: too few"
contains file "Accepted password for root"
[ "$(wc -c <file)" -eq 2734 ] || fail "the last state has $(wc -c <file) bytes"

# Between its birth and its arrival the guest had it and the disk had not.
born=$(jq -r .born json)
expect_status 1 "$PROVGRAPH" --restore-at "$born" --disk $history --path $path -o none
contains err "not yet on disk"
contains err "first state that has it: provgraph --restore-at @"
no_files none
expect_status 1 "$PROVGRAPH" --restore-at "$born" --disk $history --path /log/never -o none
contains err "never on disk"
# A file that was there once, and is no longer: until when, and the command that still has it.
sample=$SRCDIR/samples/guest-disk/web01.history
expect_status 1 "$PROVGRAPH" disk cat "$sample" now /home/alice/.tool -o none
contains err "no longer on disk: it was there before, and is gone since"
no_files none
sed -n 's/^provgraph: the last state that has it: \(provgraph .*\) -o FILE$/\1/p' err >command_line
PATH=$PWD/bin:$PATH sh -c "$(cat command_line) -o tool" >out 2>&1 || fail "the command fails: $(cat out)"
hash=$(sed -n 's/^.* after drop .* //p' "${sample%/*}/truth")
[ "$(sha256sum tool | cut -d' ' -f1)" = "$hash" ] || fail "the command gives other bytes"
"$PROVGRAPH" disk cat "$sample" now /home/alice/.tool -o none --json >json 2>err && fail "it is there"
[ "$(jq -r .verdict json)" = "no longer on disk" ] || fail "$(jq -r .verdict json)"
last_seq=$(jq .last_seq json)
expect_status 0 "$PROVGRAPH" disk cat "$sample" "seq:$last_seq" /home/alice/.tool -o last
expect_status 1 "$PROVGRAPH" disk cat "$sample" "seq:$((last_seq + 1))" /home/alice/.tool -o none
expect_status 1 "$PROVGRAPH" disk cat "$sample" seq:10 /log/auth.log -o none
contains err "not yet on disk: it is first seen at"
# An inode that is used again is another file, and has no part in the first one's name.
expect_status 0 "$PROVGRAPH" disk log "$sample" /log/auth.log
contains out "replaced by another file that has inode 14 again"
expect_status 0 "$PROVGRAPH" disk files "$sample" seq:1 now
[ "$(grep -c /home/alice/.tool out)" -eq 1 ] || fail "two files have one name: $(cat out)"
contains out "no name of it reached the disk"
# The home blocks have less than the journal, and nobody judges them.
expect_status 1 "$PROVGRAPH" disk cat $history seq:30 $path --raw
expect_status 0 "$PROVGRAPH" disk cat $history "seq:$last" $path --raw
contains err "not judged"
# A tree says whose content was pending.
state=$("$PROVGRAPH" disk log $history $path --json 2>err | jq -s 'map(select(.pending_bytes > 0))[0].seq')
expect_status 0 "$PROVGRAPH" disk cat $history "seq:$state" / -o tree
contains err "content of 1 files is committed and pending"
[ "$(jq -r 'select(.path == "/log/auth.log").pending_bytes' tree.manifest.jsonl)" = 135 ] || fail "the manifest: $(cat tree.manifest.jsonl)"
