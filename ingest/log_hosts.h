// SPDX-License-Identifier: MIT
// Whose log is it, when its records do not say? Private to ingest/.
//
// auditd writes node= only when it is told to (name_format). Logs of two hosts that are read together would then share serials, pids and
// inodes, and the picture would link strangers. Two logs are of two hosts when they cover the same time and count differently.
#ifndef INGEST_LOG_HOSTS_H
#define INGEST_LOG_HOSTS_H

#include "base/error.h"
#include "base/intern.h"
#include "ingest/log_set.h"

#include <stdint.h>

// Sets `host` of each log: `given` (may be 0) as a rule. Logs that turn out to be of several hosts are named by the first part of
// their paths in which they differ ("web01" and "db01" of web01/audit.log and db01/audit.log); a note in the set tells the user.
int log_hosts_assign(struct log_set *set, struct intern *strings, uint32_t given, struct error *err);

#endif
