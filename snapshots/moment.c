// SPDX-License-Identifier: MIT
// From a time to a state, through the epochs of the recorder's clock.
//
// Within an epoch realtime ran with boottime, apart from steps below 10 ms. A new one begins at each CLOCK record, and at an OPEN record of
// another boot whose time lies before that of the record before it: while the machine was off, nobody can say by how much its clock was
// wrong, but a clock that goes on forward orders the states as they were.
//
//     epoch A  |-----------------|            a step back: the times from B's first to A's last happened twice
//     epoch B          |--------------->      (the last epoch has no end: its clock may still come to any later time)
//
// A step forward leaves times that no clock showed; they belong to the epoch before.
#include "snapshots/history_inside.h"

#include "base/bytes.h"
#include "base/memory.h"

#include <inttypes.h>
#include <string.h>

#define SCAN_ROWS 1024
#define OPEN_BOOT_ID_BYTES 36 // text of /proc/sys/kernel/random/boot_id, see record.h

// ---- finding epochs

static int read_content(struct history *h, uint64_t seq, void *bytes, size_t length, bool *ret_there, struct error *err)
{
	struct segment_row row;
	struct history_file *f;

	if (history_read_at(h, seq, &row, &f, err) < 0)
		return -1;
	int result = 0;
	*ret_there = row.length_bytes >= length;
	if (*ret_there)
		result = segment_read_content(&f->segment, &row, 0, bytes, length, h->segments.items[history_find(h, seq)].name, err);
	history_file_put(f);
	return result;
}

static int begin_epoch(struct history *h, uint64_t seq, uint64_t time_ns, uint64_t before_until_ns, struct error *err)
{
	struct history_epoch epoch = { .first_seq = seq, .last_seq = seq, .first_ns = time_ns, .last_ns = time_ns };

	if (h->epochs.count > 0) {
		struct history_epoch *before = &h->epochs.items[h->epochs.count - 1];

		before->last_seq = seq - 1;
		before->last_ns = before_until_ns;
	}
	return epoch_vector_append(&h->epochs, epoch) < 0 ? error_set(err, "out of memory") : 0;
}

// The clock's own last moment is what boottime led the recorder to expect at the step.
static int judge_clock(struct history *h, uint64_t seq, uint64_t time_ns, uint64_t before_ns, struct error *err)
{
	uint8_t content[8] = { 0 };
	uint64_t expected = 0;
	bool there;

	if (read_content(h, seq, content, sizeof(content), &there, err) < 0)
		return -1;
	if (there)
		expected = get_le64(content);
	return begin_epoch(h, seq, time_ns, expected > before_ns && expected != NANOTIME_NONE ? expected : before_ns, err);
}

static int judge_open(struct history *h, uint64_t seq, uint64_t time_ns, uint64_t before_ns, struct error *err)
{
	char boot_id[OPEN_BOOT_ID_BYTES];
	bool there;

	if (read_content(h, seq, boot_id, sizeof(boot_id), &there, err) < 0)
		return -1;
	bool same_boot = there && h->has_boot_id && memcmp(boot_id, h->boot_id, sizeof(boot_id)) == 0;
	if (there)
		memcpy(h->boot_id, boot_id, sizeof(boot_id));
	h->has_boot_id = there;
	return time_ns < before_ns && !same_boot ? begin_epoch(h, seq, time_ns, before_ns, err) : 0;
}

static int judge_row(struct history *h, uint64_t seq, const struct segment_row *row, struct error *err)
{
	struct segment_row before = *row;

	if (seq == 1 && begin_epoch(h, 1, row->realtime_ns, 0, err) < 0)
		return -1;
	if (row->type != RECORD_CLOCK && row->type != RECORD_OPEN)
		return 0;
	if (seq > 1 && history_read_at(h, seq - 1, &before, NULL, err) < 0)
		return -1;
	if (row->type == RECORD_OPEN)
		return judge_open(h, seq, row->realtime_ns, before.realtime_ns, err);
	return seq > 1 ? judge_clock(h, seq, row->realtime_ns, before.realtime_ns, err) : 0;
}

static int judge_segment(struct history *h, size_t index, struct segment_row *rows, struct error *err)
{
	const struct history_segment *s = &h->segments.items[index];
	uint64_t at = h->epochs_until + 1 - s->first_seq;

	// Nothing begins in a segment without such records, but the first epoch in the first segment.
	if (s->clock_count == 0 && s->first_seq > 1)
		at = s->record_count;
	while (at < s->record_count) {
		size_t count = s->record_count - at < SCAN_ROWS ? (size_t)(s->record_count - at) : SCAN_ROWS;

		if (history_rows(h, index, at, count, rows, NULL, err) < 0)
			return -1;
		for (size_t i = 0; i < count; i++) {
			if (judge_row(h, s->first_seq + at + i, &rows[i], err) < 0)
				return -1;
			h->epochs_until = s->first_seq + at + i;
		}
		at += count;
	}
	h->epochs_until = s->first_seq + s->record_count - 1;
	return 0;
}

