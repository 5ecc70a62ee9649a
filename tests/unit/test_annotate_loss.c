// SPDX-License-Identifier: MIT
// A line that was changed in place: who did it, and which files are logs, so that it is a loss.
#include "graph/annotate.h"
#include "tests/unit/annotate_case.h"
#include "tests/unit/unit.h"

#include <fcntl.h>

#define A UINT64_C(1000000)
#define LOGGER 100
#define TAMPERER 101

static uint32_t pid_of(const struct disk_case *c, uint32_t edge)
{
	const struct graph *g = c->s.g;

	return edge == GRAPH_NONE ? 0 : g->processes.items[graph_segment_of(g, g->edges.items[edge].from)->process].pid;
}

// A log that its logger holds open; another opens it and puts bytes over its own.
static struct disk_case begin(const char *name)
{
	struct disk_case c = case_begin();

	events_open(&c.s, A - 90000, 99, "/data/first", 7, O_RDONLY, 3);
	events_open(&c.s, A, LOGGER, name, 9, O_WRONLY | O_APPEND, 3);
	events_open(&c.s, A + 20000, TAMPERER, name, 9, O_RDWR, 3);
	events_exit(&c.s, A + 21000, TAMPERER);
	events_open(&c.s, A + 150000, 99, "/data/last", 8, O_RDONLY, 3);
	case_state(&c, 9, 0, 0, A - 800000, A - 700000, 100);
	case_state(&c, 9, A + 5000, TIMELINE_GREW, A - 800000, A + 4000, 200);
	return c;
}

// Data that is sent to the disk at once comes ahead of its inode: the time of the state is that of the write before it.
static void ahead_of_its_inode(void)
{
	struct disk_case c = begin("/var/log/auth.log");
	struct timeline_state *s = case_state(&c, 9, A + 20600, TIMELINE_REWRITTEN, A - 800000, A + 4000, 200);

	s->changed_from = 50;
	s->changed_to = 51;
	case_state(&c, 9, A + 20700, TIMELINE_METADATA, A - 800000, A + 20500, 200);
	case_state(&c, 9, A + 45000, TIMELINE_GREW, A - 800000, A + 40000, 300);
	case_answer(&c);
	const struct annotate_states *states = &case_of(&c, 9, 1)->states;
	CHECK_EQUAL(states->count, 5);
	CHECK_EQUAL(pid_of(&c, states->items[1].edge), LOGGER);
	CHECK_EQUAL(pid_of(&c, states->items[2].edge), TAMPERER);
	CHECK_EQUAL(states->items[2].syscall_ns, (A + 20000) * MS);
	CHECK_EQUAL(states->items[2].candidates, 2); // the logger had it open, too
	CHECK_EQUAL(pid_of(&c, states->items[4].edge), LOGGER);
	for (size_t i = 0; i < states->count; i++)
		CHECK_EQUAL(states->items[i].loss, i == 2);
	case_end(&c);
}

// Data that follows its inode: the time is its own. A later write is not taken for it, though its inode comes next.
static void behind_its_inode(void)
{
	for (int late = 0; late < 2; late++) {
		struct disk_case c = begin("/var/log/auth.log");

		if (!late)
			case_state(&c, 9, A + 24000, TIMELINE_METADATA, A - 800000, A + 20500, 200);
		case_state(&c, 9, A + 50000, TIMELINE_REWRITTEN, A - 800000, late ? A + 4000 : A + 20500, 200);
		case_state(&c, 9, A + 56000, TIMELINE_METADATA, A - 800000, A + 55000, 200); // after what it stands behind had arrived
		case_answer(&c);
		const struct annotate_states *states = &case_of(&c, 9, 1)->states;
		const struct annotate_state *changed = &states->items[states->count - 2];
		CHECK_EQUAL(pid_of(&c, changed->edge), late ? LOGGER : TAMPERER);
		CHECK(changed->loss);
		case_end(&c);
	}
}

static size_t losses(const char *name, const unsigned *changes, size_t count)
{
	struct disk_case c = begin(name);
	size_t lost = 0;

	for (size_t i = 0; i < count; i++)
		case_state(&c, 9, A + 30000 + i * 1000, changes[i], A - 800000, A + 29000 + i * 1000, changes[i] == TIMELINE_CUT ? 0 : 300 + i);
	case_answer(&c);
	const struct annotate_states *states = &case_of(&c, 9, 1)->states;
	for (size_t i = 0; i < states->count; i++)
		lost += states->items[i].loss;
	case_end(&c);
	return lost;
}

static void what_is_a_log(void)
{
	const unsigned g = TIMELINE_GREW, r = TIMELINE_REWRITTEN, cut = TIMELINE_CUT, x = TIMELINE_DELETED, m = TIMELINE_METADATA;
	const unsigned tamper[] = {g, g, r, g}, database[] = {r, r, r, g, r}, cleaned[] = {cut, g, x}, dropped[] = {m, x}, grown[] = {g, cut};
	const unsigned many[] = {g, g, g, g, g, g, g, g, g, r, r, r, r, r, r, r};

	CHECK_EQUAL(losses("/var/log/auth.log", tamper, 4), 1);
	CHECK_EQUAL(losses("/srv/records", tamper, 4), 1);
	CHECK_EQUAL(losses("/var/log/database", database, 5), 0);
	CHECK_EQUAL(losses("/var/log/auth.log", cleaned, 3), 2);
	CHECK_EQUAL(losses("/srv/dropped", dropped, 2), 0); // it grew once, as every file does
	CHECK_EQUAL(losses("/srv/grown", grown, 2), 1);
	CHECK_EQUAL(losses("/var/log/auth.log", many, 16), 4); // the first of them say it
}

static void words(void)
{
	const struct { unsigned change; uint64_t size; const char *words; char glyph; } all[] = {
		{0, 5, "", '~'}, {TIMELINE_APPEARED, 0, "appeared", '+'}, {TIMELINE_GREW | TIMELINE_ARRIVED, 5, "grew", '~'},
		{TIMELINE_REWRITTEN, 5, "changed in place", '~'}, {TIMELINE_REWRITTEN | TIMELINE_GREW, 5, "changed in place and grew", '~'},
		{TIMELINE_CUT, 5, "cut", 'v'}, {TIMELINE_CUT, 0, "emptied", 'v'}, {TIMELINE_CUT | TIMELINE_REWRITTEN, 5, "cut and changed in place", 'v'},
		{TIMELINE_ARRIVED | TIMELINE_METADATA, 5, "content came in", '~'}, {TIMELINE_METADATA, 5, "", '>'}, {TIMELINE_DELETED, 5, "deleted", 'x'},
		{TIMELINE_DELETED | TIMELINE_RENAMED, 5, "deleted", 'x'}, {TIMELINE_RENAMED | TIMELINE_METADATA, 5, "renamed", '>'},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct timeline_state s = {.change = all[i].change, .size_bytes = all[i].size};
		CHECK_STRING(annotate_change_words(&s), all[i].words);
		CHECK_EQUAL(annotate_glyph(&s), all[i].glyph);
	}
}

int main(void)
{
	ahead_of_its_inode();
	behind_its_inode();
	what_is_a_log();
	words();
	return unit_end();
}
