// SPDX-License-Identifier: MIT
#include "cmd/recovered_compare.h"

#include "ingest/log_record.h"

#include <stdlib.h>
#include <string.h>

#define GROUP_LINES 64u          /* lines with one stamp, serial, type and item that are compared: an event has a few */
#define MAX_FORGED 100000u       /* our limit */
#define FIRST_SLOTS 1024u

// A line of the log at hand that may stand in another one's place: `line` is it, where the disk held it; else the text says.
struct candidate { size_t log; uint64_t offset, key; uint32_t line; char *bytes; size_t length; };

static int candidate_append(struct candidate_vector *v, struct candidate c)
{
	void *items = v->items;

	if (v->count == v->capacity && vector_grow(&items, &v->capacity, v->count + 1, sizeof(c)) < 0)
		return -1;
	v->items = items;
	v->items[v->count++] = c;
	return 0;
}

int compare_init(struct comparison *c, struct error *err)
{
	*c = (struct comparison){.first_ns = UINT64_MAX};
	return line_key_random(&c->key, err);
}

void compare_release(struct comparison *c)
{
	for (size_t i = 0; i < c->forged.count; i++)
		free(c->forged.items[i].bytes);
	for (size_t i = 0; i < c->candidates.count; i++)
		free(c->candidates.items[i].bytes);
	compared_vector_release(&c->lines);
	forged_vector_release(&c->forged);
	free(c->candidates.items);
	free(c->groups);
	free(c->node);
	free(c->by_text);
	free(c->by_key);
	*c = (struct comparison){0};
}

// What tells a record's place in its event: stamp, serial, type, item.
static uint64_t key_of(const struct comparison *c, const struct log_record *line)
{
	return line_hash(&c->key, line->text, line->head_length) ^ (line->item_length > 0 ? line_hash(&c->key, line->item, line->item_length) : 0);
}

int compare_add(struct comparison *c, const struct log_lines *lines, uint32_t log, struct error *err)
{
	struct log_group *groups = realloc(c->groups, (log + 1) * sizeof(*groups));

	if (groups)
		c->groups = groups;
	if (!groups || compared_vector_reserve(&c->lines, lines->lines.count) < 0)
		return error_set(err, "out of memory");
	for (; c->log_count <= log; c->log_count++)
		groups[c->log_count] = (struct log_group){.group = c->log_count};
	for (size_t i = 0; i < lines->lines.count; i++) {
		const struct log_line *disk = &lines->lines.items[i];
		struct compared line = {.disk = disk, .bytes = log_line_bytes(lines, disk), .log = log, .fate = COMPARE_NO_RECORD,
					.place_of = COMPARE_NONE, .next = COMPARE_NONE, .gone_seq = disk->gone_seq};
		struct log_record audit;

		if (disk->complete && log_record_read(line.bytes, disk->length, &audit)) {
			line.fate = 0;
			line.time_ns = audit.time_ns;
			line.serial = audit.serial;
			line.hash = line_hash(&c->key, audit.text, audit.text_length);
			line.key = key_of(c, &audit);
		}
		c->lines.items[c->lines.count++] = line;
	}
	return 0;
}

// The slot that holds a line of this hash (or key), or the empty one where it belongs.
static size_t slot_of(const struct comparison *c, const uint32_t *table, uint64_t value, bool by_key)
{
	size_t at = value & (c->slots - 1);

	for (; table[at] != COMPARE_NONE; at = (at + 1) & (c->slots - 1)) {
		const struct compared *line = &c->lines.items[table[at]];

		if ((by_key ? line->key : line->hash) == value)
			break;
	}
	return at;
}

static void join(struct comparison *c, uint32_t a, uint32_t b)
{
	uint32_t from = c->groups[b].group, to = c->groups[a].group;

	for (uint32_t i = 0; from != to && i < c->log_count; i++)
		if (c->groups[i].group == from)
			c->groups[i].group = to;
}

bool compare_is_akin(const struct comparison *c, uint32_t log)
{
	for (uint32_t i = 0; i < c->log_count; i++)
		if (c->groups[i].group == c->groups[log].group && c->groups[i].matched)
			return true;
	return false;
}

