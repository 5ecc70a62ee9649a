// SPDX-License-Identifier: MIT
// The image that a disk started from. It stays where it is; the history keeps its path and what its bytes were.
//
// The file `base` in the history's folder (little endian):
//
//      0  char[8] "PGBASE1\n"   u32 version 1   u32 header bytes 64   u32 compatible flags   u32 incompatible flags
//     24  u64 size of the image   u32 chunk bytes (4 MiB)   u32 path bytes   40..59 zero   u32 CRC-32C of 0..59 and the path
//     64  path: absolute, not NUL-terminated, at most 4095 bytes
//         SHA-256 of each chunk, the last one shorter; u32 CRC-32C of all the hashes
//
// A chunk is hashed again when it is read for the first time: an image that changed since, or another one at its path, is refused.
// Holes of the image are neither read nor hashed.
#ifndef SNAPSHOTS_BASE_IMAGE_H
#define SNAPSHOTS_BASE_IMAGE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define BASE_HEAD_BYTES 64
#define BASE_CHUNK_BYTES (4u << 20)
#define BASE_HASH_BYTES 32
#define BASE_MAX_PATH_BYTES 4095                 // PATH_MAX of linux/limits.h, without the NUL
#define BASE_MAX_IMAGE_BYTES (UINT64_C(1) << 50) // our limit; its hashes are 8 GiB in the file, a bit per chunk in memory

struct base_head {
	uint64_t size_bytes, chunk_count, file_bytes; // file_bytes: of the whole file `base`
	char path[BASE_MAX_PATH_BYTES + 1];
};
// Reads header and path out of the first bytes of the file `base`.
int base_head_decode(const uint8_t *bytes, size_t length, struct base_head *ret, struct error *err);
// The same from the folder. The image is not looked at.
int base_head_read(const char *folder, struct base_head *ret, struct error *err);

// Hashes the image and writes folder/base (0600, synced). A relative path is recorded as absolute.
int base_image_record(const char *folder, const char *image_path, uint64_t *ret_size, struct error *err);

struct base_image;
// Checks the file `base` in full, and opens the image, which must be there with its recorded size.
int base_image_open(const char *folder, struct base_image **ret, struct error *err);
void base_image_free(struct base_image *b);
uint64_t base_image_size(const struct base_image *b);
// Bytes beyond the image's end are zeros. May be called from several threads at once.
int base_image_read(struct base_image *b, uint64_t offset, void *bytes, size_t length, struct error *err);

#endif
