// SPDX-License-Identifier: MIT
// Which segments there are, while a writer may be adding, sealing and replacing them.
//
// A writer only ever: appends to the last segments, creates the next number, writes a table and a footer behind the records of one,
// and renames a compressed form over a sealed one. So whatever was seen once stays true, and what does not fit together is looked at
// again before it is called damage.
#include "snapshots/history_inside.h"

#include "snapshots/history_numbers.h"
#include "snapshots/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TRIES 100                // our limit: with the pause below 200 ms, far more than a writer needs between two of its steps
#define PAUSE_NS INT64_C(2000000)

enum outcome {
	OUTCOME_DONE,
	OUTCOME_NONE,       // no such file
	OUTCOME_UNFINISHED, // a file that has no header yet
	OUTCOME_STAGED,     // the records before it are still on their way to the file before it
};

static char *segment_name(const struct history *h, uint64_t number)
{
	char *name;

	return asprintf(&name, "%s/segments/%08" PRIu64 ".segment", h->folder, number) < 0 ? NULL : name;
}

// A file of which not even the header was written before a crash; or the writer is just about to.
static bool is_unfinished(int fd)
{
	uint8_t head[SEGMENT_HEADER_BYTES];
	ssize_t got = pread(fd, head, sizeof(head), 0);

	for (ssize_t i = 0; i < got; i++)
		if (head[i] != 0)
			return got < (ssize_t)sizeof(head);
	return got >= 0;
}

static int check_own(const struct history *h, uint64_t number, const struct segment *s, const char *name, struct error *err)
{
	if (memcmp(s->uuid, h->fixed.uuid, sizeof(h->fixed.uuid)) != 0)
		return error_set(err, "%s: byte 24: belongs to another history", name);
	if (s->number != number)
		return error_set(err, "%s: byte 40: is segment number %" PRIu64, name, s->number);
	return 0;
}

// Five system calls for a sealed segment: that is what opening a long history costs.
static int open_file(struct history *h, uint64_t number, const char *name, int fd, struct history_file **ret, enum outcome *ret_outcome,
		     struct error *err)
{
	struct history_file *f = history_file_new(h);

	if (!f)
		return error_set(err, "out of memory");
	if (segment_open(&f->segment, fd, name, err) < 0) {
		history_file_put(f); // fd is not in it yet
		if (!is_unfinished(fd))
			return -1;
		*ret_outcome = OUTCOME_UNFINISHED;
		return 0;
	}
	f->segment.fd = -1;
	if (check_own(h, number, &f->segment, name, err) < 0) {
		history_file_put(f);
		return -1;
	}
	f->segment.fd = fd;
	*ret = f;
	*ret_outcome = OUTCOME_DONE;
	return 0;
}

// Opens segment `number` afresh. On DONE, *ret is the caller's.
static int open_number(struct history *h, uint64_t number, const char *name, struct history_file **ret, enum outcome *ret_outcome,
		       struct error *err)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);

	if (fd < 0 && errno == ENOENT) {
		*ret_outcome = OUTCOME_NONE;
		return 0;
	}
	if (fd < 0)
		return error_set_errno(err, errno, "%s: cannot open", name);
	int result = open_file(h, number, name, fd, ret, ret_outcome, err);
	if (result < 0 || *ret_outcome != OUTCOME_DONE)
		(void)close(fd);
	return result;
}

static void take_facts(struct history_segment *s, const struct segment *from)
{
	if (s->record_count != from->record_count)
		s->counted = false;
	s->number = from->number;
	s->first_seq = from->first_seq;
	s->record_count = from->record_count;
	s->records_end = from->records_end;
	s->least_realtime_ns = from->least_realtime_ns;
	s->greatest_realtime_ns = from->greatest_realtime_ns;
	s->last_flush_seq = from->last_flush_seq;
	s->clock_count = from->clock_count;
	s->sealed = from->sealed;
	s->compressed = from->compressed;
}

static int scan(struct history *h, struct history_file *f, const char *name, struct error *err)
{
	enum segment_end end = SEGMENT_END_CLEAN;

	if (segment_scan(&f->segment, name, &end, &h->torn_reason, err) < 0)
		return -1;
	h->torn = end == SEGMENT_END_TORN;
	return 0;
}