int compare_index(struct comparison *c, struct error *err)
{
	for (c->slots = FIRST_SLOTS; c->slots < c->lines.count * 2; c->slots *= 2)
		;
	c->by_text = malloc(c->slots * sizeof(*c->by_text));
	c->by_key = malloc(c->slots * sizeof(*c->by_key));
	if (!c->by_text || !c->by_key)
		return error_set(err, "out of memory");
	memset(c->by_text, 0xFF, c->slots * sizeof(*c->by_text));
	memset(c->by_key, 0xFF, c->slots * sizeof(*c->by_key));
	for (uint32_t i = 0; i < c->lines.count; i++) {
		struct compared *line = &c->lines.items[i];

		if (line->fate == COMPARE_NO_RECORD)
			continue;
		size_t text = slot_of(c, c->by_text, line->hash, false), key = slot_of(c, c->by_key, line->key, true);

		if (c->by_text[text] != COMPARE_NONE) { // the same record, otherwise enriched, or on another disk
			struct compared *first = &c->lines.items[c->by_text[text]];

			line->fate = COMPARE_NO_RECORD;
			join(c, first->log, line->log);
			if (line->gone_seq == 0 || (first->gone_seq > 0 && line->gone_seq > first->gone_seq))
				first->gone_seq = line->gone_seq;
			continue;
		}
		c->by_text[text] = i;
		if (c->by_key[key] == COMPARE_NONE)
			c->by_key[key] = i;
		else
			c->lines.items[c->lines.items[c->by_key[key]].tail].next = i;
		c->lines.items[c->by_key[key]].tail = i;
	}
	return 0;
}

static bool is_ours(struct comparison *c, const struct log_record *record)
{
	if (c->host)
		return strlen(c->host) == record->node_length && memcmp(c->host, record->node, record->node_length) == 0;
	if (!c->node) {
		c->node = malloc(record->node_length + 1);
		if (c->node)
			memcpy(c->node, record->node, c->node_length = record->node_length);
	} else if (c->node_length != record->node_length || memcmp(c->node, record->node, record->node_length) != 0) {
		c->many_nodes = true;
	}
	return true;
}

int compare_given(struct comparison *c, size_t log, uint64_t offset, const char *bytes, size_t length, struct error *err)
{
	struct log_record audit;

	if (!log_record_read(bytes, length, &audit))
		return 0;
	if (audit.node && !is_ours(c, &audit))
		return 0;
	c->given++;
	c->first_ns = audit.time_ns < c->first_ns ? audit.time_ns : c->first_ns;
	c->last_ns = audit.time_ns > c->last_ns ? audit.time_ns : c->last_ns;
	struct candidate candidate = {.log = log, .offset = offset, .key = key_of(c, &audit), .line = COMPARE_NONE};
	uint32_t known = c->by_text[slot_of(c, c->by_text, line_hash(&c->key, audit.text, audit.text_length), false)];
	uint32_t head = c->by_key[slot_of(c, c->by_key, candidate.key, true)];

	c->matched += known != COMPARE_NONE;
	if (known != COMPARE_NONE) {
		c->lines.items[known].in_log = true;
		c->groups[c->lines.items[known].log].matched = true;
	}
	// With a text that the disk never held, or beside others that it did.
	if (head == COMPARE_NONE || (known != COMPARE_NONE && c->lines.items[head].next == COMPARE_NONE) || c->candidates.count >= MAX_FORGED)
		return 0;
	candidate.line = known;
	candidate.length = length;
	candidate.bytes = malloc(length + 1);
	if (!candidate.bytes)
		return error_set(err, "out of memory");
	memcpy(candidate.bytes, bytes, length);
	candidate.bytes[length] = '\0';
	if (candidate_append(&c->candidates, candidate) < 0) {
		free(candidate.bytes);
		return error_set(err, "out of memory");
	}
	return 0;
}

// ---- places

// Among lines of one key: each that came when another one had just gone stands in its place.
static void find_places(struct comparison *c, uint32_t head)
{
	uint32_t group[GROUP_LINES], count = 0;
	bool taken[GROUP_LINES] = {false};

	for (uint32_t i = head; i != COMPARE_NONE && count < GROUP_LINES; i = c->lines.items[i].next)
		group[count++] = i;
	for (uint32_t k = 1; k < count; k++) {
		struct compared *later = &c->lines.items[group[k]];

		for (uint32_t i = 0; i < count && later->place_of == COMPARE_NONE; i++) {
			const struct compared *first = &c->lines.items[group[i]];

			if (i == k || taken[i] || first->gone_seq == 0 || first->disk->seq >= later->disk->seq || first->gone_seq > later->disk->seq)
				continue;
			taken[i] = true;
			later->place_of = first->place_of != COMPARE_NONE ? first->place_of : group[i];
		}
	}
}

