// SPDX-License-Identifier: MIT
// Every line that a log ever held.
//
// Which states there were, and which bytes each changed, the track tells (fs_track.h). A second cursor then goes from state to state, and
// only the changed bytes are read. Files that were the log and were moved on (rotation), and those that bear its name with a number, are
// followed by their inodes: their lines live on. A log that was removed while its program has it open is written on, without a name: what
// came then is told, and gone as it comes.
#include "snapshots/fs_job_lines.h"
#include "snapshots/fs_tracks.h"

#include "base/nanotime.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_BYTES ((size_t)256 << 10)
#define MAX_FILES 256u          /* our limit for files that were moved on: each is a walk over the history */
#define MAX_SIBLINGS 64u        /* of them for files that bear the log's name at a moment: whoever makes many takes no room from those that were the log */
#define MAX_NAMES 65536u        /* our limit for such names that are looked at */
#define GONE_AT_ONCE 8192u      /* in one frame */
#define KIND_BITS 0xF000u       /* S_IFMT and S_IFREG as Linux stores them */
#define REGULAR_BITS 0x8000u
#define CONTENT_CHANGES (TIMELINE_GREW | TIMELINE_CUT | TIMELINE_REWRITTEN | TIMELINE_ARRIVED)

// ---- cursors

int lines_cursor_open(struct lines *l, uint64_t seq, struct fs_cursor **ret, struct error *err)
{
	if (fs_cursor_open(l->job->history, &l->span->end.partition, fs_ext_block_bytes(l->span->end.fs), seq, ret, err) < 0)
		return -1;
	if (!l->reads_all)
		fs_cursor_read_less(*ret);
	return 0;
}

void lines_cursor_free(struct lines *l, struct fs_cursor *cursor)
{
	l->doubts |= cursor && fs_cursor_doubts(cursor);
	fs_cursor_free(cursor);
}

// ---- sending

int lines_flush(struct lines *l, struct error *err)
{
	int result = 0;

	if (l->frame.length > 0)
		result = fs_job_send(l->job, FSREAD_FRAME_LINE, &l->frame, err);
	buffer_clear(&l->frame);
	return result;
}

// Partly of bytes that were rewritten, partly of those that stood there before: a forged line, or what is seen while a writer is half done.
static bool is_mixed(const struct timeline_state *s, const struct line_found *line)
{
	return (s->change & TIMELINE_REWRITTEN) && (line->offset < s->changed_from || line->offset + line->length > s->changed_to);
}

static int on_line(void *context, const struct line_found *line, struct error *err)
{
	struct lines *l = context;

	if (l->frame.length == 0) {
		wire_put_u64(&l->frame, LINE_FRAME_CAME);
		wire_put_u64(&l->frame, l->state->seq);
		wire_put_u64(&l->frame, l->arrival_ns);
		wire_put_u64(&l->frame, l->state->inode);
	}
	wire_put_u64(&l->frame, line->offset << 2 | (uint64_t)is_mixed(l->state, line) << 1 | line->complete);
	wire_put_bytes(&l->frame, line->bytes, line->length);
	return l->frame.length > FRAME_BYTES ? lines_flush(l, err) : 0;
}

static int send_gone(struct lines *l, struct error *err)
{
	unsigned count = 0;

	for (size_t i = 0; i < l->table.entries.count; i++) {
		const struct line_entry *e = &l->table.entries.items[i];

		if (e->live > 0)
			continue;
		if (l->frame.length == 0)
			wire_put_u64(&l->frame, LINE_FRAME_WENT);
		wire_put_u64(&l->frame, i);
		wire_put_u64(&l->frame, e->gone_seq);
		wire_put_u64(&l->frame, e->gone_ns);
		wire_put_u64(&l->frame, e->gone_change);
		if (++count % GONE_AT_ONCE == 0 && lines_flush(l, err) < 0)
			return -1;
	}
	return lines_flush(l, err);
}

// ---- the content at a state

struct content { struct fs_cursor *cursor; const struct fs_map *map; };

static int read_content(void *context, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	struct content *c = context;

	return fs_map_content(c->map, fs_names_read, c->cursor, offset, bytes, length, err);
}

