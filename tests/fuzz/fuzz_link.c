// SPDX-License-Identifier: MIT
// Linking on events that make no sense (tests/unit/link_program.h): the graph is whole, and the same each time.
#include "tests/unit/link_program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size <= 1 << 14)
		(void)link_program_check(data, size);
	return 0;
}
