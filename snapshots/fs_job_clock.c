// SPDX-License-Identifier: MIT
// Samples of the guest's clock: commit blocks of the journal; where there are none, stamps of an audit log in what was written.
#include "snapshots/fs_job.h"

#include "base/bytes.h"
#include "base/memory.h"
#include "base/nanotime.h"
#include "snapshots/ext_layout.h"
#include "snapshots/fs_clock.h"

#include <stdlib.h>
#include <string.h>

#define MOMENTS 5u                  /* of the span at which a journal is looked for: a disk may be formatted anew, or wiped, within it */
#define MAX_SAMPLES ((size_t)1 << 20)
#define SAMPLES_A_FRAME 1024u
#define CODED_COMMIT_BYTES 256u     /* of a compressed one: more than a header that does not shrink, and the table of its one chunk */
#define SCAN_BYTES (UINT64_C(256) << 20) /* of contents looked at for stamps of an audit log, evenly over the span */
#define SCAN_SLOTS 256u
#define AT_ONCE_NS NANOTIME_SECOND
#define STAMPS_AT_ONCE_NS (60 * NANOTIME_SECOND) /* as far apart as stamps may be that are written at once: delayed writing waits 30 s, and 5 s more */
#define SCAN_REQUEST_BYTES (1u << 20)    /* of one write */
#define MAX_MOUNTS ((size_t)1 << 16)
#define MOUNT_BYTES (EXT_S_MAGIC + 2u - EXT_S_MOUNT_TIME) /* what every mount for writing sets, up to the magic */

struct clock_walk {
	struct fs_job *job;
	struct partition partition;
	struct fs_clock_ring rings[MOMENTS];
	size_t ring_count;
	struct epoch_vector epochs;
	uint32_t epoch;                  // index of the one that the walk is in
	struct guest_clock_samples samples;
	uint8_t mount[MOUNT_BYTES];      // of the superblock as it was last, from EXT_S_MOUNT_TIME on
	struct u64_vector mounts;        // host time
	// Stamps.
	uint64_t slot_records, slot_left, slot_end; // seq where the next slot begins
	uint64_t last_serial, last_stamp_ns;
	size_t burst;                    // samples from here on came at once
	uint64_t timeless_ns;            // when they were so far apart that this is not when they were written; 0: not met
	uint8_t *content;
};

// ---- where journals lie

struct place { struct disk_at *disk; const struct partition *partition; };

static int read_disk(void *context, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	const struct place *p = context;

	if (offset > p->partition->length_bytes || length > p->partition->length_bytes - offset)
		return error_set(err, "the journal points outside the file system");
	return disk_at_read(p->disk, p->partition->start_bytes + offset, bytes, length, err);
}

static int add_ring(struct clock_walk *w, const struct journal_geometry *g, struct error *err)
{
	struct fs_clock_ring *ring = &w->rings[w->ring_count];

	if (fs_clock_ring_init(ring, g, w->partition.start_bytes, err) < 0)
		return -1;
	for (size_t i = 0; i < w->ring_count; i++) {
		if (fs_clock_ring_same(ring, &w->rings[i])) {
			fs_clock_ring_release(ring);
			return 0;
		}
	}
	w->ring_count++;
	return 0;
}

// 1: nothing there that could be read; err says why.
static int look_at_moment(struct clock_walk *w, uint64_t seq, struct error *err)
{
	struct partition_vector all = {0};
	struct disk_at *disk = NULL;
	struct partition chosen;
	struct journal_geometry g = {0};
	struct error ignored;
	bool present = false;
	int result = 1;

	if (disk_at_open(w->job->history, seq, &disk, err) < 0)
		return -1;
	if (fs_job_find_partitions(disk, &all, err) == 0 && partition_choose(&all, w->job->question->partition, &chosen, err) == 0) {
		struct place place = {disk, &chosen};

		w->partition = chosen;
		result = 0;
		// Another file system, or one without a journal: stamps may still be there.
		if (journal_locate(read_disk, &place, &g, &present, &ignored) == 0 && present)
			result = add_ring(w, &g, err);
		journal_extents_release(&g.extents);
	}
	partition_vector_release(&all);
	disk_at_free(disk);
	return result;
}