static uint64_t next_data(void *context, uint64_t offset)
{
	const struct content *c = context;

	while (!c->map->inline_bytes) {
		bool hole;
		struct fs_run run = fs_map_at(c->map, offset, UINT64_MAX - offset, &hole);

		if (!hole && !run.unwritten)
			break;
		offset += run.length;
		if (run.length == 0 || offset == UINT64_MAX)
			break;
	}
	return offset;
}

int lines_take(struct lines *l, struct fs_cursor *cursor, const struct fs_map *map, uint64_t size, struct line_file *file, uint64_t from, uint64_t to,
	       const struct line_moment *when, struct error *err)
{
	struct content content = {.cursor = cursor, .map = map};
	struct line_source source = {.size = size, .read = read_content, .data = next_data, .context = &content};

	return line_file_change(&l->table, file, &source, from, to, when, err);
}

static int take_content(struct lines *l, struct fs_cursor *cursor, struct line_file *file, const struct timeline_state *s, uint64_t from, uint64_t to,
			const struct line_moment *when, struct error *err)
{
	struct fs_map map = {0};
	struct fs_inode *inode = malloc(sizeof(*inode));
	bool found = false;
	int result = inode ? fs_inode_read(cursor, l->span->end.fs, s->inode, inode, &found, err) : error_set(err, "out of memory");

	if (result == 0 && found)
		result = fs_map_decode(inode->raw, inode->length, fs_cursor_block_bytes(cursor), fs_names_read, cursor, &map, err);
	if (result == 0 && found)
		result = lines_take(l, cursor, &map, s->size_bytes, file, from, to, when, err);
	fs_map_release(&map);
	free(inode);
	return result;
}

// ---- one file's states

static int move_on(struct lines *l, struct moved file, struct error *err)
{
	for (size_t i = 0; i < l->moved.count; i++) {
		const struct moved *known = &l->moved.items[i];

		if (known->inode == file.inode && known->generation == file.generation && known->nameless == file.nameless)
			return 0;
	}
	return moved_vector_append(&l->moved, file) < 0 ? error_set(err, "out of memory") : 0;
}

// The file that state `s` took the log's place from, or that lost its last name with it.
static int leave_file(struct lines *l, struct fs_cursor *cursor, const struct timeline_state *s, const struct timeline_state *before, bool by_path,
		      struct error *err)
{
	struct moved file = {.inode = before->inode, .generation = before->generation, .from_seq = s->seq, .mtime_ns = before->mtime_ns};

	if (by_path && (s->change & TIMELINE_RENAMED)) // its lines will be found where it went, and were never gone
		return move_on(l, file, err);
	if (lines_is_nameless(l, cursor, file.inode, file.generation, &file.nameless, err) < 0)
		return -1;
	return file.nameless ? move_on(l, file, err) : 0;
}

// first: nothing of the file was looked at before.
static int take_state(struct lines *l, struct fs_cursor *cursor, const struct fs_track *track, size_t i, bool first, struct line_file *file,
		      struct error *err)
{
	const struct timeline_state *s = &track->states.items[i], *before = i > 0 ? s - 1 : NULL;
	struct line_moment when = {.seq = s->seq, .time_ns = s->arrival_ns, .change = s->change | (l->moved_on ? TIMELINE_RENAMED : 0)};
	bool regular = (s->mode & KIND_BITS) == REGULAR_BITS, anew = first || s->change == 0 || (s->change & (TIMELINE_APPEARED | TIMELINE_REPLACED));

	l->state = s;
	l->arrival_ns = s->arrival_ns;
	if (s->change & (TIMELINE_REPLACED | TIMELINE_DELETED)) {
		if ((before && leave_file(l, cursor, s, before, track->path != NULL, err) < 0) || line_file_remove(&l->table, file, &when, err) < 0 ||
		    lines_flush(l, err) < 0)
			return -1;
	}
	if (!regular || (!anew && !(s->change & CONTENT_CHANGES)) || ((s->change & TIMELINE_DELETED) && !(s->change & TIMELINE_APPEARED)))
		return 0;
	if (take_content(l, cursor, file, s, anew ? 0 : s->changed_from, anew ? s->size_bytes : s->changed_to, &when, err) < 0)
		return -1;
	return lines_flush(l, err);
}

