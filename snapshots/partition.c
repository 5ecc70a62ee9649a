// SPDX-License-Identifier: MIT
#include "snapshots/partition_table.h"

#include "base/buffer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PARTITIONS 1024u

int partition_add(const struct partition_disk *d, struct partition_vector *out, unsigned number, uint64_t start_bytes,
		  uint64_t length_bytes, struct error *err)
{
	struct partition p = {.number = number, .start_bytes = start_bytes, .length_bytes = length_bytes};

	if (start_bytes >= d->bytes || out->count >= MAX_PARTITIONS)
		return 0;
	if (length_bytes > d->bytes - start_bytes)
		p.length_bytes = d->bytes - start_bytes;
	return partition_vector_append(out, p) < 0 ? error_set(err, "out of memory") : 0;
}

static int compare_numbers(const void *a, const void *b)
{
	const struct partition *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static bool partition_known(const struct partition *p)
{
	return strcmp(p->kind, "unknown") != 0;
}

// Looks at each; returns how many hold something known.
static unsigned probe_all(const struct partition_disk *d, struct partition_vector *all)
{
	unsigned known = 0;

	for (size_t i = 0; i < all->count; i++) {
		partition_probe(d->read, d->context, &all->items[i]);
		known += partition_known(&all->items[i]);
	}
	return known;
}

// A table counts in sectors, but does not say how large they are: the size that finds more is right, 512 when both find as much.
static int find_mbr(const struct partition_disk *d, struct partition_vector *ret, enum mbr_state *ret_state, struct error *err)
{
	struct partition_vector large = {0};
	enum mbr_state ignored;
	unsigned known;

	if (partition_mbr(d, 512, ret_state, ret, err) < 0)
		return -1;
	known = probe_all(d, ret);
	if (*ret_state != MBR_TABLE || (ret->count && known == ret->count))
		return 0;
	if (partition_mbr(d, 4096, &ignored, &large, err) < 0) {
		partition_vector_release(&large);
		return -1;
	}
	if (probe_all(d, &large) > known) {
		struct partition_vector swap = *ret;

		*ret = large;
		large = swap;
	}
	partition_vector_release(&large);
	return 0;
}

static int find_gpt(const struct partition_disk *d, struct partition_vector *ret, bool *ret_found, struct error *err)
{
	static const uint32_t sector_bytes[] = {512, 4096};

	*ret_found = false;
	for (unsigned i = 0; i < 2 && !*ret_found; i++)
		if (partition_gpt(d, sector_bytes[i], ret_found, ret, err) < 0)
			return -1;
	(void)probe_all(d, ret);
	return 0;
}

static int find_all(const struct partition_disk *d, struct partition_vector *ret, struct error *err)
{
	struct partition whole = {.length_bytes = d->bytes};
	enum mbr_state state;
	bool found = false;

	if (find_mbr(d, ret, &state, err) < 0)
		return -1;
	if (state == MBR_TABLE && ret->count)
		return 0;
	partition_probe(d->read, d->context, &whole);
	// The kernel wants the protective entry, which tells that the GPT is no leftover. A wiped first sector is no reason to give up.
	if ((state == MBR_PROTECTIVE || !partition_known(&whole)) && find_gpt(d, ret, &found, err) < 0)
		return -1;
	if (found && ret->count)
		return 0;
	return partition_vector_append(ret, whole) < 0 ? error_set(err, "out of memory") : 0;
}

int partition_find(partition_read *read, void *context, uint64_t disk_bytes, struct partition_vector *ret, struct error *err)
{
	struct partition_disk d = {read, context, disk_bytes};
	struct partition_vector all = {0};

	if (find_all(&d, &all, err) < 0) {
		partition_vector_release(&all);
		return -1;
	}
	if (all.count)
		qsort(all.items, all.count, sizeof(*all.items), compare_numbers);
	*ret = all;
	return 0;
}

// ---- choosing

static void list_size(struct buffer *out, uint64_t bytes)
{
	static const struct { uint64_t bytes; const char *unit; } units[] = {
		{UINT64_C(1) << 40, "TiB"}, {1u << 30, "GiB"}, {1u << 20, "MiB"}, {1024, "KiB"},
	};

	for (size_t i = 0; i < 4; i++) {
		if (bytes >= units[i].bytes) {
			uint64_t tenths = bytes / (units[i].bytes / 64) * 10 / 64;

			buffer_printf(out, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10, tenths % 10, units[i].unit);
			return;
		}
	}
	buffer_printf(out, "%" PRIu64 " bytes", bytes);
}

static void list_partitions(struct buffer *out, const struct partition_vector *all)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct partition *p = &all->items[i];

		buffer_add_string(out, i ? ", " : "");
		if (p->number == 0)
			buffer_printf(out, "the whole disk (%s, ", p->kind);
		else
			buffer_printf(out, "%u (%s, ", p->number, p->kind);
		list_size(out, p->length_bytes);
		buffer_add_string(out, ")");
	}
}

static int choose_refuse(const struct partition_vector *all, const char *why, struct error *err)
{
	struct buffer list AUTO_RELEASE_BUFFER = {0};

	list_partitions(&list, all);
	return error_set(err, "%s: %s", why, buffer_string(&list));
}

int partition_choose(const struct partition_vector *all, int number, struct partition *ret, struct error *err)
{
	const struct partition *only = NULL;
	unsigned readable = 0, known = 0;
	char why[64];

	if (number >= 0) {
		for (size_t i = 0; i < all->count; i++) {
			if (all->items[i].number == (unsigned)number) {
				*ret = all->items[i];
				return 0;
			}
		}
		(void)snprintf(why, sizeof(why), "no partition %d; there are", number);
		return choose_refuse(all, why, err);
	}
	for (size_t i = 0; i < all->count; i++)
		readable += all->items[i].readable;
	for (size_t i = 0; i < all->count; i++) {
		if (readable ? !all->items[i].readable : !partition_known(&all->items[i]) || strcmp(all->items[i].kind, "swap") == 0)
			continue;
		known++;
		only = &all->items[i];
	}
	if (known == 0)
		return choose_refuse(all, "no partition holds a file system", err);
	if (known > 1)
		return choose_refuse(all, "name one of the partitions, as HISTORY:N", err);
	*ret = *only;
	return 0;
}
