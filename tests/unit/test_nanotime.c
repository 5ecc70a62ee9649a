// SPDX-License-Identifier: MIT
#include "base/nanotime.h"

#include "base/memory.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

// 2026-11-21T12:00:00.123Z, a Saturday
#define NOW UINT64_C(1795262400123000000)

static struct buffer made;
static struct error err;

static const char *parsed(const char *text, struct timezone_choice zone)
{
	uint64_t ns = 0;
	bool ambiguous = false;

	buffer_clear(&made);
	if (nanotime_parse(text, zone, NOW, &ns, &ambiguous, &err) < 0)
		return "refused";
	nanotime_format(&made, ns, NANOTIME_FULL, (struct timezone_choice){.utc = true});
	if (ambiguous)
		buffer_add_string(&made, " ambiguous");
	return buffer_string(&made);
}

static void test_forms(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"2026-11-20 10:00", "2026-11-20T10:00:00+00:00"},
		{"2026-11-20 10:00:07", "2026-11-20T10:00:07+00:00"},
		{"2026-11-20 10:00:07.123456789", "2026-11-20T10:00:07.123456789+00:00"},
		{"2026-11-20", "2026-11-20T00:00:00+00:00"},
		{"2026-11-20T10:00:00Z", "2026-11-20T10:00:00+00:00"},
		{"2026-11-20T10:00:00+09:00", "2026-11-20T01:00:00+00:00"},
		{"2026-11-20 10:00 -0330", "2026-11-20T13:30:00+00:00"},
		{"2026-11-20T10:00:00.5+09", "2026-11-20T01:00:00.500+00:00"},
		{"10:00", "2026-11-21T10:00:00+00:00"},
		{"10:00:01.25", "2026-11-21T10:00:01.250+00:00"},
		{"now", "2026-11-21T12:00:00.123+00:00"},
		{"today", "2026-11-21T00:00:00+00:00"},
		{"yesterday", "2026-11-20T00:00:00+00:00"},
		{"recent", "2026-11-21T11:50:00.123+00:00"},
		{"-2h", "2026-11-21T10:00:00.123+00:00"},
		{"-1h30m", "2026-11-21T10:30:00.123+00:00"},
		{"2h ago", "2026-11-21T10:00:00.123+00:00"},
		{"@1763600400", "2025-11-20T01:00:00+00:00"},
		{"@1763600400.000000001", "2025-11-20T01:00:00.000000001+00:00"},
		{"1763600400.123:4567", "2025-11-20T01:00:00.123+00:00"},
		{"1763600400.123", "2025-11-20T01:00:00.123+00:00"},
		{"2024-02-29", "2024-02-29T00:00:00+00:00"},
		{"1970-01-01", "1970-01-01T00:00:00+00:00"},
		{"2553-12-31 23:59:59", "2553-12-31T23:59:59+00:00"},
	};
	static const char *const refused[] = {
		"", "garbage", "11/20/2026", "2026-02-29", "2026-13-01", "2026-00-01", "2026-11-20 24:00", "2026-11-20 10", "2026-11-20 10:60",
		"2026-11-20T10:00:00+25:00", "2026-11-20 10:00x", "@", "@12x", "1763600400", "10:00:00.", "1763600400.1234567890", "-2", "2h before",
		"99999-01-01", "1969-12-31", "2554-08-01", "2555-01-01", "@99999999999999999999", "-99999w",
		"2026-11-20 10:00:00.123456789 and a very long tail that is no time at all",
	};
	struct timezone_choice utc = {.utc = true};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
		CHECK_STRING(parsed(cases[i].text, utc), cases[i].want);
	for (size_t i = 0; i < ARRAY_LENGTH(refused); i++)
		CHECK_STRING(parsed(refused[i], utc), "refused");
	CHECK_STRING(parsed("11/20/2026", utc), "refused");
	CHECK(strstr(err.message, "year first"));
}

static void test_zones(void)
{
	struct timezone_choice tokyo = {.name = "Asia/Tokyo"}, fixed = {.name = "+09:00"}, local = {0};
	struct timezone_choice nowhere = {.name = "Nowhere/City"}, outside = {.name = "../../etc/passwd"};

	CHECK_EQUAL(nanotime_check_zone(fixed, &err), 0);
	CHECK_STRING(parsed("2026-11-20 10:00", fixed), "2026-11-20T01:00:00+00:00");
	CHECK_STRING(parsed("today", fixed), "2026-11-20T15:00:00+00:00");
	CHECK(nanotime_check_zone(nowhere, &err) < 0 && strstr(err.message, "Nowhere/City"));
	CHECK(nanotime_check_zone(outside, &err) < 0);
	CHECK_EQUAL(nanotime_check_zone(local, &err), 0);
	if (nanotime_check_zone(tokyo, &err) < 0)
		return; // no tzdata on this machine
	CHECK_STRING(parsed("2026-11-20 10:00", tokyo), "2026-11-20T01:00:00+00:00");
	// The local zone comes back after another one was used.
	(void)setenv("TZ", "UTC", 1);
	CHECK_STRING(parsed("2026-11-20 10:00", local), "2026-11-20T10:00:00+00:00");
}

