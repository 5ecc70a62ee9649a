// SPDX-License-Identifier: MIT
// Moments and spans, all in nanoseconds since 1970-01-01 UTC (uint64_t).
//
// Ranges are half-open [from_ns, to_ns). NANOTIME_NONE (all ones) is "no time".
#ifndef BASE_NANOTIME_H
#define BASE_NANOTIME_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

#define NANOTIME_SECOND UINT64_C(1000000000)
#define NANOTIME_MILLISECOND UINT64_C(1000000)
#define NANOTIME_NONE UINT64_MAX

// How people want times read and written. name: "UTC", "Asia/Tokyo", "+09:00",
// or NULL/"" for the local zone (TZ, /etc/localtime).
struct timezone_choice {
	bool utc;
	const char *name;
};

// 0, or -1 and a hint when no zone of that name is known. Without this check an unknown name is taken for UTC.
// Named zones set the TZ of the whole process while they are used (POSIX has no other way); nanotime.c keeps the
// first value for the local zone. Calls may come from several threads; others must not change TZ themselves.
int nanotime_check_zone(struct timezone_choice zone, struct error *err);

// Parses what people type: "2026-11-20 10:00[:00[.123456789]]", the same with 'T' and with "Z"/"+09:00",
// "10:00" (today), now, today, yesterday, recent (10 minutes ago), "-2h", "2h ago", "@1763600400[.123456789]",
// an audit stamp "1763600400.123:4567". now_ns is the moment that relative words start from. A stamp without zone
// is read in `zone`; *ret_ambiguous (may be NULL) says that a change of daylight saving makes it two moments.
// A time that daylight saving
// skipped is refused. "11/20/2026" is refused with a hint. -1 and err on anything else.
int nanotime_parse(const char *text, struct timezone_choice zone, uint64_t now_ns,
		   uint64_t *ret_ns, bool *ret_ambiguous, struct error *err);

// "90s" "20m" "2h" "1d" "1h30m" "500ms" "1w" -> nanoseconds. A bare number is refused with a hint.
int nanotime_parse_duration(const char *text, uint64_t *ret_ns, struct error *err);

enum nanotime_format {
	NANOTIME_FULL,     // 2026-11-20T10:06:00.123+09:00 (as many of 0, 3, 6, 9 decimals as the value needs)
	NANOTIME_CLOCK,    // 10:06:00.123   (always 3 decimals; the day and offset stand elsewhere on the page)
	NANOTIME_SECONDS,  // 10:06:00
	NANOTIME_COMPACT,  // 20261120T100600 (file names)
	NANOTIME_DATE,     // 2026-11-20
};
void nanotime_format(struct buffer *out, uint64_t ns, enum nanotime_format format, struct timezone_choice zone);
// "+09:00", "+00:00": the offset in force at ns.
void nanotime_format_offset(struct buffer *out, uint64_t ns, struct timezone_choice zone);
// "3m25s", "44s", "1.2s", "12ms", "2d3h": the two largest units.
void nanotime_format_duration(struct buffer *out, uint64_t duration_ns);

uint64_t nanotime_now(void); // realtime clock; only cmd/ asks for it

#endif
