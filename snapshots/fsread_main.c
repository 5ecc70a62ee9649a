// SPDX-License-Identifier: MIT
// provgraph-fsread: one question on standard input, the answer's frames on standard output (fsread.h). The only process that interprets
// bytes of a guest.
//
// Order: limits and privileges before anything is read; then the history is opened, whose format is ours and which says where its base
// image lies; then the sandbox closes, and only then is a byte of the guest looked at.
#include "base/memory.h"
#include "snapshots/fs_job.h"
#include "snapshots/sandbox.h"

#include <openssl/crypto.h>
#include <string.h>

#define MEMORY_BYTES (UINT64_C(4) << 30) // address space: the index is mapped; what is resident stays far below
#define CPU_SECONDS 3600
#define OPEN_FILES 1024 // a history keeps up to 256 segments open, and its tables

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifdef WITH_ASAN
// Its search for leaks at the end needs system calls that the sandbox refuses.
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

typedef int fs_job_function(struct fs_job *job, struct error *err);

static fs_job_function *const jobs[] = {
	[FSREAD_PARTITIONS] = fs_job_partitions, [FSREAD_PATCHES] = fs_job_patches, [FSREAD_STAT] = fs_job_stat,
	[FSREAD_CONTENT] = fs_job_content,	 [FSREAD_LIST] = fs_job_list,	    [FSREAD_TREE] = fs_job_tree,
	[FSREAD_STATES] = fs_job_states,	 [FSREAD_TAMPER] = fs_job_tamper,   [FSREAD_DIFF] = fs_job_diff,
	[FSREAD_CLOCK] = fs_job_clock,
	[FSREAD_FILES] = fs_job_files,		 [FSREAD_INODES] = fs_job_inodes,
	[FSREAD_LINES] = fs_job_lines,
	[FSREAD_CONTENTS] = fs_job_contents,
};

static int receive_question(struct fsread_question *ret, struct error *err)
{
	struct buffer payload AUTO_RELEASE_BUFFER = {0};
	uint32_t type;

	if (wire_receive(STDIN_FILENO, &payload, &type, err) < 0)
		return -1;
	struct wire_reader r = wire_read(payload.bytes, payload.length);

	if (type != FSREAD_FRAME_HELLO || wire_get_u64(&r) != FSREAD_PROTOCOL)
		return error_set(err, "provgraph-fsread is asked by provgraph; it is not of the same installation, or you started it yourself");
	if (wire_receive(STDIN_FILENO, &payload, &type, err) < 0)
		return -1;
	if (type != FSREAD_FRAME_QUESTION)
		return error_set(err, "provgraph-fsread: the question is missing");
	r = wire_read(payload.bytes, payload.length);
	return fsread_question_get(&r, ret, err);
}

static int lock_in(struct fs_job *job, struct error *err)
{
	struct history_facts facts;
	const char *readable[2] = {job->question->history};
	size_t count = 1;
	bool landlock;

	if (history_facts(job->history, &facts, err) < 0)
		return -1;
	if (facts.has_base)
		readable[count++] = facts.base_path;
	// Its first use would read a configuration file. The digests of the base image need it.
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	if (sandbox_enter(readable, count, &landlock, err) < 0)
		return -1;
	if (landlock)
		return 0;
	return fs_job_warn(job, "this kernel has no Landlock: only the filter of system calls guards the reader of guest bytes", err);
}

static int answer(struct fs_job *job, struct error *err)
{
	unsigned which = job->question->job;

	if (history_open(job->question->history, &job->history, err) < 0 || lock_in(job, err) < 0)
		return -1;
	if (which >= ARRAY_LENGTH(jobs) || !jobs[which])
		return error_set(err, "provgraph-fsread: it does not know job %u", which);
	return jobs[which](job, err);
}

static int send_error(struct fs_job *job, const struct error *reason, struct error *err)
{
	struct buffer payload AUTO_RELEASE_BUFFER = {0};
	size_t length = strlen(reason->message);

	wire_put_u64(&payload, job->failure);
	wire_put_bytes(&payload, reason->message, length < 900 ? length : 900); // what the other side takes
	return fs_job_send(job, FSREAD_FRAME_ERROR, &payload, err);
}

int main(void)
{
	const struct sandbox_limits limits = {.memory_bytes = MEMORY_BYTES, .cpu_seconds = CPU_SECONDS, .files = OPEN_FILES};
	struct fsread_question question = {0};
	struct fs_job job = {.question = &question, .out_fd = STDOUT_FILENO, .failure = FSREAD_BROKEN};
	struct buffer payload AUTO_RELEASE_BUFFER = {0};
	struct error err;

	wire_put_u64(&payload, FSREAD_PROTOCOL);
	if (fs_job_send(&job, FSREAD_FRAME_HELLO, &payload, &err) < 0)
		return 1;
	int result = sandbox_limit(&limits, &err);

	if (result == 0)
		result = receive_question(&question, &err);
	if (result == 0)
		result = answer(&job, &err);
	buffer_clear(&payload);
	if (result == 0)
		result = fs_job_send(&job, FSREAD_FRAME_END, &payload, &err);
	else
		(void)send_error(&job, &err, &err);
	history_free(job.history);
	fsread_question_release(&question);
	return result == 0 ? 0 : 1;
}
