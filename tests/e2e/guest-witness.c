// SPDX-License-Identifier: MIT
// The guest's own witness in tests/e2e/witness-guest.sh: guest-witness SERIAL PROGRAM [ARG...]
// and its login(1): guest-witness login UID PROGRAM [ARG...]
//
// Starts the program with 3 = requests (write a line), 4 = answers (one line to each request), 5 and 6 = a line each second, which the
// guest's services take as their clock. Each request goes to the host over the serial port, which stamps and answers it; the program goes on
// after that. Lines to the host begin with the guest's time when the line was sent, and its time when the answer before came (0: none):
// two bounds of the difference between the clocks.
//     say WORDS...            passed on
//     pid NAME PID            with the program that this process runs
//     see STEP PATH           with device, inode, generation, size and SHA-256 as they are
//     before STEP PATH        the same; the file is on the disk first (fsync), and the services stand still until
//     after STEP PATH         the same
//     mtime STEP PATH         with device, inode, generation and mtime: when it was written last
//     copy PATH               kept, for
//     gone STEP PATH          which audit events had lines in the copy that are not in the file now
//     end
// The rules leave out processes without a login, so nothing of this is in the log.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/fs.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)
#define COPY "/run/witness.copy"

static int serial, ticks[2];
static uint64_t answered_ns; // when the last answer came

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

static uint64_t now_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

// Sends a line to the host and waits for its answer.
static void __attribute__((format(printf, 1, 2))) tell(const char *format, ...)
{
	char words[8000], line[8192], answer;
	va_list arguments;
	int length;

	va_start(arguments, format);
	vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	length = snprintf(line, sizeof(line), "%llu %llu %s\n", (unsigned long long)now_ns(), (unsigned long long)answered_ns, words);
	for (int done = 0; done < length;) {
		ssize_t count = write(serial, line + done, (size_t)(length - done));

		if (count <= 0)
			die("serial port");
		done += (int)count;
	}
	do
		if (read(serial, &answer, 1) != 1)
			die("no answer");
	while (answer != '\n');
	answered_ns = now_ns();
}

static void open_serial(const char *path)
{
	struct termios settings;

	serial = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (serial < 0 || tcgetattr(serial, &settings) < 0)
		die(path);
	cfmakeraw(&settings);
	cfsetspeed(&settings, B115200);
	tcsetattr(serial, TCSANOW, &settings);
}

static void digest_of(const char *path, char *ret_digest, size_t size)
{
	char command[4200];
	FILE *output;

	snprintf(command, sizeof(command), "exec sha256sum '%s'", path);
	output = popen(command, "r");
	if (!output || !fgets(ret_digest, (int)size, output))
		die("sha256sum");
	pclose(output);
	ret_digest[64] = 0;
}

static void tell_file(const char *kind, const char *step, const char *path)
{
	struct stat status;
	char digest[256];
	int generation = 0, file = open(path, O_RDONLY | O_CLOEXEC);

	if (file < 0) {
		tell("%s %s %s", kind, step, path);
		return;
	}
	if (strcmp(kind, "before") == 0)
		fsync(file);
	fstat(file, &status);
	if (ioctl(file, FS_IOC_GETVERSION, &generation) < 0)
		generation = 0;
	close(file);
	digest_of(path, digest, sizeof(digest));
	tell("%s %s %s %02x:%02x %llu %u %lld %s", kind, step, path, major(status.st_dev), minor(status.st_dev),
	     (unsigned long long)status.st_ino, (unsigned)generation, (long long)status.st_size, digest);
}

