// SPDX-License-Identifier: MIT
// Reading a dm-log-writes log, and bringing it into a history.
#include "snapshots/exchange.h"

#include "base/bytes.h"
#include "base/memory.h"
#include "base/nanotime.h"
#include "snapshots/exchange_format.h"

#include <inttypes.h>
#include <string.h>

#define MAX_SECTOR_BYTES 65536u /* our limit; disks have 512 or 4096 */
#define STEP_BYTES (4u << 20)   /* of one imported record: larger writes become several */

static int read_whole(struct exchange_reader *r, uint64_t offset, void *bytes, size_t length, const char *what, struct error *err)
{
	size_t got = 0;

	if (r->pread(r->context, offset, bytes, length, &got, err) < 0)
		return -1;
	if (got != length)
		return error_set(err, "%s: byte %" PRIu64 ": the file ends inside %s %" PRIu64, r->name, offset, what, r->read_count + 1);
	return 0;
}

int exchange_open(struct exchange_reader *ret, exchange_pread *pread, void *context, const char *name, struct error *err)
{
	uint8_t super[LOG_SUPER_BYTES];
	size_t got = 0;

	ret->pread = pread;
	ret->context = context;
	ret->name = name;
	ret->read_count = 0;
	if (pread(context, 0, super, sizeof(super), &got, err) < 0)
		return -1;
	if (got < sizeof(super) || get_le64(super) != LOG_MAGIC)
		return error_set(err, "%s: is no log of dm-log-writes (its magic number is not there)", name);
	if (get_le64(super + 8) != LOG_VERSION)
		return error_set(err, "%s: has version %" PRIu64 " of dm-log-writes, and only 1 is known", name, get_le64(super + 8));
	ret->entry_count = get_le64(super + 16);
	ret->sector_bytes = get_le32(super + 24);
	if (ret->sector_bytes < 512 || ret->sector_bytes > MAX_SECTOR_BYTES || (ret->sector_bytes & (ret->sector_bytes - 1)) != 0)
		return error_set(err, "%s: byte 24: a sector of %" PRIu64 " bytes is none", name, ret->sector_bytes);
	ret->position = ret->sector_bytes;
	return 0;
}

// "t=1795252951562320442": the time of what follows. Anything else is somebody's text.
static uint64_t time_of_text(const uint8_t *text, size_t length)
{
	uint64_t ns = 0;

	if (length < 3 || length > 2 + 19 || text[0] != 't' || text[1] != '=')
		return NANOTIME_NONE;
	for (size_t i = 2; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return NANOTIME_NONE;
		ns = ns * 10 + (uint64_t)(text[i] - '0');
	}
	return ns;
}

static int take_mark(struct exchange_reader *r, uint64_t data_bytes, struct exchange_entry *e, struct error *err)
{
	if (data_bytes > r->sector_bytes - LOG_ENTRY_BYTES || data_bytes > sizeof(r->text))
		return error_set(err, "%s: byte %" PRIu64 ": the text of a mark does not fit into its sector", r->name, r->position + 24);
	e->kind = EXCHANGE_MARK;
	e->text_length = (size_t)data_bytes;
	if (read_whole(r, r->position + LOG_ENTRY_BYTES, r->text, e->text_length, "entry", err) < 0)
		return -1;
	// Some writers count the NUL behind the text.
	while (e->text_length > 0 && r->text[e->text_length - 1] == '\0')
		e->text_length--;
	e->time_ns = time_of_text(r->text, e->text_length);
	return 0;
}

static int take_range(struct exchange_reader *r, uint64_t sector, uint64_t sectors, uint64_t flags, struct exchange_entry *e, struct error *err)
{
	uint64_t most = (UINT64_MAX >> 1) / r->sector_bytes;

	if (sector > most || sectors > most - sector)
		return error_set(err, "%s: byte %" PRIu64 ": sector %" PRIu64 " lies behind the end of every disk", r->name, r->position, sector);
	e->offset_bytes = sector * r->sector_bytes;
	e->length_bytes = sectors * r->sector_bytes;
	e->flush_first = flags & LOG_FLUSH;
	e->fua = flags & LOG_FUA;
	if (sectors == 0) {
		// dm-log-writes and QEMU log a flush like this; without the flag it is a write of nothing, which does nothing either.
		e->kind = EXCHANGE_FLUSH;
		e->flush_first = false;
	} else if (flags & LOG_DISCARD) {
		e->kind = EXCHANGE_TRIM;
	} else {
		e->kind = EXCHANGE_WRITE;
		e->data_position = r->position + r->sector_bytes;
		if (e->length_bytes > (UINT64_MAX >> 1) - e->data_position)
			return error_set(err, "%s: byte %" PRIu64 ": more data than a file holds", r->name, r->position + 8);
	}
	return 0;
}

