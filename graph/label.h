// SPDX-License-Identifier: MIT
// Names and words for what the graph holds: raw bytes as the log had them (writers escape), words that records prove.
#ifndef GRAPH_LABEL_H
#define GRAPH_LABEL_H

#include "base/buffer.h"
#include "graph/model.h"

#include <stdbool.h>
#include <stdint.h>

struct label_span { const char *bytes; size_t length; };

// Base name of its executable, else its comm; {"", 0} when neither is known.
struct label_span label_program(const struct graph *g, const struct segment *s);
// Its command line: the arguments with blanks between, those that hold blanks in single quotes; without arguments the executable's
// path or comm. At most `max_bytes`, then "...".
void label_command(const struct graph *g, const struct segment *s, size_t max_bytes, struct buffer *out);
// "python3 [2311]".
void label_process(const struct graph *g, const struct segment *s, struct buffer *out);
// The whole path, or "inode 47 on fe:00".
void label_file(const struct graph *g, const struct file *f, uint64_t at_ns, struct buffer *out);
// "10.0.0.5", a unix path, "@abstract": without a port.
void label_host_address(const struct graph *g, const struct event_address *a, struct buffer *out);
// The same with its port: "10.0.0.5:443".
void label_address(const struct graph *g, const struct event_address *a, struct buffer *out);

// The file was given to a program that runs scripts as its script: `python3 invoice.py`, `sh /tmp/x.sh`.
bool label_is_script_of(const struct graph *g, const struct file *f, const struct segment *s);

// Its command line names the file: `tar xf tool.tar`, `cp a b`.
bool label_is_named_by(const struct graph *g, const struct file *f, const struct segment *s);

// How bad a flow is when several are merged into one edge: delete > truncate > connect > execute > write > read > fork.
unsigned label_severity(enum flow_op op);
// What one flow of a picture edge says, without its count: "opened for writing", "connected (in progress)",
// "tried to connect: Connection refused". `sample`: one of the edges behind it.
void label_flow(const struct graph *g, const struct flow_edge *sample, struct buffer *out);

#endif
