// SPDX-License-Identifier: MIT
// Moments and spans as people type them.
#include "base/nanotime.h"

#include "base/memory.h"
#include "base/nanotime_zone.h"

#include <string.h>

#define MAX_SECONDS (NANOTIME_NONE / NANOTIME_SECOND - 1) /* 2554-07-21 */
#define MAX_TEXT 64                                        /* our limit: no form is longer */
#define RECENT_NS (600 * NANOTIME_SECOND)                  /* ten minutes, as ausearch(8) */

// What is left to read. Each take_ function moves on only when it succeeds.
struct cursor {
	const char *at, *end;
};

static bool take_byte(struct cursor *c, char byte)
{
	if (c->at == c->end || *c->at != byte)
		return false;
	c->at++;
	return true;
}

static bool at_digit(const struct cursor *c)
{
	return c->at < c->end && *c->at >= '0' && *c->at <= '9';
}

// All digits at the cursor, at least one. False on overflow too.
static bool take_number(struct cursor *c, uint64_t *ret)
{
	struct cursor probe = *c;
	uint64_t n = 0;

	if (!at_digit(&probe))
		return false;
	while (at_digit(&probe)) {
		uint64_t digit = (uint64_t)(*probe.at++ - '0');

		if (n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*c = probe;
	*ret = n;
	return true;
}

// Exactly `count` digits, not followed by another.
static bool take_digits(struct cursor *c, size_t count, unsigned *ret)
{
	struct cursor probe = *c;
	uint64_t n;

	if (!take_number(&probe, &n) || (size_t)(probe.at - c->at) != count)
		return false;
	*c = probe;
	*ret = (unsigned)n;
	return true;
}

// ".1" to ".123456789" as nanoseconds; nothing there is 0.
static bool take_fraction(struct cursor *c, uint64_t *ret_ns)
{
	struct cursor probe = *c;
	uint64_t ns = 0, unit = NANOTIME_SECOND;

	*ret_ns = 0;
	if (!take_byte(&probe, '.'))
		return true;
	while (at_digit(&probe) && unit > 1) {
		unit /= 10;
		ns += (uint64_t)(*probe.at++ - '0') * unit;
	}
	if (unit == NANOTIME_SECOND || at_digit(&probe))
		return false;
	*c = probe;
	*ret_ns = ns;
	return true;
}

static bool take_word(struct cursor *c, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0)
		return false;
	c->at += length;
	return true;
}

static bool at_end(const struct cursor *c)
{
	return c->at == c->end;
}

// One or more of NUMBER[.FRACTION]UNIT.
static bool take_duration(struct cursor *c, uint64_t *ret_ns)
{
	static const struct {
		const char *unit;
		uint64_t ns;
	} units[] = {
		{"ms", NANOTIME_MILLISECOND}, {"us", 1000}, {"ns", 1}, // before "m"
		{"s", NANOTIME_SECOND}, {"m", 60 * NANOTIME_SECOND}, {"h", 3600 * NANOTIME_SECOND},
		{"d", 86400 * NANOTIME_SECOND}, {"w", 7 * 86400 * NANOTIME_SECOND},
	};
	uint64_t total = 0;
	struct cursor probe = *c;

	do {
		uint64_t whole, fraction, unit_ns = 0;

		if (!take_number(&probe, &whole) || !take_fraction(&probe, &fraction))
			return false;
		for (size_t i = 0; i < ARRAY_LENGTH(units) && unit_ns == 0; i++)
			if (take_word(&probe, units[i].unit))
				unit_ns = units[i].ns;
		if (unit_ns == 0 || whole > NANOTIME_NONE / 2 / unit_ns)
			return false;
		// fraction < 1e9 and unit_ns <= 6.1e14: their product needs more than 64 bits.
		uint64_t part = (uint64_t)((unsigned __int128)fraction * unit_ns / NANOTIME_SECOND);

		if (part > NANOTIME_NONE / 2 - whole * unit_ns || total > NANOTIME_NONE / 2 - whole * unit_ns - part)
			return false;
		total += whole * unit_ns + part;
	} while (at_digit(&probe));
	*c = probe;
	*ret_ns = total;
	return true;
}

int nanotime_parse_duration(const char *text, uint64_t *ret_ns, struct error *err)
{
	struct cursor c = {text, text + strlen(text)};
	uint64_t ns;

	if (take_duration(&c, &ns) && at_end(&c)) {
		*ret_ns = ns;
		return 0;
	}
	c.at = text;
	if (take_number(&c, &ns) && at_end(&c))
		return error_set(err, "duration \"%s\": has no unit; did you mean %ss or %sm?", text, text, text);
	return error_set(err, "duration \"%.64s\": not understood; use for example 90s, 20m, 2h, 1d, 1h30m", text);
}

// A wall-clock time in a zone. Clocks that are put back make two moments of one time (the earlier is taken), clocks that are
// put forward make none.
static int resolve_local(int64_t wall_seconds, struct timezone_choice zone, int64_t *ret_seconds, bool *ret_ambiguous)
{
	// Offsets a day before and a day after: no zone changes twice in between.
	int32_t before = nanotime_offset_at(wall_seconds - 86400, zone), after = nanotime_offset_at(wall_seconds + 86400, zone);
	int64_t first = wall_seconds - before, second = wall_seconds - after;
	bool first_holds = nanotime_offset_at(first, zone) == before, second_holds = nanotime_offset_at(second, zone) == after;

	if (!first_holds && !second_holds)
		return -1;
	*ret_ambiguous = first_holds && second_holds && first != second;
	if (first_holds && second_holds)
		*ret_seconds = first < second ? first : second;
	else
		*ret_seconds = first_holds ? first : second;
	return 0;
}

static unsigned days_in_month(unsigned year, unsigned month)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

struct stamp {
	int64_t days;          // since 1970
	int64_t clock_seconds; // of the day
	uint64_t fraction_ns;
	bool has_offset;
	int32_t offset;
};

// HH:MM[:SS[.fraction]]
static bool take_clock(struct cursor *c, struct stamp *s)
{
	struct cursor probe = *c;
	unsigned hour, minute, second = 0;

	if (!take_digits(&probe, 2, &hour) || !take_byte(&probe, ':') || !take_digits(&probe, 2, &minute))
		return false;
	s->fraction_ns = 0;
	if (take_byte(&probe, ':') && (!take_digits(&probe, 2, &second) || !take_fraction(&probe, &s->fraction_ns)))
		return false;
	if (hour > 23 || minute > 59 || second > 59)
		return false;
	s->clock_seconds = (int64_t)hour * 3600 + (int64_t)minute * 60 + (int64_t)second;
	*c = probe;
	return true;
}

// YYYY-MM-DD; 1969 and 2554 because a zone may move a moment there. finish_stamp() checks the moment itself.
static bool take_date(struct cursor *c, struct stamp *s)
{
	struct cursor probe = *c;
	unsigned year, month, day;

	if (!take_digits(&probe, 4, &year) || !take_byte(&probe, '-') || !take_digits(&probe, 2, &month) ||
	    !take_byte(&probe, '-') || !take_digits(&probe, 2, &day))
		return false;
	if (year < 1969 || year > 2554 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
		return false;
	s->days = nanotime_days_of(year, month, day);
	*c = probe;
	return true;
}

// "Z", "+09:00", " +0900", " UTC"
static void take_offset(struct cursor *c, struct stamp *s)
{
	struct cursor probe = *c;

	(void)take_byte(&probe, ' ');
	if (take_byte(&probe, 'Z') || take_word(&probe, "UTC")) {
		s->offset = 0;
	} else if (nanotime_parse_offset(probe.at, (size_t)(probe.end - probe.at), &s->offset)) {
		probe.at = probe.end;
	} else {
		return;
	}
	s->has_offset = true;
	*c = probe;
}

static int64_t today(uint64_t now_ns, struct timezone_choice zone)
{
	int64_t now = (int64_t)(now_ns / NANOTIME_SECOND), local = now + nanotime_offset_at(now, zone);

	return (local - (local % 86400 + 86400) % 86400) / 86400;
}

// What a stamp of days and clock means; `text` for messages.
static int finish_stamp(const struct stamp *s, const char *text, struct timezone_choice zone, uint64_t *ret_ns, bool *ret_ambiguous,
			struct error *err)
{
	int64_t wall = s->days * 86400 + s->clock_seconds, seconds = wall - s->offset;
	bool ambiguous = false;

	if (!s->has_offset && resolve_local(wall, zone, &seconds, &ambiguous) < 0)
		return error_set(err, "time \"%s\": does not exist in this zone (the clocks were put forward)", text);
	if (seconds < 0)
		return error_set(err, "time \"%s\": lies before 1970", text);
	if ((uint64_t)seconds > MAX_SECONDS)
		return error_set(err, "time \"%s\": lies after the year 2554", text);
	*ret_ns = (uint64_t)seconds * NANOTIME_SECOND + s->fraction_ns;
	if (ret_ambiguous)
		*ret_ambiguous = ambiguous;
	return 0;
}

// now, today, yesterday, recent, -2h, 2h ago, @seconds, audit stamps. 1: was one of them; 0: not; -1: error.
static int parse_relative(const char *text, struct cursor c, struct timezone_choice zone, uint64_t now_ns, uint64_t *ret_ns, struct error *err)
{
	struct stamp s = {0};
	uint64_t ns, seconds;
	struct cursor probe = c;

	if (strcmp(text, "now") == 0) {
		*ret_ns = now_ns;
		return 1;
	}
	bool is_today = strcmp(text, "today") == 0;
	if (is_today || strcmp(text, "yesterday") == 0) {
		s.days = today(now_ns, zone) - (is_today ? 0 : 1);
		return finish_stamp(&s, text, zone, ret_ns, NULL, err) < 0 ? -1 : 1;
	}
	bool ago = strcmp(text, "recent") == 0;
	if (ago)
		ns = RECENT_NS;
	else if (take_byte(&probe, '-'))
		ago = take_duration(&probe, &ns) && at_end(&probe);
	else
		ago = take_duration(&probe, &ns) && take_word(&probe, " ago") && at_end(&probe);
	if (ago) {
		if (ns > now_ns)
			return error_set(err, "time \"%s\": lies before 1970", text);
		*ret_ns = now_ns - ns;
		return 1;
	}
	probe = c;
	bool marked = take_byte(&probe, '@');
	if (take_number(&probe, &seconds) && (marked || (probe.at < probe.end && *probe.at == '.')) && take_fraction(&probe, &ns)) {
		uint64_t serial;

		if (take_byte(&probe, ':') && !take_number(&probe, &serial))
			return 0;
		if (!at_end(&probe) || seconds > MAX_SECONDS)
			return 0;
		*ret_ns = seconds * NANOTIME_SECOND + ns;
		return 1;
	}
	return 0;
}

static int parse_stamp(const char *text, struct cursor c, struct timezone_choice zone, uint64_t now_ns, uint64_t *ret_ns, bool *ret_ambiguous,
		       struct error *err)
{
	struct stamp s = {0};

	if (take_date(&c, &s)) {
		struct cursor probe = c;

		if ((take_byte(&probe, 'T') || take_byte(&probe, ' ')) && take_clock(&probe, &s)) {
			c = probe;
			take_offset(&c, &s);
		}
	} else if (take_clock(&c, &s)) {
		take_offset(&c, &s);
		struct timezone_choice stated = {.utc = true};
		s.days = s.has_offset ? today(now_ns + (uint64_t)(int64_t)s.offset * NANOTIME_SECOND, stated) : today(now_ns, zone);
	} else {
		c.at = NULL;
	}
	if (c.at != c.end)
		return error_set(err, "time \"%s\": not understood; use for example \"2026-11-20 10:00\", 2026-11-20T10:00:00+09:00, "
				 "10:00, -2h, @1763600400.123", text);
	return finish_stamp(&s, text, zone, ret_ns, ret_ambiguous, err);
}

int nanotime_parse(const char *text, struct timezone_choice zone, uint64_t now_ns, uint64_t *ret_ns, bool *ret_ambiguous, struct error *err)
{
	size_t length = strlen(text);
	struct cursor c = {text, text + length};
	uint64_t ns = 0;
	bool ambiguous = false;

	if (length == 0 || length > MAX_TEXT)
		return error_set(err, "time \"%.64s\": %s", text, length == 0 ? "is empty" : "is too long to be one");
	if (strspn(text, "0123456789/") == length && strchr(text, '/'))
		return error_set(err, "time \"%s\": day and month cannot be told apart; write the year first, as in 2026-11-20", text);
	int done = parse_relative(text, c, zone, now_ns, &ns, err);
	if (done == 0)
		done = parse_stamp(text, c, zone, now_ns, &ns, &ambiguous, err);
	if (done < 0)
		return -1;
	*ret_ns = ns;
	if (ret_ambiguous)
		*ret_ambiguous = ambiguous;
	return 0;
}
