// SPDX-License-Identifier: MIT
#include "ingest/log_hosts.h"

#include "base/memory.h"
#include "base/vector.h"
#include "ingest/record.h"
#include "ingest/stamp.h"
#include "ingest/time_index.h"

#include <stdbool.h>
#include <string.h>

#define SAMPLE_BYTES ((size_t)1 << 20)
#define TICK_NS UINT64_C(100000000) /* stamps of one counter stand out of order by 76 ms ordinarily (measured) */
#define MIN_PAIRS 20
#define MAX_COUNTS 400              /* compared pairwise */

// Logs that rotation made out of one: same path but for its number.
struct family {
	const char *path;
	size_t length;      // of the stem
	const struct log_file *first;
};
VECTOR_DEFINE(family_vector, struct family)

struct count { uint64_t serial, ns; };
VECTOR_DEFINE(count_vector, struct count)

static bool same_family(const struct family *family, const char *path, size_t length)
{
	return family->length == length && memcmp(family->path, path, length) == 0;
}

static size_t family_of(const struct family_vector *families, const struct log_file *f)
{
	size_t length = log_set_stem(f->name), i = 0;

	while (i < families->count && !same_family(&families->items[i], f->name, length))
		i++;
	return i;
}

static int list_families(const struct log_set *set, struct family_vector *families, struct error *err)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct log_file *f = set->logs[i];
		struct family family = { .path = f->name, .length = log_set_stem(f->name), .first = f };

		if (!f->has_node && family_of(families, f) == families->count && family_vector_append(families, family) < 0)
			return error_set(err, "out of memory");
	}
	return 0;
}

// Serials and stamps from from_ns on, out of [begin, begin + SAMPLE_BYTES) of the log.
static int take_counts(struct log_file *f, uint64_t begin, uint64_t from_ns, struct count_vector *counts, struct error *err)
{
	char *bytes AUTO_FREE = malloc(SAMPLE_BYTES);
	size_t length = 0, end;

	if (!bytes)
		return error_set(err, "out of memory");
	if (log_file_read(f, begin, bytes, SAMPLE_BYTES, &length, err) < 0)
		return -1;
	for (size_t at = 0; at < length && counts->count < MAX_COUNTS; at = end + 1) {
		struct record record;

		end = stamp_line_end(bytes, length, at);
		if (record_parse(bytes + at, end - at, &record) || record.node || record.time_ns < from_ns ||
		    (record.type_length > 7 && memcmp(record.type, "DAEMON_", 7) == 0))
			continue;
		if (counts->count > 0 && counts->items[counts->count - 1].serial == record.serial)
			continue;
		if (count_vector_append(counts, (struct count){ record.serial, record.time_ns }) < 0)
			return error_set(err, "out of memory");
	}
	return 0;
}

// With one counter, a higher serial has a later stamp. With two, where each counts on its own, about half of the pairs contradict.
static bool counts_differ(const struct count_vector *a, const struct count_vector *b)
{
	size_t agree = 0, contradict = 0;

	for (size_t i = 0; i < a->count; i++) {
		for (size_t k = 0; k < b->count; k++) {
			const struct count *x = &a->items[i], *y = &b->items[k];
			uint64_t apart = x->ns > y->ns ? x->ns - y->ns : y->ns - x->ns;

			if (x->serial == y->serial && x->ns == y->ns)
				return false; // the same event in both: copies
			if (x->serial != y->serial && apart <= TICK_NS)
				continue;
			*(x->serial != y->serial && (x->serial > y->serial) == (x->ns > y->ns) ? &agree : &contradict) += 1;
		}
	}
	return agree + contradict >= MIN_PAIRS && contradict > (agree + contradict) / 4;
}

// `later` begins while `earlier` goes on: compares what both count at that moment.
static int compare_logs(struct log_file *earlier, struct log_file *later, bool *ret_differ, struct error *err)
{
	struct count_vector a = { 0 }, b = { 0 };
	uint64_t begin = 0, end = 0;
	int result = time_index_range(earlier, later->first_ns, later->first_ns, &begin, &end, err);

	if (result == 0)
		result = take_counts(earlier, begin, later->first_ns, &a, err);
	if (result == 0)
		result = take_counts(later, 0, later->first_ns, &b, err);
	*ret_differ = result == 0 && counts_differ(&a, &b);
	count_vector_release(&a);
	count_vector_release(&b);
	return result;
}

