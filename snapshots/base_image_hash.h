// SPDX-License-Identifier: MIT
// Inside of base_image.h: what the chunks of an image hash to.
#ifndef SNAPSHOTS_BASE_IMAGE_HASH_H
#define SNAPSHOTS_BASE_IMAGE_HASH_H

#include "snapshots/base_image.h"

// Size of a regular file or block device; others are refused.
int base_image_measure(int fd, const char *name, uint64_t *ret_size, struct error *err);
// SHA-256 of chunk number `chunk`. Holes are hashed as the zeros that they are, without reading them.
int base_image_hash_chunk(int fd, const char *name, uint64_t size_bytes, uint64_t chunk, uint8_t ret[BASE_HASH_BYTES], struct error *err);

#endif
