// SPDX-License-Identifier: MIT
// Write logs of other programs: the format of Linux' dm-log-writes (drivers/md/dm-log-writes.c), which QEMU's blklogwrites writes, too.
//
// Little endian, in sectors of the size that the super block names:
//
//      0  u64 magic 0x6a736677736872   u64 version 1   u64 number of entries   u32 sector size     the rest of the first sector: zero
//         then for each entry a sector, and behind it the data of a write in whole sectors:
//      0  u64 sector   u64 number of sectors   u64 flags (1 FLUSH, 2 FUA, 4 DISCARD, 8 MARK, 16 METADATA)   u64 length of a mark's text
//     32  text of a MARK, up to the end of the sector
//
// The format has no times. A MARK whose text is "t=" and nanoseconds since 1970 gives the time of the entries behind it, up to the next
// such MARK. FLUSH on an entry with data comes before that data. DISCARD is a TRIM, and has no data.
#ifndef SNAPSHOTS_EXCHANGE_H
#define SNAPSHOTS_EXCHANGE_H

#include "base/error.h"
#include "snapshots/history.h"
#include "snapshots/writer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXCHANGE_MAX_TEXT 65536u  // of a mark; one sector is the format's own limit
#define EXCHANGE_NO_START UINT64_MAX

typedef void exchange_progress(void *context, uint64_t done, uint64_t of);

// ---- reading: entries as they stand, over any source of bytes

// As pread: fills bytes, *ret_read is short at the end.
typedef int exchange_pread(void *context, uint64_t offset, void *bytes, size_t length, size_t *ret_read, struct error *err);

enum exchange_kind { EXCHANGE_WRITE, EXCHANGE_TRIM, EXCHANGE_FLUSH, EXCHANGE_MARK };
struct exchange_entry {
	enum exchange_kind kind;
	uint64_t number;                  // 1 ...: of the entry in the log
	uint64_t offset_bytes, length_bytes;
	uint64_t data_position;           // WRITE: where its bytes are in the log
	uint64_t time_ns;                 // MARK that is a time; else NANOTIME_NONE
	bool flush_first, fua;
	size_t text_length;               // MARK: in the reader's text
};
struct exchange_reader {
	exchange_pread *pread;
	void *context;
	const char *name;                 // for messages
	uint64_t sector_bytes, entry_count, read_count, position;
	uint8_t text[EXCHANGE_MAX_TEXT];
};
int exchange_open(struct exchange_reader *ret, exchange_pread *pread, void *context, const char *name, struct error *err);
// The next entry. *ret_end: there is none. -1 when the log is cut or makes no sense.
int exchange_next(struct exchange_reader *r, struct exchange_entry *ret, bool *ret_end, struct error *err);

// ---- between such a log and a history

struct exchange_counts {
	uint64_t entries, writes, discards, flushes, marks, bytes;
	uint64_t first_ns, last_ns;       // NANOTIME_NONE: nothing
	uint64_t cut_marks, steps_back;   // export: texts that did not fit; times that run back (importing will refuse them)
};
// The whole log into w, which must be open for import. Entries before the first time get start_ns and 1 ns each; none may be earlier
// than least_ns, nor lie behind the disk's end. The whole log is judged first: one that is refused leaves the history as it was. (A disk that
// is full in the middle leaves what came before.)
int exchange_import(struct exchange_reader *r, struct writer *w, uint64_t start_ns, uint64_t least_ns, struct exchange_counts *ret,
		    exchange_progress *progress, void *context, struct error *err);
// The history's records up to to_seq as a log in `fd`, an empty file that can seek: what is zero becomes a hole.
int exchange_export(struct history *h, uint64_t to_seq, int fd, const char *name, struct exchange_counts *ret, exchange_progress *progress,
		    void *context, struct error *err);

#endif
