// SPDX-License-Identifier: MIT
// The lists of the case file that recorded disks fill: private to graph/write_json.c.
#ifndef GRAPH_WRITE_JSON_DISK_H
#define GRAPH_WRITE_JSON_DISK_H

#include "graph/json_emit.h"

void json_disks(struct json *j, const struct picture *p);
void json_log_findings(struct json *j, const struct picture *p);

#endif
