// SPDX-License-Identifier: MIT
#include "snapshots/fs_names.h"

#include "base/buffer.h"
#include "base/bytes.h"

#include <string.h>

#define ROOT_INODE 2u           /* EXT4_ROOT_INO, fs/ext4/ext4.h */
#define MAX_SYMLINKS 40u        /* MAXSYMLINKS, linux/namei.h */
#define MAX_TARGET_BYTES 4096u  /* PATH_MAX */
#define MAX_PATH_PARTS 4096u    /* our limit; symlinks add parts */
#define MAX_FOLDER_BYTES ((uint64_t)1 << 30) /* our limit for one folder */
#define ENTRY_HEADER_BYTES 8u
#define INLINE_PARENT_BYTES 4u  /* inline folders begin with the parent's number instead of . and .. */

int fs_names_read(void *cursor, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	return fs_cursor_read(cursor, offset, bytes, length, err);
}

// ---- inodes

int fs_inode_read(struct fs_cursor *c, struct fs_ext *fs, uint64_t number, struct fs_inode *ret, bool *ret_found, struct error *err)
{
	uint32_t length = 0;
	struct error ignored;

	*ret_found = false;
	// A number out of range is what damaged or hostile folders hold: no file, and no failure.
	if (number == 0 || fs_ext_inode_place(fs, number, &ret->place, &length, &ignored) < 0)
		return 0;
	ret->number = number;
	ret->length = length < FS_INODE_BYTES ? length : FS_INODE_BYTES;
	if (fs_cursor_read(c, ret->place, ret->raw, ret->length, err) < 0)
		return -1;
	*ret_found = true;
	return 0;
}

unsigned fs_inode_kind(const struct fs_inode *i)
{
	switch (get_le16(i->raw) & 0xF000u) { // i_mode, S_IFMT
	case 0x8000:
		return FS_REGULAR;
	case 0x4000:
		return FS_FOLDER;
	case 0xA000:
		return FS_SYMLINK;
	case 0x2000:
		return FS_CHARACTER;
	case 0x6000:
		return FS_BLOCK;
	case 0x1000:
		return FS_FIFO;
	case 0xC000:
		return FS_SOCKET;
	default:
		return FS_OTHER;
	}
}

uint32_t fs_inode_links(const struct fs_inode *i)
{
	return get_le16(i->raw + 0x1A);
}

uint32_t fs_inode_generation(const struct fs_inode *i)
{
	return get_le32(i->raw + 0x64);
}

// A deletion time decides, too: debugfs leaves the link count of what it removes. While a file is being truncated the kernel keeps the next
// orphan's number in that place, and numbers are small.
#define LEAST_DELETION_TIME (UINT32_C(1) << 26) /* 1972 */

bool fs_inode_lives(const uint8_t *raw)
{
	return get_le16(raw) != 0 && get_le16(raw + 0x1A) > 0 && get_le32(raw + 0x14) < LEAST_DELETION_TIME; // i_mode, i_links_count, i_dtime
}

// ---- folders

int fs_names_scan(const uint8_t *block, size_t length, fs_names_entry *visit, void *context)
{
	for (size_t at = 0; at + ENTRY_HEADER_BYTES <= length;) {
		uint64_t inode = get_le32(block + at);
		size_t record = get_le16(block + at + 4), name = block[at + 6];

		if (record == 0 || record == 0xFFFF) // 64 KiB blocks: ext4_rec_len_from_disk()
			record = length - at;
		if (record < ENTRY_HEADER_BYTES || record > length - at || name > record - ENTRY_HEADER_BYTES)
			return 0;
		if (inode != 0 && name > 0 && visit(context, block + at + ENTRY_HEADER_BYTES, name, inode) != 0)
			return 1;
		at += record;
	}
	return 0;
}

static int list_inline(const struct fs_map *map, fs_names_entry *visit, void *context)
{
	size_t first = map->inline_length < 60 ? map->inline_length : 60; // the part in i_block; the rest is a run of entries of its own

	if (first < INLINE_PARENT_BYTES)
		return 0;
	if (visit(context, "..", 2, get_le32(map->inline_bytes)) != 0 ||
	    fs_names_scan(map->inline_bytes + INLINE_PARENT_BYTES, first - INLINE_PARENT_BYTES, visit, context) != 0)
		return 1;
	return fs_names_scan(map->inline_bytes + first, map->inline_length - first, visit, context);
}

static int watch_runs(struct fs_runs *watch, const struct fs_map *map, uint32_t block_bytes, struct error *err)
{
	for (size_t i = 0; watch && i < map->runs.count; i++) {
		if (fs_runs_append(watch, map->runs.items[i]) < 0)
			return error_set(err, "out of memory");
	}
	for (size_t i = 0; watch && i < map->nodes.count; i++) {
		if (fs_runs_append(watch, (struct fs_run){.volume_offset = map->nodes.items[i], .length = block_bytes}) < 0)
			return error_set(err, "out of memory");
	}
	return 0;
}

static int list_blocks(struct fs_cursor *c, const struct fs_map *map, fs_names_entry *visit, void *context, struct error *err)
{
	uint32_t size = fs_cursor_block_bytes(c);
	uint64_t end = map->size_bytes < MAX_FOLDER_BYTES ? map->size_bytes : MAX_FOLDER_BYTES;
	uint8_t *block = malloc(size);
	int result = 0;

	if (!block)
		return error_set(err, "out of memory");
	for (size_t i = 0; i < map->runs.count && result == 0; i++) {
		const struct fs_run *run = &map->runs.items[i];

		for (uint64_t at = 0; at < run->length && run->file_offset + at < end && result == 0 && !run->unwritten; at += size) {
			if (fs_cursor_read(c, run->volume_offset + at, block, size, err) < 0)
				result = -1;
			else
				result = fs_names_scan(block, size, visit, context);
		}
	}
	free(block);
	return result;
}

