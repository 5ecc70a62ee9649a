// SPDX-License-Identifier: MIT
#include "snapshots/line_table.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES ((size_t)256 << 10)
#define FIRST_SLOTS 1024u
#define UNSETTLED_LINES 1024u /* looked at from the end: what is on its way is at most 35 s old */

int line_table_init(struct line_table *t, line_table_found *found, void *context, struct error *err)
{
	*t = (struct line_table){.found = found, .context = context, .slot_count = FIRST_SLOTS};
	t->slots = malloc(t->slot_count * sizeof(*t->slots));
	t->chunk = malloc(CHUNK_BYTES);
	t->line = malloc(LINE_TABLE_LINE_BYTES);
	if (!t->slots || !t->chunk || !t->line)
		return error_set(err, "out of memory");
	memset(t->slots, 0xFF, t->slot_count * sizeof(*t->slots));
	return line_key_random(&t->key, err);
}

void line_table_release(struct line_table *t)
{
	line_entries_release(&t->entries);
	free(t->slots);
	free(t->chunk);
	free(t->line);
	*t = (struct line_table){0};
}

void line_file_release(struct line_file *f)
{
	line_places_release(&f->places);
	free(f->tail);
	*f = (struct line_file){0};
}

// ---- the set

static int grow(struct line_table *t, struct error *err)
{
	size_t count = t->slot_count * 2;
	uint32_t *slots = malloc(count * sizeof(*slots));

	if (!slots)
		return error_set(err, "out of memory");
	memset(slots, 0xFF, count * sizeof(*slots));
	for (size_t i = 0; i < t->entries.count; i++) {
		size_t at = t->entries.items[i].hash & (count - 1);

		while (slots[at] != LINE_NONE)
			at = (at + 1) & (count - 1);
		slots[at] = (uint32_t)i;
	}
	free(t->slots);
	t->slots = slots;
	t->slot_count = count;
	return 0;
}

// The line's entry, which is told when it is a new one. LINE_NONE: the table is full.
static int add_line(struct line_table *t, const struct line_found *line, uint32_t *ret, struct error *err)
{
	uint64_t hash = line_hash(&t->key, line->bytes, line->length) ^ !line->complete;
	size_t at = hash & (t->slot_count - 1);

	for (; t->slots[at] != LINE_NONE; at = (at + 1) & (t->slot_count - 1)) {
		struct line_entry *e = &t->entries.items[t->slots[at]];

		if (e->hash != hash)
			continue;
		e->live += !t->nameless;
		*ret = t->nameless ? LINE_NAMELESS : t->slots[at];
		return 0;
	}
	*ret = LINE_NONE;
	if (t->entries.count >= LINE_TABLE_MAX_LINES) {
		t->full = true;
		return 0;
	}
	struct line_entry entry = {.hash = hash, .live = !t->nameless};

	if (t->nameless) {
		entry.gone_seq = t->nameless->seq;
		entry.gone_ns = t->nameless->time_ns;
		entry.gone_change = t->nameless->change;
	}
	if (line_entries_append(&t->entries, entry) < 0)
		return error_set(err, "out of memory");
	t->slots[at] = (uint32_t)t->entries.count - 1;
	*ret = t->nameless ? LINE_NAMELESS : t->slots[at];
	if (t->entries.count * 2 > t->slot_count && grow(t, err) < 0)
		return -1;
	return t->found(t->context, line, err);
}

static void remove_line(struct line_table *t, uint32_t entry, const struct line_moment *when)
{
	if (entry == LINE_NONE || entry == LINE_NAMELESS)
		return;
	struct line_entry *e = &t->entries.items[entry];

	if (--e->live > 0)
		return;
	e->gone_seq = when->seq;
	e->gone_ns = when->time_ns;
	e->gone_change = when->change;
}

// ---- reading lines

struct scan {
	struct line_table *t;
	struct line_places found;
	// The line that is being read: its beginning stands in t->line.
	uint64_t from, at;
	size_t kept;
	bool nul;
};

static void keep(struct scan *s, const char *bytes, size_t length)
{
	if (!s->nul && memchr(bytes, '\0', length))
		s->nul = true;
	if (length > LINE_TABLE_LINE_BYTES - s->kept)
		length = LINE_TABLE_LINE_BYTES - s->kept;
	memcpy(s->t->line + s->kept, bytes, length);
	s->kept += length;
}

// The line ends before `newline`, an offset of the file.
static int end_line(struct scan *s, const char *bytes, size_t length, uint64_t newline, struct error *err)
{
	struct line_place place = {.from = s->from, .to = newline + 1, .entry = LINE_NONE};
	struct line_found line = {.offset = s->from, .bytes = bytes, .length = length, .complete = true};

	if (s->kept > 0) { // it began in an earlier chunk
		keep(s, bytes, length);
		line.bytes = s->t->line;
		line.length = s->kept;
	} else {
		s->nul = s->nul || (length > 0 && memchr(bytes, '\0', length));
		if (line.length > LINE_TABLE_LINE_BYTES)
			line.length = LINE_TABLE_LINE_BYTES;
	}
	if (!s->nul && line.length > 0 && add_line(s->t, &line, &place.entry, err) < 0)
		return -1;
	if (line_places_append(&s->found, place) < 0)
		return error_set(err, "out of memory");
	s->from = newline + 1;
	s->kept = 0;
	s->nul = false;
	return 0;
}

