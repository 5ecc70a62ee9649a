// SPDX-License-Identifier: MIT
#include "snapshots/fs_lines.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES ((size_t)256 << 10)
#define LONGEST_LINE ((uint64_t)1 << 20) /* our limit for finding the beginning of a line */

struct comparing {
	const struct fs_text *before, *after;
	uint8_t *a, *b; // CHUNK_BYTES each
	uint64_t prefix, suffix; // equal bytes at either end
	uint64_t newlines; // in the prefix
	uint64_t line_start; // of the line that holds the first difference
};

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static int read_text(const struct fs_text *t, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	return length == 0 ? 0 : t->read(t->context, offset, bytes, length, err);
}

static void note_lines(struct comparing *c, const uint8_t *bytes, size_t length, uint64_t offset)
{
	for (const uint8_t *at = bytes, *found; (found = memchr(at, '\n', length - (size_t)(at - bytes))); at = found + 1) {
		c->newlines++;
		c->line_start = offset + (uint64_t)(found - bytes) + 1;
	}
}

static int find_prefix(struct comparing *c, uint64_t equal_until, struct error *err)
{
	uint64_t common = least(c->before->size, c->after->size);

	for (uint64_t at = 0; at < common;) {
		size_t part = (size_t)least(common - at, CHUNK_BYTES), same = 0;
		bool known = at + part <= equal_until;

		if (read_text(c->before, at, c->a, part, err) < 0 || (!known && read_text(c->after, at, c->b, part, err) < 0))
			return -1;
		if (known || memcmp(c->a, c->b, part) == 0)
			same = part;
		else
			while (c->a[same] == c->b[same])
				same++;
		note_lines(c, c->a, same, at);
		at += same;
		c->prefix = at;
		if (same < part)
			break;
	}
	return 0;
}

static int find_suffix(struct comparing *c, struct error *err)
{
	// Up to the beginning of the line: "line 10" may be the equal beginning of a line that is gone and of the one that followed it.
	uint64_t most = least(c->before->size, c->after->size) - c->line_start;

	while (c->suffix < most) {
		size_t part = (size_t)least(most - c->suffix, CHUNK_BYTES), same = 0;

		if (read_text(c->before, c->before->size - c->suffix - part, c->a, part, err) < 0 ||
		    read_text(c->after, c->after->size - c->suffix - part, c->b, part, err) < 0)
			return -1;
		while (same < part && c->a[part - same - 1] == c->b[part - same - 1])
			same++;
		c->suffix += same;
		if (same < part)
			break;
	}
	return 0;
}

// The equal end begins with a whole line: what stands before its first newline belongs to the lines that differ. Where both texts end a line
// right before it, it is whole already.
static int align_suffix(struct comparing *c, struct error *err)
{
	uint64_t start_a = c->before->size - c->suffix, start_b = c->after->size - c->suffix;
	uint8_t last_a = '\n', last_b = '\n';

	if (start_a > 0 && read_text(c->before, start_a - 1, &last_a, 1, err) < 0)
		return -1;
	if (start_b > 0 && read_text(c->after, start_b - 1, &last_b, 1, err) < 0)
		return -1;
	if (last_a == '\n' && last_b == '\n')
		return 0;
	while (c->suffix > 0) {
		size_t part = (size_t)least(c->suffix, CHUNK_BYTES);

		if (read_text(c->before, c->before->size - c->suffix, c->a, part, err) < 0)
			return -1;
		const uint8_t *end = memchr(c->a, '\n', part);

		c->suffix -= end ? (uint64_t)(end - c->a) + 1 : part;
		if (end)
			break;
	}
	return 0;
}

// Lines in [from, to), and the first of their bytes.
static int take_lines(struct comparing *c, const struct fs_text *text, uint64_t from, uint64_t to, size_t max_bytes, uint64_t *ret_lines,
		      char **ret_bytes, size_t *ret_length, struct error *err)
{
	size_t wanted = (size_t)least(to - from, max_bytes);
	uint8_t last = '\n';

	*ret_bytes = malloc(wanted + 1);
	if (!*ret_bytes)
		return error_set(err, "out of memory");
	if (read_text(text, from, *ret_bytes, wanted, err) < 0)
		return -1;
	*ret_length = wanted;
	for (uint64_t at = from; at < to;) {
		size_t part = (size_t)least(to - at, CHUNK_BYTES);

		if (read_text(text, at, c->a, part, err) < 0)
			return -1;
		for (const uint8_t *p = c->a, *found; (found = memchr(p, '\n', part - (size_t)(p - c->a))); p = found + 1)
			++*ret_lines;
		last = c->a[part - 1];
		at += part;
	}
	*ret_lines += last != '\n';
	return 0;
}

static int tell(struct comparing *c, size_t max_bytes, struct fs_lines *ret, struct error *err)
{
	uint64_t start = c->line_start;

	ret->offset = c->prefix;
	ret->line = c->newlines + 1;
	ret->differ = c->prefix < c->before->size;
	if (!ret->differ)
		return 0;
	// A file without lines: only what is near.
	if (c->prefix - start > LONGEST_LINE)
		start = c->line_start = c->prefix;
	if (find_suffix(c, err) < 0 || align_suffix(c, err) < 0)
		return -1;
	if (take_lines(c, c->before, start, c->before->size - c->suffix, max_bytes, &ret->removed, &ret->before, &ret->before_length, err) < 0)
		return -1;
	return take_lines(c, c->after, start, c->after->size - c->suffix, max_bytes, &ret->added, &ret->after, &ret->after_length, err);
}

int fs_lines_compare(const struct fs_text *before, const struct fs_text *after, uint64_t equal_until, size_t max_bytes, struct fs_lines *ret,
		     struct error *err)
{
	struct comparing c = {.before = before, .after = after, .a = malloc(CHUNK_BYTES), .b = malloc(CHUNK_BYTES)};
	int result = 0;

	*ret = (struct fs_lines){0};
	if (!c.a || !c.b)
		result = error_set(err, "out of memory");
	if (result == 0 && find_prefix(&c, equal_until, err) < 0)
		result = -1;
	if (result == 0)
		result = tell(&c, max_bytes, ret, err);
	free(c.a);
	free(c.b);
	if (result < 0)
		fs_lines_release(ret);
	return result;
}

void fs_lines_release(struct fs_lines *l)
{
	free(l->before);
	free(l->after);
	*l = (struct fs_lines){0};
}
