// SPDX-License-Identifier: MIT
// A writer that is killed with -9, again and again, in the same history: nothing that was flushed is ever lost, and the disk is always a
// state that it had.
//
// Half of the killings come from outside at a random time, half in the middle of a write to the file. KILL_CYCLES: how many (default 100).
#include "tests/unit/disk_faults.h"
#include "tests/unit/unit.h"

#include "snapshots/writer.h"

#include <sys/mman.h>
#include <sys/wait.h>

#define BLOCKS 64u
#define BLOCK_BYTES 4096u
#define CYCLES_PER_HISTORY 30

struct promise { // shared with the killed process
	uint64_t written;  // write number N was begun
	uint64_t answered; // ... was answered
	uint64_t flushed;  // ... was answered before a FLUSH that was answered
};
static struct promise *promise;

static uint64_t random_state = 7;
static uint64_t next_random(uint64_t below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (random_state >> 33) % below;
}

static const struct writer_options options = {.compress = WRITER_COMPRESS_NOW};

// Write number n: which block, and how much of it.
static uint64_t block_of(uint64_t n)
{
	return n * 2654435761u % BLOCKS;
}

static void fill_block(uint64_t n, uint8_t block[BLOCK_BYTES])
{
	for (size_t i = 0; i < BLOCK_BYTES; i += 8)
		memcpy(block + i, &n, 8);
}

static _Noreturn void write_until_killed(const char *folder)
{
	uint8_t block[BLOCK_BYTES];
	struct writer *w;
	struct error err;

	if (writer_open(folder, &options, &w, NULL, &err) < 0) {
		fprintf(stderr, "%s\n", err.message);
		_exit(3);
	}
	for (uint64_t n = promise->written + 1;; n++) {
		fill_block(n, block);
		__atomic_store_n(&promise->written, n, __ATOMIC_SEQ_CST);
		if (writer_write(w, block_of(n) * BLOCK_BYTES, block, sizeof(block), n % 41 == 0, &err) < 0)
			_exit(4);
		__atomic_store_n(&promise->answered, n, __ATOMIC_SEQ_CST);
		if (n % 17 == 0 && writer_flush(w, &err) < 0)
			_exit(5);
		if (n % 17 == 0 || n % 41 == 0)
			__atomic_store_n(&promise->flushed, n, __ATOMIC_SEQ_CST);
	}
}

// The disk holds writes 1 .. n for one n, flushed <= n <= begun.
static void check_disk(const char *folder)
{
	static uint8_t disk[BLOCKS * BLOCK_BYTES];
	uint8_t block[BLOCK_BYTES];
	struct writer *w;
	struct writer_recovery recovery;
	struct error err = {""};
	uint64_t newest = 0;

	if (writer_open(folder, &options, &w, &recovery, &err) < 0) {
		CHECK_STRING(err.message, "");
		return;
	}
	CHECK(writer_read(w, 0, disk, sizeof(disk), &err) == 0);
	for (unsigned b = 0; b < BLOCKS; b++) {
		uint64_t n;

		memcpy(&n, disk + b * BLOCK_BYTES, 8);
		newest = n > newest ? n : newest;
	}
	if (newest < promise->flushed)
		fprintf(stderr, "write %ju was flushed, %ju is the newest\n", (uintmax_t)promise->flushed, (uintmax_t)newest);
	CHECK(newest >= promise->flushed && newest <= promise->written);
	for (uint64_t n = newest; n > 0 && n + BLOCKS > newest; n--) {
		fill_block(n, block);
		CHECK(memcmp(disk + block_of(n) * BLOCK_BYTES, block, sizeof(block)) == 0);
	}
	// The next one goes on from here.
	promise->written = promise->answered = promise->flushed = newest;
	CHECK(writer_close(w, &err) == 0);
}

static void one_cycle(const char *folder)
{
	int status, pwrites = next_random(2) ? (int)next_random(12) : -1;
	useconds_t delay = (useconds_t)next_random(15000);
	pid_t child = fork();

	if (child == 0) {
		faults.kill_after = pwrites;
		write_until_killed(folder);
	}
	if (pwrites < 0)
		(void)usleep(delay);
	if (pwrites < 0)
		(void)kill(child, SIGKILL);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	check_disk(folder);
}

int main(void)
{
	const char *text = getenv("KILL_CYCLES");
	unsigned cycles = text ? (unsigned)strtoul(text, NULL, 10) : 100;
	struct history_plan plan = {.size_bytes = BLOCKS * BLOCK_BYTES, .segment_bytes = 1 << 17};
	char folder[32];
	struct error err;

	// 2654435761 is odd: over BLOCKS writes each block comes once, so the last BLOCKS writes are what the disk holds.
	promise = mmap(NULL, sizeof(*promise), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (promise == MAP_FAILED)
		return 1;
	for (unsigned i = 0; i < cycles && unit_failures == 0; i++) {
		(void)snprintf(folder, sizeof(folder), "killed-%u", i / CYCLES_PER_HISTORY);
		if (i % CYCLES_PER_HISTORY == 0) {
			memset(promise, 0, sizeof(*promise));
			CHECK(history_init(folder, &plan, &err) == 0);
		}
		one_cycle(folder);
	}
	return unit_end();
}
