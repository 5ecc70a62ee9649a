// SPDX-License-Identifier: MIT
// The smallest test frame: a program per module, silent on success.
//
//     int main(void) { CHECK(1 + 1 == 2); CHECK_STRING(got, "want"); CHECK_EQUAL(n, 3); return unit_end(); }
// Every failed check prints file, line and values; unit_end() returns the exit status.
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static unsigned unit_failures __attribute__((unused));
static unsigned unit_checks __attribute__((unused));

#define CHECK(condition)                                                       \
	do {                                                                   \
		unit_checks++;                                                 \
		if (!(condition)) {                                            \
			unit_failures++;                                       \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__,     \
				__LINE__, #condition);                         \
		}                                                              \
	} while (0)

#define CHECK_EQUAL(got, want)                                                 \
	do {                                                                   \
		intmax_t unit_got = (intmax_t)(got), unit_want = (intmax_t)(want); \
		unit_checks++;                                                 \
		if (unit_got != unit_want) {                                   \
			unit_failures++;                                       \
			fprintf(stderr, "%s:%d: %s is %jd, expected %jd\n",    \
				__FILE__, __LINE__, #got, unit_got, unit_want); \
		}                                                              \
	} while (0)

#define CHECK_STRING(got, want)                                                \
	do {                                                                   \
		const char *unit_got = (got), *unit_want = (want);             \
		unit_checks++;                                                 \
		if (!unit_got || strcmp(unit_got, unit_want) != 0) {           \
			unit_failures++;                                       \
			fprintf(stderr, "%s:%d: %s is \"%s\", expected \"%s\"\n", \
				__FILE__, __LINE__, #got,                      \
				unit_got ? unit_got : "(null)", unit_want);    \
		}                                                              \
	} while (0)

// 0 when every check held and there was at least one.
static inline int unit_end(void)
{
	return unit_failures == 0 && unit_checks > 0 ? 0 : 1;
}

#endif
