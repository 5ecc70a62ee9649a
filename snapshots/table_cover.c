// SPDX-License-Identifier: MIT
#include "snapshots/table_cover.h"

#include "base/fileio.h"
#include "base/memory.h"
#include "base/vector.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_PARTS_OF_BLOCK 16u // where tables of a level are missing, so many smaller ones stand for one; more are merged
#define MAX_MENDS 256u         // in one call; each puts smaller tables in the place of one
#define MAX_MEMORY_BYTES ((size_t)128 << 20) // our limit for tables in memory, those being merged among them: 7 million extents

struct part {
	struct table *table;
	unsigned level;
	uint64_t first_segment;
	bool made; // was missing
};
VECTOR_DEFINE(part_vector, struct part)

struct table_cover {
	struct table_cover_plan plan;
	char *folder;
	uint8_t uuid[16];
	struct part_vector parts; // oldest first
	size_t made, memory_bytes; // the latter: of all tables that are in memory just now
	bool only_kept; // what cannot be put into index/ is not made at all
};

static void drop_table(struct table_cover *c, struct table *t)
{
	c->memory_bytes -= table_memory_bytes(t);
	table_free(t);
}

static void parts_free(struct table_cover *c, struct part_vector *parts)
{
	for (size_t i = 0; i < parts->count; i++)
		drop_table(c, parts->items[i].table);
	part_vector_release(parts);
}

static int parts_add(struct table_cover *c, struct part_vector *parts, struct table *table, unsigned level, uint64_t first_segment, bool made,
		     struct error *err)
{
	struct part part = {.table = table, .level = level, .first_segment = first_segment, .made = made};

	if (part_vector_append(parts, part) == 0)
		return 0;
	drop_table(c, table);
	return error_set(err, "out of memory");
}

static int identify(const struct table_cover *c, unsigned level, uint64_t first_segment, struct table_identity *ret, struct error *err)
{
	struct segment s;

	table_identity_init(ret, c->uuid, first_segment);
	for (uint64_t i = 0; i < table_level_segments(level); i++) {
		if (!c->plan.segment(c->plan.context, first_segment + i, &s) || !s.sealed)
			return error_set(err, "%s: segment %llu is not sealed", c->folder, (unsigned long long)(first_segment + i));
		table_identity_add(ret, &s);
	}
	return 0;
}

static char *path_of(const struct table_cover *c, const char *name)
{
	char *path;

	return asprintf(&path, "%s/index/%s", c->folder, name) < 0 ? NULL : path;
}

// NULL when it is missing, damaged or of other segments: all the same.
static struct table *open_existing(const struct table_cover *c, unsigned level, uint64_t first_segment, const struct table_identity *id)
{
	char name[TABLE_NAME_BYTES];
	struct table *t = NULL;
	struct error why;

	table_name(name, level, first_segment);
	char *path AUTO_FREE = path_of(c, name);
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
	if (fd < 0 || table_open(fd, path, id, &t, &why) < 0)
		return NULL;
	return t;
}

// ---- making what is missing

struct making { // a table in the making
	unsigned level;
	uint64_t first_segment;
	struct table_identity id;
	const struct part *children; // NULL: out of the segment's requests
	size_t child_count;
};

static int replay_segment(const struct table_cover *c, uint64_t number, struct extent_map *map, struct error *err)
{
	struct segment s, known;
	char *name AUTO_FREE = NULL;

	if (asprintf(&name, "%s/segments/%08llu.segment", c->folder, (unsigned long long)number) < 0) {
		name = NULL;
		return error_set(err, "out of memory");
	}
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return error_set_errno(err, errno, "%s: cannot open", name);
	if (segment_open(&s, fd, name, err) < 0) {
		(void)close(fd);
		return -1;
	}
	int result = 0;
	if (!c->plan.segment(c->plan.context, number, &known) || !s.sealed || s.number != number || s.first_seq != known.first_seq ||
	    s.record_count != known.record_count)
		result = error_set(err, "%s: is not the segment that was there when the history was opened", name);
	if (result == 0)
		result = table_replay(map, &s, UINT64_MAX, name, err);
	segment_release(&s);
	return result;
}

