// SPDX-License-Identifier: MIT
// Where two texts differ, in lines: told from the ends, whatever the sizes; and against a slow, plain way.
#include "snapshots/fs_lines.h"

#include "tests/unit/unit.h"

#include <stdlib.h>

struct memory { const char *bytes; uint64_t size; };

static int read_memory(void *context, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	const struct memory *m = context;

	if (offset > m->size || length > m->size - offset)
		return error_set(err, "asked beyond the end");
	memcpy(bytes, m->bytes + offset, length);
	return 0;
}

static struct fs_text text_of(struct memory *m)
{
	return (struct fs_text){.size = m->size, .read = read_memory, .context = m};
}

static void compare(const char *before, const char *after, struct fs_lines *ret)
{
	struct memory a = {before, strlen(before)}, b = {after, strlen(after)};
	struct fs_text x = text_of(&a), y = text_of(&b);
	struct error err = {""};

	CHECK_EQUAL(fs_lines_compare(&x, &y, 0, 4096, ret, &err), 0);
}

static void check(const char *before, const char *after, bool differ, uint64_t line, uint64_t offset, const char *gone, const char *new)
{
	struct fs_lines l;

	compare(before, after, &l);
	CHECK_EQUAL(l.differ, differ);
	CHECK_EQUAL(l.line, line);
	CHECK_EQUAL(l.offset, offset);
	if (differ) {
		CHECK_EQUAL(l.before_length, strlen(gone));
		CHECK(l.before_length == strlen(gone) && memcmp(l.before, gone, l.before_length) == 0);
		CHECK(l.after_length == strlen(new) && memcmp(l.after, new, l.after_length) == 0);
	}
	fs_lines_release(&l);
}

static void test_cases(void)
{
	check("a\nb\nc\n", "a\nb\nc\n", false, 4, 6, "", "");
	check("a\nb\n", "a\nb\nc\n", false, 3, 4, "", "");
	check("", "a\n", false, 1, 0, "", "");
	check("a\nb\nc\n", "a\nc\n", true, 2, 2, "b\n", "");
	check("a\nEVIL\nc\n", "a\ngood\nc\n", true, 2, 2, "EVIL\n", "good\n");
	// The line behind begins as the one that is gone.
	check("line 99\nline 100\nline 101\n", "line 99\nline 101\n", true, 2, 15, "line 100\n", "");
	// The line ends as the one before it.
	check("a x\nb x\nc\n", "a x\nc\n", true, 2, 4, "b x\n", "");
	check("a\nb\n", "", true, 1, 0, "a\nb\n", "");
	check("a\nb\n", "a\n", true, 2, 2, "b\n", "");
	check("a\nlast", "a\nlost", true, 2, 3, "last", "lost");
	check("a\nb\nc\n", "a\nb\nc", true, 3, 5, "c\n", "c");
	check("one\n", "zero\none\n", true, 1, 0, "", "zero\n");
}

static void test_counts(void)
{
	struct fs_lines l;

	compare("1\n2\n3\n4\n5\n", "1\nx\ny\n5\n", &l);
	CHECK_EQUAL(l.removed, 3);
	CHECK_EQUAL(l.added, 2);
	fs_lines_release(&l);
	compare("1\n2", "1\n", &l);
	CHECK_EQUAL(l.removed, 1);
	CHECK_EQUAL(l.added, 0);
	fs_lines_release(&l);
}

// Larger than the buffers; the difference deep inside, and what is known to be equal skipped.
static void test_large(void)
{
	size_t size = 3 << 20;
	char *a = malloc(size), *b = malloc(size);
	struct fs_lines l;
	struct error err = {""};

	CHECK(a && b);
	for (size_t i = 0; i < size; i++)
		a[i] = b[i] = i % 50 == 49 ? '\n' : (char)('a' + i % 7);
	memset(b + 2000020, 'X', 10); // within line 40001
	struct memory x = {a, size}, y = {b, size};
	struct fs_text before = text_of(&x), after = text_of(&y);

	for (uint64_t known = 0; known <= 2000000; known += 1000000) {
		CHECK_EQUAL(fs_lines_compare(&before, &after, known, 4096, &l, &err), 0);
		CHECK(l.differ);
		CHECK_EQUAL(l.line, 40001);
		CHECK_EQUAL(l.offset, 2000020);
		CHECK_EQUAL(l.removed, 1);
		CHECK_EQUAL(l.added, 1);
		CHECK_EQUAL(l.before_length, 50);
		fs_lines_release(&l);
	}
	// One line of 3 MiB: only what is near is told.
	memset(a, 'a', size);
	memset(b, 'a', size);
	b[size - 1] = 'b';
	CHECK_EQUAL(fs_lines_compare(&before, &after, 0, 4096, &l, &err), 0);
	CHECK(l.differ);
	CHECK_EQUAL(l.offset, size - 1);
	CHECK_EQUAL(l.before_length, 1);
	fs_lines_release(&l);
	free(a);
	free(b);
}

// What is told puts the one text into the other: equal up to the line, then before or after, then equal.
static void test_random(void)
{
	unsigned seed = 1;

	for (unsigned round = 0; round < 20000; round++) {
		char a[64], b[64];
		size_t lengths[2];

		for (unsigned t = 0; t < 2; t++) {
			char *text = t ? b : a;

			lengths[t] = 0;
			seed = seed * 1103515245 + 12345;
			for (unsigned i = 0, n = seed >> 16 & 31; i < n; i++) {
				seed = seed * 1103515245 + 12345;
				text[lengths[t]++] = "ab\n"[(seed >> 16) % 3];
			}
			text[lengths[t]] = '\0';
		}
		struct fs_lines l;

		compare(a, b, &l);
		CHECK_EQUAL(l.differ, strncmp(a, b, lengths[0]) != 0);
		if (l.differ) {
			size_t start = (size_t)l.offset;

			while (start > 0 && a[start - 1] != '\n')
				start--;
			CHECK(memcmp(a, b, start) == 0);
			CHECK(memcmp(a + start, l.before, l.before_length) == 0);
			CHECK(memcmp(b + start, l.after, l.after_length) == 0);
			CHECK_STRING(a + start + l.before_length, b + start + l.after_length);
			CHECK(l.before_length > 0 || l.after_length > 0);
		}
		fs_lines_release(&l);
	}
}

int main(void)
{
	test_cases();
	test_counts();
	test_large();
	test_random();
	return unit_end();
}
