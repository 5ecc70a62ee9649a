// SPDX-License-Identifier: MIT
// Previews of two contents: what is said, what is left out, and that neither hostile bytes nor large contents cost more than a moment.
#include "graph/preview.h"

#include "base/nanotime.h"
#include "base/text.h"
#include "graph/line_diff.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <time.h>

static struct buffer said;
static struct preview_result result;

static struct preview_content content(const char *bytes, size_t length)
{
	return (struct preview_content){bytes != NULL, bytes, length, length};
}

static const char *preview_of(struct preview_content before, struct preview_content after)
{
	struct error err = {0};

	buffer_clear(&said);
	CHECK_EQUAL(preview_write(&before, &after, &said, &result, &err), 0);
	return buffer_string(&said);
}

static const char *preview(const char *before, const char *after)
{
	return preview_of(content(before, before ? strlen(before) : 0), content(after, after ? strlen(after) : 0));
}

static size_t line_count(void)
{
	size_t lines = said.length > 0;

	for (size_t i = 0; i < said.length; i++)
		lines += said.bytes[i] == '\n';
	return lines;
}

static void test_words(void)
{
	CHECK_STRING(preview("a\nb\n", "a\nb\n"), "@ the same bytes, 4 B");
	CHECK(result.is_same && !result.is_cut && !result.is_hex);
	CHECK_STRING(preview(NULL, "new\n"), "@ appeared: 4 B\n+ new");
	CHECK(!result.is_same);
	CHECK_STRING(preview("old", NULL), "@ gone: 3 B\n- old");
	CHECK_STRING(preview(NULL, NULL), "@ not there, neither before nor after");
	CHECK_STRING(preview(NULL, ""), "@ appeared: 0 B");
	CHECK_STRING(preview("", ""), "@ the same bytes, 0 B");
	CHECK(result.is_same);
}

static void test_removed_lines(void)
{
	CHECK_STRING(preview("1\n2\n3\n4\n5\nsudo\nsu\n6\n7\n8\n9\n", "1\n2\n3\n4\n5\n6\n7\n8\n9\n"),
		     "@ 2 lines gone, none new (26 B before, 18 B after)\n@ line 6 before, 6 after\n  4\n  5\n- sudo\n- su\n  6\n  7");
	CHECK(!result.is_cut && !result.is_hex && !result.is_same);
	// Two changes that are close are told in one piece, others in two.
	CHECK_STRING(preview("1\nx\n2\n3\n4\ny\n5\n", "1\n2\n3\n4\n5\n"),
		     "@ 2 lines gone, none new (14 B before, 10 B after)\n@ line 2 before, 2 after\n  1\n- x\n  2\n  3\n  4\n- y\n  5");
	CHECK_STRING(preview("1\nx\n2\n3\n4\n5\n6\ny\n7\n", "1\n2\n3\n4\n5\n6\n7\n"),
		     "@ 2 lines gone, none new (18 B before, 14 B after)\n@ line 2 before, 2 after\n  1\n- x\n  2\n  3\n"
		     "@ line 8 before, 7 after\n  5\n  6\n- y\n  7");
	CHECK_STRING(preview("a\nuid=1000\nz\n", "a\nuid=0\nz\n"),
		     "@ 1 line gone, 1 line new (13 B before, 10 B after)\n@ line 2 before, 2 after\n  a\n- uid=1000\n+ uid=0\n  z");
	CHECK_STRING(preview("a\nb\n", ""), "@ 2 lines gone, none new (4 B before, 0 B after)\n@ line 1 before, 1 after\n- a\n- b");
}

static void test_line_feed(void)
{
	CHECK_STRING(preview("a\nb\n", "a\nb"),
		     "@ 1 line gone, 1 line new (4 B before, 3 B after)\n@ line 2 before, 2 after\n  a\n- b\n+ b\n@ no line feed at its end");
	CHECK_STRING(preview("a\n", "a\nb"), "@ no line gone, 1 line new (2 B before, 3 B after)\n@ line 2 before, 2 after\n  a\n+ b");
}

