// SPDX-License-Identifier: MIT
#include "ingest/log_record.h"

#include "ingest/record.h"

#include <string.h>

bool log_record_read(const char *line, size_t length, struct log_record *ret)
{
	struct record record;

	if (length > RECORD_MAX_BYTES || record_parse(line, length, &record))
		return false;
	const char *text = record.type - strlen("type="), *end = record.body + record_raw_length(record.body, record.body_length);

	while (end > record.body && (end[-1] == ' ' || end[-1] == '\r'))
		end--;
	*ret = (struct log_record){.node = record.node, .node_length = record.node_length, .text = text, .text_length = (size_t)(end - text),
				   .head_length = (size_t)(record.body - text), .time_ns = record.time_ns, .serial = record.serial};
	if (end - record.body > 5 && memcmp(record.body, "item=", 5) == 0) {
		const char *space = memchr(record.body, ' ', (size_t)(end - record.body));

		ret->item = record.body;
		ret->item_length = (size_t)((space ? space : end) - record.body);
	}
	return true;
}
