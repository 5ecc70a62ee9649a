// SPDX-License-Identifier: MIT
// What the steps of picture_build() share. Private to graph/picture*.c, story.c and notes.c.
#ifndef GRAPH_PICTURE_WORK_H
#define GRAPH_PICTURE_WORK_H

#include "base/error.h"
#include "base/vector.h"
#include "graph/fold.h"
#include "graph/picture.h"
#include "graph/picture_path.h"
#include "graph/picture_subject.h"

#include <stdbool.h>
#include <stdint.h>

struct picture_user { uint32_t host, uid, name; };
VECTOR_DEFINE(user_vector, struct picture_user)

// All flows of one kind between two drawn nodes. Picture edges are made of these; the story tells them one by one.
struct drawn_flow {
	uint32_t from, to;         // picture nodes
	uint8_t op, class;         // enum flow_op; enum flow_class: the surest
	bool failed, on_path, collapsed, recovered; // collapsed: through a pipe that is not drawn
	bool perhaps_written;      // of one of its opens for writing no disk says that nothing was written
	bool ended_by_disk;        // one of its opens for writing ends earlier by what a disk shows
	uint64_t count, first_ns, last_ns, until_ns, serial;
	uint32_t sample;           // first edge of the graph behind it
	uint32_t edge;             // picture edge that shows it
};
VECTOR_DEFINE(flow_vector, struct drawn_flow)

struct picture_work {
	const struct graph *g;
	const struct trace *t;
	const struct picture_options *options;
	struct picture *p;
	struct subjects s;
	struct picture_path path;
	struct folds folds;
	struct user_vector users;
	struct flow_vector flows;
	uint32_t *subject_of_node; // per picture node: its subject; GRAPH_NONE for a fold
};

// graph/picture_users.c: names of users by the claims of the log (who logged in as whom), else the caller's, else "uid N".
int users_find(struct picture_work *w);
void user_name(const struct picture_work *w, uint32_t host, uint32_t uid, struct buffer *out);

// graph/picture_node.c: nodes for shown subjects and folds, in order of first time.
int picture_make_nodes(struct picture_work *w);
// graph/fold_node.c: the node of one fold, and its entry in the picture's folds.
int picture_fill_fold(struct picture_work *w, uint32_t fold, struct picture_node *n, struct buffer *b);
// graph/picture_edge.c: what flowed between them.
int picture_make_edges(struct picture_work *w);
// The steps of it: graph/picture_evidence.c, graph/fold_edge.c.
void picture_add_evidence(struct picture_work *w, struct picture_edge *edge, uint32_t graph_edge);
void picture_collect_evidence(struct picture_work *w); // for all edges between shown subjects
void picture_list_serials(struct picture_work *w, struct picture_edge *e);
int picture_add_fold_edges(struct picture_work *w);
bool picture_draws(const struct picture_work *w, uint32_t subject); // as a node of its own
// graph/picture_disk.c: what recorded disks say of drawn files and edges. After nodes and edges.
int picture_add_disk(struct picture_work *w);
struct annotate_state;
void picture_disk_actor(const struct graph *g, const struct annotate_state *s, struct buffer *out); // " by rsyslogd [612], or by ..."; it has an edge
void picture_disk_bytes(const struct annotate_state *s, struct buffer *out); // "bytes 5,910 to 5,922", "byte 5,677"
// graph/picture_correlation.c: others outside the slice that contacted a drawn address. Adds folds and shown subjects.
int picture_find_correlation(struct picture_work *w);
// graph/picture_collected.c: what the incident opened for reading, and that led nowhere. Adds folds and shown subjects.
int picture_find_collected(struct picture_work *w);
size_t picture_count_drawn(const struct picture_work *w); // shown subjects and folds so far
// graph/story.c, graph/notes.c
int story_tell(struct picture_work *w);
int notes_take(struct picture_work *w);
int picture_make_title(struct picture_work *w);
// graph/picture_recover.c: what a disk history could give back. graph/picture_evidence.c: the factors of every drawn node's score.
int picture_find_recoveries(struct picture_work *w);
int picture_explain(struct picture_work *w);

// Finishes a text that was put together in `b`, and empties `b`.
struct text picture_take_text(struct picture *p, struct buffer *b);
struct text picture_string_text(struct picture *p, const struct graph *g, uint32_t string);
void *picture_allocate(struct picture *p, size_t bytes); // from the arena, zeroed; NULL: out of memory (remembered)
bool picture_failed(const struct picture *p);
// Drawn picture node of a subject, fold or not; GRAPH_NONE.
uint32_t picture_node_of(const struct picture_work *w, uint32_t subject);

#endif
