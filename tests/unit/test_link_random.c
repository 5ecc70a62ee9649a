// SPDX-License-Identifier: MIT
// What must hold of every graph, on logs that make no sense.
#include "tests/unit/link_program.h"
#include "tests/unit/unit.h"

#define PROGRAMS 300
#define EVENTS 400

int main(void)
{
	static uint8_t bytes[EVENTS * LINK_PROGRAM_EVENT_BYTES];
	uint64_t state = 20201120;
	size_t edges = 0;
	for (unsigned program = 0; program < PROGRAMS; program++) {
		for (size_t i = 0; i < sizeof(bytes); i++) {
			state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
			bytes[i] = (uint8_t)(state >> 56);
		}
		edges += link_program_check(bytes, sizeof(bytes) - program % 16);
	}
	CHECK(edges > (size_t)PROGRAMS * EVENTS / 4);
	return unit_end();
}
