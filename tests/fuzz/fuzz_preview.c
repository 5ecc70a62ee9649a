// SPDX-License-Identifier: MIT
// Two contents, cut out of one input: their preview is bounded, visible, and every line of it says whose it is.
#include "base/text.h"
#include "base/text_unicode.h"
#include "graph/preview.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void require_line(const char *line, size_t length)
{
	require(length >= 2 && strchr("@ -+", line[0]) != NULL && line[1] == ' ');
	require(text_cells(line, length) <= PREVIEW_CELLS + 2);
	for (size_t at = 0; at < length;) {
		uint32_t code;
		size_t used = unicode_decode((const unsigned char *)line + at, length - at, &code);

		require(used > 0 && !unicode_is_hidden(code));
		at += used;
	}
}

static void check(const struct preview_content *before, const struct preview_content *after)
{
	struct buffer out = {0}, again = {0};
	struct preview_result result = {0}, second = {0};
	struct error err = {0};
	size_t lines = 0;

	require(preview_write(before, after, &out, &result, &err) == 0);
	require(preview_write(before, after, &again, &second, &err) == 0);
	require(out.length == again.length && memcmp(out.bytes, again.bytes, out.length) == 0);
	require(result.is_hex == second.is_hex && result.is_cut == second.is_cut && result.is_same == second.is_same);
	for (size_t at = 0; at < out.length; lines++) {
		size_t length = strcspn(out.bytes + at, "\n");

		require_line(out.bytes + at, length);
		at += length + 1;
	}
	require(lines >= 1 && lines <= PREVIEW_LINES + 4 && out.bytes[out.length - 1] != '\n');
	bool same = before->there && after->there && before->length == before->size_bytes && after->length == after->size_bytes &&
		    before->length == after->length && memcmp(before->bytes, after->bytes, after->length) == 0;
	require(result.is_same == same);
	buffer_release(&out);
	buffer_release(&again);
}

// First byte: which sides are there, and whether all of them was brought. Second: where the input is cut, in 256ths.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	size_t rest = size - 2, cut = rest * data[1] / 256;
	struct preview_content before = {!(data[0] & 1), data + 2, cut, cut + (data[0] & 4 ? 4096 : 0)};
	struct preview_content after = {!(data[0] & 2), data + 2 + cut, rest - cut, rest - cut + (data[0] & 8 ? 1 : 0)};

	check(&before, &after);
	check(&after, &before);
	// One that shares most with the other, as a changed log does.
	after = (struct preview_content){true, data + 2, rest, rest};
	check(&before, &after);
	return 0;
}
