// SPDX-License-Identifier: MIT
// What the reader and the builder of a table share: the layout that table.c draws.
#ifndef SNAPSHOTS_TABLE_PAGE_H
#define SNAPSHOTS_TABLE_PAGE_H

#include "snapshots/table.h"

#define TABLE_MAGIC "PGTABLE\n"
#define TABLE_VERSION 1u
#define TABLE_IDENTITY_BYTES 52u // of the header, from 16 on
#define TABLE_PAGE_HEADER_BYTES 16u
#define TABLE_ENTRY_BYTES 18u
#define TABLE_CHILD_BYTES 12u
#define TABLE_LEAF_ITEMS ((TABLE_PAGE_BYTES - TABLE_PAGE_HEADER_BYTES) / TABLE_ENTRY_BYTES)  // 226
#define TABLE_UPPER_ITEMS ((TABLE_PAGE_BYTES - TABLE_PAGE_HEADER_BYTES) / TABLE_CHILD_BYTES) // 340
#define TABLE_MAX_HEIGHT 6u // 226 * 340^5 entries: more than a file can hold

struct table_shape { // the rest of the header
	uint64_t root_page, page_count, entry_count;
	uint32_t height; // pages from the root to an entry; 0: no entry
};

void table_encode_identity(const struct table_identity *id, uint8_t ret[TABLE_IDENTITY_BYTES]);
void table_encode_header(const struct table_identity *id, const struct table_shape *shape, uint8_t ret[TABLE_PAGE_BYTES]);
int table_decode_header(const uint8_t bytes[TABLE_PAGE_BYTES], const char *name, struct table_identity *ret_id, struct table_shape *ret_shape,
			struct error *err);
// Of a page's bytes but the checksum itself; no page of another table, or from another place in this one, has the same.
uint32_t table_page_checksum(const struct table_identity *id, uint64_t page, const uint8_t bytes[TABLE_PAGE_BYTES]);

#endif
