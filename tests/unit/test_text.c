// SPDX-License-Identifier: MIT
// Every escaper against every hostile string: what comes out is safe for its place, and a reader of that place gets it back.
#include "base/text.h"

#include "base/memory.h"
#include "tests/unit/hostile_strings.h"
#include "tests/unit/unit.h"

#include <json-c/json.h>
#include <stdbool.h>

static struct buffer made;

static const char *visible(const char *bytes, size_t length)
{
	buffer_clear(&made);
	text_visible(&made, bytes, length);
	return buffer_string(&made);
}
#define VISIBLE(literal) visible(literal, sizeof(literal) - 1)

static void test_visible(void)
{
	CHECK_STRING(VISIBLE("plain /usr/bin ~"), "plain /usr/bin ~");
	CHECK_STRING(VISIBLE("a\0b\x1b\x7f"), "a\\x00b\\x1b\\x7f");
	CHECK_STRING(VISIBLE("\xff\xc0\xaf"), "\\xff\\xc0\\xaf");
	CHECK_STRING(VISIBLE("\xe3\x81"), "\\xe3\\x81");
	CHECK_STRING(VISIBLE("\xc2\x9b\xe2\x80\xae"), "\\u009b\\u202e");
	CHECK_STRING(VISIBLE("\xed\xa0\x80"), "\\ud800");
	CHECK_STRING(VISIBLE("\xef\xbb\xbf\xef\xbf\xbf"), "\\ufeff\\uffff");
	CHECK_STRING(VISIBLE("\xf3\xa0\x81\x81"), "\\u{e0041}");
	CHECK_STRING(VISIBLE("\xf0\x9f\xbf\xbe"), "\\u{1fffe}");
	CHECK_STRING(VISIBLE("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
	CHECK_STRING(VISIBLE("caf\xc3\xa9 \xf0\x9f\x98\x80"), "caf\xc3\xa9 \xf0\x9f\x98\x80");
}

// No byte that a terminal or an XML parser could object to. Decodes UTF-8 in its own way.
static bool is_harmless(const char *s, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c < 0x20 || c == 0x7f)
			return false;
		if (c == 0xc2 && (unsigned char)s[i + 1] < 0xa0)
			return false; // C1
		if (c == 0xe2 && (unsigned char)s[i + 1] == 0x80 && (unsigned char)s[i + 2] >= 0xa8 && (unsigned char)s[i + 2] <= 0xae)
			return false; // line and paragraph separators, direction
		if (c == 0xef && (unsigned char)s[i + 1] == 0xbf && (unsigned char)s[i + 2] >= 0xb0)
			return false; // specials and non-characters
		if (c == 0xed && (unsigned char)s[i + 1] >= 0xa0)
			return false; // surrogates
		if (c == 0xc0 || c == 0xc1 || c >= 0xf5)
			return false;
	}
	return true;
}