int exchange_next(struct exchange_reader *r, struct exchange_entry *ret, bool *ret_end, struct error *err)
{
	struct exchange_entry e = {.time_ns = NANOTIME_NONE, .number = r->read_count + 1};
	uint8_t bytes[LOG_ENTRY_BYTES];

	*ret_end = r->read_count == r->entry_count;
	if (*ret_end)
		return 0;
	if (read_whole(r, r->position, bytes, sizeof(bytes), "entry", err) < 0)
		return -1;
	uint64_t flags = get_le64(bytes + 16);

	if (flags & ~(uint64_t)LOG_KNOWN_FLAGS)
		return error_set(err, "%s: byte %" PRIu64 ": entry %" PRIu64 " has flags that are unknown: 0x%" PRIx64, r->name, r->position + 16,
				 e.number, flags);
	int result = flags & LOG_MARK ? take_mark(r, get_le64(bytes + 24), &e, err) :
					take_range(r, get_le64(bytes), get_le64(bytes + 8), flags, &e, err);

	if (result < 0)
		return -1;
	r->position += r->sector_bytes + (e.kind == EXCHANGE_WRITE ? e.length_bytes : 0);
	r->read_count++;
	*ret = e;
	return 0;
}

// ---- into a history

struct import {
	struct exchange_reader *reader;
	struct writer *writer;
	struct exchange_counts *counts;
	uint64_t now_ns, least_ns;
	bool stamped; // now_ns came from a mark: it holds for all entries behind it
	bool trying;  // everything is checked, nothing is written
	uint8_t *step;
};

static int put(struct import *m, enum record_type type, uint16_t flags, uint64_t offset, uint64_t length, const void *bytes, struct error *err)
{
	struct error reason;

	if (m->trying)
		return 0;
	int result = writer_import(m->writer, type, flags, m->now_ns, offset, length, bytes, &reason);

	return result < 0 ? error_set(err, "%s: entry %" PRIu64 ": %s", m->reader->name, m->reader->read_count, reason.message) : 0;
}

// The time of the next record. Records that come out of one entry share it.
static int tick(struct import *m, struct error *err)
{
	struct exchange_counts *c = m->counts;

	if (m->now_ns == EXCHANGE_NO_START)
		return error_set(err, "%s: entry %" PRIu64 " has no time (no mark t=NANOSECONDS stands before it): say when it began with --start TIME",
				 m->reader->name, m->reader->read_count);
	if (c->entries > 0 && !m->stamped)
		m->now_ns++;
	if (m->now_ns < m->least_ns)
		return error_set(err, "%s: entry %" PRIu64 ": its time, @%" PRIu64 ".%09u, is before @%" PRIu64 ".%09u, that of an earlier record",
				 m->reader->name, m->reader->read_count, m->now_ns / NANOTIME_SECOND, (unsigned)(m->now_ns % NANOTIME_SECOND),
				 m->least_ns / NANOTIME_SECOND, (unsigned)(m->least_ns % NANOTIME_SECOND));
	m->least_ns = m->now_ns;
	if (c->first_ns == NANOTIME_NONE)
		c->first_ns = m->now_ns;
	c->last_ns = m->now_ns;
	c->entries++;
	return 0;
}

