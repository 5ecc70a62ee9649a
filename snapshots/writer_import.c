// SPDX-License-Identifier: MIT
// Entries of another program's log, at the times that they bring along.
#include "snapshots/writer_work.h"

#include "base/buffer.h"
#include "snapshots/codec.h"
#include "snapshots/crc32c.h"

#include <errno.h>

static int check_entry(struct writer *w, enum record_type type, uint64_t realtime_ns, uint64_t offset, uint64_t length, struct error *err)
{
	bool touches = type == RECORD_WRITE || type == RECORD_ZERO || type == RECORD_TRIM;
	uint64_t most = type == RECORD_WRITE ? RECORD_MAX_WRITE_BYTES : UINT32_MAX;

	if (!touches && type != RECORD_FLUSH && type != RECORD_MARK)
		(void)error_set(err, "%s: an entry of type %u cannot be imported", w->folder, (unsigned)type);
	else if (touches && (length == 0 || length > most || length > w->header.size_bytes || offset > w->header.size_bytes - length))
		(void)error_set(err, "%s: an entry of %llu bytes at %llu is not within the disk", w->folder, (unsigned long long)length,
				(unsigned long long)offset);
	else if (type == RECORD_MARK && length > RECORD_MAX_NOTE_BYTES)
		(void)error_set(err, "%s: a mark of %llu bytes is longer than %u", w->folder, (unsigned long long)length, RECORD_MAX_NOTE_BYTES);
	else if (realtime_ns < w->last_realtime_ns)
		(void)error_set(err, "%s: the time of an entry runs back, from %llu ns to %llu ns", w->folder,
				(unsigned long long)w->last_realtime_ns, (unsigned long long)realtime_ns);
	else
		return 0;
	return -EINVAL;
}

int writer_import(struct writer *w, enum record_type type, uint16_t flags, uint64_t realtime_ns, uint64_t offset, uint64_t length,
		  const void *bytes, struct error *err)
{
	struct buffer stored AUTO_RELEASE_BUFFER = {0};
	struct writer_entry e = {.type = type, .flags = (uint16_t)(flags | RECORD_IMPORTED), .offset = type < RECORD_FLUSH ? offset : 0,
				 .length = type == RECORD_FLUSH ? 0 : length, .has_time = true, .realtime_ns = realtime_ns};
	int result = check_entry(w, type, realtime_ns, offset, length, err);

	if (result < 0)
		return result;
	if (type == RECORD_WRITE)
		e.codec = codec_encode(w->options.inline_codec, bytes, (size_t)length, &stored);
	else if (type == RECORD_MARK)
		buffer_add(&stored, bytes, (size_t)length);
	if (buffer_check(&stored, err) < 0)
		return -ENOMEM;
	e.stored = stored.bytes;
	e.stored_bytes = (uint32_t)stored.length;
	e.content_crc = crc32c_update(0, e.stored, e.stored_bytes);
	return writer_append(w, &e, NULL, err);
}
