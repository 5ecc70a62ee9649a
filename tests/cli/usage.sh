#!/bin/sh
# SPDX-License-Identifier: MIT
# Help, versions, and what wrong usage is told.
. "$SRCDIR/tests/lib.sh"

# No arguments: twelve lines with two examples, on standard error.
expect_status 2 "$PROVGRAPH"
[ ! -s out ] || fail "no arguments: something on standard output"
[ "$(wc -l <err)" -eq 12 ] || fail "no arguments: $(wc -l <err) lines"
[ "$(grep -c '^  provgraph --' err)" -ge 2 ] || fail "no arguments: no two examples"

expect_status 0 "$PROVGRAPH" --help
[ ! -s err ] || fail "--help: something on standard error"
expect_status 0 "$PROVGRAPH" --version
[ "$(sed -n 1p out)" = "provgraph $(sed -n 's/^#define PROVGRAPH_VERSION "\(.*\)".*/\1/p' "$SRCDIR/cmd/version.h")" ] ||
	fail "--version: $(sed -n 1p out)"
for library in igraph json-c zstd Graphviz GPL MIT; do contains out "$library"; done

# told STATUS-2-ARGUMENTS... -- TEXT: refused with a message that holds TEXT and begins with the program's name.
told() {
	text=$1
	shift
	expect_status 2 "$PROVGRAPH" "$@"
	[ ! -s out ] || fail "$*: something on standard output"
	contains err "$text"
	grep -qv '^provgraph: ' err && fail "$*: a line without the program's name"
	[ "$(wc -l <err)" -le 3 ] || fail "$*: a wall of text"
}
told 'did you mean --alert-ip' --alertip 10.0.0.5
told 'did you mean --alert-ip' --alert-i 10.0.0.5
told 'did you mean --window' --windwo=20m
told 'unknown option' --entirely-different
told 'unknown option' -z
told 'did you mean rules' rule
told 'unknown command' frobnicate
told '--alert-ip: needs a value' --alert-ip
told '--alert-ip: needs a value' --alert-ip --window 20m
told 'takes no value' --alert-ip 10.0.0.5 --quiet=yes
told 'one of them' --alert-ip 10.0.0.5 --alert eve.json
told 'nothing to start from' --window 20m
told 'belongs to --alert' --alert-ip 10.0.0.5 --alert-id 2
told 'leave out --alert-port' --alert eve.json --alert-port 443
told '--alert-port 0' --alert-ip 10.0.0.5 --alert-port 0
told '--alert-port 70000' --alert-ip 10.0.0.5 --alert-port 70000
told '--alert-port 80x' --alert-ip 10.0.0.5 --alert-port 80x
told 'has no unit' --alert-ip 10.0.0.5 --window 20
told 'is empty' --alert-ip 10.0.0.5 --window 0s
told 'ends before it begins' --alert-ip 10.0.0.5 --from 2026-11-20 --to 2026-11-19
told 'use one or the other' --alert-ip 10.0.0.5 --window 20m --from 2026-11-20
told 'year first' --alert-ip 10.0.0.5 --alert-time 11/20/2026
told 'not known here' --alert-ip 10.0.0.5 --tz Nowhere/City
told 'use one of them' --alert-ip 10.0.0.5 --tz UTC --utc
told 'does not say a format' --alert-ip 10.0.0.5 -o case.htm
told 'is not one of svg' --alert-ip 10.0.0.5 --format pdf
told 'was asked for before' --alert-ip 10.0.0.5 --json --csv
told 'does not say a format' --alert-ip 10.0.0.5 -o case
told 'is not one of log, linear' --alert-ip 10.0.0.5 --time-scale square
told 'is not one of auto' --alert-ip 10.0.0.5 --color sometimes
told 'logs follow --log' --alert-ip 10.0.0.5 audit.log
told 'belongs to provgraph rules' --alert-ip 10.0.0.5 --check
told 'only one of them' --alert - --log -
# The log has to be read to see these.
log=$SRCDIR/tests/cli/data/small.log
told '10.0.0' --log "$log" --alert-ip 10.0.0
told 'nowhere.log' --log nowhere.log --alert-ip 10.0.0.5
mkdir empty
told 'empty' --log empty --alert-ip 10.0.0.5
told 'eve.json' --log "$log" --alert eve.json

# Control characters in what the user typed are not obeyed.
expect_status 2 "$PROVGRAPH" "$(printf -- '--\033[31mred')"
contains err '\x1b[31mred'

# Help wins over what follows, and --opt=value is --opt value.
expect_status 0 "$PROVGRAPH" --alert-ip 10.0.0.5 --help
expect_status 2 "$PROVGRAPH" --window=20
contains err 'has no unit'
