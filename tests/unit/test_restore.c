// SPDX-License-Identifier: MIT
// The asking side against a reader that was taken over: frames that lie, and somebody who changes the new folder meanwhile. Nothing is
// made outside, and what failed leaves nothing behind.
#include "base/fileio.h"
#include "snapshots/restore_parts.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct restore_report report;
static uint64_t max_bytes; // of the next tree; 0: no limit

static int send_file(struct restore_tree *t, const char *path, size_t length, enum fs_kind kind, uint64_t inode, uint32_t links, uint64_t size)
{
	struct fs_file file = {.inode = inode, .kind = kind, .links = links, .size_bytes = size, .mode = 07777};
	struct buffer out = {0};
	struct error err;
	char *copy = malloc(length + 1);

	memcpy(copy, path, length);
	copy[length] = '\0';
	file.path = copy;
	file.path_length = length;
	fs_file_put(&out, &file);
	int result = restore_tree_frame(t, FSREAD_FRAME_FILE, out.bytes, out.length, &err);

	buffer_release(&out);
	free(copy);
	return result;
}

static int send_data(struct restore_tree *t, uint64_t offset, const char *bytes)
{
	struct buffer out = {0};
	struct error err;

	wire_put_u64(&out, offset);
	wire_put_bytes(&out, bytes, strlen(bytes));
	int result = restore_tree_frame(t, FSREAD_FRAME_DATA, out.bytes, out.length, &err);

	buffer_release(&out);
	return result;
}

static int send_whole(struct restore_tree *t)
{
	struct error err;

	return restore_tree_frame(t, FSREAD_FRAME_WHOLE, "", 0, &err);
}

static struct restore_tree *begin(const char *root)
{
	struct restore_tree *t = NULL;
	struct error err = {""};

	report = (struct restore_report){0};
	CHECK_EQUAL(restore_tree_new("out", max_bytes, &report, &t, &err), 0);
	CHECK_EQUAL(send_file(t, root, strlen(root), FS_FOLDER, 2, 2, 0), 0);
	return t;
}

static unsigned count_here(void)
{
	DIR *folder = opendir(".");
	unsigned count = 0;

	while (folder && readdir(folder))
		count++;
	(void)closedir(folder);
	return count - 2; // . and ..
}

static bool holds(const char *path, const char *want)
{
	struct buffer got = {0};
	struct error err;
	bool same = fileio_read(&got, path, 1 << 20, &err) == 0 && got.length == strlen(want) && memcmp(got.bytes, want, got.length) == 0;

	buffer_release(&got);
	return same;
}

static void check_paths(void)
{
	static const struct { const char *path; size_t length; } lies[] = {
#define LIE(text) {text, sizeof(text) - 1}
		LIE("/root/../evil"), LIE("/root/.."), LIE("/root/."), LIE("/root/a/../../evil"), LIE("/root//evil"), LIE("/evil"), LIE("evil"),
		LIE("/rootevil"), LIE("/root"), LIE("/root/"), LIE("/root/a/"), LIE(""), LIE("/"), LIE("../evil"),
	};
	struct restore_tree *t = begin("/root");
	struct error err;
	struct stat status;
	char long_part[400] = "/root/";

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		CHECK_EQUAL(send_file(t, lies[i].path, lies[i].length, FS_REGULAR, 20 + i, 1, 1), 0);
		CHECK_EQUAL(send_data(t, 0, "x"), 0); // of a file that was not made: ignored
		CHECK_EQUAL(send_whole(t), 0);
	}
	memset(long_part + 6, 'x', 300);
	CHECK_EQUAL(send_file(t, long_part, 306, FS_REGULAR, 50, 1, 1), 0);
	CHECK_EQUAL(report.skipped, sizeof(lies) / sizeof(lies[0]) + 1);
	CHECK_EQUAL(send_file(t, "/root/dev", 9, FS_CHARACTER, 51, 1, 0), 0);
	CHECK_EQUAL(send_file(t, "/root/fifo", 10, FS_FIFO, 52, 1, 0), 0);
	CHECK_EQUAL(send_file(t, "/root/link", 10, FS_SYMLINK, 53, 1, 0), 0);
	CHECK_EQUAL(send_file(t, "/root/good", 10, FS_REGULAR, 54, 1, 4), 0);
	CHECK_EQUAL(send_data(t, 2, "od"), 0);
	CHECK_EQUAL(send_whole(t), 0);
	CHECK_EQUAL(restore_tree_commit(t, &err), 0);
	restore_tree_free(t);
	CHECK_EQUAL(count_here(), 1);
	CHECK(stat("out/good", &status) == 0 && (status.st_mode & 07777) == 0600 && status.st_size == 4);
	CHECK(stat("out", &status) == 0 && (status.st_mode & 07777) == 0700);
	CHECK(lstat("out/dev", &status) < 0 && lstat("out/fifo", &status) < 0 && lstat("out/link", &status) < 0);
	CHECK_EQUAL(report.files, 1);
	restore_report_release(&report);
	CHECK(unlink("out/good") == 0 && rmdir("out") == 0);
}

