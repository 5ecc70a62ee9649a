// SPDX-License-Identifier: MIT
// begin: bisect on the largest stamp of a block, so that a block is left out only if nothing in it, nor (stamps rise) before it, is
//        young enough. A stray stamp from the future makes the part begin too early, never too late.
// end:   bisect on the median, so that neither a stray future stamp nor a call that had blocked for hours moves it.
#include "ingest/time_index.h"

#include "base/memory.h"
#include "base/nanotime.h"
#include "ingest/stamp.h"

#define BLOCK ((uint64_t)TIME_INDEX_BLOCK_BYTES)
#define SMALL_BYTES (8 * BLOCK)          /* not worth looking: read it all */
#define SAMPLES 64
#define SAMPLE_BYTES ((size_t)8192)
#define BLOCKS_PER_SAMPLE 16             /* fewer samples in small logs */
#define JUNK_BLOCKS 64                   /* 4 MiB without a stamp: stop looking for one */
#define STEP_BACK_NS (30 * NANOTIME_SECOND) /* neighbouring samples this much out of order: the clock was set back. Ordinary disorder
					       is below 5 s (facts measured on a full backlog: 4.5 s) */

struct index {
	struct log_file *f;
	char *bytes;          // one block
	uint64_t block_count;
};

static int read_block(struct index *x, uint64_t block, size_t length, struct stamp_block *ret, struct error *err)
{
	size_t got = 0;

	if (log_file_read(x->f, block * BLOCK, x->bytes, length, &got, err) < 0)
		return -1;
	stamp_block_read(x->bytes, got, block == 0, ret);
	return 0;
}

// The first block from `block` on, but before `limit`, that holds a stamp. Else ret->count is 0, and *ret_block is `limit`, or where
// the search through junk was given up.
static int next_stamped(struct index *x, uint64_t block, uint64_t limit, uint64_t *ret_block, struct stamp_block *ret, struct error *err)
{
	uint64_t last = limit - block > JUNK_BLOCKS ? block + JUNK_BLOCKS : limit;

	ret->count = 0;
	for (; block < last && ret->count == 0; block++) {
		if (read_block(x, block, (size_t)BLOCK, ret, err) < 0)
			return -1;
	}
	*ret_block = ret->count > 0 ? block - 1 : block;
	return 0;
}

// The first block whose largest stamp (or, with `by_median`, median) is >= ns; block_count when there is none.
static int bisect(struct index *x, uint64_t ns, bool by_median, uint64_t *ret_block, struct error *err)
{
	uint64_t low = 0, high = x->block_count;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2, at;
		struct stamp_block block;

		if (next_stamped(x, middle, high, &at, &block, err) < 0)
			return -1;
		// Junk counts as young when the begin is sought and as old when the end is: both to the safe side.
		bool young = block.count > 0 ? (by_median ? block.median_ns : block.max_ns) >= ns : !by_median || at == high;

		if (young)
			high = middle;
		else
			low = block.count > 0 ? at + 1 : at;
	}
	*ret_block = low;
	return 0;
}

struct samples {
	uint64_t block[SAMPLES + 1]; // the last one is the log's end
	uint64_t ns[SAMPLES];        // medians
	size_t count;
	bool in_order;
};

static int take_samples(struct index *x, struct samples *ret, struct error *err)
{
	uint64_t wanted = x->block_count / BLOCKS_PER_SAMPLE;

	ret->count = 0;
	ret->in_order = true;
	if (wanted > SAMPLES)
		wanted = SAMPLES;
	for (uint64_t i = 0; i < wanted; i++) {
		struct stamp_block block;

		ret->block[ret->count] = i * x->block_count / wanted;
		if (read_block(x, ret->block[ret->count], SAMPLE_BYTES, &block, err) < 0)
			return -1;
		if (block.count == 0)
			continue;
		ret->ns[ret->count] = block.median_ns;
		if (ret->count > 0 && block.median_ns + STEP_BACK_NS < ret->ns[ret->count - 1])
			ret->in_order = false;
		ret->count++;
	}
	ret->block[ret->count] = x->block_count;
	return 0;
}

