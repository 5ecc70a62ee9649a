// SPDX-License-Identifier: MIT
// The tables of index/ against tables that are made anew from the segments: the same segments give the same bytes.
//
// The new ones are made as the sealer makes them, a segment at a time and four into one, in unlinked files; at any time three of each
// level are there.
#include "snapshots/history_verify_inside.h"

#include "base/fileio.h"
#include "base/memory.h"
#include "snapshots/extent_map.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEP_BYTES ((size_t)64 << 10)

struct built {
	struct table *table;
	int fd; // of the same file
	unsigned level;
	uint64_t first_segment;
	struct table_identity id;
};
VECTOR_DEFINE(built_vector, struct built)

static void pop(struct built_vector *stack, size_t count)
{
	while (count-- > 0) {
		struct built *b = &stack->items[--stack->count];

		table_free(b->table);
		(void)close(b->fd);
	}
}

// ---- comparing

static int add_table_damage(struct verify *v, const char *name, uint64_t byte, const char *reason, struct error *err)
{
	char file[VERIFY_NAME_BYTES];

	(void)snprintf(file, sizeof(file), "index/%.48s", name);
	return verify_add_damage(v, file, byte, reason, err);
}

static int open_table_file(const struct verify *v, const char *name, char **ret_path, struct error *err)
{
	if (asprintf(ret_path, "%s/index/%s", v->folder, name) < 0) {
		*ret_path = NULL;
		return error_set(err, "out of memory");
	}
	return open(*ret_path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
}

static uint64_t first_difference(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length)
{
	size_t at = 0;

	while (at < a_length && at < b_length && a[at] == b[at])
		at++;
	return at;
}

// *ret_equal, or the byte from which on they differ.
static int compare_files(int a, int b, const char *name, bool *ret_equal, uint64_t *ret_byte, struct error *err)
{
	uint8_t *steps AUTO_FREE = malloc(2 * STEP_BYTES);
	size_t a_got = 1, b_got = 1;

	if (!steps)
		return error_set(err, "out of memory");
	for (uint64_t at = 0; a_got > 0 || b_got > 0; at += STEP_BYTES) {
		if (fileio_pread(a, steps, STEP_BYTES, at, &a_got, name, err) < 0 ||
		    fileio_pread(b, steps + STEP_BYTES, STEP_BYTES, at, &b_got, name, err) < 0)
			return -1;
		if (a_got != b_got || memcmp(steps, steps + STEP_BYTES, a_got) != 0) {
			*ret_equal = false;
			*ret_byte = at + first_difference(steps, a_got, steps + STEP_BYTES, b_got);
			return 0;
		}
	}
	*ret_equal = true;
	return 0;
}

static int compare_table(struct verify *v, const struct built *b, struct error *err)
{
	char name[TABLE_NAME_BYTES];
	char *path AUTO_FREE = NULL;
	struct error reason;
	uint64_t byte = 0;
	bool equal;

	table_name(name, b->level, b->first_segment);
	int fd AUTO_CLOSE = open_table_file(v, name, &path, err);
	if (!path)
		return -1;
	if (fd < 0 && errno == ENOENT)
		return 0; // merged, or not made yet
	v->verdict->tables++;
	if (fd < 0) {
		(void)error_set_errno(&reason, errno, "%s: cannot open", path);
		return add_table_damage(v, name, 0, reason.message, err);
	}
	if (compare_files(fd, b->fd, path, &equal, &byte, &reason) < 0)
		return add_table_damage(v, name, 0, reason.message, err);
	return equal ? 0 : add_table_damage(v, name, byte, "differs from what the segments give; it is derived and may be removed", err);
}

// ---- making

static int push(struct built_vector *stack, struct built b, const char *name, struct error *err)
{
	int fd = dup(b.fd);

	if (fd < 0 || table_open(fd, name, &b.id, &b.table, err) < 0) {
		if (fd < 0)
			(void)error_set_errno(err, errno, "%s: cannot open", name);
		(void)close(b.fd);
		return -1;
	}
	if (built_vector_append(stack, b) == 0)
		return 0;
	table_free(b.table);
	(void)close(b.fd);
	return error_set(err, "out of memory");
}

static int replay(const struct verify *v, const struct verify_segment *s, struct extent_map *map, struct error *err)
{
	struct segment segment;
	char *name AUTO_FREE = NULL;

	if (asprintf(&name, "%s/segments/%08" PRIu64 ".segment", v->folder, s->number) < 0) {
		name = NULL;
		return error_set(err, "out of memory");
	}
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return error_set_errno(err, errno, "%s: cannot open", name);
	if (segment_open(&segment, fd, name, err) < 0) {
		(void)close(fd);
		return -1;
	}
	int result = segment.sealed && segment.record_count == s->segment.record_count ? table_replay(map, &segment, UINT64_MAX, name, err) :
		     error_set(err, "%s: changed while it was verified", name);
	segment_release(&segment);
	return result;
}

static int build_first(struct verify *v, const struct verify_segment *s, struct built_vector *stack, struct error *err)
{
	struct built b = { .fd = fileio_temporary(err), .first_segment = s->number };
	struct extent_map map = { 0 };

	if (b.fd < 0)
		return -1;
	table_identity_init(&b.id, v->uuid, s->number);
	table_identity_add(&b.id, &s->segment);
	int result = replay(v, s, &map, err);
	if (result == 0)
		result = table_build(b.fd, "temporary table", &b.id, &map, err);
	extent_map_release(&map);
	if (result == 0)
		return push(stack, b, "temporary table", err);
	(void)close(b.fd);
	return -1;
}

static void identify(struct verify *v, uint64_t first_segment, uint64_t count, struct table_identity *ret)
{
	size_t at = 0;

	while (v->segments.items[at].number != first_segment)
		at++;
	table_identity_init(ret, v->uuid, first_segment);
	for (uint64_t i = 0; i < count; i++)
		table_identity_add(ret, &v->segments.items[at + i].segment);
}

// The last four of one level become one of the next, when they are a block of it.
static bool is_full_block(const struct built_vector *stack)
{
	if (stack->count < TABLE_FANOUT)
		return false;
	const struct built *four = &stack->items[stack->count - TABLE_FANOUT];
	uint64_t step = table_level_segments(four[0].level);

	if (four[0].level >= TABLE_MAX_LEVEL || (four[0].first_segment - 1) % (step * TABLE_FANOUT) != 0)
		return false;
	for (unsigned i = 1; i < TABLE_FANOUT; i++)
		if (four[i].level != four[0].level || four[i].first_segment != four[0].first_segment + i * step)
			return false;
	return true;
}

static int merge_last(struct verify *v, struct built_vector *stack, struct error *err)
{
	const struct table *tables[TABLE_FANOUT];
	const struct built *four = &stack->items[stack->count - TABLE_FANOUT];
	struct built b = { .level = four[0].level + 1, .first_segment = four[0].first_segment, .fd = fileio_temporary(err) };

	if (b.fd < 0)
		return -1;
	for (unsigned i = 0; i < TABLE_FANOUT; i++)
		tables[i] = four[i].table;
	identify(v, b.first_segment, table_level_segments(b.level), &b.id);
	if (table_merge(b.fd, "temporary table", &b.id, tables, TABLE_FANOUT, NULL, NULL, err) != 0) {
		(void)close(b.fd);
		return -1;
	}
	pop(stack, TABLE_FANOUT);
	return push(stack, b, "temporary table", err);
}

// Runs are broken where a segment is not sound: tables over it are judged without their segments.
static int build_all(struct verify *v, struct built_vector *stack, struct error *err)
{
	for (size_t i = 0; i < v->segments.count; i++) {
		const struct verify_segment *s = &v->segments.items[i];

		if (!s->sound || !s->sealed) {
			pop(stack, stack->count);
			continue;
		}
		if (build_first(v, s, stack, err) < 0 || compare_table(v, &stack->items[stack->count - 1], err) < 0)
			return -1;
		while (is_full_block(stack))
			if (merge_last(v, stack, err) < 0 || compare_table(v, &stack->items[stack->count - 1], err) < 0)
				return -1;
	}
	return 0;
}

// ---- tables whose segments were not all sound

static int check_alone(struct verify *v, const char *name, struct error *err)
{
	char *path AUTO_FREE = NULL;
	struct table_cursor cursor;
	struct error reason;
	struct extent e;
	struct table *t;
	int fd = open_table_file(v, name, &path, err), step;

	if (!path)
		return -1;
	if (fd < 0 && errno == ENOENT)
		return 0;
	v->verdict->tables++;
	if (fd < 0) {
		(void)error_set_errno(&reason, errno, "%s: cannot open", path);
		return add_table_damage(v, name, 0, reason.message, err);
	}
	if (table_open(fd, path, NULL, &t, &reason) < 0)
		return add_table_damage(v, name, 0, reason.message, err);
	table_cursor_start(&cursor, t);
	while ((step = table_cursor_next(&cursor, &e, &reason)) > 0)
		continue;
	table_free(t);
	return step == 0 ? 0 : add_table_damage(v, name, 0, reason.message, err);
}

enum covers { COVERS_SOUND, COVERS_UNSEALED, COVERS_DAMAGED, COVERS_BEYOND };

static enum covers what_it_covers(const struct verify *v, uint64_t first_segment, uint64_t count)
{
	enum covers result = COVERS_SOUND;
	uint64_t last = v->segments.count > 0 ? v->segments.items[v->segments.count - 1].number : 0, seen = 0;

	if (count > last || first_segment > last - count + 1)
		return COVERS_BEYOND;
	for (size_t i = 0; i < v->segments.count; i++) {
		const struct verify_segment *s = &v->segments.items[i];

		if (s->number < first_segment || s->number - first_segment >= count)
			continue;
		seen++;
		if (!s->readable || (s->sealed && !s->sound))
			return COVERS_DAMAGED;
		if (!s->sealed)
			result = COVERS_UNSEALED;
	}
	return seen == count ? result : COVERS_DAMAGED;
}

// A writer may have sealed segments since they were looked at.
static bool are_sealed_now(const struct verify *v, uint64_t first_segment, uint64_t count)
{
	bool sealed = true;

	for (uint64_t i = 0; sealed && i < count; i++) {
		struct segment s;
		char *name;

		if (asprintf(&name, "%s/segments/%08" PRIu64 ".segment", v->folder, first_segment + i) < 0)
			return false;
		int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
		sealed = fd >= 0 && segment_open(&s, fd, name, NULL) == 0 && s.sealed;
		if (fd >= 0)
			(void)close(fd);
		free(name);
	}
	return sealed;
}

// A table is made of segments that were sealed and durable.
static int check_beyond(struct verify *v, const char *name, uint64_t first_segment, uint64_t count, const char *why, struct error *err)
{
	return are_sealed_now(v, first_segment, count) ? check_alone(v, name, err) : add_table_damage(v, name, 16, why, err);
}

static int check_file(struct verify *v, const char *name, struct error *err)
{
	uint64_t first_segment;
	unsigned level;

	if (!table_parse_name(name, &level, &first_segment))
		return 0;
	uint64_t count = table_level_segments(level);
	switch (what_it_covers(v, first_segment, count)) {
	case COVERS_SOUND:
		return 0; // compared already
	case COVERS_DAMAGED:
		return check_alone(v, name, err);
	case COVERS_UNSEALED:
		return check_beyond(v, name, first_segment, count, "covers a segment that has lost its footer", err);
	case COVERS_BEYOND:
		return check_beyond(v, name, first_segment, count, "covers segments that are missing at the end of the history", err);
	}
	return 0;
}

static int check_rest(struct verify *v, DIR *index, struct error *err)
{
	for (struct dirent *entry; (entry = readdir(index));)
		if (check_file(v, entry->d_name, err) < 0)
			return -1;
	return 0;
}

static bool has_tables(DIR *index)
{
	for (struct dirent *entry; (entry = readdir(index));) {
		uint64_t first_segment;
		unsigned level;

		if (table_parse_name(entry->d_name, &level, &first_segment)) {
			rewinddir(index);
			return true;
		}
	}
	return false;
}

int verify_index(struct verify *v, struct error *err)
{
	struct built_vector stack = { 0 };
	char *path AUTO_FREE = NULL;
	int result = 0;

	if (asprintf(&path, "%s/index", v->folder) < 0) {
		path = NULL;
		return error_set(err, "out of memory");
	}
	DIR *index = opendir(path);
	if (!index)
		return 0; // it may be removed at any time
	if (has_tables(index)) {
		result = build_all(v, &stack, err);
		pop(&stack, stack.count);
		built_vector_release(&stack);
		if (result == 0)
			result = check_rest(v, index, err);
	}
	(void)closedir(index);
	return result;
}
