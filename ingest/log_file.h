// SPDX-License-Identifier: MIT
// One audit log as a row of bytes that can be read anywhere, whatever it is stored in.
//
// A plain file is read in place. A compressed one, and input that cannot be positioned (a pipe), is copied, decompressed, into an
// unlinked temporary file: a pipe when it is opened, a compressed log when somebody asks for more than its head. The size is fixed
// at that moment: what auditd appends later is not part of this run. A file that becomes shorter meanwhile is noticed and noted.
// Private to ingest/.
#ifndef INGEST_LOG_FILE_H
#define INGEST_LOG_FILE_H

#include "base/error.h"
#include "base/fileio.h"
#include "base/vector.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LOG_HEAD_BYTES 65536 /* decoded at opening: the first stamp decides the order of files */

enum log_storage { LOG_PLAIN, LOG_GZIP, LOG_ZSTD };

struct log_file {
	char *name;              // the path as given; "standard input"
	enum log_storage storage;
	int fd;                  // the file itself
	int spool_fd;            // the decompressed copy, or -1
	bool ready;              // size_bytes is known, log_file_read() needs no decompression
	uint64_t size_bytes;     // of the text
	dev_t dev;
	ino_t ino;
	bool has_first;
	uint64_t first_ns;       // stamp of the first record
	bool has_node;           // which carries node=
	uint32_t host;           // of records without node=: set by log_hosts_assign()
	bool has_last;
	uint64_t last_ns;        // largest stamp near the end; an upper bound if `last_estimated`
	bool set_back;           // the log ends before it begins: the clock was set back, and last_ns is the largest stamp that was seen
	bool last_estimated;     // compressed, not decoded yet: taken from the next log of its set
	char *note;              // what is wrong with it: "NAME: compressed data ends early ...", or NULL
	bool cut;                // some of its text is missing (damaged, or became shorter)
	uint64_t read_from, read_to; // what scan() read; to == 0: nothing
	bool recovered;          // a disk history gave it back (source_add)
	struct u64_vector left_out; // offsets of lines that are not read, ascending (source_leave_out)
};

// "-" is standard input. The file may hold no audit record (has_first is false then). NULL and err when it cannot be read, or is
// compressed in a way that we do not know.
struct log_file *log_file_open(const char *path, struct error *err);
// The same for a file that is open: takes fd over in every case. name: for people; it is no path.
struct log_file *log_file_open_fd(int fd, const char *name, struct error *err);
void log_file_free(struct log_file *f); // NULL is fine
bool log_file_leaves_out(const struct log_file *f, uint64_t offset);
// Makes size_bytes and log_file_read() valid; for a compressed log, decompresses it. 0 at once when that was done before.
int log_file_prepare(struct log_file *f, struct error *err);
// Up to `length` bytes at `offset`; *ret_read is less only at the end. A file that became shorter gets a smaller size and a note.
int log_file_read(struct log_file *f, uint64_t offset, char *bytes, size_t length, size_t *ret_read, struct error *err);
// The largest stamp near the end; last_ns and has_last. Prepares.
int log_file_find_last(struct log_file *f, struct error *err);
int log_file_sha256(struct log_file *f, uint64_t from, uint64_t to, struct fileio_digest *ret, struct error *err);
// What the head of a file without audit records looks like: "text", "a PNG picture", "a systemd journal" ...
const char *log_file_looks_like(const char *head, size_t length);

#endif
