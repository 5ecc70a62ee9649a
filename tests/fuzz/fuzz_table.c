// SPDX-License-Identifier: MIT
// An index table of any content, its checksums made right: opened, searched, walked, merged with itself.
#include "base/bytes.h"
#include "snapshots/crc32c.h"
#include "snapshots/table_page.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_PAGES 64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int file_of(const uint8_t *bytes, size_t length)
{
	int fd = memfd_create("table", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes, length) != (ssize_t)length)
		exit(1);
	return fd;
}

// The header's count of pages and all checksums, so that what lies behind them is reached.
static void repair(uint8_t *bytes, size_t pages)
{
	struct table_identity id;
	struct table_shape shape;
	struct error err;

	memcpy(bytes, TABLE_MAGIC, 8);
	put_le32(bytes + 8, TABLE_VERSION);
	put_le32(bytes + 12, TABLE_PAGE_BYTES);
	put_le64(bytes + 80, pages);
	put_le32(bytes + TABLE_PAGE_BYTES - 4, crc32c(bytes, TABLE_PAGE_BYTES - 4));
	if (table_decode_header(bytes, "t", &id, &shape, &err) < 0)
		return;
	for (size_t page = 1; page < pages; page++)
		put_le32(bytes + page * TABLE_PAGE_BYTES, table_page_checksum(&id, page, bytes + page * TABLE_PAGE_BYTES));
}

static void walk(const struct table *t)
{
	struct table_cursor c;
	struct extent e;
	struct error err;
	uint64_t end = 0;
	int more;

	table_cursor_start(&c, t);
	while ((more = table_cursor_next(&c, &e, &err)) == 1) {
		if (e.length == 0 || e.offset < end)
			abort();
		end = e.offset + e.length;
	}
}

static void ask(const struct table *t, const uint8_t *data, size_t size)
{
	struct piece p;
	struct error err;

	for (size_t at = 0; at + 8 <= size && at < 4096; at += 61) {
		uint64_t offset = get_le64(data + at) >> (at % 7 * 8), length = 1 + (get_le64(data + at) & 0xffffff), probes = 0;
		if (length > UINT64_MAX - offset)
			continue;
		if (table_lookup(t, offset, length, &p, &probes, &err) == 0 && (p.offset != offset || p.length == 0 || p.length > length))
			abort();
		if (probes > TABLE_MAX_HEIGHT)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t pages = size / TABLE_PAGE_BYTES + 1 < MAX_PAGES ? size / TABLE_PAGE_BYTES + 1 : MAX_PAGES;
	uint8_t *bytes = calloc(pages, TABLE_PAGE_BYTES);
	struct error err;
	struct table *t;

	if (!bytes)
		return 0;
	memcpy(bytes, data, size < pages * TABLE_PAGE_BYTES ? size : pages * TABLE_PAGE_BYTES);
	if (table_open(file_of(bytes, pages * TABLE_PAGE_BYTES), "t", NULL, &t, &err) == 0)
		table_free(t);
	repair(bytes, pages);
	if (table_open(file_of(bytes, pages * TABLE_PAGE_BYTES), "t", NULL, &t, &err) == 0) {
		ask(t, data, size);
		walk(t);
		const struct table *twice[2] = {t, t};
		int out = memfd_create("merged", MFD_CLOEXEC);
		if (table_merge(out, "m", table_identity_of(t), twice, 2, NULL, NULL, &err) == 0) {
			struct table *merged;
			if (table_open(out, "m", table_identity_of(t), &merged, &err) < 0)
				abort();
			walk(merged);
			table_free(merged);
		} else {
			(void)close(out);
		}
		table_free(t);
	}
	free(bytes);
	return 0;
}
