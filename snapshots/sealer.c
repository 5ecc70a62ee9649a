// SPDX-License-Identifier: MIT
// What the thread does, most urgent first:
//
// 1. Full segments, in order: records synced, footer, table of level 0, live map dropped. Also in the middle of 2 and 3, which ask after each
//    few records whether something came.
// 2. Tables of each block of 4, 16, 64 ... segments, and whatever index/ lacks.
// 3. Compression, oldest segment first.
//
// Trouble (no space, mostly) is no end: it is told once, and tried again later. Requests do not depend on any of it: without a table,
// a segment's map stays in memory.
#include "snapshots/sealer.h"

#include "base/memory.h"
#include "base/vector.h"
#include "snapshots/segment_compress.h"
#include "snapshots/table_cover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)
#define CALM_NS (30 * SECOND_NS)     // no request for so long: compress whatever is sealed
#define COLD_SEGMENTS 8u             // or once so many newer ones are sealed
#define FIRST_RETRY_NS (SECOND_NS / 4)     // after trouble; then twice as long each time
#define LAST_RETRY_NS (16 * SECOND_NS)
#define RETRY_COMPRESS_NS (60 * SECOND_NS) // that can wait
#define NICE 19
#define FREE_RECORDS (UINT64_C(1) << 18) // may wait without anybody being slowed down: 16 segments of 4 KiB writes, 34 MiB of memory
#define MOST_RECORDS (UINT64_C(1) << 20) // from here on, every request is delayed by SEALER_MAX_DELAY_NS

enum trouble { TROUBLE_SEAL, TROUBLE_INDEX, TROUBLE_COMPRESS, TROUBLE_COUNT };

enum stage { STAGE_RECORDS, STAGE_KNOWN, STAGE_TABLE, STAGE_INDEXED }; // what comes next for a full segment

struct full_segment {
	struct segment segment;
	enum stage stage;
};
VECTOR_DEFINE(full_segment_vector, struct full_segment)

struct sealer {
	char *folder;
	uint8_t uuid[16];
	struct live *live;
	enum writer_compress compress;
	struct sealer_hooks hooks;
	pthread_t thread;
	pthread_mutex_t lock; // queue, stopping, idle
	pthread_cond_t wake, idle_changed;
	struct full_segment_vector queue; // oldest first; only the thread removes
	bool idle, woken;
	atomic_bool stopping;
	atomic_uint_fast64_t last_activity_ns, waiting_records;
	// Of the thread alone:
	uint64_t indexed_count;                         // segments 1 .. this have their table of level 0 in use
	uint64_t next_first_segment[TABLE_MAX_LEVEL + 1]; // of each level: the block that is looked at next
	uint64_t next_compress, first_uncompressed;     // the latter: could not be compressed in this round; 0: none
	bool poisoned;                                  // records could not be synced: nothing is sealed any more
	uint64_t retry_ns[TROUBLE_COUNT]; // when; 0: no trouble
	uint64_t retry_after_ns[TROUBLE_COUNT];
	bool merged; // tables that live does not use yet
};

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

// ---- trouble

static void meet_trouble(struct sealer *s, enum trouble kind, const struct error *why)
{
	static const char *const what[TROUBLE_COUNT] = {"a full segment cannot be sealed yet", "the index cannot be written yet",
							"a segment cannot be compressed yet"};
	if (s->retry_ns[kind] == 0 && s->hooks.warn) {
		struct error message;
		(void)error_set(&message, "%s: %s", what[kind], why->message);
		s->hooks.warn(s->hooks.context, message.message);
	}
	uint64_t after = s->retry_after_ns[kind] ? 2 * s->retry_after_ns[kind] : FIRST_RETRY_NS;
	if (after > LAST_RETRY_NS)
		after = LAST_RETRY_NS;
	s->retry_after_ns[kind] = after;
	s->retry_ns[kind] = now_ns() + (kind == TROUBLE_COMPRESS ? RETRY_COMPRESS_NS : after);
}

static void end_trouble(struct sealer *s, enum trouble kind)
{
	s->retry_ns[kind] = s->retry_after_ns[kind] = 0;
}

static bool may_try(const struct sealer *s, enum trouble kind)
{
	return s->retry_ns[kind] == 0 || now_ns() >= s->retry_ns[kind];
}

static struct table_cover_plan plan_for(struct sealer *s);

// ---- full segments

static int seal(struct sealer *s, struct segment *segment, struct error *err)
{
	char *name AUTO_FREE = NULL;

	if (asprintf(&name, "%s/segments/%08llu.segment", s->folder, (unsigned long long)segment->number) < 0) {
		name = NULL;
		return error_set(err, "out of memory");
	}
	// A second try would succeed without the data being there (the kernel reports a lost page once): a footer must never vouch for it.
	if (fdatasync(segment->fd) < 0) {
		(void)error_set_errno(err, errno, "%s: cannot sync", name);
		s->poisoned = true;
		if (s->hooks.failed)
			s->hooks.failed(s->hooks.context, err);
		return -1;
	}
	return segment_seal(segment, name, err);
}

