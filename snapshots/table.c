// SPDX-License-Identifier: MIT
// The format of an index table, and reading it.
//
// Pages of 4096 bytes, little endian. Page 0 is the header:
//
//      0  char[8] "PGTABLE\n"   u32 version 1   u32 page bytes 4096
//     16  u8[16] UUID of the history   u64 first segment   u64 segment count   u64 seq of the first record   u64 record count
//     64  u32 CRC-32C over its segments: for each number, first seq, record count, least and greatest realtime_ns, seq of the last
//             FLUSH (six u64). It stays the same when a segment is compressed
//     68  u32 height   u64 root page   u64 page count, with this one   u64 entry count   96..4091 zero
//   4092  u32 CRC-32C of 0..4091
//
// The others form a tree: leaves (level 0) hold the extents, upper pages the least offset of each child. Pages lie in the order in
// which a single pass over sorted extents completes them, so leaves are sorted in the file, each upper page behind its last child:
//
//      0  u32  CRC-32C of bytes 4..4095, u64 page number, bytes 16..67 of the header
//      4  u8   level (0: leaf)   u8 zero   u16 count
//      8  u64  leaf: offset of the first extent of the next leaf (all ones: none); upper page: zero
//     16  leaf: 226 entries at most of u64 offset, u32 length, u40 seq - first seq, u8 type (record.h)
//         upper page: 340 children at most of u64 least offset, u32 page number;   then zero
//
// Extents are disjoint, sorted by offset, and as long as their record allows. What no extent covers was not written in these segments.
// A lookup reads one page of each level; the root is kept in memory: at most 2 reads up to 26 million extents, 3 up to 8.9 billion.
#include "base/bytes.h"
#include "base/fileio.h"
#include "snapshots/crc32c.h"
#include "snapshots/table_page.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct table {
	int fd; // -1: in memory
	struct table_memory memory;
	char *name;
	struct table_identity id;
	struct table_shape shape;
	uint8_t root[TABLE_PAGE_BYTES]; // when height > 0
};

// ---- names and identities

void table_identity_init(struct table_identity *id, const uint8_t uuid[16], uint64_t first_segment)
{
	memset(id, 0, sizeof(*id));
	memcpy(id->uuid, uuid, sizeof(id->uuid));
	id->first_segment = first_segment;
}

void table_identity_add(struct table_identity *id, const struct segment *sealed)
{
	uint8_t facts[48];

	if (id->segment_count == 0)
		id->first_seq = sealed->first_seq;
	id->segment_count++;
	id->record_count += sealed->record_count;
	put_le64(facts, sealed->number);
	put_le64(facts + 8, sealed->first_seq);
	put_le64(facts + 16, sealed->record_count);
	put_le64(facts + 24, sealed->least_realtime_ns);
	put_le64(facts + 32, sealed->greatest_realtime_ns);
	put_le64(facts + 40, sealed->last_flush_seq);
	id->segments_crc = crc32c_update(id->segments_crc, facts, sizeof(facts));
}

void table_name(char ret[TABLE_NAME_BYTES], unsigned level, uint64_t first_segment)
{
	(void)snprintf(ret, TABLE_NAME_BYTES, "%u-%08llu.table", level, (unsigned long long)first_segment);
}

uint64_t table_level_segments(unsigned level)
{
	return UINT64_C(1) << (2 * level); // TABLE_FANOUT is 4
}

bool table_parse_name(const char *name, unsigned *ret_level, uint64_t *ret_first_segment)
{
	char again[TABLE_NAME_BYTES];
	unsigned level;
	unsigned long long first_segment;

	if (sscanf(name, "%2u-%19llu.table", &level, &first_segment) != 2 || level > TABLE_MAX_LEVEL || first_segment == 0)
		return false;
	if ((first_segment - 1) % table_level_segments(level) != 0)
		return false;
	table_name(again, level, first_segment);
	if (strcmp(again, name) != 0)
		return false;
	*ret_level = level;
	*ret_first_segment = first_segment;
	return true;
}

// ---- layout

void table_encode_identity(const struct table_identity *id, uint8_t ret[TABLE_IDENTITY_BYTES])
{
	memcpy(ret, id->uuid, 16);
	put_le64(ret + 16, id->first_segment);
	put_le64(ret + 24, id->segment_count);
	put_le64(ret + 32, id->first_seq);
	put_le64(ret + 40, id->record_count);
	put_le32(ret + 48, id->segments_crc);
}

