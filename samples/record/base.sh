#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds the recorded host: base.sh FOLDER. A Debian 12 tree with real daemons, four users and their
# files. This is the only step that needs the network; nothing is audited while it runs.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
base=${1:?usage: base.sh FOLDER}
mirror=${DEBIAN_MIRROR:-} # empty: debootstrap knows where Debian is
packages=openssh-server,openssh-client,cron,rsyslog,logrotate,lighttpd,mutt,curl,python3,gcc,libc6-dev,make,git
packages+=,sudo,exim4-daemon-light,auditd,vim-tiny,less,procps,psmisc,iproute2,netbase,file,gzip,bzip2,xz-utils
packages+=,man-db,locales

in_base() {
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C chroot "$base" "$@"
}

[ -x "$base/usr/sbin/sshd" ] ||
	debootstrap --variant=minbase --include="$packages" bookworm "$base" ${mirror:+"$mirror"}

# Package sources would put the name of a mirror into the recording (apt reads files named after it).
rm -rf "$base"/etc/apt/sources.list "$base"/etc/apt/sources.list.d "$base"/etc/apt/apt.conf.d/*proxy* \
	"$base"/var/lib/apt/lists "$base"/var/cache/apt/archives/*.deb
mkdir -p "$base/etc/apt/sources.list.d" "$base/var/lib/apt/lists/partial"
: >"$base/etc/apt/sources.list"
: >"$base/etc/resolv.conf"
# What debootstrap and the packages logged while they were installed is not this host's history.
find "$base/var/log" -type f -exec truncate -s 0 {} +
rm -f "$base"/etc/ssh/ssh_host_* "$base"/var/log/bootstrap.log "$base"/etc/cron.daily/* "$base"/etc/cron.d/*

echo web01 >"$base/etc/hostname"
echo example.org >"$base/etc/mailname"
cat >"$base/etc/hosts" <<-'END'
	127.0.0.1 localhost
	10.0.0.2  ws01.example.org ws01 web01.example.org web01 mail.example.org
	10.0.0.7  files.example.org files
	10.0.0.23 desk23.example.org
	10.0.0.24 desk24.example.org
	10.0.0.25 desk25.example.org
	10.0.0.26 desk26.example.org
END

# rsyslog must not read the kernel log: that belongs to the machine that records.
sed -i '/imklog/d' "$base/etc/rsyslog.conf"
sed -i 's/^dc_eximconfig_configtype=.*/dc_eximconfig_configtype=internet/
	s/^dc_other_hostnames=.*/dc_other_hostnames=example.org:ws01.example.org:web01.example.org/
	s/^dc_local_interfaces=.*/dc_local_interfaces=/' "$base/etc/exim4/update-exim4.conf.conf"
# Reverse look-ups of senders need a name server, which this network has not.
grep -q 'HOST_LOOKUP_OFF' "$base/etc/exim4/exim4.conf.template" ||
	sed -i 's/^\([[:space:]]*\)host_lookup = .*/\1host_lookup =\n# HOST_LOOKUP_OFF/' "$base/etc/exim4/exim4.conf.template"
in_base update-exim4.conf
sed -i 's/^#\?UseDNS.*/UseDNS no/' "$base/etc/ssh/sshd_config"

for user in alice bob carol dave; do
	in_base id "$user" >/dev/null 2>&1 || in_base useradd --create-home --shell /bin/bash "$user"
	in_base usermod -p '*' "$user"
done
cat >"$base/etc/sudoers.d/local" <<-'END'
	Cmnd_Alias LOOK_AT_LOGS = /usr/bin/find /var/log/*
	alice    ALL=(root) NOPASSWD: LOOK_AT_LOGS
	dave     ALL=(root) NOPASSWD: ALL
	www-data ALL=(root) NOPASSWD: /usr/bin/install
END
chmod 440 "$base/etc/sudoers.d/local"

cp "$here/world/populate.py" "$base/root/populate.py"
in_base python3 -B /root/populate.py
rm "$base/root/populate.py"
for command in healthcheck diskwatch backup-home; do
	install -m 755 "$here/world/$command" "$base/usr/local/sbin/$command"
done
install -m 644 "$here/world/host.cron" "$base/etc/cron.d/host"
install -D -m 755 "$here/world/status.cgi" "$base/usr/lib/cgi-bin/status.cgi"
install -m 644 "$here/world/host.logrotate" "$base/etc/logrotate.d/host"
install -m 755 "$here/world/boot" "$base/usr/local/sbin/boot"
in_base lighty-enable-mod cgi >/dev/null 2>&1 || true
echo "base.sh: $base is ready"
