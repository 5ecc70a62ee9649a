// SPDX-License-Identifier: MIT
// CRC-32C (Castagnoli, RFC 3720 appendix B.4), as ext4, jbd2 and our records use it.
#ifndef SNAPSHOTS_CRC32C_H
#define SNAPSHOTS_CRC32C_H

#include <stddef.h>
#include <stdint.h>

// Continues from `crc`, without inverting before or after (as the kernel's crc32c(): ext4 and jbd2 seed it themselves).
uint32_t crc32c_update(uint32_t crc, const void *bytes, size_t length);
// The same without the processor's instruction; for its test.
uint32_t crc32c_update_portable(uint32_t crc, const void *bytes, size_t length);

// The usual form: starts with all ones, inverts at the end.
static inline uint32_t crc32c(const void *bytes, size_t length)
{
	return ~crc32c_update(UINT32_MAX, bytes, length);
}

// crc32c_update(crc, `length` zero bytes) at a constant cost. So the parts of a message can be summed apart, in any order:
// crc32c_update(c, a b) == crc32c_shift(crc32c_update(c, a), length of b) ^ crc32c_update(0, b).
uint32_t crc32c_shift(uint32_t crc, uint32_t length);

#endif
