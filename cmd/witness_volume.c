// SPDX-License-Identifier: MIT
#include "cmd/witness_volume.h"

#include "base/memory.h"
#include "cmd/witness_span.h"
#include "snapshots/history.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// Of the record on both sides of the window. Before: what a file was just then, and names that came into being a little earlier.
#define BEFORE_NS (60 * NANOTIME_SECOND)
// The clock is looked for in the whole record up to so many requests (a tenth of a second), else around the window.
#define WHOLE_RECORDS ((uint64_t)1 << 18)
#define AROUND_NS (30 * 60 * NANOTIME_SECOND)
#define AROUND_ROUNDS 4
#define PROBE_RECORDS ((uint64_t)1 << 16) // at an end of the record, where the guess lies outside of it

// ---- opening

static int make_names(struct witness_volume *v, struct error *err)
{
	const struct witness_mapping *m = &v->mapping;
	struct buffer name AUTO_RELEASE_BUFFER = {0}, argument AUTO_RELEASE_BUFFER = {0};
	size_t length = strlen(m->history), begin;

	while (length > 1 && m->history[length - 1] == '/')
		length--;
	for (begin = length; begin > 0 && m->history[begin - 1] != '/'; begin--)
		;
	buffer_add(&name, m->history + begin, length - begin);
	buffer_add_string(&argument, m->history);
	if (m->partition >= 0) {
		buffer_printf(&name, ":%d", m->partition);
		buffer_printf(&argument, ":%d", m->partition);
	}
	v->name = strdup(buffer_string(&name));
	v->argument = strdup(buffer_string(&argument));
	if (!v->name || !v->argument)
		return error_set(err, "out of memory");
	return buffer_check(&name, err) < 0 ? -1 : buffer_check(&argument, err);
}

// What the record holds by now: it may be growing.
static int take_facts(struct witness_volume *v, struct error *err)
{
	struct history_facts facts;

	if (history_facts(v->history, &facts, err) < 0)
		return -1;
	memcpy(v->uuid, facts.uuid, sizeof(v->uuid));
	v->first_ns = facts.first_ns;
	v->last_ns = facts.last_ns;
	v->last_seq = facts.last_seq;
	v->being_written = facts.being_written;
	if (v->end_seq == 0)
		return 0;
	v->last_seq = v->end_seq;
	v->being_written = false;
	return history_time_of(v->history, v->end_seq, &v->last_ns, err);
}

int witness_volume_open(struct witness_volume *v, struct witness_mapping *mapping, struct error *err)
{
	*v = (struct witness_volume){.mapping = *mapping};
	*mapping = (struct witness_mapping){.partition = -1};
	if (make_names(v, err) < 0 || history_open(v->mapping.history, &v->history, err) < 0)
		return -1;
	v->file = (struct timeline_file){.history = v->mapping.history, .partition = v->mapping.partition, .warnings = &v->warnings};
	if (take_facts(v, err) < 0 || witness_volume_find_end(v, err) < 0)
		return -1;
	return v->end_seq == 0 ? 0 : take_facts(v, err);
}

void witness_volume_release(struct witness_volume *v)
{
	timeline_clock_release(&v->clock);
	timeline_spans_release(&v->breaks);
	history_free(v->history);
	buffer_release(&v->warnings);
	buffer_release(&v->root);
	witness_mapping_release(&v->mapping);
	free(v->name);
	free(v->argument);
	*v = (struct witness_volume){0};
}

// ---- moments

static int last_seq_not_after(struct witness_volume *v, const struct history_epoch *e, uint64_t ns, uint64_t *ret_seq, struct error *err)
{
	uint64_t low = e->first_seq, high = e->last_seq; // low's time is not after ns

	while (low < high) {
		uint64_t middle = low + (high - low + 1) / 2, then;

		if (history_time_of(v->history, middle, &then, err) < 0)
			return -1;
		if (then <= ns)
			low = middle;
		else
			high = middle - 1;
	}
	*ret_seq = low;
	return 0;
}

// A step of the host's clock can make a time two moments: the later or the earlier of them.
static int seq_at(struct witness_volume *v, uint64_t ns, bool later, uint64_t *ret_seq, struct error *err)
{
	struct epoch_vector epochs = {0};
	const struct history_epoch *found = NULL;

	if (history_epochs(v->history, &epochs, err) < 0)
		return -1;
	for (size_t i = 0; i < epochs.count; i++) {
		const struct history_epoch *e = &epochs.items[i];
		bool last = i + 1 == epochs.count;

		if (e->first_ns > ns || (found && !later))
			continue;
		// A step forward leaves times that no clock showed: they belong to the epoch before.
		if (later || last || ns <= e->last_ns || ns < e[1].first_ns)
			found = e;
	}
	int result = 0;

	if (found)
		result = last_seq_not_after(v, found, ns, ret_seq, err);
	else
		*ret_seq = 0;
	epoch_vector_release(&epochs);
	return result;
}

int witness_volume_seq_at(struct witness_volume *v, uint64_t host_ns, uint64_t *ret_seq, struct error *err)
{
	return seq_at(v, host_ns, true, ret_seq, err);
}

void witness_volume_moment(struct witness_volume *v, uint64_t seq, struct timezone_choice zone, struct buffer *out)
{
	uint64_t ns = NANOTIME_NONE, there = 0;

	if (seq > 0 && history_time_of(v->history, seq, &ns, NULL) == 0 && history_moment(v->history, ns, &there, NULL) == 0 && there == seq)
		nanotime_format(out, ns, NANOTIME_FULL, zone);
	else
		buffer_printf(out, "seq:%" PRIu64, seq);
}

// ---- the window

static uint64_t less(uint64_t ns, uint64_t by)
{
	return ns > by ? ns - by : 0;
}

