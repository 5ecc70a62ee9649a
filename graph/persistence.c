// SPDX-License-Identifier: MIT
#include "graph/persistence.h"

#include "base/memory.h"

#include <string.h>

// A path matches when it begins with `prefix`, holds `middle` after it, and ends with `suffix` (each may be NULL). `what` is
// the analyst's word. Sources: cron(8), crontab(5), systemd.unit(5) and systemd-system.conf(5) for the folders, ld.so(8),
// bash(1) INVOCATION, sshd(8) AUTHORIZED_KEYS, sudoers(5), passwd(5), pam.d(5), modprobe.d(5), modules-load.d(5), udev(7),
// apt.conf(5), at(1), XDG autostart; and the Linux techniques under "Persistence" of MITRE ATT&CK.
struct place { const char *prefix, *middle, *suffix, *what; };

static const struct place places[] = {
	{"/etc/crontab", NULL, NULL, "cron job"},
	{"/etc/cron.", "/", NULL, "cron job"},
	{"/etc/anacrontab", NULL, NULL, "cron job"},
	{"/var/spool/cron/", NULL, NULL, "cron job"},
	{"/var/spool/at/", NULL, NULL, "at job"},
	{"/var/spool/cron/atjobs/", NULL, NULL, "at job"},
	{"/etc/systemd/", NULL, ".service", "systemd unit"},
	{"/etc/systemd/", NULL, ".timer", "systemd unit"},
	{"/etc/systemd/", NULL, ".socket", "systemd unit"},
	{"/etc/systemd/", NULL, ".path", "systemd unit"},
	{"/etc/systemd/", ".d/", ".conf", "systemd unit"},
	{"/lib/systemd/system", "/", NULL, "systemd unit"},
	{"/usr/lib/systemd/system", "/", NULL, "systemd unit"},
	{"/usr/lib/systemd/user", "/", NULL, "systemd unit"},
	{"/usr/local/lib/systemd/", NULL, NULL, "systemd unit"},
	{"/run/systemd/system/", NULL, NULL, "systemd unit"},
	{NULL, "/.config/systemd/user/", NULL, "systemd unit of a user"},
	{NULL, "/.config/autostart/", ".desktop", "desktop autostart"},
	{"/etc/xdg/autostart/", NULL, NULL, "desktop autostart"},
	{"/etc/init.d/", NULL, NULL, "start script"},
	{"/etc/rc.local", NULL, NULL, "start script"},
	{"/etc/rc", ".d/", NULL, "start script"},
	{"/etc/inittab", NULL, NULL, "start script"},
	{NULL, "/.ssh/authorized_keys", NULL, "ssh key that may log in"},
	{NULL, "/.ssh/rc", NULL, "script at each ssh login"},
	{"/etc/ssh/sshd_config", NULL, NULL, "ssh server's configuration"},
	{"/etc/ssh/sshrc", NULL, NULL, "script at each ssh login"},
	{NULL, "/.bashrc", NULL, "shell start file"},
	{NULL, "/.bash_profile", NULL, "shell start file"},
	{NULL, "/.bash_login", NULL, "shell start file"},
	{NULL, "/.bash_logout", NULL, "shell start file"},
	{NULL, "/.bash_aliases", NULL, "shell start file"},
	{NULL, "/.profile", NULL, "shell start file"},
	{NULL, "/.zshrc", NULL, "shell start file"},
	{NULL, "/.zshenv", NULL, "shell start file"},
	{NULL, "/.zprofile", NULL, "shell start file"},
	{NULL, "/.config/fish/", NULL, "shell start file"},
	{NULL, "/.kshrc", NULL, "shell start file"},
	{"/etc/profile", NULL, NULL, "shell start file"},
	{"/etc/bash.bashrc", NULL, NULL, "shell start file"},
	{"/etc/zsh/", NULL, NULL, "shell start file"},
	{"/etc/environment", NULL, NULL, "environment of every login"},
	{"/etc/ld.so.preload", NULL, NULL, "library loaded into every program"},
	{"/etc/ld.so.conf", NULL, NULL, "library search path"},
	{"/etc/sudoers", NULL, NULL, "rule of sudo"},
	{"/etc/doas.conf", NULL, NULL, "rule of doas"},
	{"/etc/polkit-1/", NULL, NULL, "rule of polkit"},
	{"/etc/passwd", NULL, NULL, "user account"},
	{"/etc/shadow", NULL, NULL, "user account"},
	{"/etc/group", NULL, NULL, "user account"},
	{"/etc/gshadow", NULL, NULL, "user account"},
	{"/etc/pam.d/", NULL, NULL, "PAM module"},
	{"/etc/pam.conf", NULL, NULL, "PAM module"},
	{"/etc/security/", NULL, NULL, "PAM configuration"},
	{NULL, "/security/pam_", ".so", "PAM module"},
	{"/etc/modules", NULL, NULL, "kernel module at start"},
	{"/etc/modprobe.d/", NULL, NULL, "kernel module at start"},
	{"/lib/modules/", NULL, NULL, "kernel module"},
	{"/usr/lib/modules/", NULL, NULL, "kernel module"},
	{"/etc/udev/rules.d/", NULL, NULL, "udev rule"},
	{"/lib/udev/rules.d/", NULL, NULL, "udev rule"},
	{"/usr/lib/udev/rules.d/", NULL, NULL, "udev rule"},
	{"/etc/apt/apt.conf", NULL, NULL, "hook of apt"},
	{"/etc/dpkg/dpkg.cfg", NULL, NULL, "hook of dpkg"},
	{"/etc/yum/pluginconf.d/", NULL, NULL, "hook of yum"},
	{"/etc/update-motd.d/", NULL, NULL, "script at each login"},
	{"/etc/NetworkManager/dispatcher.d/", NULL, NULL, "script at network changes"},
	{"/etc/network/if-", "/", NULL, "script at network changes"},
	{"/etc/dhcp/dhclient-", "/", NULL, "script at network changes"},
	{"/etc/logrotate.", NULL, NULL, "script at log rotation"},
	{NULL, "/.git/hooks/", NULL, "git hook"},
	{"/boot/", NULL, NULL, "boot file"},
};