static void check_content_lies(void)
{
	struct restore_tree *t = begin("");
	struct stat status;

	CHECK_EQUAL(send_file(t, "/a", 2, FS_REGULAR, 20, 1, 5), 0);
	CHECK_EQUAL(send_data(t, 3, "xyz"), -1); // beyond the size
	restore_tree_free(t);
	CHECK_EQUAL(count_here(), 0);
	restore_report_release(&report);

	t = begin("");
	CHECK_EQUAL(send_file(t, "/a", 2, FS_REGULAR, 20, 1, 9), 0);
	CHECK_EQUAL(send_data(t, 3, "xyz"), 0);
	CHECK_EQUAL(send_data(t, 2, "x"), -1); // back
	restore_tree_free(t);
	CHECK_EQUAL(count_here(), 0);
	restore_report_release(&report);

	// Not whole: left out. More bytes than a file can have: refused.
	t = begin("");
	CHECK_EQUAL(send_file(t, "/a", 2, FS_REGULAR, 20, 1, 9), 0);
	CHECK_EQUAL(send_data(t, 0, "xyz"), 0);
	CHECK_EQUAL(send_file(t, "/d", 2, FS_FOLDER, 21, 2, 0), 0);
	CHECK_EQUAL(send_file(t, "/d/b", 4, FS_REGULAR, 22, 1, UINT64_C(1) << 63), 0);
	CHECK_EQUAL(send_whole(t), 0);
	CHECK_EQUAL(send_file(t, "/c", 2, FS_REGULAR, 23, 1, 9), -1);
	CHECK(report.skipped == 1 && strstr(buffer_string(&report.manifest), "could not be read in full"));
	restore_tree_free(t);
	CHECK_EQUAL(count_here(), 0);
	CHECK(stat("out", &status) < 0);
	restore_report_release(&report);
}

// Somebody puts a symlink where a folder was.
static void check_swapped_folder(void)
{
	struct restore_tree *t = begin("");
	struct error err;
	char name[300] = "", link[600];
	DIR *here = opendir(".");
	struct stat status;

	for (struct dirent *entry = readdir(here); entry; entry = readdir(here))
		if (strncmp(entry->d_name, ".provgraph", 10) == 0)
			(void)snprintf(name, sizeof(name), "%s", entry->d_name);
	(void)closedir(here);
	CHECK(mkdir("outside", 0700) == 0);
	CHECK_EQUAL(send_file(t, "/d", 2, FS_FOLDER, 21, 2, 0), 0);
	(void)snprintf(link, sizeof(link), "%s/d", name);
	CHECK(rmdir(link) == 0 && symlink("../outside", link) == 0);
	CHECK_EQUAL(send_file(t, "/d/evil", 7, FS_REGULAR, 22, 1, 1), 0);
	CHECK_EQUAL(send_data(t, 0, "x"), 0);
	CHECK_EQUAL(send_whole(t), 0);
	CHECK_EQUAL(restore_tree_commit(t, &err), 0);
	restore_tree_free(t);
	CHECK(lstat("outside/evil", &status) < 0);
	CHECK_EQUAL(report.files, 0);
	restore_report_release(&report);
	CHECK(unlink("out/d") == 0 && rmdir("out") == 0 && rmdir("outside") == 0);
}

