// SPDX-License-Identifier: MIT
#include "base/child.h"

#include "base/nanotime.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>

static struct error err;
static const struct child_limits usual = {.wall_ns = 10 * NANOTIME_SECOND, .cpu_seconds = 5, .output_bytes = 8 << 20};

static enum child_end run_shell(const char *script, struct child_limits limits, struct buffer *output)
{
	const char *const argv[] = {"/bin/sh", "-c", script, NULL};
	enum child_end end = CHILD_FAILED;

	buffer_clear(output);
	CHECK_EQUAL(child_run(argv, "", 0, limits, output, &end, &err), 0);
	return end;
}

static void test_ends(void)
{
	struct buffer output = {0};
	struct child_limits limits = usual;
	const char *const missing[] = {"/nowhere/program", NULL};
	enum child_end end;

	CHECK_EQUAL(run_shell("echo out; echo err >&2", usual, &output), CHILD_OK);
	CHECK_STRING(buffer_string(&output), "out\n");
	CHECK_EQUAL(run_shell("exit 3", usual, &output), CHILD_FAILED);
	CHECK_EQUAL(run_shell("kill -SEGV $$", usual, &output), CHILD_FAILED);
	CHECK_EQUAL(child_run(missing, "", 0, usual, &output, &end, &err), 0);
	CHECK_EQUAL(end, CHILD_NOT_FOUND);

	limits.wall_ns = 200 * NANOTIME_MILLISECOND;
	CHECK_EQUAL(run_shell("exec sleep 20", limits, &output), CHILD_LIMIT);
	// A child that closes its output and lives on is killed, too.
	CHECK_EQUAL(run_shell("exec >&-; exec sleep 20", limits, &output), CHILD_LIMIT);
	limits = usual;
	limits.cpu_seconds = 1;
	CHECK_EQUAL(run_shell("while :; do :; done", limits, &output), CHILD_LIMIT);
	limits = usual;
	limits.output_bytes = 1000;
	CHECK_EQUAL(run_shell("exec yes", limits, &output), CHILD_LIMIT);
	CHECK(output.length <= 1000);
	// Nothing is left to wait for.
	CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
	buffer_release(&output);
}

static void test_environment(void)
{
	struct buffer output = {0};

	(void)setenv("SECRET", "x", 1);
	CHECK_EQUAL(run_shell("echo \"$SECRET|$LC_ALL|$(ulimit -c)\"; cat", usual, &output), CHILD_OK);
	CHECK_STRING(buffer_string(&output), "|C|0\n");
	CHECK_EQUAL(run_shell("grep NoNewPrivs /proc/self/status", usual, &output), CHILD_OK);
	CHECK_STRING(buffer_string(&output), "NoNewPrivs:\t1\n");
	buffer_release(&output);
}

static void test_exchange(void)
{
	struct buffer output = {0};
	const char *const cat[] = {"/bin/cat", NULL}, *const deaf[] = {"/bin/true", NULL};
	size_t length = 3 << 20; // more than any pipe holds: both directions have to move
	char *input = malloc(length);
	enum child_end end;

	for (size_t i = 0; i < length; i++)
		input[i] = (char)(i * 31 + i / 255);
	CHECK_EQUAL(child_run(cat, input, length, usual, &output, &end, &err), 0);
	CHECK_EQUAL(end, CHILD_OK);
	CHECK(output.length == length && memcmp(output.bytes, input, length) == 0);
	// A child that does not read its input raises no SIGPIPE here.
	buffer_clear(&output);
	CHECK_EQUAL(child_run(deaf, input, length, usual, &output, &end, &err), 0);
	CHECK_EQUAL(end, CHILD_OK);
	free(input);
	buffer_release(&output);
}

static void test_find(void)
{
	char path[4096], small[4];

	// This very program lies beside itself.
	CHECK_EQUAL(child_find_program("test_child", path, sizeof(path), &err), 0);
	CHECK(strstr(path, "/test_child"));
	CHECK_EQUAL(child_find_program("test_child", small, sizeof(small), &err), -1);
	CHECK_EQUAL(child_find_program("no-such-program", path, sizeof(path), &err), -1);
	CHECK(strstr(err.message, "no-such-program"));
}

int main(void)
{
	test_ends();
	test_environment();
	test_exchange();
	test_find();
	return unit_end();
}
