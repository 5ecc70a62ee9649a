#!/bin/sh
# SPDX-License-Identifier: MIT
# guest-image.sh FOLDER MOUNT-OPTIONS: the kernel and the initial RAM disk of the test's guest, out of Debian's cloud kernel and busybox.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
kernel=
for candidate in /boot/vmlinuz-*-cloud-amd64; do [ ! -e "$candidate" ] || kernel=$candidate; done
[ -n "$kernel" ] || { echo "no cloud kernel in /boot (package linux-image-cloud-amd64)" >&2; exit 77; }
version=${kernel#/boot/vmlinuz-}
root=$folder/root
rm -rf "$root"
mkdir -p "$root/bin" "$root/modules"
cp "$(command -v busybox)" "$root/bin/busybox"
cp "$here/guest-init" "$root/init"
chmod 755 "$root/init"
echo "$2" >"$root/mount-options"
# /init is a shell script: the shell has to be there before busybox installs its names.
ln -s busybox "$root/bin/sh"
modprobe -S "$version" --show-depends virtio_pci virtio_blk >"$folder/depends"
modprobe -S "$version" --show-depends virtio_blk >>"$folder/depends"
awk '$1 == "insmod" && !seen[$2]++ { print $2 }' "$folder/depends" | while read -r module; do
	cp "$module" "$root/modules/"
	basename "$module" >>"$root/modules/order"
done
(cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc --quiet | gzip -n -1) >"$folder/initrd.gz"
cp "$kernel" "$folder/vmlinuz"
