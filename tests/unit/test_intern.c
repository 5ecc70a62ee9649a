// SPDX-License-Identifier: MIT
#include "base/intern.h"

#include "tests/unit/unit.h"

#include <stdlib.h>

#define MANY 200000

static void test_ids(void)
{
	struct intern *in = intern_new();

	CHECK_EQUAL(intern_count(in), 1);
	CHECK_EQUAL(intern_add(in, "", 0), 0);
	CHECK_EQUAL(intern_add_string(in, "first"), 1);
	CHECK_EQUAL(intern_add_string(in, "second"), 2);
	CHECK_EQUAL(intern_add(in, "first", 5), 1);
	CHECK_EQUAL(intern_add(in, "a\0b", 3), 3);
	CHECK_EQUAL(intern_add(in, "a\0c", 3), 4);
	CHECK_EQUAL(intern_add(in, "a", 1), 5);
	CHECK_EQUAL(intern_length(in, 3), 3);
	CHECK(memcmp(intern_string(in, 3), "a\0b", 4) == 0);
	CHECK_EQUAL(intern_find(in, "second", 6), 2);
	CHECK_EQUAL(intern_find(in, "third", 5), 0);
	CHECK_EQUAL(intern_count(in), 6);
	CHECK_STRING(intern_string(in, 4000000), "");
	CHECK(!intern_failed(in));
	intern_free(in);
	intern_free(NULL);
}

// Through many growths of the table: ids stay dense, addresses stay where they are. Lengths 0 to 64 reach every tail of the hash.
static void test_many(void)
{
	struct intern *in = intern_new();
	const char **addresses = calloc(MANY, sizeof(*addresses));
	char name[128];

	for (unsigned i = 0; i < MANY; i++) {
		int length = snprintf(name, sizeof(name), "%u%.*s", i, (int)(i % 64), "////////////////////////////////////////////////////////////////");

		CHECK(intern_add(in, name, (size_t)length) == i + 1);
		addresses[i] = intern_string(in, i + 1);
	}
	for (unsigned i = 0; i < MANY; i++) {
		int length = snprintf(name, sizeof(name), "%u%.*s", i, (int)(i % 64), "////////////////////////////////////////////////////////////////");

		CHECK(intern_find(in, name, (size_t)length) == i + 1);
		CHECK(intern_string(in, i + 1) == addresses[i] && strcmp(addresses[i], name) == 0);
	}
	CHECK_EQUAL(intern_count(in), MANY + 1);
	free(addresses);
	intern_free(in);
}

static void test_large(void)
{
	struct intern *in = intern_new();
	size_t length = 3000000;
	char *large = malloc(length);

	memset(large, 'x', length);
	uint32_t small = intern_add_string(in, "before"), id = intern_add(in, large, length);
	CHECK_EQUAL(intern_add(in, large, length), id);
	large[length / 2] = 'y';
	CHECK(intern_add(in, large, length) == id + 1);
	CHECK_EQUAL(intern_length(in, id), length);
	CHECK_EQUAL(intern_add_string(in, "before"), small);
	free(large);
	intern_free(in);
}

int main(void)
{
	test_ids();
	test_many();
	test_large();
	return unit_end();
}