static void check_links(void)
{
	struct restore_tree *t = begin("");
	struct error err;
	struct stat status;

	CHECK_EQUAL(send_file(t, "/a", 2, FS_REGULAR, 20, 3, 3), 0);
	CHECK_EQUAL(send_data(t, 0, "abc"), 0);
	CHECK_EQUAL(send_whole(t), 0);
	CHECK_EQUAL(send_file(t, "/b", 2, FS_REGULAR, 20, 3, 3), 0);
	CHECK_EQUAL(send_file(t, "/a", 2, FS_REGULAR, 20, 3, 3), 0); // its own name
	CHECK_EQUAL(restore_tree_commit(t, &err), 0);
	restore_tree_free(t);
	CHECK(stat("out/b", &status) == 0 && status.st_nlink == 2 && holds("out/b", "abc"));
	CHECK_EQUAL(report.skipped, 1);
	CHECK(strstr(buffer_string(&report.manifest), "\"hard_link_to\":\"a\""));
	restore_report_release(&report);
	CHECK(unlink("out/a") == 0 && unlink("out/b") == 0 && rmdir("out") == 0);
}

static void check_limit(void)
{
	struct error err;
	struct stat status;

	max_bytes = 10;
	struct restore_tree *t = begin("");

	max_bytes = 0;
	CHECK_EQUAL(send_file(t, "/a", 2, FS_REGULAR, 20, 1, 6), 0);
	CHECK_EQUAL(send_whole(t), 0);
	CHECK_EQUAL(send_file(t, "/b", 2, FS_REGULAR, 21, 1, 5), 0);
	CHECK_EQUAL(send_data(t, 0, "xxxxx"), 0);
	CHECK_EQUAL(send_whole(t), 0);
	CHECK_EQUAL(send_file(t, "/c", 2, FS_REGULAR, 22, 1, 4), 0);
	CHECK_EQUAL(send_whole(t), 0);
	CHECK_EQUAL(restore_tree_commit(t, &err), 0);
	restore_tree_free(t);
	CHECK(report.files == 2 && report.skipped == 1 && report.bytes == 10);
	CHECK(lstat("out/b", &status) < 0);
	restore_report_release(&report);
	CHECK(unlink("out/a") == 0 && unlink("out/c") == 0 && rmdir("out") == 0);
}

static void check_beneath(void)
{
	CHECK(!restore_beneath_check("a/b/c", 5));
	CHECK(!restore_beneath_check("...", 3));
	CHECK(restore_beneath_check("a\0b", 3));
	CHECK(restore_beneath_check("", 0));
	CHECK(restore_beneath_check("a/", 2));
	CHECK(restore_beneath_check("/a", 2));
	CHECK(restore_beneath_check("a/../b", 6));
	CHECK(restore_beneath_check("./a", 3));
}

static void write_place(bool force, int *result, struct error *err)
{
	struct restore_place place;
	struct restore_stream stream;
	char sha256[65];

	*result = restore_place_open(&place, "file", force, err);
	if (*result == 0 && restore_stream_init(&stream, place.fd, "file", 8, err) == 0) {
		CHECK(restore_stream_add(&stream, 4, (const uint8_t *)"abcd", 4, err) == 0 && restore_stream_finish(&stream, sha256, err) == 0);
		// printf '\0\0\0\0abcd' | sha256sum
		CHECK_STRING(sha256, "27fff97af1fd19eba03a4a826c7ca84dc9442e1239dbc697a20a70934b4ca4e8");
		restore_stream_release(&stream);
		*result = restore_place_commit(&place, err);
	}
	restore_place_abort(&place);
}

static void check_place(void)
{
	struct error err;
	struct stat status;
	int result;

	write_place(false, &result, &err);
	CHECK_EQUAL(result, 0);
	CHECK(stat("file", &status) == 0 && status.st_size == 8 && (status.st_mode & 07777) == 0600 && status.st_nlink == 1);
	write_place(false, &result, &err);
	CHECK(result == -1 && strstr(err.message, "--force"));
	write_place(true, &result, &err);
	CHECK_EQUAL(result, 0);
	CHECK_EQUAL(count_here(), 1);
	CHECK(unlink("file") == 0);
	// Begun and given up: nothing.
	struct restore_place place;

	CHECK_EQUAL(restore_place_open(&place, "file", false, &err), 0);
	restore_place_abort(&place);
	// Somebody was faster.
	CHECK_EQUAL(restore_place_open(&place, "file", false, &err), 0);
	CHECK(mkdir("file", 0700) == 0);
	CHECK_EQUAL(restore_place_commit(&place, &err), -1);
	restore_place_abort(&place);
	CHECK(rmdir("file") == 0);
	CHECK_EQUAL(count_here(), 0);
}

int main(void)
{
	(void)umask(022);
	check_beneath();
	check_paths();
	check_content_lies();
	check_swapped_folder();
	check_links();
	check_limit();
	check_place();
	return unit_end();
}
