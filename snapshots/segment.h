// SPDX-License-Identifier: MIT
// A segment: a file that holds a run of records; once it is full, a table of its requests behind them.
//
// On disk (little endian):
//
//      0  char[8] "PGSEGMT\n"   u32 version 1   u32 header bytes 128   u32 compatible flags   u32 incompatible flags
//     24  u8[16] UUID of the history   u64 number (1, 2 ...)   u64 seq of the first record   56..123 zero   u32 CRC-32C of 0..123
//    128  records, back to back
//         --- only in a sealed segment:
//         request table: a row of 32 bytes for each record in the order of seq
//            u64 realtime_ns  u64 offset_bytes  u32 length_bytes  u32 position / 8  u32 stored_bytes  u8 type  u8 codec  u16 flags
//         footer, 128 bytes, the end of the file:
//            char[8] "PGFOOTR\n"  u64 number  u64 first seq  u64 record count  u64 end of the records (= start of the table)
//            u64 least, u64 greatest realtime_ns   u64 seq of the last FLUSH (0: none)   u32 CLOCK + OPEN records
//            u32 flags (1: rewritten compressed)   u32 CRC-32C of the table   at 76: u8[16] UUID of the history, which a guest does not
//            know: so nothing that it writes can pass for a footer   zero   at 124: u32 CRC-32C of 0..123
//
// A crash, or a sealer that is just at work, may leave a piece of the table behind the records of an unsealed segment. That ends the log
// only in the last segment: where a next one begins with the seq that follows, no record is missing and the bytes mean nothing.
//
// A segment is sealed after its records are durable: a valid footer means that all of them reached the disk. Compressing writes a
// new file beside it and renames it over: number, seqs, identities and table rows stay, but for position, stored_bytes and codec.
#ifndef SNAPSHOTS_SEGMENT_H
#define SNAPSHOTS_SEGMENT_H

#include "snapshots/record.h"

#define SEGMENT_HEADER_BYTES 128
#define SEGMENT_FOOTER_BYTES 128
#define SEGMENT_ROW_BYTES 32
#define SEGMENT_DEFAULT_BYTES (UINT64_C(64) << 20) // a segment is full at this size of records
#define SEGMENT_MAX_RECORDS (UINT32_C(1) << 21)    // or at this many; bounds the memory of its table

struct segment_row { // a row of the request table; its seq is first_seq + index
	uint64_t realtime_ns, offset_bytes, position;
	uint32_t length_bytes, stored_bytes;
	uint16_t flags;
	uint8_t type, codec;
};

struct segment {
	int fd; // -1: not open. Owned by whoever filled the struct
	uint64_t number, first_seq, record_count;
	uint64_t records_end; // position behind the last record
	uint64_t least_realtime_ns, greatest_realtime_ns; // NANOTIME_NONE, 0 when it has no record
	uint64_t last_flush_seq;
	uint32_t clock_count; // CLOCK and OPEN records
	bool sealed, compressed;
	uint8_t uuid[16];
	struct segment_row *rows; // of an unsealed segment: one per record (malloc); sealed: NULL, read by segment_read_rows()
	size_t row_capacity;
};

// Reads header and, where there is one, the footer. An unsealed segment has no rows yet (segment_scan). name: for messages.
int segment_open(struct segment *ret, int fd, const char *name, struct error *err);
void segment_release(struct segment *s); // closes fd, frees rows

enum segment_end {
	SEGMENT_END_CLEAN,  // the file ends behind the last whole record
	SEGMENT_END_TORN,   // bytes behind it that are no whole valid record (also a seq that does not follow)
};
// Walks the records of an unsealed segment from s->records_end (SEGMENT_HEADER_BYTES at first) up to the file's present end,
// checks every checksum, appends rows. Call it again to see what a running writer added. *ret_reason tells why it stopped.
int segment_scan(struct segment *s, const char *name, enum segment_end *ret_end, struct error *ret_reason, struct error *err);

// Rows [first, first + count) of a sealed or scanned segment.
int segment_read_rows(const struct segment *s, uint64_t first, size_t count, struct segment_row *ret, const char *name, struct error *err);
// Whether the request table of a sealed segment has its checksum. Each row on its own looks right whatever its fields say, so that
// whoever builds on rows asks this first. Reads all of the table.
int segment_check_table(const struct segment *s, const char *name, struct error *err);
// The whole record (header fields) at a row.
int segment_read_record(const struct segment *s, const struct segment_row *row, struct record *ret, const char *name, struct error *err);
// The same from bytes that were read at its place.
int segment_judge_record(const struct segment_row *row, const uint8_t *header, size_t length, struct record *ret, const char *name, struct error *err);
// `length` bytes of the uncompressed content from `within` on. Only the chunks that are needed are decompressed.
// WRITE only reads length_bytes; trailing zeros come back.
int segment_read_content(const struct segment *s, const struct segment_row *row, uint64_t within, void *bytes, size_t length,
			 const char *name, struct error *err);

// Writes request table and footer behind the records (of `rows`), and makes them durable. The records must be durable already.
int segment_seal(struct segment *s, const char *name, struct error *err);
// Checks a sealed or unsealed segment in full: header, every record, seq, padding, table against records, footer. The first
// damage is told as "name: byte N: why". Returns -1 and err when it cannot be read; *ret_damaged else. Counts go up.
struct segment_verdict { bool damaged; uint64_t byte; uint64_t records, bytes; struct error damage; };
int segment_verify(const struct segment *s, const char *name, struct segment_verdict *ret, struct error *err);

#endif
