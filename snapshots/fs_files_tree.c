// SPDX-License-Identifier: MIT
#include "snapshots/fs_files_work.h"

#include <string.h>

#define ROOT_INODE 2u     /* EXT4_ROOT_INO, fs/ext4/ext4.h */
#define MAX_DEPTH 2048u   /* parts of a path of PATH_MAX bytes */
#define MAX_FOLDER_BLOCKS ((size_t)1 << 24) /* our limit, 0.5 GB: a few inodes can claim as many blocks as the disk has */

int files_add_name(struct tree *t, uint64_t key, bool newest, const struct tree_name *name, struct error *err)
{
	struct tree_name n = *name;
	uint64_t known;
	bool is_known = fs_table_get(&t->by_inode, key, &known);

	if (is_known && !newest)
		return 0;
	n.bytes = malloc(n.length + 1);
	if (!n.bytes || tree_names_append(&t->names, n) < 0) {
		free(n.bytes);
		return error_set(err, "out of memory");
	}
	memcpy(n.bytes, name->bytes, n.length);
	n.bytes[n.length] = '\0';
	return fs_table_put(&t->by_inode, key, t->names.count - 1) < 0 ? error_set(err, "out of memory") : 0;
}

void files_release_tree(struct tree *t)
{
	for (size_t i = 0; i < t->names.count; i++)
		free(t->names.items[i].bytes);
	tree_names_release(&t->names);
	fs_table_release(&t->by_inode);
}

bool files_path(const struct tree *leaf, uint64_t key, const struct tree *const *trees, size_t count, struct buffer *out)
{
	const struct tree_name *parts[MAX_DEPTH];
	size_t depth = 0;
	uint64_t index;

	if (!fs_table_get(&leaf->by_inode, key, &index))
		return false;
	parts[depth++] = &leaf->names.items[index];
	for (uint64_t folder = parts[0]->parent; folder != ROOT_INODE; folder = parts[depth++]->parent) {
		size_t i = 0;

		while (i < count && !fs_table_get(&trees[i]->by_inode, folder, &index))
			i++;
		if (i == count || depth == MAX_DEPTH)
			return false;
		parts[depth] = &trees[i]->names.items[index];
	}
	while (depth-- > 0) {
		buffer_add_byte(out, '/');
		buffer_add(out, parts[depth]->bytes, parts[depth]->length);
	}
	return out->length <= TIMELINE_PATH_BYTES;
}

int files_warn_full(struct files *f, struct error *err)
{
	if (f->told_full)
		return 0;
	f->told_full = true;
	return fs_job_warn(f->job, "the file system claims more folders or pieces of files than are followed: some changes of contents and names may be missing", err);
}

int files_note_folder_block(struct files *f, uint64_t block, uint64_t folder, struct error *err)
{
	if (f->folder_blocks.count >= MAX_FOLDER_BLOCKS)
		return files_warn_full(f, err) < 0 ? -1 : 1;
	return fs_table_put(&f->folder_blocks, block, folder) < 0 ? error_set(err, "out of memory") : 0;
}

struct folder_blocks { struct files *files; uint64_t folder; };

static int note_folder_run(void *context, const struct fs_run *run, struct error *err)
{
	struct folder_blocks *c = context;
	uint32_t size = fs_cursor_block_bytes(c->files->span.cursor);

	int result = 0;

	for (uint64_t at = 0; at < run->length && result == 0; at += size)
		result = files_note_folder_block(c->files, (run->volume_offset + at) / size, c->folder, err);
	return result;
}

static bool is_touched(const struct files *f, uint64_t inode)
{
	uint64_t index;

	return fs_table_get(&f->by_incarnation, files_key(inode, 0) | UINT32_MAX, &index); // set for each inode, see note_touched()
}

// One folder's entries; its subfolders are appended to `next`.
static int read_folder(struct files *f, struct fs_moment *m, uint64_t folder, bool only_folders, struct tree *tree, struct u64_vector *next, struct error *err)
{
	struct folder_blocks blocks = {f, folder};
	struct fs_name_vector names = {0};
	struct error why;
	int result = 0;

	if (fs_ext_runs(m->fs, folder, note_folder_run, &blocks, &why) < 0 || fs_names_sorted(m->fs, folder, &names, &why) < 0)
		return fs_job_warn(f->job, why.message, err);
	for (size_t i = 0; i < names.count && result == 0; i++) {
		const struct fs_name *n = &names.items[i];
		struct fs_file file = {0};
		uint64_t known;
		bool is_folder = fs_ext_stat(m->fs, n->inode, &file, &why) == 0 && file.kind == FS_FOLDER;

		fs_file_release(&file);
		// A folder that was met before is a loop.
		if (is_folder && (n->inode == ROOT_INODE || fs_table_get(&tree->by_inode, n->inode, &known)))
			continue;
		if (is_folder && u64_vector_append(next, n->inode) < 0)
			result = error_set(err, "out of memory");
		if (result == 0 && (is_folder || (!only_folders && is_touched(f, n->inode))))
			result = files_add_name(tree, n->inode, false, &(struct tree_name){n->inode, folder, n->bytes, n->length}, err);
	}
	fs_name_vector_free(&names);
	return result;
}

int files_read_tree(struct files *f, struct fs_moment *m, bool only_folders, struct tree *ret, struct error *err)
{
	struct u64_vector next = {0};
	int result = u64_vector_append(&next, ROOT_INODE) < 0 ? error_set(err, "out of memory") : 0;

	while (result == 0 && next.count > 0)
		result = read_folder(f, m, next.items[--next.count], only_folders, ret, &next, err);
	u64_vector_release(&next);
	return result;
}
