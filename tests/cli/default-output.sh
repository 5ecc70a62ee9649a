#!/bin/sh
# SPDX-License-Identifier: MIT
# Without -o and --format: the story, and a picture and a table in the current folder.
. "$SRCDIR/tests/lib.sh"
log=$SRCDIR/tests/cli/data/small.log

expect_status 0 "$PROVGRAPH" --log "$log" --alert-ip 10.0.0.5 --utc
name=provgraph-10.0.0.5-20251120T040000
[ -s "$name.svg" ] && [ -s "$name.csv" ] || fail "the two files are not there: $(ls)"
contains out stage2
contains out 10.0.0.5
contains err "wrote $name.svg and $name.csv"
cp "$name.svg" first.svg
cp "$name.csv" first.csv
cp out first.out

# Never over an existing file, and then nothing is printed; with --force the same bytes come again.
expect_status 2 "$PROVGRAPH" --log "$log" --alert-ip 10.0.0.5 --utc
contains err "$name.svg: exists already"
[ ! -s out ] || fail "a story without its files"
rm "$name.svg"
expect_status 2 "$PROVGRAPH" --log "$log" --alert-ip 10.0.0.5 --utc
contains err "$name.csv: exists already"
[ ! -e "$name.svg" ] || fail "half of the result was written"
expect_status 0 "$PROVGRAPH" --log "$log" --alert-ip 10.0.0.5 --utc --force
same first.svg "$name.svg"
same first.csv "$name.csv"
same first.out out

# The alert's time names the files, in the zone that was asked for.
expect_status 0 "$PROVGRAPH" --log "$log" --alert-ip 10.0.0.5 --tz +09:00 --alert-time '2025-11-20 13:00:05' --quiet
[ -s provgraph-10.0.0.5-20251120T130005.svg ] || fail "no file of that name: $(ls)"
[ ! -s err ] || fail "--quiet, and yet: $(cat err)"
contains out +09:00

# A folder that cannot be written to.
mkdir closed
(cd closed && chmod 500 . && [ "$(id -u)" -ne 0 ] && expect_status 2 "$PROVGRAPH" --log "$log" --alert-ip 10.0.0.5) || [ "$(id -u)" -eq 0 ] ||
	fail "a closed folder was no error"
no_files ./.provgraph-*

# The story cannot be written: the files do not stay behind alone.
mkdir full && cd full || exit 1
status=0
"$PROVGRAPH" --log "$log" --alert-ip 10.0.0.5 --quiet >/dev/full 2>err || status=$?
[ "$status" -eq 2 ] || fail "a full standard output gave status $status"
no_files provgraph-*