static int merge_into(const struct table_cover *c, const struct making *m, const struct table *const *tables, int fd, struct table_memory *memory,
		      const char *name, struct error *err)
{
	if (memory)
		return table_merge_memory(memory, name, &m->id, tables, m->child_count, c->plan.stop, c->plan.stop_context, err);
	return table_merge(fd, name, &m->id, tables, m->child_count, c->plan.stop, c->plan.stop_context, err);
}

// Into the file, or into memory where that is not NULL.
static int make_into(const struct table_cover *c, const struct making *m, int fd, struct table_memory *memory, const char *name, struct error *err)
{
	if (m->children) {
		const struct table **tables = malloc(m->child_count * sizeof(*tables));
		if (!tables)
			return error_set(err, "out of memory");
		for (size_t i = 0; i < m->child_count; i++)
			tables[i] = m->children[i].table;
		int result = merge_into(c, m, tables, fd, memory, name, err);
		free(tables);
		return result == 1 ? error_set(err, "%s: stopped", name) : result;
	}
	struct extent_map map = {0};
	int result = replay_segment(c, m->first_segment, &map, err);
	if (result == 0)
		result = memory ? table_build_memory(memory, name, &m->id, &map, err) : table_build(fd, name, &m->id, &map, err);
	extent_map_release(&map);
	return result;
}

int table_create_temporary(const char *folder, char **ret_path, struct error *err)
{
	char *path;

	if (asprintf(&path, "%s/index/" TABLE_TEMPORARY_PREFIX "XXXXXX", folder) < 0)
		return error_set(err, "out of memory");
	int fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) { // index/ was removed
		char *slash = strrchr(path, '/');
		*slash = '\0';
		(void)mkdir(path, 0700);
		*slash = '/';
		memset(path + strlen(path) - 6, 'X', 6);
		fd = mkostemp(path, O_CLOEXEC);
	}
	if (fd < 0) {
		(void)error_set_errno(err, errno, "%s: cannot create", path);
		free(path);
		return -1;
	}
	*ret_path = path;
	return fd;
}

// Into index/. -1: it cannot be written there.
static int make_kept(const struct table_cover *c, const struct making *m, struct table **ret, struct error *err)
{
	char name[TABLE_NAME_BYTES];
	char *temporary AUTO_FREE = NULL;
	int fd = table_create_temporary(c->folder, &temporary, err);

	if (fd < 0)
		return -1;
	table_name(name, m->level, m->first_segment);
	char *path AUTO_FREE = path_of(c, name);
	if (!path)
		(void)error_set(err, "out of memory");
	if (path && make_into(c, m, fd, NULL, path, err) == 0) {
		if (rename(temporary, path) == 0)
			return table_open(fd, path, &m->id, ret, err);
		(void)error_set_errno(err, errno, "%s: cannot create", path);
	}
	(void)close(fd);
	(void)unlink(temporary);
	return -1;
}

// A sandbox may make no file, not even one in memory.
static int make_in_memory(struct table_cover *c, const struct making *m, const char *name, struct table **ret, struct error *err)
{
	struct table_memory memory = {.most = MAX_MEMORY_BYTES - c->memory_bytes};
	char *path AUTO_FREE = path_of(c, name);

	if (!path)
		return error_set(err, "out of memory");
	if (make_into(c, m, -1, &memory, path, err) < 0 || table_open_memory(&memory, path, &m->id, ret, err) < 0)
		return -1;
	c->memory_bytes += table_memory_bytes(*ret);
	return 0;
}

// Into a file that nobody sees.
static int make_unseen(struct table_cover *c, const struct making *m, struct table **ret, struct error *err)
{
	char name[TABLE_NAME_BYTES];
	struct error why;
	int fd = fileio_temporary(&why);

	table_name(name, m->level, m->first_segment);
	if (fd < 0)
		return make_in_memory(c, m, name, ret, err);
	if (make_into(c, m, fd, NULL, name, err) < 0) {
		(void)close(fd);
		return -1;
	}
	return table_open(fd, name, &m->id, ret, err);
}

static int make_table(struct table_cover *c, const struct making *m, struct part_vector *parts, struct error *err)
{
	struct table *t;
	struct error why;

	if (c->plan.stop && c->plan.stop(c->plan.stop_context))
		return error_set(err, "%s: stopped", c->folder);
	if (!c->plan.keep || make_kept(c, m, &t, &why) < 0) {
		if (c->only_kept) {
			*err = why;
			return -1;
		}
		if (make_unseen(c, m, &t, err) < 0)
			return -1;
	}
	c->made++;
	return parts_add(c, parts, t, m->level, m->first_segment, true, err);
}

