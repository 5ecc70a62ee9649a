// SPDX-License-Identifier: MIT
// Folds: what is not drawn as a node of its own, gathered so that nothing disappears silently. Every sliced subject is shown or is
// a member of exactly one fold.
//
// Two kinds:
//   siblings   at least FOLD_SIBLINGS subjects that one process reached in the same way: files of one folder by one kind of flow
//              ("212 files in /usr/lib/python3.11"), processes of one program ("40 processes: sed"). They compete for a place
//              in the picture as one.
//   remainder  everything else, by (nearest shown subject on its best path, kind, side); the smallest are merged until they fit.
#ifndef GRAPH_FOLD_H
#define GRAPH_FOLD_H

#include "base/error.h"
#include "base/vector.h"
#include "graph/picture_subject.h"

#include <stdbool.h>
#include <stdint.h>

#define FOLD_SIBLINGS 5
#define FOLD_LIBRARIES 2 /* that the loader opened for one process: they matter little beside each other */
#define FOLD_SIBLINGS_MARKED 9 /* of those that an analyst must see, more are shown before they are folded */

struct fold {
	struct u32_vector members; // subjects, best rank first
	uint32_t anchor;           // shown subject that it hangs on
	uint8_t side;              // enum trace_side
	uint8_t op;                // enum flow_op that all have with the anchor; FLOW_COUNT: several, or by way of others
	uint8_t kind;              // enum picture_kind; PICTURE_FOLD: several
	bool siblings, chosen;     // chosen: a sibling fold that won its place
	bool correlation;          // not in the slice: only contacted the same address
	bool collected;            // not in the slice: files that the incident opened for reading, and that led nowhere
};
VECTOR_DEFINE(fold_vector, struct fold)

struct folds {
	struct fold_vector items;
	uint32_t *of;              // fold of each subject, GRAPH_NONE
};

// Finds the sibling groups among the sliced subjects (none is chosen yet). *ret must be released.
int folds_init(const struct subjects *s, struct folds *ret, struct error *err);
// After the shown subjects are marked and sibling folds are chosen: everything else sliced goes into folds, at most `room` more
// of them. `last_anchor`: shown subject for what has no shown one on its path.
int folds_gather(struct folds *f, struct subjects *s, size_t room, uint32_t last_anchor, struct error *err);
void folds_release(struct folds *f);

#endif
