// SPDX-License-Identifier: MIT
#include "graph/preview.h"

#include "base/text.h"
#include "graph/line_diff.h"
#include "graph/preview_hex.h"

#include <inttypes.h>
#include <string.h>

#define CONTEXT 2u
#define LEAD 40u          /* bytes shown before the first difference of a long line */
#define LINE_BYTES 1024u  /* of a line, looked at: marks that take no cell could fill any number of them */
#define NUL_RUN 16u       /* so many zeros in a row are a hole or content that has not arrived, and say nothing against text */
#define CONTROLS_OF 32u   /* text: at most one control character in so many bytes */

struct diff {
	struct diff_lines before, after;
	struct diff_runs runs;
	bool gave_up;
	struct buffer *out;
	size_t lines;             // written
	uint64_t gone, fresh;     // lines of changes, that were not shown
	bool is_cut;
};

static struct preview_content looked_at(const struct preview_content *c)
{
	struct preview_content some = *c;

	if (some.length > PREVIEW_BYTES)
		some.length = (size_t)PREVIEW_BYTES;
	if (!some.there)
		some.length = 0;
	return some;
}

static size_t nul_run(const char *bytes, size_t length)
{
	size_t run = 0;

	while (run < length && bytes[run] == '\0')
		run++;
	return run;
}

// Nothing but zeros is not text: there is nothing to read.
static bool is_text(const struct preview_content *c)
{
	const char *bytes = c->bytes;
	size_t controls = 0, letters = 0;

	for (size_t i = 0; i < c->length; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		if (byte == 0) {
			size_t run = nul_run(bytes + i, c->length - i);

			if (run < NUL_RUN && i + run < c->length)
				return false;
			i += run - 1;
		} else if ((byte < 0x20 && !strchr("\t\n\v\f\r\b\033", byte)) || byte == 0x7f) {
			controls++;
		} else {
			letters++;
		}
	}
	return c->length == 0 || (letters > 0 && controls <= letters / CONTROLS_OF);
}

// ---- one line

// Zeros in a row are counted, the rest is made visible.
static void add_visible(struct buffer *out, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length;) {
		size_t run = nul_run(bytes + i, length - i), end = i;

		if (run >= NUL_RUN) {
			buffer_printf(out, "\\x00{%zu}", run);
			i += run;
			continue;
		}
		end += run;
		while (end < length && bytes[end] != '\0')
			end++;
		text_visible(out, bytes + i, end - i);
		i = end;
	}
}

