// SPDX-License-Identifier: MIT
// The asking side: starts provgraph-fsread, sends the question, takes frames until the end.
//
// The process may have been taken over by what it reads. Nothing that it says is believed: frames have a size limit, the answer has one,
// silence has one, texts are cut, and whoever takes the frames checks what is in them.
#include "snapshots/fsread.h"

#include "base/bytes.h"
#include "base/child.h"
#include "base/memory.h"
#include "base/nanotime.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#define PROGRAM "provgraph-fsread"
#define HEADER_BYTES 8
#define STEP_BYTES (256u << 10)
#define PIPE_BYTES (1 << 20)                    // wanted; the kernel's default serves, too
#define SILENCE_NS (600 * NANOTIME_SECOND)      // our limit: no byte for so long
#define WAIT_NS (2 * NANOTIME_SECOND)           // to end by itself after its last frame
#define BESIDE_BYTES (UINT64_C(1) << 30)        // our limit for what comes beside content: a million files of a tree; and for lists, kept in memory
#define LINES_BYTES (UINT64_C(16) << 30)        // our limit for the lines of a log: they go to a file
#define PATCHES_BYTES (UINT64_C(17) << 30)      // our limit for the journal of a large file system (JOURNAL_MAX_BYTES), with its frames
#define WARNINGS_BYTES 65536u                   // our limit
#define SENTENCE_BYTES 900u                     // of an ERROR, fits struct error

struct session {
	pid_t pid;                 // 0: reaped
	int input, output;         // our ends
	uint8_t *bytes;            // what has come and is not yet handled
	size_t length;
	uint64_t received, max_received;
	bool greeted, ended, refused;
	fsread_on_frame *on_frame;
	void *context;
	struct fsread_answer *answer;
};

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NANOTIME_SECOND + (uint64_t)now.tv_nsec;
}

// Inside nbdkit the running program is not ours: then the place beside our own shared object counts first.
static int find_program(char *ret, size_t size, struct error *err)
{
	Dl_info info;

	if (dladdr((void *)(uintptr_t)&fsread_ask, &info) != 0 && info.dli_fname) {
		size_t length = strlen(info.dli_fname);
		const char *slash = strrchr(info.dli_fname, '/');

		if (slash && length > 3 && strcmp(info.dli_fname + length - 3, ".so") == 0 &&
		    snprintf(ret, size, "%.*s/" PROGRAM, (int)(slash - info.dli_fname), info.dli_fname) < (int)size && access(ret, X_OK) == 0)
			return 0;
	}
	return child_find_program(PROGRAM, ret, size, err);
}

static int spawn(struct session *s, const char *path, int child_input, int child_output, struct error *err)
{
	char variable_path[] = "PATH=/usr/bin:/bin", variable_locale[] = "LC_ALL=C", name[] = PROGRAM;
	char *environment[] = {variable_path, variable_locale, NULL}, *arguments[] = {name, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	if (posix_spawn_file_actions_init(&actions) != 0)
		return error_set(err, "out of memory");
	if (posix_spawnattr_init(&attributes) != 0) {
		(void)posix_spawn_file_actions_destroy(&actions);
		return error_set(err, "out of memory");
	}
	int code = posix_spawn_file_actions_adddup2(&actions, child_input, STDIN_FILENO);

	if (code == 0)
		code = posix_spawn_file_actions_adddup2(&actions, child_output, STDOUT_FILENO);
	if (code == 0)
		code = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	// What we inherited without close-on-exec (a script's log, a server's socket) is none of its business.
	if (code == 0)
		code = posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	(void)posix_spawnattr_setsigdefault(&attributes, &all);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (code == 0)
		code = posix_spawn(&s->pid, path, &actions, &attributes, arguments, environment);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (code != 0) {
		s->pid = 0;
		return error_set_errno(err, code, "%s: cannot be started", path);
	}
	return 0;
}

static int start(struct session *s, struct error *err)
{
	char path[PATH_MAX];
	int input[2], output[2];

	if (find_program(path, sizeof(path), err) < 0)
		return -1;
	// A socket, because send() can be told not to raise SIGPIPE.
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, input) < 0)
		return error_set_errno(err, errno, "cannot create a socket pair");
	s->input = input[0];
	int child_input AUTO_CLOSE = input[1];

	if (pipe2(output, O_CLOEXEC) < 0)
		return error_set_errno(err, errno, "cannot create a pipe");
	s->output = output[0];
	int child_output AUTO_CLOSE = output[1];

	(void)fcntl(s->output, F_SETPIPE_SZ, PIPE_BYTES);
	return spawn(s, path, child_input, child_output, err);
}

