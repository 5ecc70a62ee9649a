// SPDX-License-Identifier: MIT
#include "base/buffer.h"

#include "tests/unit/unit.h"

#include <stdint.h>

int main(void)
{
	struct buffer b = {0};
	struct error err = {"untouched"};

	CHECK_STRING(buffer_string(&b), "");
	buffer_add(&b, NULL, 0);
	CHECK_STRING(buffer_string(&b), "");
	buffer_add_string(&b, "one");
	buffer_add_byte(&b, ' ');
	buffer_printf(&b, "%d%s", 2, "");
	CHECK_STRING(buffer_string(&b), "one 2");
	buffer_add(&b, "\0x", 2);
	CHECK_EQUAL(b.length, 7);

	buffer_clear(&b);
	CHECK_EQUAL(b.length, 0);
	for (int i = 0; i < 5000; i++)
		buffer_printf(&b, "%05d", i);
	CHECK_EQUAL(b.length, 25000);
	CHECK(memcmp(b.bytes + 24995, "04999", 6) == 0);

	// Longer than the room on the stack: formatted in place.
	buffer_clear(&b);
	buffer_printf(&b, "%0600d|", 7);
	CHECK_EQUAL(b.length, 601);
	CHECK(b.bytes[599] == '7' && b.bytes[600] == '|' && b.bytes[601] == '\0');
	CHECK_EQUAL(buffer_check(&b, &err), 0);
	CHECK_STRING(err.message, "untouched");

	// A length that cannot be had is remembered; what was there stays, later appends do nothing.
	buffer_add(&b, "x", SIZE_MAX - 10);
	CHECK(b.failed);
	buffer_add_string(&b, "later");
	CHECK_EQUAL(b.length, 601);
	CHECK_EQUAL(buffer_check(&b, &err), -1);
	CHECK_STRING(err.message, "out of memory");
	buffer_release(&b);
	CHECK(!b.failed && !b.bytes);
	buffer_add_string(&b, "again");
	CHECK_STRING(buffer_string(&b), "again");
	buffer_release(&b);
	return unit_end();
}
