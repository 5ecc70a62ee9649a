// SPDX-License-Identifier: MIT
// The history of a busy guest, made without one (tests/unit/busy_guest.h):
//
//     make_busy_history FOLDER IMAGE REQUESTS [compressed]
//
// Prints:  inodes FIRST LAST
#include "snapshots/history_inside.h"
#include "snapshots/segment_compress.h"
#include "tests/unit/busy_guest.h"

#define SEAL_ROUNDS 600u // of a tenth of a second

static unsigned unsealed_count(const char *folder)
{
	struct history *h;
	struct segment s;
	struct error err;
	unsigned count = 0;

	if (history_open(folder, &h, &err) < 0)
		return 0;
	for (size_t i = 0; history_segment_facts(h, i, &s); i++)
		count += !s.sealed;
	history_free(h);
	return count;
}

// A guest does not write 4 GB in a few seconds, so only the last segment waits to be sealed.
static void let_it_seal(struct busy *b, const char *folder)
{
	struct writer_options options = {.compress = WRITER_COMPRESS_NEVER, .realtime = busy_clock, .boottime = busy_clock, .clock_context = b};
	struct writer_recovery recovery;
	struct writer *writer;
	struct error err;

	if (writer_open(folder, &options, &writer, &recovery, &err) < 0)
		busy_fail(folder, &err);
	for (unsigned i = 0; i < SEAL_ROUNDS && unsealed_count(folder) > 1; i++)
		(void)usleep(100000);
	if (writer_close(writer, &err) < 0)
		busy_fail(folder, &err);
}

static void compress_all(const char *folder)
{
	for (uint64_t number = 1;; number++) {
		struct segment s;
		struct error err;
		int result = segment_compress(folder, number, NULL, NULL, &s, &err);

		if (result == 0)
			segment_release(&s);
		else
			break; // the last one is not sealed, and then comes none
	}
}

int main(int argc, char **argv)
{
	struct busy b = {0};

	if (argc != 4 && argc != 5) {
		fprintf(stderr, "usage: make_busy_history FOLDER IMAGE REQUESTS [compressed]\n");
		return 2;
	}
	b.wanted = strtoull(argv[3], NULL, 10);
	busy_open_image(&b, argv[2]);
	busy_record(&b, argv[1]);
	let_it_seal(&b, argv[1]);
	if (argc == 5)
		compress_all(argv[1]);
	printf("inodes %u %" PRIu64 "\n", BUSY_FIRST_FILE, BUSY_FIRST_FILE + b.files - 1);
	busy_release(&b);
	return 0;
}
