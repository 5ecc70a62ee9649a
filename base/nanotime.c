// SPDX-License-Identifier: MIT
// Zones, and moments written for people. nanotime_parse.c reads them.
#include "base/nanotime.h"

#include "base/memory.h"
#include "base/nanotime_zone.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

// The zone that the C library has now. It is changed only when another one is asked for, since tzset() reads a file.
static pthread_mutex_t zone_lock = PTHREAD_MUTEX_INITIALIZER;
static bool zone_known;
static char *local_tz;         // TZ as the process was started with; NULL: unset
static char current_name[256]; // "" = local

static void use_zone(const char *name)
{
	if (!zone_known) {
		const char *tz = getenv("TZ");

		local_tz = tz ? strdup(tz) : NULL;
		zone_known = true;
		tzset();
	}
	if (strcmp(current_name, name) == 0)
		return;
	if (*name)
		(void)setenv("TZ", name, 1);
	else if (local_tz)
		(void)setenv("TZ", local_tz, 1);
	else
		(void)unsetenv("TZ");
	tzset();
	(void)snprintf(current_name, sizeof(current_name), "%s", name);
}

// "+09:00", "+0900", "+09", "-03:30" as seconds east of Greenwich.
bool nanotime_parse_offset(const char *text, size_t length, int32_t *ret_seconds)
{
	char digits[5] = {0};
	size_t count = 0;

	if (length < 3 || (text[0] != '+' && text[0] != '-'))
		return false;
	for (size_t i = 1; i < length; i++) {
		if (text[i] == ':' && i == 3 && length == 6)
			continue;
		if (text[i] < '0' || text[i] > '9' || count == 4)
			return false;
		digits[count++] = text[i];
	}
	if (count != 2 && count != 4)
		return false;
	int32_t hours = (digits[0] - '0') * 10 + digits[1] - '0';
	int32_t minutes = count == 4 ? (digits[2] - '0') * 10 + digits[3] - '0' : 0;

	if (hours > 14 || minutes > 59) // no zone is further than +14:00 from UTC
		return false;
	*ret_seconds = (hours * 3600 + minutes * 60) * (text[0] == '-' ? -1 : 1);
	return true;
}

static bool is_utc(struct timezone_choice zone)
{
	return zone.utc || (zone.name && (strcmp(zone.name, "UTC") == 0 || strcmp(zone.name, "Z") == 0));
}

int32_t nanotime_offset_at(int64_t seconds, struct timezone_choice zone)
{
	int32_t offset = 0;
	struct tm broken;
	time_t when = (time_t)seconds;

	if (is_utc(zone) || (zone.name && nanotime_parse_offset(zone.name, strlen(zone.name), &offset)))
		return offset;
	(void)pthread_mutex_lock(&zone_lock);
	use_zone(zone.name ? zone.name : "");
	if (localtime_r(&when, &broken))
		offset = (int32_t)broken.tm_gmtoff;
	(void)pthread_mutex_unlock(&zone_lock);
	return offset;
}

int nanotime_check_zone(struct timezone_choice zone, struct error *err)
{
	const char *folder = getenv("TZDIR");
	char path[PATH_MAX];
	int32_t offset;

	if (is_utc(zone) || !zone.name || !*zone.name || nanotime_parse_offset(zone.name, strlen(zone.name), &offset))
		return 0;
	bool tame = zone.name[0] != '/' && zone.name[0] != ':' && !strstr(zone.name, "..") && strlen(zone.name) < sizeof(current_name);
	if (tame && snprintf(path, sizeof(path), "%s/%s", folder && *folder ? folder : "/usr/share/zoneinfo", zone.name) < (int)sizeof(path) &&
	    access(path, R_OK) == 0)
		return 0;
	return error_set(err, "time zone %s: not known here; use a name like Asia/Tokyo, an offset like +09:00, or UTC", zone.name);
}

