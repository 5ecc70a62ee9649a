#!/bin/sh
# SPDX-License-Identifier: MIT
# --evidence DIR: contents before, after and at execution, out of recorded disks. What it writes is what disk cat gives for the same moment,
# byte for byte, and what the guest said of its files; pending content, absences and damage are told; the folder is whole or not there.
. "$SRCDIR/tests/lib.sh"
. "$SRCDIR/tests/cli/data/witness_log.sh"
requires jq cmp awk
sample=$SRCDIR/samples/guest-disk
history=$sample/web01.history
mkdir bin && ln -s "$PROVGRAPH" bin/provgraph
PATH=$PWD/bin:$PATH

evidence() { # DIR LOG HISTORY [OPTION...]
	evidence_folder=$1 evidence_log=$2 evidence_history=$3
	shift 3
	"$PROVGRAPH" --alert-ip 10.0.0.5 --log "$evidence_log" --disk "fe:10=$evidence_history" --json --evidence "$evidence_folder" "$@"
}

# Everything that the manifest says, against disk cat; sets $compared and $absent.
check_folder() { # DIR HISTORY
	[ "$(stat -c %a "$1")" = 700 ] || fail "$1: mode $(stat -c %a "$1")"
	[ -z "$(find "$1" -mindepth 1 ! -type f -o -type f ! -perm 600)" ] || fail "$1 holds something else than files of mode 0600"
	(cd "$1" && sha256sum --quiet --strict -c manifest.sha256) || fail "$1: sums"
	[ "$(find "$1" -type f | wc -l)" -eq $(($(wc -l <"$1/manifest.sha256") + 1)) ] || fail "$1: not all files have a sum"
	[ "$(jq -r 'select(.file) | .file' "$1/manifest.jsonl" | sort -u | wc -l)" -eq "$(find "$1" -name '*.bin' | wc -l)" ] ||
		fail "$1: files that no moment names"
	compared=0 absent=0
	jq -r '[.seq // "-", .inode, .file // "-", .sha256 // "-", .verdict, .size // "-"] | @tsv' "$1/manifest.jsonl" >lines
	while IFS='	' read -r seq inode file sha verdict size; do
		if [ "$seq" = - ]; then
			[ "$file" = - ] || fail "$1: $file is of no moment"
			continue
		fi
		rm -f content
		status=0
		"$PROVGRAPH" disk cat "$2" "seq:$seq" --inode "$inode" -o content --json >cat.json 2>err || status=$?
		if [ "$file" = - ]; then
			[ "$status" -ne 0 ] || [ "$verdict" = "not on disk" ] || fail "$1: seq:$seq, inode $inode: disk cat has it"
			absent=$((absent + 1))
			continue
		fi
		[ "$status" -eq 0 ] || { cat err >&2; fail "$1: seq:$seq, inode $inode: disk cat does not have it"; }
		cmp "$1/$file" content || fail "$1/$file is not what disk cat gives at seq:$seq"
		[ "$(stat -c %s "$1/$file")" = "$size" ] || fail "$1/$file: size"
		[ "$(jq -r .verdict cat.json)" = "$verdict" ] || fail "$1/$file: $verdict, but disk cat: $(jq -r .verdict cat.json)"
		[ "$(jq -r .sha256 cat.json)" = "$sha" ] || fail "$1/$file: the digest is another"
		compared=$((compared + 1))
	done <lines
}

# ---- the sample: what the guest had
witness_log >audit.log
expect_status 0 evidence found audit.log "$history" -o case.json
contains err 'found: '
check_folder found "$history"
[ $compared -ge 8 ] && [ $absent -ge 4 ] || fail "$compared contents and $absent absences were compared"
truth() { awk -v step="$1" '$2 == "after" && $3 == step { print $6 }' "$sample/truth"; }
has() { # PATH INODE WHAT OP HASH
	got=$(jq -r --arg path "$1" --argjson inode "$2" --arg what "$3" --arg op "$4" \
		'select(.path == $path and .inode == $inode and .what == $what and .op == $op) | .sha256' found/manifest.jsonl | sort -u)
	[ "$got" = "$5" ] || fail "$1 $3 $4: $got, expected $5"
}
has /srv/log/auth.log 14 after create "$(printf '%s\n' "$(truth anew)" "$(truth create)" | sort)" # two files of one name and number
has /srv/log/auth.log 14 before open-write "$(truth evil)"
has /srv/log/auth.log 14 after open-write "$(truth tamper)"
has /srv/log/auth.log 14 before delete "$(truth lazy)"
has /srv/home/alice/.tool 15 executed execute "$(truth drop)"
has /srv/home/alice/.tool 15 before delete "$(truth drop)"
jq -e -s 'map(select(.path == "/srv/home/alice/.tool" and .what == "after" and .op == "delete")) | length == 1 and .[0].verdict == "not on disk"' \
	found/manifest.jsonl >/dev/null || fail "the tool is still there"
