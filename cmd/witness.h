// SPDX-License-Identifier: MIT
// The second witness: recorded disks beside the log.
//
//   witness_open       before the contact is searched: the histories, and the guest's clock against the host's
//   witness_look       once the window is known: which records of each history it is
//   witness_ask        after the first ranking: states of the best files; the right disk?; edges end earlier; ranked once more
//   witness_describe   into the picture: picture.disks, notes, what is missing
//   witness_recover    contents before and after what matters: hashes and previews for the recover panel
#ifndef CMD_WITNESS_H
#define CMD_WITNESS_H

#include "base/error.h"
#include "cmd/witness_volume.h"
#include "graph/annotate.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct investigation;

#define WITNESS_BIRTHS_ENOUGH 3u // so many files that can be compared tell whether it is the right disk

struct witness {
	struct witness_volume *volumes; // covered ones first once witness_look() ran: those are annotation's volumes, with the same index
	size_t count, covered;
	struct annotation *annotation;  // NULL: no disk was named, or witness_ask() has not run
	struct annotate_tightened tightened;
	uint32_t sliced_before, sliced_after; // nodes in the slice
	bool recovered;                 // witness_recover() ran: another format of the same run
};

// All five do nothing when no disk was named. 0, or -1 and err: wrong usage or an unusable history (exit status 2).
int witness_open(struct investigation *in, struct error *err);
int witness_look(struct investigation *in, struct error *err);
int witness_ask(struct investigation *in, struct error *err);
int witness_describe(struct investigation *in, struct error *err);
int witness_recover(struct investigation *in, struct error *err);
void witness_release(struct witness *w);

// The volume that holds this file of the graph, as witness_ask() matched it; NULL: none.
struct witness_volume *witness_volume_of(const struct witness *w, uint32_t file);

#endif
