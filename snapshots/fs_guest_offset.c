// SPDX-License-Identifier: MIT
#include "snapshots/fs_guest_offset.h"

#include "base/bytes.h"
#include "base/nanotime.h"
#include "snapshots/journal.h"

#define MAX_BLOCKS 65536u        /* our limit for a ring: as many as mke2fs makes at most, 256 MiB of 4 KiB blocks; about 0.1 s */
#define HEADER_BYTES 60u         /* struct commit_header, include/linux/jbd2.h: up to h_commit_nsec */
#define JBD2_MAGIC 0xC03B3998u
#define JBD2_COMMIT_BLOCK 2u
#define BESIDE_NS (60 * NANOTIME_SECOND) /* commits about as near as the nearest: the least of their offsets has the least delay in it */
#define MAX_TIME_NS (UINT64_C(1) << 62)  /* a later one is none, and differences fit */

struct sample { uint64_t guest_ns, host_ns; };
VECTOR_DEFINE(sample_vector, struct sample)

static int read_volume(void *context, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	return volume_read(context, offset, bytes, length, err);
}

// A commit block there, and the record that brought it.
static int look_at_block(struct fs_job *job, struct fs_moment *m, uint64_t offset, struct sample_vector *samples, struct error *err)
{
	uint8_t header[HEADER_BYTES];
	struct disk_piece piece;
	struct sample s;

	if (volume_read(m->volume, offset, header, sizeof(header), err) < 0)
		return -1;
	if (get_be32(header) != JBD2_MAGIC || get_be32(header + 4) != JBD2_COMMIT_BLOCK || get_be64(header + 48) == 0 ||
	    get_be64(header + 48) >= MAX_TIME_NS / NANOTIME_SECOND || get_be32(header + 56) >= NANOTIME_SECOND)
		return 0;
	if (volume_resolve(m->volume, offset, 1, &piece, err) < 0)
		return -1;
	if (piece.seq == 0 || history_time_of(job->history, piece.seq, &s.host_ns, err) < 0)
		return piece.seq == 0 ? 0 : -1;
	s.guest_ns = get_be64(header + 48) * NANOTIME_SECOND + get_be32(header + 56);
	if (s.host_ns >= MAX_TIME_NS)
		return 0;
	return sample_vector_append(samples, s) < 0 ? error_set(err, "out of memory") : 0;
}

static int collect(struct fs_job *job, struct fs_moment *m, struct sample_vector *samples, struct error *err)
{
	struct journal_geometry g = {0};
	struct error ignored;
	bool present = false;
	int result = 0;

	// Another journal than one that can be read: then nothing is known.
	if (journal_locate(read_volume, m->volume, &g, &present, &ignored) < 0 || !present)
		return 0;
	for (uint64_t i = g.first; i < g.last && i < MAX_BLOCKS && result == 0; i++) {
		uint64_t block;

		if (journal_to_fs(&g, i, &block))
			result = look_at_block(job, m, block * g.block_bytes, samples, err);
	}
	journal_extents_release(&g.extents);
	return result;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a < b ? b - a : a - b;
}

int fs_guest_offset(struct fs_job *job, struct fs_moment *m, uint64_t guest_ns, int64_t *ret_offset_ns, bool *ret_known, struct error *err)
{
	struct sample_vector samples = {0};
	uint64_t nearest = UINT64_MAX;
	int result = collect(job, m, &samples, err);

	*ret_known = false;
	for (size_t i = 0; i < samples.count; i++) {
		uint64_t here = distance(samples.items[i].guest_ns, guest_ns);

		nearest = here < nearest ? here : nearest;
	}
	for (size_t i = 0; i < samples.count; i++) {
		const struct sample *s = &samples.items[i];
		int64_t offset_ns = (int64_t)s->host_ns - (int64_t)s->guest_ns;

		if (distance(s->guest_ns, guest_ns) - nearest > BESIDE_NS || (*ret_known && offset_ns >= *ret_offset_ns))
			continue;
		*ret_offset_ns = offset_ns;
		*ret_known = true;
	}
	sample_vector_release(&samples);
	return result;
}
