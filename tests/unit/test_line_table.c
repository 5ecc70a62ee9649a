// SPDX-License-Identifier: MIT
// Lines that come and go: by hand, and against a table that reads everything again at each change.
#include "snapshots/line_table.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#define MAX_TEXT 4096u

struct text { uint8_t bytes[MAX_TEXT]; uint64_t size; };

static int read_text(void *context, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	const struct text *t = context;

	(void)err;
	CHECK(offset + length <= t->size);
	memcpy(bytes, t->bytes + offset, length);
	return 0;
}

struct told { char lines[512][128]; size_t length[512]; bool complete[512]; size_t count; };

static int on_line(void *context, const struct line_found *line, struct error *err)
{
	struct told *t = context;

	(void)err;
	if (t->count == 512 || line->length >= 128)
		abort();
	memcpy(t->lines[t->count], line->bytes, line->length);
	t->lines[t->count][line->length] = '\0';
	t->length[t->count] = line->length;
	t->complete[t->count++] = line->complete;
	return 0;
}

struct world { struct line_table table; struct line_file file; struct text text; struct told told; uint64_t seq; };

static void begin(struct world *w)
{
	struct error err;

	memset(w, 0, sizeof(*w));
	CHECK_EQUAL(line_table_init(&w->table, on_line, &w->told, &err), 0);
}

static void end(struct world *w)
{
	line_file_release(&w->file);
	line_table_release(&w->table);
}

static void change(struct world *w, uint64_t from, uint64_t to)
{
	struct line_source source = {.size = w->text.size, .read = read_text, .context = &w->text};
	struct line_moment when = {.seq = ++w->seq, .time_ns = w->seq * 10, .change = 1};
	struct error err;

	CHECK_EQUAL(line_file_change(&w->table, &w->file, &source, from, to, &when, &err), 0);
}

static void append(struct world *w, const char *bytes, size_t length)
{
	memcpy(w->text.bytes + w->text.size, bytes, length);
	w->text.size += length;
	change(w, w->text.size - length, w->text.size);
}

#define APPEND(w, string) append(w, string, sizeof(string) - 1)

static bool gone(const struct world *w, const char *line, uint64_t seq)
{
	for (size_t i = 0; i < w->told.count; i++) {
		if (strcmp(w->told.lines[i], line) == 0)
			return w->table.entries.items[i].live == 0 && w->table.entries.items[i].gone_seq == seq;
	}
	return false;
}

static bool lives(const struct world *w, const char *line)
{
	for (size_t i = 0; i < w->told.count; i++) {
		if (strcmp(w->told.lines[i], line) == 0)
			return w->table.entries.items[i].live > 0;
	}
	return false;
}

static void check_appends(void)
{
	struct world w;

	begin(&w);
	APPEND(&w, "one\ntwo\n");
	APPEND(&w, "thr");
	CHECK_EQUAL(w.told.count, 2);
	APPEND(&w, "e");
	APPEND(&w, "e\nfour\n\none\n"); // an empty line is none, and "one" is known
	CHECK_EQUAL(w.told.count, 4);
	CHECK_STRING(w.told.lines[2], "three");
	CHECK_STRING(w.told.lines[3], "four");
	CHECK_EQUAL(w.table.entries.items[0].live, 2);
	CHECK_EQUAL(w.table.read_bytes, w.text.size); // no byte twice
	end(&w);
}

static void check_rewritten(void)
{
	struct world w;

	begin(&w);
	APPEND(&w, "alpha\nbravo\ncharlie\ndelta\n");
	memcpy(w.text.bytes + 6, "BRAVO", 5);
	change(&w, 6, 11);
	CHECK(gone(&w, "bravo", 2));
	CHECK(lives(&w, "BRAVO") && lives(&w, "alpha") && lives(&w, "charlie"));
	w.text.bytes[11] = ' '; // two lines become one
	change(&w, 11, 12);
	CHECK(gone(&w, "BRAVO", 3) && gone(&w, "charlie", 3) && lives(&w, "BRAVO charlie") && lives(&w, "delta"));
	w.text.bytes[11] = '\n'; // and two again: they were never gone
	change(&w, 11, 12);
	CHECK(lives(&w, "BRAVO") && lives(&w, "charlie") && gone(&w, "BRAVO charlie", 4));
	CHECK_EQUAL(w.told.count, 6);
	w.text.size = 15; // within "charlie"
	change(&w, 15, 26);
	CHECK(gone(&w, "charlie", 5) && gone(&w, "delta", 5) && lives(&w, "BRAVO"));
	APPEND(&w, "p\n");
	CHECK_STRING(w.told.lines[6], "chap");
	w.text.size = 0;
	change(&w, 0, 17);
	CHECK(gone(&w, "alpha", 7) && gone(&w, "chap", 7));
	end(&w);
}

// Content on its way shows as NUL bytes: no line until it is there, and no line is gone.
static void check_pending(void)
{
	struct world w;

	begin(&w);
	APPEND(&w, "first\n");
	APPEND(&w, "se\0\0\0\0\0\0\0\0four\n");
	CHECK_EQUAL(w.told.count, 1);
	APPEND(&w, "five\n");
	CHECK_EQUAL(w.told.count, 2);
	memcpy(w.text.bytes + 8, "cond\nto-", 8);
	change(&w, 8, 16);
	CHECK_EQUAL(w.told.count, 4);
	CHECK(lives(&w, "first") && lives(&w, "second") && lives(&w, "to-four") && lives(&w, "five"));
	APPEND(&w, "\0\0\0\0");
	memcpy(w.text.bytes + w.text.size - 4, "six\n", 4);
	change(&w, w.text.size - 4, w.text.size);
	CHECK(lives(&w, "six"));
	CHECK_EQUAL(w.told.count, 5);
	end(&w);
}

