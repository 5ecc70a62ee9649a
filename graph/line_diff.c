// SPDX-License-Identifier: MIT
#include "graph/line_diff.h"

#include <string.h>

// Points of Myers' grid: x lines of the text before and y of the one after are behind; diagonal k = x - y.
struct search {
	const struct diff_line *before, *after;
	ptrdiff_t before_count, after_count;
	struct u32_vector trace; // furthest x of diagonals -d, -d + 2 ... d, for d = 0, 1, 2 ...: row d begins at d (d + 1) / 2
	uint64_t work;
};
struct place { ptrdiff_t x, y, edits; };

static uint64_t hash_of(const char *bytes, size_t length)
{
	uint64_t hash = UINT64_C(14695981039346656037); // FNV-1a; a collision costs a comparison, and the budget counts it

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
	return hash;
}

int line_diff_split(const char *bytes, size_t length, struct diff_lines *ret)
{
	for (size_t at = 0; at < length;) {
		const char *feed = memchr(bytes + at, '\n', length - at);
		size_t end = feed ? (size_t)(feed - bytes) + 1 : length;
		struct diff_line line = {bytes + at, end - at, hash_of(bytes + at, end - at)};

		if (diff_lines_append(ret, line) < 0)
			return -1;
		at = end;
	}
	return 0;
}

static bool same(const struct diff_line *a, const struct diff_line *b)
{
	return a->hash == b->hash && a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

static bool is_same_at(struct search *s, ptrdiff_t x, ptrdiff_t y)
{
	s->work += 1 + (s->before[x].hash == s->after[y].hash ? s->before[x].length / 16 : 0);
	return same(&s->before[x], &s->after[y]);
}

static ptrdiff_t traced(const struct search *s, ptrdiff_t d, ptrdiff_t k)
{
	return (ptrdiff_t)s->trace.items[d * (d + 1) / 2 + (k + d) / 2];
}

// From which diagonal a way of d edits comes to diagonal k: k + 1 (a new line) or k - 1 (a line that is gone).
static ptrdiff_t came_from(const struct search *s, ptrdiff_t d, ptrdiff_t k)
{
	bool down = k == -d || (k != d && traced(s, d - 1, k - 1) < traced(s, d - 1, k + 1));

	return down ? k + 1 : k - 1;
}

static ptrdiff_t start_of(const struct search *s, ptrdiff_t d, ptrdiff_t k)
{
	if (d == 0)
		return 0;
	ptrdiff_t from = came_from(s, d, k);
	return traced(s, d - 1, from) + (from < k);
}

// Looks for the end with d = 0, 1, 2 ... edits. *ret: the end, or where the best way stands when the budget is used up. -1: out of memory.
static int find_end(struct search *s, struct place *ret)
{
	for (ptrdiff_t d = 0; d <= (ptrdiff_t)LINE_DIFF_EDITS && s->work < LINE_DIFF_WORK; d++) {
		struct place best = {0, 0, 0};

		for (ptrdiff_t k = -d; k <= d; k += 2) {
			ptrdiff_t x = start_of(s, d, k), y = x - k;

			while (x < s->before_count && y < s->after_count && s->work < LINE_DIFF_WORK && is_same_at(s, x, y)) {
				x++;
				y++;
			}
			if (u32_vector_append(&s->trace, (uint32_t)x) < 0)
				return -1;
			// Diagonals run on beyond the texts; a way to a point inside never left them, as x and y only grow.
			if (x <= s->before_count && y <= s->after_count && x + y >= best.x + best.y)
				best = (struct place){x, y, d};
		}
		if (d == 0 || best.edits > 0)
			*ret = best;
		if (best.x == s->before_count && best.y == s->after_count)
			return 0;
	}
	return 0;
}

static int add_run(struct diff_runs *runs, struct diff_run run)
{
	struct diff_run *last = runs->count ? &runs->items[runs->count - 1] : NULL;

	if (last && last->before + last->before_count == run.before && last->after + last->after_count == run.after) {
		last->before_count += run.before_count;
		last->after_count += run.after_count;
		return 0;
	}
	return diff_runs_append(runs, run);
}

// The edits of the way to `end`, from the first on; `skip` equal lines stand before both texts of the search.
static int add_edits(const struct search *s, struct place end, size_t skip, struct diff_runs *ret)
{
	struct diff_run edits[LINE_DIFF_EDITS];
	ptrdiff_t k = end.x - end.y;

	for (ptrdiff_t d = end.edits; d > 0; d--) {
		ptrdiff_t from = came_from(s, d, k), x = traced(s, d - 1, from), y = x - from;

		edits[d - 1] = (struct diff_run){(size_t)x + skip, from < k, (size_t)y + skip, from > k};
		k = from;
	}
	for (ptrdiff_t i = 0; i < end.edits; i++)
		if (add_run(ret, edits[i]) < 0)
			return -1;
	return 0;
}

static int find_runs(struct search *s, size_t skip, struct diff_runs *ret, bool *ret_gave_up)
{
	struct place end = {0};
	bool is_one_change = s->before_count == 0 || s->after_count == 0;

	if (!is_one_change && (find_end(s, &end) < 0 || add_edits(s, end, skip, ret) < 0))
		return -1;
	struct diff_run rest = {(size_t)end.x + skip, (size_t)(s->before_count - end.x), (size_t)end.y + skip, (size_t)(s->after_count - end.y)};
	bool is_left = rest.before_count + rest.after_count > 0;
	*ret_gave_up = is_left && !is_one_change;
	return is_left ? add_run(ret, rest) : 0;
}

int line_diff_find(const struct diff_lines *before, const struct diff_lines *after, struct diff_runs *ret, bool *ret_gave_up)
{
	size_t shorter = before->count < after->count ? before->count : after->count, head = 0, tail = 0;

	while (head < shorter && same(&before->items[head], &after->items[head]))
		head++;
	while (tail < shorter - head && same(&before->items[before->count - 1 - tail], &after->items[after->count - 1 - tail]))
		tail++;
	struct search s = {
		.before = before->count ? before->items + head : NULL, .before_count = (ptrdiff_t)(before->count - head - tail),
		.after = after->count ? after->items + head : NULL, .after_count = (ptrdiff_t)(after->count - head - tail),
	};
	*ret_gave_up = false;
	int result = s.before_count + s.after_count > 0 ? find_runs(&s, head, ret, ret_gave_up) : 0;
	u32_vector_release(&s.trace);
	return result;
}