static uint64_t more(uint64_t ns, uint64_t by)
{
	return ns < NANOTIME_NONE - 1 - by ? ns + by : NANOTIME_NONE - 1;
}

static int ask_clock(struct witness_volume *v, uint64_t from_seq, uint64_t to_seq, struct error *err)
{
	timeline_clock_release(&v->clock);
	return from_seq < to_seq && timeline_clock(&v->file, from_seq, to_seq, &v->clock, err) < 0 ? -1 : 0;
}

// The records of a stretch of host time; of the nearest end of the record, when it lies outside.
static int stretch_of(struct witness_volume *v, uint64_t begin_ns, uint64_t end_ns, uint64_t *ret_from, uint64_t *ret_to, struct error *err)
{
	if (seq_at(v, begin_ns, false, ret_from, err) < 0 || seq_at(v, end_ns, true, ret_to, err) < 0)
		return -1;
	if (*ret_from >= v->last_seq)
		*ret_from = v->last_seq > PROBE_RECORDS ? v->last_seq - PROBE_RECORDS : 0;
	if (*ret_to <= *ret_from)
		*ret_to = *ret_from + PROBE_RECORDS < v->last_seq ? *ret_from + PROBE_RECORDS : v->last_seq;
	return 0;
}

// A long record is asked only for a stretch: first where the window would be if the clocks were equal, then where the offset that was
// found puts it, until what was asked holds all of the window. 0; 1: nothing was found in this way.
static int clock_around(struct witness_volume *v, uint64_t from_ns, uint64_t to_ns, struct error *err)
{
	uint64_t host_from_ns = from_ns, host_to_ns = to_ns;

	for (int round = 0; round < AROUND_ROUNDS; round++) {
		uint64_t begin_ns = less(host_from_ns, AROUND_NS), end_ns = more(host_to_ns, AROUND_NS), from_seq, to_seq;

		if (stretch_of(v, begin_ns, end_ns, &from_seq, &to_seq, err) < 0 || ask_clock(v, from_seq, to_seq, err) < 0)
			return -1;
		if (!witness_span(&v->clock, from_ns, to_ns, &host_from_ns, &host_to_ns))
			return 1;
		if (host_from_ns >= begin_ns && host_to_ns <= end_ns)
			return 0;
	}
	return 1;
}

static int find_clock(struct witness_volume *v, uint64_t from_ns, uint64_t to_ns, struct error *err)
{
	if (v->last_seq > WHOLE_RECORDS) {
		int result = clock_around(v, from_ns, to_ns, err);

		if (result <= 0)
			return result;
	}
	return ask_clock(v, 0, v->last_seq, err);
}

struct sign_walk { struct witness_volume *v; bool wrote, broken; };

static int on_row(void *context, uint64_t seq, const struct segment_row *row, struct error *err)
{
	struct sign_walk *w = context;
	struct witness_volume *v = w->v;
	bool write = row->type == RECORD_WRITE || row->type == RECORD_ZERO || row->type == RECORD_TRIM;

	(void)seq;
	if (write) {
		v->to_ns = row->realtime_ns;
		w->wrote = true;
		w->broken = false;
	}
	if (row->type != RECORD_OPEN && row->type != RECORD_CLOSE && row->type != RECORD_GAP)
		return 0;
	// What the guest wrote meanwhile is unknown, or had no disk to go to. Before the first write, recording only begins.
	if (!w->wrote) {
		v->from_ns = v->to_ns = row->realtime_ns;
	} else if (w->broken) {
		v->breaks.items[v->breaks.count - 1].to_ns = row->realtime_ns;
	} else if (timeline_spans_append(&v->breaks, (struct timeline_span){v->to_ns, row->realtime_ns}) < 0) {
		return error_set(err, "out of memory");
	}
	w->broken = w->wrote;
	return 0;
}

// Of (from_seq, to_seq]: host time of the last record by which the guest changed its disk (a guest that is gone writes nothing, though
// flushes and the end of recording may follow), and where recording was interrupted.
static int find_signs(struct witness_volume *v, struct error *err)
{
	struct sign_walk walk = {.v = v};

	v->to_ns = v->from_ns;
	if (history_walk(v->history, v->from_seq, v->to_seq, on_row, &walk, err) < 0)
		return -1;
	v->breaks.count -= walk.broken; // that was its end
	return 0;
}

int witness_volume_look(struct witness_volume *v, uint64_t from_ns, uint64_t to_ns, uint64_t after_ns, struct error *err)
{
	v->covered = false;
	v->breaks.count = 0;
	v->from_seq = v->to_seq = v->from_ns = v->to_ns = v->host_from_ns = v->host_to_ns = 0;
	if (history_refresh(v->history, err) < 0 || take_facts(v, err) < 0)
		return -1;
	if (v->last_seq == 0)
		return 0;
	if (find_clock(v, from_ns, to_ns, err) < 0)
		return -1;
	if (!witness_span(&v->clock, from_ns, to_ns, &v->host_from_ns, &v->host_to_ns)) {
		v->host_from_ns = v->first_ns;
		v->host_to_ns = v->last_ns;
	}
	if (seq_at(v, less(v->host_from_ns, BEFORE_NS), false, &v->from_seq, err) < 0 ||
	    seq_at(v, more(v->host_to_ns, after_ns), true, &v->to_seq, err) < 0)
		return -1;
	v->covered = v->host_to_ns >= v->first_ns && (v->host_from_ns <= v->last_ns || v->being_written);
	if (!v->covered)
		return 0;
	if (v->from_seq == v->to_seq) // nothing was written all the time: the state in force is an answer, too
		v->from_seq--;
	if (history_time_of(v->history, v->from_seq + 1, &v->from_ns, err) < 0)
		return -1;
	return find_signs(v, err);
}