static int next_stage(struct sealer *s, struct full_segment *full, struct error *err)
{
	struct segment *segment = &full->segment;
	struct table_cover_plan plan;

	switch (full->stage) {
	case STAGE_RECORDS:
		if (seal(s, segment, err) < 0)
			return -1;
		s->hooks.replaced(s->hooks.context, segment);
		(void)close(segment->fd);
		segment->fd = -1;
		break;
	case STAGE_KNOWN:
		if (live_sealed(s->live, segment, err) < 0)
			return -1;
		break;
	case STAGE_TABLE:
		plan = plan_for(s);
		if (table_cover_complete(&plan, 0, segment->number, NULL, err) < 0)
			return -1;
		break;
	case STAGE_INDEXED:
		if (live_indexed(s->live, segment->number, err) < 0)
			return -1;
		s->indexed_count = segment->number;
		break;
	}
	full->stage++;
	return 0;
}

static bool take_first(struct sealer *s, struct full_segment *ret)
{
	(void)pthread_mutex_lock(&s->lock);
	bool any = s->queue.count > 0;
	if (any)
		*ret = s->queue.items[0];
	(void)pthread_mutex_unlock(&s->lock);
	return any;
}

// The first of the queue as far as it has come; done: it leaves.
static void put_first(struct sealer *s, const struct full_segment *full)
{
	(void)pthread_mutex_lock(&s->lock);
	if (full->stage > STAGE_INDEXED) {
		atomic_fetch_sub(&s->waiting_records, full->segment.record_count);
		s->queue.count--;
		memmove(s->queue.items, s->queue.items + 1, s->queue.count * sizeof(*s->queue.items));
	} else {
		s->queue.items[0] = *full;
	}
	(void)pthread_mutex_unlock(&s->lock);
}

// true: one was brought to its end.
static bool serve_queue(struct sealer *s)
{
	struct full_segment full;
	struct error why;

	if (s->poisoned || atomic_load(&s->stopping) || !take_first(s, &full))
		return false;
	enum trouble kind = full.stage == STAGE_RECORDS ? TROUBLE_SEAL : TROUBLE_INDEX;
	if (!may_try(s, kind))
		return false;
	bool fine = true;
	while (fine && full.stage <= STAGE_INDEXED) {
		kind = full.stage == STAGE_RECORDS ? TROUBLE_SEAL : TROUBLE_INDEX;
		fine = next_stage(s, &full, &why) == 0;
		if (fine)
			end_trouble(s, kind);
	}
	put_first(s, &full);
	if (!fine && !atomic_load(&s->stopping))
		meet_trouble(s, kind, &why);
	return fine;
}

// Asked from inside of long steps.
static bool between(void *context)
{
	struct sealer *s = context;

	while (serve_queue(s))
		;
	live_fill(s->live);
	return atomic_load(&s->stopping);
}

static bool stopping(void *context)
{
	return atomic_load(&((struct sealer *)context)->stopping);
}

// ---- the index

static struct table_cover_plan plan_for(struct sealer *s)
{
	return (struct table_cover_plan){.folder = s->folder, .uuid = s->uuid, .segment = live_segment, .context = s->live, .keep = true,
					 .stop = stopping, .stop_context = s};
}

static bool block_is_whole(const struct sealer *s, unsigned level)
{
	return s->next_first_segment[level] - 1 + table_level_segments(level) <= s->indexed_count;
}

// true: did something, and there may be more.
static bool extend_index(struct sealer *s)
{
	struct table_cover_plan plan = plan_for(s);
	struct error why;
	bool made;

	if (!may_try(s, TROUBLE_INDEX))
		return false;
	if (live_index_incomplete(s->live)) { // something was missing: look at all of it again
		for (unsigned level = 0; level <= TABLE_MAX_LEVEL; level++)
			s->next_first_segment[level] = 1;
	}
	plan.stop = between;
	for (unsigned level = 0; level <= TABLE_MAX_LEVEL; level++) {
		if (!block_is_whole(s, level))
			continue;
		if (table_cover_complete(&plan, level, s->next_first_segment[level], &made, &why) < 0) {
			if (!atomic_load(&s->stopping))
				meet_trouble(s, TROUBLE_INDEX, &why);
			return false;
		}
		end_trouble(s, TROUBLE_INDEX);
		s->merged = s->merged || made;
		s->next_first_segment[level] += table_level_segments(level);
		return true;
	}
	if (s->merged && live_refresh(s->live, &why) == 0)
		s->merged = false;
	return false;
}

// ---- compression

