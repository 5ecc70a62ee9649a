#!/bin/sh
# SPDX-License-Identifier: MIT
# Every recorded system call pattern: the graph must hold every line of its truth, and the reader must count what awk counted.
#
#     tests/syscalls/run.sh [FOLDER]     through tests/run.sh, or with BUILD set; FOLDER: recordings made just now
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 2
folder=${1:-$here/recordings}
check=${BUILD:?run this through tests/run.sh}/tests/syscalls/check
[ -x "$check" ] || { echo "$check is not built"; exit 1; }
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
files=0 lines=0 bad=0

log_of() {
	for log in "$1.log" "$1.log.zst"; do
		[ -e "$log" ] && echo "$log" && return
	done
	echo "$1.log"
}

for truth in "$folder"/*.truth "$folder"/*.about; do
	[ -e "$truth" ] || continue
	files=$((files + 1))
	lines=$((lines + $(grep -cv '^#' "$truth")))
	if ! "$check" "$(log_of "${truth%.*}")" "$truth" >"$work/out" 2>&1; then
		bad=$((bad + 1))
		grep -v ' truths hold$' "$work/out"
	fi
done

# A check that cannot fail proves nothing: every edge and every parent turned around must be found wrong. (A pipe and a unix
# socket may carry both ways.)
for truth in "$folder"/*.truth; do
	[ -e "$truth" ] || continue
	awk '$1 == "edge" && $2 != "pipe" && $2 != "unix" { print "edge", $2, $4, $3 }
		$1 == "parent" { print "parent", $3, $2 }' "$truth" >"$work/turned"
	turned=$(wc -l <"$work/turned")
	"$check" "$(log_of "${truth%.*}")" "$work/turned" >"$work/out" 2>&1
	found=$(grep -c 'not in the graph' "$work/out")
	if [ "$found" -ne "$turned" ]; then
		bad=$((bad + 1))
		echo "${truth##*/}: only $found of $turned false truths were noticed"
	fi
done

echo "$files recordings, $lines truths, $bad wrong"
[ "$bad" -eq 0 ] && [ "$files" -gt 0 ]
