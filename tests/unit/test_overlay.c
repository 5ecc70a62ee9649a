// SPDX-License-Identifier: MIT
// Runs of bytes over a disk, against a plain copy of it.
#include "base/memory.h"
#include "snapshots/overlay.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#define DISK 4096u

static uint32_t state = 1;
static uint32_t next(uint32_t below)
{
	state = state * 1664525u + 1013904223u;
	return (state >> 8) % below;
}

static void random_runs(void)
{
	for (unsigned round = 0; round < 50; round++) {
		struct overlay *o = NULL;
		struct error err;
		uint8_t model[DISK] = {0}, covered[DISK] = {0}, got[DISK];

		CHECK(overlay_new(DISK, &o, &err) == 0);
		// Disjoint runs in any order: each takes a place of its own out of 64.
		for (unsigned n = 0; n < 20; n++) {
			unsigned at = next(64) * 64, length = 1 + next(64);
			uint8_t bytes[64];

			if (memchr(covered + at, 1, 64))
				continue;
			memset(bytes, 1 + (int)next(255), sizeof(bytes));
			CHECK(overlay_add(o, at, bytes, length, &err) == 0);
			memcpy(model + at, bytes, length);
			memset(covered + at, 1, length);
		}
		CHECK(overlay_finish(o, &err) == 0);
		for (unsigned n = 0; n < 100; n++) {
			unsigned from = next(DISK), length = 1 + next(DISK - from);
			bool inside;

			memset(got, 0, sizeof(got));
			CHECK(overlay_apply(o, from, got, length, &err) == 0);
			CHECK(memcmp(got, model + from, length) == 0);
			uint64_t run = overlay_run(o, from, length, &inside);

			CHECK(run >= 1 && run <= length);
			CHECK(inside == covered[from]);
			for (uint64_t i = 0; i < run; i++)
				CHECK(covered[from + i] == covered[from]);
		}
		overlay_free(o);
	}
}

static void refusals(void)
{
	struct overlay *o = NULL;
	struct error err;
	uint8_t bytes[64] = {0};

	CHECK(overlay_new(DISK, &o, &err) == 0);
	CHECK(overlay_add(o, DISK, bytes, 1, &err) < 0);
	CHECK(overlay_add(o, DISK - 1, bytes, 2, &err) < 0);
	CHECK(overlay_add(o, UINT64_MAX, bytes, 64, &err) < 0);
	CHECK(overlay_add(o, 0, bytes, 0, &err) < 0);
	CHECK(overlay_add(o, 100, bytes, 64, &err) == 0);
	CHECK(overlay_add(o, 40, bytes, 61, &err) == 0);
	CHECK(overlay_finish(o, &err) < 0);
	overlay_free(o);
	overlay_free(NULL);
}

int main(void)
{
	random_runs();
	refusals();
	return unit_end();
}
