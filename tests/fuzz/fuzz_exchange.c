// SPDX-License-Identifier: MIT
// Any bytes as a log of dm-log-writes: entries lie inside the file's numbers, and the cursor always moves on.
#include "snapshots/exchange.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *bytes;
	size_t length;
};

static int read_input(void *context, uint64_t offset, void *bytes, size_t length, size_t *ret_read, struct error *err)
{
	const struct input *in = context;
	size_t there = offset < in->length ? in->length - (size_t)offset : 0;

	(void)err;
	*ret_read = there < length ? there : length;
	if (*ret_read > 0)
		memcpy(bytes, in->bytes + offset, *ret_read);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct exchange_reader reader;
	struct input in = {data, size};
	struct exchange_entry e;
	struct error err;
	bool end = false;

	if (exchange_open(&reader, read_input, &in, "log", &err) < 0)
		return 0;
	for (uint64_t before = reader.position; exchange_next(&reader, &e, &end, &err) == 0 && !end; before = reader.position) {
		if (reader.position <= before || reader.position % reader.sector_bytes != 0)
			abort();
		if (e.offset_bytes + e.length_bytes < e.offset_bytes || e.text_length > sizeof(reader.text))
			abort();
		if (e.kind == EXCHANGE_WRITE && e.data_position + e.length_bytes != reader.position)
			abort();
	}
	return 0;
}
