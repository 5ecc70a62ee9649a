// SPDX-License-Identifier: MIT
// A node in a few words, for messages and explanations: "python3 [2311]", "/tmp/.x/stage2", "10.0.0.5:443".
#ifndef GRAPH_DESCRIBE_H
#define GRAPH_DESCRIBE_H

#include "base/buffer.h"
#include "graph/model.h"

// Appends visible text (base/text.h), so that it can go to a terminal as it is.
void describe_node(const struct graph *g, uint32_t node, struct buffer *out);
// "10.0.0.5:443", "[2001:db8::1]:443", a unix path. Visible text.
void describe_address(const struct intern *strings, const struct event_address *a, struct buffer *out);

#endif