static bool is_continuation(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

// Bytes of visible text that take at most max_cells, whole characters.
static size_t fitting(const char *visible, size_t length, size_t max_cells)
{
	size_t low = 0, high = length;

	if (text_cells(visible, length) <= max_cells)
		return length;
	while (low + 1 < high) { // cells only grow with bytes
		size_t middle = (low + high) / 2;

		while (middle > low && is_continuation(visible[middle]))
			middle--;
		if (middle == low)
			break;
		if (text_cells(visible, middle) <= max_cells)
			low = middle;
		else
			high = middle;
	}
	return low;
}

// `from`: where the first difference of a changed line stands; a line that is cut begins a little before it.
static bool add_line(struct buffer *out, const char *glyph, const struct diff_line *line, size_t from)
{
	size_t length = line->length - (line->length > 0 && line->bytes[line->length - 1] == '\n'), start = 0;
	struct buffer visible = {0};

	if (length > PREVIEW_CELLS && from > PREVIEW_CELLS / 2)
		start = (from < length ? from : length) - LEAD;
	while (start > 0 && start < length && is_continuation(line->bytes[start]))
		start--;
	size_t end = length - start > LINE_BYTES ? start + LINE_BYTES : length;
	while (end < length && end > start + 1 && is_continuation(line->bytes[end]))
		end--;
	buffer_add_string(out, glyph);
	if (start > 0)
		buffer_add_string(out, "\u2026");
	add_visible(&visible, line->bytes + start, end - start);
	size_t room = PREVIEW_CELLS - (start > 0), fit = fitting(buffer_string(&visible), visible.length, room);
	bool is_cut = fit < visible.length || end < length;
	if (is_cut)
		fit = fitting(buffer_string(&visible), visible.length, room - 1);
	buffer_add(out, buffer_string(&visible), fit);
	buffer_add_string(out, is_cut ? "\u2026\n" : "\n");
	out->failed = out->failed || visible.failed;
	buffer_release(&visible);
	return is_cut || start > 0;
}

static void show(struct diff *d, const char *glyph, const struct diff_line *line, size_t from)
{
	d->is_cut = add_line(d->out, glyph, line, from) || d->is_cut;
	d->lines++;
}

// ---- changes

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void add_count(struct buffer *out, uint64_t count, const char *none, const char *what)
{
	if (count == 0) {
		buffer_add_string(out, none);
		return;
	}
	text_count(out, count);
	buffer_printf(out, " line%s %s", count == 1 ? "" : "s", what);
}

// A line that became another: where they part. 0 where it has no partner.
static size_t parts_at(const struct diff *d, const struct diff_run *run, size_t i)
{
	if (i >= run->before_count || i >= run->after_count)
		return 0;
	const struct diff_line *a = &d->before.items[run->before + i], *b = &d->after.items[run->after + i];
	size_t shorter = least(a->length, b->length), at = 0;

	while (at < shorter && a->bytes[at] == b->bytes[at])
		at++;
	return at;
}

static void left_out(struct diff *d, uint64_t gone, uint64_t fresh, const char *where)
{
	if (gone + fresh == 0)
		return;
	buffer_add_string(d->out, "@ ");
	add_count(d->out, gone, "", "gone");
	buffer_add_string(d->out, gone > 0 && fresh > 0 ? ", " : "");
	add_count(d->out, fresh, "", "new");
	buffer_printf(d->out, " %s\n", where);
	d->lines++;
	d->is_cut = true;
}

static void no_line_feed(struct diff *d, const struct diff_lines *lines, size_t index)
{
	const struct diff_line *line = &lines->items[index];

	if (index + 1 == lines->count && line->length > 0 && line->bytes[line->length - 1] != '\n') {
		buffer_add_string(d->out, "@ no line feed at its end\n");
		d->lines++;
	}
}

// As much of a change as there is room for: the shorter side in full, if half the room holds it.
static void show_run(struct diff *d, const struct diff_run *run, size_t room)
{
	size_t gone = least(run->before_count, room), fresh = least(run->after_count, room);

	if (gone + fresh > room) {
		gone = least(gone, fresh <= room / 2 ? room - fresh : room - room / 2);
		fresh = least(fresh, room - gone);
	}
	bool both = run->before_count > 0 && run->after_count > 0; // else the end of the file says it all
	for (size_t i = 0; i < gone; i++) {
		show(d, "- ", &d->before.items[run->before + i], parts_at(d, run, i));
		if (both)
			no_line_feed(d, &d->before, run->before + i);
	}
	left_out(d, run->before_count - gone, 0, "here");
	for (size_t i = 0; i < fresh; i++) {
		show(d, "+ ", &d->after.items[run->after + i], parts_at(d, run, i));
		if (both)
			no_line_feed(d, &d->after, run->after + i);
	}
	left_out(d, 0, run->after_count - fresh, "here");
}

// Equal lines between two changes, or before the first and after the last: those of the text before.
static void show_same(struct diff *d, size_t from, size_t to)
{
	for (size_t i = from; i < to && d->lines < PREVIEW_LINES; i++)
		show(d, "  ", &d->before.items[i], 0);
}

static void show_runs(struct diff *d)
{
	size_t shown = 0; // lines before this one are told, or left out

	for (size_t i = 0; i < d->runs.count; i++) {
		const struct diff_run *run = &d->runs.items[i];
		size_t from = run->before - least(run->before, CONTEXT);

		if (d->lines + 3 >= PREVIEW_LINES) {
			d->gone += run->before_count;
			d->fresh += run->after_count;
			continue;
		}
		if (i == 0 || from > shown + CONTEXT) { // else the lines in between are all shown
			if (i > 0)
				show_same(d, shown, shown + CONTEXT);
			buffer_printf(d->out, "@ line %zu before, %zu after\n", run->before + 1, run->after + 1);
			d->lines++;
		} else {
			from = shown;
		}
		show_same(d, from, run->before);
		show_run(d, run, PREVIEW_LINES > d->lines + 2 ? PREVIEW_LINES - d->lines - 2 : 1);
		shown = run->before + run->before_count;
	}
	if (d->gone + d->fresh == 0)
		show_same(d, shown, least(shown + CONTEXT, d->before.count));
	left_out(d, d->gone, d->fresh, "further on");
}

static void summary(struct diff *d, const struct preview_content *before, const struct preview_content *after)
{
	uint64_t gone = 0, fresh = 0;

	for (size_t i = 0; i < d->runs.count; i++) {
		gone += d->runs.items[i].before_count;
		fresh += d->runs.items[i].after_count;
	}
	buffer_add_string(d->out, d->gave_up ? "@ at most " : "@ ");
	add_count(d->out, gone, "no line gone", "gone");
	buffer_add_string(d->out, ", ");
	add_count(d->out, fresh, "none new", "new");
	buffer_add_string(d->out, " (");
	text_size(d->out, before->size_bytes);
	buffer_add_string(d->out, " before, ");
	text_size(d->out, after->size_bytes);
	buffer_add_string(d->out, d->gave_up ? " after; too much differs to be compared to the end)\n" : " after)\n");
	d->lines++;
	d->is_cut = d->is_cut || d->gave_up;
}

static int write_diff(const struct preview_content *before, const struct preview_content *after, struct buffer *out, bool *ret_is_cut)
{
	struct diff d = {.out = out};
	int result = -1;

	if (line_diff_split(before->bytes, before->length, &d.before) == 0 && line_diff_split(after->bytes, after->length, &d.after) == 0 &&
	    line_diff_find(&d.before, &d.after, &d.runs, &d.gave_up) == 0) {
		summary(&d, before, after);
		show_runs(&d);
		*ret_is_cut = d.is_cut;
		result = 0;
	}
	diff_lines_release(&d.before);
	diff_lines_release(&d.after);
	diff_runs_release(&d.runs);
	return result;
}

// ---- one content only

static int write_lines(const struct preview_content *c, const char *glyph, struct buffer *out, bool *ret_is_cut)
{
	struct diff d = {.out = out};
	int result = line_diff_split(c->bytes, c->length, &d.before);

	if (result == 0) {
		for (size_t i = 0; i < d.before.count && d.lines < PREVIEW_LINES - 2; i++)
			show(&d, glyph, &d.before.items[i], 0);
		if (d.before.count > d.lines) {
			buffer_add_string(out, "@ ");
			add_count(out, d.before.count - d.lines, "", "more");
			buffer_add_byte(out, '\n');
			d.is_cut = true;
		}
		*ret_is_cut = d.is_cut;
	}
	diff_lines_release(&d.before);
	return result;
}

static int write_one(const struct preview_content *c, bool is_new, struct buffer *out, struct preview_result *result)
{
	const char *glyph = is_new ? "+ " : "- ";

	buffer_add_string(out, is_new ? "@ appeared: " : "@ gone: ");
	text_size(out, c->size_bytes);
	buffer_add_byte(out, '\n');
	if (c->length == 0)
		return 0;
	result->is_hex = !is_text(c);
	if (!result->is_hex)
		return write_lines(c, glyph, out, &result->is_cut);
	preview_hex_one(c, glyph, PREVIEW_LINES - 2, out, &result->is_cut);
	return 0;
}

// ----

static bool is_whole(const struct preview_content *c)
{
	return c->length == c->size_bytes;
}

static int write_two(const struct preview_content *a, const struct preview_content *b, struct buffer *out, struct preview_result *result)
{
	bool is_same = a->length == b->length && (a->length == 0 || memcmp(a->bytes, b->bytes, a->length) == 0);

	result->is_same = is_same && is_whole(a) && is_whole(b);
	if (is_same) {
		buffer_add_string(out, result->is_same ? "@ the same bytes, " : "@ no difference in what was compared, ");
		text_size(out, a->length);
		buffer_add_byte(out, '\n');
		return 0;
	}
	result->is_hex = !is_text(a) || !is_text(b);
	if (!result->is_hex)
		return write_diff(a, b, out, &result->is_cut);
	preview_hex_two(a, b, PREVIEW_LINES - 2, out, &result->is_cut);
	return 0;
}

static void not_brought(const struct preview_content *c, const char *which, struct buffer *out, struct preview_result *result)
{
	if (!c->there || c->length >= c->size_bytes)
		return;
	buffer_printf(out, "@ only the first ");
	text_size(out, c->length);
	buffer_printf(out, " of the content %s were looked at\n", which);
	result->is_cut = true;
}

int preview_write(const struct preview_content *before, const struct preview_content *after, struct buffer *out,
		  struct preview_result *ret, struct error *err)
{
	struct preview_content a = looked_at(before), b = looked_at(after);
	struct preview_result result = {0};
	int status = 0;

	if (a.there && b.there)
		status = write_two(&a, &b, out, &result);
	else if (a.there || b.there)
		status = write_one(a.there ? &a : &b, b.there, out, &result);
	else
		buffer_add_string(out, "@ not there, neither before nor after\n");
	not_brought(&a, "before", out, &result);
	not_brought(&b, "after", out, &result);
	if (status < 0)
		return error_set(err, "out of memory");
	if (out->length > 0)
		out->bytes[--out->length] = '\0'; // the last line feed
	if (buffer_check(out, err) < 0)
		return -1;
	*ret = result;
	return 0;
}