static bool same_file(int a, int b)
{
	struct stat one, other;

	return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

// ---- a segment that was unsealed when it was last looked at

static int take_over(struct history *h, size_t index, struct history_file *f, struct error *err)
{
	struct history_segment *s = &h->segments.items[index];

	if (!f->segment.sealed && scan(h, f, s->name, err) < 0)
		return -1;
	if (f->segment.first_seq != s->first_seq || f->segment.record_count < s->record_count)
		return error_set(err, "%s: holds %" PRIu64 " records from seq %" PRIu64 " on, a moment ago it held %" PRIu64 " from seq %" PRIu64,
				 s->name, f->segment.record_count, f->segment.first_seq, s->record_count, s->first_seq);
	take_facts(s, &f->segment);
	if (f != s->file) {
		f->references++;
		history_file_replace(h, index, f);
	}
	return 0;
}

static int update_unsealed(struct history *h, size_t index, struct error *err)
{
	struct history_segment *s = &h->segments.items[index];
	enum outcome outcome;
	struct history_file *f;

	if (open_number(h, s->number, s->name, &f, &outcome, err) < 0)
		return -1;
	if (outcome != OUTCOME_DONE)
		return error_set(err, "%s: was there a moment ago, and is gone", s->name);
	// While it is the same file, only what was added is scanned.
	bool known = !f->segment.sealed && same_file(f->segment.fd, s->file->segment.fd);
	int result = take_over(h, index, known ? s->file : f, err);
	history_file_put(f);
	return result;
}

// ---- the next number

// Takes over f. Without `s->file` kept for sealed ones: opening a history of 10,000 segments leaves none open.
static int append(struct history *h, struct history_file *f, char *name, struct error *err)
{
	struct history_segment s = { .name = name };

	take_facts(&s, &f->segment);
	if (history_segment_vector_append(&h->segments, s) < 0) {
		history_file_put(f);
		free(name);
		return error_set(err, "out of memory");
	}
	if (s.sealed)
		history_file_put(f);
	else
		history_file_replace(h, h->segments.count - 1, f);
	return 0;
}

// Whether any segment from `number` on is sealed: then what lies before it was durable, and a hole there is damage.
static bool sealed_behind(struct history *h, uint64_t number)
{
	enum outcome outcome = OUTCOME_DONE;

	for (; outcome != OUTCOME_NONE; number++) { // a file without a header hides nothing behind it
		struct history_file *f;
		char *name = segment_name(h, number);
		struct error ignored;
		bool sealed = false;

		if (!name)
			return true;
		if (open_number(h, number, name, &f, &outcome, &ignored) < 0)
			outcome = OUTCOME_DONE; // not readable: something is there
		else if (outcome == OUTCOME_DONE) {
			sealed = f->segment.sealed;
			history_file_put(f);
		}
		free(name);
		if (sealed)
			return true;
	}
	return false;
}

static int check_order(struct history *h, const struct history_file *f, const char *name, struct error *err)
{
	const struct history_segment *before = h->segments.count > 0 ? &h->segments.items[h->segments.count - 1] : NULL;
	uint64_t expected = before ? before->first_seq + before->record_count : 1;

	if (f->segment.first_seq == expected)
		return 0;
	if (before && h->torn)
		return error_set(err, "%s: begins with seq %" PRIu64 ", but the records before it end with seq %" PRIu64 ": %s", name,
				 f->segment.first_seq, expected - 1, h->torn_reason.message);
	return error_set(err, "%s: begins with seq %" PRIu64 " where %" PRIu64 " follows", name, f->segment.first_seq, expected);
}

static int add_file(struct history *h, struct history_file *f, char *name, struct error *err)
{
	h->torn = false;
	if (!f->segment.sealed && scan(h, f, name, err) < 0) {
		history_file_put(f);
		free(name);
		return -1;
	}
	return append(h, f, name, err);
}

// A writer makes the next segment while the last records of the one before are staged: what is in the files is a prefix of the log, and
// as good a state as any.
static bool is_staged(const struct history *h, const struct history_file *f, bool being_written)
{
	const struct history_segment *before = h->segments.count > 0 ? &h->segments.items[h->segments.count - 1] : NULL;

	return being_written && before && !before->sealed && f->segment.first_seq > before->first_seq + before->record_count;
}

static int add_next(struct history *h, bool being_written, enum outcome *ret, struct error *err)
{
	uint64_t number = h->segments.count + 1;
	char *name = segment_name(h, number);
	struct history_file *f;

	if (!name)
		return error_set(err, "out of memory");
	int result = open_number(h, number, name, &f, ret, err);
	if (result == 0 && *ret == OUTCOME_DONE) {
		if (is_staged(h, f, being_written))
			*ret = OUTCOME_STAGED;
		else
			result = check_order(h, f, name, err);
		if (result == 0 && *ret == OUTCOME_DONE)
			return add_file(h, f, name, err);
		history_file_put(f);
	}
	free(name);
	return result;
}

// ---- all of it

static int look_at_known(struct history *h, struct error *err)
{
	h->torn = false;
	for (size_t i = 0; i < h->segments.count; i++) {
		if (!h->segments.items[i].sealed && update_unsealed(h, i, err) < 0)
			return -1;
		// What lies behind the last record of a segment that others follow is its table, or it was cut and written anew.
		h->torn = h->torn && i + 1 == h->segments.count;
	}
	return 0;
}

// One look. Numbers up to `least` were seen in the folder, so they must be there.
static int look(struct history *h, uint64_t least, bool being_written, struct error *err)
{
	enum outcome outcome;

	if (look_at_known(h, err) < 0)
		return -1;
	do {
		if (add_next(h, being_written, &outcome, err) < 0)
			return -1;
	} while (outcome == OUTCOME_DONE);
	uint64_t next = h->segments.count + 1;
	if (outcome == OUTCOME_STAGED)
		return 0;
	if (next < least || (next == least && outcome == OUTCOME_NONE))
		return error_set(err, "%s/segments/%08" PRIu64 ".segment: %s, though %08" PRIu64 ".segment is there", h->folder, next,
				 outcome == OUTCOME_NONE ? "is missing" : "has no header", least);
	if (outcome == OUTCOME_UNFINISHED && !h->torn) {
		h->torn = true;
		(void)error_set(&h->torn_reason, "%s/segments/%08" PRIu64 ".segment: has no header yet", h->folder, next);
	}
	return 0;
}

// Whether the file of that number is there, and its header is not: it was made right before a crash.
static bool lacks_header(struct history *h, uint64_t number)
{
	char *name = segment_name(h, number);
	enum outcome outcome = OUTCOME_NONE;
	struct history_file *f;
	struct error ignored;

	if (name && open_number(h, number, name, &f, &outcome, &ignored) == 0 && outcome == OUTCOME_DONE)
		history_file_put(f);
	free(name);
	return outcome == OUTCOME_UNFINISHED;
}

// Segments that do not follow, none of them sealed: the end as a crash left it, in which the first bad record, or the first segment
// without a header, ends the log.
static bool is_unfinished_end(struct history *h)
{
	uint64_t next = h->segments.count + 1;

	if ((h->segments.count == 0 || h->segments.items[h->segments.count - 1].sealed) && !lacks_header(h, next))
		return false;
	return !sealed_behind(h, next);
}

static int find_greatest(const struct history *h, uint64_t *ret, struct error *err)
{
	struct history_numbers numbers;

	if (history_numbers_read(&numbers, h->folder, err) < 0)
		return -1;
	*ret = numbers.list.count > 0 ? numbers.list.items[numbers.list.count - 1] : 0;
	u64_vector_release(&numbers.list);
	return 0;
}

static int look_until_it_fits(struct history *h, bool list, struct error *err)
{
	struct error reason;

	for (unsigned tries = 0; tries < TRIES; tries++) {
		uint64_t greatest = 0;
		bool being_written = false;

		// Asked before the look: what a writer left behind when it ended is at rest.
		(void)lock_is_held(h->folder, &being_written, NULL);
		if (list && find_greatest(h, &greatest, err) < 0)
			return -1;
		if (look(h, greatest, being_written, &reason) == 0)
			return 0;
		if (!being_written && tries > 0)
			break;
		struct timespec pause = { .tv_nsec = PAUSE_NS };
		(void)nanosleep(&pause, NULL);
	}
	if (!is_unfinished_end(h))
		return error_set(err, "%s", reason.message);
	h->torn = true;
	h->torn_reason = reason;
	return 0;
}

int history_list_load(struct history *h, struct error *err)
{
	return look_until_it_fits(h, true, err);
}

int history_list_refresh(struct history *h, struct error *err)
{
	return look_until_it_fits(h, false, err);
}