# The same content at three moments is one file.
[ "$(jq -r 'select(.inode == 15 and .sha256) | .file' found/manifest.jsonl | sort -u | wc -l)" -eq 1 ] || fail "the tool was written more than once"
# Each command gives the content again.
jq -r 'select(.file) | [.sha256, .command] | @tsv' found/manifest.jsonl >commands
while IFS='	' read -r sha command; do
	rm -f again
	eval "${command%FILE}again" >out 2>err || { cat err >&2; fail "$command"; }
	[ "$(sha256sum again | cut -d' ' -f1)" = "$sha" ] || fail "$command: another content"
done <commands
# Times: the audit stamp and the host's clock, with its error.
jq -e -s 'all(.[]; (.host_error_ns | tonumber) as $error | ((.host_time_ns | tonumber) - (.audit_time_ns | tonumber)) as $offset |
	$error > 0 and $error < 100000000 and $offset > 600000000 and $offset < 700000000)' found/manifest.jsonl >/dev/null ||
	fail "the host's time"
# Links of the case are named as the case names them.
jq -r '.edge // empty' found/manifest.jsonl | sort -u >edges
[ -s edges ] || fail "no link is named"
while read -r edge; do
	grep -q "\"id\":\"$edge\"\|\"id\": \"$edge\"" case.json || fail "the case has no link $edge"
done <edges