void table_encode_header(const struct table_identity *id, const struct table_shape *shape, uint8_t ret[TABLE_PAGE_BYTES])
{
	memset(ret, 0, TABLE_PAGE_BYTES);
	memcpy(ret, TABLE_MAGIC, 8);
	put_le32(ret + 8, TABLE_VERSION);
	put_le32(ret + 12, TABLE_PAGE_BYTES);
	table_encode_identity(id, ret + 16);
	put_le32(ret + 68, shape->height);
	put_le64(ret + 72, shape->root_page);
	put_le64(ret + 80, shape->page_count);
	put_le64(ret + 88, shape->entry_count);
	put_le32(ret + TABLE_PAGE_BYTES - 4, crc32c(ret, TABLE_PAGE_BYTES - 4));
}

int table_decode_header(const uint8_t bytes[TABLE_PAGE_BYTES], const char *name, struct table_identity *ret_id, struct table_shape *ret_shape,
			struct error *err)
{
	if (memcmp(bytes, TABLE_MAGIC, 8) != 0)
		return error_set(err, "%s: not an index table", name);
	if (get_le32(bytes + 8) != TABLE_VERSION || get_le32(bytes + 12) != TABLE_PAGE_BYTES)
		return error_set(err, "%s: an index table of another version", name);
	if (get_le32(bytes + TABLE_PAGE_BYTES - 4) != crc32c(bytes, TABLE_PAGE_BYTES - 4))
		return error_set(err, "%s: byte 0: checksum of the header differs", name);
	struct table_shape shape = {.height = get_le32(bytes + 68), .root_page = get_le64(bytes + 72), .page_count = get_le64(bytes + 80),
				    .entry_count = get_le64(bytes + 88)};
	bool empty = shape.height == 0;
	if (shape.height > TABLE_MAX_HEIGHT || shape.page_count == 0 || shape.page_count > UINT32_MAX || empty != (shape.entry_count == 0) ||
	    empty != (shape.root_page == 0) || shape.root_page >= shape.page_count)
		return error_set(err, "%s: byte 68: a header that makes no sense", name);
	memcpy(ret_id->uuid, bytes + 16, 16);
	ret_id->first_segment = get_le64(bytes + 32);
	ret_id->segment_count = get_le64(bytes + 40);
	ret_id->first_seq = get_le64(bytes + 48);
	ret_id->record_count = get_le64(bytes + 56);
	ret_id->segments_crc = get_le32(bytes + 64);
	*ret_shape = shape;
	return 0;
}

uint32_t table_page_checksum(const struct table_identity *id, uint64_t page, const uint8_t bytes[TABLE_PAGE_BYTES])
{
	uint8_t rest[8 + TABLE_IDENTITY_BYTES];

	put_le64(rest, page);
	table_encode_identity(id, rest + 8);
	return ~crc32c_update(crc32c_update(UINT32_MAX, bytes + 4, TABLE_PAGE_BYTES - 4), rest, sizeof(rest));
}

// ---- opening

static int page_damaged(const struct table *t, uint64_t page, const char *why, struct error *err)
{
	return error_set(err, "%s: byte %llu: %s", t->name, (unsigned long long)(page * TABLE_PAGE_BYTES), why);
}

// As fileio_pread().
static int read_bytes(const struct table *t, uint64_t page, uint8_t bytes[TABLE_PAGE_BYTES], size_t *ret_read, struct error *err)
{
	uint64_t at = page * TABLE_PAGE_BYTES;

	if (t->fd >= 0)
		return fileio_pread(t->fd, bytes, TABLE_PAGE_BYTES, at, ret_read, t->name, err);
	*ret_read = at >= t->memory.length ? 0 : t->memory.length - (size_t)at;
	if (*ret_read > TABLE_PAGE_BYTES)
		*ret_read = TABLE_PAGE_BYTES;
	if (*ret_read > 0)
		memcpy(bytes, t->memory.bytes + at, *ret_read);
	return 0;
}