static int find_journals(struct clock_walk *w, struct error *err)
{
	const struct fsread_question *q = w->job->question;
	uint64_t span = q->to_seq - q->from_seq;
	struct error reason;
	bool found = false;

	for (unsigned i = 0; i < MOMENTS; i++) { // from the newest: its reason is the one that is told
		int result = look_at_moment(w, q->to_seq - span / (MOMENTS - 1) * i, i == 0 ? err : &reason);

		if (result < 0)
			return i == 0 ? -1 : error_set(err, "%s", reason.message);
		found |= result == 0;
	}
	if (found)
		return 0;
	w->job->failure = FSREAD_PARTITION_UNCLEAR;
	return -1;
}

// ---- walking

static void enter_epoch(struct clock_walk *w, uint64_t seq)
{
	while (w->epoch + 1 < w->epochs.count && seq >= w->epochs.items[w->epoch + 1].first_seq)
		w->epoch++;
}

// A commit block is zeros behind its header, and those are not stored: most of a journal's blocks need not be read at all.
static bool is_short(const struct segment_row *row, const struct fs_clock_ring *ring)
{
	return row->length_bytes > ring->block_bytes || row->stored_bytes <= (row->codec == RECORD_RAW ? FS_CLOCK_HEADER_BYTES : CODED_COMMIT_BYTES);
}

static int note_ring(struct clock_walk *w, struct fs_clock_ring *ring, uint64_t seq, const struct segment_row *row, struct error *err)
{
	uint8_t header[FS_CLOCK_HEADER_BYTES];
	uint64_t within;
	bool there = row->type == RECORD_WRITE && is_short(row, ring) && fs_clock_ring_commit_at(ring, row->offset_bytes, row->length_bytes, &within);

	if (there && history_content(w->job->history, seq, within, header, sizeof(header), err) < 0)
		return -1;
	return fs_clock_ring_note(ring, there ? header : NULL, row->length_bytes == ring->block_bytes, row->realtime_ns, w->epoch, &w->samples, err);
}

// ---- mounts: the guest was started anew, or the file system at least

static bool is_super(const uint8_t *mount)
{
	return get_le16(mount + EXT_S_MAGIC - EXT_S_MOUNT_TIME) == EXT_MAGIC;
}

// Between the two lies s_wtime, which every write of the superblock sets.
static bool same_mount(const uint8_t *a, const uint8_t *b)
{
	const size_t count = EXT_S_MOUNT_COUNT - EXT_S_MOUNT_TIME;

	return get_le32(a) == get_le32(b) && get_le16(a + count) == get_le16(b + count);
}

// As it was before the span.
static int begin_mounts(struct clock_walk *w, struct error *err)
{
	const uint64_t at = w->partition.start_bytes + EXT_SUPER_OFFSET + EXT_S_MOUNT_TIME;
	struct disk_at *disk = NULL;

	if (w->partition.length_bytes < EXT_SUPER_OFFSET + EXT_SUPER_BYTES)
		return 0;
	if (disk_at_open(w->job->history, w->job->question->from_seq, &disk, err) < 0)
		return -1;
	int result = disk_at_read(disk, at, w->mount, sizeof(w->mount), err);

	disk_at_free(disk);
	return result;
}

static int note_mount(struct clock_walk *w, uint64_t seq, const struct segment_row *row, struct error *err)
{
	const uint64_t at = w->partition.start_bytes + EXT_SUPER_OFFSET + EXT_S_MOUNT_TIME;
	uint8_t now[MOUNT_BYTES];

	if (row->type != RECORD_WRITE || row->offset_bytes > at || row->length_bytes < sizeof(now) || row->offset_bytes + row->length_bytes - sizeof(now) < at)
		return 0;
	if (history_content(w->job->history, seq, at - row->offset_bytes, now, sizeof(now), err) < 0)
		return -1;
	bool mounted = is_super(now) && is_super(w->mount) && !same_mount(now, w->mount);

	memcpy(w->mount, now, sizeof(now));
	if (!mounted || w->mounts.count >= MAX_MOUNTS)
		return 0;
	return u64_vector_append(&w->mounts, row->realtime_ns) < 0 ? error_set(err, "out of memory") : 0;
}

