// SPDX-License-Identifier: MIT
// Runs nbdkit with our plugin on a unix socket, in the foreground, until SIGTERM or SIGINT.
#ifndef CMD_NBDKIT_H
#define CMD_NBDKIT_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/vector.h"

VECTOR_DEFINE(argument_vector, char *)

struct nbdkit_plan {
	const char *socket;            // where to listen
	const char *group;             // whose members may connect, too; NULL: only this user
	struct argument_vector config; // "key=value", each malloc'ed; released with nbdkit_plan_release()
};

// Appends "key=value". NULL and "" as value: does nothing.
int nbdkit_plan_add(struct nbdkit_plan *plan, const char *key, const char *value, struct error *err);
void nbdkit_plan_release(struct nbdkit_plan *plan);

// The socket's absolute name. Refused: one that is too long for a socket, or holds bytes that cannot be shown.
int nbdkit_socket_name(const char *socket, struct buffer *ret, struct error *err);
// "nbd+unix:///EXPORT?socket=PATH", percent-encoded: no blank, comma or quote is in it.
void nbdkit_uri(struct buffer *out, const char *export_name, const char *socket);

// Listens, starts nbdkit, waits until it answers, writes `announce` to standard output, and returns when nbdkit ended: 0 after a clean
// end. A socket that nobody serves any more is replaced; one that is in use is refused. The socket is removed at the end.
// NBDKIT_DAMAGED: the history is damaged, so that nothing may be recorded into it.
#define NBDKIT_DAMAGED (-2)
int nbdkit_run(const struct nbdkit_plan *plan, const struct buffer *announce, struct error *err);

#endif
