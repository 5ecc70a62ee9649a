// SPDX-License-Identifier: MIT
// From memory to the file, and from the file to the disk.
#include "snapshots/writer_work.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define IDLE_SECONDS 1 // between looks at the clock while nothing is written, so that slow slewing never adds up to a step

int writer_fail(struct writer *w, const struct error *why)
{
	if (!w->failed) {
		w->failed = true;
		w->failure = *why;
		writer_warn(w, why->message);
	}
	return -EIO;
}

int writer_failed(const struct writer *w, struct error *err)
{
	if (!w->failed)
		return 0;
	(void)error_set(err, "%s (nothing is recorded any more until the history is opened again)", w->failure.message);
	return -EIO;
}

int writer_pwrite(struct writer_segment *to, const void *bytes, size_t length, uint64_t at, struct error *err)
{
	const uint8_t *from = bytes;

	while (length > 0) {
		ssize_t put = pwrite(to->s.fd, from, length, (off_t)at);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return error_set_errno(err, put < 0 ? errno : EIO, "%s: cannot write", to->name);
		from += put;
		length -= (size_t)put;
		at += (uint64_t)put;
	}
	return 0;
}

int writer_drain_locked(struct writer *w, uint64_t *ret_seq, struct error *err)
{
	struct error why;

	(void)pthread_mutex_lock(&w->append_lock);
	struct stage *full = w->filling;
	uint64_t seq = w->last_seq;
	int result = writer_failed(w, err);

	if (result < 0 || full->used == 0) {
		(void)pthread_mutex_unlock(&w->append_lock);
		if (result == 0 && ret_seq)
			*ret_seq = seq;
		return result;
	}
	w->filling = w->on_its_way;
	w->on_its_way = full;
	(void)pthread_mutex_unlock(&w->append_lock);

	sealer_note_activity(w->sealer);
	bool written = writer_pwrite(full->to, full->bytes, full->used, full->from, &why) == 0;

	(void)pthread_mutex_lock(&w->append_lock);
	if (written) {
		full->to->written_end = full->from + full->used;
		full->to->dirty = true;
		full->used = 0;
		full->to = NULL;
	} else {
		(void)writer_fail(w, &why);
		result = writer_failed(w, err);
	}
	(void)pthread_mutex_unlock(&w->append_lock);
	if (result == 0 && ret_seq)
		*ret_seq = seq;
	return result;
}

int writer_drain(struct writer *w, uint64_t *ret_seq, struct error *err)
{
	(void)pthread_mutex_lock(&w->write_lock);
	int result = writer_drain_locked(w, ret_seq, err);

	(void)pthread_mutex_unlock(&w->write_lock);
	return result;
}

// The segments that were written to since the last time, older first, each referenced.
static int take_dirty(struct writer *w, struct writer_segment_vector *ret, bool *ret_folder, struct error *err)
{
	int result = 0;

	(void)pthread_mutex_lock(&w->append_lock);
	if (writer_segment_vector_reserve(ret, w->unsealed.count) < 0)
		result = error_set(err, "out of memory");
	for (size_t i = 0; result == 0 && i < w->unsealed.count; i++) {
		struct writer_segment *s = w->unsealed.items[i];

		if (!s->dirty)
			continue;
		s->dirty = false;
		(void)atomic_fetch_add(&s->references, 1);
		(void)writer_segment_vector_append(ret, s);
	}
	*ret_folder = w->folder_dirty;
	w->folder_dirty = false;
	(void)pthread_mutex_unlock(&w->append_lock);
	return result < 0 ? -ENOMEM : 0;
}

static int sync_files(struct writer *w, struct error *err)
{
	struct writer_segment_vector dirty = {0};
	bool folder = false;
	int result = take_dirty(w, &dirty, &folder, err);

	for (size_t i = 0; i < dirty.count; i++) {
		if (result == 0 && fdatasync(dirty.items[i]->s.fd) < 0)
			result = error_set_errno(err, errno, "%s: cannot be made durable", dirty.items[i]->name);
		writer_segment_put(dirty.items[i]);
	}
	if (result == 0 && folder && fsync(w->segments_fd) < 0)
		result = error_set_errno(err, errno, "%s/segments: cannot be made durable", w->folder);
	writer_segment_vector_release(&dirty);
	return result;
}

