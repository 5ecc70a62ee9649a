#!/bin/sh
# SPDX-License-Identifier: MIT
# The examples of the manual page and of README.md run as they stand, in the project's folder.
. "$SRCDIR/tests/lib.sh"
requires jq
[ -d "$SRCDIR/samples/mail-attachment" ] || skip "samples/mail-attachment is not there"

mkdir bin
ln -s "$PROVGRAPH" bin/provgraph
PATH=$PWD/bin:$PATH
ln -s "$SRCDIR/samples" samples

# Commands: in the manual between .EX and .EE, in the README indented lines of code that begin with "provgraph ".
sed -n '/^\.EX/,/^\.EE/p' "$BUILD/provgraph.1" | sed 's/\\-/-/g; s/\\e/\\/g' | grep '^provgraph ' >commands
sed -n 's/^    \(provgraph .*\)/\1/p' "$SRCDIR/README.md" >>commands
[ "$(wc -l <commands)" -ge 6 ] || fail "too few examples were found"
ran=0
while read -r command; do
	case $command in
	*samples/*) ;;
	*) continue ;; # reads the host's own logs
	esac
	rm -f ./*.svg ./*.csv
	status=0
	sh -c "$command" >out 2>err </dev/null || status=$?
	case $status in
	0 | 3) ;;
	1) case $command in *'rules --check'* | *' disk tamper '*) ;; *) fail "status 1: $command: $(cat err)" ;; esac ;;
	*) fail "status $status: $command: $(cat err)" ;;
	esac
	ran=$((ran + 1))
done <commands
[ "$ran" -ge 4 ] || fail "only $ran examples ran"