// A line of a file cannot pass for words of ours, and nothing that steers a terminal comes through.
static void test_hostile_lines(void)
{
	CHECK_STRING(preview("@ the same bytes, 4 B\n", "\033[31mred\xff\xe2\x80\xae\n+ x\n"),
		     "@ 1 line gone, 2 lines new (22 B before, 17 B after)\n@ line 1 before, 1 after\n- @ the same bytes, 4 B\n+ \\x1b[31mred\\xff\\u202e\n+ + x");
}

static void test_long_lines(void)
{
	char a[700], b[700];

	memset(a, 'a', sizeof(a));
	memset(b, 'a', sizeof(b));
	b[500] = 'B';
	a[699] = b[699] = '\n';
	const char *words = preview_of(content(a, sizeof(a)), content(b, sizeof(b)));
	CHECK(strstr(words, "\n+ \u2026aaa") != NULL);
	CHECK(strstr(words, "aB") != NULL);
	CHECK(result.is_cut);
	for (const char *line = words; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		CHECK(text_cells(line, strcspn(line, "\n")) <= PREVIEW_CELLS + 2);
	// Marks that take no cell: the bytes are bounded as well.
	char marks[60001];
	for (size_t i = 0; i + 1 < sizeof(marks); i += 2)
		memcpy(marks + i, "\xcc\x81", 2);
	marks[60000] = '\n';
	preview_of(content("x\n", 2), content(marks, sizeof(marks)));
	CHECK(said.length < 3000);
	CHECK(result.is_cut);
}

static void test_zeros(void)
{
	char pending[64] = "line one\n";

	// Content that has not arrived reads as zeros: still text.
	CHECK_STRING(preview_of(content(pending, sizeof(pending)), content("line one\nline two\n", 18)),
		     "@ 1 line gone, 1 line new (64 B before, 18 B after)\n@ line 2 before, 2 after\n  line one\n- \\x00{55}\n@ no line feed at its end\n+ line two");
	CHECK(!result.is_hex);
	preview_of(content(pending + 20, 40), content(pending, 9));
	CHECK(result.is_hex); // zeros alone are no text
	preview_of(content("a\0b\0c\0", 6), content("a\0b\0d\0", 6));
	CHECK(result.is_hex);
}

static void test_hex(void)
{
	char a[64], b[64];

	for (size_t i = 0; i < sizeof(a); i++)
		a[i] = b[i] = (char)i;
	b[40] = 'Z';
	CHECK_STRING(preview_of(content(a, 64), content(b, 64)),
		     "@ 1 of 4 rows of 16 bytes differ (64 B before, 64 B after)\n"
		     "  00000010  10 11 12 13 14 15 16 17  18 19 1a 1b 1c 1d 1e 1f  |................|\n"
		     "- 00000020  20 21 22 23 24 25 26 27  28 29 2a 2b 2c 2d 2e 2f  | !\"#$%&'()*+,-./|\n"
		     "+ 00000020  20 21 22 23 24 25 26 27  5a 29 2a 2b 2c 2d 2e 2f  | !\"#$%&'Z)*+,-./|");
	CHECK(result.is_hex && !result.is_cut);
	CHECK_STRING(preview_of(content(a, 17), content(a, 16)),
		     "@ 1 of 2 rows of 16 bytes differ (17 B before, 16 B after)\n"
		     "  00000000  00 01 02 03 04 05 06 07  08 09 0a 0b 0c 0d 0e 0f  |................|\n"
		     "- 00000010  10                                                |.|");
	CHECK_STRING(preview_of(content(NULL, 0), content(a, 3)), "@ appeared: 3 B\n+ 00000000  00 01 02                                          |...|");
}

static void test_not_brought(void)
{
	struct preview_content a = content("a\nb\n", 4), b = a;

	b.size_bytes = 4096;
	CHECK_STRING(preview_of(a, b), "@ no difference in what was compared, 4 B\n@ only the first 4 B of the content after were looked at");
	CHECK(!result.is_same && result.is_cut);
}

static uint32_t state = 7;
static uint32_t draw(uint32_t below)
{
	state = state * 1664525 + 1013904223; // Numerical Recipes
	return (state >> 8) % below;
}

static char *large(size_t length, uint32_t letters, uint32_t line)
{
	char *bytes = malloc(length);

	for (size_t i = 0; bytes && i < length; i++)
		bytes[i] = draw(line) == 0 ? '\n' : (char)('a' + draw(letters));
	return bytes;
}

// Texts that have nothing, or almost everything, in common: bounded in time and in size.
static void test_bounds(void)
{
	static const struct { uint32_t letters, line; } kinds[] = {{26, 60}, {1, 2}, {2, 1}, {2, 3}, {1, 1000000}};
	size_t length = (size_t)PREVIEW_BYTES;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char *a = large(length, kinds[i].letters, kinds[i].line), *b = large(length, kinds[i].letters, kinds[i].line);
		clock_t start = clock();

		preview_of(content(a, length), content(b, length));
		CHECK((double)(clock() - start) / CLOCKS_PER_SEC < 5.0); // 0.1 s; sanitizers and a busy machine take longer
		CHECK(line_count() <= PREVIEW_LINES + 4);
		CHECK(said.length < (PREVIEW_LINES + 4) * 1200);
		free(a);
		free(b);
	}
	char *log = large(length, 26, 60), *cut = malloc(length);
	memcpy(cut, log, length);
	char *line = memchr(cut + length / 2, '\n', length / 2);
	size_t left = (size_t)(cut + length - line - 21);
	memmove(line + 1, line + 21, left);
	preview_of(content(log, length), content(cut, length - 20));
	CHECK(line_count() < 14 && !result.is_cut);
	free(log);
	free(cut);
}