static int add_block(struct table_cover *c, unsigned level, uint64_t first_segment, struct part_vector *parts, struct error *err);

// Merging costs as much as the tables are large, and the writer's sealing thread does it anyway: only where nothing was there, or where so
// many tables would stay open that this costs more.
static bool worth_merging(const struct part_vector *parts)
{
	bool all_made = true;

	for (size_t i = 0; i < parts->count; i++)
		all_made = all_made && parts->items[i].made;
	return all_made || parts->count > MAX_PARTS_OF_BLOCK;
}

static int merge_parts(struct table_cover *c, unsigned level, uint64_t first_segment, struct part_vector *parts, struct error *err)
{
	struct part_vector merged = {0};
	struct making m = {.level = level, .first_segment = first_segment, .children = parts->items, .child_count = parts->count};

	if (identify(c, level, first_segment, &m.id, err) < 0 || make_table(c, &m, &merged, err) < 0) {
		parts_free(c, &merged);
		return -1;
	}
	parts_free(c, parts);
	*parts = merged;
	return 0;
}

// The tables of the next smaller blocks, or what a table of level 0 is made from.
static int add_instead(struct table_cover *c, unsigned level, uint64_t first_segment, struct part_vector *parts, struct error *err)
{
	if (level == 0) {
		struct making m = {.first_segment = first_segment};
		return identify(c, 0, first_segment, &m.id, err) < 0 ? -1 : make_table(c, &m, parts, err);
	}
	struct part_vector children = {0};
	int result = 0;
	for (unsigned i = 0; i < TABLE_FANOUT && result == 0; i++)
		result = add_block(c, level - 1, first_segment + i * table_level_segments(level - 1), &children, err);
	if (result == 0 && worth_merging(&children))
		result = merge_parts(c, level, first_segment, &children, err);
	for (size_t i = 0; i < children.count; i++) {
		if (result == 0)
			result = parts_add(c, parts, children.items[i].table, children.items[i].level, children.items[i].first_segment,
					   children.items[i].made, err);
		else
			drop_table(c, children.items[i].table);
	}
	part_vector_release(&children);
	return result;
}

static int add_block(struct table_cover *c, unsigned level, uint64_t first_segment, struct part_vector *parts, struct error *err)
{
	struct table_identity id;

	if (identify(c, level, first_segment, &id, err) < 0)
		return -1;
	struct table *t = open_existing(c, level, first_segment, &id);
	if (t)
		return parts_add(c, parts, t, level, first_segment, false, err);
	return add_instead(c, level, first_segment, parts, err);
}

unsigned table_block_level(uint64_t first_segment, uint64_t last_segment)
{
	unsigned level = 0;

	while (level < TABLE_MAX_LEVEL && (first_segment - 1) % table_level_segments(level + 1) == 0 &&
	       last_segment - (first_segment - 1) >= table_level_segments(level + 1))
		level++;
	return level;
}

static struct table_cover *cover_new(const struct table_cover_plan *plan)
{
	struct table_cover *c = calloc(1, sizeof(*c));

	if (!c || !(c->folder = strdup(plan->folder))) {
		free(c);
		return NULL;
	}
	c->plan = *plan;
	memcpy(c->uuid, plan->uuid, sizeof(c->uuid));
	c->plan.folder = c->folder;
	c->plan.uuid = c->uuid;
	return c;
}

int table_cover_open(const struct table_cover_plan *plan, struct table_cover **ret, struct error *err)
{
	struct table_cover *c = cover_new(plan);

	if (!c)
		return error_set(err, "out of memory");
	for (uint64_t at = 1; at <= plan->segment_count;) {
		unsigned level = table_block_level(at, plan->segment_count);
		if (add_block(c, level, at, &c->parts, err) < 0) {
			table_cover_free(c);
			return -1;
		}
		at += table_level_segments(level);
	}
	*ret = c;
	return 0;
}

void table_cover_free(struct table_cover *c)
{
	if (!c)
		return;
	parts_free(c, &c->parts);
	free(c->folder);
	free(c);
}

