// SPDX-License-Identifier: MIT
// A log that lost its name while its program has it open: auditd writes on, and nobody can read it. Its blocks are on the disk until it is
// closed (ext4 keeps it in a list of orphans).
#include "snapshots/fs_job_lines.h"

#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

#define MAX_WORK (FS_TRACK_MAX_WORK / 4) /* our limit for all of them */
#define WORK_OF_A_LOOK 16u
#define WORK_OF_A_NODE 64u               /* as in fs_track.c */

struct nameless {
	struct lines *lines;
	struct fs_cursor *cursor;
	const struct moved *file;
	struct line_file content;
	struct timeline_state state;
	struct fs_inode inode;      // as it was looked at last
	struct fs_ranges watched;
};

static bool has_no_name(const struct fs_inode *inode, uint32_t generation)
{
	return fs_inode_kind(inode) == FS_REGULAR && fs_inode_links(inode) == 0 && fs_inode_generation(inode) == generation;
}

static int size_of(struct lines *l, const struct fs_inode *inode, uint64_t *ret_size)
{
	struct fs_file file = {0};
	struct error ignored;
	int result = fs_ext_decode_inode(l->span->end.fs, inode->number, inode->raw, inode->length, &file, &ignored);

	*ret_size = result == 0 ? file.size_bytes : 0;
	fs_file_release(&file);
	return result;
}

int lines_is_nameless(struct lines *l, struct fs_cursor *cursor, uint64_t number, uint32_t generation, bool *ret, struct error *err)
{
	struct fs_inode *inode = malloc(sizeof(*inode));
	uint64_t size = 0;
	bool found = false;
	int result = inode ? fs_inode_read(cursor, l->span->end.fs, number, inode, &found, err) : error_set(err, "out of memory");

	*ret = result == 0 && found && has_no_name(inode, generation) && size_of(l, inode, &size) == 0 && size > 0;
	free(inode);
	return result;
}

static int watch(struct nameless *n, const struct fs_map *map, struct error *err)
{
	uint32_t block = fs_cursor_block_bytes(n->cursor);
	bool failed = fs_ranges_append(&n->watched, (struct fs_range){n->inode.place, n->inode.place + n->inode.length}) < 0;

	for (size_t i = 0; i < map->nodes.count; i++)
		failed |= fs_ranges_append(&n->watched, (struct fs_range){map->nodes.items[i], map->nodes.items[i] + block}) < 0;
	for (size_t i = 0; i < map->runs.count; i++) {
		const struct fs_run *run = &map->runs.items[i];

		if (!run->unwritten)
			failed |= fs_ranges_append(&n->watched, (struct fs_range){run->volume_offset, run->volume_offset + run->length}) < 0;
	}
	if (failed)
		return error_set(err, "out of memory");
	int result = fs_cursor_watch(n->cursor, 0, &n->watched, err);

	n->watched.count = 0;
	return result;
}

// 1: it is gone.
static int look(struct nameless *n, struct error *err)
{
	struct line_moment when = {.seq = n->state.seq, .time_ns = n->state.arrival_ns, .change = TIMELINE_DELETED};
	struct lines *l = n->lines;
	struct fs_map map = {0};
	uint64_t size;
	bool found;

	if (fs_inode_read(n->cursor, l->span->end.fs, n->file->inode, &n->inode, &found, err) < 0)
		return -1;
	l->state = &n->state;
	l->arrival_ns = n->state.arrival_ns;
	l->table.nameless = &when;
	int result = !found || !has_no_name(&n->inode, n->file->generation) || size_of(l, &n->inode, &size) < 0 || size == 0;

	if (result == 1 && line_file_remove(&l->table, &n->content, &when, err) < 0)
		result = -1;
	if (result == 0)
		result = fs_map_decode(n->inode.raw, n->inode.length, fs_cursor_block_bytes(n->cursor), fs_names_read, n->cursor, &map, err);
	l->nameless_work += WORK_OF_A_LOOK + map.runs.count + WORK_OF_A_NODE * map.nodes.count;
	if (result == 0)
		result = lines_take(l, n->cursor, &map, size, &n->content, line_file_unsettled(&n->content), size, &when, err);
	if (result == 0)
		result = watch(n, &map, err);
	if (result == 0 && l->nameless_work > MAX_WORK)
		result = fs_job_warn(l->job, "a log without a name lies in more pieces than are looked at: what was written to it later is missing", err) < 0 ? -1 : 1;
	l->table.nameless = NULL;
	fs_map_release(&map);
	return lines_flush(l, err) < 0 ? -1 : result;
}

static int no_step(void *context, const struct fs_step *step, struct error *err)
{
	(void)context;
	(void)step;
	(void)err;
	return 0;
}

static int on_step(void *context, const struct fs_step *step, struct error *err)
{
	struct nameless *n = context;

	n->state.seq = step->seq;
	n->state.arrival_ns = step->realtime_ns;
	return look(n, err);
}

int lines_follow_nameless(struct lines *l, const struct moved *file, struct error *err)
{
	struct nameless *n = calloc(1, sizeof(*n));

	if (!n)
		return error_set(err, "out of memory");
	n->lines = l;
	n->file = file;
	n->state = (struct timeline_state){.seq = file->from_seq, .inode = file->inode, .generation = file->generation};
	int result = lines_cursor_open(l, file->from_seq, &n->cursor, err);

	if (result == 0) {
		n->state.arrival_ns = fs_cursor_time(n->cursor);
		result = look(n, err);
	}
	if (result == 0)
		result = fs_cursor_walk(n->cursor, l->job->question->to_seq, no_step, on_step, n, err);
	line_file_release(&n->content);
	fs_ranges_release(&n->watched);
	lines_cursor_free(l, n->cursor);
	free(n);
	return result < 0 ? -1 : 0;
}
