#!/bin/sh
# SPDX-License-Identifier: MIT
# A real guest (QEMU, TCG, Debian's cloud kernel) works on a disk that provgraph records. Everything that the guest says about its own files must
# come back out of the history: contents at each moment, every version, the tampering, what was deleted.
#
# KEEP=FOLDER keeps each history with its truth.
. "$SRCDIR/tests/lib.sh"
requires qemu-system-x86_64 qemu-img busybox cpio modprobe mkfs.ext4 python3 nbdkit
ACCEL=${ACCEL:-tcg,thread=multi}
keep=${KEEP:-}

# run_guest NAME BLOCK-BYTES MOUNT-OPTIONS: leaves NAME/history and NAME/truth.
run_guest() {
	name=$1
	mkdir -p "$name"
	sh "$SRCDIR/tests/e2e/guest-image.sh" "$name" "$3" || exit $?
	truncate -s 192M "$name/base.img"
	mkfs.ext4 -q -b "$2" -J size=4 -L provgraph "$name/base.img" || fail "mkfs.ext4"
	"$PROVGRAPH" disk init "$name/history" --size 192M --segment-size 256K || fail "disk init"
	"$PROVGRAPH" disk serve "$name/history" --socket "$PWD/$name/disk.sock" --compress now >"$name/serve.out" 2>"$name/serve.err" &
	server=$!
	cleanup_fn "kill $server 2>/dev/null"
	wait_for_socket "$name/disk.sock"
	qemu-img convert -n -f raw -O raw "$name/base.img" "nbd+unix:///?socket=$PWD/$name/disk.sock" || fail "copying the empty file system"
	timeout 180 qemu-system-x86_64 -accel "$ACCEL" -machine q35 -cpu max -m 512 -nodefaults -display none -no-reboot \
		-rtc base=utc,clock=host -kernel "$name/vmlinuz" -initrd "$name/initrd.gz" \
		-append 'console=ttyS0 quiet panic=-1 nokaslr mitigations=off' \
		-drive "file=nbd+unix:///?socket=$PWD/$name/disk.sock,format=raw,if=none,id=d0,cache=none,discard=unmap" \
		-device virtio-blk-pci,drive=d0 -serial "file:$name/console" \
		-chardev "socket,id=truth,path=$PWD/$name/truth.sock,server=on,wait=on" -serial chardev:truth >"$name/qemu.err" 2>&1 &
	guest=$!
	python3 "$SRCDIR/tests/e2e/stamp.py" "$PWD/$name/truth.sock" >"$name/truth"
	wait $guest || true
	grep -q ' end$' "$name/truth" || { tail -n 5 "$name/console" "$name/qemu.err" >&2; fail "$name: the guest did not come to its end"; }
	sleep 1 # the background thread compresses the last full segment
	kill -TERM $server
	wait $server || fail "disk serve ended with status $?"
}

# at NANOSECONDS: as provgraph reads it.
at() {
	printf '@%s.%s' "${1%?????????}" "${1#"${1%?????????}"}"
}

# check_states NAME: each `after` of the truth against a restore at that moment.
check_states() {
	wanted=0
	while read -r stamp what step path size hash; do
		[ "$what" = after ] || continue
		[ "$step" != lazy ] || continue # the guest had not sent it to its disk yet
		wanted=$((wanted + 1))
		moment=$(at "$stamp")
		rm -f restored
		status=0
		"$PROVGRAPH" --restore-at "$moment" --disk "$1/history" --path "/$path" -o restored >out 2>err || status=$?
		if [ -z "$size" ]; then
			[ $status -eq 1 ] || fail "$1: $step: $path was not there at $moment, status $status"
			no_files restored
			continue
		fi
		[ $status -eq 0 ] || { cat err >&2; fail "$1: $step: status $status at $moment"; }
		[ "$(sha256sum restored | cut -d' ' -f1)" = "$hash" ] || { cat err >&2; fail "$1: $step: $path at $moment differs"; }
		[ "$(stat -c %a restored)" = 600 ] || fail "$1: mode of a restored file"
	done <"$1/truth"
	echo "$1: $wanted states of the guest come back"
}

check_tamper() {
	status=0
	"$PROVGRAPH" disk tamper "$1/history" /log/auth.log --json >tamper.json 2>err || status=$?
	[ $status -eq 1 ] || { cat err >&2; fail "$1: disk tamper: status $status, expected 1"; }
	"$PROVGRAPH" disk tamper "$1/history" /log/auth.log >tamper.txt 2>err
	contains tamper.txt "from 10.0.0.5"
	contains tamper.txt "from 10.0.0.9"
	versions=$("$PROVGRAPH" --versions /log/auth.log --disk "$1/history" --json | jq -s 'map(.states? // [.]) | flatten | length')
	[ "$versions" -ge 29 ] || fail "$1: $versions versions of the log; the guest made more than 28"
}

for case in ext4-4k:4096:data=ordered ext4-1k:1024:data=ordered ext4-journal:4096:data=journal; do
	IFS=: read -r name block options <<END
$case
END
	run_guest "$name" "$block" "$options"
	if [ -n "$keep" ]; then
		rm -rf "${keep:?}/$name" && mkdir -p "$keep/$name" && cp -r "$name/history" "$name/truth" "$keep/$name/"
	fi
	expect_status 0 "$PROVGRAPH" disk verify "$name/history"
	check_states "$name"
	check_tamper "$name"
	rm -rf "$name"
done
