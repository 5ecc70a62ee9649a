// SPDX-License-Identifier: MIT
// What nanotime.c and nanotime_parse.c share: the calendar, and offsets of zones.
#ifndef BASE_NANOTIME_ZONE_H
#define BASE_NANOTIME_ZONE_H

#include "base/nanotime.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct civil {
	int64_t year;
	unsigned month, day, hour, minute, second;
};

int64_t nanotime_days_of(int64_t year, unsigned month, unsigned day); // days since 1970-01-01
void nanotime_civil(int64_t local_seconds, struct civil *ret);
// Seconds east of Greenwich in force at `seconds` (UTC).
int32_t nanotime_offset_at(int64_t seconds, struct timezone_choice zone);
bool nanotime_parse_offset(const char *text, size_t length, int32_t *ret_seconds);

#endif
