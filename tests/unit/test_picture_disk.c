// SPDX-License-Identifier: MIT
// What a recorded disk adds to the picture and to the ranks.
#include "base/buffer.h"
#include "graph/annotate.h"
#include "graph/picture.h"
#include "graph/rank.h"
#include "tests/unit/incident.h"
#include "tests/unit/unit.h"

#define OFFSET (5 * NANOTIME_SECOND) /* host minus guest */
#define MANY 200u

static struct timeline_states states;

static struct timeline_state *add(uint64_t inode, uint64_t arrives, unsigned change, uint64_t born, uint64_t mtime, uint64_t size)
{
	struct timeline_state s = {.seq = states.count + 1, .arrival_ns = arrives ? arrives + OFFSET : 0, .inode = inode, .generation = (uint32_t)inode, .size_bytes = size,
				   .mtime_ns = mtime, .ctime_ns = mtime, .crtime_ns = born, .links = change != TIMELINE_DELETED, .change = change};
	timeline_states_append(&states, s);
	return &states.items[states.count - 1];
}

static void record(struct mail_incident *m)
{
	uint64_t before = T0 - 3 * 86400 * NANOTIME_SECOND;
	add(11, 0, 0, before, before, 5000);                                   // the mailbox: opened for writing, and not written
	add(13, AT(45), TIMELINE_APPEARED, AT(40), AT(41), 0);                 // stage2: its inode came, its content never
	add(13, AT(97), TIMELINE_DELETED, AT(40), AT(41), 0);
	add(14, 0, 0, before, before, 9000);
	add(14, AT(93), TIMELINE_CUT, before, AT(90) + 4 * NANOTIME_MILLISECOND, 0);
	add(16, AT(73), TIMELINE_APPEARED, AT(71), AT(71), 0);
	for (unsigned i = 0; i < MANY; i++)
		add(16, AT(74) + i * NANOTIME_MILLISECOND, i == 100 ? TIMELINE_CUT : TIMELINE_GREW, AT(71), AT(71) + i * NANOTIME_MILLISECOND, i);
	add(16, AT(80), TIMELINE_REWRITTEN, AT(71), AT(75), 70);
	struct { uint32_t node; unsigned made; } made[] = {{m->stage2_file, 40}, {m->archive, 71}};
	for (size_t i = 0; i < 2; i++) {
		struct file *f = &m->i.g.files.items[m->i.g.nodes.items[made[i].node].entity];
		f->created_seen = true;
		f->created_ns = AT(made[i].made);
	}
}

static const struct picture_node *drawn(const struct picture *p, uint64_t inode)
{
	for (size_t i = 0; i < p->nodes.count; i++)
		if (p->nodes.items[i].kind == PICTURE_FILE && p->nodes.items[i].inode == inode)
			return &p->nodes.items[i];
	fprintf(stderr, "inode %u is not drawn\n", (unsigned)inode);
	CHECK(false);
	return &p->nodes.items[0];
}

static bool text_is(struct text t, const char *want)
{
	return t.length == strlen(want) && memcmp(t.bytes ? t.bytes : "", want, t.length) == 0;
}

static bool text_has(struct text t, const char *want)
{
	return memmem(t.bytes ? t.bytes : "", t.length, want, strlen(want)) != NULL;
}

static void check_picture(const struct picture *p, const struct mail_incident *m)
{
	const struct picture_node *stage2 = drawn(p, 13), *log = drawn(p, 14), *archive = drawn(p, 16), *mailbox = drawn(p, 11), *cron = drawn(p, 15);
	CHECK(text_is(stage2->disk_verdict, "content pending"));
	CHECK_EQUAL(stage2->disk_state_count, 2);
	CHECK_EQUAL(stage2->disk, 0);
	CHECK_EQUAL(stage2->born_ns, NANOTIME_NONE); // a record saw it being made
	CHECK_EQUAL(stage2->disk_states[1].glyph, 'x');
	CHECK(text_has(stage2->disk_states[1].verdict, "deleted, by "));
	CHECK_EQUAL(stage2->disk_states[1].syscall_ns, AT(95));
	CHECK(text_is(log->disk_verdict, "shown"));
	CHECK_EQUAL(log->disk_state_count, 2);
	CHECK(text_is(log->disk_states[0].verdict, "as before"));
	CHECK_EQUAL(log->disk_states[0].time_ns, NANOTIME_NONE);
	CHECK_EQUAL(log->disk_states[0].arrival_ns, NANOTIME_NONE);
	CHECK(text_has(log->disk_states[1].verdict, "emptied, by "));
	CHECK_EQUAL(log->disk_states[1].glyph, 'v');
	CHECK_EQUAL(log->disk_states[1].time_ns, AT(93));
	CHECK_EQUAL(log->disk_states[1].arrival_ns, AT(93) + OFFSET);
	CHECK_EQUAL(log->disk_states[1].inode_ns, AT(90) + 4 * NANOTIME_MILLISECOND);
	CHECK_EQUAL(log->disk_states[1].syscall_ns, AT(90));
	CHECK_EQUAL(log->disk_states[1].seq, 5);
	CHECK(text_has(archive->disk_verdict, "shown (64 of 202 states)"));
	CHECK_EQUAL(archive->disk_state_count, 64);
	CHECK_EQUAL(archive->disk_states[0].glyph, '+');
	CHECK_EQUAL(archive->disk_states[63].size_bytes, 70);
	size_t cuts = 0;
	for (size_t i = 0; i < archive->disk_state_count; i++)
		cuts += archive->disk_states[i].glyph == 'v';
	CHECK_EQUAL(cuts, 1);
	CHECK_EQUAL(mailbox->born_ns, T0 - 3 * 86400 * NANOTIME_SECOND);
	CHECK(text_has(mailbox->reason, "; made 2026-11-18 10:00:00 by the disk's birth time; what was read of the log does not reach that far"));
	CHECK(text_is(cron->disk_verdict, "never reached the disk"));
	CHECK_EQUAL(cron->disk_state_count, 0);
	size_t unwritten = 0;
	for (size_t i = 0; i < p->edges.count; i++) {
		const struct picture_edge *e = &p->edges.items[i];
		unwritten += e->no_write_seen;
		CHECK(e->ended_by_disk == e->no_write_seen && (e->write_until_ns == 0 || e->ops >> FLOW_OPEN_WRITE & 1));
		if (!e->no_write_seen)
			continue;
		CHECK((&p->nodes.items[e->to] == mailbox || &p->nodes.items[e->from] == mailbox) && (e->ops >> FLOW_OPEN_WRITE & 1));
		CHECK_EQUAL(e->write_until_ns, AT(12)); // where it began
	}
	CHECK_EQUAL(unwritten, 1);
	CHECK(m->contact != GRAPH_NONE);
}

