// SPDX-License-Identifier: MIT
// A tree of files through mkfs into many kinds of ext file systems, and back: every name, kind and byte has to be there.
#include "snapshots/fs_ext.h"
#include "tests/unit/unit.h"
#include "tests/unit/volume_double.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define TREE "source"

static void write_file(const char *path, const void *bytes, size_t length, long hole)
{
	FILE *file = fopen(path, "wb");

	CHECK(file != NULL);
	if (!file)
		return;
	if (hole > 0)
		(void)fseek(file, hole, SEEK_SET);
	CHECK(fwrite(bytes, 1, length, file) == length);
	CHECK(fclose(file) == 0);
}

// Bytes that tell where they belong.
static void pattern(uint8_t *bytes, size_t length, uint32_t seed)
{
	for (size_t i = 0; i < length; i++) {
		seed = seed * 1103515245u + 12345u;
		bytes[i] = (uint8_t)(seed >> 16);
	}
}

static void make_tree(void)
{
	static uint8_t bytes[6 << 20];
	char path[256];

	CHECK(mkdir(TREE, 0755) == 0 && mkdir(TREE "/many", 0755) == 0 && mkdir(TREE "/etc", 0755) == 0);
	pattern(bytes, sizeof(bytes), 1);
	write_file(TREE "/empty", bytes, 0, 0);
	write_file(TREE "/tiny", "x", 1, 0);
	write_file(TREE "/inside", bytes, 140, 0);
	write_file(TREE "/etc/passwd", bytes, 3333, 0);
	write_file(TREE "/large", bytes, sizeof(bytes), 0);
	write_file(TREE "/sparse", bytes, 5000, 3 << 20);
	for (int i = 0; i < 400; i++) {
		(void)snprintf(path, sizeof(path), TREE "/many/file-with-a-longer-name-%03d", i);
		write_file(path, bytes + i, (size_t)i, 0);
	}
	CHECK(symlink("etc/passwd", TREE "/short-link") == 0);
	CHECK(symlink("/etc/../etc/././././././././././././././././././././././././././././passwd", TREE "/long-link") == 0);
	CHECK(symlink("../etc", TREE "/many/to-etc") == 0);
	CHECK(symlink("loop", TREE "/loop") == 0);
	CHECK(link(TREE "/tiny", TREE "/tiny-too") == 0);
}

static void check_content(struct fs_ext *fs, uint64_t inode, const char *path)
{
	static uint8_t want[8 << 20], got[8 << 20];
	FILE *file = fopen(path, "rb");
	struct error err = {""};
	size_t length, got_length = 0;

	CHECK(file != NULL);
	if (!file)
		return;
	length = fread(want, 1, sizeof(want), file);
	(void)fclose(file);
	bool same = fs_ext_read(fs, inode, 0, got, sizeof(got), &got_length, &err) == 0 && got_length == length && memcmp(want, got, length) == 0;

	if (!same)
		fprintf(stderr, "%s: differs (%zu of %zu bytes) %s\n", path, got_length, length, err.message);
	CHECK(same);
	// In pieces of an odd size, too.
	for (uint64_t at = 0; at < length; at += 99991) {
		size_t piece = length - at < 4567 ? (size_t)(length - at) : 4567;

		CHECK(fs_ext_read(fs, inode, at, got, 4567, &got_length, &err) == 0 && got_length == piece && memcmp(got, want + at, piece) == 0);
	}
}

struct looking { struct fs_ext *fs; const char *folder; unsigned count; };

static int look(void *context, const void *name, size_t length, uint64_t inode, unsigned file_type, struct error *err)
{
	struct looking *l = context, inner = {.fs = l->fs};
	char path[600];
	struct stat status;
	struct fs_file file;

	(void)file_type;
	(void)snprintf(path, sizeof(path), "%s/%.*s", l->folder, (int)length, (const char *)name);
	if (strcmp(path, TREE "/lost+found") == 0)
		return 0;
	l->count++;
	CHECK(lstat(path, &status) == 0);
	CHECK(fs_ext_stat(l->fs, inode, &file, err) == 0);
	CHECK_EQUAL(file.mode, status.st_mode);
	CHECK_EQUAL(file.links, status.st_nlink);
	if (file.kind == FS_REGULAR) {
		CHECK_EQUAL(file.size_bytes, status.st_size);
		CHECK_EQUAL(file.mtime_ns / 1000000000, status.st_mtim.tv_sec);
		check_content(l->fs, inode, path);
	} else if (file.kind == FS_SYMLINK) {
		char target[256] = "";

		CHECK(readlink(path, target, sizeof(target) - 1) > 0);
		CHECK_STRING(file.target, target);
	} else {
		inner.folder = path;
		CHECK_EQUAL(fs_ext_list(l->fs, inode, look, &inner, err), 0);
		l->count += inner.count;
	}
	fs_file_release(&file);
	return 0;
}

