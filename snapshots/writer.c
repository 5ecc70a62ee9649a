// SPDX-License-Identifier: MIT
// Opening, requests, closing.
#include "snapshots/writer_work.h"

#include "base/bytes.h"
#include "base/memory.h"
#include "snapshots/codec.h"
#include "snapshots/crc32c.h"
#include "snapshots/lock.h"
#include "snapshots/recover.h"
#include "snapshots/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_PROGRAM_BYTES 256

// ---- opening

static struct writer *writer_new(const char *folder, const struct writer_options *options)
{
	struct writer *w = calloc(1, sizeof(*w));
	pthread_condattr_t monotonic;

	if (!w)
		return NULL;
	w->options = *options;
	w->clock = (struct clock){.realtime = options->realtime, .boottime = options->boottime, .context = options->clock_context};
	w->folder_fd = w->segments_fd = w->lock_fd = -1;
	w->folder = strdup(folder);
	(void)pthread_mutex_init(&w->sync_lock, NULL);
	(void)pthread_mutex_init(&w->write_lock, NULL);
	(void)pthread_mutex_init(&w->append_lock, NULL);
	(void)pthread_mutex_init(&w->cache_lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&w->wake, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	if (w->folder)
		return w;
	free(w);
	return NULL;
}

static void writer_free(struct writer *w)
{
	writer_stop_stages(w);
	sealer_stop(w->sealer);
	writer_release_segments(w);
	live_free(w->live);
	base_image_free(w->base);
	for (size_t i = 0; i < 2; i++)
		free(w->stages[i].bytes);
	if (w->segments_fd >= 0)
		(void)close(w->segments_fd);
	if (w->folder_fd >= 0)
		(void)close(w->folder_fd);
	if (w->lock_fd >= 0)
		(void)close(w->lock_fd);
	(void)pthread_mutex_destroy(&w->sync_lock);
	(void)pthread_mutex_destroy(&w->write_lock);
	(void)pthread_mutex_destroy(&w->append_lock);
	(void)pthread_mutex_destroy(&w->cache_lock);
	(void)pthread_cond_destroy(&w->wake);
	free(w->folder);
	free(w);
}

static int open_folders(struct writer *w, struct error *err)
{
	bool full = true;

	if (history_header_read(w->folder, &w->header, err) < 0)
		return -EINVAL;
	w->folder_fd = open(w->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	w->segments_fd = w->folder_fd < 0 ? -1 : openat(w->folder_fd, "segments", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (w->segments_fd < 0) {
		(void)error_set_errno(err, errno, "%s/segments: cannot open", w->folder);
		return -EIO;
	}
	if (lock_take(w->folder, &w->lock_fd, err) < 0)
		return -EBUSY;
	if (w->header.has_base && base_image_open(w->folder, &w->base, err) < 0)
		return -EIO;
	if (reserve_keep(w->folder_fd, w->folder, &full, err) < 0)
		return -EIO;
	w->spent_reserve = !full;
	return 0;
}

static int take_segments(struct writer *w, struct recovered *r, struct error *err)
{
	if (writer_segment_vector_reserve(&w->unsealed, r->unsealed.count) < 0) {
		(void)error_set(err, "out of memory");
		return -ENOMEM;
	}
	for (size_t i = 0; i < r->unsealed.count; i++) {
		struct writer_segment *s = writer_segment_new(&r->unsealed.items[i], w->folder);

		r->unsealed.items[i].fd = -1;
		r->unsealed.items[i].rows = NULL;
		if (!s) {
			(void)error_set(err, "out of memory");
			return -ENOMEM;
		}
		s->dirty = true; // a killed writer leaves bytes that were never synced
		(void)writer_segment_vector_append(&w->unsealed, s);
	}
	w->first_seqs = r->first_seqs;
	w->segment_bytes = r->segment_bytes;
	memset(&r->first_seqs, 0, sizeof(r->first_seqs));
	memset(&r->segment_bytes, 0, sizeof(r->segment_bytes));
	w->stored_bytes = r->stored_bytes;
	w->last_seq = r->last_seq;
	if (r->last_seq > 0) {
		w->last_realtime_ns = r->last.realtime_ns;
		w->last_type = r->last.type;
	}
	return 0;
}

static int open_live(struct writer *w, struct error *err)
{
	if (live_open(w->folder, w->header.size_bytes, &w->live, err) < 0)
		return -EIO;
	for (size_t i = 0; i < w->unsealed.count; i++) {
		const struct segment *s = &w->unsealed.items[i]->s;

		for (uint64_t n = 0; n < s->record_count; n++) {
			const struct segment_row *row = &s->rows[n];

			if (row->type >= RECORD_WRITE && row->type <= RECORD_TRIM &&
			    live_note(w->live, s->number, s->first_seq + n, row->type, row->offset_bytes, row->length_bytes, err) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

// ---- the records that opening adds

static int append_gap(struct writer *w, const struct recovered *r, const struct writer_recovery *recovery, struct error *err)
{
	uint8_t content[16 + 512];
	int length;

	put_le64(content, r->last.realtime_ns);
	put_le64(content + 8, clock_now(&w->clock).realtime_ns);
	if (recovery->torn)
		length = snprintf((char *)content + 16, sizeof(content) - 16,
				  "the recording did not end cleanly; %llu bytes of an unfinished end are kept as %s",
				  (unsigned long long)recovery->torn_bytes, recovery->torn_file);
	else
		length = snprintf((char *)content + 16, sizeof(content) - 16,
				  "the recording did not end cleanly; what was written last and not flushed may be missing");
	return writer_append_note(w, RECORD_GAP, 0, content, 16 + (size_t)length, err);
}

static int append_open(struct writer *w, const char boot_id[CLOCK_BOOT_ID_BYTES], struct error *err)
{
	const char *program = w->options.program ? w->options.program : "provgraph";
	size_t length = strnlen(program, MAX_PROGRAM_BYTES);
	char content[CLOCK_BOOT_ID_BYTES + MAX_PROGRAM_BYTES];

	memcpy(content, boot_id, CLOCK_BOOT_ID_BYTES);
	memcpy(content + CLOCK_BOOT_ID_BYTES, program, length);
	return writer_append_note(w, RECORD_OPEN, 0, content, CLOCK_BOOT_ID_BYTES + length, err);
}

// In the same boot the two clocks go on; in another one boottime began anew, and only a realtime that went back is a step.
static void resume_clock(struct writer *w, const struct recovered *r, const char boot_id[CLOCK_BOOT_ID_BYTES])
{
	static const char unknown[CLOCK_BOOT_ID_BYTES];
	struct clock_pair now = clock_now(&w->clock);
	bool same_boot = memcmp(boot_id, unknown, sizeof(unknown)) != 0 && memcmp(boot_id, r->boot_id, sizeof(unknown)) == 0 &&
			 !(r->last.flags & RECORD_IMPORTED);

	if (r->last_seq == 0)
		return;
	w->clock.last = (struct clock_pair){r->last.realtime_ns, r->last.boottime_ns};
	if (!same_boot) // seen as if no boottime had passed, so that going back by more than the limit is a step
		w->clock.last.boottime_ns = now.boottime_ns;
	w->clock.known = same_boot || now.realtime_ns < r->last.realtime_ns;
}

static int begin_log(struct writer *w, const struct recovered *r, const struct writer_recovery *recovery, struct error *err)
{
	char boot_id[CLOCK_BOOT_ID_BYTES];
	int result = 0;

	if (w->unsealed.count == 0) {
		(void)pthread_mutex_lock(&w->append_lock);
		result = writer_next_segment(w, err);
		(void)pthread_mutex_unlock(&w->append_lock);
	}
	if (result < 0 || w->options.imported)
		return result;
	clock_boot_id(boot_id);
	resume_clock(w, r, boot_id);
	if (r->last_seq > 0 && (r->last.type != RECORD_CLOSE || recovery->torn) && !(r->last.flags & RECORD_IMPORTED))
		result = append_gap(w, r, recovery, err);
	if (result == 0)
		result = append_open(w, boot_id, err);
	return result == 0 ? writer_sync(w, w->last_seq, err) : result;
}

static int open_log(struct writer *w, struct writer_recovery *recovery, struct error *err)
{
	struct recovered r;
	int result = recover(w->folder, &w->header, &r, recovery, err);

	if (result < 0)
		return result;
	if (w->options.imported && r.last_seq > 0) {
		(void)error_set(err, "%s: holds records already; entries of another log go into an empty history only", w->folder);
		result = -EEXIST;
	}
	if (result == 0)
		result = take_segments(w, &r, err);
	if (result == 0)
		result = open_live(w, err);
	if (result == 0 && writer_start_stages(w, err) < 0)
		result = -ENOMEM;
	if (result == 0)
		result = writer_start_sealer(w, err);
	if (result == 0)
		result = begin_log(w, &r, recovery, err);
	recovered_release(&r);
	return result;
}

int writer_open(const char *folder, const struct writer_options *options, struct writer **ret, struct writer_recovery *ret_recovery,
		struct error *err)
{
	struct writer *w = writer_new(folder, options);
	struct writer_recovery recovery;
	int result;

	if (!w) {
		(void)error_set(err, "out of memory");
		return -ENOMEM;
	}
	result = open_folders(w, err);
	if (result == 0)
		result = open_log(w, &recovery, err);
	if (result < 0) {
		writer_free(w);
		return result;
	}
	*ret = w;
	if (ret_recovery)
		*ret_recovery = recovery;
	return 0;
}

int writer_close(struct writer *w, struct error *err)
{
	int result = writer_sync(w, UINT64_MAX, err);

	if (result == 0 && !w->options.imported) {
		result = writer_append_proof(w, RECORD_CLOSE, 0, err);
		if (result == 0)
			result = writer_sync(w, UINT64_MAX, err);
		if (result == 0)
			writer_give_back_room(w);
	}
	if (result == 0 && w->options.imported)
		writer_seal_import(w);
	writer_free(w);
	return result;
}

// ---- requests

uint64_t writer_size_bytes(const struct writer *w)
{
	return w->header.size_bytes;
}

static int check_request(const struct writer *w, uint64_t offset, uint64_t length, uint64_t most, struct error *err)
{
	if (length == 0 || length > most || length > w->header.size_bytes || offset > w->header.size_bytes - length) {
		(void)error_set(err, "%s: a request of %llu bytes at %llu is not within the disk", w->folder, (unsigned long long)length,
				(unsigned long long)offset);
		return -EINVAL;
	}
	return 0;
}

// The answer to a request with FUA, once its record is there.
static int finish_request(struct writer *w, uint64_t seq, bool fua, struct error *err)
{
	int result = fua ? writer_sync(w, seq, err) : 0;

	return result == 0 && fua ? writer_append_proof(w, RECORD_FLUSH, RECORD_FUA, err) : result;
}

static int append_write(struct writer *w, struct writer_entry *e, const void *bytes, uint64_t *ret_seq, struct error *err)
{
	struct buffer stored AUTO_RELEASE_BUFFER = {0};

	e->stored = bytes;
	if (w->options.inline_codec == RECORD_RAW) {
		e->stored_bytes = (uint32_t)codec_trim(bytes, (size_t)e->length);
	} else {
		e->codec = codec_encode(w->options.inline_codec, bytes, (size_t)e->length, &stored);
		if (buffer_check(&stored, err) < 0)
			return -ENOMEM;
		e->stored = stored.bytes;
		e->stored_bytes = (uint32_t)stored.length;
	}
	e->content_crc = crc32c_update(0, e->stored, e->stored_bytes);
	return writer_append(w, e, ret_seq, err);
}

int writer_write(struct writer *w, uint64_t offset, const void *bytes, size_t length, bool fua, struct error *err)
{
	struct writer_entry e = {.type = RECORD_WRITE, .flags = fua ? RECORD_FUA : 0, .offset = offset, .length = length};
	uint64_t seq = 0;
	int result = check_request(w, offset, length, RECORD_MAX_WRITE_BYTES, err);

	if (result == 0)
		result = append_write(w, &e, bytes, &seq, err);
	return result == 0 ? finish_request(w, seq, fua, err) : result;
}

static int append_range(struct writer *w, enum record_type type, uint16_t flags, uint64_t offset, uint64_t length, bool fua, struct error *err)
{
	struct writer_entry e = {.type = type, .flags = (uint16_t)(flags | (fua ? RECORD_FUA : 0)), .offset = offset, .length = length};
	uint64_t seq = 0;
	int result = check_request(w, offset, length, UINT32_MAX, err);

	if (result == 0)
		result = writer_append(w, &e, &seq, err);
	return result == 0 ? finish_request(w, seq, fua, err) : result;
}

int writer_zero(struct writer *w, uint64_t offset, uint64_t length, bool may_trim, bool fua, struct error *err)
{
	return append_range(w, RECORD_ZERO, may_trim ? RECORD_MAY_TRIM : 0, offset, length, fua, err);
}

int writer_trim(struct writer *w, uint64_t offset, uint64_t length, bool fua, struct error *err)
{
	return append_range(w, RECORD_TRIM, 0, offset, length, fua, err);
}

int writer_flush(struct writer *w, struct error *err)
{
	(void)pthread_mutex_lock(&w->append_lock);
	uint64_t target = w->last_seq;

	(void)pthread_mutex_unlock(&w->append_lock);
	int result = writer_sync(w, target, err);

	return result == 0 ? writer_append_proof(w, RECORD_FLUSH, 0, err) : result;
}

int writer_mark(struct writer *w, const char *text, struct error *err)
{
	size_t length = strlen(text);

	if (length > RECORD_MAX_NOTE_BYTES) {
		(void)error_set(err, "%s: a mark of %zu bytes is longer than %u", w->folder, length, RECORD_MAX_NOTE_BYTES);
		return -EINVAL;
	}
	return writer_append_note(w, RECORD_MARK, 0, text, length, err);
}
