// SPDX-License-Identifier: MIT
// Of all that happened to a file: the one thing before and after which its content is worth seeing.
#ifndef CMD_WITNESS_MOMENT_H
#define CMD_WITNESS_MOMENT_H

#include "cmd/witness.h"
#include "graph/annotate.h"
#include "graph/picture.h"

struct witness_choice {
	uint32_t edge;             // of the graph; GRAPH_NONE: nothing that the log tells of
	uint64_t guest_ns;         // when, by the log; NANOTIME_NONE without an edge
	uint64_t before_seq;       // the state just before it
	uint64_t after_seq;        // the first state after it; 0: none came
	uint64_t before_settled_seq, after_settled_seq; // later ones that show the same content more completely; else the same
	bool deleted;              // it went by it
	struct text words;         // "before python3 [2311] deleted it"; the picture's
	bool executed;             // the next counts
	uint64_t executed_seq;     // the state as which it was first executed, settled
};

// 0; 1: no state of this file can be told; -1.
int witness_choose(struct investigation *in, struct witness_volume *v, uint32_t file, struct witness_choice *ret, struct error *err);

#endif
