// SPDX-License-Identifier: MIT
// The file `header` of a history: what is settled when it is made. Written once, as the last file; so a folder without it is none.
//
// On disk, 128 bytes (little endian):
//
//      0  char[8] "PGHISTO\n"   u32 version 1   u32 header bytes 128   u32 compatible flags   u32 incompatible flags
//     24  u8[16] UUID   u64 size of the disk   u64 segment bytes   56..123 zero   u32 CRC-32C of 0..123
//
// A program that meets a compatible flag it does not know may ignore it; one that meets an unknown incompatible flag must not read or
// write the history, and names the flag.
#ifndef SNAPSHOTS_HISTORY_HEADER_H
#define SNAPSHOTS_HISTORY_HEADER_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HISTORY_HEADER_BYTES 128
#define HISTORY_VERSION 1
#define HISTORY_INCOMPATIBLE_BASE 1u // what was never written reads as the base image (the file `base`)

#define HISTORY_MAX_DISK_BYTES (UINT64_C(1) << 62)    // our limit: offset + length stays far from 2^64
#define HISTORY_MIN_SEGMENT_BYTES (UINT64_C(1) << 16) // our limits: a segment is worth its file, and its
#define HISTORY_MAX_SEGMENT_BYTES (UINT64_C(8) << 30) // positions / 8 stay in 32 bits with one more request of 64 MiB

struct history_header {
	uint8_t uuid[16];
	uint64_t size_bytes, segment_bytes;
	bool has_base;
};

void history_header_encode(const struct history_header *h, uint8_t ret[HISTORY_HEADER_BYTES]);
int history_header_decode(const uint8_t *bytes, size_t length, const char *name, struct history_header *ret, struct error *err);
int history_header_read(const char *folder, struct history_header *ret, struct error *err);

#endif
