#!/bin/sh
# SPDX-License-Identifier: MIT
# Each format on standard output and into a file; readers of each format can read it; two runs write the same bytes.
. "$SRCDIR/tests/lib.sh"
requires xmllint jq python3
log=$SRCDIR/tests/cli/data/small.log
run() {
	expect_status 0 "$PROVGRAPH" --log "$log" --alert-ip 10.0.0.5 --utc "$@"
}

for format in svg html dot json csv graphml text; do
	run --format $format
	cp out "first.$format"
	[ -s "first.$format" ] || fail "$format: nothing was written"
	run --format $format
	same "first.$format" out
	# The format decides over the name, and where it goes changes nothing.
	run --format $format -o "file.any"
	same "first.$format" file.any
	rm file.any
	# The whole log on a day with another clock and in another folder: still the same.
	mkdir "in-$format"
	(cd "in-$format" && run --format $format && same "../first.$format" out) || exit 1
done
no_files provgraph-*

# The extension decides.
for name in case.svg case.html case.dot case.gv case.json case.csv case.graphml case.txt; do
	run -o $name
	[ ! -s out ] || fail "-o $name: something on standard output"
	contains err "wrote $name"
done
same first.svg case.svg
same first.html case.html
same first.dot case.gv
same first.text case.txt
run --json
same first.json out
run --csv
same first.csv out
run -o -
same first.text out
expect_status 2 "$PROVGRAPH" --log "$log" --alert-ip 10.0.0.5 -o case.svg
contains err 'exists already'

xmllint --noout first.svg first.graphml || fail "no XML"
contains first.svg '<svg'
contains first.graphml '<graphml'
jq -e '.schema == 1 and (.nodes | length > 4) and (.edges | length > 4) and has("completeness") and has("folded")' first.json >jq.out ||
	fail "json: $(cut -c1-300 first.json)"
jq -e '[.nodes[].id] as $ids | all(.edges[]; (.from as $f | .to as $t | ($ids | index($f)) != null and ($ids | index($t)) != null))' first.json >jq.out ||
	fail "json: an edge without its nodes"
python3 - <<'END' || exit 1
import csv
rows = list(csv.reader(open("first.csv", newline="")))
assert len(rows) > 5, rows
assert all(len(row) == len(rows[0]) for row in rows), "ragged"
assert "e" in rows[1][0] or "+00:00" in ",".join(rows[1])
END

# The incident's own way is in all of them.
for format in svg html dot json csv graphml text; do
	for word in python3 stage2 10.0.0.5; do contains first.$format $word; done
done

# A reader that closes early is no crash: SIGPIPE or a clean end.
"$PROVGRAPH" --log "$log" --alert-ip 10.0.0.5 --json 2>err | head -c 1 >one
[ "$(wc -c <one)" -eq 1 ] || fail "no byte through a pipe"
[ ! -s err ] || ! grep -qi -e assert -e sanitizer err || fail "$(cat err)"
expect_status 2 sh -c '"$0" --log "$1" --alert-ip 10.0.0.5 --json >/dev/full' "$PROVGRAPH" "$log"
contains err 'No space left'