// Lines that were put in front of others, in the same file, whose stamps are much newer. (A guest's clock that was set back gives old stamps,
// too, but at the end.)
static void find_late(struct comparison *c)
{
	uint64_t newest_ns = 0, end = 0, inode = 0, seq = 0;
	uint64_t before_ns = 0, before_end = 0; // the same, without the present state's
	uint32_t log = COMPARE_NONE;

	for (size_t i = 0; i < c->lines.count; i++) {
		struct compared *line = &c->lines.items[i];
		const struct log_line *disk = line->disk;

		if (line->fate == COMPARE_NO_RECORD)
			continue;
		if (line->log != log || disk->seq < seq || disk->inode != inode) {
			newest_ns = end = before_ns = before_end = 0;
		} else if (disk->seq > seq) {
			before_ns = newest_ns;
			before_end = end;
		}
		log = line->log;
		seq = disk->seq;
		inode = disk->inode;
		if (disk->offset < before_end && before_ns > line->time_ns + COMPARE_LATE_NS && line->place_of == COMPARE_NONE)
			line->late_ns = before_ns - line->time_ns;
		newest_ns = line->time_ns > newest_ns ? line->time_ns : newest_ns;
		end = disk->offset > end ? disk->offset : end;
	}
}

// ---- fates

static enum compare_fate fate_of(const struct comparison *c, const struct compared *line, bool alone)
{
	bool gone = line->gone_seq > 0;
	const unsigned rotated = TIMELINE_DELETED | TIMELINE_RENAMED;

	if (!alone && line->in_log)
		return COMPARE_KEPT;
	if (line->place_of != COMPARE_NONE)
		return COMPARE_FORGED;
	if (alone && !gone)
		return COMPARE_KEPT;
	if (gone && line->disk->mixed && line->disk->gone_ns < line->disk->arrival_ns + COMPARE_ONE_ACT_NS)
		return COMPARE_PASSING;
	if (gone && (line->disk->gone_change & rotated) == rotated && (alone || line->time_ns < c->first_ns))
		return COMPARE_ROTATED;
	if (!alone && line->time_ns < c->first_ns && !gone)
		return COMPARE_OLDER;
	if (gone)
		return COMPARE_REMOVED;
	return line->time_ns > c->last_ns ? COMPARE_NEWER : COMPARE_LACKING;
}

static int add_forged(struct comparison *c, struct candidate *candidate, uint32_t was, struct error *err)
{
	struct forged_line forged = {.log = candidate->log, .offset = candidate->offset, .was = was, .bytes = candidate->bytes, .length = candidate->length};

	if (forged_vector_append(&c->forged, forged) < 0)
		return error_set(err, "out of memory");
	candidate->bytes = NULL;
	if (c->lines.items[was].fate != COMPARE_KEPT) // another log at hand may have it
		c->lines.items[was].fate = COMPARE_REPLACED;
	return 0;
}

// The line of the disk in whose place a text stands that the disk never held: one that the log at hand lacks.
static uint32_t place_of_stranger(const struct comparison *c, const struct candidate *candidate)
{
	uint32_t count = 0;

	if (c->many_nodes)
		return COMPARE_NONE;
	for (uint32_t i = c->by_key[slot_of(c, c->by_key, candidate->key, true)]; i != COMPARE_NONE && count < GROUP_LINES; i = c->lines.items[i].next, count++) {
		enum compare_fate fate = c->lines.items[i].fate;

		if (fate == COMPARE_REMOVED || fate == COMPARE_LACKING || fate == COMPARE_NEWER || fate == COMPARE_OLDER || fate == COMPARE_ROTATED)
			return i;
	}
	return COMPARE_NONE;
}

int compare_decide(struct comparison *c, bool alone, struct error *err)
{
	for (uint32_t i = 0; i < c->slots; i++)
		if (c->by_key[i] != COMPARE_NONE && c->lines.items[c->by_key[i]].next != COMPARE_NONE)
			find_places(c, c->by_key[i]);
	find_late(c);
	for (size_t i = 0; i < c->lines.count; i++)
		if (c->lines.items[i].fate != COMPARE_NO_RECORD)
			c->lines.items[i].fate = fate_of(c, &c->lines.items[i], alone);
	for (size_t i = 0; i < c->lines.count; i++) {
		const struct compared *line = &c->lines.items[i];

		if (line->place_of != COMPARE_NONE && c->lines.items[line->place_of].fate == COMPARE_REMOVED)
			c->lines.items[line->place_of].fate = COMPARE_REPLACED;
	}
	for (size_t i = 0; i < c->candidates.count; i++) {
		struct candidate *candidate = &c->candidates.items[i];
		uint32_t was = candidate->line != COMPARE_NONE ? c->lines.items[candidate->line].place_of : place_of_stranger(c, candidate);

		if (was != COMPARE_NONE && add_forged(c, candidate, was, err) < 0)
			return -1;
	}
	return 0;
}

bool compare_gives_back(const struct compared *line)
{
	return line->fate == COMPARE_REMOVED || line->fate == COMPARE_REPLACED || line->fate == COMPARE_LACKING || line->fate == COMPARE_ROTATED;
}
