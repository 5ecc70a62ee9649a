// SPDX-License-Identifier: MIT
// Any bytes through every escaper: what comes out obeys its place, and making it visible twice changes nothing.
#include "base/text.h"
#include "base/text_unicode.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

// Valid UTF-8 of characters that show something.
static void require_visible(const struct buffer *b)
{
	const unsigned char *p = (const unsigned char *)b->bytes;

	for (size_t at = 0; at < b->length;) {
		uint32_t code;
		size_t used = unicode_decode(p + at, b->length - at, &code);

		require(used > 0 && !unicode_is_hidden(code));
		at += used;
	}
}

static void check_xml(const uint8_t *data, size_t size)
{
	struct buffer out = {0};

	text_xml(&out, data, size);
	require_visible(&out);
	for (size_t i = 0; i < out.length; i++)
		require(!strchr("<>\"'", out.bytes[i]));
	buffer_release(&out);
}

// A cell is either bare, without any of the characters that mean something, or quoted with every quote doubled.
static void check_csv(const uint8_t *data, size_t size)
{
	struct buffer out = {0};

	text_csv(&out, data, size, false);
	require_visible(&out);
	if (out.length > 0 && out.bytes[0] == '"') {
		require(out.length >= 2 && out.bytes[out.length - 1] == '"');
		require(!strchr("=+-@", out.bytes[1]));
		for (size_t i = 1; i + 1 < out.length; i++)
			if (out.bytes[i] == '"')
				require(i + 2 < out.length && out.bytes[++i] == '"');
	} else if (out.length > 0) {
		require(!strchr("=+-@", out.bytes[0]));
		require(!memchr(out.bytes, ',', out.length) && !memchr(out.bytes, '"', out.length));
	}
	buffer_release(&out);
}

static void check_json(const uint8_t *data, size_t size)
{
	struct buffer out = {0};
	bool lossy;

	text_json(&out, data, size, &lossy);
	require(out.length >= 2 && out.bytes[0] == '"' && out.bytes[out.length - 1] == '"');
	for (size_t i = 1; i + 1 < out.length; i++) {
		require((unsigned char)out.bytes[i] >= 0x20 && out.bytes[i] != '"');
		if (out.bytes[i] == '\\')
			require(strchr("\\\"u", out.bytes[++i]) != NULL);
	}
	buffer_release(&out);
}

static void check_shell(const uint8_t *data, size_t size)
{
	struct buffer out = {0};
	bool exact, quoted = false;

	text_shell(&out, data, size, &exact);
	require(out.length > 0);
	for (size_t i = 0; i < out.length; i++) {
		if (out.bytes[i] == '\'')
			quoted = !quoted;
		else if (!quoted && out.bytes[i] == '\\')
			require(i + 1 < out.length && out.bytes[++i] == '\'');
		else if (!quoted)
			require(!strchr(" \t\n$`&|;<>()*?[]{}~!#\"\\", out.bytes[i]));
	}
	require(!quoted);
	buffer_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer once = {0}, twice = {0}, cut = {0}, more = {0};
	uint8_t *bytes = malloc(size / 2 + 1);

	text_visible(&once, data, size);
	require_visible(&once);
	text_visible(&twice, buffer_string(&once), once.length);
	require(once.length == twice.length && (once.length == 0 || memcmp(once.bytes, twice.bytes, once.length) == 0));
	for (size_t cells = 0; cells < 30; cells += 7) {
		buffer_clear(&cut);
		text_cut_middle(&cut, buffer_string(&once), once.length, cells);
		require_visible(&cut);
		require(text_cells(buffer_string(&cut), cut.length) <= cells);
	}
	check_xml(data, size);
	check_csv(data, size);
	check_json(data, size);
	check_shell(data, size);
	text_dot(&more, data, size);
	require_visible(&more);
	text_base64(&more, data, size);
	if (bytes && size > 0)
		(void)text_unhex(bytes, (const char *)data, size);
	free(bytes);
	buffer_release(&once);
	buffer_release(&twice);
	buffer_release(&cut);
	buffer_release(&more);
	return 0;
}
