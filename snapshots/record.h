// SPDX-License-Identifier: MIT
// One entry of the history: a request of the guest, exactly as it came, or something that happened to the recording.
//
// On disk (little endian; position a multiple of 8):
//
//      0  u32  magic            "PGR1"
//      4  u32  checksum         CRC-32C of the header with this field zero, then of the stored content
//      8  u8   type             enum record_type
//      9  u8   codec            enum record_codec: how the content is stored
//     10  u16  flags            RECORD_*; unknown bits make the record invalid
//     12  u32  stored_bytes     content that follows the header
//     16  u64  seq              1, 2, 3 ... without a hole over the whole history
//     24  u64  realtime_ns      CLOCK_REALTIME as read, never clamped
//     32  u64  boottime_ns      CLOCK_BOOTTIME; 0 in imported entries
//     40  u64  offset_bytes     WRITE, ZERO, TRIM: where on the disk; else 0
//     48  u64  length_bytes     WRITE, ZERO, TRIM: how much of the disk (1 .. 2^32-1); else the content's length
//     56       stored content, then zero bytes up to the next multiple of 8
//
// Identity is record_identity() followed by the *uncompressed* content: codec, stored length, position and checksum lie
// outside, so that compressing a segment later changes no hash that anybody made before.
#ifndef SNAPSHOTS_RECORD_H
#define SNAPSHOTS_RECORD_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_HEADER_BYTES 56
#define RECORD_MAX_WRITE_BYTES (64u << 20) // our limit for one WRITE; nbdkit refuses larger requests (NBDKIT_MAX_REQUEST_SIZE)
#define RECORD_MAX_NOTE_BYTES 65536u       // our limit for the content of MARK, GAP, OPEN, CLOCK ...

enum record_type {
	RECORD_WRITE = 1, // content: the bytes
	RECORD_ZERO = 2,  // the range reads as zeros; no content
	RECORD_TRIM = 3,  // the guest no longer needs the range: reads as zeros; no content
	RECORD_FLUSH = 4, // answered to the guest; content: RECORD_PROOF
	RECORD_CLOCK = 5, // realtime stepped against boottime; content: u64 realtime_ns that boottime led us to expect
	RECORD_MARK = 6,  // content: text
	RECORD_GAP = 7,   // not recorded from..to; content: u64 from_ns, u64 to_ns, text why
	RECORD_OPEN = 8,  // recording starts; content: 36 bytes boot id text, then program version
	RECORD_CLOSE = 9, // recording ends cleanly; content: RECORD_PROOF
	RECORD_CHECKPOINT = 10, // reserved for signatures
	RECORD_KEY = 11,        // reserved for signatures
};

enum record_codec {
	RECORD_RAW = 0,  // the content without its trailing zero bytes
	RECORD_LZ4 = 1,  // chunks of codec.h
	RECORD_ZSTD = 2, // chunks of codec.h
};

#define RECORD_FUA 1u       // the guest asked for this request to be durable before the answer; FLUSH: it follows such a request
#define RECORD_MAY_TRIM 2u  // ZERO: unmapping was allowed
#define RECORD_IMPORTED 4u  // time and content come from another program's log
#define RECORD_FLAGS_KNOWN 7u

struct record {
	uint64_t seq, realtime_ns, boottime_ns, offset_bytes, length_bytes;
	uint32_t stored_bytes, checksum;
	uint16_t flags;
	uint8_t type, codec;
};

static inline bool record_touches_disk(const struct record *r)
{
	return r->type >= RECORD_WRITE && r->type <= RECORD_TRIM;
}
static inline uint64_t record_total_bytes(const struct record *r) // header, content, padding
{
	return (RECORD_HEADER_BYTES + (uint64_t)r->stored_bytes + 7) & ~UINT64_C(7);
}

// Writes the header, with the checksum over it and `stored` (r->stored_bytes bytes), and sets r->checksum.
void record_encode(struct record *r, const void *stored, uint8_t header[RECORD_HEADER_BYTES]);
// The same where crc32c_update(0, stored, r->stored_bytes) is known already, so that a lock need not be held while it is computed.
void record_encode_summed(struct record *r, uint32_t content_crc, uint8_t header[RECORD_HEADER_BYTES]);
// Reads a header and judges all that can be judged without the content: magic, type, codec, flags, lengths against the limits
// above, offset + length without overflow. -1 and why.
int record_decode(const uint8_t *bytes, size_t length, struct record *ret, struct error *err);
// The same for fields that come from elsewhere (a row of a request table): type, codec, flags and lengths.
int record_judge(const struct record *r, struct error *err);
// Whether `header` (as stored) and the stored content give r->checksum, and the padding is zero. `stored` holds
// record_total_bytes(r) - RECORD_HEADER_BYTES bytes.
bool record_check(const struct record *r, const uint8_t *header, const uint8_t *stored);

// Content of FLUSH (none in imported ones) and CLOSE: u64 seq: everything up to it was durable before this record was written; u8[16] UUID of the history,
// which a guest does not know: so no content of a write can pass for it.
#define RECORD_PROOF_BYTES 24

#define RECORD_IDENTITY_BYTES 48
//   0 u64 seq   8 u64 realtime_ns   16 u64 boottime_ns   24 u8 type   25 zero   26 u16 flags   28 zero   32 u64 offset   40 u64 length
void record_identity(const struct record *r, uint8_t ret[RECORD_IDENTITY_BYTES]);
const char *record_type_name(unsigned type); // "write" ...; "unknown"

#endif