int writer_sync(struct writer *w, uint64_t target_seq, struct error *err)
{
	uint64_t written_seq = 0;
	struct error why;

	(void)pthread_mutex_lock(&w->sync_lock);
	(void)pthread_mutex_lock(&w->append_lock);
	int result = writer_failed(w, err);
	bool done = w->durable_seq >= target_seq;

	(void)pthread_mutex_unlock(&w->append_lock);
	if (result == 0 && !done)
		result = writer_drain(w, &written_seq, err);
	if (result == 0 && !done) {
		bool synced = sync_files(w, &why) == 0;

		(void)pthread_mutex_lock(&w->append_lock);
		// What a failed fdatasync leaves behind is unknown, also to the kernel: a second one that succeeds would prove nothing.
		if (!synced)
			(void)writer_fail(w, &why);
		else
			w->durable_seq = written_seq;
		result = writer_failed(w, err);
		(void)pthread_mutex_unlock(&w->append_lock);
	}
	(void)pthread_mutex_unlock(&w->sync_lock);
	return result;
}

// ---- the thread that keeps the promise of 50 ms

static struct timespec after(int64_t ns)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	ns += at.tv_nsec;
	at.tv_sec += ns / 1000000000;
	at.tv_nsec = ns % 1000000000;
	return at;
}

static void follow_clock(struct writer *w)
{
	struct clock_pair now = clock_now(&w->clock);
	uint64_t expected;

	// A step stays in sight until a record tells it.
	if (w->clock.known && !clock_stepped(&w->clock, now, &expected))
		w->clock.last = now;
}

static void *run(void *argument)
{
	struct writer *w = argument;
	struct error ignored;

	(void)pthread_mutex_lock(&w->append_lock);
	while (!w->stopping) {
		struct timespec until = after(w->filling->used == 0 ? IDLE_SECONDS * INT64_C(1000000000) : STAGE_DELAY_NS);

		w->thread_idle = w->filling->used == 0;
		while (!w->stopping && w->thread_idle == (w->filling->used == 0))
			if (pthread_cond_timedwait(&w->wake, &w->append_lock, &until) == ETIMEDOUT)
				break;
		bool was_idle = w->thread_idle;

		w->thread_idle = false;
		if (w->failed || (was_idle && w->filling->used > 0))
			continue;
		if (was_idle) {
			follow_clock(w);
			continue;
		}
		(void)pthread_mutex_unlock(&w->append_lock);
		(void)writer_drain(w, NULL, &ignored);
		(void)pthread_mutex_lock(&w->append_lock);
	}
	(void)pthread_mutex_unlock(&w->append_lock);
	return NULL;
}

int writer_start_stages(struct writer *w, struct error *err)
{
	int reason;

	for (size_t i = 0; i < 2; i++) {
		w->stages[i].bytes = malloc(STAGE_BYTES);
		if (!w->stages[i].bytes)
			return error_set(err, "out of memory");
	}
	w->filling = &w->stages[0];
	w->on_its_way = &w->stages[1];
	// Signals belong to the program's own threads.
	sigset_t all, before;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	reason = pthread_create(&w->thread, NULL, run, w);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (reason != 0)
		return error_set_errno(err, reason, "cannot start a thread");
	w->thread_started = true;
	return 0;
}

void writer_stop_stages(struct writer *w)
{
	if (!w->thread_started)
		return;
	(void)pthread_mutex_lock(&w->append_lock);
	w->stopping = true;
	(void)pthread_cond_signal(&w->wake);
	(void)pthread_mutex_unlock(&w->append_lock);
	(void)pthread_join(w->thread, NULL);
	w->thread_started = false;
}
