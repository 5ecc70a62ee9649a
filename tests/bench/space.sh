#!/bin/sh
# SPDX-License-Identifier: MIT
# Bytes of history per byte that the guest wrote: an ext4 (4 KiB blocks) over nbdkit -> nbdfuse -> loop. Needs root.
set -eu
: "${SRCDIR:?}" "${PROVGRAPH:?}"
if [ "$(id -u)" -ne 0 ] || ! command -v nbdfuse >/dev/null; then
	echo "space: needs root and nbdfuse: left out"
	exit 0
fi
work=$(mktemp -d "${TMPDIR:-/var/tmp}/provgraph-space.XXXXXX")
server='' fuse='' loop=''
# shellcheck disable=SC2317,SC2329
clean_up() {
	umount "$work/fs" 2>/dev/null || true
	[ -z "$loop" ] || losetup -d "$loop" 2>/dev/null || true
	fusermount3 -u "$work/nbd" 2>/dev/null || true
	[ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" 2>/dev/null; } || true
	[ -z "$fuse" ] || wait "$fuse" 2>/dev/null || true
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

wait_for() {
	tries=0
	while ! test "$1" "$2"; do
		tries=$((tries + 1))
		[ $tries -lt 200 ] || { echo "space: no $2" >&2; exit 1; }
		sleep 0.05
	done
}

# record COMPRESS: leaves $work/COMPRESS.history
record() {
	"$PROVGRAPH" disk init "$work/$1.history" --size 1G
	"$PROVGRAPH" disk serve "$work/$1.history" --socket "$work/disk.sock" --compress "$1" >/dev/null 2>"$work/err" &
	server=$!
	wait_for -S "$work/disk.sock"
	mkdir -p "$work/nbd" "$work/fs"
	nbdfuse "$work/nbd" --unix "$work/disk.sock" &
	fuse=$!
	wait_for -e "$work/nbd/nbd"
	loop=$(losetup -f --show "$work/nbd/nbd")
	mkfs.ext4 -q "$loop"
	mount "$loop" "$work/fs"
	python3 "$SRCDIR/tests/bench/space_stream.py" "$work/fs"
	umount "$work/fs"
	losetup -d "$loop"
	loop=''
	fusermount3 -u "$work/nbd"
	wait "$fuse" || true
	fuse=''
	sleep "${2:-1}" # the background thread comes to its end
	kill -TERM "$server"
	wait "$server"
	server=''
	rm -f "$work/disk.sock"
}

# told NAME: one line of figures
told() {
	"$PROVGRAPH" disk info "$work/$1.history" --json |
		jq -r --arg name "$2" '"\($name)  written \(.written_bytes)  segments \(.segment_bytes)  index \(.index_bytes)  ratio \((.segment_bytes + .index_bytes) / .written_bytes * 10000 | round / 10000)"'
}

record never
told never 'raw, trailing zeros cut  '
record now 20
told now 'zstd in the background   '
