// SPDX-License-Identifier: MIT
// The bytes of segment.h, for those who write segments.
#ifndef SNAPSHOTS_SEGMENT_FORMAT_H
#define SNAPSHOTS_SEGMENT_FORMAT_H

#include "snapshots/segment.h"

#define SEGMENT_VERSION 1
#define SEGMENT_FLAG_COMPRESSED 1u

void segment_format_header(uint64_t number, uint64_t first_seq, const uint8_t uuid[16], uint8_t ret[SEGMENT_HEADER_BYTES]);
// From the counts of s.
void segment_format_footer(const struct segment *s, uint32_t table_crc, uint8_t ret[SEGMENT_FOOTER_BYTES]);
void segment_format_row(const struct segment_row *row, uint8_t ret[SEGMENT_ROW_BYTES]);
// Judges everything that a row says against the segment it belongs to.
int segment_parse_row(const struct segment *s, const uint8_t bytes[SEGMENT_ROW_BYTES], struct segment_row *ret, const char *name, struct error *err);

// Bytes [from, to) of the stored content, as they are.
int segment_read_stored(const struct segment *s, const struct segment_row *row, size_t from, size_t to, void *bytes, const char *name,
			struct error *err);

// No record yet.
void segment_start(struct segment *s);
void segment_row_of(const struct record *r, uint64_t position, struct segment_row *ret);
// Room for one more row; then segment_add_row() cannot fail. The record stands at s->records_end.
int segment_reserve_row(struct segment *s, struct error *err);
void segment_add_row(struct segment *s, const struct record *r);
// The counts alone, without a row.
void segment_count(struct segment *s, const struct record *r);

#endif
