// SPDX-License-Identifier: MIT
// Judges a history without believing anything that it says of itself, and without stopping at the first damage.
//
// Each segment is judged on its own first (segment_verify), then their order, then what is derived from them. A writer may be at work:
// what looks unfinished is opened again before it is judged, and an unfinished end is no damage.
#include "snapshots/history_verify_inside.h"

#include "snapshots/history_header.h"
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

#define TRIES 40 // our limit: with the pause below 200 ms, for a segment that is staged, sealed or replaced meanwhile
#define PAUSE_NS INT64_C(5000000)
#define MAX_DAMAGES 1000 // our limit for the list; a history of 10,000 broken segments is told well enough by that

int verify_add_damage(struct verify *v, const char *file, uint64_t byte, const char *reason, struct error *err)
{
	struct history_damage damage = { .byte = byte };

	if (v->verdict->damages.count >= MAX_DAMAGES)
		return 0;
	(void)snprintf(damage.file, sizeof(damage.file), "%s", file);
	(void)error_set(&damage.reason, "%s", reason);
	return damage_vector_append(&v->verdict->damages, damage) < 0 ? error_set(err, "out of memory") : 0;
}

void verify_advance(struct verify *v, uint64_t bytes)
{
	v->done += bytes;
	if (v->progress)
		v->progress(v->context, v->done, v->total);
}

static void file_name(uint64_t number, char ret[VERIFY_NAME_BYTES])
{
	(void)snprintf(ret, VERIFY_NAME_BYTES, "segments/%08" PRIu64 ".segment", number);
}

// Messages of segment.h name the byte: "name: byte 40: why".
static uint64_t byte_of(const char *message)
{
	const char *at = strstr(message, ": byte ");
	uint64_t byte = 0;

	return at && sscanf(at, ": byte %" SCNu64, &byte) == 1 ? byte : 0;
}

// ---- one segment

struct look { // what one look at a file found
	struct segment segment;
	struct segment_verdict verdict;
	struct error reason; // why it is not readable, or the damage
	uint64_t byte, bytes;
	bool missing, unfinished, readable, damaged;
};

static bool is_empty_header(int fd, uint64_t bytes)
{
	uint8_t head[SEGMENT_HEADER_BYTES] = { 0 };

	if (bytes < sizeof(head))
		return true;
	if (pread(fd, head, sizeof(head), 0) != (ssize_t)sizeof(head))
		return false;
	for (size_t i = 0; i < sizeof(head); i++)
		if (head[i] != 0)
			return false;
	return true;
}

static void say_damage(struct look *l, uint64_t byte, const struct error *reason)
{
	l->damaged = true;
	l->byte = byte;
	l->reason = *reason;
}

static void look_inside(struct verify *v, uint64_t number, int fd, const char *name, struct look *l)
{
	struct error reason;

	if (segment_open(&l->segment, fd, name, &reason) < 0) {
		say_damage(l, byte_of(reason.message), &reason);
		return;
	}
	l->segment.fd = fd;
	if (v->has_uuid && memcmp(l->segment.uuid, v->uuid, sizeof(v->uuid)) != 0) {
		(void)error_set(&reason, "%s: byte 24: belongs to another history", name);
		say_damage(l, 24, &reason);
	} else if (l->segment.number != number) {
		(void)error_set(&reason, "%s: byte 40: is segment number %" PRIu64, name, l->segment.number);
		say_damage(l, 40, &reason);
	} else if (segment_verify(&l->segment, name, &l->verdict, &reason) < 0) {
		say_damage(l, byte_of(reason.message), &reason);
	} else {
		l->readable = true;
		if (l->verdict.damaged)
			say_damage(l, l->verdict.byte, &l->verdict.damage);
	}
	l->segment.fd = -1;
}

static void look_once(struct verify *v, uint64_t number, struct look *ret)
{
	char *name;
	struct stat status;

	memset(ret, 0, sizeof(*ret));
	ret->segment.fd = -1;
	if (asprintf(&name, "%s/segments/%08" PRIu64 ".segment", v->folder, number) < 0) {
		(void)error_set(&ret->reason, "out of memory");
		ret->damaged = true;
		return;
	}
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &status) < 0) {
		ret->missing = errno == ENOENT;
		ret->damaged = true;
		(void)error_set_errno(&ret->reason, errno, "%s: cannot open", name);
	} else {
		ret->bytes = (uint64_t)status.st_size;
		ret->unfinished = is_empty_header(fd, ret->bytes);
		if (ret->unfinished)
			(void)error_set(&ret->reason, "%s: has no header", name);
		else
			look_inside(v, number, fd, name, ret);
	}
	if (fd >= 0)
		(void)close(fd);
	free(name);
}