static int read_page(const struct table *t, uint64_t page, uint8_t bytes[TABLE_PAGE_BYTES], struct error *err)
{
	size_t got;

	if (read_bytes(t, page, bytes, &got, err) < 0)
		return -1;
	if (got < TABLE_PAGE_BYTES)
		return page_damaged(t, page, "the file ends here", err);
	if (get_le32(bytes) != table_page_checksum(&t->id, page, bytes))
		return page_damaged(t, page, "checksum of the page differs", err);
	unsigned count = get_le16(bytes + 6), level = bytes[4];
	if (level >= TABLE_MAX_HEIGHT || count == 0 || count > (level == 0 ? TABLE_LEAF_ITEMS : TABLE_UPPER_ITEMS))
		return page_damaged(t, page, "a page that makes no sense", err);
	return 0;
}

static int read_header(struct table *t, const struct table_identity *expected, struct error *err)
{
	uint8_t bytes[TABLE_PAGE_BYTES];
	struct stat status = {.st_size = (off_t)t->memory.length};
	size_t got;

	if (t->fd >= 0 && fstat(t->fd, &status) < 0)
		return error_set_errno(err, errno, "%s: cannot look at it", t->name);
	if (read_bytes(t, 0, bytes, &got, err) < 0)
		return -1;
	if (got < sizeof(bytes))
		return error_set(err, "%s: too short for an index table", t->name);
	if (table_decode_header(bytes, t->name, &t->id, &t->shape, err) < 0)
		return -1;
	if ((uint64_t)status.st_size != t->shape.page_count * TABLE_PAGE_BYTES)
		return error_set(err, "%s: %lld bytes, its header says %llu", t->name, (long long)status.st_size,
				 (unsigned long long)(t->shape.page_count * TABLE_PAGE_BYTES));
	uint8_t has[TABLE_IDENTITY_BYTES], wanted[TABLE_IDENTITY_BYTES];
	table_encode_identity(&t->id, has);
	if (expected) {
		table_encode_identity(expected, wanted);
		if (memcmp(has, wanted, sizeof(has)) != 0)
			return error_set(err, "%s: not of these segments", t->name);
	}
	return 0;
}

static int open_pages(int fd, const struct table_memory *memory, const char *name, const struct table_identity *expected, struct table **ret,
		      struct error *err)
{
	struct table *t = calloc(1, sizeof(*t));

	if (!t || !(t->name = strdup(name))) {
		free(t);
		free(memory->bytes);
		if (fd >= 0)
			(void)close(fd);
		return error_set(err, "out of memory");
	}
	t->fd = fd;
	t->memory = *memory;
	if (read_header(t, expected, err) < 0 || (t->shape.height > 0 && read_page(t, t->shape.root_page, t->root, err) < 0)) {
		table_free(t);
		return -1;
	}
	if (t->shape.height > 0 && t->root[4] != t->shape.height - 1) {
		(void)page_damaged(t, t->shape.root_page, "the root is on another level", err);
		table_free(t);
		return -1;
	}
	*ret = t;
	return 0;
}

int table_open(int fd, const char *name, const struct table_identity *expected, struct table **ret, struct error *err)
{
	return open_pages(fd, &(struct table_memory){0}, name, expected, ret, err);
}

int table_open_memory(struct table_memory *m, const char *name, const struct table_identity *expected, struct table **ret, struct error *err)
{
	const struct table_memory memory = *m;

	*m = (struct table_memory){.most = m->most};
	return open_pages(-1, &memory, name, expected, ret, err);
}

size_t table_memory_bytes(const struct table *t)
{
	return t->memory.capacity;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	if (t->fd >= 0)
		(void)close(t->fd);
	free(t->memory.bytes);
	free(t->name);
	free(t);
}

const struct table_identity *table_identity_of(const struct table *t)
{
	return &t->id;
}

uint64_t table_bytes(const struct table *t)
{
	return t->shape.page_count * TABLE_PAGE_BYTES;
}

uint64_t table_entry_count(const struct table *t)
{
	return t->shape.entry_count;
}

// ---- looking up

static uint64_t entry_offset(const uint8_t *page, unsigned item)
{
	return get_le64(page + TABLE_PAGE_HEADER_BYTES + item * (page[4] == 0 ? TABLE_ENTRY_BYTES : TABLE_CHILD_BYTES));
}

