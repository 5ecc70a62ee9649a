// SPDX-License-Identifier: MIT
// A recorded disk by hand, beside events by hand (events.h): one inode's states, a clock that is off by a known amount, and the answer.
//
//     struct disk_case c = case_begin();
//     events_open(&c.s, 1000000, 100, "/data/x", 9, O_WRONLY | O_CREAT, 3);
//     case_state(&c, 9, 1005000, TIMELINE_APPEARED, 1000000, 12);      // arrives at 1,005,000 ms by the guest's clock; mtime; size
//     case_answer(&c);                                                 // graph finished, every file asked for, states taken
//     case_of(&c, 9, 1)->verdict; case_end(&c);
#ifndef TESTS_UNIT_ANNOTATE_CASE_H
#define TESTS_UNIT_ANNOTATE_CASE_H

#include "graph/annotate.h"
#include "tests/unit/events.h"

#define CASE_OFFSET_MS 4020874 /* host minus guest: more than an hour */
#define CASE_ERROR_NS (3 * NANOTIME_MILLISECOND)
#define MS NANOTIME_MILLISECOND

struct disk_case {
	struct script s;
	struct timeline_clock clock;
	struct annotate_volume volume;
	struct timeline_states states;
	struct annotation *a;
	struct annotate_wishes wishes;
	uint64_t seq;
};

__attribute__((unused)) static uint64_t case_host(uint64_t guest_ms)
{
	return (guest_ms + CASE_OFFSET_MS) * MS;
}

__attribute__((unused)) static struct disk_case case_begin(void)
{
	struct disk_case c = {.s = script_begin(), .seq = 100};
	struct timeline_clock_piece piece = {.to_ns = NANOTIME_NONE, .offset_ns = (int64_t)(CASE_OFFSET_MS * MS), .error_ns = CASE_ERROR_NS,
					     .base_error_ns = CASE_ERROR_NS, .sampled_to_ns = NANOTIME_NONE, .samples = 80, .source = TIMELINE_CLOCK_JOURNAL};
	timeline_clock_pieces_append(&c.clock.pieces, piece);
	c.volume = (struct annotate_volume){.dev = EVENTS_DEV, .name = "disk.history", .from_ns = case_host(900000), .to_ns = case_host(1200000)};
	return c;
}

// A state of a file that was born (crtime) at born_ms; arrives_ms 0: in force at the first record.
__attribute__((unused)) static struct timeline_state *case_state(struct disk_case *c, uint64_t inode, uint64_t arrives_ms, unsigned change, uint64_t born_ms,
								 uint64_t mtime_ms, uint64_t size)
{
	struct timeline_state s = {
		.seq = ++c->seq, .arrival_ns = arrives_ms ? case_host(arrives_ms) : 0, .inode = inode, .generation = (uint32_t)(born_ms * 7 + 1), .size_bytes = size,
		.mtime_ns = mtime_ms * MS, .ctime_ns = mtime_ms * MS, .crtime_ns = born_ms * MS, .mode = S_IFREG | 0644, .links = 1, .change = change,
	};
	if (change == TIMELINE_DELETED)
		s.links = 0;
	timeline_states_append(&c->states, s);
	return &c->states.items[c->states.count - 1];
}

// The graph as it is now, every file asked for in the order of the graph, and the states taken. The graph must be finished once only.
__attribute__((unused)) static void case_answer(struct disk_case *c)
{
	struct error err = {""};
	struct trace t = {0};
	if (c->s.g->builder)
		script_end(&c->s);
	c->volume.clock = &c->clock;
	for (uint32_t n = 0; n < c->s.g->nodes.count; n++)
		if (c->s.g->nodes.items[n].kind == NODE_FILE)
			u32_vector_append(&t.order, n);
	annotation_free(c->a);
	c->a = annotation_new(c->s.g, &c->volume, 1, &err);
	CHECK(c->a && annotation_wishes(c->a, &t, ANNOTATE_ASKED, &c->wishes, &err) == 0);
	CHECK(annotation_take(c->a, 0, &c->states, &err) == 0);
	u32_vector_release(&t.order);
}

__attribute__((unused)) static const struct annotate_answer *case_of(const struct disk_case *c, uint64_t inode, uint32_t generation)
{
	const struct file *f = script_file(&c->s, inode, generation);
	CHECK(f != NULL);
	return annotation_of(c->a, f ? (uint32_t)(f - c->s.g->files.items) : 0);
}

__attribute__((unused)) static struct annotate_births case_births(const struct disk_case *c)
{
	struct error err = {""};
	struct annotate_births b = {0};
	CHECK(annotation_births(c->a, 0, &b, &err) == 0);
	return b;
}

__attribute__((unused)) static struct annotate_tightened case_tighten(struct disk_case *c)
{
	struct error err = {""};
	struct annotate_tightened t = {0};
	CHECK(annotation_tighten(c->a, c->s.g, &t, &err) == 0);
	return t;
}

__attribute__((unused)) static void case_end(struct disk_case *c)
{
	annotation_free(c->a);
	annotate_wishes_release(&c->wishes);
	timeline_states_release(&c->states);
	timeline_clock_release(&c->clock);
	script_release(&c->s);
}

#endif
