// SPDX-License-Identifier: MIT
// The text form: order of its parts, width, colour, and that nothing from a log can steer a terminal.
#include "base/text.h"
#include "graph/picture.h"
#include "graph/write.h"
#include "tests/unit/incident.h"
#include "tests/unit/unit.h"

static struct mail_incident m;
static struct trace t;

static struct picture *build(const char *signature)
{
	struct error err = {""};
	incident_finish(&m.i);
	CHECK(trace_run(&m.i.g, &m.contact, 1, m.contact, (struct trace_options){0}, &t, &err) == 0);
	struct picture_options options = {.zone = {.name = "+09:00"}, .alert_ns = AT(66), .from_ns = T0, .to_ns = AT(1200),
					  .alert_address = m.i.g.connections.items[m.contact].address, .alert_port = 443,
					  .alert_signature = signature, .command = "provgraph --alert-ip 10.0.0.5", .version = "test"};
	struct picture *p = picture_build(&m.i.g, &t, &options, &err);
	CHECK_STRING(err.message, "");
	return p;
}

static void end(struct picture *p)
{
	picture_free(p);
	trace_release(&t);
	incident_release(&m.i);
}

static size_t place(const struct buffer *b, const char *words)
{
	const char *at = strstr(buffer_string(b), words);
	CHECK(at != NULL);
	if (!at)
		fprintf(stderr, "no \"%s\"\n", words);
	return at ? (size_t)(at - b->bytes) : 0;
}

static void test_order(void)
{
	struct error err;
	struct buffer b = {0};
	mail_incident_init(&m);
	struct picture *p = build("ET TROJAN beacon");
	CHECK(picture_add_missing(p, false, T0, AT(1200), "pipe2 was never audited here", "-a always,exit -S pipe2", &err) == 0);
	CHECK(picture_add_missing(p, true, AT(85), AT(88), "at least 4 events are missing", "", &err) == 0);
	CHECK(write_text(p, (struct write_text_options){0}, &b, &err) == 0);
	static const char *const parts[] = {"stage2 (started from mutt) contacted 10.0.0.5:443\n", "2026-11-21T19:01:06+09:00",
		"\nWho logged in from where\n", "sshd says: alice", "\nWhat ran\n", "\nWhat it dropped\n", "\nWhat persists\n",
		"\nWhat was cleaned\n", "\nWhat is missing\n", "LOSS  at least 4 events", "blind pipe2", "-a always,exit -S pipe2",
		"\nStory", "19:00:20.000  mutt [920] created", "! 19:01:06.000  alert on 10.0.0.5:443: ET TROJAN beacon", "\nNext\n",
		"--why n", "provgraph rules"};
	for (size_t i = 1; i < sizeof(parts) / sizeof(parts[0]); i++)
		CHECK(place(&b, parts[i - 1]) < place(&b, parts[i]));
	CHECK(strchr(buffer_string(&b), '\033') == NULL);
	buffer_release(&b);
	end(p);
}

// No line is wider than asked for, whatever the names. (Rules and commands are: they are there to be copied.)
static void test_width(void)
{
	static const size_t widths[] = {40, 72, 100, 200};
	mail_incident_init(&m);
	char name[400] = "/tmp/.x/";
	memset(name + 8, 'a', sizeof(name) - 9);
	name[sizeof(name) - 1] = '\0';
	memcpy(name + 100, "\xe6\xbc\xa2\xe5\xad\x97", 6); // wide characters
	m.i.g.files.items[graph_file_of(&m.i.g, m.stage2_file) - m.i.g.files.items].names.items[0].name = incident_string(&m.i, name);
	struct picture *p = build(NULL);
	for (size_t w = 0; w < sizeof(widths) / sizeof(widths[0]); w++) {
		struct buffer b = {0};
		struct error err;
		CHECK(write_text(p, (struct write_text_options){.columns = widths[w]}, &b, &err) == 0);
		for (const char *line = buffer_string(&b); *line;) {
			size_t length = strcspn(line, "\n");
			CHECK(text_cells(line, length) <= widths[w]);
			line += length + (line[length] == '\n');
		}
		buffer_release(&b);
	}
	end(p);
}

// With colour, every escape is one of ours and is closed; what a log says stays visible text.
static void test_escapes(void)
{
	static const char evil[] = "/tmp/\033[2J\x9b" "31m\r\n\x07\xe2\x80\xae-end";
	for (int color = 0; color < 2; color++) {
		struct buffer b = {0};
		struct error err;
		mail_incident_init(&m);
		m.i.g.files.items[graph_file_of(&m.i.g, m.cron_job) - m.i.g.files.items].names.items[0].name =
			intern_add(m.i.g.strings, evil, sizeof(evil) - 1);
		struct segment *s = &m.i.g.segments.items[m.i.g.processes.items[graph_segment_of(&m.i.g, m.tar)->process].segments.items[1]];
		m.i.g.arguments.items[s->argv + 1] = intern_add(m.i.g.strings, evil, sizeof(evil) - 1);
		struct picture *p = build("sig\033[31m\nStory\n");
		CHECK(write_text(p, (struct write_text_options){.color = color}, &b, &err) == 0);
		size_t open = 0, escapes = 0;
		for (size_t i = 0; i < b.length; i++) {
			unsigned char c = (unsigned char)b.bytes[i];
			CHECK(c == '\n' || c == '\033' || c >= 0x20);
			if (c != '\033')
				continue;
			escapes++;
			size_t code = strcspn(b.bytes + i, "m");
			CHECK(b.bytes[i + 1] == '[' && strspn(b.bytes + i + 2, "0123456789;") == code - 2);
			open = strncmp(b.bytes + i, "\033[0m", 4) == 0 ? 0 : open + 1;
			CHECK(open <= 1);
		}
		CHECK(color ? escapes > 0 && open == 0 : escapes == 0);
		CHECK(strstr(buffer_string(&b), "\xe2\x80\xae") == NULL);
		place(&b, "\\x1b[2J");
		buffer_release(&b);
		end(p);
	}
}

int main(void)
{
	test_order();
	test_width();
	test_escapes();
	return unit_end();
}