static int visit_journal(void *context, uint64_t seq, const struct segment_row *row, struct error *err)
{
	struct clock_walk *w = context;

	enter_epoch(w, seq);
	if (row->type > RECORD_TRIM)
		return 0;
	if (note_mount(w, seq, row, err) < 0)
		return -1;
	for (size_t i = 0; i < w->ring_count; i++) {
		if (fs_clock_ring_touched(&w->rings[i], row->offset_bytes, row->length_bytes) && note_ring(w, &w->rings[i], seq, row, err) < 0)
			return -1;
	}
	return w->samples.count >= MAX_SAMPLES;
}

// Stamps of more than a minute that came at once: the copy of a log, or a history that was imported without times.
static void judge_time(struct clock_walk *w)
{
	const struct guest_clock_sample *all = w->samples.items, *last = &all[w->samples.count - 1];

	while (all[w->burst].epoch != last->epoch || last->host_ns - all[w->burst].host_ns > AT_ONCE_NS)
		w->burst++;
	const struct guest_clock_sample *first = &all[w->burst];
	uint64_t apart = last->guest_ns > first->guest_ns ? last->guest_ns - first->guest_ns : first->guest_ns - last->guest_ns;

	if (apart > STAMPS_AT_ONCE_NS) {
		w->timeless_ns = last->host_ns;
		w->samples.count = w->burst;
	}
}

static int note_stamp(struct clock_walk *w, size_t length, const struct segment_row *row, struct error *err)
{
	struct guest_clock_sample sample = {.host_ns = row->realtime_ns, .epoch = w->epoch};
	uint64_t serial;

	// Only what is newer than all before it: a copy of a log tells nothing. A kernel that was started anew counts its serials from 1.
	if (!fs_clock_stamp(w->content, length, &sample.guest_ns, &serial) || (serial <= w->last_serial && sample.guest_ns <= w->last_stamp_ns))
		return 0;
	if (!guest_clock_sample_holds(&sample) || (w->timeless_ns != 0 && sample.host_ns - w->timeless_ns <= AT_ONCE_NS))
		return 0;
	w->last_serial = serial;
	w->last_stamp_ns = sample.guest_ns;
	if (guest_clock_samples_append(&w->samples, sample) < 0)
		return error_set(err, "out of memory");
	judge_time(w);
	return 0;
}

static int visit_content(void *context, uint64_t seq, const struct segment_row *row, struct error *err)
{
	struct clock_walk *w = context;
	const struct partition *p = &w->partition;
	size_t length = row->length_bytes < SCAN_REQUEST_BYTES ? row->length_bytes : SCAN_REQUEST_BYTES;

	enter_epoch(w, seq);
	if (row->type != RECORD_WRITE || row->offset_bytes < p->start_bytes || row->offset_bytes - p->start_bytes >= p->length_bytes)
		return 0;
	if (seq >= w->slot_end) {
		w->slot_end = seq + w->slot_records;
		w->slot_left = SCAN_BYTES / SCAN_SLOTS;
	}
	if (length > w->slot_left)
		return 0;
	w->slot_left -= length;
	if (history_content(w->job->history, seq, 0, w->content, length, err) < 0 || note_stamp(w, length, row, err) < 0)
		return -1;
	return w->samples.count >= MAX_SAMPLES;
}

static int walk_stamps(struct clock_walk *w, struct error *err)
{
	const struct fsread_question *q = w->job->question;

	w->epoch = 0;
	w->slot_records = (q->to_seq - q->from_seq) / SCAN_SLOTS + 1;
	w->content = malloc(SCAN_REQUEST_BYTES);
	if (!w->content)
		return error_set(err, "out of memory");
	return history_walk(w->job->history, q->from_seq, q->to_seq, visit_content, w, err) < 0 ? -1 : 0;
}

