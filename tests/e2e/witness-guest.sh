#!/bin/sh
# SPDX-License-Identifier: MIT
# Two witnesses of one incident: a real guest (QEMU, TCG) with a real auditd, its data disk recorded, and the guest's own word of what
# was true (guest-witness.c). Each recording is turned into the form of samples/ (witness_truth.py) and put to the checks that the shipped
# ones stand in `make check` (tests/cli/witness-samples.sh, witness_check.py).
#
# KEEP=FOLDER keeps the recordings; GUESTS="NAME..." makes these only. Two guests run at once.
. "$SRCDIR/tests/lib.sh"
requires qemu-system-x86_64 qemu-img busybox cpio modprobe mkfs.ext4 python3 nbdkit nc.openbsd zstd jq
[ -x /usr/sbin/auditd ] || skip "auditd is not installed"
ACCEL=${ACCEL:-tcg,thread=multi}
keep=${KEEP:-}

# run_guest NAME BLOCK-BYTES FLUSH DIRTY CRON BOB SCENE CLOCK-SECONDS ORDERS: leaves NAME/history and NAME/truth.
# With flush=SYNC each line of the log is a commit of the file system: there the guest is quieter, so that the history stays small.
run_guest() {
	name=$1
	settings="pg_flush=$3 pg_dirty=$4 pg_cron=$5 pg_bob=$6 pg_scene=$7"
	case $3 in
	SYNC) settings="$settings pg_format=RAW" ;;
	*) settings="$settings pg_format=ENRICHED audit=1" ;;
	esac
	mkdir -p "$name"
	truncate -s 64M "$name/base.img"
	mkfs.ext4 -q -F -b "$2" -N 512 -J size=4 -E lazy_itable_init=0,lazy_journal_init=0 -L data "$name/base.img" || fail "mkfs.ext4"
	"$PROVGRAPH" disk init "$name/history" --size 64M --segment-size 256K || fail "disk init"
	"$PROVGRAPH" disk serve "$name/history" --socket "$PWD/$name/disk.sock" --compress now >"$name/serve.out" 2>"$name/serve.err" &
	server=$!
	cleanup_fn "kill $server 2>/dev/null"
	wait_for_socket "$name/disk.sock"
	qemu-img convert -n -f raw -O raw "$name/base.img" "nbd+unix:///?socket=$PWD/$name/disk.sock" || fail "copying the empty file system"
	outside="python3 -B image/outside.py" # QEMU splits words at blanks and commas: no path of this machine
	network="user,id=n0,net=10.0.0.0/24,host=10.0.0.1,restrict=on"
	network="$network,guestfwd=tcp:10.0.0.5:4444-cmd:$outside orders $9"
	network="$network,guestfwd=tcp:10.0.0.9:80-cmd:$outside file image/invoice.bin"
	network="$network,guestfwd=tcp:10.0.0.7:80-cmd:$outside file image/news"
	timeout 240 qemu-system-x86_64 -accel "$ACCEL" -machine q35 -cpu max -m 256 -nodefaults -display none -no-reboot \
		-rtc "base=$(date -u -d "$8 seconds" +%Y-%m-%dT%H:%M:%S),clock=host" -kernel image/vmlinuz -initrd image/initrd.gz \
		-append "console=ttyS0 quiet panic=-1 nokaslr mitigations=off net.ifnames=0 audit_backlog_limit=16384 $settings" \
		-drive file=image/root.img,format=raw,if=none,id=d0,snapshot=on -device virtio-blk-pci,drive=d0 \
		-drive "file=nbd+unix:///?socket=$PWD/$name/disk.sock,format=raw,if=none,id=d1,cache=none,discard=unmap" \
		-device virtio-blk-pci,drive=d1 -serial "file:$name/console" \
		-chardev "socket,id=truth,path=$PWD/$name/truth.sock,server=on,wait=on" -serial chardev:truth \
		-netdev "$network" -device virtio-net-pci,netdev=n0 >"$name/qemu.err" 2>&1 &
	guest=$!
	python3 -B "$SRCDIR/tests/e2e/stamp.py" "$PWD/$name/truth.sock" >"$name/truth"
	wait $guest || true
	grep -q ' end$' "$name/truth" || { tail -n 5 "$name/console" "$name/qemu.err" "$name/truth" >&2
		fail "$name: the guest did not come to its end"; }
	sleep 1 # the background thread compresses the last full segment
	kill -TERM $server
	wait $server || fail "disk serve ended with status $?"
}

