// SPDX-License-Identifier: MIT
// The history of a busy guest, made without one (tests/unit/busy_guest.h):
//
//     make_busy_history FOLDER IMAGE REQUESTS [compressed]
//
// Prints:  inodes FIRST LAST
#include "snapshots/segment_compress.h"
#include "tests/unit/busy_guest.h"

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
	if (argc == 5)
		compress_all(argv[1]);
	printf("inodes %u %" PRIu64 "\n", BUSY_FIRST_FILE, BUSY_FIRST_FILE + b.files - 1);
	busy_release(&b);
	return 0;
}
