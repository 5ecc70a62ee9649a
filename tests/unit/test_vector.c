// SPDX-License-Identifier: MIT
#include "base/vector.h"

#include "tests/unit/unit.h"

int main(void)
{
	struct u64_vector v = {0};

	for (uint64_t i = 0; i < 100000; i++)
		CHECK(u64_vector_append(&v, i * i) == 0);
	CHECK_EQUAL(v.count, 100000);
	CHECK(v.items[316] == 316 * 316 && v.items[99999] == UINT64_C(99999) * 99999);
	CHECK_EQUAL(u64_vector_reserve(&v, 1000000), 0);
	CHECK(v.capacity >= 1100000);
	uint64_t *items = v.items;
	size_t capacity = v.capacity;

	// More than there can be: refused, nothing changes.
	void *moved = v.items;
	CHECK_EQUAL(vector_grow(&moved, &v.capacity, SIZE_MAX / 4, sizeof(uint64_t)), -1);
	CHECK_EQUAL(vector_grow(&moved, &v.capacity, SIZE_MAX, 1), -1);
	CHECK(moved == items && v.capacity == capacity && v.items[5] == 25);
	u64_vector_release(&v);
	CHECK(!v.items && v.count == 0 && v.capacity == 0);
	return unit_end();
}