static int stand_still(void *context, const struct fs_step *step, struct error *err)
{
	(void)context;
	(void)step;
	(void)err;
	return 0;
}

// The state of the wanted life that is in force when a file is followed from there on; states.count: none.
static size_t state_at(const struct fs_track *track, const struct moved *only)
{
	size_t i = track->states.count;

	while (i > 0 && track->states.items[i - 1].seq > only->from_seq)
		i--;
	return i > 0 && track->states.items[i - 1].generation == only->generation ? i - 1 : i;
}

// only: of a file that is followed by its inode, the life that counts; NULL: whatever the path means.
static int take_states(struct lines *l, const struct fs_track *track, uint64_t from_seq, const struct moved *only, struct error *err)
{
	struct fs_cursor *cursor = NULL;
	struct line_file file = {0};
	bool first = true;
	size_t i = only ? state_at(track, only) : 0;
	int result = 0;

	l->moved_on = only != NULL;
	if (i < track->states.count)
		result = lines_cursor_open(l, from_seq, &cursor, err);
	for (; result == 0 && i < track->states.count && !l->table.full; i++) {
		const struct timeline_state *s = &track->states.items[i];

		if (only && s->generation != only->generation && first)
			continue;
		if (only && (s->generation != only->generation || (!first && (s->change & TIMELINE_APPEARED)))) {
			struct line_moment when = {.seq = s->seq, .time_ns = s->arrival_ns, .change = TIMELINE_DELETED | TIMELINE_RENAMED};

			l->state = s;
			result = line_file_remove(&l->table, &file, &when, err) < 0 || lines_flush(l, err) < 0 ? -1 : 0;
			break;
		}
		result = fs_cursor_walk(cursor, s->seq, stand_still, stand_still, NULL, err) < 0 ? -1 :
											 take_state(l, cursor, track, i, first, &file, err);
		first = false;
	}
	line_file_release(&file);
	lines_cursor_free(l, cursor);
	return result;
}

static int warn_states(struct lines *l, struct error *err)
{
	return fs_job_warn(l->job, "the log has more states (500,000) or pieces than are looked at: ask for a shorter span", err);
}

// Whatever the question's path means, or its inode.
static int follow_log(struct lines *l, bool *ret_any, struct error *err)
{
	const struct fsread_question *q = l->job->question;
	struct fs_track track = {0};
	int result = fs_track_init(&track, l->span->cursor, l->span->end.fs, q->path, q->path_length, q->inode, err);

	if (result == 0)
		result = fs_track_run(&track, q->to_seq, err);
	if (result == 0 && track.too_many)
		result = warn_states(l, err);
	if (result == 0)
		result = take_states(l, &track, q->from_seq, NULL, err);
	*ret_any = track.states.count > 0;
	fs_track_release(&track);
	return result;
}

// Files by their inodes, all in one walk, each from where it was moved.
static int follow_inodes(struct lines *l, const struct moved *files, size_t count, struct error *err)
{
	const struct fsread_question *q = l->job->question;
	uint64_t *inodes = malloc(count * sizeof(*inodes));
	struct fs_tracks tracks = {0};
	struct fs_cursor *cursor = NULL;
	size_t different = 0;
	int result = inodes ? lines_cursor_open(l, q->from_seq, &cursor, err) : error_set(err, "out of memory");

	for (size_t i = 0; result == 0 && i < count; i++) { // one inode can have been the log in two lives
		size_t k = 0;

		while (k < different && inodes[k] != files[i].inode)
			k++;
		inodes[k] = files[i].inode;
		different += k == different;
	}
	if (result == 0)
		result = fs_tracks_init(&tracks, cursor, l->span->end.fs, inodes, different, err);
	if (result == 0)
		result = fs_tracks_run(&tracks, q->to_seq, err);
	if (result == 0 && tracks.cut > 0)
		result = warn_states(l, err);
	for (size_t i = 0; result == 0 && i < count; i++) {
		size_t k = 0;

		while (inodes[k] != files[i].inode)
			k++;
		// It stands where the file was moved: what its track tells of the time before is another question.
		struct moved only = files[i];

		result = take_states(l, &tracks.items[k], only.from_seq, &only, err);
	}
	fs_tracks_release(&tracks);
	lines_cursor_free(l, cursor);
	free(inodes);
	return result;
}

