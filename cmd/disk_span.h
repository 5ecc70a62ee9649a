// SPDX-License-Identifier: MIT
// What disk log, tamper, diff and files share: a span of the history, and how its answers are written.
#ifndef CMD_DISK_SPAN_H
#define CMD_DISK_SPAN_H

#include "cmd/disk.h"
#include "snapshots/history.h"
#include "snapshots/timeline.h"

struct disk_span {
	struct history *history;
	uint64_t from_seq, to_seq;
	struct timeline_file file; // warnings point into this struct
	struct buffer warnings;
};
// log, tamper: PATH or --inode, --from and --to (default: all that was recorded).
int disk_span_of_file(const struct disk_options *o, struct disk_span *ret, struct error *err);
// clock: a file system, --from and --to.
int disk_span_of_volume(const struct disk_options *o, struct disk_span *ret, struct error *err);
// diff, files: the operands are two moments.
int disk_span_of_moments(const struct disk_options *o, struct disk_span *ret, struct error *err);
void disk_span_release(struct disk_span *s);
// "from ... to ..." and what the reader warned of, on standard error.
void disk_span_report(const struct disk_options *o, struct disk_span *s);

// For people: NANOTIME_FULL, padded; "-" for no time.
void disk_add_time(struct buffer *out, const struct disk_options *o, uint64_t ns);
// For programs; each begins with a comma.
void disk_add_json_text(struct buffer *out, const char *key, const char *bytes, size_t length);
void disk_add_json_time(struct buffer *out, const struct disk_options *o, const char *key, uint64_t ns);
void disk_add_json_number(struct buffer *out, const char *key, uint64_t value);
// The words for a change: "grew", "cut" ...; NULL behind the last bit.
const char *disk_change_word(unsigned bit);
void disk_add_json_change(struct buffer *out, unsigned change);

#endif
