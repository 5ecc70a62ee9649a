// SPDX-License-Identifier: MIT
// How near a subject is to the incident: what it hangs on along its best path.
//
//   incident   on something on the path (or a seed) that works for nobody else
//   session    on the contact's own session, or on a server or starter on the path, which do other people's work too
//   neither    on an ancestor above the session, or on a file that nobody wrote in this log
//
// Within the incident, "ours" is what the story is about: on the path, following from it, or started by it; and files that it
// did something to that must be seen, whatever else those files are.
#ifndef GRAPH_PICTURE_NEAR_H
#define GRAPH_PICTURE_NEAR_H

#include "base/error.h"
#include "graph/picture_subject.h"

// Sets MARK_INCIDENT, MARK_SESSION, MARK_OURS and the actors of files. After picture_path_find().
int picture_mark_near(struct subjects *s, struct error *err);

#endif
