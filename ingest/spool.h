// SPDX-License-Identifier: MIT
// Compressed or unseekable input -> text in a file descriptor. Private to ingest/.
#ifndef INGEST_SPOOL_H
#define INGEST_SPOOL_H

#include "base/error.h"
#include "ingest/log_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spool_end {
	uint64_t text_bytes;  // decoded
	const char *damage;   // NULL, or why it ended before the end of the input: "compressed data ends early"
};

// GZIP or ZSTD by the first bytes, else PLAIN.
enum log_storage spool_storage(const unsigned char *bytes, size_t length);

// The first bytes of the text of fd (from its offset 0, by pread), at most `size`.
int spool_head(int fd, enum log_storage storage, const char *name, char *bytes, size_t size, size_t *ret_length, struct error *err);

// The whole text of fd, from its current position by read(), into out_fd. `head` are bytes of the input that the caller has already
// taken from it. Damage is not an error: what could be decoded is there.
int spool_copy(int fd, const unsigned char *head, size_t head_length, enum log_storage storage, const char *name, int out_fd,
	       struct spool_end *ret, struct error *err);

#endif
