#!/bin/sh
# SPDX-License-Identifier: MIT
# guest-root.sh FOLDER: kernel, initial RAM disk and root file system (root.img) of the guest of witness-guest.sh, out of the Debian
# packages that are installed here: programs with the libraries that they need, an auditd, three users. Nothing is fetched.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
kernel=
for candidate in /boot/vmlinuz-*-cloud-amd64; do [ ! -e "$candidate" ] || kernel=$candidate; done
[ -n "$kernel" ] || { echo "no cloud kernel in /boot (package linux-image-cloud-amd64)" >&2; exit 77; }
version=${kernel#/boot/vmlinuz-}
libraries=usr/lib/x86_64-linux-gnu

# install_program PATH: as the guest's PATH (below /usr), with what ldd names.
install_program() {
	real=$(readlink -f "/$1")
	[ -x "$real" ] || { echo "/$1 is not there" >&2; exit 77; }
	cp "$real" "$root/$1"
	ldd "$real" | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p' | while read -r library; do
		[ -e "$root/$libraries/${library##*/}" ] || cp -L "$library" "$root/$libraries/"
	done
}

root=$folder/guest-root
rm -rf "$root"
mkdir -p "$root/usr/bin" "$root/usr/sbin" "$root/$libraries" "$root/usr/lib64" "$root/usr/local/sbin" "$root/etc/audit/plugins.d" \
	"$root/etc/audit/rules.d" "$root/root" "$root/home" "$root/var/log" "$root/srv/disk" "$root/proc" "$root/sys" "$root/dev" \
	"$root/run" "$root/tmp"
for name in bin sbin lib lib64; do ln -s "usr/$name" "$root/$name"; done
ln -s ../run "$root/var/run"
cp -L /lib64/ld-linux-x86-64.so.2 "$root/usr/lib64/"
for program in bin/dash bin/cat bin/cp bin/rm bin/mv bin/chmod bin/sha256sum bin/date bin/id bin/wc bin/sort bin/sleep bin/grep bin/sed \
	bin/find bin/nc.openbsd sbin/auditd sbin/auditctl; do
	install_program "usr/$program"
done
ln -s dash "$root/usr/bin/sh"
ln -s nc.openbsd "$root/usr/bin/nc"
cp "$(command -v busybox)" "$root/usr/local/sbin/busybox"
cp "$here/guest-start" "$here/guest-scenario" "$here/guest-daemons" "$root/usr/local/sbin/"
chmod 755 "$root/usr/local/sbin/guest-start" "$root/usr/local/sbin/guest-scenario"
${CC:-cc} -O2 -s -o "$root/usr/local/sbin/guest-witness" "$here/guest-witness.c"
${CC:-cc} -O2 -s -o "$root/usr/local/sbin/guest-sync" "$here/guest-sync.c"
# The attacker's server has it, not the guest.
${CC:-cc} -O2 -s -o "$folder/invoice.bin" "$here/guest-implant.c"

# Only calls of processes with a login: what starts the guest, and its witness, are not the story.
awk '/^-a/ && !done { print "-a never,exit -F auid=unset"; done = 1 } { print }' "$here/../../samples/provgraph.rules" \
	>"$root/etc/audit/rules.d/audit.rules"
printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' \
	'alice:x:1000:1000::/home/alice:/bin/sh' 'bob:x:1001:1001::/home/bob:/bin/sh' >"$root/etc/passwd"
printf '%s\n' 'root:x:0:' 'adm:x:4:' 'alice:x:1000:' 'bob:x:1001:' >"$root/etc/group"
# shellcheck disable=SC2016  # a password hash
printf '%s\n' 'root:*:20000:0:99999:7:::' 'alice:$y$j9T$nobodyknows$:20000:0:99999:7:::' 'bob:*:20000:0:99999:7:::' >"$root/etc/shadow"
printf '%s\n' 'passwd: files' 'group: files' 'hosts: files' >"$root/etc/nsswitch.conf"
echo '127.0.0.1 localhost' >"$root/etc/hosts"
: >"$root/etc/ld.so.cache"
truncate -s 96M "$folder/root.img"
mkfs.ext4 -q -F -d "$root" -E root_owner=0:0 "$folder/root.img"

boot=$folder/boot
rm -rf "$boot"
mkdir -p "$boot/bin" "$boot/modules"
cp "$(command -v busybox)" "$boot/bin/busybox"
ln -s busybox "$boot/bin/sh"
cat >"$boot/init" <<'END'
#!/bin/sh
/bin/busybox mkdir -p /proc /sys /dev /new
/bin/busybox --install -s /bin
mount -t proc none /proc
mount -t devtmpfs none /dev
while read -r module; do insmod "/modules/$module" || echo "insmod $module failed"; done </modules/order
mount -t ext4 /dev/vda /new
mount --move /dev /new/dev
umount /proc
exec switch_root /new /usr/local/sbin/guest-start
END
chmod 755 "$boot/init"
for module in virtio_pci virtio_blk virtio_net; do modprobe -S "$version" --show-depends "$module"; done >"$folder/depends"
awk '$1 == "insmod" && !seen[$2]++ { print $2 }' "$folder/depends" | while read -r module; do
	cp "$module" "$boot/modules/"
	basename "$module" >>"$boot/modules/order"
done
(cd "$boot" && find . | LC_ALL=C sort | cpio -o -H newc --quiet | gzip -n -1) >"$folder/initrd.gz"
cp "$kernel" "$folder/vmlinuz"
