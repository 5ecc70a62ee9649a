// SPDX-License-Identifier: MIT
// The table that disk diff and disk files print.
#ifndef CMD_DISK_CHANGES_H
#define CMD_DISK_CHANGES_H

#include "cmd/disk.h"
#include "snapshots/timeline.h"

typedef int disk_changes_ask(const struct timeline_file *volume, uint64_t from_seq, uint64_t to_seq, struct timeline_differences *ret, struct error *err);
// Asks and prints. -1: told already.
int disk_changes(const struct disk_options *o, disk_changes_ask *ask, bool with_times, bool *ret_any);

#endif
