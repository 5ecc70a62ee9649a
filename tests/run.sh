#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs tests one after another and says of each:  ok NAME | FAIL NAME | skip NAME: reason
# The last line is:  N passed, N failed, N skipped
#
#     tests/run.sh          unit tests, replays of the fuzzers' corpora, checks of the tree, the command line, system calls
#     tests/run.sh --root   what needs root (tests/root)
#     tests/run.sh PATH...  these only
#
# A test is a program or a .sh file. It runs in an empty folder of its own, with TZ=UTC and LC_ALL=C, and at most
# TEST_SECONDS. Its output is shown only when it fails.
set -u
SRCDIR=$(cd "$(dirname "$0")/.." && pwd) || exit 2
BUILD=${BUILD:-$SRCDIR/build}
case $BUILD in /*) ;; *) BUILD=$SRCDIR/$BUILD ;; esac
PROVGRAPH=${PROVGRAPH:-$BUILD/provgraph}
TEST_SECONDS=${TEST_SECONDS:-300}
WRAPPER=${WRAPPER:-} # for example valgrind -q --error-exitcode=1
export SRCDIR BUILD PROVGRAPH LC_ALL=C TZ=UTC
unset PROVGRAPH_PAGER PAGER NO_COLOR XDG_CONFIG_HOME 2>/dev/null

work=$(mktemp -d "${TMPDIR:-/tmp}/provgraph-tests.XXXXXX") || exit 2
export XDG_CONFIG_HOME="$work/config" # no settings of whoever runs this
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM
passed=0 failed=0 skipped=0

# run_one NAME COMMAND...
run_one() {
	name=$1
	shift
	rm -rf "$work/in" && mkdir "$work/in" || exit 2
	status=0
	(cd "$work/in" && exec timeout -k 10 "$TEST_SECONDS" "$@") >"$work/output" 2>&1 </dev/null || status=$?
	case $status in
	0)
		echo "ok $name"
		passed=$((passed + 1))
		;;
	77)
		echo "skip $name: $(tail -n 1 "$work/output")"
		skipped=$((skipped + 1))
		;;
	*)
		sed 's/^/    /' "$work/output" | tail -n 60
		[ "$status" -ne 124 ] || echo "    (stopped after $TEST_SECONDS s)"
		echo "FAIL $name"
		failed=$((failed + 1))
		;;
	esac
}

run_path() {
	[ -e "$1" ] || return 0
	name=${1#"$BUILD"/}
	name=${name#"$SRCDIR"/}
	case $1 in
	*.sh) run_one "${name%.sh}" sh "$1" ;;
	*/replay_fuzz_*)
		corpus=$SRCDIR/tests/fuzz/corpus/${1##*/replay_fuzz_}
		[ -d "$corpus" ] && run_one "$name" "$1" "$corpus"
		;;
	*)
		# shellcheck disable=SC2086
		run_one "$name" $WRAPPER "$1"
		;;
	esac
}

if [ "${1:-}" = --root ]; then
	set -- "$SRCDIR"/tests/root/*.sh
elif [ $# -eq 0 ]; then
	set -- "$BUILD"/tests/unit/test_* "$BUILD"/tests/fuzz/replay_fuzz_* "$SRCDIR"/tests/check/*.sh \
		"$SRCDIR"/tests/cli/*.sh "$SRCDIR"/tests/syscalls/run.sh
fi
for test_path in "$@"; do
	case $test_path in *.o | *.d) continue ;; esac
	run_path "$test_path"
done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ $((passed + skipped)) -gt 0 ]
