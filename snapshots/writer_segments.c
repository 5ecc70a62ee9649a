// SPDX-License-Identifier: MIT
// The files of a history that a writer has open, and the room in them.
#include "snapshots/writer_work.h"

#include "snapshots/reserve.h"
#include "snapshots/segment_format.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_BYTES UINT64_C(4096) // file systems give room in blocks of this size or smaller
#define FIRST_ROOM_BYTES (2 * BLOCK_BYTES)

void writer_warn(const struct writer *w, const char *message)
{
	if (w->options.warn)
		w->options.warn(w->options.warn_context, message);
}

// Takes over what s holds, also on failure.
struct writer_segment *writer_segment_new(struct segment *s, const char *folder)
{
	struct writer_segment *made = calloc(1, sizeof(*made));

	if (made && asprintf(&made->name, "%s/segments/%08" PRIu64 ".segment", folder, s->number) < 0)
		made->name = NULL;
	if (!made || !made->name) {
		free(made);
		segment_release(s);
		return NULL;
	}
	made->s = *s;
	made->written_end = made->room_end = s->records_end;
	atomic_init(&made->references, 1);
	return made;
}

void writer_segment_put(struct writer_segment *s)
{
	if (!s || atomic_fetch_sub(&s->references, 1) > 1)
		return;
	segment_release(&s->s);
	for (size_t i = 0; i < ROW_PAGES; i++)
		free(s->row_pages[i]);
	free(s->name);
	free(s);
}

struct writer_segment *writer_open_segment(struct writer *w)
{
	return w->unsealed.items[w->unsealed.count - 1];
}

void writer_release_segments(struct writer *w)
{
	for (size_t i = 0; i < w->unsealed.count; i++)
		writer_segment_put(w->unsealed.items[i]);
	writer_segment_vector_release(&w->unsealed);
	u64_vector_release(&w->first_seqs);
	u64_vector_release(&w->segment_bytes);
	for (size_t i = 0; i < CACHED_SEGMENTS; i++)
		writer_segment_put(w->cache[i]);
}

// ---- room

static bool is_full_disk(int reason)
{
	return reason == ENOSPC || reason == EDQUOT || reason == EFBIG;
}

static int refuse_full(struct writer *w, const char *why, int reason, struct error *err)
{
	struct error told;

	(void)error_set_errno(&told, reason, "%s: %s", w->folder, why);
	if (!w->told_full)
		writer_warn(w, told.message);
	w->told_full = true;
	if (err)
		*err = told;
	return -ENOSPC;
}

// Asks for blocks from room_end to `end`. 0 or errno.
static int keep_blocks(struct writer *w, struct writer_segment *to, uint64_t end)
{
	// KEEP_SIZE: the file ends where the records end, so that whoever reads it needs no other knowledge.
	int reason = reserve_blocks(to->s.fd, to->room_end, end);

	if (reason == 0)
		to->room_end = end;
	if (reason != EOPNOTSUPP)
		return reason;
	// Nothing can be promised here before it is written.
	w->room_unknown = true;
	to->room_end = UINT64_MAX;
	return 0;
}

int writer_make_room(struct writer *w, uint64_t bytes, uint64_t margin, struct error *err)
{
	struct writer_segment *to = writer_open_segment(w);
	uint64_t needed = to->s.records_end + bytes + margin;

	if (margin == MARGIN_BYTES && w->options.max_size_bytes != 0 &&
	    w->stored_bytes + w->index_bytes + bytes + SEGMENT_ROW_BYTES + margin > w->options.max_size_bytes)
		return refuse_full(w, "has reached its largest size", ENOSPC, err);
	if (needed <= to->room_end) {
		w->told_full = false;
		return 0;
	}
	uint64_t ahead = to->room_end + ROOM_STEP_BYTES;
	// The table and the footer come behind the records.
	uint64_t end = needed + BLOCK_BYTES - needed % BLOCK_BYTES;
	int reason = keep_blocks(w, to, ahead > end ? ahead : end);

	if (is_full_disk(reason))
		reason = keep_blocks(w, to, end);
	if (is_full_disk(reason) && margin != MARGIN_BYTES && !w->spent_reserve) {
		w->spent_reserve = true;
		reserve_spend(w->folder_fd);
		reason = keep_blocks(w, to, end);
	}
	if (is_full_disk(reason) && margin != MARGIN_BYTES) // what is left of the last block may do
		reason = needed > to->room_end ? keep_blocks(w, to, needed) : 0;
	if (is_full_disk(reason))
		return refuse_full(w, "there is no room for the next request", reason, err);
	if (reason != 0) {
		struct error why;

		(void)error_set_errno(&why, reason, "%s: cannot keep room", to->name);
		(void)writer_fail(w, &why);
		return writer_failed(w, err);
	}
	w->told_full = false;
	return 0;
}

