// SPDX-License-Identifier: MIT
// What source_find() looks for, as letters in the text and as fields of an event. Private to ingest/.
//
// The letters are a filter: quick, and never too strict. The fields decide.
#ifndef INGEST_FIND_KEYS_H
#define INGEST_FIND_KEYS_H

#include "base/error.h"
#include "ingest/ingest.h"
#include "ingest/needle.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct find_text {
	const struct find_keys *keys;
	struct needles needles;
	uint8_t kind[NEEDLE_MAX_COUNT]; // private: what stands behind each needle
	uint64_t *pids, *inodes;        // sorted
	char address_text[64];          // as user space writes it: "10.0.0.5"
};

// `keys` must outlive it.
int find_text_init(struct find_text *t, const struct find_keys *keys, struct error *err);
void find_text_release(struct find_text *t);

// The next place at or behind `from` that may belong to a wanted event; `length` when there is none.
size_t find_text_next(const struct find_text *t, const char *bytes, size_t length, size_t from);
// Bytes that may have to follow a place for it to be recognised: blocks must overlap by so many.
#define FIND_TEXT_MARGIN 128

bool find_keys_match(const struct find_keys *keys, const struct event *event);

#endif
