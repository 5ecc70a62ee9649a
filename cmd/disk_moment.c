// SPDX-License-Identifier: MIT
// TIME as people type it, against a history.
#include "cmd/disk.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "cmd/disk_ask.h"
#include "snapshots/history.h"
#include "snapshots/timeline.h"

#include <inttypes.h>
#include <stdlib.h>
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

// ---- the guest's clock

static int ask_clock(const struct disk_options *o, struct timeline_clock *ret, struct buffer *warnings, struct error *err)
{
	struct timeline_file volume = {.history = o->history, .partition = o->partition, .warnings = warnings};
	struct history_facts facts;
	struct history *h;

	if (history_open(o->history, &h, err) < 0)
		return -1;
	int result = history_facts(h, &facts, err);

	if (result == 0)
		result = timeline_clock(&volume, 0, facts.last_seq, ret, err);
	if (result > 0)
		result = error_set(err, "%s: nothing on this disk tells the guest's time: give the host's, without --guest-time", o->history);
	history_free(h);
	return result;
}

int disk_clock_load(struct disk_options *o, struct error *err)
{
	struct buffer warnings AUTO_RELEASE_BUFFER = {0};
	struct timeline_clock *clock = calloc(1, sizeof(*clock));

	if (!clock)
		return error_set(err, "out of memory");
	int result = ask_clock(o, clock, &warnings, err);

	disk_ask_warn(o, &warnings);
	if (result < 0)
		free(clock);
	else
		o->guest_clock = clock;
	return result;
}

void disk_clock_free(struct timeline_clock *clock)
{
	if (clock)
		timeline_clock_release(clock);
	free(clock);
}

// What the guest's clock makes of a time, in words for people.
static void note_guest_time(const char *text, const struct disk_options *o, bool twice, bool skipped, uint64_t host_ns, uint64_t error_ns)
{
	struct buffer when AUTO_RELEASE_BUFFER = {0};

	nanotime_format(&when, host_ns, NANOTIME_FULL, o->zone);
	report_line("%s by the guest's clock is %s by the host's, +-%" PRIu64 ".%06" PRIu64 " s%s%s", text, buffer_string(&when), error_ns / NANOTIME_SECOND,
		    error_ns % NANOTIME_SECOND / 1000, twice ? "; the guest's clock was set back and showed it before, too: this is the last time" : "",
		    skipped ? "; the guest's clock was set forward over it and never showed it: this is when" : "");
}

static int from_guest_time(const char *text, const struct disk_options *o, bool silent, uint64_t *time_ns, struct error *err)
{
	uint64_t host_ns, error_ns, back_ns, ignored;
	int result = timeline_clock_to_host(o->guest_clock, *time_ns, &host_ns, &error_ns);

	if (result < 0 || timeline_clock_to_guest(o->guest_clock, host_ns, &back_ns, &ignored) < 0)
		return error_set(err, "%s: nothing tells what the guest's clock showed then; give the host's time, without --guest-time", text);
	if (!silent && !o->quiet)
		note_guest_time(text, o, result == 1, back_ns > *time_ns && back_ns - *time_ns > error_ns, host_ns, error_ns);
	*time_ns = host_ns;
	return 0;
}

int disk_time(const char *text, const struct disk_options *o, bool silent, uint64_t *ret_ns, struct error *err)
{
	struct buffer first AUTO_RELEASE_BUFFER = {0};
	bool ambiguous = false;
	uint64_t time_ns;

	if (nanotime_parse(text, o->zone, o->now_ns, &time_ns, &ambiguous, err) < 0)
		return -1;
	if (ambiguous && !silent && !o->quiet) {
		nanotime_format(&first, time_ns, NANOTIME_FULL, o->zone);
		report_line("%s: the clocks were put back, so there were two; taking the first, %s", text, buffer_string(&first));
	}
	if (o->guest_clock && from_guest_time(text, o, silent, &time_ns, err) < 0)
		return -1;
	*ret_ns = time_ns;
	return 0;
}

int disk_moment(struct history *h, const char *text, const struct disk_options *o, uint64_t *ret_seq, struct error *err)
{
	uint64_t time_ns;

	if (strncmp(text, "seq:", 4) == 0)
		return numbered(h, text, ret_seq, err);
	if (disk_time(text, o, false, &time_ns, err) < 0 || history_moment(h, time_ns, ret_seq, err) < 0)
		return -1;
	return *ret_seq == 0 ? note_unrecorded(h, text, o, err) : 0;
}
