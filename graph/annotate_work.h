// SPDX-License-Identifier: MIT
// What the steps of an annotation share. Private to graph/annotate*.c.
//
//   annotate.c          volumes, wishes, answers            annotate_life.c     which life of an inode number a file is
//   annotate_match.c    states against records              annotate_births.c   is it the right disk?
//   annotate_tighten.c  edges that end earlier              annotate_time.c     between two clocks
//   annotate_moments.c  which contents matter               annotate_words.c    what callers and readers see
//   annotate_loss.c     what a log lost
#ifndef GRAPH_ANNOTATE_WORK_H
#define GRAPH_ANNOTATE_WORK_H

#include "base/nanotime.h"
#include "graph/annotate.h"

// Audit stamps are taken from the kernel's coarse clock when a call begins, inode times from the same clock (newer kernels: a fine one)
// when it acts: a tick of CONFIG_HZ=250 early, and up to one more between the two clocks.
#define ANNOTATE_TICK_NS (8 * NANOTIME_MILLISECOND)
#define ANNOTATE_BIRTH_NS NANOTIME_SECOND /* a birth by the log and by the inode: so far apart they are the same */
#define ANNOTATE_START_NS ANNOTATE_LOOK_ON_NS /* a machine that crashed has its disks mounted again by then (our limit) */
#define ANNOTATE_SURE_NS (100 * NANOTIME_MILLISECOND) /* so near that nobody can have made, removed and made it anew in between */

// One use of an inode number on the disk, from allocation to its last name's end.
struct annotate_life {
	size_t from, to;         // states [from, to) of the inode's
	uint64_t crtime_ns;      // guest clock; NANOTIME_NONE: the inode has none
	uint64_t appear_ns;      // host clock; 0: it was there before the first record
	uint64_t gone_ns;        // host clock; NANOTIME_NONE: not seen
	size_t replaced_by;      // state that shows the next life in its place, where no state shows its end; SIZE_MAX
	uint32_t generation;
};
VECTOR_DEFINE(annotate_lives, struct annotate_life)

enum annotate_birth { ANNOTATE_BIRTH_UNCOMPARED, ANNOTATE_BIRTH_MATCHED, ANNOTATE_BIRTH_OTHER };

struct annotate_asked {          // a file that a disk is asked for
	uint32_t file, volume;
	uint64_t first_ns;       // first that the log tells of it (guest clock)
	uint64_t gone_ns;        // when this life of the inode ended on the disk (host clock); NANOTIME_NONE
	enum annotate_birth birth;
	bool birth_only;         // only for annotation_births()
	bool taken;              // the volume has answered
	bool sure;               // the life is this file's, and no other can be
};
VECTOR_DEFINE(annotate_asked_vector, struct annotate_asked)

enum annotate_doubt { ANNOTATE_INCOMPLETE = 1 /* states may be missing */, ANNOTATE_LATE = 2 /* something came later than patience allows for */ };

struct annotation {
	const struct graph *g;
	struct annotate_volume *volumes;
	uint8_t *doubts;         // per volume, enum annotate_doubt: where its silence proves nothing
	size_t volume_count;
	uint64_t from_ns, to_ns; // of which the log tells everything
	struct annotate_answer *answers; // one per file
	struct u32_vector made;  // files whose creation is on record, by (host, dev, inode) and then time: who had a number when
	struct annotate_asked_vector asked;
};

// ---- times

static inline uint64_t annotate_add(uint64_t a, uint64_t b)
{
	return a > NANOTIME_NONE - 1 - b ? NANOTIME_NONE - 1 : a + b;
}

static inline uint64_t annotate_subtract(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static inline uint64_t annotate_apart(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

bool annotate_has_clock(const struct annotate_volume *v);
// A moment of the guest's clock by the host's: it lies in [earliest, latest]. False: unknown, or it was shown twice.
bool annotate_to_host(const struct annotate_volume *v, uint64_t guest_ns, uint64_t *ret_earliest_ns, uint64_t *ret_latest_ns);
bool annotate_to_guest(const struct annotate_volume *v, uint64_t host_ns, uint64_t *ret_earliest_ns, uint64_t *ret_latest_ns);
// Was one of the clocks stepped between two moments of the host's?
bool annotate_stepped(const struct annotate_volume *v, uint64_t from_ns, uint64_t to_ns);
// Was recording interrupted between two moments of the host's, or was the file system mounted anew?
bool annotate_interrupted(const struct annotate_volume *v, uint64_t from_ns, uint64_t to_ns);
bool annotate_mounted(const struct annotate_volume *v, uint64_t from_ns, uint64_t to_ns);
bool annotate_sampled(const struct annotate_volume *v, uint64_t host_ns); // since that moment, if not before

// ---- annotate_life.c

// All states of one inode number, in order, into lives.
int annotate_lives_find(const struct timeline_state *states, size_t count, struct annotate_lives *ret, struct error *err);
// What the log says about a file's hold on its number. A file and its successor under the number can both be made within one second.
struct annotate_claim {
	const struct file *f;
	uint64_t first_ns;       // first that the log tells of it
	uint64_t before_ns;      // when the file before was made that had the number; NANOTIME_NONE: not on record
	uint64_t after_ns;       // when the next one was
};
// Is the life's birth time within what the file can claim?
bool annotate_claims(const struct annotate_claim *claim, uint64_t crtime_ns);
// Which of them is the file; SIZE_MAX: none. *ret_sure: no other can be meant.
size_t annotate_life_of(const struct annotate_lives *lives, const struct annotate_claim *claim, const struct annotate_volume *v, bool *ret_sure);

// ---- annotate_match.c

// Fills verdict, syscall_ns, edge and candidates of an answer's states.
int annotate_match(const struct annotation *a, uint32_t file, struct error *err);

// ---- annotate_loss.c

void annotate_mark_losses(const struct graph *g, const struct file *f, struct annotate_states *states); // fills loss

// ---- annotate_births.c

enum annotate_birth annotate_birth_compare(const struct annotate_lives *lives, const struct annotate_claim *claim, const struct annotate_volume *v);

#endif
