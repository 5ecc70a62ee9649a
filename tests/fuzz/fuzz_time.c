// SPDX-License-Identifier: MIT
// Whatever is typed as a time or a duration: refused, or printed in a form that means the same moment.
#include "base/nanotime.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW UINT64_C(1795262400123000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const zones[] = {"UTC", "+09:00", "-03:30", "Europe/Berlin"};
	struct timezone_choice zone = {.name = zones[size > 0 ? data[0] % 4 : 0]};
	char text[256];
	struct error err;
	uint64_t ns, back;

	if (size == 0 || size > sizeof(text))
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (nanotime_parse(text, zone, NOW, &ns, NULL, &err) == 0) {
		struct buffer out = {0};

		nanotime_format(&out, ns, NANOTIME_FULL, zone);
		if (nanotime_parse(buffer_string(&out), zone, 0, &back, NULL, &err) < 0 || back != ns)
			abort();
		buffer_release(&out);
	}
	if (nanotime_parse_duration(text, &ns, &err) == 0) {
		struct buffer out = {0};

		nanotime_format_duration(&out, ns);
		if (nanotime_parse_duration(buffer_string(&out), &back, &err) < 0 || back > ns)
			abort();
		buffer_release(&out);
	}
	return 0;
}