// What failed gets another round after all others.
static void begin_round(struct sealer *s)
{
	if (s->first_uncompressed == 0 || s->next_compress <= s->indexed_count || !may_try(s, TROUBLE_COMPRESS))
		return;
	s->next_compress = s->first_uncompressed;
	s->first_uncompressed = 0;
}

static bool wants_compression(struct sealer *s)
{
	if (s->compress == WRITER_COMPRESS_NEVER || s->next_compress > s->indexed_count)
		return false;
	if (s->compress == WRITER_COMPRESS_NOW || s->next_compress + COLD_SEGMENTS <= s->indexed_count)
		return true;
	return now_ns() - atomic_load(&s->last_activity_ns) >= CALM_NS;
}

static bool compress_next(struct sealer *s)
{
	struct segment segment;
	struct error why;

	begin_round(s);
	if (!wants_compression(s) || !may_try(s, TROUBLE_COMPRESS))
		return false;
	int result = segment_compress(s->folder, s->next_compress, between, s, &segment, &why);
	if (atomic_load(&s->stopping) && result != 0)
		return false;
	if (result < 0) {
		meet_trouble(s, TROUBLE_COMPRESS, &why);
		if (s->first_uncompressed == 0)
			s->first_uncompressed = s->next_compress;
	} else if (result == 0) {
		s->hooks.replaced(s->hooks.context, &segment);
		segment_release(&segment);
		end_trouble(s, TROUBLE_COMPRESS);
	}
	s->next_compress++;
	return true;
}

// ---- the thread

// Somebody has something for it that is not in the queue.
static void wake_up(void *context)
{
	struct sealer *s = context;

	(void)pthread_mutex_lock(&s->lock);
	s->woken = true;
	(void)pthread_cond_signal(&s->wake);
	(void)pthread_mutex_unlock(&s->lock);
}

// What a crash left of tables and segments in the making.
static void remove_leftovers(const struct sealer *s)
{
	char *path AUTO_FREE = NULL;

	if (asprintf(&path, "%s/index", s->folder) < 0) {
		path = NULL;
		return;
	}
	DIR *folder = opendir(path);
	if (!folder)
		return;
	for (struct dirent *entry; (entry = readdir(folder));) {
		if (strncmp(entry->d_name, TABLE_TEMPORARY_PREFIX, strlen(TABLE_TEMPORARY_PREFIX)) == 0)
			(void)unlinkat(dirfd(folder), entry->d_name, 0);
	}
	(void)closedir(folder);
}

// When something is to be tried again that nobody will wake us for; 0: never.
static uint64_t next_look_ns(const struct sealer *s)
{
	uint64_t next = 0;

	for (unsigned kind = 0; kind < TROUBLE_COUNT; kind++) {
		if (s->retry_ns[kind] != 0 && (next == 0 || s->retry_ns[kind] < next))
			next = s->retry_ns[kind];
	}
	if (s->compress == WRITER_COMPRESS_COLD && s->next_compress <= s->indexed_count) {
		uint64_t calm = atomic_load(&s->last_activity_ns) + CALM_NS;
		next = next == 0 || calm < next ? calm : next;
	}
	return next;
}

static void set_idle(struct sealer *s, bool idle)
{
	if (s->idle == idle)
		return;
	s->idle = idle;
	(void)pthread_cond_broadcast(&s->idle_changed);
}

static void rest(struct sealer *s, size_t seen)
{
	uint64_t next = next_look_ns(s), now = now_ns();

	if (next != 0 && next < now + SECOND_NS / 10)
		next = now + SECOND_NS / 10; // at most ten looks a second, whatever happens
	struct timespec until = {.tv_sec = (time_t)(next / SECOND_NS), .tv_nsec = (long)(next % SECOND_NS)};
	(void)pthread_mutex_lock(&s->lock);
	if (s->queue.count == seen && !s->woken && !atomic_load(&s->stopping)) {
		set_idle(s, true);
		if (next != 0)
			(void)pthread_cond_timedwait(&s->wake, &s->lock, &until);
		else
			(void)pthread_cond_wait(&s->wake, &s->lock);
		set_idle(s, false);
	}
	s->woken = false;
	(void)pthread_mutex_unlock(&s->lock);
}

static void *run(void *context)
{
	struct sealer *s = context;

	(void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE); // of this thread alone on Linux
	while (!atomic_load(&s->stopping)) {
		live_fill(s->live);
		if (serve_queue(s) || extend_index(s) || compress_next(s))
			continue;
		(void)pthread_mutex_lock(&s->lock);
		size_t seen = s->queue.count;
		(void)pthread_mutex_unlock(&s->lock);
		struct full_segment first;
		if (seen > 0 && !s->poisoned && take_first(s, &first) && may_try(s, first.stage == STAGE_RECORDS ? TROUBLE_SEAL : TROUBLE_INDEX))
			continue; // came meanwhile
		rest(s, seen);
	}
	return NULL;
}

