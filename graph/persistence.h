// SPDX-License-Identifier: MIT
// Names that tell an analyst something: places from which a file is started again, and logs that an intruder cleans.
//
// These tables only ever promote: a file that is written there is shown earlier and named in the story. Nothing is hidden by
// them, and what is in none of them is ranked as everything else.
#ifndef GRAPH_PERSISTENCE_H
#define GRAPH_PERSISTENCE_H

#include <stdbool.h>
#include <stddef.h>

// "cron job", "systemd unit" ... for a path that persists; NULL for others. A static string.
const char *persistence_of_path(const char *path, size_t length);
// A log or a command history.
bool persistence_is_log(const char *path, size_t length);
// Keys and password hashes: what is opened for reading there may be what was taken.
bool persistence_is_secret(const char *path, size_t length);
// What the dynamic loader opens at the start of nearly every program: its cache, and shared libraries in the system's folders. Such files
// are drawn as any other, but fold together, and being read by a program that started late does not make them loot.
bool persistence_is_library(const char *path, size_t length);
// A program that runs scripts: python3.11, sh, perl ... by its base name.
bool persistence_is_interpreter(const char *base, size_t length);
bool persistence_is_shell(const char *base, size_t length);
// What begins sessions, starts services or carries a terminal, and is seldom the beginning of an incident: sshd, systemd, cron, su ...
bool persistence_begins_sessions(const char *base, size_t length);
// Of those, daemons whose direct children are sessions, jobs or services of their own: sshd, cron, systemd ...
bool persistence_starts_for_others(const char *base, size_t length);
// Of those, daemons that run jobs: cron, anacron, atd. A job is no login, though PAM opens a session for it.
bool persistence_runs_jobs(const char *base, size_t length);

#endif
