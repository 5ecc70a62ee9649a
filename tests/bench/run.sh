#!/bin/sh
# SPDX-License-Identifier: MIT
# make bench: a table of what things cost here, each as a ratio to something measured in the same run. Never fails.
#
#     BENCH_DIR     where the generated logs go (default /var/tmp); they are removed again
#     BENCH_GB      size of the large log for the window (default 10, less when the disk is small)
set -u
export LC_ALL=C TZ=UTC
for tool in python3 zstd awk; do
	command -v "$tool" >/dev/null || { echo "bench: $tool is not installed"; exit 0; }
done
work=$(mktemp -d "${BENCH_DIR:-/var/tmp}/provgraph-bench.XXXXXX") || exit 0
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM
tools=$BUILD/tests/bench
cd "$work" || exit 0

# cost RUNS COMMAND...: sets cpu, wall, rss.
cost() {
	result=$(python3 "$SRCDIR/tests/bench/cpu.py" "$@")
	cpu=${result%% *} rss=${result##* }
	wall=${result#* } wall=${wall% *}
}
ratio() {
	awk -v a="$1" -v b="$2" 'BEGIN { if (b > 0) printf "%.2f", a / b; else printf "-" }'
}
# row NAME VALUE LIMIT
row() {
	printf '%-58s %14s   %s\n' "$1" "$2" "$3"
}

echo "machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores, Linux $(uname -r)"
row 'what' 'measured' 'wanted'

# ---- a dense log: recorded lines, again and again
sample=$SRCDIR/samples/mail-attachment/audit.log.zst
[ -f "$sample" ] || { echo "bench: samples/mail-attachment is not there"; exit 0; }
zstd -dcq "$sample" >recorded.log
"$tools/make_log" recorded.log 450000000 >dense.log
wc -l <dense.log >/dev/null
cost 5 wc -l dense.log
wc_cpu=$cpu
row "wc -l of $(du -m dense.log | cut -f1) MiB, CPU s" "$cpu" ''
cost 5 "$tools/bench_parse" dense.log
parse_cpu=$cpu
row 'parse + assemble + intern, CPU s' "$cpu" ''
row '  x wc -l' "$(ratio "$cpu" "$wc_cpu")" '<= 4'
row '  resident MiB' "$rss" '<= 64'
cost 1 "$tools/bench_parse" --auparse dense.log
row '  times faster than libauparse on the same fields' "$(ratio "$cpu" "$parse_cpu")" '>= 8'
cost 3 "$BUILD/provgraph" --log dense.log --alert-ip 203.0.113.250 --quiet
row 'provgraph, an address that never occurs, CPU s' "$cpu" ''
row '  x wc -l' "$(ratio "$cpu" "$wc_cpu")" '<= 6'
row '  resident MiB' "$rss" '<= 64'
if command -v ausearch >/dev/null; then
	# ausearch is quadratic in the rate of events: a slice is enough, and all that one has the time for.
	"$tools/make_log" recorded.log 30000000 5000 >slice.log
	cost 3 "$tools/bench_parse" slice.log
	slice_cpu=$cpu
	cost 1 ausearch -if slice.log -sc execve
	row 'times faster than ausearch, 30 MB at 5,000 events/s' "$(ratio "$cpu" "$slice_cpu")" '>= 100'
	"$tools/make_log" recorded.log 30000000 100 >sparse.log
	cost 3 "$tools/bench_parse" sparse.log
	slice_cpu=$cpu
	cost 1 ausearch -if sparse.log -sc execve
	row 'times faster than ausearch, 30 MB at 100 events/s' "$(ratio "$cpu" "$slice_cpu")" '>= 5'
	rm -f slice.log sparse.log
fi
rm -f dense.log

# ---- a window out of a large log: a host that writes 1 GB a day (about 25 events/s here), and the incident at its end
gigabytes=${BENCH_GB:-10}
free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1048576) }')
[ "$free" -gt $((gigabytes + 2)) ] || gigabytes=1
event_bytes=$(awk '/type=SYSCALL/ { events++ } END { printf "%d", events }' recorded.log)
rate=$(awk -v bytes="$(wc -c <recorded.log)" -v events="$event_bytes" 'BEGIN { printf "%d", 1000000000 / 86400 / (bytes / events) + 1 }')
"$tools/make_log" recorded.log 100000000 "$rate" >small.log
"$tools/make_log" recorded.log $((gigabytes * 1000000000)) "$rate" >large.log
cost 5 "$BUILD/provgraph" --log small.log --alert-ip 10.0.0.5 --window 20m --format svg
small_wall=$wall
row "20 minutes out of 100 MB at $rate events/s: alert to SVG, s" "$wall" 'about 0.15'
cost 5 "$BUILD/provgraph" --log large.log --alert-ip 10.0.0.5 --window 20m --format svg
row "20 minutes out of $gigabytes GB: alert to SVG, s" "$wall" ''
row '  x the same out of 100 MB' "$(ratio "$wall" "$small_wall")" '<= 2'
row '  resident MiB' "$rss" ''
rm -f small.log large.log

# ---- the search
echo "slice and rank (wanted: about 2 s for 1,000,000 edges):"
"$tools/bench_trace"
exit 0
