// SPDX-License-Identifier: MIT
// The moments of a file: which events count, what is surely before them, and which state is the first after.
#include "graph/annotate_moments.h"

#include "base/nanotime.h"
#include "tests/unit/unit.h"

#define AT(seconds) ((seconds) * NANOTIME_SECOND)
#define OFFSET_NS (3600 * (int64_t)NANOTIME_SECOND) /* the host's clock is an hour ahead */
#define ERROR_NS (2 * NANOTIME_MILLISECOND)

// Node 0: a process. Nodes 1 and 2: versions of file 0. Node 3: file 1.
static struct graph g;

static void add_edge(uint32_t from, uint32_t to, enum flow_op op, const uint64_t *seconds, size_t count, bool failed)
{
	struct flow_edge e = {.from = from, .to = to, .op = (uint8_t)op, .failed = failed, .evidence = (uint32_t)g.evidence.count};

	for (size_t i = 0; i < count; i++) {
		struct edge_evidence proof = {.serial = seconds[i] * 10 + op, .time_ns = AT(seconds[i])};

		// Lines of an event can lie in several places.
		for (size_t place = 0; place < 1 + seconds[i] % 2; place++)
			CHECK_EQUAL(evidence_vector_append(&g.evidence, proof), 0);
	}
	e.evidence_count = (uint32_t)g.evidence.count - e.evidence;
	e.start_ns = AT(seconds[0]);
	e.last_ns = AT(seconds[count - 1]);
	e.serial = seconds[0] * 10 + op;
	e.count = (uint32_t)count;
	CHECK_EQUAL(edge_vector_append(&g.edges, e), 0);
}

static void build(void)
{
	for (uint32_t i = 0; i < 4; i++)
		CHECK_EQUAL(node_vector_append(&g.nodes, (struct graph_node){.kind = i ? NODE_FILE : NODE_PROCESS, .entity = i == 3}), 0);
	for (uint32_t i = 0; i < 2; i++)
		CHECK_EQUAL(file_vector_append(&g.files, (struct file){.dev = 8, .inode = 20 + i}), 0);
	CHECK(u32_vector_append(&g.files.items[0].versions, 1) == 0 && u32_vector_append(&g.files.items[0].versions, 2) == 0 &&
	      u32_vector_append(&g.files.items[1].versions, 3) == 0);
	add_edge(0, 1, FLOW_CREATE, (uint64_t[]){10}, 1, false);
	add_edge(0, 1, FLOW_OPEN_WRITE, (uint64_t[]){10, 21, 40}, 3, false);
	add_edge(0, 1, FLOW_OPEN_WRITE, (uint64_t[]){12}, 1, true); // refused
	add_edge(0, 1, FLOW_LINK, (uint64_t[]){13}, 1, false);
	add_edge(0, 1, FLOW_ATTRIBUTE, (uint64_t[]){13}, 1, false);
	add_edge(1, 0, FLOW_EXECUTE, (uint64_t[]){50, 51}, 2, false);
	add_edge(1, 0, FLOW_OPEN_READ, (uint64_t[]){52}, 1, false);
	add_edge(0, 2, FLOW_TRUNCATE, (uint64_t[]){60}, 1, false);
	add_edge(0, 2, FLOW_RENAME, (uint64_t[]){70}, 1, false);
	add_edge(0, 2, FLOW_DELETE, (uint64_t[]){80}, 1, false);
	add_edge(0, 3, FLOW_OPEN_WRITE, (uint64_t[]){90}, 1, false);
	// CSR by hand: of each node its edges, in order.
	for (uint32_t n = 0; n < 4; n++) {
		CHECK(u32_vector_append(&g.in_start, (uint32_t)g.in_edges.count) == 0 && u32_vector_append(&g.out_start, (uint32_t)g.out_edges.count) == 0);
		for (uint32_t i = 0; i < g.edges.count; i++) {
			if (g.edges.items[i].to == n)
				CHECK_EQUAL(u32_vector_append(&g.in_edges, i), 0);
			if (g.edges.items[i].from == n)
				CHECK_EQUAL(u32_vector_append(&g.out_edges, i), 0);
		}
	}
	CHECK(u32_vector_append(&g.in_start, (uint32_t)g.in_edges.count) == 0 && u32_vector_append(&g.out_start, (uint32_t)g.out_edges.count) == 0);
}

static void add_state(struct annotate_answer *a, uint64_t seq, uint64_t guest_ns, unsigned change)
{
	struct annotate_state s = {.disk = {.seq = seq, .arrival_ns = change ? guest_ns + (uint64_t)OFFSET_NS : 0, .change = change,
					   .ctime_ns = NANOTIME_NONE}};

	CHECK_EQUAL(annotate_states_append(&a->states, s), 0);
}

