// SPDX-License-Identifier: MIT
// A history's records as a dm-log-writes log.
//
// A ZERO becomes a write of zeros: the format knows none, and a DISCARD promises no zeros to other readers. A request that does not begin
// and end at a sector becomes a write of the whole sectors as they were after it.
#include "snapshots/exchange.h"

#include "base/bytes.h"
#include "base/memory.h"
#include "base/nanotime.h"
#include "snapshots/disk_at.h"
#include "snapshots/exchange_format.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SECTOR 512u
#define STEP_BYTES (1u << 20)

struct export {
	struct history *history;
	int fd;
	const char *name;
	struct exchange_counts *counts;
	uint64_t position, stamp_ns, to_seq;
	exchange_progress *progress;
	void *context;
	uint8_t *step;
};

static int put(struct export *x, const void *bytes, size_t length, uint64_t position, struct error *err)
{
	for (size_t done = 0; done < length;) {
		ssize_t got = pwrite(x->fd, (const char *)bytes + done, length - done, (off_t)(position + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set_errno(err, errno, "%s: cannot write", x->name);
		done += (size_t)got;
	}
	return 0;
}

static int put_entry(struct export *x, uint64_t offset, uint64_t length, uint64_t flags, const void *text, size_t text_length, struct error *err)
{
	uint8_t sector[SECTOR] = {0};

	put_le64(sector, offset / SECTOR);
	put_le64(sector + 8, length / SECTOR);
	put_le64(sector + 16, flags);
	put_le64(sector + 24, text_length);
	if (text_length > 0)
		memcpy(sector + LOG_ENTRY_BYTES, text, text_length);
	if (put(x, sector, sizeof(sector), x->position, err) < 0)
		return -1;
	x->position += sizeof(sector);
	x->counts->entries++;
	return 0;
}

// A mark with the time, when it is another than that of the entry before.
static int put_time(struct export *x, uint64_t ns, struct error *err)
{
	char text[32];

	if (x->stamp_ns == ns)
		return 0;
	if (x->stamp_ns != NANOTIME_NONE && ns < x->stamp_ns)
		x->counts->steps_back++;
	int length = snprintf(text, sizeof(text), "t=%" PRIu64, ns);

	x->stamp_ns = ns;
	if (x->counts->first_ns == NANOTIME_NONE)
		x->counts->first_ns = ns;
	x->counts->last_ns = ns;
	return put_entry(x, 0, 0, LOG_MARK, text, (size_t)length, err);
}

static bool is_zero(const uint8_t *bytes, size_t length)
{
	return length == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0);
}

// Where the data of an entry comes from: the record itself, or the disk after it.
struct source {
	uint64_t seq;
	struct disk_at *disk; // NULL: the record
	uint64_t offset;      // on the disk
};

static int put_data(struct export *x, const struct source *from, uint64_t length, struct error *err)
{
	for (uint64_t done = 0; done < length;) {
		size_t step = length - done < STEP_BYTES ? (size_t)(length - done) : STEP_BYTES;
		int result = from->disk ? disk_at_read(from->disk, from->offset + done, x->step, step, err) :
					  history_content(x->history, from->seq, done, x->step, step, err);

		if (result < 0)
			return -1;
		if (!is_zero(x->step, step) && put(x, x->step, step, x->position + done, err) < 0)
			return -1;
		done += step;
	}
	x->position += length;
	x->counts->bytes += length;
	return 0;
}

static int export_unaligned(struct export *x, uint64_t seq, const struct segment_row *row, uint64_t flags, struct error *err)
{
	uint64_t from = row->offset_bytes / SECTOR * SECTOR, end = row->offset_bytes + row->length_bytes;
	struct source source = {.seq = seq, .offset = from};

	end = (end + SECTOR - 1) / SECTOR * SECTOR;
	if (disk_at_open(x->history, seq, &source.disk, err) < 0)
		return -1;
	int result = put_entry(x, from, end - from, flags, NULL, 0, err);

	if (result == 0)
		result = put_data(x, &source, end - from, err);
	disk_at_free(source.disk);
	return result;
}

static int export_range(struct export *x, uint64_t seq, const struct segment_row *row, struct error *err)
{
	const struct source source = {.seq = seq};
	uint64_t flags = row->flags & RECORD_FUA ? LOG_FUA : 0;
	bool aligned = row->offset_bytes % SECTOR == 0 && row->length_bytes % SECTOR == 0;

	if (row->type == RECORD_TRIM && aligned) {
		x->counts->discards++;
		return put_entry(x, row->offset_bytes, row->length_bytes, flags | LOG_DISCARD, NULL, 0, err);
	}
	x->counts->writes++;
	if (!aligned)
		return export_unaligned(x, seq, row, flags, err);
	if (put_entry(x, row->offset_bytes, row->length_bytes, flags, NULL, 0, err) < 0)
		return -1;
	if (row->type == RECORD_WRITE)
		return put_data(x, &source, row->length_bytes, err);
	x->position += row->length_bytes; // a hole
	return 0;
}

static int export_mark(struct export *x, uint64_t seq, const struct segment_row *row, struct error *err)
{
	uint8_t text[SECTOR - LOG_ENTRY_BYTES];
	size_t length = row->length_bytes < sizeof(text) ? row->length_bytes : sizeof(text);

	if (length < row->length_bytes)
		x->counts->cut_marks++;
	if (history_content(x->history, seq, 0, text, length, err) < 0)
		return -1;
	// A text that would be read as a time loses its equals sign.
	if (length >= 2 && text[0] == 't' && text[1] == '=')
		text[1] = ':';
	x->counts->marks++;
	return put_entry(x, 0, 0, LOG_MARK, text, length, err);
}

static int export_record(void *context, uint64_t seq, const struct segment_row *row, struct error *err)
{
	struct export *x = context;
	bool disk = row->type >= RECORD_WRITE && row->type <= RECORD_TRIM;

	if (x->progress)
		x->progress(x->context, seq, x->to_seq);
	if (!disk && row->type != RECORD_FLUSH && row->type != RECORD_MARK)
		return 0; // of our own recording: the format has no place for it
	if (put_time(x, row->realtime_ns, err) < 0)
		return -1;
	if (disk)
		return export_range(x, seq, row, err);
	if (row->type == RECORD_MARK)
		return export_mark(x, seq, row, err);
	x->counts->flushes++;
	return put_entry(x, 0, 0, LOG_FLUSH, NULL, 0, err);
}

static int put_super(struct export *x, struct error *err)
{
	uint8_t sector[SECTOR] = {0};

	put_le64(sector, LOG_MAGIC);
	put_le64(sector + 8, LOG_VERSION);
	put_le64(sector + 16, x->counts->entries);
	put_le32(sector + 24, SECTOR);
	// The last entry's data may be a hole.
	if (ftruncate(x->fd, (off_t)x->position) < 0)
		return error_set_errno(err, errno, "%s: cannot set its length", x->name);
	return put(x, sector, sizeof(sector), 0, err);
}

int exchange_export(struct history *h, uint64_t to_seq, int fd, const char *name, struct exchange_counts *ret, exchange_progress *progress,
		    void *context, struct error *err)
{
	struct export x = {.history = h, .fd = fd, .name = name, .counts = ret, .position = SECTOR, .stamp_ns = NANOTIME_NONE,
			   .to_seq = to_seq, .progress = progress, .context = context};

	*ret = (struct exchange_counts){.first_ns = NANOTIME_NONE, .last_ns = NANOTIME_NONE};
	x.step = malloc(STEP_BYTES);
	if (!x.step)
		return error_set(err, "out of memory");
	int result = history_walk(h, 0, to_seq, export_record, &x, err);

	if (result == 0)
		result = put_super(&x, err);
	free(x.step);
	return result < 0 ? -1 : 0;
}
