// SPDX-License-Identifier: MIT
#include "ingest/record.h"

#include <string.h>

#define NS_PER_SECOND 1000000000u
#define NS_PER_MILLI 1000000u
#define MAX_SECONDS 18446744072u /* the last whole second that fits 64 bits of nanoseconds: year 2554 */
#define ENRICHED_SEPARATOR '\x1d' /* AUDIT_INTERP_SEPARATOR, libaudit.h */

// Digits at *p into *ret; at most `most` of them. Returns how many there were.
static inline size_t digits(const char **p, const char *end, size_t most, uint64_t *ret)
{
	const char *start = *p, *stop = (size_t)(end - start) < most ? end : start + most;
	uint64_t number = 0;

	while (*p < stop) {
		unsigned digit = (unsigned)(unsigned char)**p - '0';

		if (digit > 9)
			break;
		number = number * 10 + digit;
		(*p)++;
	}
	*ret = number;
	return (size_t)(*p - start);
}

static inline bool skip(const char **p, const char *end, const char *word, size_t length)
{
	if ((size_t)(end - *p) < length || memcmp(*p, word, length) != 0)
		return false;
	*p += length;
	return true;
}
#define SKIP(p, end, word) skip(p, end, word, sizeof(word) - 1)

// "SECONDS.MILLIS:SERIAL)"
static const char *stamp_fields(const char **p, const char *end, struct record *ret)
{
	uint64_t seconds, millis, serial;

	if (digits(p, end, 11, &seconds) == 0)
		return "time is not a number";
	if (seconds > MAX_SECONDS)
		return "time is out of range";
	if (!SKIP(p, end, ".") || digits(p, end, 4, &millis) != 3)
		return "time without three digits of milliseconds";
	if (!SKIP(p, end, ":"))
		return "no serial number behind the time";
	if (digits(p, end, 11, &serial) == 0)
		return "serial is not a number";
	if (serial > UINT32_MAX)
		return "serial is out of range"; // unsigned int in the kernel
	if (!SKIP(p, end, ")"))
		return "stamp does not end";
	ret->time_ns = seconds * NS_PER_SECOND + millis * NS_PER_MILLI;
	ret->serial = (uint32_t)serial;
	return NULL;
}

// The word up to the next space, without it; moves behind the space.
static bool word(const char **p, const char *end, const char **ret, size_t *ret_length)
{
	const char *space = memchr(*p, ' ', (size_t)(end - *p));

	if (!space || space == *p)
		return false;
	*ret = *p;
	*ret_length = (size_t)(space - *p);
	*p = space + 1;
	return true;
}

const char *record_parse(const char *line, size_t length, struct record *ret)
{
	const char *p = line, *end = line + length, *reason;

	if (length == 0)
		return "empty line";
	ret->node = NULL;
	ret->node_length = 0;
	if (*p == 'n' && SKIP(&p, end, "node=") && !word(&p, end, &ret->node, &ret->node_length))
		return "node= without a name";
	if (!SKIP(&p, end, "type="))
		return "no type= at the start";
	if (!word(&p, end, &ret->type, &ret->type_length))
		return "type= without a name";
	if (!SKIP(&p, end, "msg=audit("))
		return "no msg=audit( behind the type";
	reason = stamp_fields(&p, end, ret);
	if (reason)
		return reason;
	if (!SKIP(&p, end, ":"))
		return "stamp does not end";
	while (p < end && *p == ' ')
		p++;
	ret->body = p;
	ret->body_length = (size_t)(end - p);
	return NULL;
}

size_t record_raw_length(const char *body, size_t length)
{
	const char *separator = memchr(body, ENRICHED_SEPARATOR, length);

	if (separator)
		return (size_t)(separator - body);
	return length > 0 && body[length - 1] == '\r' ? length - 1 : length;
}