// The stretch between two samples may hold a stamp of the interval. The stretch that holds a step back rises from the first sample to an
// unknown height, and to the second one from an unknown depth. So does the last stretch, whose end nobody sampled.
static bool stretch_touches(const struct samples *s, size_t i, uint64_t from_ns, uint64_t to_ns)
{
	if (i + 1 == s->count)
		return s->ns[i] <= to_ns;
	if (s->ns[i + 1] + STEP_BACK_NS < s->ns[i])
		return s->ns[i] <= to_ns || s->ns[i + 1] >= from_ns;
	return s->ns[i] <= to_ns + STEP_BACK_NS && s->ns[i + 1] + STEP_BACK_NS >= from_ns;
}

// Stamps are out of order: take everything from the first stretch that may matter to the last one.
static void range_of_stretches(const struct samples *s, uint64_t from_ns, uint64_t to_ns, uint64_t *ret_first, uint64_t *ret_end)
{
	*ret_first = *ret_end = 0;
	for (size_t i = 0; i < s->count; i++) {
		if (!stretch_touches(s, i, from_ns, to_ns))
			continue;
		if (*ret_end == 0)
			*ret_first = i == 0 ? 0 : s->block[i];
		*ret_end = s->block[i + 1];
	}
}

static int find_blocks(struct index *x, uint64_t from_ns, uint64_t to_ns, uint64_t *ret_first, uint64_t *ret_end, struct error *err)
{
	struct samples samples;

	if (take_samples(x, &samples, err) < 0)
		return -1;
	if (!samples.in_order) {
		range_of_stretches(&samples, from_ns, to_ns, ret_first, ret_end);
		return 0;
	}
	if (bisect(x, from_ns, false, ret_first, err) < 0)
		return -1;
	if (to_ns == UINT64_MAX)
		*ret_end = x->block_count;
	else if (bisect(x, to_ns + 1, true, ret_end, err) < 0)
		return -1;
	return 0;
}

int time_index_line(struct log_file *f, uint64_t offset, uint64_t *ret_offset, struct error *err)
{
	char *bytes AUTO_FREE = malloc((size_t)BLOCK);
	uint64_t at = offset > 0 ? offset - 1 : 0; // the newline itself may be the byte before

	if (!bytes)
		return error_set(err, "out of memory");
	if (offset == 0) {
		*ret_offset = 0;
		return 0;
	}
	for (;;) {
		size_t got = 0;

		if (log_file_read(f, at, bytes, (size_t)BLOCK, &got, err) < 0)
			return -1;
		size_t end = stamp_line_end(bytes, got, 0);
		if (end < got || got == 0) {
			*ret_offset = got == 0 ? f->size_bytes : at + end + 1;
			return 0;
		}
		at += got;
	}
}

int time_index_range(struct log_file *f, uint64_t from_ns, uint64_t to_ns, uint64_t *ret_begin, uint64_t *ret_end, struct error *err)
{
	struct index x = { .f = f };
	uint64_t first = 0, end = 0, begin_offset = 0, end_offset = 0;

	if (log_file_prepare(f, err) < 0)
		return -1;
	*ret_begin = 0;
	*ret_end = f->size_bytes;
	if (f->size_bytes <= SMALL_BYTES || (from_ns == 0 && to_ns == UINT64_MAX))
		return 0;
	x.block_count = (f->size_bytes + BLOCK - 1) / BLOCK;
	x.bytes = malloc((size_t)BLOCK);
	if (!x.bytes)
		return error_set(err, "out of memory");
	int result = find_blocks(&x, from_ns, to_ns, &first, &end, err);
	free(x.bytes);
	if (result < 0)
		return -1;
	// One block more at each end: a line that crosses the border belongs to the block in which it begins, where its stamp may be cut.
	begin_offset = first > 0 ? (first - 1) * BLOCK : 0;
	end_offset = end < UINT64_MAX / BLOCK - 1 ? (end + 1) * BLOCK : UINT64_MAX;
	if (time_index_line(f, begin_offset, &begin_offset, err) < 0)
		return -1;
	if (end_offset >= f->size_bytes)
		end_offset = f->size_bytes;
	else if (time_index_line(f, end_offset, &end_offset, err) < 0)
		return -1;
	*ret_begin = begin_offset < end_offset ? begin_offset : end_offset;
	*ret_end = end_offset;
	return 0;
}