static void test_daylight_saving(void)
{
	struct timezone_choice berlin = {.name = "Europe/Berlin"}, apia = {.name = "Pacific/Apia"};

	if (nanotime_check_zone(berlin, &err) < 0)
		return;
	CHECK_STRING(parsed("2026-10-25 02:30", berlin), "2026-10-25T00:30:00+00:00 ambiguous");
	CHECK_STRING(parsed("2026-10-25 03:00", berlin), "2026-10-25T02:00:00+00:00");
	CHECK_STRING(parsed("2026-10-25 01:59", berlin), "2026-10-24T23:59:00+00:00");
	CHECK_STRING(parsed("2026-03-29 02:30", berlin), "refused");
	CHECK(strstr(err.message, "put forward"));
	CHECK_STRING(parsed("2026-03-29 03:00", berlin), "2026-03-29T01:00:00+00:00");
	CHECK_STRING(parsed("2026-07-01 12:00", berlin), "2026-07-01T10:00:00+00:00");
	CHECK_STRING(parsed("2026-10-25 02:30 +01:00", berlin), "2026-10-25T01:30:00+00:00");
	// A country that skipped a whole day.
	CHECK_STRING(parsed("2011-12-30 12:00", apia), "refused");
}

static const char *formatted(uint64_t ns, enum nanotime_format format, struct timezone_choice zone)
{
	buffer_clear(&made);
	nanotime_format(&made, ns, format, zone);
	return buffer_string(&made);
}

static void test_formats(void)
{
	uint64_t ns = UINT64_C(1795136760123000000); // 2026-11-20T01:06:00.123Z
	struct timezone_choice utc = {.utc = true}, tokyo = {.name = "+09:00"};

	CHECK_STRING(formatted(ns, NANOTIME_FULL, tokyo), "2026-11-20T10:06:00.123+09:00");
	CHECK_STRING(formatted(ns + 1, NANOTIME_FULL, utc), "2026-11-20T01:06:00.123000001+00:00");
	CHECK_STRING(formatted(ns + 1000, NANOTIME_FULL, utc), "2026-11-20T01:06:00.123001+00:00");
	CHECK_STRING(formatted(ns, NANOTIME_CLOCK, tokyo), "10:06:00.123");
	CHECK_STRING(formatted(ns, NANOTIME_SECONDS, tokyo), "10:06:00");
	CHECK_STRING(formatted(ns, NANOTIME_COMPACT, tokyo), "20261120T100600");
	CHECK_STRING(formatted(ns, NANOTIME_DATE, tokyo), "2026-11-20");
	CHECK_STRING(formatted(0, NANOTIME_FULL, utc), "1970-01-01T00:00:00+00:00");
	CHECK_STRING(formatted(NANOTIME_NONE, NANOTIME_FULL, utc), "unknown");
	buffer_clear(&made);
	nanotime_format_offset(&made, ns, (struct timezone_choice){.name = "-03:30"});
	CHECK_STRING(buffer_string(&made), "-03:30");
}

// What is printed in full is read back to the nanosecond, in any zone.
static void test_round_trip(void)
{
	static const char *const zones[] = {"UTC", "+09:00", "-03:30", "Asia/Tokyo", "America/New_York", "Europe/Berlin"};
	uint64_t ns = 1;

	for (unsigned i = 0; i < 2000; i++) {
		struct timezone_choice zone = {.name = zones[i % ARRAY_LENGTH(zones)]};
		uint64_t back = 0;

		ns = ns * 6364136223846793005u + 1442695040888963407u;
		uint64_t moment = ns % (UINT64_C(4102444800) * NANOTIME_SECOND); // to the year 2100
		if (nanotime_check_zone(zone, NULL) < 0)
			continue;
		CHECK_EQUAL(nanotime_parse(formatted(moment, NANOTIME_FULL, zone), zone, NOW, &back, NULL, &err), 0);
		CHECK_EQUAL(back, moment);
	}
}

static void test_durations(void)
{
	static const struct {
		const char *text;
		uint64_t ns;
		const char *shown;
	} cases[] = {
		{"90s", 90 * NANOTIME_SECOND, "1m30s"}, {"20m", 1200 * NANOTIME_SECOND, "20m"}, {"2h", 7200 * NANOTIME_SECOND, "2h"},
		{"1d", 86400 * NANOTIME_SECOND, "1d"}, {"1h30m", 5400 * NANOTIME_SECOND, "1h30m"}, {"500ms", 500 * NANOTIME_MILLISECOND, "500ms"},
		{"1w", 7 * 86400 * NANOTIME_SECOND, "7d"}, {"1.5h", 5400 * NANOTIME_SECOND, "1h30m"}, {"1.2s", 1200 * NANOTIME_MILLISECOND, "1.2s"},
		{"44s", 44 * NANOTIME_SECOND, "44s"}, {"2d3h4m", (2 * 86400 + 3 * 3600 + 240) * NANOTIME_SECOND, "2d3h"}, {"0s", 0, "0s"},
		{"3us", 3000, "3us"}, {"7ns", 7, "7ns"},
	};
	static const char *const refused[] = {"", "20", "m", "20x", "20m ", "-20m", "1h30", "99999999999w", "1.s"};
	uint64_t ns;

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		CHECK_EQUAL(nanotime_parse_duration(cases[i].text, &ns, &err), 0);
		CHECK_EQUAL(ns, cases[i].ns);
		buffer_clear(&made);
		nanotime_format_duration(&made, ns);
		CHECK_STRING(buffer_string(&made), cases[i].shown);
	}
	for (size_t i = 0; i < ARRAY_LENGTH(refused); i++)
		CHECK(nanotime_parse_duration(refused[i], &ns, &err) < 0);
	CHECK(nanotime_parse_duration("20", &ns, &err) < 0 && strstr(err.message, "20m"));
}

int main(void)
{
	(void)setenv("TZ", "UTC", 1);
	test_forms();
	test_zones();
	test_daylight_saving();
	test_formats();
	test_round_trip();
	test_durations();
	buffer_release(&made);
	return unit_end();
}
