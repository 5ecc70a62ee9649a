// SPDX-License-Identifier: MIT
// Where a session or a service begins, going up from one of its processes.
//
// The kernel's session number decides where there is one (pam_loginuid sets it at each login). It does not everywhere: services share
// "unset", and in a container, or where loginuid is immutable, cron's jobs keep the number of whoever started cron. So a direct child
// of a daemon that starts things for others (sshd, cron, systemd ...) begins something too.
#ifndef GRAPH_PICTURE_SESSION_H
#define GRAPH_PICTURE_SESSION_H

#include "graph/label.h"
#include "graph/model.h"

#include <stdbool.h>
#include <stdint.h>

#define SESSION_UNSET UINT32_MAX /* ses=4294967295 */

// `process` is the first of a session, a job or a service: what is above it started it for somebody else, or is unknown.
bool session_begins(const struct graph *g, uint32_t process);
// The first process of the session, job or service that `process` belongs to.
uint32_t session_first(const struct graph *g, uint32_t process);
// Two nodes of processes that stand in one pipeline, `writer` left of `reader`: children of one parent, and alive together. Each holds
// both ends at birth, and what close() leaves them is not in the records, so the order of birth decides, as shells start them.
bool session_pipeline(const struct graph *g, uint32_t writer, uint32_t reader);
// What a process was at a time: its image then.
const struct segment *session_image_at(const struct graph *g, uint32_t process, uint64_t ns);

#endif
