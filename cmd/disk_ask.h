// SPDX-License-Identifier: MIT
// What the verbs that look at one file or folder at one moment have in common.
#ifndef CMD_DISK_ASK_H
#define CMD_DISK_ASK_H

#include "cmd/disk.h"
#include "snapshots/fsread.h"

// Opens the history, finds the moment of operands[0], and the file: operands[1], --path or --inode; or the root, where `root_else`.
// The question's strings are those of the options. *ret_history is the caller's.
int disk_ask(const struct disk_options *o, bool root_else, struct history **ret_history, struct fsread_question *ret, struct error *err);
// The lines that came back as warnings, to standard error; not when --quiet.
void disk_ask_warn(const struct disk_options *o, const struct buffer *warnings);
// "2026-11-21T10:00:00.123+00:00 (seq:17)"; "before the first record".
void disk_ask_moment(struct buffer *out, const struct disk_options *o, struct history *h, uint64_t seq);
// A moment as a printed command names it: @SECONDS.NNNNNNNNN, or seq:N where that time is not one moment.
void disk_ask_time(struct buffer *out, struct history *h, uint64_t ns, uint64_t seq);

#endif
