// SPDX-License-Identifier: MIT
// The table, read back as RFC 4180 says.
#include "graph/write.h"

#include "base/memory.h"
#include "base/text.h"
#include "tests/unit/hostile_pictures.h"
#include "tests/unit/unit.h"

#define COLUMNS 25
#define MAX_ROWS 64

struct table {
	char *cells[MAX_ROWS][COLUMNS];
	size_t lengths[MAX_ROWS][COLUMNS];
	size_t rows;
};

// False when the bytes are no table of COLUMNS columns with CRLF at each end.
static bool table_read(struct table *t, const struct buffer *csv)
{
	const char *at = csv->bytes, *end = csv->bytes + csv->length;

	memset(t, 0, sizeof(*t));
	for (t->rows = 0; at < end; t->rows++)
		for (size_t column = 0; column < COLUMNS; column++) {
			struct buffer cell = {0};
			bool quoted = at < end && *at == '"';

			for (at += quoted; at < end; at++) {
				if (quoted && *at == '"' && at + 1 < end && at[1] == '"')
					at++;
				else if (quoted ? *at == '"' : *at == ',' || *at == '\r')
					break;
				buffer_add_byte(&cell, *at);
			}
			at += quoted;
			t->cells[t->rows][column] = made(cell.length + 1);
			memcpy(t->cells[t->rows][column], buffer_string(&cell), cell.length);
			t->lengths[t->rows][column] = cell.length;
			buffer_release(&cell);
			if (t->rows == MAX_ROWS || at >= end || (column + 1 < COLUMNS ? *at++ != ',' : *at++ != '\r' || at >= end || *at++ != '\n'))
				return false;
		}
	return true;
}

static const char *cell(const struct table *t, size_t row, const char *column)
{
	for (size_t i = 0; i < COLUMNS; i++)
		if (strcmp(t->cells[0][i], column) == 0)
			return t->cells[row][i];
	return "(no such column)";
}

static void test_incident(void)
{
	struct picture *p = made_incident();
	struct buffer out = {0};
	struct table t;

	CHECK_EQUAL(write_csv(p, false, &out, NULL), 0);
	CHECK(table_read(&t, &out));
	CHECK_EQUAL(t.rows, 1 + p->edges.count + p->missing.count);
	CHECK_STRING(cell(&t, 2, "record"), "edge");
	CHECK_STRING(cell(&t, 2, "time"), "2026-11-20T10:04:37.080+09:00");
	CHECK_STRING(cell(&t, 2, "count"), "3");
	CHECK_STRING(cell(&t, 2, "op"), "create");
	CHECK_STRING(cell(&t, 2, "class"), "observed");
	CHECK_STRING(cell(&t, 2, "from_id"), "n2");
	CHECK_STRING(cell(&t, 2, "from_kind"), "process");
	CHECK_STRING(cell(&t, 2, "from_pid"), "2103");
	CHECK_STRING(cell(&t, 2, "to_full"), "/home/alice/Downloads/invoice.py");
	CHECK_STRING(cell(&t, 2, "to_pid"), "");
	CHECK_STRING(cell(&t, 2, "label"), "created, opened for writing x3");
	CHECK_STRING(cell(&t, 2, "host"), "ws-17");
	CHECK_STRING(cell(&t, 2, "on_path"), "yes");
	CHECK_STRING(cell(&t, 2, "step"), "1");
	CHECK_STRING(cell(&t, 2, "serials"), "1100 1101 1102");
	CHECK_STRING(cell(&t, 16, "step"), "10 11");
	// What is missing leaves with the table.
	CHECK_STRING(cell(&t, p->edges.count + 1, "record"), "missing");
	CHECK_STRING(cell(&t, p->edges.count + 1, "class"), "loss");
	CHECK_STRING(cell(&t, p->edges.count + 1, "label"), "41 serials never came (serials 8120 to 8160)");
	CHECK_STRING(cell(&t, p->edges.count + 2, "class"), "blind-spot");
	CHECK_STRING(cell(&t, p->edges.count + 2, "time"), "");
	CHECK_STRING(cell(&t, p->edges.count + 2, "to_full"), "'-a always,exit -F arch=b64 -S accept,accept4 -k provgraph-net");
	buffer_release(&out);
	made_free(p);
}

// Every string comes back as its visible form, with the ' where a spreadsheet would start a formula.
static void test_strings(bool raw)
{
	for (size_t i = 0; i < ARRAY_LENGTH(hostile_strings); i++) {
		struct picture *p = hostile_picture();
		struct buffer out = {0}, want = {0};
		struct table t;

		*place_of(p, PLACE_FILE_NAME) = made_bytes(hostile_strings[i].bytes, hostile_strings[i].length);
		*place_of(p, PLACE_EDGE_LABEL) = *place_of(p, PLACE_FILE_NAME);
		text_visible(&want, hostile_strings[i].bytes, hostile_strings[i].length);
		CHECK_EQUAL(write_csv(p, raw, &out, NULL), 0);
		CHECK(table_read(&t, &out));
		const char *got = cell(&t, 1, "to_name");
		bool formula = strchr("=+-@", buffer_string(&want)[0]) != NULL && want.length > 0;
		if (formula && !raw)
			CHECK(*got++ == '\'');
		CHECK_STRING(got, buffer_string(&want));
		buffer_release(&out);
		buffer_release(&want);
		made_free(p);
	}
}

int main(void)
{
	test_incident();
	test_strings(false);
	test_strings(true);
	return unit_end();
}
