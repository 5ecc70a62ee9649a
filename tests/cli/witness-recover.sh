#!/bin/sh
# SPDX-License-Identifier: MIT
# The recover panel against what the guests told of their own files: hashes before and after a tampering, of what was executed, and what
# the printed commands give back.
. "$SRCDIR/tests/lib.sh"
requires jq zstd
sample=$SRCDIR/samples/guest-tamper
mkdir bin
ln -s "$PROVGRAPH" bin/provgraph
PATH=$PWD/bin:$PATH

expect_status 0 provgraph --log "$sample" --alert-ip 10.0.0.5 --disk "fe:10=$sample/web01.history" --json --utc
mv out case.json
truth() { jq -r "$1" "$sample/truth.json"; }
node() { jq -r --arg path "$1" '.nodes[] | select(.path == $path) | .id' case.json; }
panel() { jq -r --arg node "$(node "$1")" ".recover[] | select(.node == \$node) | $2" case.json; }
equals() { [ "$1" = "$2" ] || fail "$3: $1, not $2"; }

# The line in auth.log, in place: what it was, what it is, and the difference between them.
for when in before after; do
	hash=$(truth ".disk.states[] | select(.step == \"tamper\" and .when == \"$when\" and .path == \"/var/log/auth.log\") | .sha256")
	equals "$(panel /var/log/auth.log ".${when}_sha256")" "$hash" "auth.log $when"
	command=$(panel /var/log/auth.log "if \"$when\" == \"before\" then .command else .command_after end")
	sh -c "$command -o $when.log --quiet" || fail "$command"
	equals "$(sha256sum <$when.log | cut -d' ' -f1)" "$hash" "$command"
done
panel /var/log/auth.log .preview >preview
contains preview '- Nov 21'
contains preview 'from 10.0.0.5 port 40002'
contains preview '+ Nov 21'
equals "$(panel /var/log/auth.log .verdict)" complete auth.log
case $(panel /var/log/auth.log .words) in 'before invoice.bin ['*'] opened it for writing') ;; *) fail "$(panel /var/log/auth.log .words)" ;; esac

# A program that was executed before its content had reached the disk, and deleted later: the hash is of what ran.
hash=$(truth '.disk.executed[] | select(.id == "invoice") | .sha256')
equals "$(panel /home/alice/Downloads/invoice.bin .executed_sha256)" "$hash" 'what was executed'
equals "$(panel /home/alice/Downloads/invoice.bin .before_sha256)" "$hash" 'before it was deleted'
# One that never arrived: no hash is made up, and the command says so, too.
equals "$(panel /home/alice/.cache/.y .verdict)" 'never reached the disk' .y
equals "$(panel /home/alice/.cache/.y '.before_sha256 + .after_sha256 + .executed_sha256')" '' .y
expect_status 1 sh -c "$(panel /home/alice/.cache/.y .command) -o y"

# The text has them, too: the line, the hashes, and each command on one line.
expect_status 0 provgraph --log "$sample" --alert-ip 10.0.0.5 --disk "fe:10=$sample/web01.history" --format text --utc
mv out case.text
contains case.text 'What the disk gives back'
contains case.text "sha256 as executed $hash"
contains case.text '- Nov 21 18:35:41 web01 sshd[702]: Accepted publickey for alice from 10.0.0.5 port 40002 ssh2'
contains case.text '+ Nov 21 18:35:41 web01 sshd[702]: Accepted publickey for alice from 10.0.0.8 port 40002 ssh2'
contains case.text '/home/alice/.cache/.y, before it was deleted: never reached the disk'
lacks case.text '--disk HISTORY'
for when in before after; do
	hash=$(truth ".disk.states[] | select(.step == \"tamper\" and .when == \"$when\" and .path == \"/var/log/auth.log\") | .sha256")
	sed -n '/^  .var.log.auth.log, before/,/^    after:/p' case.text >auth.text
	grep -Eq "^    sha256 $when +$hash\$" auth.text || fail "the text has not the hash $when"
	sh -c "$(sed -n "s/^    $when: *//p" auth.text) -o text.$when --quiet" || fail "the text's command for $when"
	equals "$(sha256sum <"text.$when" | cut -d' ' -f1)" "$hash" "the text's command for $when"
done
expect_status 0 provgraph --log "$SRCDIR/samples/guest-audit" --alert-ip 10.0.0.5 --disk "fe:10=$SRCDIR/samples/guest-audit/web01.history" --format text
sed -n 's/^ *-a /-a /p' out >rules
[ "$(wc -l <rules)" -ge 3 ] || fail "few rules"
while read -r rule; do
	grep -qFx -e "$rule" "$SRCDIR/samples/provgraph.rules" || fail "a rule that cannot be copied: $rule"
done <rules
expect_status 0 provgraph --log "$sample" --alert-ip 10.0.0.5 --format text --utc
lacks out 'gives back'

# Folders have no content; other devices have no history.
[ -z "$(panel /home/alice .command)" ] || fail "a folder is offered"
panel /etc/shadow .command | grep -q -- '--disk HISTORY ' || fail "/etc/shadow: $(panel /etc/shadow .command)"

# What the kernel makes up has no content on any disk; all of the recorded disk's files have their history in the command.
[ -n "$(node /proc/filesystems)" ] || fail "/proc/filesystems is not drawn"
[ -z "$(panel /proc/filesystems .command)" ] || fail "/proc is offered"
jq -e '. as $case | all(.recover[]; . as $r | ($case.nodes[] | select(.id == $r.node)) as $n | (.command | contains("--disk HISTORY ")) == ($n.disk == null))' \
	case.json >/dev/null || fail "a command without its history"

# The same question, the same bytes, in html too; and what was asked stands in the page.
expect_status 0 provgraph --log "$sample" --alert-ip 10.0.0.5 --disk "fe:10=$sample/web01.history" --json --utc
same case.json out
for n in 1 2; do
	expect_status 0 provgraph --log "$sample" --alert-ip 10.0.0.5 --disk "fe:10=$sample/web01.history" -o $n.html --utc
done
cmp 1.html 2.html || fail "two pages differ"
contains 1.html "$hash"
jq -r .command case.json >asked
contains asked "fe:10=$sample/web01.history"
