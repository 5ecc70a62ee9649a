// SPDX-License-Identifier: MIT
// [HOST/]DEV=HISTORY[:PARTITION]
#include "cmd/witness_volume.h"

#include "base/memory.h"
#include "cmd/disk.h"

#include <stdlib.h>
#include <string.h>

#define DEV_MINOR_BITS 20u /* linux/kdev_t.h, as in ingest/slot_path.c */
#define MAX_MAJOR 0xfffu
#define MAX_MINOR 0xfffffu

// Hexadecimal digits up to `stop`; moves *at onto it.
static bool hexadecimal(const char **at, const char *stop, uint32_t largest, uint32_t *ret)
{
	uint32_t n = 0;
	const char *begin = *at;

	for (; *at < stop; (*at)++) {
		const char *digits = "0123456789abcdef0123456789ABCDEF", *digit = **at ? strchr(digits, **at) : NULL;

		if (!digit)
			break;
		n = n << 4 | ((uint32_t)(digit - digits) & 15u);
		if (n > largest)
			return false;
	}
	*ret = n;
	return *at > begin;
}

static bool device(const char *at, const char *end, uint32_t *ret)
{
	uint32_t major, minor;

	if (!hexadecimal(&at, end, MAX_MAJOR, &major) || at == end || *at++ != ':' || !hexadecimal(&at, end, MAX_MINOR, &minor) || at != end)
		return false;
	*ret = major << DEV_MINOR_BITS | minor;
	return true;
}

int witness_parse(const char *text, struct witness_mapping *ret, struct error *err)
{
	const char *equals = strchr(text, '='), *slash = NULL;
	struct witness_mapping m = {.partition = -1};

	for (const char *at = text; equals && at < equals; at++)
		if (*at == '/')
			slash = at;
	if (!equals || slash == text || !device(slash ? slash + 1 : text, equals, &m.dev))
		return error_set(err, "--disk %s: with an alert, which device of the log is it? --disk DEV=HISTORY, DEV as the log prints it (dev=fe:10)", text);
	if (slash) {
		m.host = strndup(text, (size_t)(slash - text));
		if (!m.host)
			return error_set(err, "out of memory");
	}
	struct error reason;

	if (disk_split_history(equals + 1, &m.history, &m.partition, &reason) < 0) {
		witness_mapping_release(&m);
		return error_set(err, "--disk %s: %s", text, reason.message);
	}
	*ret = m;
	return 0;
}

void witness_mapping_release(struct witness_mapping *m)
{
	free(m->host);
	free(m->history);
	m->host = m->history = NULL;
}
