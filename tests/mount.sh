# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# A recorded disk mounted by this machine's kernel:  . "$SRCDIR/tests/mount.sh"  behind tests/lib.sh
#
#     nbdkit with our plugin <- nbdfuse (./fuse) <- loop device <- a file system (./mnt; ./view for a second one)
#
# Who uses it sets `server` to the pid of disk serve and `loop` to the loop device; take_down ends all of it, also when the test fails.
requires_root
requires nbdkit nbdfuse losetup mke2fs python3 fusermount3
[ -c /dev/fuse ] || skip "no /dev/fuse"
mkdir fuse mnt view

take_down() {
	umount view mnt 2>/dev/null
	[ -z "${loop:-}" ] || losetup -d "$loop"
	fusermount3 -u fuse 2>/dev/null
	[ -z "${server:-}" ] || { kill "$server" && wait "$server"; }
	loop='' server=''
}
cleanup_fn 'take_down >/dev/null 2>&1'

wait_for() { # TEST...: until it holds, at most 10 s
	for _ in $(seq 100); do
		test "$@" && return
		sleep 0.1
	done
	fail "not true within 10 s: $*"
}
