#!/bin/sh
# SPDX-License-Identifier: MIT
# --help, --long-options, the manual page and completion name the same options: those of cmd/synopsis.txt, and of
# cmd/disk_synopsis.txt for provgraph disk.
. "$SRCDIR/tests/lib.sh"

# check_list SYNOPSIS PAGE LEAST WORD...: the help text, its options, and the manual page of provgraph WORD...
check_list() {
	synopsis=$SRCDIR/cmd/$1 page=$BUILD/$2 least=$3
	shift 3
	"$PROVGRAPH" "$@" --help >help || fail "$* --help: status $?"
	same help "$synopsis"
	[ "$(wc -L <help)" -le 80 ] || fail "$* --help is wider than 80 columns"
	"$PROVGRAPH" "$@" -h >short || fail "$* -h: status $?"
	same help short

	sed -n 's/^  \(-., \|    \)--\([a-z-]*\).*/--\2/p' help | sort >options
	[ "$(wc -l <options)" -ge "$least" ] || fail "too few options were read from $* --help"
	"$PROVGRAPH" "$@" --long-options | sed 's/=.*//' | sort >long
	same options long

	sed 's/\\-/-/g' "$page" | grep -o -e '^\.B .*' | grep -o -e '--[a-z][a-z-]*' | sort -u >manual
	comm -23 options manual >absent
	[ ! -s absent ] || fail "the manual lacks: $(tr '\n' ' ' <absent)"
	# Lines that call nbdkit have its options.
	sed 's/\\-/-/g; /^nbdkit /d' "$page" | grep -o -e '--[a-z][a-z-]*' | sort -u | comm -23 - options >unknown
	[ ! -s unknown ] || fail "the manual names unknown options: $(tr '\n' ' ' <unknown)"
	contains "$page" "provgraph $("$PROVGRAPH" --version | sed -n '1s/provgraph //p')"
}

check_list synopsis.txt provgraph.1 20
# The program takes every one of them: it complains of something else, or of nothing.
while read -r option; do
	"$PROVGRAPH" "$option" x >out 2>&1 </dev/null
	lacks out "unknown option"
	lacks out "not in the program"
done <options
mv options main_options

check_list disk_synopsis.txt provgraph-disk.1 5 disk
# Each verb has its usage line and its sentence, and the options that its help shows are those that it takes.
"$PROVGRAPH" disk --verbs | sort >verbs
sed -n 's/^\(Usage:\|      \) provgraph disk \([a-z]*\) .*/\2/p' help | sort -u >used
same verbs used
sed -n '/^Verbs:/,/^$/s/^  \([a-z]\{2,\}\) .*/\1/p' help | sort >told
same verbs told
: >shown
while read -r verb; do
	contains "$BUILD/provgraph-disk.1" ".B $verb"
	"$PROVGRAPH" disk "$verb" --help >verb_help || fail "disk $verb --help: status $?"
	[ "$(grep -c "provgraph disk $verb " verb_help)" -ge 1 ] || fail "disk $verb --help shows no usage"
	sed -n 's/^  \(-., \|    \)--\([a-z-]*\).*/--\2/p' verb_help | sort >verb_options
	cat verb_options >>shown
	while read -r option; do
		[ "$option" != --help ] || continue
		"$PROVGRAPH" disk "$verb" "$option" 1 >out 2>&1 </dev/null
		lacks out "option of another verb"
		lacks out "not in the program"
	done <verb_options
	comm -13 verb_options options >others
	while read -r option; do
		"$PROVGRAPH" disk "$verb" "$option" 1 >out 2>&1 </dev/null
		contains out "option of another verb"
	done <others
done <verbs
sort -u shown >shown_once
same options shown_once

# Options that completion knows by name exist.
sort -u main_options options >all_options
grep -oh -e '--[a-z][a-z-]*' "$SRCDIR"/cmd/completion/* | grep -v -e --long-options -e --verbs | sort -u | comm -23 - all_options >unknown
[ ! -s unknown ] || fail "completion names unknown options: $(tr '\n' ' ' <unknown)"
