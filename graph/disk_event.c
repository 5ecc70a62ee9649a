// SPDX-License-Identifier: MIT
// One line for all that a log lost of one event: "10:08:40.204 event 4021: SYSCALL, PATH x2 removed; python3 [2311] deleted: /tmp/.x".
#include "graph/disk_words.h"

#include "base/nanotime.h"
#include "base/text.h"
#include "graph/label.h"

#include <inttypes.h>
#include <string.h>

#define TYPES_MAX 8u       /* our limits for one line; the json output has the records */
#define TYPE_BYTES 24u
#define LINE_BYTES 160u

struct types {
	struct text items[TYPES_MAX];
	uint32_t counts[TYPES_MAX], count, further;
};

// "type=SYSCALL msg=audit(...": its type. Empty: not a line of an audit log.
static struct text type_of(struct text line)
{
	static const char key[] = "type=";
	const size_t begin = sizeof(key) - 1;
	const char *found = line.length > begin ? memmem(line.bytes, line.length, key, begin) : NULL;

	// In front of it only what dispatchers write: "node=web01 ".
	if (!found || (found != line.bytes && memcmp(line.bytes, "node=", line.length < 5 ? line.length : 5) != 0))
		return (struct text){NULL, 0};
	struct text type = {found + begin, 0};
	size_t room = line.length - (size_t)(type.bytes - line.bytes);

	while (type.length < room && type.length < TYPE_BYTES && type.bytes[type.length] != ' ' && type.bytes[type.length] != '\n')
		type.length++;
	return type;
}

static void note_type(struct types *t, struct text type)
{
	uint32_t i = 0;

	while (i < t->count && (t->items[i].length != type.length || memcmp(t->items[i].bytes, type.bytes, type.length) != 0))
		i++;
	if (i == TYPES_MAX) {
		t->further++;
		return;
	}
	t->items[i] = type;
	t->counts[i]++;
	t->count += i == t->count;
}

static void note_types(struct types *t, struct text lines)
{
	for (size_t at = 0; at < lines.length;) {
		const char *feed = memchr(lines.bytes + at, '\n', lines.length - at);
		size_t length = feed ? (size_t)(feed - lines.bytes) - at : lines.length - at;
		struct text type = type_of((struct text){lines.bytes + at, length});

		if (type.length > 0)
			note_type(t, type);
		at += length + 1;
	}
}

static void add_types(struct buffer *out, const struct types *t)
{
	for (uint32_t i = 0; i < t->count; i++) {
		buffer_add_string(out, i ? ", " : "");
		buffer_add(out, t->items[i].bytes, t->items[i].length);
		if (t->counts[i] > 1)
			buffer_printf(out, " x%" PRIu32, t->counts[i]);
	}
	if (t->further > 0)
		buffer_printf(out, " +%" PRIu32, t->further);
}

// ---- who did what

static void add_node(struct buffer *out, const struct picture_node *n)
{
	struct text name = n->kind == PICTURE_FILE && n->full.length > 0 ? n->full : n->name;

	buffer_add(out, name.bytes, name.length);
	if (n->kind == PICTURE_PROCESS)
		buffer_printf(out, " [%" PRIu32 "]", n->pid);
}

static bool rests_on(const struct picture_edge *e, uint64_t serial)
{
	for (size_t i = 0; i < e->serial_count; i++)
		if (e->serials[i] == serial)
			return true;
	return false;
}

// An event can stand behind several links: a program was executed, and its loader with it. The one that weighs most tells it.
static const struct picture_edge *worst_edge(const struct picture *p, const struct picture_log_finding *f)
{
	const struct picture_edge *worst = &p->edges.items[f->edge];

	for (size_t i = 0; i < p->edges.count && f->serial != 0; i++) {
		const struct picture_edge *e = &p->edges.items[i];
		if (label_severity(e->op) > label_severity(worst->op) && rests_on(e, f->serial))
			worst = e;
	}
	return worst;
}

// The process does it, whichever way content flows: "find [148] started: invoice.bin [149]", "sh [7] opened for reading: /etc/passwd".
static void add_deed(struct buffer *out, const struct picture *p, const struct picture_log_finding *f)
{
	if (f->edge < p->edges.count) {
		const struct picture_edge *e = worst_edge(p, f);
		const struct picture_node *from = &p->nodes.items[e->from], *to = &p->nodes.items[e->to];
		bool from_acts = from->kind == PICTURE_PROCESS || to->kind != PICTURE_PROCESS;

		buffer_add_string(out, "; ");
		add_node(out, from_acts ? from : to);
		buffer_add_byte(out, ' ');
		buffer_add(out, e->label.bytes, e->label.length);
		buffer_add_string(out, ": ");
		add_node(out, from_acts ? to : from);
	} else if (f->node < p->nodes.count) {
		buffer_add_string(out, "; of ");
		add_node(out, &p->nodes.items[f->node]);
	}
}

static void add_line(struct buffer *out, const char *before, struct text lines)
{
	const char *feed = lines.length ? memchr(lines.bytes, '\n', lines.length) : NULL;
	size_t length = feed ? (size_t)(feed - lines.bytes) : lines.length;

	buffer_add_string(out, before);
	buffer_add(out, lines.bytes, length < LINE_BYTES ? length : LINE_BYTES);
	if (length > LINE_BYTES || feed)
		buffer_add_string(out, " ...");
}

static bool is_same_event(const struct picture_log_finding *a, const struct picture_log_finding *b)
{
	return a->serial == b->serial && a->serial != 0 && a->time_ns == b->time_ns && a->changed == b->changed;
}

size_t disk_event_words(struct buffer *out, const struct picture *p, const struct disk_finding *finding, size_t first)
{
	const struct picture_log_finding *items = p->log_findings.items, *f = &items[first];
	const struct picture_log_finding *deed = f;
	struct types types = {.count = 0};
	size_t end = first;

	for (; end < finding->first + finding->count && (end == first || is_same_event(f, &items[end])); end++) {
		note_types(&types, items[end].was.length > 0 ? items[end].was : items[end].is);
		if (deed->edge >= p->edges.count && items[end].edge < p->edges.count)
			deed = &items[end];
	}
	if (f->time_ns != 0 && f->time_ns != NANOTIME_NONE) {
		nanotime_format(out, f->time_ns, NANOTIME_CLOCK, p->zone);
		buffer_add_byte(out, ' ');
	}
	if (f->serial != 0)
		buffer_printf(out, "event %" PRIu64 ": ", f->serial);
	if (types.count > 0) {
		add_types(out, &types);
		buffer_add_string(out, f->changed ? " changed" : " removed");
		add_deed(out, p, deed);
	}
	if (f->changed || types.count == 0) { // one line is another: both say how, the types do not
		if (f->was.length > 0)
			add_line(out, types.count ? "; was: " : "was: ", f->was);
		if (f->is.length > 0)
			add_line(out, "; is: ", f->is);
	}
	return end;
}
