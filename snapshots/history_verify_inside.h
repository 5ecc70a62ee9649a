// SPDX-License-Identifier: MIT
// Inside of history_verify(): what its files share.
#ifndef SNAPSHOTS_HISTORY_VERIFY_INSIDE_H
#define SNAPSHOTS_HISTORY_VERIFY_INSIDE_H

#include "snapshots/history.h"
#include "snapshots/table.h"

#define VERIFY_NAME_BYTES 64

struct verify_segment { // as it was found
	uint64_t number;
	uint64_t bytes;
	struct segment segment; // fd -1; of an unreadable one only the number counts
	bool readable, sealed, sound;
};
VECTOR_DEFINE(verify_segment_vector, struct verify_segment)

struct verify {
	const char *folder;
	struct history_verdict *verdict;
	uint8_t uuid[16];
	bool has_uuid, has_base;
	struct verify_segment_vector segments; // in the order of their numbers
	uint64_t done, total;                  // bytes
	void (*progress)(void *context, uint64_t done, uint64_t of);
	void *context;
};

// Always 0 but when out of memory.
int verify_add_damage(struct verify *v, const char *file, uint64_t byte, const char *reason, struct error *err);
void verify_advance(struct verify *v, uint64_t bytes);

// Every file in index/ against tables made anew from the sound segments.
int verify_index(struct verify *v, struct error *err);
// The file `base`, and each chunk of the image.
int verify_base(struct verify *v, struct error *err);

#endif
