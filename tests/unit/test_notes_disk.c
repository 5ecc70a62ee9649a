// SPDX-License-Identifier: MIT
// What a recorded disk adds to "What was cleaned": logs that were emptied, changed in place, deleted and written anew.
#include "base/buffer.h"
#include "base/intern.h"
#include "graph/annotate.h"
#include "graph/picture.h"
#include "graph/write.h"
#include "tests/unit/incident.h"
#include "tests/unit/unit.h"

#define OFFSET (5 * NANOTIME_SECOND) /* host minus guest */
#define HOSTILE "/tmp/.x/\x1b]0;t\x07<b>\n\xe2\x80\xae.log"

static struct timeline_states states;

static struct timeline_state *add(uint64_t inode, uint64_t arrives, unsigned change, uint64_t mtime, uint64_t size)
{
	struct timeline_state s = {.seq = states.count + 1, .arrival_ns = arrives ? arrives + OFFSET : 0, .inode = inode, .generation = (uint32_t)inode, .size_bytes = size,
				   .mtime_ns = mtime, .ctime_ns = mtime, .crtime_ns = inode == 16 ? AT(71) : T0 - NANOTIME_SECOND, .links = change != TIMELINE_DELETED,
				   .change = change};
	timeline_states_append(&states, s);
	return &states.items[states.count - 1];
}

static struct file *file_of(struct mail_incident *m, uint32_t node)
{
	return &m->i.g.files.items[m->i.g.nodes.items[node].entity];
}

static bool has(struct text t, const char *want)
{
	return memmem(t.bytes ? t.bytes : "", t.length, want, strlen(want)) != NULL;
}

static const struct picture_note *cleaned(const struct picture *p, const char *words)
{
	for (size_t i = 0; i < p->notes.count; i++)
		if (p->notes.items[i].kind == NOTE_CLEANED && has(p->notes.items[i].words, words))
			return &p->notes.items[i];
	return NULL;
}

// The picture of the incident with these states.
static struct picture *picture_of(struct mail_incident *m)
{
	struct trace t;
	struct error err = {""};
	struct timeline_clock clock = {0};
	struct timeline_clock_piece piece = {.to_ns = NANOTIME_NONE, .base_ns = T0, .offset_ns = OFFSET, .error_ns = NANOTIME_MILLISECOND,
					     .base_error_ns = NANOTIME_MILLISECOND, .sampled_from_ns = T0, .sampled_to_ns = AT(1000), .samples = 9};
	timeline_clock_pieces_append(&clock.pieces, piece);
	struct annotate_volume volume = {.dev = 0xfe << 20, .name = "web01.history:1", .from_ns = T0, .to_ns = AT(600), .clock = &clock};
	struct annotate_wishes wishes = {0};

	incident_finish(&m->i);
	m->i.g.first_ns = T0;
	m->i.g.last_ns = AT(500);
	CHECK(trace_run(&m->i.g, &m->contact, 1, m->contact, (struct trace_options){0}, &t, &err) == 0);
	struct annotation *a = annotation_new(&m->i.g, &volume, 1, &err);
	CHECK(annotation_wishes(a, &t, ANNOTATE_ASKED, &wishes, &err) == 0 && annotation_take(a, 0, &states, &err) == 0);
	struct picture_options options = {.zone = {.utc = true}, .alert_ns = AT(66), .from_ns = T0, .to_ns = AT(1200), .annotation = a,
					  .alert_address = m->i.g.connections.items[m->contact].address, .alert_port = 443, .command = "provgraph", .version = "test"};
	struct picture *p = picture_build(&m->i.g, &t, &options, &err);
	CHECK_STRING(err.message, "");
	annotate_wishes_release(&wishes);
	annotation_free(a);
	timeline_clock_pieces_release(&clock.pieces);
	timeline_states_release(&states);
	trace_release(&t);
	return p;
}