# make_sample NAME BLOCK-BYTES DIRTY: NAME/sample, as samples/README.md describes it. The audit log is the one that the guest left,
# by the hash that it told.
make_sample() {
	sample=$1/sample
	mkdir -p "$sample"
	python3 -B "$SRCDIR/tests/e2e/witness_truth.py" "$1/truth" "$2" "$3" "$sample" || fail "$1: the truth is not whole"
	"$PROVGRAPH" disk cat "$1/history" now /log/audit/audit.log -o "$sample/audit.log" >"$1/out" 2>"$1/err" ||
		{ cat "$1/err" >&2; fail "$1: no audit log"; }
	wanted=$(jq -r '.disk.states[] | select(.step == "final" and .path == "/var/log/audit/audit.log") | .sha256' "$sample/truth.json")
	[ "$(sha256sum "$sample/audit.log" | cut -d' ' -f1)" = "$wanted" ] ||
		fail "$1: the audit log differs from the one that the guest had at its end"
	zstd -q -19 --rm "$sample/audit.log" -o "$sample/audit.log.zst" || fail "zstd"
	mv "$1/history" "$sample/web01.history"
	rm -f "$sample/web01.history/lock" "$sample/web01.history/reserve" # which only a writer needs
	chmod -R u+rwX,go+rX "$sample"
}

mkdir image
sh "$SRCDIR/tests/e2e/guest-root.sh" image || exit $?
cp "$SRCDIR/tests/e2e/outside.py" image/outside.py
cp "$SRCDIR/LICENSE" image/news

# NAME:BLOCK-BYTES:FLUSH:DIRTY:CRON:BOB:SCENE:CLOCK-SECONDS:ORDERS
guests='
guest-tamper:4096:NONE:3000:5:news:short:+0:2+tamper+drop+3+steal+37+leave
guest-audit:1024:SYNC:300:100:notes:short:+0:3+strip+72+leave
guest-audit-sed:1024:SYNC:300:100:nobody:short:+20:3+sed+3+leave
guest-clock:1024:NONE:300:5:news:short:-4020:2+steal+1+anew+9+leave
guest-long:4096:NONE:3000:0:notes:long:+0:3+drop+40+leave
guest-step:1024:NONE:300:5:notes:short:+0:14+ahead+8+tamper+9+leave
'
is_wanted() {
	case " ${GUESTS:-$1} " in *" $1 "*) return 0 ;; *) return 1 ;; esac
}
line_of() {
	printf '%s' "$guests" | grep "^$1:"
}
record() {
	is_wanted "$1" || return 0
	IFS=: read -r name block flush dirty cron bob scene clock orders <<END
$(line_of "$1")
END
	run_guest "$name" "$block" "$flush" "$dirty" "$cron" "$bob" "$scene" "$clock" "$orders"
	make_sample "$name" "$block" "$dirty"
}

# Two at once, the second of them perhaps several, one after the other. They are of the same time, so that one disk can be taken for the
# other; not of the same moment: guests that boot together make the same files in the same second.
both() {
	broken=
	( record "$1" ) &
	first=$!
	shift
	( sleep 4; for name in "$@"; do ( record "$name" ) || exit 1; done ) &
	second=$!
	wait $first || broken=yes
	wait $second || broken=yes
	[ -z "$broken" ] || fail "not all guests were recorded"
}
both guest-audit guest-tamper
both guest-long guest-audit-sed guest-clock guest-step

names=
for name in $(printf '%s' "$guests" | cut -d: -f1); do
	is_wanted "$name" || continue
	names="$names $name"
	if [ -n "$keep" ]; then
		mkdir -p "$keep/$name" && rm -rf "${keep:?}/$name/web01.history" "$keep/$name/audit.log.zst" && cp -r "$name/sample/." "$keep/$name/"
	fi
	mv "$name" "$name.record" && mv "$name.record/sample" "$name"
done
for name in $names; do
	others=
	for other in $names; do [ "$other" = "$name" ] || others="$others $other"; done
	# shellcheck disable=SC2086  # a list of folders
	python3 -B "$SRCDIR/tests/cli/witness_check.py" "$name" $others || broken=yes
done
[ -z "$broken" ] || fail "not as the guests told"