# ---- the folder
mkdir second
expect_status 0 evidence second/ audit.log "$history" -o second.json --quiet # an empty one is taken
diff -r found second || fail "two runs differ"
[ ! -s err ] || fail "--quiet: $(cat err)"
expect_status 2 evidence found audit.log "$history"
contains err 'is not empty'
expect_status 0 evidence found audit.log "$history" --force
check_folder found "$history"
: >found/notes.txt
expect_status 2 evidence found audit.log "$history" --force
contains err 'notes.txt'
[ -e found/notes.txt ] && [ -e found/manifest.jsonl ] || fail "what was there is gone"
mkdir other && ln -s other link && : >file
expect_status 2 evidence link audit.log "$history" --force
expect_status 2 evidence file audit.log "$history" --force
expect_status 2 evidence nowhere/deep audit.log "$history"
[ -z "$(ls -A other)" ] || fail "written through a link"
no_files ./*.provgraph-* nowhere

# A full disk: nothing stays.
if unshare -rm true 2>/dev/null; then
	mkdir small
	# shellcheck disable=SC2016 # expanded by the inner shell
	status=0
	unshare -rm sh -c 'mount -t tmpfs -o size=96k none small && "$@" || { ls -A small >left; exit 2; }' sh \
		"$PROVGRAPH" --alert-ip 10.0.0.5 --log audit.log --disk "fe:10=$history" --json --evidence small/found >out 2>err || status=$?
	[ $status -eq 2 ] || fail "status $status on a full disk"
	contains err 'No space left'
	[ ! -s left ] || fail "left on a full disk: $(cat left)"
fi

# ---- content that is pending, in the recording that disk-verdict.sh describes; a name that would lead elsewhere
tar xzf "$SRCDIR/tests/cli/data/pending.history.tar.gz" || fail "tar"
pending_log() {
	awk -v name="$1" '
	function call(at, number, ret, items) {
		serial++
		msg = sprintf("audit(%d.%03d:%d)", 1795277300 + int(at), int(at * 1000 + 0.5) % 1000, serial)
		printf "type=SYSCALL msg=%s: arch=c000003e syscall=%d success=yes exit=%d a0=ffffff9c a1=2 a2=42 a3=1b6 items=%d ppid=1 pid=200 auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=3 comm=\"sh\" exe=\"/usr/bin/dash\" key=\"k\"\n", msg, number, ret, items
	}
	function path(item, name, inode, kind, mode) {
		printf "type=PATH msg=%s: item=%d name=%s inode=%d dev=fe:10 mode=%s ouid=0 ogid=0 rdev=00:00 nametype=%s cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0\n", msg, item, name, inode, mode, kind
	}
	function open_write(at) { call(at, 257, 4, 1); printf "type=CWD msg=%s: cwd=\"/\"\n", msg; path(0, name, 13, "NORMAL", "0100644") }
	BEGIN {
		serial = 10
		call(72.940, 257, 3, 2); printf "type=CWD msg=%s: cwd=\"/\"\n", msg; path(0, "\"/srv/log\"", 12, "PARENT", "040755"); path(1, name, 13, "CREATE", "0100644")
		open_write(73.156); open_write(76.000)
		call(76.500, 42, 0, 0); printf "type=SOCKADDR msg=%s: saddr=0200115C0A0000050000000000000000\n", msg
	}'
}
# "/srv/\n../../\033[2Jé-$(x)'a very long name that goes on and on.log"
pending_log 2F7372762F0A2E2E2F2E2E2F1B5B324AC3A92D24287829276120766572792061206C6F6E67206E616D65207468617420676F6573206F6E20616E64206F6E2E6C6F67 >pending.log
expect_status 0 evidence pending pending.log pending.history -o pending.json
contains err 'pending 2'
check_folder pending pending.history
jq -e -s 'map(select(.verdict == "committed, content pending")) |
	length == 2 and all(.[]; .pending_bytes == 135 and .pending_from == 1515 and .complete_seq > .seq)' pending/manifest.jsonl >/dev/null ||
	{ jq -c '[.event, .what, .seq, .verdict]' pending/manifest.jsonl >&2; fail "pending content"; }
jq -e -s 'map(select(.what == "complete")) | length >= 2 and all(.[]; .verdict == "on disk" and .size == 1650 and .file)' pending/manifest.jsonl >/dev/null ||
	fail "the complete state beside it"
[ -z "$(find pending -mindepth 1 | LC_ALL=C grep '[^-A-Za-z0-9._+/]')" ] || fail "a name out of the guest: $(ls pending)"

# ---- a history that cannot be read in part: told for each moment, and the rest is there
cp -r "$history" damaged.history && chmod -R u+w damaged.history
printf XXXXXXXX | dd of=damaged.history/segments/00000002.segment bs=1 seek=40000 conv=notrunc status=none
expect_status 0 evidence part audit.log damaged.history -o part.json
contains err 'unreadable 3'
(cd part && sha256sum --quiet --strict -c manifest.sha256) || fail "part: sums"
moments() { jq -c 'select(.what != "complete") | [.node, .event, .what, .op]' "$1/manifest.jsonl"; }
moments second >whole && moments part >got
same whole got
jq -e -s 'map(select(.verdict == "unreadable")) | length == 3 and all(.[]; (.reason | contains("record 153")) and (has("file") | not))' \
	part/manifest.jsonl >/dev/null || fail "the damage is not told"
jq -r 'select(.file) | .file' part/manifest.jsonl | sort -u >files
[ "$(wc -l <files)" -ge 4 ] || fail "what can be read is missing"

# Its end is cut off: the last that is known, marked as such, and what never came.
dd if=/dev/zero of=damaged.history/segments/00000003.segment bs=1 seek=4096 count=20000 conv=notrunc status=none
cp "$history/segments/00000002.segment" damaged.history/segments/
expect_status 0 evidence end audit.log damaged.history -o end.json
check_folder end damaged.history
jq -e -s 'any(.[]; .recording_ended and .file) and any(.[]; .what == "after" and .verdict == "no later state in the recording")' \
	end/manifest.jsonl >/dev/null || fail "the end of the recording is not told"

# ---- recorded guests whose clocks are off: a dropped program that was executed long before it was on the disk, and that ends in NUL bytes as
# programs do, is whole
for sample in "$SRCDIR"/samples/guest-*/; do
	[ -e "$sample/truth.json" ] || continue
	name=$(basename "$sample")
	status=0
	evidence "$name" "$sample" "$sample/web01.history" -o "$name.json" >out 2>err || status=$?
	[ $status -eq 0 ] || [ $status -eq 3 ] || { cat err >&2; fail "$name: status $status"; } # 3: a log that was removed leaves a gap
	check_folder "$name" "$sample/web01.history"
	jq -e -s --slurpfile truth "$sample/truth.json" '. as $lines | $truth[0].disk.executed | map(select(.reached_disk)) | length > 0 and all(.[]; . as $program |
		[$lines[] | select(.inode == $program.inode and .op == "execute")] | map(select(.what == "executed")) as $runs |
		($runs | length > 0) and all($runs[]; .verdict == "on disk" and (.sha256 == $program.sha256 or .complete_seq != null)) and
		any(.[]; .sha256 == $program.sha256))' "$name/manifest.jsonl" >/dev/null || {
		jq -c 'select(.op == "execute") | [.what, .seq, .verdict, .size, .sha256, .complete_seq]' "$name/manifest.jsonl" >&2
		fail "$name: what was executed"
	}
done
