// SPDX-License-Identifier: MIT
// A file of index/: for a run of whole segments, which record holds each byte at the end of that run. table.c draws it.
//
// A table is derived from the request tables of its segments and is never believed against them: what it says about itself is compared
// with the segments (struct table_identity), each page has its checksum, and whatever does not fit is as good as missing.
// Level 0 covers one segment, level k a run of 4^k: index/K-NUMBER.table, NUMBER being the first. table_cover.h puts them together.
#ifndef SNAPSHOTS_TABLE_H
#define SNAPSHOTS_TABLE_H

#include "base/error.h"
#include "snapshots/extent_map.h"
#include "snapshots/segment.h"

#define TABLE_PAGE_BYTES 4096u
#define TABLE_FANOUT 4u      // tables that are merged into one of the next level
#define TABLE_MAX_LEVEL 20u  // 4^20 segments: more than can be
#define TABLE_MAX_MERGE 64u  // our limit for one table_merge(): four blocks, for each of which 16 tables stand (table_cover.c)

// What a table covers. Compressing a segment does not change it.
struct table_identity {
	uint8_t uuid[16]; // of the history
	uint64_t first_segment, segment_count, first_seq, record_count;
	uint32_t segments_crc; // over number, seqs and times of each segment, in order
};
// An empty run that begins at first_segment; then each segment (header and footer read), in order.
void table_identity_init(struct table_identity *id, const uint8_t uuid[16], uint64_t first_segment);
void table_identity_add(struct table_identity *id, const struct segment *sealed);

#define TABLE_NAME_BYTES 48
void table_name(char ret[TABLE_NAME_BYTES], unsigned level, uint64_t first_segment);
uint64_t table_level_segments(unsigned level); // 4^level
// false: not the name of a table.
bool table_parse_name(const char *name, unsigned *ret_level, uint64_t *ret_first_segment);

struct table;
// Takes fd over, also on failure. expected: NULL = whatever it says it is (table_identity_of() tells). name: for messages.
int table_open(int fd, const char *name, const struct table_identity *expected, struct table **ret, struct error *err);
void table_free(struct table *t);

// Pages in memory, for a process that may make no file. {.most = ...} is empty.
struct table_memory { uint8_t *bytes; size_t length, capacity, most; };
// table_open() of such pages, which it takes over, also on failure.
int table_open_memory(struct table_memory *m, const char *name, const struct table_identity *expected, struct table **ret, struct error *err);
size_t table_memory_bytes(const struct table *t); // 0: it is in a file
const struct table_identity *table_identity_of(const struct table *t);
uint64_t table_bytes(const struct table *t);
uint64_t table_entry_count(const struct table *t);

// The piece that begins at offset, at most length bytes; seq 0: no record of these segments holds it, up to the next one that does.
// *probes (may be NULL) grows by the pages read, at most 5. -1: a damaged page, err names it. Several threads may ask at once.
int table_lookup(const struct table *t, uint64_t offset, uint64_t length, struct piece *ret, uint64_t *probes, struct error *err);

// All entries in order; pages are read one after the other.
struct table_cursor {
	const struct table *table;
	uint64_t page, entry_number, least_offset;
	unsigned item, count;
	uint8_t bytes[TABLE_PAGE_BYTES];
};
void table_cursor_start(struct table_cursor *c, const struct table *t);
// 1: an entry; 0: the end (all pages were sound, and as many entries as the header says); -1.
int table_cursor_next(struct table_cursor *c, struct extent *ret, struct error *err);

// ---- making one: into an empty file. Nothing is synced: a table that a crash spoils is found out and made again.

typedef bool table_stop(void *context); // true: give up; may be NULL
int table_build(int fd, const char *name, const struct table_identity *id, const struct extent_map *map, struct error *err);
// From tables of neighbouring runs, oldest first; id covers all of them. 1: stopped.
int table_merge(int fd, const char *name, const struct table_identity *id, const struct table *const *tables, size_t count,
		table_stop *stop, void *context, struct error *err);
// The same into empty memory. -1 also when it would take more than m->most; on failure there is nothing to free.
int table_build_memory(struct table_memory *m, const char *name, const struct table_identity *id, const struct extent_map *map, struct error *err);
int table_merge_memory(struct table_memory *m, const char *name, const struct table_identity *id, const struct table *const *tables, size_t count,
		       table_stop *stop, void *context, struct error *err);
// The requests of a sealed or scanned segment, put one over the other.
int table_replay(struct extent_map *map, const struct segment *s, uint64_t to_seq, const char *name, struct error *err);

#endif