int fs_names_list(struct fs_cursor *c, const struct fs_inode *folder, fs_names_entry *visit, void *context, struct fs_runs *watch, struct error *err)
{
	struct fs_map map = {0};
	int result = fs_map_decode(folder->raw, folder->length, fs_cursor_block_bytes(c), fs_names_read, c, &map, err);

	if (result == 0)
		result = watch_runs(watch, &map, fs_cursor_block_bytes(c), err);
	if (result == 0)
		result = map.inline_bytes ? list_inline(&map, visit, context) : list_blocks(c, &map, visit, context, err);
	fs_map_release(&map);
	return result;
}

// ---- paths

struct wanted { const char *name; size_t length; uint64_t inode; };

static int match_name(void *context, const void *name, size_t length, uint64_t inode)
{
	struct wanted *w = context;

	if (length != w->length || memcmp(name, w->name, length) != 0)
		return 0;
	w->inode = inode;
	return 1;
}

static int watch_inode(struct fs_runs *watch, const struct fs_inode *i, struct error *err)
{
	struct fs_run run = {.volume_offset = i->place, .length = i->length};

	return watch && fs_runs_append(watch, run) < 0 ? error_set(err, "out of memory") : 0;
}

// The target goes in front of what is still to be walked.
static int follow_symlink(struct fs_cursor *c, const struct fs_inode *link, struct buffer *rest, size_t *at, bool *ret_absolute, struct error *err)
{
	struct fs_map map = {0};
	struct buffer joined = {0};
	char target[MAX_TARGET_BYTES];
	size_t length;
	int result = fs_map_decode(link->raw, link->length, fs_cursor_block_bytes(c), fs_names_read, c, &map, err);

	length = map.size_bytes < sizeof(target) ? (size_t)map.size_bytes : 0;
	if (result == 0)
		result = fs_map_content(&map, fs_names_read, c, 0, target, length, err);
	fs_map_release(&map);
	if (result < 0)
		return -1;
	*ret_absolute = length > 0 && target[0] == '/';
	buffer_add(&joined, target, length);
	buffer_add_byte(&joined, '/');
	buffer_add(&joined, rest->bytes + *at, rest->length - *at);
	buffer_release(rest);
	*rest = joined;
	*at = 0;
	return buffer_check(rest, err);
}

struct walk {
	struct fs_cursor *cursor;
	struct fs_ext *fs;
	struct fs_runs *watch;
	struct buffer rest; // of the path, from `at` on
	size_t at;
	unsigned symlinks, parts;
};

static bool next_part(struct walk *w, const char **ret_name, size_t *ret_length)
{
	while (w->at < w->rest.length && w->rest.bytes[w->at] == '/')
		w->at++;
	*ret_name = w->rest.bytes + w->at;
	while (w->at < w->rest.length && w->rest.bytes[w->at] != '/')
		w->at++;
	*ret_length = (size_t)(w->rest.bytes + w->at - *ret_name);
	return *ret_length > 0;
}

static bool at_last_part(const struct walk *w)
{
	for (size_t i = w->at; i < w->rest.length; i++) {
		if (w->rest.bytes[i] != '/')
			return false;
	}
	return true;
}

// One part of the path: *current is the folder, then what the part means; 0 when there is nothing.
static int walk_part(struct walk *w, const char *name, size_t length, uint64_t *current, struct error *err)
{
	struct wanted wanted = {.name = name, .length = length};
	struct fs_inode inode;
	bool found, absolute;
	uint64_t folder = *current;

	*current = 0;
	if (fs_inode_read(w->cursor, w->fs, folder, &inode, &found, err) < 0)
		return -1;
	if (!found || watch_inode(w->watch, &inode, err) < 0)
		return found ? -1 : 0;
	if (fs_inode_kind(&inode) != FS_FOLDER || !fs_inode_lives(inode.raw))
		return 0;
	if (fs_names_list(w->cursor, &inode, match_name, &wanted, w->watch, err) < 0)
		return -1;
	*current = wanted.inode;
	if (wanted.inode == 0 || at_last_part(w))
		return 0;
	if (fs_inode_read(w->cursor, w->fs, wanted.inode, &inode, &found, err) < 0)
		return -1;
	if (!found || fs_inode_kind(&inode) != FS_SYMLINK)
		return 0;
	*current = 0;
	if (++w->symlinks > MAX_SYMLINKS)
		return 0;
	if (watch_inode(w->watch, &inode, err) < 0 || follow_symlink(w->cursor, &inode, &w->rest, &w->at, &absolute, err) < 0)
		return -1;
	*current = absolute ? ROOT_INODE : folder;
	return 0;
}

int fs_names_find(struct fs_cursor *c, struct fs_ext *fs, const void *path, size_t length, struct fs_runs *watch, uint64_t *ret_inode,
		  struct error *err)
{
	struct walk w = {.cursor = c, .fs = fs, .watch = watch};
	uint64_t current = ROOT_INODE;
	const char *name;
	size_t name_length;
	int result;

	buffer_add_byte(&w.rest, '/'); // of the root, also when the path is empty
	buffer_add(&w.rest, path, length);
	result = buffer_check(&w.rest, err);
	while (result == 0 && current != 0 && next_part(&w, &name, &name_length)) {
		if (++w.parts > MAX_PATH_PARTS)
			current = 0;
		else if (name_length != 1 || name[0] != '.')
			result = walk_part(&w, name, name_length, &current, err);
	}
	buffer_release(&w.rest);
	if (result == 0)
		*ret_inode = current;
	return result;
}