static int find_difference(struct log_set *set, const struct family_vector *families, bool *ret_several, struct error *err)
{
	if (log_set_find_last(set, err) < 0)
		return -1;
	for (size_t i = 0; i < set->count; i++) {
		for (size_t k = i + 1; k < set->count && !*ret_several; k++) {
			struct log_file *a = set->logs[i], *b = set->logs[k]; // in order of first stamp

			if (a->has_node || b->has_node || !a->has_last || b->first_ns >= a->last_ns)
				continue;
			if (family_of(families, a) != family_of(families, b) && compare_logs(a, b, ret_several, err) < 0)
				return -1;
		}
	}
	return 0;
}

// The part of the path behind `parts` slashes.
static const char *part_of(const struct family *family, size_t parts, size_t *ret_length)
{
	const char *at = family->path, *end = family->path + family->length, *slash;

	for (; parts > 0 && (slash = memchr(at, '/', (size_t)(end - at))); parts--)
		at = slash + 1;
	if (parts > 0)
		at = end;
	slash = memchr(at, '/', (size_t)(end - at));
	*ret_length = (size_t)((slash ? slash : end) - at);
	return at;
}

static bool all_share_part(const struct family_vector *families, size_t parts)
{
	size_t length, other_length;
	const char *first = part_of(&families->items[0], parts, &length);

	for (size_t i = 1; i < families->count; i++) {
		const char *other = part_of(&families->items[i], parts, &other_length);

		if (length != other_length || memcmp(first, other, length) != 0)
			return false;
	}
	return true;
}

static bool part_is_unique(const struct family_vector *families, size_t which, size_t parts)
{
	size_t length, other_length;
	const char *own = part_of(&families->items[which], parts, &length);

	for (size_t i = 0; i < families->count; i++) {
		const char *other = part_of(&families->items[i], parts, &other_length);

		if (i != which && length == other_length && memcmp(own, other, length) == 0)
			return false;
	}
	return length > 0;
}

// "web01.log" names the host web01. Where the part does not tell families apart, the whole path does.
static uint32_t name_family(const struct family_vector *families, size_t which, size_t parts, struct intern *strings)
{
	size_t length;
	const char *name = part_of(&families->items[which], parts, &length);

	if (!part_is_unique(families, which, parts))
		return intern_add(strings, families->items[which].path, families->items[which].length);
	if (length > 4 && memcmp(name + length - 4, ".log", 4) == 0)
		length -= 4;
	return intern_add(strings, name, length);
}

static int name_hosts(struct log_set *set, const struct family_vector *families, struct intern *strings, struct error *err)
{
	size_t parts = 0;

	while (parts < 64 && all_share_part(families, parts))
		parts++;
	for (size_t i = 0; i < set->count; i++) {
		struct log_file *f = set->logs[i];

		if (!f->has_node)
			f->host = name_family(families, family_of(families, f), parts, strings);
	}
	const char *a = intern_string(strings, name_family(families, 0, parts, strings));
	const char *b = intern_string(strings, name_family(families, 1, parts, strings));

	return log_set_note(set, err, "the logs are of several hosts whose records carry no node=: they are named after their paths (%s, %s ...)", a, b);
}

int log_hosts_assign(struct log_set *set, struct intern *strings, uint32_t given, struct error *err)
{
	struct family_vector families = { 0 };
	bool several = false;
	int result;

	for (size_t i = 0; i < set->count; i++)
		set->logs[i]->host = given;
	result = list_families(set, &families, err);
	if (result == 0 && families.count > 1)
		result = find_difference(set, &families, &several, err);
	if (result == 0 && several)
		result = name_hosts(set, &families, strings, err);
	family_vector_release(&families);
	return result;
}
