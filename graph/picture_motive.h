// SPDX-License-Identifier: MIT
// What made a process do what it did, as far as one can tell from names and flows:
//
//   its program or its script, if it was written in this log              1.0
//   an injection                                                          1.0
//   a persistent place (cron job, unit) that what starts it opened        0.9
//   a file that its command line names (tar xf tool.tar)                  0.7
//   a pipe into an interpreter without a script (curl | sh)               0.7
//   any other file that it opened for reading, if it is neither a shell
//   nor begins sessions           0.4 x how uncommon the file is (trace's prior and fan)
//   a symbolic link through which it was executed                         0.3
//
// A source counts only if somebody else is known to have written it: an input is a way further back.
#ifndef GRAPH_PICTURE_MOTIVE_H
#define GRAPH_PICTURE_MOTIVE_H

#include "graph/picture_subject.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MOTIVES_MAX 3         /* of one image */
#define MOTIVE_MIN 0.25

struct motive {
	double strength;
	uint32_t read_edge;      // into the process
	uint32_t write_edge;     // from its writer; GRAPH_NONE: the source itself is the process (injection)
	uint32_t line;           // graph/picture_path.c: the line that it feeds
	uint64_t time_ns;        // the writer acted by then
};

// The strongest inputs of the image `node` by time_ns, the strongest first; their number.
size_t motives_of(const struct subjects *s, uint32_t node, uint64_t time_ns, struct motive best[MOTIVES_MAX]);
bool motive_stronger(const struct graph *g, const struct motive *a, const struct motive *b);
// What neither begins sessions nor is a shell has a story of its own. A stub is judged by the program that it went on to execute.
bool motive_has_own_story(const struct subjects *s, uint32_t node);

#endif