// Emptied by a recorded call; changed in place while its maker had it open. The first says more than the record alone, and in its stead.
static void test_changed(void)
{
	struct mail_incident m;

	mail_incident_init(&m);
	struct file *archive = file_of(&m, m.archive);
	archive->created_seen = true;
	archive->created_ns = AT(71);
	archive->names.items[0].name = intern_add(m.i.g.strings, HOSTILE, sizeof(HOSTILE) - 1);
	add(14, 0, 0, T0 - NANOTIME_SECOND, 9000);
	add(14, AT(80), TIMELINE_GREW, AT(79), 9100);
	add(14, AT(93) + 400000, TIMELINE_CUT, AT(90) + 4 * NANOTIME_MILLISECOND, 0);
	add(16, AT(72), TIMELINE_APPEARED, AT(71), 100);
	add(16, AT(73), TIMELINE_GREW, AT(72), 200);
	add(16, AT(74), TIMELINE_GREW, AT(73), 1300);
	struct timeline_state *changed = add(16, AT(75), TIMELINE_REWRITTEN, AT(74), 1300);
	changed->changed_from = 1010;
	changed->changed_to = 1024;
	struct picture *p = picture_of(&m);
	const struct picture_note *emptied = cleaned(p, "/var/log/auth.log was emptied: 9,100 bytes before, 0 after, by stage2 [950], between 10:01:30.000 (the call) "
							"and 10:01:33.000 +-2 ms (on the disk, seq:3)");
	const struct picture_note *inside = cleaned(p, " was changed elsewhere than at its end (bytes 1,010 to 1,023 of 1,300), by tar [960], between 10:01:11.000 (opened) and "
							"10:01:15.000 +-1 ms (on the disk, seq:7)");
	CHECK(emptied && inside);
	CHECK(!cleaned(p, "auth.log truncated by"));
	if (emptied && inside) {
		CHECK_EQUAL(emptied->time_ns, AT(93) + 400000);
		CHECK(emptied->node < p->nodes.count && has(p->nodes.items[emptied->node].full, "auth.log"));
		CHECK(has(inside->words, HOSTILE)); // raw in the picture: each writer escapes
	}
	struct buffer text = {0}, json = {0};
	CHECK(write_text(p, (struct write_text_options){.columns = 0}, &text, NULL) == 0 && write_json(p, &json, NULL) == 0);
	CHECK(memchr(text.bytes, 0x1b, text.length) == NULL && memchr(json.bytes, 0x1b, json.length) == NULL);
	CHECK(strstr(buffer_string(&text), "\xe2\x80\xae") == NULL);
	CHECK(strstr(buffer_string(&json), "was changed elsewhere than at its end (bytes 1,010 to 1,023 of 1,300)") != NULL);
	buffer_release(&text);
	buffer_release(&json);
	picture_free(p);
	incident_release(&m.i);
}

// A log that goes, and one of its name that comes; and one that goes for good: its record says all there is.
static void test_anew(void)
{
	for (int anew = 0; anew < 2; anew++) {
		struct mail_incident m;

		mail_incident_init(&m);
		uint32_t second = incident_file(&m.i, anew ? "/var/log/auth.log" : "/var/log/auth.log.1", 24, 6);
		incident_edge(&m.i, m.stage2, m.auth_log, FLOW_DELETE, AT(92), AT(92));
		incident_edge(&m.i, m.stage2, second, FLOW_CREATE, AT(94), AT(95));
		file_of(&m, second)->created_seen = true;
		file_of(&m, second)->created_ns = AT(94);
		file_of(&m, m.auth_log)->deleted_ns = AT(92);
		add(14, 0, 0, T0 - NANOTIME_SECOND, 9000);
		add(14, AT(80), TIMELINE_GREW, AT(79), 9100);
		add(14, AT(93), TIMELINE_DELETED, AT(79), 9100);
		add(24, AT(97), TIMELINE_APPEARED, AT(94), 8800)->crtime_ns = AT(94);
		struct picture *p = picture_of(&m);
		const struct picture_note *note = cleaned(p, "/var/log/auth.log was deleted and written anew: 9,100 bytes before, 8,800 after, by stage2 [950], "
							     "between 10:01:32.000 (the call) and 10:01:33.000 +-1 ms (on the disk, seq:3)");
		CHECK((note != NULL) == anew);
		CHECK((cleaned(p, "auth.log truncated by stage2 [950], deleted by stage2 [950]") == NULL) == anew);
		picture_free(p);
		incident_release(&m.i);
	}
}

// Many logs: the best few are told.
static void test_many(void)
{
	struct mail_incident m;
	char name[64];
	size_t told = 0;

	mail_incident_init(&m);
	for (uint32_t i = 0; i < 12; i++) {
		(void)snprintf(name, sizeof(name), "/var/log/app%u.log", (unsigned)i);
		uint32_t file = incident_file(&m.i, name, 100 + i, 6);
		incident_edge(&m.i, m.stage2, file, FLOW_OPEN_WRITE, AT(61), AT(100));
		add(100 + i, 0, 0, T0 - NANOTIME_SECOND, 9000);
		add(100 + i, AT(80), TIMELINE_GREW, AT(79), 9100);
		add(100 + i, AT(90), TIMELINE_REWRITTEN, AT(89), 9100)->changed_to = 5;
	}
	struct picture *p = picture_of(&m);
	for (size_t i = 0; i < p->notes.count; i++)
		told += has(p->notes.items[i].words, "elsewhere than at its end (bytes 0 to 4 of 9,100)");
	CHECK_EQUAL(told, 5);
	picture_free(p);
	incident_release(&m.i);
}

int main(void)
{
	test_changed();
	test_anew();
	test_many();
	return unit_end();
}
