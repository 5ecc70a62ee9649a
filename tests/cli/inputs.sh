#!/bin/sh
# SPDX-License-Identifier: MIT
# The same evidence as a file, compressed, rotated, in a folder, by pattern and on standard input gives the same links.
. "$SRCDIR/tests/lib.sh"
requires jq gzip zstd
log=$SRCDIR/tests/cli/data/small.log
links() {
	expect_status 0 "$PROVGRAPH" "$@" --alert-ip 10.0.0.5 --utc --window all --json --quiet
	keep_links
}
# Without the places of the lines: those differ between one file and two.
keep_links() {
	jq -S 'del(.edges[].evidence) | {nodes, edges, folded, story}' out >links
}
links --log "$log"
mv links want
[ "$(jq '.edges | length' want)" -gt 5 ] || fail "too few links"

cp "$log" copy.log
gzip -k copy.log
zstd -q copy.log
for way in copy.log copy.log.gz copy.log.zst; do
	links --log $way
	same want links
done
# Rotated: an older half that ends inside an event, and overlaps with the newer.
mkdir set
head -n 60 "$log" >set/audit.log.1
tail -n +55 "$log" >set/audit.log
links --log set
same want links
links --log set/audit.log set/audit.log.1
same want links
links --log 'set/audit.log*'
same want links
gzip set/audit.log.1
links --log set
same want links
expect_status 0 sh -c '"$0" --log - --alert-ip 10.0.0.5 --utc --window all --json --quiet <"$1"' "$PROVGRAPH" "$log"
keep_links
same want links
expect_status 0 sh -c 'zstd -dcq copy.log.zst | "$0" --log - --alert-ip 10.0.0.5 --utc --window all --json --quiet' "$PROVGRAPH"
keep_links
same want links

# node= names the host, and --host chooses one of several.
sed 's/^/node=web01 /' "$log" >nodes.log
sed 's/^/node=web02 /; s/0A000005/0A000009/' "$log" >>nodes.log
expect_status 0 "$PROVGRAPH" --log nodes.log --host web01 --alert-ip 10.0.0.5 --utc --json --quiet
contains out web01
lacks out web02
expect_status 1 "$PROVGRAPH" --log nodes.log --host web02 --alert-ip 10.0.0.5 --utc

# What is no log.
printf 'PNG\r\n\032\n' >picture.png
expect_status 2 "$PROVGRAPH" --log picture.png --alert-ip 10.0.0.5
contains err picture.png
: >nothing.log
expect_status 2 "$PROVGRAPH" --log nothing.log --alert-ip 10.0.0.5
contains err nothing.log
