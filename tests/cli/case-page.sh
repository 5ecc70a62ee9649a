#!/bin/sh
# SPDX-License-Identifier: MIT
# The case page of a sample, as html and as svg, used in a real browser; its screenshots stay in the build folder. Without a script it
# is a picture: the same words are there for programs that run none.
. "$SRCDIR/tests/lib.sh"
requires xmllint python3 jq rsvg-convert
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$SRCDIR/tests/cli python3 -c 'import browser, sys; sys.exit(not browser.installed())' || skip "no chromium is installed"
sample=$SRCDIR/samples/mail-attachment
for format in html svg json; do
	expect_status 0 "$PROVGRAPH" --log "$sample" --alert "$sample/alert.eve.json" --utc --quiet -o "case.$format"
done
xmllint --noout --nonet case.svg || fail "the svg is no XML"
for format in html svg; do
	python3 "$SRCDIR/tests/cli/case_page.py" "case.$format" "$BUILD/screenshots" case.json >said 2>&1 || fail "$(tail -n 5 said)"
done

# What can be recovered: every file that was deleted or cut, with a command, up to the nanosecond before.
jq -e '[.recover[] | select(.lost)] as $lost | ($lost | length) >= 4 and
	all($lost[]; .command | test("^provgraph --restore-at [0-9-]+T[0-9:]+\\.[0-9]{9}\\+00:00 --disk HISTORY --inode [0-9]+$"))' case.json >said ||
	fail "recover: $(jq -c .recover case.json)"
jq -e '. as $case | all(.nodes[] | select(.on_path); .explanation | test("score [0-9.e-]+, rank")) and
	([.nodes[] | select(.path == "/home/alice/Downloads/invoice.py")][0] as $file | any($case.recover[]; .node == $file.id and
	(.command | endswith("--inode " + $file.inode)) and .time_ns < ($file.states[] | select(.glyph == "x") | .time_ns)))' \
	case.json >said || fail "explanation or recover of invoice.py"

# 5 MB open at most 2 s after an empty page.
python3 "$SRCDIR/tests/cli/case_speed.py" case.html 5000000 2 >said 2>&1 || fail "$(cat said)"

# Every sample's picture is XML, and a printer's.
for sample in "$SRCDIR"/samples/*/; do
	[ -s "$sample/alert.eve.json" ] || continue
	case $sample in */guest-audit*) continue ;; esac # the log alone does not know the connection any more
	expect_status 0 "$PROVGRAPH" --log "$sample" --alert "$sample/alert.eve.json" --utc --quiet --force -o sample.svg
	xmllint --noout --nonet sample.svg || fail "the svg of $sample is no XML"
	rsvg-convert -f pdf -o sample.pdf sample.svg 2>said || fail "rsvg-convert: $sample: $(cat said)"
done

# As a picture: no control, no script's work, every step in words.
rsvg-convert -o case.png case.svg 2>said || fail "rsvg-convert: $(cat said)"
[ -s case.png ] || fail "rsvg-convert wrote nothing"
lacks case.svg '<input'
lacks case.svg '<button'
lacks case.svg foreignObject
jq -r '.story[] | select(.number) | .words | .[0:18]' case.json | while read -r words; do contains case.svg "$words"; done
xmllint --xpath 'string(//*[@id="desc"])' case.svg >desc || fail "no description"
contains desc 'connected to 10.0.0.5:443'