static uint32_t edge_of(const struct graph *g, uint32_t from, uint32_t to, enum flow_op op)
{
	for (uint32_t i = 0; i < g->edges.count; i++)
		if (g->edges.items[i].from == from && g->edges.items[i].to == to && g->edges.items[i].op == op)
			return i;
	CHECK(false);
	return 0;
}

// An open without a write weighs less, what the disk shows as written weighs what it did, and both say so.
static void check_ranks(const struct trace *t, const struct mail_incident *m, uint32_t cost_before)
{
	struct trace_factors f;
	struct buffer words = {0};
	struct error err = {""};
	uint32_t unwritten = edge_of(&m->i.g, m->mutt, m->mailbox, FLOW_OPEN_WRITE);
	trace_edge_factors(t, unwritten, &f);
	CHECK(f.disk > 0.29 && f.disk < 0.31);
	CHECK(rank_cost_of(&f) > cost_before + 1000000); // -ln 0.3 = 1.2
	trace_edge_factors(t, edge_of(&m->i.g, m->stage2, m->auth_log, FLOW_TRUNCATE), &f);
	CHECK(f.disk > 0.99);
	CHECK(trace_explain(t, m->auth_log, &words, &err) == 0);
	CHECK(strstr(buffer_string(&words), " x written here, as the disk shows 1.00") != NULL);
	buffer_release(&words);
}

int main(void)
{
	struct mail_incident m;
	struct trace t;
	struct error err = {""};
	mail_incident_init(&m);
	incident_edge(&m.i, m.mutt, m.mailbox, FLOW_OPEN_WRITE, AT(12), AT(400));
	incident_finish(&m.i);
	m.i.g.first_ns = T0;
	m.i.g.last_ns = AT(500);
	record(&m);
	CHECK(trace_run(&m.i.g, &m.contact, 1, m.contact, (struct trace_options){0}, &t, &err) == 0);
	struct trace_factors f;
	trace_edge_factors(&t, edge_of(&m.i.g, m.mutt, m.mailbox, FLOW_OPEN_WRITE), &f);
	uint32_t cost_before = rank_cost_of(&f);

	struct timeline_clock clock = {0};
	struct timeline_clock_piece piece = {.to_ns = NANOTIME_NONE, .base_ns = T0, .offset_ns = OFFSET, .error_ns = NANOTIME_MILLISECOND,
					     .base_error_ns = NANOTIME_MILLISECOND, .sampled_from_ns = T0, .sampled_to_ns = AT(1000), .samples = 9};
	timeline_clock_pieces_append(&clock.pieces, piece);
	struct annotate_volume volume = {.dev = 0xfe << 20, .name = "web01.history:1", .from_ns = T0, .to_ns = AT(600), .clock = &clock};
	struct annotation *a = annotation_new(&m.i.g, &volume, 1, &err);
	struct annotate_wishes wishes = {0};
	struct annotate_tightened done = {0};
	CHECK(annotation_wishes(a, &t, ANNOTATE_ASKED, &wishes, &err) == 0);
	CHECK(wishes.count >= 6 && wishes.items[0].volume == 0);
	CHECK(annotation_take(a, 0, &states, &err) == 0 && annotation_tighten(a, &m.i.g, &done, &err) == 0);
	CHECK_EQUAL(done.no_write_seen, 1);
	trace_release(&t);
	CHECK(trace_run(&m.i.g, &m.contact, 1, m.contact, (struct trace_options){0}, &t, &err) == 0);
	check_ranks(&t, &m, cost_before);

	struct picture_options options = {.zone = {.utc = true}, .alert_ns = AT(66), .from_ns = T0, .to_ns = AT(1200), .annotation = a,
					  .alert_address = m.i.g.connections.items[m.contact].address, .alert_port = 443, .command = "provgraph", .version = "test"};
	struct picture *p = picture_build(&m.i.g, &t, &options, &err);
	CHECK_STRING(err.message, "");
	if (p)
		check_picture(p, &m);
	picture_free(p);
	annotate_wishes_release(&wishes);
	annotation_free(a);
	timeline_clock_pieces_release(&clock.pieces);
	timeline_states_release(&states);
	trace_release(&t);
	incident_release(&m.i);
	return unit_end();
}
