// SPDX-License-Identifier: MIT
// A connection has a history and a disk_at of its own, so that connections do not wait for each other. What a name was bound to, its seq
// and what journal replay changes, is shared by all connections that use the name.
#include "snapshots/view.h"

#include "base/memory.h"
#include "snapshots/disk_at.h"
#include "snapshots/fsread.h"
#include "snapshots/overlay.h"
#include "snapshots/wire.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#define MAX_NAME_BYTES 128  /* our limit; a moment needs 40 */
#define MAX_PIECES 4096     /* of one answer to view_extents() */
#define SHOWN_NAME_BYTES 64 /* of a name that is refused */

struct binding {
	char name[MAX_NAME_BYTES + 1];
	uint64_t seq;
	struct overlay *overlay; // NULL: raw
	struct buffer warnings;  // of the replay
	unsigned users;
	bool making;             // the first user still computes it
	struct binding *next;
};

struct views {
	char *folder;
	struct timezone_choice zone;
	pthread_mutex_t lock;
	pthread_cond_t made;
	struct binding *bindings;
};

struct view {
	struct views *views;
	struct binding *binding;
	bool first;              // it bound the name
	struct history *history;
	struct disk_at *disk;
	pthread_mutex_t turn;
};

int views_open(const char *folder, struct timezone_choice zone, struct views **ret, struct error *err)
{
	struct history *h;
	struct views *v;

	// Told now rather than to the first client.
	if (nanotime_check_zone(zone, err) < 0 || history_open(folder, &h, err) < 0)
		return -1;
	history_free(h);
	v = calloc(1, sizeof(*v));
	if (!v || !(v->folder = strdup(folder))) {
		free(v);
		return error_set(err, "out of memory");
	}
	v->zone = zone;
	(void)pthread_mutex_init(&v->lock, NULL);
	(void)pthread_cond_init(&v->made, NULL);
	*ret = v;
	return 0;
}

void views_free(struct views *v)
{
	if (!v)
		return;
	(void)pthread_cond_destroy(&v->made);
	(void)pthread_mutex_destroy(&v->lock);
	free(v->folder);
	free(v);
}

// ---- names

static bool is_absolute_time(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	if (*text == '@')
		return true;
	return (digits == 4 && text[4] == '-') || (digits >= 9 && text[digits] == '.'); // a date, or the stamp of an audit record
}

static int parse_seq(const char *text, uint64_t last_seq, uint64_t *ret_seq, struct error *err)
{
	uint64_t n = 0;
	size_t length = strspn(text, "0123456789");

	for (size_t i = 0; i < length && length <= 19; i++)
		n = n * 10 + (uint64_t)(text[i] - '0');
	if (length == 0 || length > 19 || text[length])
		return error_set(err, "seq:%s is no number of a state", text);
	if (n > last_seq)
		return error_set(err, "seq:%s has not been recorded; the last is seq:%" PRIu64, text, last_seq);
	*ret_seq = n;
	return 0;
}

static int find_moment(struct history *h, const char *text, struct timezone_choice zone, uint64_t *ret_seq, struct error *err)
{
	struct history_facts facts;
	uint64_t now_ns = nanotime_now(), time_ns;
	bool ambiguous = false;

	if (history_facts(h, &facts, err) < 0)
		return -1;
	if (strncmp(text, "seq:", 4) == 0)
		return parse_seq(text + 4, facts.last_seq, ret_seq, err);
	if (!*text)
		return error_set(err, "an export is named by its moment, as 2026-11-21T09:00:00Z, @1795252951.562320442 or seq:N");
	if (!is_absolute_time(text))
		return error_set(err, "%s: is no absolute time, and no seq:N", text);
	if (nanotime_parse(text, zone, now_ns, &time_ns, &ambiguous, err) < 0)
		return -1;
	if (ambiguous)
		return error_set(err, "%s: the clocks were put back, so there were two; add an offset such as Z or +09:00", text);
	if (time_ns > now_ns)
		return error_set(err, "%s: lies in the future", text);
	return history_moment(h, time_ns, ret_seq, err);
}

// ---- what journal replay changes

static int take_patch(void *context, uint32_t type, const void *payload, size_t length, struct error *err)
{
	struct wire_reader r = wire_read(payload, length);
	size_t bytes_length;

	if (type != FSREAD_FRAME_PATCH)
		return 0;
	uint64_t offset = wire_get_u64(&r);
	const uint8_t *bytes = wire_get_bytes(&r, &bytes_length);

	if (wire_end(&r, "a change of journal replay", err) < 0)
		return -1;
	return overlay_add(context, offset, bytes, bytes_length, err);
}

static int replay(const char *folder, uint64_t seq, uint64_t disk_bytes, struct overlay **ret, struct buffer *warnings, struct error *err)
{
	const struct fsread_question question = {
		.job = FSREAD_PATCHES, .history = folder, .partition = -1, .to_seq = seq, .from_seq = 0,
	};
	struct fsread_answer answer = {0};
	struct overlay *overlay = NULL;
	int result = overlay_new(disk_bytes, &overlay, err);

	if (result == 0)
		result = fsread_ask(&question, take_patch, overlay, &answer, err);
	if (result == 0)
		result = overlay_finish(overlay, err);
	*warnings = answer.warnings;
	if (result < 0)
		overlay_free(overlay);
	else
		*ret = overlay;
	return result;
}

// ---- binding