// The seq that segment `number` begins with; 0: it cannot be told.
static uint64_t first_seq_of(const struct verify *v, uint64_t number)
{
	struct segment s = { .first_seq = 0 };
	char *name;

	if (asprintf(&name, "%s/segments/%08" PRIu64 ".segment", v->folder, number) < 0)
		return 0;
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	if (fd >= 0 && segment_open(&s, fd, name, NULL) < 0)
		s.first_seq = 0;
	if (fd >= 0)
		(void)close(fd);
	free(name);
	return s.first_seq;
}

// Not what a history at rest looks like: caught while a writer staged the end of a segment, wrote its table or replaced its file; or a
// crash did that. Only waiting tells them apart.
static bool is_passing(const struct verify *v, uint64_t number, const struct look *l)
{
	if (l->readable && l->segment.sealed)
		return false;
	if (l->damaged || l->unfinished)
		return true;
	uint64_t next = first_seq_of(v, number + 1);
	return next != 0 && next != l->segment.first_seq + l->verdict.records;
}

static void look_well(struct verify *v, uint64_t number, struct look *ret)
{
	for (unsigned tries = 0; tries < TRIES; tries++) {
		bool being_written = false;

		// Asked before the look: what a writer left behind when it ended is at rest.
		(void)lock_is_held(v->folder, &being_written, NULL);
		look_once(v, number, ret);
		if (!being_written || !is_passing(v, number, ret))
			return;
		struct timespec pause = { .tv_nsec = PAUSE_NS };
		(void)nanosleep(&pause, NULL);
	}
}

static int verify_one(struct verify *v, uint64_t number, struct look *l, struct error *err)
{
	struct verify_segment s = { .number = number };

	look_well(v, number, l);
	s.segment = l->segment;
	s.bytes = l->bytes;
	s.readable = l->readable;
	s.sealed = l->readable && l->segment.sealed;
	s.sound = l->readable && !l->damaged;
	if (l->readable && !l->segment.sealed)
		s.segment.record_count = l->verdict.records;
	if (!v->has_uuid && l->readable) { // the header is damaged, and that is told already
		memcpy(v->uuid, l->segment.uuid, sizeof(v->uuid));
		v->has_uuid = true;
	}
	v->verdict->records += l->verdict.records;
	v->verdict->bytes += l->verdict.bytes;
	v->verdict->segments++;
	verify_advance(v, l->bytes);
	return verify_segment_vector_append(&v->segments, s) < 0 ? error_set(err, "out of memory") : 0;
}

// ---- their order

static bool sealed_after(const struct history_numbers *numbers, struct verify *v, size_t index)
{
	for (size_t i = index + 1; i < numbers->list.count; i++) {
		struct segment s;
		char *name;

		if (asprintf(&name, "%s/segments/%08" PRIu64 ".segment", v->folder, numbers->list.items[i]) < 0)
			return true;
		int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
		bool sealed = fd >= 0 && segment_open(&s, fd, name, NULL) == 0 && s.sealed;
		if (fd >= 0)
			(void)close(fd);
		free(name);
		if (sealed)
			return true;
	}
	return false;
}

static void say_torn(struct verify *v, const struct error *reason)
{
	if (v->verdict->torn)
		return;
	v->verdict->torn = true;
	v->verdict->torn_reason = *reason;
}

// From `byte` of the file at `index` on, records are missing or cannot be read: the end that a crash left, or damage.
static int judge_hole(struct verify *v, const struct history_numbers *numbers, size_t index, uint64_t byte, uint64_t seq, bool unsealed,
		      const struct error *why, struct error *err)
{
	char file[VERIFY_NAME_BYTES];
	struct error reason = *why;
	uint64_t proven = 0;

	file_name(numbers->list.items[index], file);
	if (unsealed && !sealed_after(numbers, v, index)) {
		if (history_find_proof(v->folder, numbers, v->uuid, index, byte, seq, &proven, err) < 0)
			return -1;
		if (proven == 0) {
			say_torn(v, why);
			return 0;
		}
		(void)error_set(&reason, "%.900s; a later record proves that everything up to seq:%" PRIu64 " was durable", why->message, proven);
	}
	return verify_add_damage(v, file, byte, reason.message, err);
}

static int judge_look(struct verify *v, const struct history_numbers *numbers, size_t index, const struct look *l, struct error *err)
{
	bool unsealed = l->unfinished || (l->readable && !l->segment.sealed);
	uint64_t seq = l->readable ? l->segment.first_seq + l->verdict.records : 1;

	return judge_hole(v, numbers, index, l->byte, seq, unsealed, &l->reason, err);
}

