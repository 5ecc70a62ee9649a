// SPDX-License-Identifier: MIT
// Which subjects become nodes of the picture.
//
//   always    the alert's address, the process that made contact, its line of fork and exec up to the session's or service's
//             begin, the path from the root cause; then choke points, the first two addresses among the causes
//   then      by weight, each with what lies on its best path to something shown, so that the picture is always connected.
//             Siblings of one process compete as one fold. Neither causes nor effects take more than 70 % of the places
//             while the other side still has good candidates.
//
// Weight = the trace's cost, less a bonus for what an analyst must not miss (what persists, cleaned logs, dropped programs,
// removed programs, opened secrets, privilege, other contacts), plus a handicap for what hangs only on a common ancestor (another
// session under the same sshd), on the session, or on a server that works for others, and for files that were only ever read.
// Bonuses and handicaps move things; no name and no path is ever excluded, and --why answers for whatever is folded.
#ifndef GRAPH_PICTURE_CHOOSE_H
#define GRAPH_PICTURE_CHOOSE_H

#include "base/error.h"
#include "graph/fold.h"
#include "graph/picture_path.h"
#include "graph/picture_subject.h"

#define PICTURE_DRAWN_DEFAULT 50
#define PICTURE_DRAWN_MAX 60

// Sets MARK_SHOWN and MARK_INCIDENT, chooses sibling folds and gathers the remainder. `aim`: nodes to draw, folds included.
int picture_choose(struct subjects *s, const struct picture_path *path, struct folds *folds, uint32_t aim, struct error *err);

#endif
