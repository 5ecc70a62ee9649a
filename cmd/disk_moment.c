// SPDX-License-Identifier: MIT
// TIME as people type it, against a history.
#include "cmd/disk.h"

#include "base/buffer.h"
#include "snapshots/history.h"

#include <inttypes.h>
#include <string.h>

static int numbered(struct history *h, const char *text, uint64_t *ret_seq, struct error *err)
{
	const char *digits = text + 4;
	size_t length = strspn(digits, "0123456789");
	struct history_facts facts;
	uint64_t n = 0;

	for (size_t i = 0; i < length && length <= 19; i++)
		n = n * 10 + (uint64_t)(digits[i] - '0');
	if (length == 0 || length > 19 || digits[length])
		return error_set(err, "%s: is no number of a state", text);
	if (history_facts(h, &facts, err) < 0)
		return -1;
	if (n > facts.last_seq)
		return error_set(err, "%s: has not been recorded; the last is seq:%" PRIu64, text, facts.last_seq);
	*ret_seq = n;
	return 0;
}

// An empty disk answers "no file system" to everything: say first that the question lies outside of what was recorded.
static int note_unrecorded(struct history *h, const char *text, const struct disk_options *o, struct error *err)
{
	struct buffer first AUTO_RELEASE_BUFFER = {0};
	struct history_facts facts;

	if (o->quiet)
		return 0;
	if (history_facts(h, &facts, err) < 0)
		return -1;
	if (facts.last_seq == 0) {
		report_line("%s: nothing has been recorded yet", o->history);
		return 0;
	}
	nanotime_format(&first, facts.first_ns, NANOTIME_FULL, o->zone);
	report_line("%s: before the first record, %s: the disk as it was when recording began", text, buffer_string(&first));
	return 0;
}

int disk_moment(struct history *h, const char *text, const struct disk_options *o, uint64_t *ret_seq, struct error *err)
{
	struct buffer first AUTO_RELEASE_BUFFER = {0};
	uint64_t time_ns;
	bool ambiguous = false;

	if (strncmp(text, "seq:", 4) == 0)
		return numbered(h, text, ret_seq, err);
	if (nanotime_parse(text, o->zone, o->now_ns, &time_ns, &ambiguous, err) < 0)
		return -1;
	if (ambiguous && !o->quiet) {
		nanotime_format(&first, time_ns, NANOTIME_FULL, o->zone);
		report_line("%s: the clocks were put back, so there were two; taking the first, %s", text, buffer_string(&first));
	}
	if (history_moment(h, time_ns, ret_seq, err) < 0)
		return -1;
	return *ret_seq == 0 ? note_unrecorded(h, text, o, err) : 0;
}
