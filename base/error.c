// SPDX-License-Identifier: MIT
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// The arguments may point into err->message (a message that wraps an older one), so the text is made beside it.
__attribute__((format(printf, 3, 0)))
static void format_into(struct error *err, const char *suffix, const char *format, va_list arguments)
{
	struct error made;

	int length = vsnprintf(made.message, sizeof(made.message), format, arguments);
	if (length < 0)
		made.message[0] = '\0';
	if (suffix) {
		size_t used = strlen(made.message);

		(void)snprintf(made.message + used, sizeof(made.message) - used, ": %s", suffix);
	}
	memcpy(err->message, made.message, strlen(made.message) + 1);
}

int error_set(struct error *err, const char *format, ...)
{
	if (err) {
		va_list arguments;

		va_start(arguments, format);
		format_into(err, NULL, format, arguments);
		va_end(arguments);
	}
	return -1;
}

int error_set_errno(struct error *err, int errno_value, const char *format, ...)
{
	if (err) {
		va_list arguments;
		char reason_room[128];
		// The GNU form: the text may be a constant of libc instead of our room.
		const char *reason = strerror_r(errno_value, reason_room, sizeof(reason_room));

		va_start(arguments, format);
		format_into(err, reason, format, arguments);
		va_end(arguments);
	}
	return -1;
}
