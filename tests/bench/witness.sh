#!/bin/sh
# SPDX-License-Identifier: MIT
# make bench: what a recorded disk costs beside an alert: a window of 20 minutes in which the guest sent a million requests. Never fails.
#
#     BENCH_DIR       where the generated history goes (default /var/tmp): 4 GB, removed again
#     BENCH_REQUESTS  of the guest (default 1000000)
set -u
export LC_ALL=C TZ=UTC
for tool in python3 awk mke2fs; do
	command -v "$tool" >/dev/null || { echo "bench: $tool is not installed"; exit 0; }
done
work=$(mktemp -d "${BENCH_DIR:-/var/tmp}/provgraph-bench.XXXXXX") || exit 0
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM
cd "$work" || exit 0
requests=${BENCH_REQUESTS:-1000000}
[ "$(df -Pk . | awk 'NR == 2 { print int($4 / 1048576) }')" -gt 9 ] || requests=100000

# cost RUNS COMMAND...: sets cpu (its children's included), wall, rss.
cost() {
	result=$(python3 "$SRCDIR/tests/bench/cpu.py" "$@")
	cpu=${result%% *} rss=${result##* }
	wall=${result#* } wall=${wall% *}
}
# row NAME VALUE LIMIT
row() {
	printf '%-66s %14s   %s\n' "$1" "$2" "$3"
}
minus() {
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a - b }'
}
investigate() { # FILES FORMAT
	echo "$BUILD/provgraph --log $1.log --alert-ip 10.0.0.5 --window 20m --quiet --force -o $1.$2"
}

mkdir tree
number=1
while [ $number -le 1000 ]; do
	echo "file $number" >"tree/$number"
	number=$((number + 1))
done
# Made before the window: files that are born in it or behind it are others than those of the log.
find tree -exec touch -d @1795000000 {} +
E2FSPROGS_FAKE_TIME=1795000000 mke2fs -q -t ext4 -b 4096 -J size=64 -d tree image 4G >/dev/null 2>&1 || exit 0
set -- $("$BUILD/tests/bench/make_busy_history" history image "$requests")
[ $# -eq 3 ] || { echo "bench: no history was made"; exit 0; }
for files in 1000 100000; do
	python3 "$SRCDIR/tests/bench/witness_log.py" $files "$2" "$3" >$files.log
done
python3 "$SRCDIR/tests/bench/witness_log.py" 20 "$2" "$3" chain >20.log

echo "a window of 20 minutes, $requests requests of the guest, $(nproc) cores:"
row 'what' 'measured' 'wanted'
"$BUILD/provgraph" disk clock history >clock.out 2>&1 # its pages come into memory
cost 5 "$BUILD/provgraph" disk clock history
row "disk clock ($(awk 'NR == 2 { print $5 }' clock.out) commits), s" "$wall" '<= 0.2'
row '  CPU s' "$cpu" ''
for files in 1000 100000; do
	cost 5 $(investigate $files json)
	without=$wall without_cpu=$cpu
	row "$files files, without the disk, s" "$wall" ''
	cost 5 $(investigate $files json) --disk fe:10=history
	row "$files files, with the disk, s" "$wall" ''
	row '  the disk, s' "$(minus "$wall" "$without")" 'about 0.5'
	row '  CPU s' "$(minus "$cpu" "$without_cpu")" ''
	row '  resident MiB' "$rss" ''
done
cost 5 $(investigate 20 html)
without=$wall without_cpu=$cpu
cost 5 $(investigate 20 html) --disk fe:10=history
row 'a page that shows contents of 20 files: the disk, s' "$(minus "$wall" "$without")" ''
row '  CPU s' "$(minus "$cpu" "$without_cpu")" ''
cost 5 $(investigate 20 html) --disk fe:10=history --disk-log /5
row '  and a log that is on the disk, s' "$(minus "$wall" "$without")" ''
row '  CPU s' "$(minus "$cpu" "$without_cpu")" ''
# Only those that rank.
asked=$(python3 - <<END
import json
case = json.load(open("100000.json"))
for disk in case.get("disks", []):
    print(disk["files_asked"])
END
)
row "  of 100000 files, asked of the disk" "${asked:--}" '<= 500'
exit 0
