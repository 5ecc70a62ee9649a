// SPDX-License-Identifier: MIT
// What the parts of the notes share. Private to graph/notes*.c.
#ifndef GRAPH_NOTES_H
#define GRAPH_NOTES_H

#include "base/buffer.h"
#include "graph/picture_work.h"

#define NOTES_PER_KIND 8
#define NOTES_LOST 5u          /* our choice: of a case; the files that rank best go first */

struct note_taker {
	struct picture_work *w;
	struct buffer b;           // words of the note at hand
	uint32_t counts[NOTE_OTHER_CONTACT + 1], more[NOTE_OTHER_CONTACT + 1];
	uint32_t lost[NOTES_LOST], lost_count; // subjects whose cutting or deletion the disk's note tells with its record
	int result;
};

// Takes the words gathered in n->b as a note; counts those beyond the limit of their kind.
void notes_put(struct note_taker *n, enum note_kind kind, uint64_t time_ns, uint32_t node, bool claimed);
// graph/notes_login.c: whose sessions, jobs and services the path runs through.
void notes_take_logins(struct note_taker *n);
// graph/notes_disk.c: logs that lost content, by what recorded disks show.
void notes_take_losses(struct note_taker *n);

#endif