static int import_write(struct import *m, const struct exchange_entry *e, struct error *err)
{
	uint16_t flags = e->fua ? RECORD_FUA : 0;

	for (uint64_t done = 0; done < e->length_bytes;) {
		size_t step = e->length_bytes - done < STEP_BYTES ? (size_t)(e->length_bytes - done) : STEP_BYTES;

		if (m->trying) { // its last byte is there: then all of it is
			done = e->length_bytes - 1;
			step = 1;
		}
		if (read_whole(m->reader, e->data_position + done, m->step, step, "the data of entry", err) < 0 ||
		    put(m, RECORD_WRITE, flags, e->offset_bytes + done, step, m->step, err) < 0)
			return -1;
		done += step;
	}
	m->counts->writes++;
	m->counts->bytes += e->length_bytes;
	return 0;
}

static int import_trim(struct import *m, const struct exchange_entry *e, struct error *err)
{
	// A record's length has 32 bits; the step is a multiple of every sector size.
	const uint64_t most = UINT64_C(2) << 30;

	for (uint64_t done = 0; done < e->length_bytes;) {
		uint64_t step = e->length_bytes - done < most ? e->length_bytes - done : most;

		if (put(m, RECORD_TRIM, e->fua ? RECORD_FUA : 0, e->offset_bytes + done, step, NULL, err) < 0)
			return -1;
		done += step;
	}
	m->counts->discards++;
	return 0;
}

static int import_entry(struct import *m, const struct exchange_entry *e, struct error *err)
{
	uint64_t size_bytes = writer_size_bytes(m->writer);

	if (e->kind == EXCHANGE_MARK && e->time_ns != NANOTIME_NONE) {
		m->now_ns = e->time_ns;
		m->stamped = true;
		return 0;
	}
	if (e->offset_bytes > size_bytes || e->length_bytes > size_bytes - e->offset_bytes)
		return error_set(err, "%s: entry %" PRIu64 " ends at byte %" PRIu64 " of the disk, which has %" PRIu64, m->reader->name, e->number,
				 e->offset_bytes + e->length_bytes, size_bytes);
	if (tick(m, err) < 0)
		return -1;
	if (e->flush_first && put(m, RECORD_FLUSH, 0, 0, 0, NULL, err) < 0)
		return -1;
	m->counts->flushes += e->flush_first || e->kind == EXCHANGE_FLUSH;
	switch (e->kind) {
	case EXCHANGE_WRITE:
		return import_write(m, e, err);
	case EXCHANGE_TRIM:
		return import_trim(m, e, err);
	case EXCHANGE_FLUSH:
		return put(m, RECORD_FLUSH, 0, 0, 0, NULL, err);
	case EXCHANGE_MARK:
		m->counts->marks++;
		return put(m, RECORD_MARK, 0, 0, e->text_length, m->reader->text, err);
	}
	return 0;
}

// All entries once, from the reader's place on.
static int run_through(struct import *m, exchange_progress *progress, void *context, struct error *err)
{
	struct exchange_entry e;
	bool end = false;
	int result = 0;

	*m->counts = (struct exchange_counts){.first_ns = NANOTIME_NONE, .last_ns = NANOTIME_NONE};
	while (result == 0 && !end) {
		result = exchange_next(m->reader, &e, &end, err);
		if (result == 0 && !end)
			result = import_entry(m, &e, err);
		if (progress)
			progress(context, m->reader->read_count, m->reader->entry_count);
	}
	return result;
}

int exchange_import(struct exchange_reader *r, struct writer *w, uint64_t start_ns, uint64_t least_ns, struct exchange_counts *ret,
		    exchange_progress *progress, void *context, struct error *err)
{
	struct import m = {.reader = r, .writer = w, .counts = ret, .now_ns = start_ns, .least_ns = least_ns, .trying = true};
	uint64_t position = r->position, read_count = r->read_count;

	m.step = malloc(STEP_BYTES);
	if (!m.step)
		return error_set(err, "out of memory");
	// A log that is refused in its middle must leave nothing behind: nothing can be taken back out of a history.
	int result = run_through(&m, NULL, NULL, err);
	if (result == 0) {
		m = (struct import){.reader = r, .writer = w, .counts = ret, .now_ns = start_ns, .least_ns = least_ns, .step = m.step};
		r->position = position;
		r->read_count = read_count;
		result = run_through(&m, progress, context, err);
	}
	free(m.step);
	return result;
}