// Proleptic Gregorian calendar; H. Hinnant, "chrono-Compatible Low-Level Date Algorithms": days counted in eras of 400 years
// that begin on 1 March, so that the leap day is a year's last.
int64_t nanotime_days_of(int64_t year, unsigned month, unsigned day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

void nanotime_civil(int64_t local_seconds, struct civil *ret)
{
	int64_t days = local_seconds / 86400, rest = local_seconds % 86400;

	if (rest < 0) {
		rest += 86400;
		days--;
	}
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t day_of_era = days - era * 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month_from_march = (5 * day_of_year + 2) / 153;

	ret->day = (unsigned)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
	ret->month = (unsigned)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
	ret->year = year_of_era + era * 400 + (ret->month <= 2);
	ret->hour = (unsigned)(rest / 3600);
	ret->minute = (unsigned)(rest / 60 % 60);
	ret->second = (unsigned)(rest % 60);
}

static void add_offset(struct buffer *out, int32_t seconds)
{
	unsigned away = (unsigned)(seconds < 0 ? -seconds : seconds);

	buffer_printf(out, "%c%02u:%02u", seconds < 0 ? '-' : '+', away / 3600, away / 60 % 60);
	if (away % 60)
		buffer_printf(out, ":%02u", away % 60); // local mean times before zones were agreed
}

void nanotime_format_offset(struct buffer *out, uint64_t ns, struct timezone_choice zone)
{
	add_offset(out, nanotime_offset_at((int64_t)(ns / NANOTIME_SECOND), zone));
}

// As many of 0, 3, 6, 9 decimals as the value needs.
static void add_fraction(struct buffer *out, uint32_t ns)
{
	if (ns == 0)
		return;
	if (ns % 1000000 == 0)
		buffer_printf(out, ".%03u", ns / 1000000);
	else if (ns % 1000 == 0)
		buffer_printf(out, ".%06u", ns / 1000);
	else
		buffer_printf(out, ".%09u", ns);
}

void nanotime_format(struct buffer *out, uint64_t ns, enum nanotime_format format, struct timezone_choice zone)
{
	if (ns == NANOTIME_NONE) {
		buffer_add_string(out, "unknown");
		return;
	}
	int64_t seconds = (int64_t)(ns / NANOTIME_SECOND);
	uint32_t fraction = (uint32_t)(ns % NANOTIME_SECOND);
	int32_t offset = nanotime_offset_at(seconds, zone);
	struct civil c;

	nanotime_civil(seconds + offset, &c);
	switch (format) {
	case NANOTIME_FULL:
		buffer_printf(out, "%04d-%02u-%02uT%02u:%02u:%02u", (int)c.year, c.month, c.day, c.hour, c.minute, c.second);
		add_fraction(out, fraction);
		add_offset(out, offset);
		break;
	case NANOTIME_CLOCK:
		buffer_printf(out, "%02u:%02u:%02u.%03u", c.hour, c.minute, c.second, fraction / 1000000);
		break;
	case NANOTIME_SECONDS:
		buffer_printf(out, "%02u:%02u:%02u", c.hour, c.minute, c.second);
		break;
	case NANOTIME_COMPACT:
		buffer_printf(out, "%04d%02u%02uT%02u%02u%02u", (int)c.year, c.month, c.day, c.hour, c.minute, c.second);
		break;
	case NANOTIME_DATE:
		buffer_printf(out, "%04d-%02u-%02u", (int)c.year, c.month, c.day);
		break;
	}
}

static void format_short(struct buffer *out, uint64_t ns)
{
	if (ns >= NANOTIME_SECOND) {
		uint64_t tenths = ns / (NANOTIME_SECOND / 10);

		buffer_printf(out, "%u", (unsigned)(tenths / 10));
		if (tenths < 100 && tenths % 10 != 0)
			buffer_printf(out, ".%u", (unsigned)(tenths % 10));
		buffer_add_byte(out, 's');
	} else if (ns >= NANOTIME_MILLISECOND) {
		buffer_printf(out, "%ums", (unsigned)(ns / NANOTIME_MILLISECOND));
	} else if (ns >= 1000) {
		buffer_printf(out, "%uus", (unsigned)(ns / 1000));
	} else {
		buffer_printf(out, "%uns", (unsigned)ns);
	}
}

void nanotime_format_duration(struct buffer *out, uint64_t duration_ns)
{
	static const struct {
		uint64_t seconds;
		char letter;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	uint64_t seconds = duration_ns / NANOTIME_SECOND;

	if (duration_ns == 0)
		buffer_add_string(out, "0s");
	else if (seconds < 60)
		format_short(out, duration_ns);
	for (size_t i = 0; i + 1 < ARRAY_LENGTH(units) && seconds >= 60; i++) {
		uint64_t whole = seconds / units[i].seconds, rest = seconds % units[i].seconds / units[i + 1].seconds;

		if (whole == 0)
			continue;
		buffer_printf(out, "%llu%c", (unsigned long long)whole, units[i].letter);
		if (rest > 0)
			buffer_printf(out, "%u%c", (unsigned)rest, units[i + 1].letter);
		break;
	}
}

uint64_t nanotime_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * NANOTIME_SECOND + (uint64_t)now.tv_nsec;
}