uint64_t table_cover_segments(const struct table_cover *c)
{
	return c->plan.segment_count;
}

size_t table_cover_count(const struct table_cover *c)
{
	return c->parts.count;
}

size_t table_cover_made(const struct table_cover *c)
{
	return c->made;
}

static int complete(struct table_cover *c, unsigned level, uint64_t first_segment, struct error *err)
{
	struct part_vector parts = {0};
	int result = 0;

	if (level == 0) {
		result = add_instead(c, 0, first_segment, &parts, err);
	} else {
		for (unsigned i = 0; i < TABLE_FANOUT && result == 0; i++)
			result = add_block(c, level - 1, first_segment + i * table_level_segments(level - 1), &parts, err);
		if (result == 0)
			result = merge_parts(c, level, first_segment, &parts, err);
	}
	parts_free(c, &parts);
	return result;
}

int table_cover_complete(const struct table_cover_plan *plan, unsigned level, uint64_t first_segment, bool *ret_made, struct error *err)
{
	struct table_cover *c = cover_new(plan);
	struct table_identity id;

	if (!c)
		return error_set(err, "out of memory");
	c->plan.keep = c->only_kept = true;
	int result = identify(c, level, first_segment, &id, err);
	struct table *t = result == 0 ? open_existing(c, level, first_segment, &id) : NULL;
	if (result == 0 && !t)
		result = complete(c, level, first_segment, err);
	if (result == 0 && ret_made)
		*ret_made = !t;
	table_free(t);
	table_cover_free(c);
	return result;
}

// ---- asking

int table_cover_lookup(const struct table_cover *c, uint64_t offset, uint64_t length, struct piece *ret, uint64_t *probes, size_t *ret_damaged,
		       struct error *err)
{
	struct piece piece = {.offset = offset, .length = length};

	for (size_t i = c->parts.count; i-- > 0 && piece.seq == 0;) {
		if (table_lookup(c->parts.items[i].table, offset, piece.length, &piece, probes, err) < 0) {
			if (ret_damaged)
				*ret_damaged = i;
			return -1;
		}
	}
	*ret = piece;
	return 0;
}

void table_cover_discard(const struct table_cover *c, size_t damaged)
{
	char name[TABLE_NAME_BYTES];

	if (!c->plan.keep)
		return;
	table_name(name, c->parts.items[damaged].level, c->parts.items[damaged].first_segment);
	char *path AUTO_FREE = path_of(c, name);
	if (path)
		(void)unlink(path);
}

int table_cover_mend(struct table_cover *c, size_t damaged, struct error *err)
{
	struct part_vector parts = {0};
	struct part bad = c->parts.items[damaged];
	int result = 0;

	table_cover_discard(c, damaged);
	if (part_vector_reserve(&parts, c->parts.count) < 0)
		result = error_set(err, "out of memory");
	size_t before = 0;
	for (; before < damaged && result == 0; before++) // has room: cannot fail
		(void)part_vector_append(&parts, c->parts.items[before]);
	if (result == 0)
		result = add_instead(c, bad.level, bad.first_segment, &parts, err);
	size_t after = parts.count;
	if (result == 0 && part_vector_reserve(&parts, c->parts.count - damaged) < 0)
		result = error_set(err, "out of memory");
	if (result < 0) { // what is new goes, the rest stays where it was
		for (size_t i = before; i < after; i++)
			drop_table(c, parts.items[i].table);
		part_vector_release(&parts);
		return -1;
	}
	for (size_t i = damaged + 1; i < c->parts.count; i++)
		(void)part_vector_append(&parts, c->parts.items[i]);
	drop_table(c, bad.table);
	part_vector_release(&c->parts);
	c->parts = parts;
	return 0;
}

int table_cover_resolve(struct table_cover *c, uint64_t offset, uint64_t length, struct piece *ret, uint64_t *probes, struct error *err)
{
	size_t damaged;
	struct error why;

	for (unsigned mends = 0; mends < MAX_MENDS; mends++) {
		if (table_cover_lookup(c, offset, length, ret, probes, &damaged, &why) == 0)
			return 0;
		if (table_cover_mend(c, damaged, err) < 0)
			return -1;
	}
	*err = why;
	return -1;
}