// It fits the socket's buffer (paths are at most 4 KiB each), so that this cannot block for long.
static int send_question(struct session *s, const struct fsread_question *q, struct error *err)
{
	struct buffer payload AUTO_RELEASE_BUFFER = {0}, frames AUTO_RELEASE_BUFFER = {0};
	uint8_t header[HEADER_BYTES];

	fsread_question_put(&payload, q);
	put_le32(header, FSREAD_FRAME_HELLO);
	put_le32(header + 4, 8);
	buffer_add(&frames, header, sizeof(header));
	wire_put_u64(&frames, FSREAD_PROTOCOL);
	put_le32(header, FSREAD_FRAME_QUESTION);
	put_le32(header + 4, (uint32_t)payload.length);
	buffer_add(&frames, header, sizeof(header));
	buffer_add(&frames, payload.bytes, payload.length);
	if (buffer_check(&payload, err) < 0 || buffer_check(&frames, err) < 0)
		return -1;
	for (size_t done = 0; done < frames.length;) {
		ssize_t put = send(s->input, frames.bytes + done, frames.length - done, MSG_NOSIGNAL);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return 0; // it is gone: how it ended says more
		done += (size_t)put;
	}
	(void)shutdown(s->input, SHUT_WR);
	return 0;
}

static int take_hello(struct session *s, uint32_t type, struct wire_reader r, struct error *err)
{
	uint64_t protocol = wire_get_u64(&r);

	if (type != FSREAD_FRAME_HELLO || r.failed)
		return error_set(err, PROGRAM ": it does not speak as it should; provgraph is not installed in one piece");
	if (protocol != FSREAD_PROTOCOL)
		return error_set(err, PROGRAM ": it speaks version %" PRIu64 " and provgraph %d: they are not of one installation", protocol,
				 FSREAD_PROTOCOL);
	s->greeted = true;
	return 0;
}

static void take_warning(struct session *s, struct wire_reader r)
{
	char *text AUTO_FREE = wire_get_string(&r, SENTENCE_BYTES);
	struct buffer *out = &s->answer->warnings;

	if (!text || out->length + strlen(text) > WARNINGS_BYTES)
		return;
	for (char *at = text; *at; at++)
		if (*at == '\n')
			*at = '?';
	buffer_add_string(out, text);
	buffer_add_byte(out, '\n');
}

static int take_error(struct session *s, struct wire_reader r, struct error *err)
{
	uint64_t kind = wire_get_u64(&r);
	char *text AUTO_FREE = wire_get_string(&r, SENTENCE_BYTES);

	if (kind < FSREAD_BROKEN || kind > FSREAD_PARTITION_UNCLEAR)
		kind = FSREAD_BROKEN;
	s->refused = true;
	s->answer->failure = (enum fsread_failure)kind;
	return error_set(err, "%s", text && *text ? text : PROGRAM ": it failed and does not say why");
}

static int take_frame(struct session *s, uint32_t type, const uint8_t *payload, size_t length, struct error *err)
{
	if (s->ended)
		return error_set(err, PROGRAM ": it goes on after its last word");
	if (!s->greeted)
		return take_hello(s, type, wire_read(payload, length), err);
	switch (type) {
	case FSREAD_FRAME_ERROR:
		return take_error(s, wire_read(payload, length), err);
	case FSREAD_FRAME_WARNING:
		take_warning(s, wire_read(payload, length));
		return 0;
	case FSREAD_FRAME_END:
		s->ended = true;
		return 0;
	default:
		return s->on_frame(s->context, type, payload, length, err) == 0 ? 0 : -1;
	}
}

// Handles every whole frame and moves the rest to the front.
static int take_frames(struct session *s, struct error *err)
{
	size_t at = 0;

	while (s->length - at >= HEADER_BYTES) {
		uint32_t type = get_le32(s->bytes + at), length = get_le32(s->bytes + at + 4);

		if (length > WIRE_MAX_FRAME_BYTES || type == 0)
			return error_set(err, PROGRAM ": it sent something that is no frame");
		if (s->length - at - HEADER_BYTES < length)
			break;
		if (take_frame(s, type, s->bytes + at + HEADER_BYTES, length, err) < 0)
			return -1;
		at += HEADER_BYTES + length;
	}
	s->length -= at;
	memmove(s->bytes, s->bytes + at, s->length);
	return 0;
}

// Where signals are blocked (restore.c) a hostile answer that never ends must not make us deaf to them.
static bool is_interrupted(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 &&
	       (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGHUP) == 1);
}