static size_t unescape_xml(const char *s, char *out)
{
	static const struct {
		const char *entity;
		char c;
	} entities[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#39;", '\''}};
	size_t length = 0;

	while (*s) {
		size_t i = 0;

		if (*s != '&') {
			out[length++] = *s++;
			continue;
		}
		while (i < ARRAY_LENGTH(entities) && strncmp(s, entities[i].entity, strlen(entities[i].entity)) != 0)
			i++;
		CHECK(i < ARRAY_LENGTH(entities));
		if (i == ARRAY_LENGTH(entities))
			break;
		out[length++] = entities[i].c;
		s += strlen(entities[i].entity);
	}
	out[length] = '\0';
	return length;
}

// RFC 4180, one cell.
static void read_csv(const char *s, char *out)
{
	size_t length = 0;

	if (*s != '"') {
		(void)strcpy(out, s);
		CHECK(!strpbrk(s, ",\"\r\n"));
		return;
	}
	for (s++; *s; s++) {
		if (*s == '"' && *++s != '"')
			break;
		out[length++] = *s;
	}
	CHECK_EQUAL(*s, 0);
	out[length] = '\0';
}

static void check_xml(const struct hostile_string *h, const char *want)
{
	struct buffer xml = {0};
	char back[1024];

	text_xml(&xml, h->bytes, h->length);
	CHECK(!strpbrk(buffer_string(&xml), "<>\"'"));
	CHECK(is_harmless(buffer_string(&xml), xml.length));
	(void)unescape_xml(buffer_string(&xml), back);
	CHECK_STRING(back, want);
	buffer_release(&xml);
}

static void check_csv(const struct hostile_string *h, const char *want)
{
	struct buffer csv = {0}, raw = {0};
	char back[1024];

	text_csv(&csv, h->bytes, h->length, false);
	text_csv(&raw, h->bytes, h->length, true);
	read_csv(buffer_string(&csv), back);
	CHECK(back[0] == '\0' || !strchr("=+-@\t\r", back[0]));
	CHECK_STRING(back + (strcmp(back, want) != 0 && back[0] == '\''), want);
	read_csv(buffer_string(&raw), back);
	CHECK_STRING(back, want);
	buffer_release(&csv);
	buffer_release(&raw);
}

static void check_json(const struct hostile_string *h)
{
	struct buffer json = {0};
	bool lossy;

	text_json(&json, h->bytes, h->length, &lossy);
	CHECK(is_harmless(buffer_string(&json), json.length) || lossy); // U+FFFD is the one special it writes
	struct json_tokener *parser = json_tokener_new();

	json_tokener_set_flags(parser, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	struct json_object *parsed = json_tokener_parse_ex(parser, buffer_string(&json), (int)json.length + 1);
	CHECK(parsed && json_object_is_type(parsed, json_type_string));
	if (parsed && !lossy) {
		CHECK_EQUAL(json_object_get_string_len(parsed), h->length);
		CHECK(memcmp(json_object_get_string(parsed), h->bytes, h->length) == 0);
	}
	if (parsed)
		json_object_put(parsed);
	json_tokener_free(parser);
	buffer_release(&json);
}

static void check_dot(const struct hostile_string *h, const char *want)
{
	struct buffer dot = {0}, shown = {0};

	text_dot(&dot, h->bytes, h->length);
	for (const char *s = buffer_string(&dot); *s; s++) {
		CHECK(*s != '"');
		if (*s == '\\') {
			s++;
			CHECK(*s == '\\' || *s == '"');
		} else if (*s == '&') {
			CHECK(strncmp(s, "&amp;", 5) == 0);
			s += 4;
			buffer_add_byte(&shown, '&');
			continue;
		}
		buffer_add_byte(&shown, *s);
	}
	CHECK_STRING(buffer_string(&shown), want);
	buffer_release(&dot);
	buffer_release(&shown);
}

static void check_shell(const struct hostile_string *h, const char *want)
{
	struct buffer quoted = {0}, command = {0};
	char back[1024];
	bool exact;

	text_shell(&quoted, h->bytes, h->length, &exact);
	CHECK_EQUAL(exact, h->length == strlen(want) && memcmp(h->bytes, want, h->length) == 0);
	buffer_printf(&command, "printf '%%s' %s", buffer_string(&quoted));
	FILE *shell = popen(buffer_string(&command), "r");
	size_t got = shell ? fread(back, 1, sizeof(back) - 1, shell) : 0;

	back[got] = '\0';
	CHECK(shell && pclose(shell) == 0);
	CHECK_STRING(back, want);
	buffer_release(&quoted);
	buffer_release(&command);
}

static void test_hostile(void)
{
	for (size_t i = 0; i < ARRAY_LENGTH(hostile_strings); i++) {
		const struct hostile_string *h = &hostile_strings[i];
		struct buffer want = {0}, terminal = {0};

		text_visible(&want, h->bytes, h->length);
		text_terminal(&terminal, h->bytes, h->length);
		CHECK(is_harmless(buffer_string(&terminal), terminal.length));
		check_xml(h, buffer_string(&want));
		check_csv(h, buffer_string(&want));
		check_json(h);
		check_dot(h, buffer_string(&want));
		check_shell(h, buffer_string(&want));
		buffer_release(&want);
		buffer_release(&terminal);
	}
	CHECK(ARRAY_LENGTH(hostile_strings) >= 23);
}

// Every single character of Unicode: valid, harmless, and the same again when it is shown twice.
static void test_all_characters(void)
{
	struct buffer once = {0}, twice = {0};

	for (uint32_t code = 0; code <= 0x110000; code += code < 0x3000 ? 1 : 7) {
		char bytes[4];
		size_t n = 0;

		if (code < 0x80) {
			bytes[n++] = (char)code;
		} else {
			size_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;

			bytes[n++] = (char)((0xf00u >> more & 0xffu) | code >> (6 * more));
			while (more > 0)
				bytes[n++] = (char)(0x80 | (code >> (6 * --more) & 0x3f));
		}
		buffer_clear(&once);
		buffer_clear(&twice);
		text_visible(&once, bytes, n);
		text_visible(&twice, once.bytes, once.length);
		if (once.length != twice.length || strcmp(once.bytes, twice.bytes) != 0 || !is_harmless(once.bytes, once.length)) {
			fprintf(stderr, "U+%04X is shown as %s\n", code, once.bytes);
			unit_failures++;
		}
	}
	buffer_release(&once);
	buffer_release(&twice);
}

static const char *cut(const char *s, size_t cells)
{
	buffer_clear(&made);
	text_cut_middle(&made, s, strlen(s), cells);
	return buffer_string(&made);
}

static void test_cells(void)
{
	CHECK_EQUAL(text_cells("abc", 3), 3);
	CHECK_EQUAL(text_cells("\xe3\x83\x95\xe3\x82\xa1", 6), 4);
	CHECK_EQUAL(text_cells("e\xcc\x81", 3), 1);
	CHECK_EQUAL(text_cells("\xf0\x9f\x98\x80", 4), 2);
	CHECK_STRING(cut("short", 5), "short");
	CHECK_STRING(cut("/usr/lib/python3.11/site.py", 10), "/us\u2026ite.py");
	CHECK_STRING(cut("abcdef", 1), "\u2026");
	CHECK_STRING(cut("abcdef", 0), "");
	for (size_t cells = 0; cells < 20; cells++) {
		const char *wide = "\xe3\x83\x95\xe3\x82\xa1\xe3\x82\xa4\xe3\x83\xab\xe5\x90\x8d\xe5\x89\x8d ascii";

		CHECK(text_cells(cut(wide, cells), made.length) <= cells);
	}
}

static void check_split(const char *path, const char *base, const char *folder)
{
	const char *got_base;
	size_t base_length, folder_length;

	text_split_path(path, strlen(path), &got_base, &base_length, &folder_length);
	CHECK(base_length == strlen(base) && memcmp(got_base, base, base_length) == 0);
	CHECK(folder_length == strlen(folder) && memcmp(path, folder, folder_length) == 0);
}

static void test_small(void)
{
	uint8_t bytes[4];

	check_split("/usr/bin/python3", "python3", "/usr/bin");
	check_split("/usr/", "usr", "/");
	check_split("/", "/", "/");
	check_split("name", "name", "");
	check_split("a//b", "b", "a");
	check_split("", "", "");
	CHECK(text_unhex(bytes, "00fFA5", 6) && bytes[1] == 0xff && bytes[2] == 0xa5);
	CHECK(!text_unhex(bytes, "0", 1) && !text_unhex(bytes, "0g", 2));
	buffer_clear(&made);
	text_count(&made, 18204);
	buffer_add_byte(&made, ' ');
	text_count(&made, 1000000);
	buffer_add_byte(&made, ' ');
	text_count(&made, 999);
	CHECK_STRING(buffer_string(&made), "18,204 1,000,000 999");
	buffer_clear(&made);
	text_size(&made, 0);
	text_size(&made, 4200);
	text_size(&made, 1887437);
	text_size(&made, UINT64_MAX);
	CHECK_STRING(buffer_string(&made), "0 B4.1 KiB1.7 MiB15.9 EiB");
	buffer_clear(&made);
	text_base64(&made, "M", 1);
	text_base64(&made, "Ma", 2);
	text_base64(&made, "\xff\xfe\xfd", 3);
	CHECK_STRING(buffer_string(&made), "TQ==TWE=//79");
}

int main(void)
{
	test_visible();
	test_hostile();
	test_all_characters();
	test_cells();
	test_small();
	buffer_release(&made);
	return unit_end();
}
