// SPDX-License-Identifier: MIT
// Stable words for what a picture is made of: json, csv, dot and graphml use the same ones.
#ifndef GRAPH_WRITE_WORDS_H
#define GRAPH_WRITE_WORDS_H

#include "base/buffer.h"
#include "graph/picture.h"

const char *words_of_kind(enum picture_kind kind); // "process", "file", "address", "channel", "kernel", "fold"
const char *words_of_side(enum trace_side side);   // "seed", "cause", "effect", "none"
const char *words_of_note(enum note_kind kind);    // "login", "ran" ...
// What identifies a node best: a file's path, a process's command line, an address with its port.
struct text words_full_name(const struct picture_node *node);
// A device as audit prints it: "fe:00".
void words_device(struct buffer *out, uint32_t dev);
// "10.0.0.5", "2001:db8::1"; nothing for other kinds of address.
void words_address(struct buffer *out, const struct event_address *address);
// The flow of a drawn edge: "open-write"; "same-destination" for a correlation; "folded" where a fold's members have no flow in common.
const char *words_edge_op(const struct picture *p, const struct picture_edge *e);
bool words_has_loss(const struct picture *p);
void words_time(struct buffer *out, const struct picture *p, uint64_t ns); // 10:05:02, or 11-19 10:05:02 on another day

#endif