void writer_give_back_room(struct writer *w)
{
	(void)pthread_mutex_lock(&w->append_lock); // the sealer may just take older ones off the list
	const struct writer_segment *last = writer_open_segment(w);

	// Where this fails, the next recording uses the room.
	if (!w->room_unknown && last->room_end > last->s.records_end)
		(void)!ftruncate(last->s.fd, (off_t)last->s.records_end);
	(void)pthread_mutex_unlock(&w->append_lock);
}

// ---- the next segment

// The header is in the file before the file has its name: no reader sees half of one. And so is room for a FLUSH and a CLOSE: the segment
// before it may have been the last to have any.
static int make_file(struct writer *w, uint64_t number, int *ret_fd, struct error *err)
{
	uint8_t header[SEGMENT_HEADER_BYTES];
	struct stat status;
	char name[64];
	int fd = openat(w->segments_fd, "next", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	int reason = fd < 0 ? errno : 0;

	segment_format_header(number, w->last_seq + 1, w->header.uuid, header);
	(void)snprintf(name, sizeof(name), "%08" PRIu64 ".segment", number);
	ssize_t put = reason != 0 ? 0 : pwrite(fd, header, sizeof(header), 0);

	if (reason == 0 && put != (ssize_t)sizeof(header))
		reason = put < 0 ? errno : ENOSPC;
	// Nobody else makes segments; should one be there all the same, it is evidence.
	if (reason == 0 && fstatat(w->segments_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
		reason = EEXIST;
	if (reason == 0 && (reason = reserve_blocks(fd, 0, FIRST_ROOM_BYTES)) != 0) {
		w->room_unknown = reason == EOPNOTSUPP;
		reason = w->room_unknown ? 0 : reason;
	}
	if (reason == 0 && renameat(w->segments_fd, "next", w->segments_fd, name) < 0)
		reason = errno;
	if (reason != 0) {
		if (fd >= 0)
			(void)close(fd);
		(void)unlinkat(w->segments_fd, "next", 0);
		if (is_full_disk(reason))
			return refuse_full(w, "there is no room for the next segment", reason, err);
		(void)error_set_errno(err, reason, "%s/segments/%s: cannot make it", w->folder, name);
		return -EIO;
	}
	*ret_fd = fd;
	return 0;
}

int writer_next_segment(struct writer *w, struct error *err)
{
	struct segment s = {.number = w->first_seqs.count + 1, .first_seq = w->last_seq + 1};

	if (writer_segment_vector_reserve(&w->unsealed, 1) < 0 || u64_vector_reserve(&w->first_seqs, 1) < 0 ||
	    u64_vector_reserve(&w->segment_bytes, 1) < 0) {
		(void)error_set(err, "out of memory");
		return -ENOMEM;
	}
	int result = make_file(w, s.number, &s.fd, err);

	if (result < 0)
		return result;
	memcpy(s.uuid, w->header.uuid, sizeof(s.uuid));
	segment_start(&s);
	struct writer_segment *made = writer_segment_new(&s, w->folder);

	if (!made) { // the file has its name already: it would stand in the way of the next try
		struct error why;

		(void)error_set(&why, "%s: out of memory while a segment was made", w->folder);
		(void)writer_fail(w, &why);
		return writer_failed(w, err);
	}
	made->dirty = true;
	made->room_end = FIRST_ROOM_BYTES;
	w->folder_dirty = true;
	w->stored_bytes += SEGMENT_HEADER_BYTES + SEGMENT_FOOTER_BYTES;
	(void)writer_segment_vector_append(&w->unsealed, made);
	(void)u64_vector_append(&w->first_seqs, s.first_seq);
	(void)u64_vector_append(&w->segment_bytes, 0);
	writer_seal_later(w, w->unsealed.count - 1);
	return 0;
}