// Signals are for the main thread.
static int start_thread(struct sealer *s)
{
	sigset_t all, before;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	int failure = pthread_create(&s->thread, NULL, run, s);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failure;
}

static void sealer_free(struct sealer *s)
{
	for (size_t i = 0; i < s->queue.count; i++)
		segment_release(&s->queue.items[i].segment);
	full_segment_vector_release(&s->queue);
	(void)pthread_cond_destroy(&s->wake);
	(void)pthread_cond_destroy(&s->idle_changed);
	(void)pthread_mutex_destroy(&s->lock);
	free(s->folder);
	free(s);
}

int sealer_start(const char *folder, const uint8_t uuid[16], struct live *l, enum writer_compress compress, const struct sealer_hooks *hooks,
		 struct sealer **ret, struct error *err)
{
	struct sealer *s = calloc(1, sizeof(*s));
	pthread_condattr_t attributes;

	if (!s || !(s->folder = strdup(folder))) {
		free(s);
		return error_set(err, "out of memory");
	}
	memcpy(s->uuid, uuid, sizeof(s->uuid));
	s->live = l;
	s->compress = compress;
	s->hooks = *hooks;
	s->indexed_count = live_sealed_count(l);
	s->next_compress = 1;
	atomic_store(&s->last_activity_ns, now_ns());
	for (unsigned level = 0; level <= TABLE_MAX_LEVEL; level++)
		s->next_first_segment[level] = 1;
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&s->wake, &attributes);
	(void)pthread_cond_init(&s->idle_changed, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	remove_leftovers(s);
	int failure = start_thread(s);
	if (failure != 0) {
		sealer_free(s);
		return error_set_errno(err, failure, "%s: cannot start the sealing thread", folder);
	}
	live_set_wake(l, wake_up, s);
	*ret = s;
	return 0;
}

int sealer_push(struct sealer *s, const struct segment *full, struct error *err)
{
	struct full_segment item = {.segment = *full, .stage = STAGE_RECORDS};
	char *name AUTO_FREE = NULL;

	if (asprintf(&name, "%s/segments/%08llu.segment", s->folder, (unsigned long long)full->number) < 0) {
		name = NULL;
		return error_set(err, "out of memory");
	}
	// An open file of our own: what its sync tells, no other sync has been told instead.
	item.segment.fd = open(name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (item.segment.fd < 0)
		return error_set_errno(err, errno, "%s: cannot open", name);
	(void)pthread_mutex_lock(&s->lock);
	int result = full_segment_vector_append(&s->queue, item);
	if (result == 0)
		atomic_fetch_add(&s->waiting_records, full->record_count);
	s->idle = false;
	(void)pthread_cond_signal(&s->wake);
	(void)pthread_mutex_unlock(&s->lock);
	(void)close(result < 0 ? item.segment.fd : full->fd);
	return result < 0 ? error_set(err, "out of memory") : 0;
}

void sealer_note_activity(struct sealer *s)
{
	atomic_store_explicit(&s->last_activity_ns, now_ns(), memory_order_relaxed);
}

void sealer_throttle(struct sealer *s)
{
	uint64_t waiting = atomic_load_explicit(&s->waiting_records, memory_order_relaxed);

	if (waiting <= FREE_RECORDS)
		return;
	uint64_t over = (waiting < MOST_RECORDS ? waiting : MOST_RECORDS) - FREE_RECORDS;
	uint64_t delay = over * SEALER_MAX_DELAY_NS / (MOST_RECORDS - FREE_RECORDS);
	struct timespec pause = {.tv_nsec = (long)delay};
	(void)nanosleep(&pause, NULL);
}

bool sealer_wait(struct sealer *s, unsigned timeout_ms)
{
	uint64_t until_ns = now_ns() + (uint64_t)timeout_ms * 1000000;
	struct timespec until = {.tv_sec = (time_t)(until_ns / SECOND_NS), .tv_nsec = (long)(until_ns % SECOND_NS)};
	int waited = 0;

	(void)pthread_mutex_lock(&s->lock);
	while (!s->idle && waited == 0)
		waited = pthread_cond_timedwait(&s->idle_changed, &s->lock, &until);
	bool idle = s->idle;
	(void)pthread_mutex_unlock(&s->lock);
	return idle;
}

void sealer_stop(struct sealer *s)
{
	if (!s)
		return;
	live_set_wake(s->live, NULL, NULL);
	atomic_store(&s->stopping, true);
	(void)pthread_mutex_lock(&s->lock);
	(void)pthread_cond_signal(&s->wake);
	(void)pthread_mutex_unlock(&s->lock);
	(void)pthread_join(s->thread, NULL);
	sealer_free(s);
}