static void check_moment(const struct annotate_moment *m, enum annotate_moment_kind kind, enum flow_op op, uint64_t second, uint64_t seq)
{
	CHECK_EQUAL(m->kind, kind);
	CHECK_STRING(flow_op_name(g.edges.items[m->edge].op), flow_op_name(op));
	CHECK_EQUAL(m->serial, second * 10 + op);
	CHECK_EQUAL(m->guest_ns, AT(second));
	CHECK_EQUAL(m->host_ns, AT(second) + (uint64_t)OFFSET_NS);
	CHECK_EQUAL(m->error_ns, ERROR_NS);
	CHECK_EQUAL(m->seq, seq);
}

static struct timeline_clock make_clock(void)
{
	struct timeline_clock clock = {0};
	struct timeline_clock_piece piece = {.to_ns = NANOTIME_NONE, .offset_ns = OFFSET_NS, .error_ns = ERROR_NS, .source = TIMELINE_CLOCK_JOURNAL, .samples = 9};

	CHECK_EQUAL(timeline_clock_pieces_append(&clock.pieces, piece), 0);
	return clock;
}

static void test_all(const struct timeline_clock *clock)
{
	struct annotate_answer a = {.verdict = ANNOTATE_SHOWN};
	struct annotate_moments moments = {0};
	struct error err;
	size_t at = 0;

	add_state(&a, 5, 0, 0);
	add_state(&a, 6, AT(10) - ERROR_NS, TIMELINE_APPEARED); // may be from before the event
	add_state(&a, 7, AT(10) - ERROR_NS + 1, TIMELINE_GREW);
	add_state(&a, 8, AT(22), TIMELINE_ARRIVED);             // of what was written at 10
	add_state(&a, 9, AT(26), TIMELINE_GREW);
	add_state(&a, 10, AT(45), TIMELINE_ARRIVED);            // nothing else came by then, and nothing came later but what follows
	add_state(&a, 11, AT(65), TIMELINE_CUT);
	add_state(&a, 12, AT(81), TIMELINE_METADATA);
	add_state(&a, 13, AT(85), TIMELINE_DELETED);
	CHECK_EQUAL(annotate_moments_of(&a, clock, &g, 0, &moments, &err), 0);
	CHECK_EQUAL(moments.count, 16);
	check_moment(&moments.items[at++], ANNOTATE_BEFORE, FLOW_OPEN_WRITE, 10, 0); // ties by serial
	check_moment(&moments.items[at++], ANNOTATE_AFTER, FLOW_OPEN_WRITE, 10, 7);
	check_moment(&moments.items[at++], ANNOTATE_BEFORE, FLOW_CREATE, 10, 0);
	check_moment(&moments.items[at++], ANNOTATE_AFTER, FLOW_CREATE, 10, 7);
	check_moment(&moments.items[at++], ANNOTATE_BEFORE, FLOW_OPEN_WRITE, 21, 0);
	check_moment(&moments.items[at++], ANNOTATE_AFTER, FLOW_OPEN_WRITE, 21, 9);
	check_moment(&moments.items[at++], ANNOTATE_BEFORE, FLOW_OPEN_WRITE, 40, 0);
	check_moment(&moments.items[at++], ANNOTATE_AFTER, FLOW_OPEN_WRITE, 40, 11);
	check_moment(&moments.items[at++], ANNOTATE_EXECUTED, FLOW_EXECUTE, 50, 0);
	check_moment(&moments.items[at++], ANNOTATE_EXECUTED, FLOW_EXECUTE, 51, 0);
	check_moment(&moments.items[at++], ANNOTATE_BEFORE, FLOW_TRUNCATE, 60, 0);
	check_moment(&moments.items[at++], ANNOTATE_AFTER, FLOW_TRUNCATE, 60, 11);
	check_moment(&moments.items[at++], ANNOTATE_BEFORE, FLOW_RENAME, 70, 0);
	check_moment(&moments.items[at++], ANNOTATE_AFTER, FLOW_RENAME, 70, 12);
	check_moment(&moments.items[at++], ANNOTATE_BEFORE, FLOW_DELETE, 80, 0);
	check_moment(&moments.items[at++], ANNOTATE_AFTER, FLOW_DELETE, 80, 13); // not the change of its links
	annotate_moments_release(&moments);
	// Without a deletion what came first counts; without anything else what came in; without that nothing.
	a.states.count = 8;
	CHECK_EQUAL(annotate_moments_of(&a, clock, &g, 0, &moments, &err), 0);
	CHECK_EQUAL(moments.items[15].seq, 12);
	annotate_moments_release(&moments);
	a.states.count = 6;
	CHECK_EQUAL(annotate_moments_of(&a, clock, &g, 0, &moments, &err), 0);
	CHECK_EQUAL(moments.items[7].seq, 10);
	CHECK_EQUAL(moments.items[11].seq, 0);
	annotate_moments_release(&moments);
	annotate_states_release(&a.states);
}