static int check_number(struct verify *v, uint64_t number, uint64_t expected, struct error *err)
{
	char file[VERIFY_NAME_BYTES];

	for (uint64_t missing = expected; missing < number && v->verdict->damages.count < MAX_DAMAGES; missing++) {
		file_name(missing, file);
		if (verify_add_damage(v, file, 0, "the segment is missing", err) < 0)
			return -1;
	}
	return 0;
}

// What the segments so far lead to.
struct order {
	uint64_t number, seq; // of what follows; seq 0: unknown, because the segment before is not readable
	size_t unsealed;      // index + 1 of the segment before, when that is unsealed
};

static int check_order(struct verify *v, const struct history_numbers *numbers, const struct order *o, size_t index, const struct look *l,
		       struct error *err)
{
	char file[VERIFY_NAME_BYTES];
	struct error reason;

	// A hole in the numbers is one damage; the seqs that went with it are no second one.
	if (!l->readable || o->seq == 0 || l->segment.first_seq == o->seq || o->number != numbers->list.items[index] || v->verdict->torn)
		return 0;
	file_name(numbers->list.items[index], file);
	(void)error_set(&reason, "%s: byte 48: begins with seq:%" PRIu64 " where seq:%" PRIu64 " follows", file, l->segment.first_seq, o->seq);
	if (o->unsealed > 0)
		return judge_hole(v, numbers, o->unsealed - 1, v->segments.items[o->unsealed - 1].bytes, o->seq, true, &reason, err);
	return verify_add_damage(v, file, 48, reason.message, err);
}

static int check_unsealed(struct verify *v, const struct history_numbers *numbers, size_t index, const struct look *l, struct error *err)
{
	char file[VERIFY_NAME_BYTES];

	if (!l->readable || l->segment.sealed || l->damaged || !sealed_after(numbers, v, index))
		return 0;
	file_name(numbers->list.items[index], file);
	return verify_add_damage(v, file, l->bytes, "has no footer, though later segments have one", err);
}

static int verify_segments(struct verify *v, const struct history_numbers *numbers, struct error *err)
{
	struct order o = { .number = 1, .seq = 1 };

	for (size_t i = 0; i < numbers->list.count; i++) {
		uint64_t number = numbers->list.items[i];
		struct look l;

		if (check_number(v, number, o.number, err) < 0 || verify_one(v, number, &l, err) < 0 || check_order(v, numbers, &o, i, &l, err) < 0)
			return -1;
		if ((l.damaged || l.unfinished) ? judge_look(v, numbers, i, &l, err) < 0 : check_unsealed(v, numbers, i, &l, err) < 0)
			return -1;
		o.number = number + 1;
		o.seq = !l.readable ? 0 : l.segment.first_seq + (l.segment.sealed ? l.segment.record_count : l.verdict.records);
		o.unsealed = l.readable && !l.segment.sealed ? i + 1 : 0;
	}
	return 0;
}

// ---- all of it

static int verify_header(struct verify *v, struct error *err)
{
	struct history_header header;
	struct error reason;

	if (history_header_read(v->folder, &header, &reason) < 0)
		return verify_add_damage(v, "header", byte_of(reason.message), reason.message, err);
	memcpy(v->uuid, header.uuid, sizeof(v->uuid));
	v->has_uuid = true;
	v->has_base = header.has_base;
	return 0;
}

static void measure(struct verify *v, const struct history_numbers *numbers)
{
	for (size_t i = 0; i < numbers->list.count; i++) {
		struct stat status;
		char *name;

		if (asprintf(&name, "%s/segments/%08" PRIu64 ".segment", v->folder, numbers->list.items[i]) < 0)
			return;
		if (stat(name, &status) == 0)
			v->total += (uint64_t)status.st_size;
		free(name);
	}
}

static int verify_all(struct verify *v, struct error *err)
{
	struct history_numbers numbers = { 0 };
	int result = history_numbers_read(&numbers, v->folder, err);

	if (result == 0) {
		measure(v, &numbers);
		if (verify_header(v, err) < 0 || verify_segments(v, &numbers, err) < 0 || verify_index(v, err) < 0 || verify_base(v, err) < 0)
			result = -1;
	}
	u64_vector_release(&numbers.list);
	return result;
}

int history_verify(const char *folder, struct history_verdict *ret, void (*progress)(void *context, uint64_t done, uint64_t of), void *context,
		   struct error *err)
{
	struct history_verdict verdict = { 0 };
	struct verify v = { .folder = folder, .verdict = &verdict, .progress = progress, .context = context };
	int result = verify_all(&v, err);

	verify_segment_vector_release(&v.segments);
	if (result == 0)
		*ret = verdict;
	else
		damage_vector_release(&verdict.damages);
	return result;
}
