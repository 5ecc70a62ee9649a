# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Serving disks in tests:  . "$SRCDIR/tests/serve.sh"  behind tests/lib.sh
requires nbdkit qemu-io
[ -e "$BUILD/nbdkit-provgraph-plugin.so" ] || skip "the nbdkit plugin is not built"

# A plugin with AddressSanitizer needs its library before nbdkit itself.
sanitizer=
case ${SANITIZE:-} in *address*) sanitizer=$("${CC:-gcc}" -print-file-name=libasan.so) ;; esac
if [ -n "$sanitizer" ] && [ ! -e "$sanitizer" ]; then skip "no libasan.so to load into nbdkit"; fi

# disk ARGUMENT...: provgraph disk, for what is refused only once nbdkit runs.
disk() {
	ASAN_OPTIONS=detect_leaks=0 LD_PRELOAD=$sanitizer "$PROVGRAPH" disk "$@"
}

# start_disk VERB HISTORY SOCKET [OPTION...]: waits until it answers; sets served. What it says is in SOCKET.out and SOCKET.err.
start_disk() {
	start_socket=$3
	start_verb=$1 start_history=$2
	shift 3
	: >"$start_socket.out"
	ASAN_OPTIONS=detect_leaks=0 LD_PRELOAD=$sanitizer "$PROVGRAPH" disk "$start_verb" "$start_history" --socket "$start_socket" "$@" \
		>"$start_socket.out" 2>"$start_socket.err" </dev/null &
	served=$!
	cleanup_fn "kill -KILL $served 2>/dev/null"
	for _ in $(seq 200); do
		[ ! -s "$start_socket.out" ] || return 0
		kill -0 "$served" 2>/dev/null || { cat "$start_socket.err" >&2; fail "disk $start_verb $start_history ended"; }
		sleep 0.05
	done
	cat "$start_socket.err" >&2
	fail "disk $start_verb $start_history does not answer"
}

# stop_disk PID: ends it cleanly.
stop_disk() {
	kill -TERM "$1"
	stop_status=0
	wait "$1" || stop_status=$?
	[ "$stop_status" -eq 0 ] || { cat ./*.err >&2; fail "a served disk ended with status $stop_status"; }
}

# uri SOCKET [EXPORT]
uri() {
	printf 'nbd+unix:///%s?socket=%s\n' "$(printf '%s' "${2:-}" | sed 's/:/%3A/g')" "$PWD/$1"
}

# io SOCKET COMMAND...: qemu-io on the live disk; fails when a command does, or a pattern is not what was read.
io() {
	io_socket=$1
	shift
	for command in "$@"; do
		set -- "$@" -c "$command"
		shift
	done
	qemu-io -f raw "$@" "$(uri "$io_socket")" >io.out 2>&1 || { cat io.out >&2; fail "qemu-io failed"; }
	if grep -qi -e 'failed' -e 'error' io.out; then cat io.out >&2; fail "qemu-io: $*"; fi
}