static void check_removed(void)
{
	struct world w;
	struct line_file copy = {0};
	struct line_moment when = {.seq = 50, .time_ns = 500, .change = 64};
	struct error err;

	begin(&w);
	APPEND(&w, "keep\nlose\nhalf a li");
	// Another file takes over "keep" before or after the first one goes: it was never gone.
	struct text other = {.bytes = "keep\nnew\n", .size = 9};
	struct line_source source = {.size = 9, .read = read_text, .context = &other};

	CHECK_EQUAL(line_file_remove(&w.table, &w.file, &when, &err), 0);
	CHECK_EQUAL(line_file_change(&w.table, &copy, &source, 0, 9, &when, &err), 0);
	CHECK(lives(&w, "keep") && gone(&w, "lose", 50) && gone(&w, "half a li", 50) && lives(&w, "new"));
	CHECK(!w.told.complete[2] && w.told.complete[3]);
	CHECK_EQUAL(w.table.entries.items[1].gone_ns, 500);
	CHECK_EQUAL(w.table.entries.items[1].gone_change, 64);
	line_file_release(&copy);
	end(&w);
}

// A line over the limit is known by its beginning; a file without newlines is read once.
static int ignore_line(void *context, const struct line_found *line, struct error *err)
{
	(void)err;
	*(size_t *)context += line->length == LINE_TABLE_LINE_BYTES;
	return 0;
}

static int read_x(void *context, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	(void)err;
	(void)offset;
	memset(bytes, 'x', length);
	if (offset + length == *(uint64_t *)context)
		((char *)bytes)[length - 1] = '\n';
	return 0;
}

static uint64_t no_data(void *context, uint64_t offset)
{
	(void)context;
	return offset < (UINT64_C(1) << 43) - 4096 ? (UINT64_C(1) << 43) - 4096 : offset;
}

static void check_long(void)
{
	struct line_table table;
	struct line_file file = {0}, sparse = {0};
	struct line_moment when = {.seq = 1};
	size_t longest = 0;
	uint64_t newline = UINT64_C(8) << 20;
	struct error err;

	CHECK_EQUAL(line_table_init(&table, ignore_line, &longest, &err), 0);
	for (uint64_t size = 1000; size <= newline; size += 1000) {
		struct line_source source = {.size = size, .read = read_x, .context = &newline};

		CHECK_EQUAL(line_file_change(&table, &file, &source, size - 1000, size, &when, &err), 0);
	}
	struct line_source source = {.size = newline, .read = read_x, .context = &newline};

	CHECK_EQUAL(line_file_change(&table, &file, &source, newline - newline % 1000, newline, &when, &err), 0);
	CHECK_EQUAL(longest, 1);
	CHECK_EQUAL(table.read_bytes, newline);
	// 8 TiB of nothing and a line behind it.
	newline = UINT64_C(1) << 43;
	struct line_source hole = {.size = newline, .read = read_x, .data = no_data, .context = &newline};

	CHECK_EQUAL(line_file_change(&table, &sparse, &hole, 0, newline, &when, &err), 0);
	CHECK_EQUAL(table.read_bytes, (UINT64_C(8) << 20) + 4096);
	line_file_release(&file);
	line_file_release(&sparse);
	line_table_release(&table);
}

// ---- random changes against reading all again

static unsigned long long random_state = 7;

static unsigned draw(unsigned below)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(random_state >> 33) % below;
}

static void check_random(void)
{
	static const char letters[] = "ab\n\n\0c";

	for (unsigned round = 0; round < 300; round++) {
		struct world w;

		begin(&w);
		for (unsigned step = 0; step < 40 && w.text.size < MAX_TEXT - 64; step++) {
			uint64_t size = w.text.size, from = size > 0 ? draw((unsigned)size + 1) : 0, to = from + draw(24), new_size = to > size ? to : size;

			if (draw(6) == 0 && size > 0) {
				new_size = draw((unsigned)size);
				from = new_size;
				to = size;
			} else if (draw(2)) {
				from = size;
				to = new_size = size + draw(24);
			}
			for (uint64_t i = from; i < to && i < new_size; i++)
				w.text.bytes[i] = (uint8_t)letters[draw(sizeof(letters) - 1)];
			w.text.size = new_size;
			change(&w, from, to);

			// What stands there now, counted.
			struct told now = {.count = 0};
			unsigned live = 0, places = 0;

			for (uint64_t at = 0, i = 0; i < new_size; i++) {
				if (w.text.bytes[i] != '\n')
					continue;
				size_t length = (size_t)(i - at);

				places += length > 0 && !memchr(w.text.bytes + at, 0, length);
				if (length > 0 && !memchr(w.text.bytes + at, 0, length)) {
					struct line_found line = {.bytes = (const char *)w.text.bytes + at, .length = length, .complete = true};

					(void)on_line(&now, &line, NULL);
					CHECK(lives(&w, now.lines[now.count - 1]));
				}
				at = i + 1;
			}
			for (size_t i = 0; i < w.table.entries.count; i++)
				live += w.table.entries.items[i].live;
			CHECK_EQUAL(live, places);
		}
		end(&w);
	}
}

int main(void)
{
	check_appends();
	check_rewritten();
	check_pending();
	check_removed();
	check_long();
	check_random();
	return unit_end();
}
