// SPDX-License-Identifier: MIT
// The path that is drawn heavier: from the root cause to the contact.
//
// The cheapest path alone does not tell the story: a contact's own line of fork and exec costs nothing, so the best path of a mail
// program leads through its shell and never through the attachment that it saved. What an analyst asks is "what made this run
// here?", so the path is put together from the contact upwards:
//
//   1. the line of the process that made contact: its images and parents, up to where its session or service begins;
//   2. inputs that made a process on the line do what it did (graph/picture_motive.h), strongest first; each further step back is
//      worth 0.8 of the one before, and what is then below 0.25 is left out;
//   3. the writer of each input, its line, its inputs, and so on; a line that meets one already there ends at it: on the
//      path's part of that line it joins the path, above it (two commands of one shell) it has its own beginning;
//   4. the peer that a writer, or the first process, last heard from before it acted.
//
// Of each line only the part below its topmost process that matters is on the path: one that an input came from, else the first
// from the top that neither begins sessions nor is a shell (graph/persistence.h).
#ifndef GRAPH_PICTURE_PATH_H
#define GRAPH_PICTURE_PATH_H

#include "base/error.h"
#include "base/vector.h"
#include "graph/picture_subject.h"

#include <stdbool.h>
#include <stdint.h>

struct picture_path {
	struct u32_vector edges;  // of the graph, sorted, each once
	struct u32_vector line;   // subjects from the session's or service's begin to the process that made contact, in that order
	uint32_t contact;         // subject of that process, GRAPH_NONE: no contact
	uint32_t root;            // subject: the root cause; the contact itself when nothing led to it
	bool same_line;           // root is on the contact's own line: it "started" the contact's process
};

// Sets MARK_PATH and MARK_LINE in `s`. *ret must be released.
int picture_path_find(struct subjects *s, struct picture_path *ret, struct error *err);
void picture_path_release(struct picture_path *p);
bool picture_path_has(const struct picture_path *p, uint32_t edge);

#endif
