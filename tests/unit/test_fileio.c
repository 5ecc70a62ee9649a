// SPDX-License-Identifier: MIT
// Runs in an empty folder of its own (tests/run.sh).
#include "base/fileio.h"

#include "base/memory.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

static struct error err;

static const char *content(const char *path)
{
	static struct buffer b;

	buffer_clear(&b);
	return fileio_read(&b, path, 1000, &err) < 0 ? "unreadable" : buffer_string(&b);
}

static int files_here(void)
{
	DIR *here = opendir(".");
	int count = 0;

	while (readdir(here))
		count++;
	(void)closedir(here);
	return count - 2;
}

static void test_write(void)
{
	struct stat status;

	(void)umask(022);
	CHECK_EQUAL(fileio_write("a", "one", 3, 0644, false, &err), 0);
	CHECK_STRING(content("a"), "one");
	CHECK(stat("a", &status) == 0 && (status.st_mode & 07777) == 0644);
	CHECK_EQUAL(fileio_write("a", "two", 3, 0644, false, &err), -1);
	CHECK(strstr(err.message, "--force"));
	CHECK_STRING(content("a"), "one");
	CHECK_EQUAL(fileio_write("a", "two", 3, 0600, true, &err), 0);
	CHECK_STRING(content("a"), "two");
	CHECK_EQUAL(files_here(), 1);

	CHECK_EQUAL(mkdir("folder", 0755), 0);
	CHECK_EQUAL(fileio_write("folder", "x", 1, 0644, true, &err), -1);
	CHECK_EQUAL(fileio_write("nowhere/a", "x", 1, 0644, true, &err), -1);
	CHECK(strstr(err.message, "nowhere/a"));
	CHECK_EQUAL(fileio_write("folder/b", "", 0, 0644, false, &err), 0);
	CHECK_STRING(content("folder/b"), "");
	// A device that the user names is written to, never replaced.
	CHECK_EQUAL(fileio_write("/dev/null", "x", 1, 0644, false, &err), 0);
	CHECK(stat("/dev/null", &status) == 0 && S_ISCHR(status.st_mode));
	// A full disk: the message says so and nothing stays behind.
	CHECK_EQUAL(fileio_write("/dev/full", "x", 1, 0644, true, &err), -1);
	CHECK(strstr(err.message, "No space left"));
	// What force replaces: never a disk, nor what the system needs.
	CHECK_EQUAL(fileio_check_replaced("link", S_IFLNK, &err), 0);
	CHECK_EQUAL(fileio_check_replaced("/dev/stdout", S_IFLNK, &err), -1);
	CHECK_EQUAL(fileio_check_replaced("/dev/vda", S_IFBLK, &err), -1);
	CHECK_EQUAL(fileio_check_replaced("socket", S_IFSOCK, &err), -1);
	// A dangling symbolic link is not written through.
	CHECK_EQUAL(symlink("target", "link"), 0);
	CHECK_EQUAL(fileio_write("link", "x", 1, 0644, false, &err), -1);
	CHECK(access("target", F_OK) < 0);
	CHECK_EQUAL(files_here(), 3);
}

static void test_read(void)
{
	struct buffer b = {0};
	char step[8];
	size_t got = 99;

	CHECK_EQUAL(fileio_write("digits", "0123456789", 10, 0644, false, &err), 0);
	CHECK_EQUAL(fileio_read(&b, "digits", 10, &err), 0);
	CHECK_EQUAL(fileio_read(&b, "digits", 10, &err), 0);
	CHECK_STRING(buffer_string(&b), "01234567890123456789");
	CHECK_EQUAL(fileio_read(&b, "digits", 9, &err), -1);
	CHECK(strstr(err.message, "limit"));
	CHECK_EQUAL(fileio_read(&b, "missing", 9, &err), -1);
	CHECK_STRING(err.message, "missing: cannot open: No such file or directory");
	int fd AUTO_CLOSE = open("digits", O_RDONLY);

	CHECK_EQUAL(fileio_pread(fd, step, 8, 4, &got, "digits", &err), 0);
	CHECK(got == 6 && memcmp(step, "456789", 6) == 0);
	CHECK_EQUAL(fileio_pread(fd, step, 8, 100, &got, "digits", &err), 0);
	CHECK_EQUAL(got, 0);
	CHECK_EQUAL(fileio_pread(fd, step, 8, UINT64_MAX - 2, &got, "digits", &err), -1);
	buffer_release(&b);
}

// FIPS 180-2, appendix B.1, and the empty message.
static void test_digest(void)
{
	struct fileio_digest digest;
	int fd AUTO_CLOSE = fileio_temporary(&err);

	CHECK(fd >= 0);
	CHECK_EQUAL(fileio_write_fd(fd, "xxabcyy", 7, "temporary", &err), 0);
	CHECK_EQUAL(fileio_sha256_fd(fd, 2, 5, "temporary", &digest, &err), 0);
	CHECK_STRING(digest.hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	CHECK_EQUAL(fileio_sha256_fd(fd, 2, 2, "temporary", &digest, &err), 0);
	CHECK_STRING(digest.hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

int main(void)
{
	test_write();
	test_read();
	test_digest();
	return unit_end();
}
