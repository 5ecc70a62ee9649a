# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What every test script sources first:  . "$SRCDIR/tests/lib.sh"
#
# The runner (tests/run.sh) gives: SRCDIR (the sources), BUILD (the build folder), PROVGRAPH (the command under test), and an
# empty folder of the test's own as the current one, which goes away afterwards. Exit 0 = passed, 77 = skipped, else failed.
set -u
: "${SRCDIR:?run this through tests/run.sh}" "${BUILD:?}" "${PROVGRAPH:?}"

# requires THING...: skips the test, naming the first command that is missing.
requires() {
	for thing in "$@"; do
		if ! command -v "$thing" >/dev/null 2>&1; then
			echo "$thing is not installed"
			exit 77
		fi
	done
}

requires_root() {
	if [ "$(id -u)" -ne 0 ]; then
		echo "needs root"
		exit 77
	fi
}

skip() {
	echo "$*"
	exit 77
}

fail() {
	echo "$*" >&2
	exit 1
}

# cleanup_fn COMMAND [ARG...]: runs it when the test ends, however it ends. Several: the last one first.
cleanup_commands=
cleanup_fn() {
	cleanup_commands="$*
$cleanup_commands"
	trap run_cleanups EXIT
	trap 'exit 1' HUP INT TERM
}
run_cleanups() {
	cleanup_status=$?
	eval "$cleanup_commands"
	exit "$cleanup_status"
}

# expect_status N COMMAND...: runs it, output into ./out and ./err, and fails on another status.
expect_status() {
	expected=$1
	shift
	got=0
	"$@" >out 2>err </dev/null || got=$?
	if [ "$got" -ne "$expected" ]; then
		echo "status $got, expected $expected, of: $*" >&2
		head -n 20 err >&2
		exit 1
	fi
}

# contains FILE TEXT: fails when no line of FILE holds TEXT.
contains() {
	grep -qF -e "$2" "$1" || { echo "$1 lacks: $2" >&2; head -n 30 "$1" >&2; exit 1; }
}
lacks() {
	if grep -qF -e "$2" "$1"; then
		fail "$1 holds: $2"
	fi
}
# same FILE1 FILE2: fails with the difference.
same() {
	diff -u "$1" "$2" >difference || { head -n 40 difference >&2; fail "$1 and $2 differ"; }
}
# no_files PATTERN...: fails when one exists.
no_files() {
	for found in "$@"; do
		[ ! -e "$found" ] || fail "$found is there"
	done
}

# wait_for_socket PATH: at most ten seconds.
wait_for_socket() {
	tries=0
	while [ ! -S "$1" ]; do
		tries=$((tries + 1))
		[ $tries -lt 200 ] || fail "no socket $1"
		sleep 0.05
	done
}
