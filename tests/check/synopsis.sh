#!/bin/sh
# SPDX-License-Identifier: MIT
# --help, --long-options, the manual page and completion name the same options: those of cmd/synopsis.txt.
. "$SRCDIR/tests/lib.sh"

"$PROVGRAPH" --help >help || fail "--help: status $?"
same help "$SRCDIR/cmd/synopsis.txt"
[ "$(wc -L <help)" -le 80 ] || fail "--help is wider than 80 columns"
"$PROVGRAPH" -h >short || fail "-h: status $?"
same help short

sed -n 's/^  \(-., \|    \)--\([a-z-]*\).*/--\2/p' help | sort >options
[ "$(wc -l <options)" -ge 20 ] || fail "too few options were read from --help"
"$PROVGRAPH" --long-options | sed 's/=.*//' | sort >long
same options long

# The program takes every one of them: it complains of something else, or of nothing.
while read -r option; do
	"$PROVGRAPH" "$option" x >out 2>&1 </dev/null
	lacks out "unknown option"
	lacks out "not in the program"
done <options

page=$BUILD/provgraph.1
sed 's/\\-/-/g' "$page" | grep -o -e '^\.B .*' | grep -o -e '--[a-z][a-z-]*' | sort -u >manual
comm -23 options manual >absent
[ ! -s absent ] || fail "the manual lacks: $(tr '\n' ' ' <absent)"
sed 's/\\-/-/g' "$page" | grep -o -e '--[a-z][a-z-]*' | sort -u | comm -23 - options >unknown
[ ! -s unknown ] || fail "the manual names unknown options: $(tr '\n' ' ' <unknown)"
contains "$page" "provgraph $("$PROVGRAPH" --version | sed -n '1s/provgraph //p')"

# Options that completion knows by name exist.
grep -oh -e '--[a-z][a-z-]*' "$SRCDIR"/cmd/completion/* | grep -v -e --long-options | sort -u | comm -23 - options >unknown
[ ! -s unknown ] || fail "completion names unknown options: $(tr '\n' ' ' <unknown)"