// ---- telling

static int send_frame(struct clock_walk *w, enum timeline_clock_source source, size_t first, size_t end, struct buffer *payload, struct error *err)
{
	buffer_clear(payload);
	wire_put_u64(payload, source);
	for (size_t i = first; i < end; i++) {
		const struct guest_clock_sample *s = &w->samples.items[i];

		wire_put_u64(payload, s->host_ns);
		wire_put_u64(payload, s->not_before_ns);
		wire_put_u64(payload, s->guest_ns);
		wire_put_u64(payload, s->epoch);
	}
	return fs_job_send(w->job, FSREAD_FRAME_SAMPLE, payload, err);
}

static int send_samples(struct clock_walk *w, enum timeline_clock_source source, struct error *err)
{
	struct buffer payload AUTO_RELEASE_BUFFER = {0};

	wire_put_u64(&payload, 0);
	for (size_t i = 0; i < w->epochs.count; i++)
		wire_put_u64(&payload, w->epochs.items[i].first_ns);
	if (fs_job_send(w->job, FSREAD_FRAME_SAMPLE, &payload, err) < 0)
		return -1;
	buffer_clear(&payload);
	wire_put_u64(&payload, FSREAD_MOUNTS);
	for (size_t i = 0; i < w->mounts.count; i++)
		wire_put_u64(&payload, w->mounts.items[i]);
	if (fs_job_send(w->job, FSREAD_FRAME_SAMPLE, &payload, err) < 0)
		return -1;
	for (size_t first = 0; first < w->samples.count; first += SAMPLES_A_FRAME) {
		size_t end = w->samples.count - first < SAMPLES_A_FRAME ? w->samples.count : first + SAMPLES_A_FRAME;

		if (send_frame(w, source, first, end, &payload, err) < 0)
			return -1;
	}
	return 0;
}

static int collect(struct clock_walk *w, enum timeline_clock_source *ret_source, struct error *err)
{
	const struct fsread_question *q = w->job->question;

	if (find_journals(w, err) < 0 || begin_mounts(w, err) < 0 || history_epochs(w->job->history, &w->epochs, err) < 0 ||
	    history_walk(w->job->history, q->from_seq, q->to_seq, visit_journal, w, err) < 0)
		return -1;
	for (size_t i = 0; i < w->ring_count; i++)
		if (fs_clock_ring_end(&w->rings[i], &w->samples, err) < 0)
			return -1;
	*ret_source = TIMELINE_CLOCK_JOURNAL;
	if (w->samples.count > 0)
		return 0;
	for (size_t i = 0; i < w->ring_count; i++) {
		if (w->rings[i].dropped > 0)
			return fs_job_warn(w->job, "the times in the journal's commits do not go on as the host's clock does: they were copied, or forged, "
					   "and tell nothing of the guest's clock", err);
	}
	*ret_source = TIMELINE_CLOCK_AUDIT;
	return walk_stamps(w, err);
}

int fs_job_clock(struct fs_job *job, struct error *err)
{
	struct clock_walk w = {.job = job};
	enum timeline_clock_source source = TIMELINE_CLOCK_JOURNAL;
	int result = job->question->from_seq <= job->question->to_seq ? collect(&w, &source, err) : error_set(err, "the span ends before it begins");

	if (result == 0 && w.samples.count >= MAX_SAMPLES)
		result = fs_job_warn(job, "the guest's clock was looked at up to a million times; the rest of the span goes without", err);
	if (result == 0)
		result = send_samples(&w, source, err);
	for (size_t i = 0; i < w.ring_count; i++)
		fs_clock_ring_release(&w.rings[i]);
	epoch_vector_release(&w.epochs);
	guest_clock_samples_release(&w.samples);
	u64_vector_release(&w.mounts);
	free(w.content);
	return result;
}
