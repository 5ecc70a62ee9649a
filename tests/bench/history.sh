#!/bin/sh
# SPDX-License-Identifier: MIT
# make bench: what the index of a disk history costs. Never fails.
#
#     BENCH_DIR     where the generated histories go (default /var/tmp); they are removed again
#     BENCH_GIB     size of the large history in 4 KiB writes (default 50); it takes 42 MB of disk for each GiB
# A memory limit needs a cgroup (v1 or v2) that this user may make; without one the large index is asked without a limit.
set -u
export LC_ALL=C TZ=UTC
work=$(mktemp -d "${BENCH_DIR:-/var/tmp}/provgraph-bench.XXXXXX") || exit 0
group=
clean_up() {
	rm -rf "$work"
	[ -z "$group" ] || rmdir "$group"
}
trap clean_up EXIT
trap 'exit 130' HUP INT TERM
bench=$BUILD/tests/bench/bench_history
cd "$work" || exit 0

# row NAME VALUE LIMIT
row() {
	printf '%-58s %14s   %s\n' "$1" "$2" "$3"
}
ratio() {
	awk -v a="$1" -v b="$2" 'BEGIN { if (b > 0) printf "%.2f", a / b; else printf "-" }'
}

echo "disk histories, generated (contents are zeros, which take no room):"
row 'what' 'measured' 'wanted'
"$bench" versions alone alone
"$bench" versions mixed mixed
"$bench" discard discard
rm -rf alone mixed discard

gibibytes=${BENCH_GIB:-50}
free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1048576) }')
[ "$free" -gt $((gibibytes / 20 + 4)) ] || gibibytes=4
"$bench" make small 1024
"$bench" make large $((gibibytes * 1024)) 20

# medians of history_open, a view at its end, writer_open, history_facts
small=$("$bench" open small)
large=$("$bench" open large)
number=1
for what in 'history_open' 'a view at the end' 'writer_open (its unsealed segment holds 32 MiB)' 'disk info'; do
	of_small=$(echo "$small" | cut -d ' ' -f "$number")
	of_large=$(echo "$large" | cut -d ' ' -f "$number")
	limit=
	[ "$number" -gt 3 ] || limit='<= 2 x'
	[ "$number" -ne 1 ] || limit='about 50; <= 2 x'
	row "$what, 1 GiB; $gibibytes GiB, ms" "$of_small; $of_large" "$limit"
	row '  x' "$(ratio "$of_large" "$of_small")" ''
	number=$((number + 1))
done

# The large index in 256 MiB for everything, the page cache included.
limit_mib=256
if mkdir "/sys/fs/cgroup/memory/provgraph-bench.$$" 2>/dev/null; then
	group=/sys/fs/cgroup/memory/provgraph-bench.$$
	echo $((limit_mib * 1048576)) >"$group/memory.limit_in_bytes" 2>/dev/null || limit_mib=
elif [ -e /sys/fs/cgroup/cgroup.controllers ] && mkdir "/sys/fs/cgroup/provgraph-bench.$$" 2>/dev/null; then
	group=/sys/fs/cgroup/provgraph-bench.$$
	echo $((limit_mib * 1048576)) >"$group/memory.max" 2>/dev/null || limit_mib=
else
	limit_mib=
fi
if [ -n "$limit_mib" ]; then
	echo "an index of $(du -sm large/index | cut -f1) MiB in a cgroup of $limit_mib MiB, while it grows (waiting for a processor not counted):"
else
	echo "an index of $(du -sm large/index | cut -f1) MiB, without a memory limit (no cgroup can be made), while it grows:"
fi
limited() {
	if [ -n "$limit_mib" ]; then
		sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' limited "$group" "$@"
	else
		"$@"
	fi
}
limited "$bench" load large 20
echo "whole requests through a writer, as fast as they go, in the same memory:"
limited "$bench" traffic large 10
exit 0
