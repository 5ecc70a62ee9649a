// SPDX-License-Identifier: MIT
#include "ingest/epoch.h"

#include "base/nanotime.h"

#include <stdbool.h>

#define INTERLEAVED_SERIALS 16384                /* lines of one boot stand out of order by less (16,338 lines measured) */
#define INTERLEAVED_NS (5 * NANOTIME_SECOND)     /* and by less than this (4.5 s measured) */

void epoch_walk_release(struct epoch_walk *walk)
{
	epoch_border_vector_release(&walk->borders);
}

static bool before(uint32_t log, uint64_t offset, uint32_t other_log, uint64_t other_offset)
{
	return log != other_log ? log < other_log : offset < other_offset;
}

// Whether (serial, ns), which stands before the other line, is of an older boot.
static bool older_boot(uint64_t serial, uint64_t ns, uint64_t later_serial, uint64_t later_ns)
{
	if (serial <= later_serial)
		return false;
	return serial > later_serial + INTERLEAVED_SERIALS || ns + INTERLEAVED_NS < later_ns;
}

// What scan() saw of this host at or after this place: the last mark that does not lie behind the place, else the first mark.
static const struct epoch_mark *mark_for(const struct epoch_walk *walk, uint32_t host, uint32_t log, uint64_t offset)
{
	const struct epoch_mark *best = NULL;
	const struct epoch_mark_vector *marks = &walk->source->epochs;

	for (size_t i = 0; i < marks->count; i++) {
		const struct epoch_mark *mark = &marks->items[i];

		if (mark->host == host && (!best || !before(log, offset, mark->log, mark->offset)))
			best = mark;
	}
	return best;
}

static struct epoch_border *oldest_border(const struct epoch_walk *walk, uint32_t host)
{
	for (size_t i = walk->borders.count; i > 0; i--) {
		if (walk->borders.items[i - 1].host == host)
			return &walk->borders.items[i - 1];
	}
	return NULL;
}

static int add_border(struct epoch_walk *walk, struct epoch_border border, struct error *err)
{
	return epoch_border_vector_append(&walk->borders, border) < 0 ? error_set(err, "out of memory") : 0;
}

int epoch_walk_line(struct epoch_walk *walk, uint32_t host, uint32_t log, uint64_t offset, uint64_t serial, uint64_t ns, struct error *err)
{
	const struct epoch_mark *mark = mark_for(walk, host, log, offset);
	struct epoch_border *oldest = oldest_border(walk, host);
	struct epoch_border border = { .host = host, .log = log, .offset = offset, .serial = serial, .ns = ns,
				       .newest_log = log, .newest_offset = offset };

	if (mark && !before(log, offset, mark->log, mark->offset))
		return 0; // inside of what scan() read: it knows
	if (!oldest) {
		border.epoch = mark ? mark->epoch : 0;
		if (mark && older_boot(serial, ns, mark->serial, mark->ns))
			border.epoch--;
		return add_border(walk, border, err);
	}
	if (older_boot(serial, ns, oldest->serial, oldest->ns)) {
		border.epoch = oldest->epoch - 1;
		return add_border(walk, border, err);
	}
	oldest->log = log;
	oldest->offset = offset;
	if (serial < oldest->serial) {
		oldest->serial = serial;
		oldest->ns = ns;
	}
	return 0;
}

uint32_t epoch_walk_of(const struct epoch_walk *walk, uint32_t host, uint32_t log, uint64_t offset, uint64_t serial, uint64_t ns)
{
	const struct epoch_mark *mark = mark_for(walk, host, log, offset);
	const struct epoch_border *later = NULL;

	if (mark && !before(log, offset, mark->log, mark->offset))
		return mark->epoch;
	for (size_t i = 0; i < walk->borders.count; i++) {
		const struct epoch_border *border = &walk->borders.items[i];

		if (border->host != host)
			continue;
		if (before(border->newest_log, border->newest_offset, log, offset) && later)
			break; // between two boots' known lines
		later = border;
		if (!before(log, offset, border->log, border->offset))
			return border->epoch;
	}
	if (!later) {
		uint32_t epoch = mark ? mark->epoch : 0;

		return mark && older_boot(serial, ns, mark->serial, mark->ns) ? epoch - 1 : epoch;
	}
	// Before the oldest line known of a boot the serial itself decides.
	return older_boot(serial, ns, later->serial, later->ns) ? later->epoch - 1 : later->epoch;
}
