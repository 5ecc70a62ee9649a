#!/bin/sh
# SPDX-License-Identifier: MIT
# make bench: what recording every write costs, against nbdkit's file plugin and qemu-nbd with blklogwrites in the same minutes.
#
#     BENCH_DIR     where disks and histories go (default /var/tmp); they are removed again
#     BENCH_RUNS    alternating runs (default 7)
#     BENCH_DISK    only these rows, a pattern for grep -E
set -u
export LC_ALL=C TZ=UTC
for tool in python3 nbdkit fio; do
	command -v "$tool" >/dev/null || { echo "bench: $tool is not installed"; exit 0; }
done
fio --enghelp 2>/dev/null | grep -qw nbd || { echo "bench: this fio has no nbd engine"; exit 0; }
[ -e "$BUILD/nbdkit-provgraph-plugin.so" ] || { echo "bench: the nbdkit plugin is not built"; exit 0; }
work=$(mktemp -d "${BENCH_DIR:-/var/tmp}/provgraph-bench.XXXXXX") || exit 0
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM
python3 "$SRCDIR/tests/bench/disk.py" "$work"
