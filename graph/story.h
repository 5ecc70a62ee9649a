// SPDX-License-Identifier: MIT
// Sentences about flows, for the story and the notes. Raw bytes: writers escape.
#ifndef GRAPH_STORY_H
#define GRAPH_STORY_H

#include "base/buffer.h"
#include "graph/picture_work.h"

// "python3 [2311]", "/tmp/.x/stage2", "10.0.0.5:443".
void story_name(const struct picture_node *n, struct buffer *out);
// "python3 [2311] created /tmp/.x/stage2 and opened it for writing x7"
void story_sentence(const struct picture_work *w, const struct drawn_flow *f, struct buffer *out);
// A deletion after which the file lived on under another name (mail programs save by link and unlink).
bool story_removes_a_name(const struct picture_work *w, const struct drawn_flow *f);
// A deletion by renaming another file over it.
bool story_replaces(const struct graph *g, const struct flow_edge *e);
// "alice", "uid 1000", and for a changed one "root (logged in as alice)".
void story_user(const struct picture_work *w, const struct process *p, uint32_t euid, struct buffer *out);

#endif