// false: no entry that could have come from these segments.
static bool get_entry(const struct table *t, const uint8_t *page, unsigned item, struct extent *ret)
{
	const uint8_t *entry = page + TABLE_PAGE_HEADER_BYTES + item * TABLE_ENTRY_BYTES;
	uint64_t behind = get_le32(entry + 12) | (uint64_t)entry[16] << 32;

	*ret = (struct extent){.offset = get_le64(entry), .length = get_le32(entry + 8), .seq = t->id.first_seq + behind, .type = entry[17]};
	return behind < t->id.record_count && ret->length > 0 && ret->length <= UINT64_MAX - ret->offset && ret->type >= RECORD_WRITE &&
	       ret->type <= RECORD_TRIM;
}

// How many items begin at or before offset.
static unsigned items_up_to(const uint8_t *page, uint64_t offset)
{
	unsigned low = 0, high = get_le16(page + 6);

	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		if (entry_offset(page, middle) <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int lookup_in_leaf(const struct table *t, uint64_t page, const uint8_t *bytes, uint64_t offset, struct piece *piece, struct error *err)
{
	unsigned before = items_up_to(bytes, offset);
	struct extent e;

	if (before > 0) {
		if (!get_entry(t, bytes, before - 1, &e))
			return page_damaged(t, page, "an extent that makes no sense", err);
		if (offset - e.offset < e.length) {
			uint64_t rest = e.length - (offset - e.offset);
			if (rest < piece->length)
				piece->length = rest;
			piece->seq = e.seq;
			piece->type = e.type;
			return 0;
		}
	}
	uint64_t next = before < get_le16(bytes + 6) ? entry_offset(bytes, before) : get_le64(bytes + 8);
	if (next <= offset)
		return page_damaged(t, page, "its order makes no sense", err);
	if (next - offset < piece->length)
		piece->length = next - offset;
	return 0;
}

int table_lookup(const struct table *t, uint64_t offset, uint64_t length, struct piece *ret, uint64_t *probes, struct error *err)
{
	struct piece piece = {.offset = offset, .length = length};
	uint8_t read[TABLE_PAGE_BYTES];
	const uint8_t *bytes = t->root;
	uint64_t page = t->shape.root_page;

	if (t->shape.height == 0) {
		*ret = piece;
		return 0;
	}
	while (bytes[4] > 0) {
		unsigned level = bytes[4], before = items_up_to(bytes, offset);
		page = get_le32(bytes + TABLE_PAGE_HEADER_BYTES + (before > 0 ? before - 1 : 0) * TABLE_CHILD_BYTES + 8);
		if (page == 0 || page >= t->shape.page_count)
			return page_damaged(t, page, "no such page", err);
		if (probes)
			(*probes)++;
		if (read_page(t, page, read, err) < 0)
			return -1;
		bytes = read;
		if (bytes[4] != level - 1)
			return page_damaged(t, page, "a page of another level", err);
	}
	if (lookup_in_leaf(t, page, bytes, offset, &piece, err) < 0)
		return -1;
	*ret = piece;
	return 0;
}

// ---- all of it

void table_cursor_start(struct table_cursor *c, const struct table *t)
{
	c->table = t;
	c->page = 0;
	c->entry_number = 0;
	c->item = c->count = 0;
	c->least_offset = 0;
}

static int next_leaf(struct table_cursor *c, struct error *err)
{
	while (++c->page < c->table->shape.page_count) {
		if (read_page(c->table, c->page, c->bytes, err) < 0)
			return -1;
		if (c->bytes[4] == 0) {
			c->item = 0;
			c->count = get_le16(c->bytes + 6);
			return 1;
		}
	}
	if (c->entry_number != c->table->shape.entry_count)
		return page_damaged(c->table, 0, "another number of extents than the header says", err);
	return 0;
}

int table_cursor_next(struct table_cursor *c, struct extent *ret, struct error *err)
{
	struct extent e;

	if (c->item == c->count) {
		int result = next_leaf(c, err);
		if (result <= 0)
			return result;
	}
	if (!get_entry(c->table, c->bytes, c->item, &e) || e.offset < c->least_offset)
		return page_damaged(c->table, c->page, "an extent that makes no sense", err);
	c->least_offset = e.offset + e.length;
	c->item++;
	c->entry_number++;
	*ret = e;
	return 1;
}
