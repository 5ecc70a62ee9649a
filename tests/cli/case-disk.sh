#!/bin/sh
# SPDX-License-Identifier: MIT
# Cases with recorded disks, as html and as svg, used in a real browser: the panel of the disks, a file's states, previews.
. "$SRCDIR/tests/lib.sh"
requires xmllint python3
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$SRCDIR/tests/cli python3 -c 'import browser, sys; sys.exit(not browser.installed())' || skip "no chromium is installed"
for format in html svg json; do
	"$BUILD/tests/unit/test_disk_words" "disk-case.$format" || fail "no $format"
done
xmllint --noout --nonet disk-case.svg || fail "the svg is no XML"
for sample in guest-tamper guest-audit; do
	folder=$SRCDIR/samples/$sample
	for format in html svg json; do
		"$PROVGRAPH" --log "$folder" --alert "$folder/alert.eve.json" --disk "fe:10=$folder/web01.history" --utc --quiet -o "$sample.$format" 2>said || [ $? -eq 3 ] ||
			fail "$sample: $(cat said)"
	done
	xmllint --noout --nonet "$sample.svg" || fail "the svg of $sample is no XML"
	for format in html svg; do
		python3 "$SRCDIR/tests/cli/case_page.py" "$sample.$format" "$BUILD/screenshots" "$sample.json" disk >said 2>&1 || fail "$sample: $(tail -n 5 said)"
	done
done
for format in html svg; do
	python3 "$SRCDIR/tests/cli/case_page.py" "disk-case.$format" "$BUILD/screenshots" disk-case.json disk >said 2>&1 || fail "$(tail -n 5 said)"
done