static int make_binding(struct views *v, struct history *h, struct binding *b, struct error *err)
{
	struct history_facts facts;
	const char *name = b->name;
	bool raw = strncmp(name, "raw:", 4) == 0;

	if (find_moment(h, raw ? name + 4 : name, v->zone, &b->seq, err) < 0 || history_facts(h, &facts, err) < 0)
		return -1;
	return raw ? 0 : replay(v->folder, b->seq, facts.size_bytes, &b->overlay, &b->warnings, err);
}

static void drop_binding(struct views *v, struct binding *b) // with the lock held
{
	struct binding **at = &v->bindings;

	if (--b->users > 0)
		return;
	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	overlay_free(b->overlay);
	buffer_release(&b->warnings);
	free(b);
}

static struct binding *find_binding(struct views *v, const char *name)
{
	struct binding *b = v->bindings;

	while (b && strcmp(b->name, name) != 0)
		b = b->next;
	return b;
}

// The first that uses a name computes; others that come meanwhile wait. When the first fails, the next one tries by itself.
static int bind_name(struct views *v, struct history *h, const char *name, struct binding **ret, bool *ret_first, struct error *err)
{
	struct binding *b;
	int result;

	*ret_first = false;
	(void)pthread_mutex_lock(&v->lock);
	while ((b = find_binding(v, name)) && b->making)
		(void)pthread_cond_wait(&v->made, &v->lock);
	if (b) {
		b->users++;
		(void)pthread_mutex_unlock(&v->lock);
		*ret = b;
		return 0;
	}
	b = calloc(1, sizeof(*b));
	if (!b) {
		(void)pthread_mutex_unlock(&v->lock);
		return error_set(err, "out of memory");
	}
	memcpy(b->name, name, strlen(name) + 1);
	b->making = true;
	b->users = 1;
	b->next = v->bindings;
	v->bindings = b;
	(void)pthread_mutex_unlock(&v->lock);
	result = make_binding(v, h, b, err);
	(void)pthread_mutex_lock(&v->lock);
	b->making = false;
	if (result < 0)
		drop_binding(v, b);
	(void)pthread_cond_broadcast(&v->made);
	(void)pthread_mutex_unlock(&v->lock);
	if (result == 0)
		*ret = b;
	*ret_first = result == 0;
	return result;
}

// ---- one connection

int view_open(struct views *v, const char *name, struct view **ret, struct error *err)
{
	struct view *view;

	if (strlen(name) > MAX_NAME_BYTES)
		return error_set(err, "%.*s...: is no moment", SHOWN_NAME_BYTES, name);
	view = calloc(1, sizeof(*view));
	if (!view)
		return error_set(err, "out of memory");
	view->views = v;
	(void)pthread_mutex_init(&view->turn, NULL);
	if (history_open(v->folder, &view->history, err) < 0 || bind_name(v, view->history, name, &view->binding, &view->first, err) < 0 ||
	    disk_at_open(view->history, view->binding->seq, &view->disk, err) < 0) {
		view_free(view);
		return -1;
	}
	*ret = view;
	return 0;
}

void view_free(struct view *v)
{
	if (!v)
		return;
	disk_at_free(v->disk);
	history_free(v->history);
	if (v->binding) {
		(void)pthread_mutex_lock(&v->views->lock);
		drop_binding(v->views, v->binding);
		(void)pthread_mutex_unlock(&v->views->lock);
	}
	(void)pthread_mutex_destroy(&v->turn);
	free(v);
}

uint64_t view_size_bytes(const struct view *v)
{
	return disk_at_size(v->disk);
}

uint64_t view_seq(const struct view *v)
{
	return v->binding->seq;
}

const struct buffer *view_warnings(const struct view *v)
{
	static const struct buffer none;

	return v->first ? &v->binding->warnings : &none;
}

int view_read(struct view *v, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	(void)pthread_mutex_lock(&v->turn);
	int result = disk_at_read(v->disk, offset, bytes, length, err);

	(void)pthread_mutex_unlock(&v->turn);
	if (result == 0 && v->binding->overlay)
		result = overlay_apply(v->binding->overlay, offset, bytes, length, err);
	return result;
}

// One piece: of one record, or of the overlay.
static int next_piece(struct view *v, uint64_t offset, uint64_t length, uint64_t *ret_length, bool *ret_zero, struct error *err)
{
	struct disk_piece piece;
	bool inside = false;

	if (v->binding->overlay)
		length = overlay_run(v->binding->overlay, offset, length, &inside);
	*ret_length = length;
	*ret_zero = false;
	if (inside)
		return 0;
	if (disk_at_resolve(v->disk, offset, length, &piece, NULL, err) < 0)
		return -1;
	*ret_length = piece.length;
	*ret_zero = piece.zero;
	return 0;
}

int view_extents(struct view *v, uint64_t offset, uint64_t length, view_extent *visit, void *context, struct error *err)
{
	uint64_t run_from = offset, run_length = 0, end = offset + length, piece_length;
	bool run_zero = false, zero;
	int result = 0;

	(void)pthread_mutex_lock(&v->turn);
	for (unsigned pieces = 0; offset < end && pieces < MAX_PIECES && result == 0; pieces++) {
		result = next_piece(v, offset, end - offset, &piece_length, &zero, err);
		if (result < 0)
			break;
		if (run_length > 0 && zero != run_zero) {
			result = visit(context, run_from, run_length, run_zero);
			run_from = offset;
			run_length = 0;
		}
		run_zero = zero;
		run_length += piece_length;
		offset += piece_length;
	}
	(void)pthread_mutex_unlock(&v->turn);
	if (result == 0 && run_length > 0)
		result = visit(context, run_from, run_length, run_zero);
	return result < 0 ? -1 : 0;
}