// Whatever the two texts are, the runs turn one into the other.
static void test_runs_are_a_diff(void)
{
	for (unsigned round = 0; round < 3000; round++) {
		char a[40], b[40];
		size_t an = draw(40), bn = draw(40);
		struct diff_lines before = {0}, after = {0};
		struct diff_runs runs = {0};
		bool gave_up = true;
		size_t x = 0, y = 0;

		for (size_t i = 0; i < an; i++)
			a[i] = draw(2) ? '\n' : (char)('a' + draw(2));
		for (size_t i = 0; i < bn; i++)
			b[i] = draw(2) ? '\n' : (char)('a' + draw(2));
		CHECK(line_diff_split(a, an, &before) == 0 && line_diff_split(b, bn, &after) == 0);
		CHECK_EQUAL(line_diff_find(&before, &after, &runs, &gave_up), 0);
		CHECK(!gave_up);
		for (size_t i = 0; i <= runs.count; i++) {
			size_t to = i < runs.count ? runs.items[i].before : before.count;

			for (; x < to; x++, y++)
				CHECK(y < after.count && before.items[x].length == after.items[y].length &&
				      memcmp(before.items[x].bytes, after.items[y].bytes, after.items[y].length) == 0);
			if (i < runs.count) {
				CHECK_EQUAL(y, runs.items[i].after);
				CHECK(runs.items[i].before_count + runs.items[i].after_count > 0);
				x += runs.items[i].before_count;
				y += runs.items[i].after_count;
			}
		}
		CHECK(x == before.count && y == after.count);
		diff_lines_release(&before);
		diff_lines_release(&after);
		diff_runs_release(&runs);
	}
}

int main(void)
{
	test_words();
	test_removed_lines();
	test_line_feed();
	test_hostile_lines();
	test_long_lines();
	test_zeros();
	test_hex();
	test_not_brought();
	test_bounds();
	test_runs_are_a_diff();
	buffer_release(&said);
	return unit_end();
}
