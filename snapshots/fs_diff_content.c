// SPDX-License-Identifier: MIT
#include "snapshots/fs_diff.h"

#include "snapshots/fs_map.h"

#include <string.h>

#define COMPARE_BYTES ((size_t)64 << 10)

static int take_run(void *context, const struct fs_run *run, struct error *err)
{
	return fs_runs_append(context, *run) < 0 ? error_set(err, "out of memory") : 0;
}

struct side { struct fs_moment *moment; uint64_t inode; struct fs_map map; uint8_t *bytes; };

static int begin_side(struct side *s, struct error *err)
{
	s->bytes = malloc(COMPARE_BYTES);
	return s->bytes ? fs_ext_runs(s->moment->fs, s->inode, take_run, &s->map.runs, err) : error_set(err, "out of memory");
}

static void end_side(struct side *s)
{
	fs_runs_release(&s->map.runs);
	free(s->bytes);
}

// Whether both hold bytes of one and the same record at *length bytes from offset on; *length is cut to what was looked at.
static int same_record(struct side *a, struct side *b, uint64_t offset, uint64_t *length, bool *ret, struct error *err)
{
	bool hole_a, hole_b;
	struct fs_run x = fs_map_at(&a->map, offset, *length, &hole_a), y = fs_map_at(&b->map, offset, x.length, &hole_b);
	bool zero_x = hole_a || x.unwritten, zero_y = hole_b || y.unwritten;
	struct disk_piece p, q;

	*length = y.length;
	*ret = zero_x && zero_y;
	if (zero_x || zero_y || x.volume_offset != y.volume_offset)
		return 0;
	if (volume_resolve(a->moment->volume, x.volume_offset, *length, &p, err) < 0 ||
	    volume_resolve(b->moment->volume, y.volume_offset, p.length, &q, err) < 0)
		return -1;
	*length = q.length;
	*ret = p.seq == q.seq || (p.zero && q.zero);
	return 0;
}

static int same_bytes(struct side *a, struct side *b, uint64_t offset, size_t length, bool *ret, struct error *err)
{
	size_t got_a = 0, got_b = 0;

	if (fs_ext_read(a->moment->fs, a->inode, offset, a->bytes, length, &got_a, err) < 0 ||
	    fs_ext_read(b->moment->fs, b->inode, offset, b->bytes, length, &got_b, err) < 0)
		return -1;
	*ret = got_a == got_b && memcmp(a->bytes, b->bytes, got_a) == 0;
	return 0;
}

int fs_content_equal(struct fs_moment *a, uint64_t inode_a, struct fs_moment *b, uint64_t inode_b, uint64_t size, bool *ret, struct error *err)
{
	struct side x = {.moment = a, .inode = inode_a}, y = {.moment = b, .inode = inode_b};
	bool equal = true;
	int result = begin_side(&x, err) < 0 || begin_side(&y, err) < 0 ? -1 : 0;
	// Content in the inode has no runs: it is read.
	bool in_blocks = x.map.runs.count > 0 && y.map.runs.count > 0;

	for (uint64_t at = 0; result == 0 && equal && at < size;) {
		uint64_t length = size - at;
		bool same = false;

		if (in_blocks)
			result = same_record(&x, &y, at, &length, &same, err);
		if (result == 0 && !same) {
			length = length < COMPARE_BYTES ? length : COMPARE_BYTES;
			result = same_bytes(&x, &y, at, (size_t)length, &equal, err);
		}
		at += length;
	}
	end_side(&x);
	end_side(&y);
	if (result == 0)
		*ret = equal;
	return result;
}
