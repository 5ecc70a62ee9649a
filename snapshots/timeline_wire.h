// SPDX-License-Identifier: MIT
// timeline.h's records as frames between provgraph-fsread and its client. Both sides use these, so that they cannot differ.
#ifndef SNAPSHOTS_TIMELINE_WIRE_H
#define SNAPSHOTS_TIMELINE_WIRE_H

#include "snapshots/timeline.h"
#include "snapshots/wire.h"

#define TIMELINE_LINE_BYTES 4096u   // of the lines around a finding
#define TIMELINE_PATH_BYTES 4096u   // PATH_MAX, linux/limits.h

void timeline_put_state(struct buffer *out, const struct timeline_state *s);
int timeline_get_state(struct wire_reader *r, struct timeline_state *ret, struct error *err);
void timeline_put_finding(struct buffer *out, const struct timeline_finding *f);
int timeline_get_finding(struct wire_reader *r, struct timeline_finding *ret, struct error *err); // before, after: malloc
void timeline_finding_release(struct timeline_finding *f);
void timeline_put_difference(struct buffer *out, const struct timeline_difference *d);
int timeline_get_difference(struct wire_reader *r, struct timeline_difference *ret, struct error *err); // path: malloc

#endif
