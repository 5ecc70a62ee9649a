#!/bin/sh
# SPDX-License-Identifier: MIT
# Every recorded incident: each true node is drawn (not folded), the path is there, and two runs write the same bytes.
. "$SRCDIR/tests/lib.sh"
requires python3 jq
found=0 missing=
for sample in "$SRCDIR"/samples/*/truth.json; do
	[ -e "$sample" ] || continue
	folder=${sample%/truth.json}
	# Whose log was cleaned is found with its disk alone (witness-samples.sh).
	[ "$(jq 'has("disk") and (.disk | has("gone"))' "$sample")" = false ] || continue
	found=$((found + 1))
	for run in 1 2; do
		status=0
		"$PROVGRAPH" --log "$folder" --alert-ip "$(jq -r .alert.address "$sample")" --alert-port "$(jq -r .alert.port "$sample")" \
			--alert-time "$(jq -r .alert.time "$sample")" --utc --json --quiet >"case.$run.json" 2>err || status=$?
		[ "$status" -eq 0 ] || fail "$folder: status $status: $(cat err)"
	done
	same case.1.json case.2.json
	python3 "$SRCDIR/tests/cli/truth.py" case.1.json "$sample" || missing="$missing ${folder##*/}"
done
[ -z "$missing" ] || fail "not all of the truth is drawn:$missing"
[ $found -gt 0 ] || skip "no sample is there"