static bool has_suffix(const char *path, size_t length, const char *suffix)
{
	size_t n = strlen(suffix);
	return length >= n && memcmp(path + length - n, suffix, n) == 0;
}

static bool matches(const struct place *p, const char *path, size_t length)
{
	size_t at = p->prefix ? strlen(p->prefix) : 0;
	if (at > length || (at && memcmp(path, p->prefix, at) != 0))
		return false;
	if (p->middle && !memmem(path + at, length - at, p->middle, strlen(p->middle)))
		return false;
	return !p->suffix || has_suffix(path, length, p->suffix);
}

// Most paths hold no hidden name, and most places without a prefix do: one look saves dozens.
static const struct place *find_place(const struct place *list, size_t count, const char *path, size_t length)
{
	bool hidden = memmem(path, length, "/.", 2) != NULL;
	for (size_t i = 0; i < count; i++) {
		bool asks_hidden = !list[i].prefix && list[i].middle && list[i].middle[1] == '.';
		if ((hidden || !asks_hidden) && matches(&list[i], path, length))
			return &list[i];
	}
	return NULL;
}

// What package managers and editors leave for a moment beside the real file is not the file.
static bool is_scratch(const char *path, size_t length)
{
	static const char *const suffixes[] = {".swp", ".swx", ".lock", "~", ".dpkg-new", ".dpkg-tmp"};
	for (size_t i = 0; i < ARRAY_LENGTH(suffixes); i++)
		if (has_suffix(path, length, suffixes[i]))
			return true;
	return false;
}

const char *persistence_of_path(const char *path, size_t length)
{
	const struct place *place = find_place(places, ARRAY_LENGTH(places), path, length);
	return place && !is_scratch(path, length) ? place->what : NULL;
}

bool persistence_is_log(const char *path, size_t length)
{
	static const struct place logs[] = {
		{"/var/log/", NULL, NULL, ""}, {"/run/utmp", NULL, NULL, ""}, {"/var/run/utmp", NULL, NULL, ""},
		{"/run/log/", NULL, NULL, ""}, {NULL, "/.", "_history", ""}, {NULL, "/.lesshst", NULL, ""},
		{NULL, "/.viminfo", NULL, ""}, {NULL, "/.local/share/fish/", NULL, ""},
	};
	return find_place(logs, ARRAY_LENGTH(logs), path, length) != NULL;
}