// Until the other side closes its end.
static int take_answer(struct session *s, struct error *err)
{
	uint64_t last_ns = monotonic_ns();

	for (;;) {
		struct pollfd polls = {.fd = s->output, .events = POLLIN};
		int ready = poll(&polls, 1, 1000);

		if (is_interrupted())
			return error_set(err, "interrupted");
		if (ready <= 0) {
			if (monotonic_ns() - last_ns > SILENCE_NS)
				return error_set(err, PROGRAM ": it said nothing for %d s and was stopped", (int)(SILENCE_NS / NANOTIME_SECOND));
			continue;
		}
		ssize_t got = read(s->output, s->bytes + s->length, STEP_BYTES);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set_errno(err, errno, PROGRAM ": cannot read its answer");
		if (got == 0)
			return 0;
		s->length += (size_t)got;
		s->received += (uint64_t)got;
		if (s->received > s->max_received)
			return error_set(err, PROGRAM ": its answer is larger than the limit of %" PRIu64 " bytes and was stopped", s->max_received);
		if (take_frames(s, err) < 0)
			return -1;
		last_ns = monotonic_ns();
	}
}

// Waits for its end, or makes one. The wait status.
static int reap(struct session *s, bool at_once)
{
	uint64_t until_ns = monotonic_ns() + WAIT_NS;
	struct timespec pause = {.tv_nsec = 100000};
	int status = 0;

	if (at_once)
		(void)kill(s->pid, SIGKILL);
	for (;;) {
		pid_t done = waitpid(s->pid, &status, at_once ? 0 : WNOHANG);

		if (done == s->pid || (done < 0 && errno != EINTR))
			break;
		if (done == 0 && monotonic_ns() >= until_ns) {
			at_once = true;
			(void)kill(s->pid, SIGKILL);
		} else if (done == 0) {
			(void)nanosleep(&pause, NULL);
		}
	}
	s->pid = 0;
	return status;
}

// The answer is not whole: why?
static int tell_death(int status, struct error *err)
{
	if (!WIFSIGNALED(status))
		return error_set(err, PROGRAM ": it ended (status %d) without a whole answer", WEXITSTATUS(status));
	switch (WTERMSIG(status)) {
	case SIGXCPU:
		return error_set(err, PROGRAM ": it reached its limit of CPU time: the file system may be made to be endless");
	case SIGKILL:
		return error_set(err, PROGRAM ": it was killed, perhaps for want of memory");
	case SIGSYS:
		return error_set(err, PROGRAM ": it was stopped by its sandbox, and what it read may be made to attack it");
	default:
		return error_set(err, PROGRAM ": it died of signal %d (%s): the file system may be damaged, or made to attack it", WTERMSIG(status),
				 strsignal(WTERMSIG(status)));
	}
}

static int converse(struct session *s, const struct fsread_question *q, struct error *err)
{
	s->bytes = malloc(HEADER_BYTES + WIRE_MAX_FRAME_BYTES + STEP_BYTES);
	if (!s->bytes)
		return error_set(err, "out of memory");
	if (start(s, err) < 0)
		return -1;
	int result = send_question(s, q, err) < 0 ? -1 : take_answer(s, err);
	int status = reap(s, result < 0 && !s->refused);

	if (result == 0 && !s->ended)
		return tell_death(status, err);
	return result;
}

// Content has the limit that was asked for (without one there is none).
static uint64_t answer_limit(const struct fsread_question *q)
{
	if (q->job != FSREAD_CONTENT && q->job != FSREAD_TREE && q->job != FSREAD_CONTENTS)
		return q->job == FSREAD_PATCHES ? PATCHES_BYTES : q->job == FSREAD_LINES ? LINES_BYTES : BESIDE_BYTES;
	return q->max_bytes > 0 && q->max_bytes < UINT64_MAX - BESIDE_BYTES ? q->max_bytes + BESIDE_BYTES : UINT64_MAX;
}

int fsread_ask(const struct fsread_question *q, fsread_on_frame *on_frame, void *context, struct fsread_answer *ret, struct error *err)
{
	struct session s = {.input = -1, .output = -1, .on_frame = on_frame, .context = context, .answer = ret};

	*ret = (struct fsread_answer){0};
	s.max_received = answer_limit(q);
	int result = converse(&s, q, err);

	if (s.input >= 0)
		(void)close(s.input);
	if (s.output >= 0)
		(void)close(s.output);
	free(s.bytes);
	if (result == 0 && buffer_check(&ret->warnings, err) < 0)
		return -1;
	return result;
}