static int count_inode(void *context, const struct fs_file *file, struct error *err)
{
	(void)file, (void)err;
	(*(unsigned *)context)++;
	return 0;
}

static void check_lookup(struct fs_ext *fs, const char *path, bool want)
{
	uint64_t inode = 0;
	bool found = !want;
	struct error err = {""};

	CHECK_EQUAL(fs_ext_lookup(fs, path, strlen(path), &inode, &found, &err), 0);
	if (found != want)
		fprintf(stderr, "%s: %s\n", path, err.message);
	CHECK_EQUAL(found, want);
}

static void check_paths(struct fs_ext *fs)
{
	uint64_t inode;
	bool found;
	struct error err;

	check_lookup(fs, "", true);
	check_lookup(fs, "/", true);
	check_lookup(fs, "/etc/passwd", true);
	check_lookup(fs, "etc//./passwd", true);
	check_lookup(fs, "/../../etc/passwd", true);
	check_lookup(fs, "/many/to-etc/passwd", true);
	check_lookup(fs, "/many/to-etc/../etc/passwd", true);
	check_lookup(fs, "/loop", true); // itself, not what it leads to
	check_lookup(fs, "/etc/passwd/", false);
	check_lookup(fs, "/etc/shadow", false);
	check_lookup(fs, "/tiny/x", false);
	CHECK_EQUAL(fs_ext_lookup(fs, "/loop/x", 7, &inode, &found, &err), -1);
	CHECK(strstr(err.message, "40 symlinks"));
}

static void check_variant(const char *options)
{
	char command[512];
	struct volume volume = {0};
	struct fs_ext *fs;
	struct error err = {""};
	struct looking l = {.folder = TREE};
	unsigned inodes = 0;

	(void)unlink("image");
	(void)snprintf(command, sizeof(command), "mke2fs -q -F %s -d " TREE " image 64M >log 2>&1", options);
	CHECK_EQUAL(system(command), 0);
	volume.fd = open("image", O_RDONLY | O_CLOEXEC);
	volume.size = (uint64_t)lseek(volume.fd, 0, SEEK_END);
	bool opened = fs_ext_open(&volume, &fs, &err) == 0;

	CHECK(opened);
	if (!opened) {
		fprintf(stderr, "%s: %s\n", options, err.message);
		(void)close(volume.fd);
		return;
	}
	l.fs = fs;
	err.message[0] = '\0';
	if (fs_ext_list(fs, 2, look, &l, &err) != 0)
		fprintf(stderr, "%s: %s\n", options, err.message);
	if (l.count != 413)
		fprintf(stderr, "%s: %u names\n", options, l.count);
	CHECK_EQUAL(l.count, 413);
	check_paths(fs);
	CHECK_EQUAL(fs_ext_inodes(fs, count_inode, &inodes, &err), 0);
	// + root + lost+found - the second name of tiny; the orphan file has no name.
	CHECK_EQUAL(inodes, strstr(options, "orphan_file") ? 415 : 414);
	CHECK_STRING(buffer_string(fs_ext_warnings(fs)), "");
	fs_ext_free(fs);
	(void)close(volume.fd);
}

int main(void)
{
	static const char *const variants[] = {
		"-t ext4", "-t ext4 -b 1024", "-t ext4 -b 2048", "-t ext2", "-t ext2 -b 1024", "-t ext3", "-t ext3 -b 1024",
		"-t ext4 -O inline_data", "-t ext4 -O bigalloc -C 16384", "-t ext4 -O meta_bg,^resize_inode", "-t ext4 -O meta_bg,^resize_inode -b 1024",
		"-t ext4 -O ^metadata_csum", "-t ext4 -O ^64bit,^metadata_csum", "-t ext4 -O ^64bit", "-t ext4 -O large_dir,ea_inode",
		"-t ext4 -O orphan_file", "-t ext4 -O metadata_csum_seed", "-t ext4 -O verity,encrypt", "-t ext4 -O casefold", "-t ext4 -I 128",
		"-t ext4 -I 1024 -O inline_data", "-t ext4 -O ^extents,^64bit", "-t ext4 -O ^flex_bg", "-t ext4 -O ^filetype", "-t ext4 -b 65536",
		"-t ext2 -r 0 -O none", "-t ext4 -O ^dir_index", "-t ext4 -O sparse_super2",
	};

	if (system("mke2fs -V >log 2>&1") != 0) {
		puts("mke2fs is not installed");
		return 77;
	}
	make_tree();
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++)
		check_variant(variants[i]);
	return unit_end();
}