static int take_chunk(struct scan *s, size_t length, struct error *err)
{
	const char *at = s->t->chunk, *end = at + length;
	uint64_t offset = s->at;

	while (at < end && !s->t->full) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		if (!newline) {
			keep(s, at, (size_t)(end - at));
			break;
		}
		if (end_line(s, at, (size_t)(newline - at), offset + (uint64_t)(newline - s->t->chunk), err) < 0)
			return -1;
		at = newline + 1;
	}
	s->at = offset + length;
	return 0;
}

// Lines in [s->at, stop).
static int scan_lines(struct scan *s, const struct line_source *now, uint64_t stop, struct error *err)
{
	while (s->at < stop && !s->t->full) {
		uint64_t data = now->data ? now->data(now->context, s->at) : s->at;

		if (data > s->at) { // a hole is NUL bytes
			s->nul = true;
			s->at = data < stop ? data : stop;
			continue;
		}
		size_t length = stop - s->at < CHUNK_BYTES ? (size_t)(stop - s->at) : CHUNK_BYTES;

		if (now->read(now->context, s->at, s->t->chunk, length, err) < 0 || take_chunk(s, length, err) < 0)
			return -1;
		s->t->read_bytes += length;
		s->t->full |= s->t->read_bytes > LINE_TABLE_MAX_READ;
	}
	return 0;
}

// ---- a change

// The first place that ends behind `offset`.
static size_t place_at(const struct line_file *f, uint64_t offset)
{
	size_t low = 0, high = f->places.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (f->places.items[middle].to <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int splice(struct line_file *f, size_t low, size_t high, const struct line_places *found, struct error *err)
{
	size_t behind = f->places.count - high;

	if (line_places_reserve(&f->places, found->count) < 0)
		return error_set(err, "out of memory");
	if (behind > 0 && found->count != high - low)
		memmove(&f->places.items[low + found->count], &f->places.items[high], behind * sizeof(*f->places.items));
	if (found->count > 0)
		memcpy(&f->places.items[low], found->items, found->count * sizeof(*found->items));
	f->places.count = low + found->count + behind;
	return 0;
}

// The unfinished line, as the scan left it.
static int keep_tail(struct line_file *f, const struct scan *s, uint64_t size, struct error *err)
{
	char *tail = realloc(f->tail, s->kept + 1);

	if (!tail)
		return error_set(err, "out of memory");
	memcpy(tail, s->t->line, s->kept);
	f->tail = tail;
	f->tail_kept = s->kept;
	f->tail_from = s->from;
	f->tail_to = size > s->from ? size : s->from;
	f->tail_nul = s->nul;
	return 0;
}

int line_file_change(struct line_table *t, struct line_file *f, const struct line_source *now, uint64_t from, uint64_t to,
		     const struct line_moment *when, struct error *err)
{
	struct scan s = {.t = t};
	// Lines from the one that holds the first changed byte to the last one whose beginning, a newline behind `to`, is as it was.
	size_t low = place_at(f, from), high = low;

	if (t->full)
		return 0;
	if (low > 0)
		s.from = f->places.items[low - 1].to;
	while (high < f->places.count && f->places.items[high].from <= to)
		high++;
	if (f->places.count > high && f->places.items[f->places.count - 1].to > now->size) // shorter than it was told
		high = f->places.count;
	bool to_end = high == f->places.count;
	uint64_t stop = to_end ? now->size : f->places.items[high].from;

	s.at = s.from;
	if (f->tail && from >= f->tail_to && now->size >= f->tail_to) { // the unfinished line goes on
		s.at = f->tail_to;
		s.kept = f->tail_kept;
		s.nul = f->tail_nul;
		memcpy(t->line, f->tail, f->tail_kept);
	}
	for (size_t i = low; i < high; i++)
		remove_line(t, f->places.items[i].entry, when);
	int result = scan_lines(&s, now, stop, err);

	if (result == 0)
		result = splice(f, low, high, &s.found, err);
	if (result == 0 && to_end)
		result = keep_tail(f, &s, now->size, err);
	line_places_release(&s.found);
	return result;
}

uint64_t line_file_unsettled(const struct line_file *f)
{
	uint64_t from = f->tail_nul ? f->tail_from : f->tail_to;

	for (size_t back = 1; back <= f->places.count && back <= UNSETTLED_LINES; back++) {
		const struct line_place *place = &f->places.items[f->places.count - back];

		if (place->entry == LINE_NONE && place->to - place->from > 1)
			from = place->from;
	}
	return from;
}

int line_file_remove(struct line_table *t, struct line_file *f, const struct line_moment *when, struct error *err)
{
	int result = 0;

	if (f->tail_kept > 0 && !f->tail_nul && !t->full) {
		struct line_found line = {.offset = f->tail_from, .bytes = f->tail, .length = f->tail_kept};
		uint32_t entry;

		result = add_line(t, &line, &entry, err);
		if (result == 0)
			remove_line(t, entry, when);
	}
	for (size_t i = 0; i < f->places.count; i++)
		remove_line(t, f->places.items[i].entry, when);
	line_file_release(f);
	return result;
}