// ---- rotated files

struct siblings {
	const char *name;           // of the log
	size_t length;
	struct u64_vector inodes;
	bool failed;
};

// NAME.1, NAME-20261121
static int on_name(void *context, const void *name, size_t length, uint64_t inode)
{
	struct siblings *s = context;
	const char *at = name;

	if (length < s->length + 2 || memcmp(at, s->name, s->length) != 0 || !memchr(".-", at[s->length], 2))
		return 0;
	for (size_t i = s->length + 1; i < length; i++)
		if (at[i] < '0' || at[i] > '9')
			return 0;
	s->failed |= u64_vector_append(&s->inodes, inode) < 0;
	return s->failed || s->inodes.count >= MAX_NAMES;
}

static int by_mtime(const void *a, const void *b)
{
	const struct moved *x = a, *y = b;

	if (x->mtime_ns != y->mtime_ns)
		return x->mtime_ns < y->mtime_ns ? -1 : 1;
	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

static int take_sibling(struct lines *l, struct fs_cursor *cursor, uint64_t number, uint64_t from_seq, struct moved_vector *ret, struct error *err)
{
	struct fs_inode *inode = malloc(sizeof(*inode));
	struct fs_file file = {0};
	struct error ignored;
	bool found = false;
	int result = inode ? fs_inode_read(cursor, l->span->end.fs, number, inode, &found, err) : error_set(err, "out of memory");

	if (result == 0 && found && fs_inode_lives(inode->raw) && fs_inode_kind(inode) == FS_REGULAR &&
	    fs_ext_decode_inode(l->span->end.fs, number, inode->raw, inode->length, &file, &ignored) == 0) {
		struct moved sibling = {.inode = number, .generation = fs_inode_generation(inode), .from_seq = from_seq, .mtime_ns = file.mtime_ns};

		result = moved_vector_append(ret, sibling) < 0 ? error_set(err, "out of memory") : 0;
	}
	fs_file_release(&file);
	free(inode);
	return result;
}

// One file may have many of the names. They are sorted.
static void drop_links(struct moved_vector *v)
{
	size_t kept = 0;

	for (size_t i = 0; i < v->count; i++)
		if (kept == 0 || v->items[kept - 1].inode != v->items[i].inode)
			v->items[kept++] = v->items[i];
	v->count = kept;
}

// The newest ones, the oldest of them first.
static int take_siblings(struct lines *l, struct fs_cursor *cursor, const struct u64_vector *inodes, struct error *err)
{
	struct moved_vector siblings = {0};
	int result = 0;

	for (size_t i = 0; result == 0 && i < inodes->count; i++)
		result = take_sibling(l, cursor, inodes->items[i], l->job->question->from_seq, &siblings, err);
	if (siblings.count > 0)
		qsort(siblings.items, siblings.count, sizeof(*siblings.items), by_mtime);
	drop_links(&siblings);
	if (result == 0 && siblings.count > MAX_SIBLINGS)
		result = fs_job_warn(l->job, "more than 64 files bear the log's name with a number: only the newest ones are looked at", err);
	for (size_t i = siblings.count > MAX_SIBLINGS ? siblings.count - MAX_SIBLINGS : 0; result == 0 && i < siblings.count; i++)
		result = move_on(l, siblings.items[i], err);
	moved_vector_release(&siblings);
	return result;
}

// Files beside the log, at `seq`, that bear its name with a number: they are followed from the span's beginning on.
static int find_siblings(struct lines *l, uint64_t seq, struct error *err)
{
	const struct fsread_question *q = l->job->question;
	const char *path = q->path, *slash = q->path ? memrchr(q->path, '/', q->path_length) : NULL;
	size_t folder = slash ? (size_t)(slash - path) : 0;
	struct siblings s = {.name = slash ? slash + 1 : path};
	struct fs_cursor *cursor = NULL;
	struct fs_inode *inode = NULL;
	uint64_t number = 0;
	bool found = false;

	if (!path)
		return 0;
	s.length = q->path_length - (size_t)(s.name - path);
	if (s.length == 0)
		return 0;
	int result = lines_cursor_open(l, seq, &cursor, err);

	if (result == 0 && !(inode = malloc(sizeof(*inode))))
		result = error_set(err, "out of memory");
	if (result == 0)
		result = fs_names_find(cursor, l->span->end.fs, folder > 0 ? path : "/", folder > 0 ? folder : 1, NULL, &number, err);
	if (result == 0)
		result = fs_inode_read(cursor, l->span->end.fs, number, inode, &found, err);
	if (result == 0 && found && fs_inode_kind(inode) == FS_FOLDER)
		result = fs_names_list(cursor, inode, on_name, &s, NULL, err) < 0 ? -1 : 0;
	if (result == 0 && s.failed)
		result = error_set(err, "out of memory");
	if (result == 0)
		result = take_siblings(l, cursor, &s.inodes, err);
	u64_vector_release(&s.inodes);
	free(inode);
	lines_cursor_free(l, cursor);
	return result;
}

// ---- the job

static int follow_moved(struct lines *l, size_t from, struct error *err)
{
	while (from < l->moved.count) { // a file that loses its last name may still be written to: that is one more
		struct moved_vector named = {0};
		size_t end = l->moved.count < MAX_FILES ? l->moved.count : MAX_FILES;
		int result = 0;

		if (from >= MAX_FILES)
			return fs_job_warn(l->job, "the log was more than 256 files: the lines of further ones that were moved on count as gone", err);
		for (; result == 0 && from < end; from++) {
			const struct moved file = l->moved.items[from];

			if (file.nameless)
				result = lines_follow_nameless(l, &file, err);
			else if (moved_vector_append(&named, file) < 0)
				result = error_set(err, "out of memory");
		}
		if (result == 0 && named.count > 0)
			result = follow_inodes(l, named.items, named.count, err);
		moved_vector_release(&named);
		if (result < 0)
			return -1;
	}
	return 0;
}

static int follow_all(struct lines *l, struct error *err)
{
	const struct fsread_question *q = l->job->question;
	bool any = false;
	size_t done;

	if (find_siblings(l, q->from_seq, err) < 0 || follow_moved(l, 0, err) < 0)
		return -1;
	done = l->moved.count;
	if (follow_log(l, &any, err) < 0)
		return -1;
	if (!any) {
		struct buffer name AUTO_RELEASE_BUFFER = {0};

		fs_span_name(q, &name);
		l->job->failure = FSREAD_NO_SUCH_FILE;
		return error_set(err, "%s: was never there in this span of the history", buffer_string(&name));
	}
	if (find_siblings(l, q->to_seq, err) < 0 || follow_moved(l, done, err) < 0)
		return -1;
	return send_gone(l, err);
}

// false in *ret_sure: what was not read of the journal may matter, and all of it has to be read.
static int answer(struct fs_job *job, bool reads_all, bool *ret_sure, struct error *err)
{
	struct fs_span span;
	struct lines l = {.job = job, .span = &span, .reads_all = reads_all};
	int result;

	if (fs_span_open(job, job->question->from_seq, job->question->to_seq, &span, err) < 0)
		return -1;
	if (!reads_all)
		fs_cursor_read_less(span.cursor);
	result = line_table_init(&l.table, on_line, &l, err);
	if (result == 0)
		result = follow_all(&l, err);
	if (result == 0 && l.table.full)
		result = fs_job_warn(job, "the log has more lines than are told apart (16 million) or was rewritten too often: further ones are missing", err);
	line_table_release(&l.table);
	moved_vector_release(&l.moved);
	buffer_release(&l.frame);
	*ret_sure = reads_all || !(l.doubts || fs_cursor_doubts(span.cursor));
	fs_span_release(&span);
	return result;
}

static int begin_anew(struct fs_job *job, struct error *err)
{
	struct buffer payload AUTO_RELEASE_BUFFER = {0};

	job->failure = FSREAD_BROKEN; // what failed then counts for nothing, either
	wire_put_u64(&payload, LINE_FRAME_ANEW);
	return fs_job_send(job, FSREAD_FRAME_LINE, &payload, err);
}

int fs_job_lines(struct fs_job *job, struct error *err)
{
	bool sure = true;
	int result = answer(job, false, &sure, err);

	if (sure)
		return result;
	return begin_anew(job, err) < 0 ? -1 : answer(job, true, &sure, err);
}
