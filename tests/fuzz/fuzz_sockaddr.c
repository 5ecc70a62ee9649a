// SPDX-License-Identifier: MIT
// The bytes of a socket address, of both byte orders.
#include "base/intern.h"
#include "ingest/sockaddr.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const uint8_t *bytes, size_t length, bool big_endian, struct intern *strings)
{
	struct event_address a;

	sockaddr_decode(bytes, length, big_endian, strings, &a);
	if ((a.kind == ADDRESS_NONE) != (length < 2) || (a.mapped && a.kind != ADDRESS_IPV4))
		abort();
	if (intern_length(strings, a.path) > length || (a.path && a.kind != ADDRESS_UNIX && a.kind != ADDRESS_UNIX_ABSTRACT))
		abort();
	if (a.kind == ADDRESS_UNIX && memchr(intern_string(strings, a.path), '\0', intern_length(strings, a.path)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t length = size < SOCKADDR_MAX_BYTES ? size : SOCKADDR_MAX_BYTES;
	uint8_t *bytes = malloc(length ? length : 1);
	struct intern *strings = intern_new();

	if (!bytes || !strings)
		abort();
	if (length > 0)
		memcpy(bytes, data, length);
	check(bytes, length, false, strings);
	check(bytes, length, true, strings);
	intern_free(strings);
	free(bytes);
	return 0;
}
