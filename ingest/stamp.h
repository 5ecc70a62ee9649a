// SPDX-License-Identifier: MIT
// Lines and the stamps of blocks of them: for finding places in a log. record.c reads the records themselves. Private to ingest/.
#ifndef INGEST_STAMP_H
#define INGEST_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What a block of whole or cut lines holds.
struct stamp_block {
	uint64_t first_ns, last_ns;      // in order of place
	uint64_t min_ns, median_ns, max_ns;
	bool has_node;                   // the first stamped line names its host
	size_t count;                    // stamped lines; 0: nothing else is valid
};

// Looks at every line that begins inside the block. `at_line_start`: the first byte begins a line, else it is skipped to the next one.
// Lines beyond the first STAMP_BLOCK_LINES are not part of the median.
#define STAMP_BLOCK_LINES 1024
void stamp_block_read(const char *bytes, size_t length, bool at_line_start, struct stamp_block *ret);

// The start of the line that holds bytes[at]; the end of it (its newline, or length).
size_t stamp_line_start(const char *bytes, size_t at);
size_t stamp_line_end(const char *bytes, size_t length, size_t at);

#endif