// Brings h->epochs up to the last record. The caller holds the lock.
static int update_epochs(struct history *h, struct error *err)
{
	struct segment_row *rows AUTO_FREE = malloc(SCAN_ROWS * sizeof(*rows));
	uint64_t last = history_last_seq(h);

	if (!rows)
		return error_set(err, "out of memory");
	while (h->epochs_until < last)
		if (judge_segment(h, history_find(h, h->epochs_until + 1), rows, err) < 0)
			return -1;
	if (h->epochs.count > 0) {
		struct history_epoch *newest = &h->epochs.items[h->epochs.count - 1];
		struct segment_row row;

		if (history_read_at(h, last, &row, NULL, err) < 0)
			return -1;
		newest->last_seq = last;
		newest->last_ns = row.realtime_ns;
	}
	return 0;
}

int history_epochs(struct history *h, struct epoch_vector *ret, struct error *err)
{
	struct epoch_vector copy = { 0 };

	(void)pthread_mutex_lock(&h->lock);
	int result = update_epochs(h, err);
	if (result == 0 && h->epochs.count > 0) {
		if (epoch_vector_reserve(&copy, h->epochs.count) < 0)
			result = error_set(err, "out of memory");
		else {
			memcpy(copy.items, h->epochs.items, h->epochs.count * sizeof(*copy.items));
			copy.count = h->epochs.count;
		}
	}
	(void)pthread_mutex_unlock(&h->lock);
	if (result == 0)
		*ret = copy;
	return result;
}

// ---- from a time to a seq

// The last of rows [from, to) of a segment whose time is not after time_ns; `to` when there is none.
static int last_not_after(struct history *h, size_t index, uint64_t from, uint64_t to, uint64_t time_ns, struct segment_row *rows,
			  uint64_t *ret_at, struct error *err)
{
	uint64_t end = to;

	*ret_at = to;
	while (end > from) {
		size_t count = end - from < SCAN_ROWS ? (size_t)(end - from) : SCAN_ROWS;

		if (history_rows(h, index, end - count, count, rows, NULL, err) < 0)
			return -1;
		for (size_t i = count; i-- > 0;)
			if (rows[i].realtime_ns <= time_ns) {
				*ret_at = end - count + i;
				return 0;
			}
		end -= count;
	}
	return 0;
}

static int search_epoch(struct history *h, const struct history_epoch *e, uint64_t time_ns, uint64_t *ret_seq, struct error *err)
{
	struct segment_row *rows AUTO_FREE = malloc(SCAN_ROWS * sizeof(*rows));
	size_t first = history_find(h, e->first_seq);

	if (!rows)
		return error_set(err, "out of memory");
	for (size_t index = history_find(h, e->last_seq) + 1; index-- > first;) {
		const struct history_segment *s = &h->segments.items[index];
		uint64_t from = s->first_seq < e->first_seq ? e->first_seq - s->first_seq : 0;
		uint64_t to = s->first_seq + s->record_count - 1 > e->last_seq ? e->last_seq - s->first_seq + 1 : s->record_count, at;

		if (s->least_realtime_ns > time_ns)
			continue;
		if (last_not_after(h, index, from, to, time_ns, rows, &at, err) < 0)
			return -1;
		if (at < to) {
			*ret_seq = s->first_seq + at;
			return 0;
		}
	}
	return error_set(err, "%s: no record of the epoch from seq:%" PRIu64 " on has the time that it begins with", h->folder, e->first_seq);
}

static bool epoch_holds(const struct history *h, size_t index, uint64_t time_ns)
{
	const struct history_epoch *e = &h->epochs.items[index];

	if (time_ns < e->first_ns)
		return false;
	if (index + 1 == h->epochs.count || time_ns <= e->last_ns)
		return true;
	return time_ns < e[1].first_ns; // skipped by a step forward
}

static void add_candidate(struct history *h, struct buffer *out, uint64_t seq)
{
	struct segment_row row;

	if (history_read_at(h, seq, &row, NULL, NULL) < 0)
		return;
	buffer_printf(out, "%sseq:%" PRIu64 " (recorded ", out->length > 0 ? " or " : "", seq);
	nanotime_format(out, row.realtime_ns, NANOTIME_FULL, (struct timezone_choice){ .utc = true });
	buffer_add_string(out, ")");
}

static int refuse(const struct history *h, uint64_t time_ns, const struct buffer *candidates, struct error *err)
{
	struct buffer when AUTO_RELEASE_BUFFER = { 0 };

	nanotime_format(&when, time_ns, NANOTIME_FULL, (struct timezone_choice){ .utc = true });
	return error_set(err, "%s: the recorder's clock was stepped, so that %s stands for more than one state: say %s", h->folder,
			 buffer_string(&when), buffer_string(candidates));
}

static int find_moment(struct history *h, uint64_t time_ns, uint64_t *ret_seq, struct error *err)
{
	struct buffer candidates AUTO_RELEASE_BUFFER = { 0 };
	uint64_t found = 0;
	size_t count = 0;

	if (update_epochs(h, err) < 0)
		return -1;
	for (size_t i = 0; i < h->epochs.count; i++) {
		if (!epoch_holds(h, i, time_ns))
			continue;
		if (search_epoch(h, &h->epochs.items[i], time_ns, &found, err) < 0)
			return -1;
		add_candidate(h, &candidates, found);
		count++;
	}
	if (count > 1)
		return refuse(h, time_ns, &candidates, err);
	*ret_seq = count == 0 ? 0 : found;
	return 0;
}

int history_moment(struct history *h, uint64_t time_ns, uint64_t *ret_seq, struct error *err)
{
	(void)pthread_mutex_lock(&h->lock);
	int result = find_moment(h, time_ns, ret_seq, err);
	(void)pthread_mutex_unlock(&h->lock);
	return result;
}
