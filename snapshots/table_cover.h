// SPDX-License-Identifier: MIT
// The tables that together cover the first segments of a history, at most 3 of each level: which record holds each byte at the end of them.
#ifndef SNAPSHOTS_TABLE_COVER_H
#define SNAPSHOTS_TABLE_COVER_H

#include "snapshots/table.h"

struct table_cover;

struct table_cover_plan {
	const char *folder;    // of the history
	const uint8_t *uuid;
	uint64_t segment_count; // segments 1 .. segment_count, all sealed
	// Header and footer of one of them, as read when the history was opened.
	bool (*segment)(void *context, uint64_t number, struct segment *ret); // false: there is none. Its fd and rows are not used
	void *context;         // lives as long as the cover
	bool keep;             // the writer's: tables that were missing are put into index/. Else they live in unlinked files
	table_stop *stop;      // asked while missing tables are made; may be NULL
	void *stop_context;
};
// Opens what is there and fits; makes what is missing out of the segments' request tables. Costs a few files, not the history.
int table_cover_open(const struct table_cover_plan *plan, struct table_cover **ret, struct error *err);
void table_cover_free(struct table_cover *c);
uint64_t table_cover_segments(const struct table_cover *c);
size_t table_cover_count(const struct table_cover *c);         // tables
size_t table_cover_made(const struct table_cover *c);          // of them, those that had to be made

// As table_lookup(), through all tables, newest first. On damage: -1, and *ret_damaged (may be NULL) is the table that has it.
int table_cover_lookup(const struct table_cover *c, uint64_t offset, uint64_t length, struct piece *ret, uint64_t *probes, size_t *ret_damaged,
		       struct error *err);
// Puts what it was made from in the place of a damaged table. c must not be in use by anybody else meanwhile.
int table_cover_mend(struct table_cover *c, size_t damaged, struct error *err);
// Only takes its file out of index/ (plan.keep): a cover that is opened next does without it.
void table_cover_discard(const struct table_cover *c, size_t damaged);
// Lookup and mend for whoever uses c alone.
int table_cover_resolve(struct table_cover *c, uint64_t offset, uint64_t length, struct piece *ret, uint64_t *probes, struct error *err);

// ---- for those who put tables into index/

#define TABLE_TEMPORARY_PREFIX ".new-" // of a table that is being made; what a crash left behind is removed when recording starts again
// A file for one, in index/ (which is made when it is missing). The caller frees the path, and renames or unlinks it.
int table_create_temporary(const char *folder, char **ret_path, struct error *err);
// Sees to it that index/ holds the table of a block of whole segments (plan->keep is taken for granted), and what it is merged from.
// *ret_made (may be NULL): whether it was missing. -1 also when there is no room for it.
int table_cover_complete(const struct table_cover_plan *plan, unsigned level, uint64_t first_segment, bool *ret_made, struct error *err);
// The largest block that begins at first_segment and ends at last_segment or before it.
unsigned table_block_level(uint64_t first_segment, uint64_t last_segment);

#endif