static void tell_mtime(const char *step, const char *path)
{
	struct stat status;
	int generation = 0, file = open(path, O_RDONLY | O_CLOEXEC);

	if (file < 0 || fstat(file, &status) < 0 || ioctl(file, FS_IOC_GETVERSION, &generation) < 0)
		die(path);
	close(file);
	tell("mtime %s %s %02x:%02x %llu %u %lld%09ld", step, path, major(status.st_dev), minor(status.st_dev),
	     (unsigned long long)status.st_ino, (unsigned)generation, (long long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

static void tell_pid(const char *name, const char *pid)
{
	char link[64], path[4096] = "";
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/%s/exe", pid);
	length = readlink(link, path, sizeof(path) - 1);
	path[length > 0 ? length : 0] = 0;
	tell("pid %s %s %s", name, pid, path);
}

static void __attribute__((format(printf, 1, 2))) shell(const char *format, ...)
{
	char command[8400];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	if (system(command) != 0)
		die(command);
}

// The lines of the copy that the file does not hold any more: how many, the SHA-256 of them sorted by their bytes, their serials.
static void tell_gone(const char *step, const char *path)
{
	char digest[256], line[6000];
	unsigned long lines = 0;
	FILE *file;

	shell("grep -a -v -x -F -f '%s' " COPY " | sort >" COPY ".gone", path);
	shell("sed -n 's/.*audit([0-9.]*:\\([0-9]*\\)).*/\\1/p' " COPY ".gone | sort -n -u >%s.serials", COPY);
	digest_of(COPY ".gone", digest, sizeof(digest));
	file = fopen(COPY ".gone", "r");
	for (int byte; file && (byte = getc(file)) != EOF;)
		lines += byte == '\n';
	if (file)
		fclose(file);
	tell("gone %s %s %lu %s", step, path, lines, digest);
	file = fopen(COPY ".serials", "r");
	for (size_t used = 0; file;) {
		char number[64];
		int more = fgets(number, sizeof(number), file) != NULL;

		if (!more || used > 2000) {
			line[used] = 0;
			tell("serials %s%s", step, used ? line : "");
			used = 0;
		}
		if (!more) {
			fclose(file);
			break;
		}
		number[strcspn(number, "\n")] = 0;
		used += (size_t)snprintf(line + used, sizeof(line) - used, " %s", number);
	}
}

// Until the services have taken their last tick and written what they write.
static void settle(void)
{
	int left = 1;

	for (int tries = 0; left > 0 && tries < 100; tries++) {
		int other = 0;

		ioctl(ticks[0], FIONREAD, &left);
		ioctl(ticks[1], FIONREAD, &other);
		left += other;
		usleep(10000);
	}
	usleep(150000);
}

// Whether the services stand still from now on.
static int serve(char *request, int held)
{
	char *words[3] = { "", "", "" };
	char *kind = strsep(&request, " ");

	if (strcmp(kind, "say") == 0) {
		tell("say %s", request ? request : "");
		return held;
	}
	for (int i = 0; i < 3 && request; i++)
		words[i] = strsep(&request, " ");
	if (strcmp(kind, "before") == 0)
		settle();
	if (strcmp(kind, "before") == 0 || strcmp(kind, "after") == 0 || strcmp(kind, "see") == 0)
		tell_file(kind, words[0], words[1]);
	else if (strcmp(kind, "mtime") == 0)
		tell_mtime(words[0], words[1]);
	else if (strcmp(kind, "pid") == 0)
		tell_pid(words[0], words[1]);
	else if (strcmp(kind, "copy") == 0)
		shell("cp '%s' " COPY, words[0]);
	else if (strcmp(kind, "gone") == 0)
		tell_gone(words[0], words[1]);
	return strcmp(kind, "before") == 0 || (held && strcmp(kind, "after") != 0);
}

static void tick(void)
{
	char line[64];
	time_t now = time(NULL);
	size_t length = strftime(line, sizeof(line), "%b %e %H:%M:%S\n", gmtime(&now));

	for (int i = 0; i < 2; i++)
		if (write(ticks[i], line, length) < 0 && errno != EAGAIN)
			die("tick");
}

// The rest of the process's life is recorded.
static int login(char **words)
{
	uid_t uid = (uid_t)strtoul(words[0], NULL, 10);
	int file = open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);

	if (file < 0 || write(file, words[0], strlen(words[0])) < 0 || close(file) < 0)
		die("loginuid");
	if (uid > 0 && (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0))
		die("login");
	execvp(words[1], words + 1);
	die(words[1]);
	return 1;
}

int main(int argc, char **argv)
{
	int requests[2], answers[2], first[2], second[2], held = 0;
	char line[5000];
	uint64_t next_ns = clock_ns(CLOCK_MONOTONIC) + SECOND_NS; // the other clock may be set
	FILE *input;

	if (argc > 3 && strcmp(argv[1], "login") == 0)
		return login(argv + 2);
	if (argc < 3)
		return 2;
	open_serial(argv[1]);
	if (pipe(requests) || pipe(answers) || pipe(first) || pipe(second))
		die("pipe");
	if (fork() == 0) {
		int ends[4] = { requests[1], answers[0], first[0], second[0] };

		for (int i = 0; i < 4; i++) // out of the way of 3 to 6 first
			ends[i] = fcntl(ends[i], F_DUPFD, 40);
		for (int i = 0; i < 4; i++)
			dup2(ends[i], 3 + i);
		for (int i = 7; i < 50; i++)
			close(i);
		execvp(argv[2], argv + 2);
		die(argv[2]);
	}
	for (int i = 0; i < 2; i++) {
		ticks[i] = i ? second[1] : first[1];
		fcntl(ticks[i], F_SETFL, O_NONBLOCK);
	}
	input = fdopen(requests[0], "r");
	setvbuf(input, NULL, _IONBF, 0); // poll() sees what stdio would have taken
	for (;;) {
		struct pollfd ready = { .fd = requests[0], .events = POLLIN };
		uint64_t now = clock_ns(CLOCK_MONOTONIC);

		if (now >= next_ns) {
			if (!held)
				tick();
			next_ns = now + SECOND_NS;
		}
		if (poll(&ready, 1, 50) <= 0)
			continue;
		if (!fgets(line, sizeof(line), input))
			break;
		line[strcspn(line, "\n")] = 0;
		if (strcmp(line, "end") == 0)
			break;
		held = serve(line, held);
		if (write(answers[1], "\n", 1) != 1)
			die("answer");
	}
	return 0;
}
