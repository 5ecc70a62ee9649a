// SPDX-License-Identifier: MIT
// Two contents of a file, and what differs, in about forty lines for people. Pure; bounded work and output whatever the bytes are.
//
// Text gives a line diff with two lines of context, anything else a dump of the rows of 16 bytes that differ. Every line begins with
//     "@ "  provgraph's own words: a summary first, where a piece stands, what was left out
//     "  "  the same in both     "- "  before only     "+ "  after only
// so that no line of a file can pass for words of ours. What follows is visible text (base/text.h), cut at PREVIEW_CELLS so that the
// first difference of a changed line is seen; writers escape it again for their place, which changes nothing of it.
//
//     @ 3 lines gone, none new (88.1 KiB before, 87.8 KiB after)
//     @ line 1204 before, 1204 after
//       Nov 21 10:08:40 web01 sshd[811]: Connection closed
//     - Nov 21 10:08:41 web01 sudo: alice : COMMAND=/tmp/.x/stage2
#ifndef GRAPH_PREVIEW_H
#define GRAPH_PREVIEW_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PREVIEW_LINES 40u
#define PREVIEW_CELLS 200u
#define PREVIEW_BYTES (UINT64_C(256) << 10) /* of each content that a caller needs to bring; more is not looked at */

struct preview_content {
	bool there;          // else the file was not there at that moment
	const void *bytes;   // from its start on; holes as zeros
	size_t length;
	uint64_t size_bytes; // of the whole content; more than length: the rest was not brought
};
struct preview_result { bool is_hex, is_same, is_cut; }; // is_cut: something was left out, or not looked at

// Appends the lines to out, each with a line feed but the last. 0, -1: out of memory.
int preview_write(const struct preview_content *before, const struct preview_content *after, struct buffer *out,
		  struct preview_result *ret, struct error *err);

#endif
