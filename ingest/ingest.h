// SPDX-License-Identifier: MIT
// Front door of ingest/: a source of evidence answers two questions.
//
//   scan(from, to)        the events of an interval, in the order in which the source holds them
//   find(keys, before)    the newest events about a pid, inode or address before a time
//
// Log files are the first source (source_files.c); others plug in below struct source.
#ifndef INGEST_INGEST_H
#define INGEST_INGEST_H

#include "base/error.h"
#include "base/intern.h"
#include "ingest/completeness.h"
#include "ingest/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct source;

struct source_options {
	const char *host;    // only events of this node= (NULL: all); if records carry no node=, their host is this name
	uint64_t slack_ns;   // how far records may stand out of time order around an interval; 0 = default (10 s)
	bool strict;         // a rejected line is an error
};

// Opens audit logs: each path is a file, a folder (its audit.log* files), a glob pattern, "-" (standard input), plain, .gz or .zst
// (recognised by content). Rotated sets (audit.log.N ... audit.log.1, audit.log) are read oldest first, and what two files both hold is
// read once. Compressed logs and standard input are spooled to an unlinked temporary file when they are needed.
// Strings of all events go into `strings`, which must outlive the source. NULL and err: nothing readable, with the path's name.
struct source *source_open_files(const char *const *paths, size_t count, struct source_options options,
				 struct intern *strings, struct error *err);
void source_free(struct source *s); // NULL is fine

// ---- logs that are no files of the user's: what a recorded disk once held

struct source_log {
	const char *name;    // for people: "web01.history:/log/audit/audit.log (recovered)"
	int fd;              // a regular file, read from its beginning; taken over in every case
	bool recovered;      // events of which any record stands here get event.recovered
	const char *host;    // of records without node=; NULL: the same as the first log's
};
// A source of such logs alone.
struct source *source_open_logs(const struct source_log *logs, size_t count, struct source_options options, struct intern *strings,
				struct error *err);
// One more log, before the first scan. A log without any record is left out, with a note. Numbers of logs change.
int source_add(struct source *s, const struct source_log *log, struct error *err);
// Every line of every log, in the order of the logs, each without its newline. 0 goes on, 1 ends it, -1 and err. Lines over 64 KiB are cut.
typedef int source_line(void *context, size_t log, uint64_t offset, const char *bytes, size_t length, struct error *err);
int source_lines(struct source *s, source_line *callback, void *context, struct error *err);
// The line that begins at this offset is not read: it is known to be false. Before the first scan.
int source_leave_out(struct source *s, size_t log, uint64_t offset, struct error *err);

// First and last stamp of the whole source. Cheap (ends of files). -1: no valid record in it.
int source_span(struct source *s, uint64_t *ret_first_ns, uint64_t *ret_last_ns, struct error *err);
size_t source_log_count(const struct source *s);
const char *source_log_name(const struct source *s, size_t log); // "" beyond the last one
// What about the logs the user should know: "NAME: compressed data ends early ...", a file that was left out. From index 0 on; NULL: no
// more. A log that is decoded later (it was not needed before) can add one.
const char *source_note(const struct source *s, size_t index);
// SHA-256 over the part of the log that scan() read (the whole when the interval was everything), for the provenance line. Offsets and
// digest are of the text: of a compressed log, "zcat LOG | sha256sum". *ret_to == 0 and an empty digest: scan() did not read this log.
int source_log_digest(struct source *s, size_t log, char ret_hex[65], uint64_t *ret_from, uint64_t *ret_to, struct error *err);
// The raw lines of one evidence reference, at most 64 KiB, for the details of an edge.
struct buffer;
int source_evidence(struct source *s, const struct evidence_ref *ref, struct buffer *out, struct error *err);

// Every event whose [earliest, latest] touches [from_ns, to_ns), after a bisection by time (0 and NANOTIME_NONE: all).
// Counts into `c` (may be NULL): what was read, which is the interval and slack_ns around it; but `partial` counts only what was
// delivered, since events at the ends of the part read are cut by us. Costs the interval, not the log. A call that began inside and
// returned later than slack_ns after to_ns is not seen. 0 also when the callback stopped it.
int source_scan(struct source *s, uint64_t from_ns, uint64_t to_ns, event_callback *callback, void *context,
		struct completeness *c, struct error *err);

struct find_keys {
	uint32_t host;               // 0: any
	bool by_address;             // any event with this address (IPv4, or IPv6), and port if not 0
	struct event_address address;
	uint16_t port;
	const uint32_t *pids;        // events of these pids, and the fork events that returned them
	size_t pid_count;
	struct find_inode { uint32_t dev; uint64_t inode; } const *inodes;
	size_t inode_count;
};

struct find_limit {
	uint64_t max_bytes;  // how far to look back; 0 = all of it
	uint64_t not_before_ns; // 0 = none
};

struct find_report {
	uint64_t bytes;      // looked through
	uint64_t reached_ns; // oldest stamp looked at
	bool complete;       // looked at everything back to the source's beginning or not_before_ns
};

// Events that match any of the keys with a stamp <= before_ns, newest first; the callback stops the search with 1. Newest by place in the
// log: stamps may be out of order by as much as the log's own are (milliseconds as a rule). Events of older boots than the first that
// scan() met have epochs that count down from UINT32_MAX.
// A reverse scan that parses only where the key's digits occur.
int source_find(struct source *s, const struct find_keys *keys, uint64_t before_ns, struct find_limit limit,
		event_callback *callback, void *context, struct find_report *ret_report, struct error *err);

// What addresses occur (connect, accept, send ...), for "nothing matched": each distinct one (with its port) with count, first and last
// stamp; most frequent first. The caller frees *ret. At most 65,536 are told apart. Of `c` (may be NULL) only bytes and the
// span are counted: nothing is parsed but the addresses.
struct address_seen { struct event_address address; uint64_t count, first_ns, last_ns; };
int source_addresses(struct source *s, uint64_t from_ns, uint64_t to_ns, struct address_seen **ret, size_t *ret_count,
		     struct completeness *c, struct error *err);

// Text <-> address. "10.0.0.5", "2001:db8::1", "::ffff:10.0.0.5" (= 10.0.0.5), "[::1]". -1 and err otherwise.
int address_parse(const char *text, struct event_address *ret, struct error *err);
struct buffer;
void address_format(struct buffer *out, const struct event_address *a, const struct intern *strings, bool with_port);
bool address_same_host(const struct event_address *a, const struct event_address *b); // family and ip; ports ignored

#endif
