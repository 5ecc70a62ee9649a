// SPDX-License-Identifier: MIT
// What recorded disks say, in words that the drawing, the text and the tables share. Raw bytes as picture.h has them: writers escape.
#ifndef GRAPH_DISK_WORDS_H
#define GRAPH_DISK_WORDS_H

#include "base/buffer.h"
#include "graph/picture.h"

#include <stdbool.h>
#include <stddef.h>

// Of a state, for a line of a box: "10:05:09", "host 10:05:09" where only the host's clock is known, "earlier" where no time is.
void disk_state_time(struct buffer *out, const struct picture *p, const struct picture_disk_state *state);
void disk_state_words(struct buffer *out, const struct picture_disk_state *state); // "212.0 KiB grew, written here by sh [9], or by 2 others ..."
void disk_state_short(struct buffer *out, const struct picture_disk_state *state); // "212.0 KiB grew", "6.2 KiB grew: content pending": for a box
// The node's verdict where it has to be said: no state stands for it. NULL: it has states, or no disk was asked.
const struct text *disk_node_verdict(const struct picture_node *node);

// "opened for writing x7, no write seen", "deleted (recovered)"
void disk_edge_label(struct buffer *out, const struct picture_edge *edge);
// Whether a step rests on records that a disk gave back.
bool disk_step_is_recovered(const struct picture *p, const struct picture_step *step);

// Findings, one after the other: records of one log that went at one moment, then clocks that were set.
// Records: log_findings[first] ...; is_note: notes[note], a log that lost something; is_clock: disks[disk].clock[piece].
struct disk_finding { size_t first, count; bool is_note; size_t note; bool is_clock; size_t disk, piece; };
size_t disk_finding_count(const struct picture *p);
bool disk_finding_next(const struct picture *p, struct disk_finding *at); // from {0}; false: there are no more
void disk_finding_words(struct buffer *out, const struct picture *p, const struct disk_finding *finding);
// Which of its records are told first, at most `room` of them, in order: one of an event, and those that the story rests on before others.
size_t disk_finding_records(const struct picture *p, const struct disk_finding *finding, size_t *ret, size_t room);
// One line for the event whose first record is log_findings[first]: time, serial, types, who did what. Returns the place behind its last.
size_t disk_event_words(struct buffer *out, const struct picture *p, const struct disk_finding *finding, size_t first);
bool disk_is_asked(const struct picture *p);       // any disk
// Of a disk that was not named, though others were: HISTORY stands in its command.
bool disk_recovery_is_elsewhere(const struct picture *p, const struct picture_recovery *r);
// Where there is room for a few: contents that an attacker took away (`lost`), what ran, stays, lies on the path, or was written over.
bool disk_recovery_is_worth(const struct picture *p, const struct picture_recovery *r);
// "1 of 3 devices is recorded; not covered: fe:00 (/usr ...), 00:14 (/proc)": of the files that are drawn or folded. Nothing: all are.
void disk_coverage_words(struct buffer *out, const struct picture *p);

#endif