bool persistence_is_secret(const char *path, size_t length)
{
	static const struct place secrets[] = {
		{"/etc/shadow", NULL, NULL, ""}, {"/etc/gshadow", NULL, NULL, ""}, {"/etc/sudoers", NULL, NULL, ""},
		{"/etc/ssh/ssh_host_", NULL, "_key", ""}, {"/etc/krb5.keytab", NULL, NULL, ""}, {"/etc/ssl/private/", NULL, NULL, ""},
		{NULL, "/.ssh/id_", NULL, ""}, {NULL, "/.gnupg/", NULL, ""}, {NULL, "/.aws/credentials", NULL, ""},
		{NULL, "/.config/gcloud/", NULL, ""}, {NULL, "/.azure/", NULL, ""}, {NULL, "/.kube/config", NULL, ""},
		{NULL, "/.docker/config.json", NULL, ""}, {NULL, "/.netrc", NULL, ""}, {NULL, "/.git-credentials", NULL, ""},
		{NULL, "/.pgpass", NULL, ""}, {NULL, "/.my.cnf", NULL, ""}, {NULL, "/logins.json", NULL, ""},
		{NULL, "/key4.db", NULL, ""}, {NULL, "/Login Data", NULL, ""}, {NULL, "/cookies.sqlite", NULL, ""},
		{NULL, "/.password-store/", NULL, ""}, {NULL, NULL, ".kdbx", ""}, {"/var/lib/sss/db/", NULL, NULL, ""},
	};
	return find_place(secrets, ARRAY_LENGTH(secrets), path, length) != NULL;
}

// ld.so(8): FILES, and the default folders of its search.
bool persistence_is_library(const char *path, size_t length)
{
	static const struct place folders[] = {{"/lib/", NULL, NULL, ""}, {"/lib64/", NULL, NULL, ""}, {"/usr/lib/", NULL, NULL, ""}, {"/usr/lib64/", NULL, NULL, ""}};
	static const char cache[] = "/etc/ld.so.cache";
	const char *base = length > 0 ? memrchr(path, '/', length) : NULL;

	if (length == sizeof(cache) - 1 && memcmp(path, cache, length) == 0)
		return true;
	if (!base || !find_place(folders, ARRAY_LENGTH(folders), path, length))
		return false;
	size_t base_length = length - (size_t)(++base - path);
	return base_length > 3 && (memcmp(base, "lib", 3) == 0 || memcmp(base, "ld-", 3) == 0) && memmem(base, base_length, ".so", 3) != NULL;
}

// Versions follow names: python3.11, bash5. A name counts when only digits and dots follow it.
static bool one_of(const char *base, size_t length, const char *const *names, size_t count)
{
	if (length > 1 && base[0] == '-') { // a login shell's own name for itself
		base++;
		length--;
	}
	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(names[i]);
		if (length < n || memcmp(base, names[i], n) != 0)
			continue;
		while (n < length && (base[n] == '.' || (base[n] >= '0' && base[n] <= '9')))
			n++;
		if (n == length)
			return true;
	}
	return false;
}

static const char *const shells[] = {"sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "fish", "csh", "tcsh", "busybox", "rbash"};

bool persistence_is_shell(const char *base, size_t length)
{
	return one_of(base, length, shells, ARRAY_LENGTH(shells));
}

bool persistence_is_interpreter(const char *base, size_t length)
{
	static const char *const names[] = {"python", "pypy", "perl", "ruby", "php", "php-cgi", "php-fpm", "node", "nodejs",
		"deno", "bun", "lua", "luajit", "tclsh", "expect", "awk", "gawk", "mawk", "java", "osascript", "pwsh", "guile", "Rscript"};
	return persistence_is_shell(base, length) || one_of(base, length, names, ARRAY_LENGTH(names));
}

bool persistence_begins_sessions(const char *base, size_t length)
{
	static const char *const names[] = {"systemd", "init", "sshd", "sshd-session", "dropbear", "login", "getty", "agetty", "gdm",
		"gdm-session-wor", "gdm-session-worker", "sddm", "lightdm", "cron", "crond", "anacron", "atd", "su", "sudo", "runuser",
		"doas", "pkexec", "tmux", "screen", "script", "supervisord", "runsv", "s6-supervise", "containerd-shim", "dockerd",
		"containerd", "dbus-daemon", "start-stop-daemon", "setsid", "nohup", "timeout", "env", "nice", "unshare", "nsenter",
		"chroot", "setpriv", "xargs"};
	return one_of(base, length, names, ARRAY_LENGTH(names));
}

bool persistence_starts_for_others(const char *base, size_t length)
{
	static const char *const names[] = {"systemd", "init", "sshd", "dropbear", "cron", "crond", "anacron", "atd", "inetd", "xinetd",
		"gdm", "sddm", "lightdm", "containerd-shim", "dockerd", "containerd", "supervisord", "runsv", "s6-supervise"};
	return one_of(base, length, names, ARRAY_LENGTH(names));
}

bool persistence_runs_jobs(const char *base, size_t length)
{
	static const char *const names[] = {"cron", "crond", "anacron", "atd"};
	return one_of(base, length, names, ARRAY_LENGTH(names));
}