// A log that grows until it is emptied: what came in right after the call by the host's clock, and was changed before it by the guest's own,
// is not what the call made. Bytes that came ahead of their inode may be.
static void test_own_time(const struct timeline_clock *clock)
{
	static const struct { uint64_t ctime_ns; unsigned change; uint64_t seq; } cases[] = {
		{AT(60) - 1, TIMELINE_GREW, 9}, {AT(60), TIMELINE_GREW, 8}, {NANOTIME_NONE, TIMELINE_GREW, 8}, {AT(60) - 1, TIMELINE_METADATA, 9},
		{AT(60) - 1, TIMELINE_REWRITTEN, 8}, {AT(60) - 1, TIMELINE_GREW | TIMELINE_REWRITTEN, 8}, {AT(60) - 1, TIMELINE_ARRIVED, 9},
	};
	struct timeline_clock_piece back = {.from_ns = AT(90), .to_ns = NANOTIME_NONE, .offset_ns = OFFSET_NS, .stepped = true, .step_ns = -5};
	struct timeline_clock set_back = make_clock();
	struct error err;

	CHECK_EQUAL(timeline_clock_pieces_append(&set_back.pieces, back), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (int is_back = 0; is_back < 2; is_back++) {
			struct annotate_answer a = {.verdict = ANNOTATE_SHOWN};
			struct annotate_moments moments = {0};

			add_state(&a, 8, AT(60), cases[i].change);
			add_state(&a, 9, AT(61), TIMELINE_CUT);
			a.states.items[0].disk.ctime_ns = cases[i].ctime_ns;
			a.states.items[1].disk.ctime_ns = AT(60);
			CHECK_EQUAL(annotate_moments_of(&a, is_back ? &set_back : clock, &g, 0, &moments, &err), 0);
			check_moment(&moments.items[11], ANNOTATE_AFTER, FLOW_TRUNCATE, 60, is_back && cases[i].change != TIMELINE_ARRIVED ? 8 : cases[i].seq);
			annotate_moments_release(&moments);
			annotate_states_release(&a.states);
		}
	timeline_clock_release(&set_back);
}

// More events than are kept: the last one's time is known.
static void test_kept(const struct timeline_clock *clock)
{
	struct annotate_answer a = {.verdict = ANNOTATE_NEVER_REACHED};
	struct annotate_moments moments = {0};
	struct error err;
	struct flow_edge *e = &g.edges.items[g.edges.count - 1];

	e->count = 100;
	e->last_ns = AT(95);
	CHECK_EQUAL(annotate_moments_of(&a, clock, &g, 1, &moments, &err), 0);
	CHECK_EQUAL(moments.count, 4);
	check_moment(&moments.items[0], ANNOTATE_BEFORE, FLOW_OPEN_WRITE, 90, 0);
	CHECK(moments.items[2].serial == 0 && moments.items[2].guest_ns == AT(95) && moments.items[3].kind == ANNOTATE_AFTER && moments.items[3].seq == 0);
	annotate_moments_release(&moments);
}

int main(void)
{
	struct timeline_clock clock = make_clock(), unknown = {0};
	struct annotate_answer nothing = {.verdict = ANNOTATE_SHOWN};
	struct annotate_moments moments = {0};
	struct error err;

	build();
	test_all(&clock);
	test_own_time(&clock);
	test_kept(&clock);
	CHECK_EQUAL(annotate_moments_of(&nothing, &unknown, &g, 0, &moments, &err), 0);
	CHECK_EQUAL(moments.count, 0);
	timeline_clock_release(&clock);
	u32_vector_release(&g.files.items[0].versions);
	u32_vector_release(&g.files.items[1].versions);
	node_vector_release(&g.nodes);
	edge_vector_release(&g.edges);
	evidence_vector_release(&g.evidence);
	file_vector_release(&g.files);
	u32_vector_release(&g.in_start);
	u32_vector_release(&g.out_start);
	u32_vector_release(&g.in_edges);
	u32_vector_release(&g.out_edges);
	return unit_end();
}
