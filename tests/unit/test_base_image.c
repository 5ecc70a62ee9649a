// SPDX-License-Identifier: MIT
// The image that a disk started from is read as it was recorded, or refused.
#include "snapshots/base_image.h"

#include "tests/unit/disk_model.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#define MIB (UINT64_C(1) << 20)

static char *folder;

static char *path_in(const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

static void write_at(const char *path, uint64_t offset, const void *bytes, size_t length)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && pwrite(fd, bytes, length, (off_t)offset) == (ssize_t)length);
	(void)close(fd);
}

// 13 MiB and 5 bytes: a chunk of data, one that is a hole, one with holes inside, a short one.
static char *make_image(void)
{
	char *path = path_in("disk.img");
	uint8_t *bytes = malloc(4 * MIB);

	for (size_t i = 0; i < 4 * MIB; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 4096);
	write_at(path, 0, bytes, 4 * MIB);
	write_at(path, 9 * MIB, bytes, 4096);
	write_at(path, 11 * MIB, bytes, 12345);
	write_at(path, 13 * MIB, "tail", 5);
	free(bytes);
	return path;
}

static bool refuses(const char *part)
{
	struct base_image *b;
	struct error err = { "" };

	if (base_image_open(folder, &b, &err) == 0) {
		base_image_free(b);
		fprintf(stderr, "opened, where \"%s\" was expected\n", part);
		return false;
	}
	if (!strstr(err.message, part))
		fprintf(stderr, "says \"%s\"\n", err.message);
	return strstr(err.message, part) != NULL;
}

static void test_reading(const char *image)
{
	struct base_image *b;
	struct error err = { "" };
	uint8_t found[9000], wanted[9000];
	int fd = open(image, O_RDONLY | O_CLOEXEC);

	CHECK_EQUAL(base_image_open(folder, &b, &err), 0);
	CHECK_EQUAL(base_image_size(b), 13 * MIB + 5);
	for (uint64_t at = 0; at < 13 * MIB + 5; at += 123457) {
		ssize_t got = pread(fd, wanted, sizeof(wanted), (off_t)at);

		memset(wanted + got, 0, sizeof(wanted) - (size_t)got);
		CHECK_EQUAL(base_image_read(b, at, found, sizeof(found), &err), 0);
		CHECK(memcmp(found, wanted, sizeof(found)) == 0);
	}
	// Beyond its end, and around it.
	CHECK_EQUAL(base_image_read(b, 13 * MIB, found, sizeof(found), &err), 0);
	CHECK(memcmp(found, "tail\0\0\0", 7) == 0 && found[8999] == 0);
	CHECK_EQUAL(base_image_read(b, UINT64_MAX - 10, found, 10, &err), 0);
	(void)close(fd);
	base_image_free(b);
}

static void test_head(const char *image)
{
	struct base_head head;
	struct error err;
	char *real = realpath(image, NULL);

	CHECK_EQUAL(base_head_read(folder, &head, &err), 0);
	CHECK_STRING(head.path, real);
	CHECK_EQUAL(head.chunk_count, 4);
	free(real);
}

static void test_another_image(const char *image)
{
	struct base_image *b;
	struct error err = { "" };
	uint8_t byte, other = 'x';

	// A change in the hole of chunk 1, seen when that chunk is read and not before.
	CHECK_EQUAL(base_image_open(folder, &b, &err), 0);
	write_at(image, 6 * MIB, &other, 1);
	CHECK_EQUAL(base_image_read(b, 0, &byte, 1, &err), 0);
	CHECK_EQUAL(base_image_read(b, 13 * MIB, &byte, 1, &err), 0);
	CHECK_EQUAL(base_image_read(b, 4 * MIB, &byte, 1, &err), -1);
	CHECK(strstr(err.message, "is not the base image: chunk 1, at byte 4194304, differs") != NULL);
	CHECK_EQUAL(base_image_read(b, 4 * MIB - 1, (uint8_t[2]){ 0 }, 2, &err), -1);
	base_image_free(b);
	write_at(image, 6 * MIB, "", 1);

	CHECK_EQUAL(truncate(image, 13 * MIB + 4), 0);
	CHECK(refuses("is not the base image: it has 13631492 bytes, the recorded one 13631493"));
	write_at(image, 13 * MIB, "tail", 5);
	char *away = path_in("away.img");
	CHECK_EQUAL(rename(image, away), 0);
	CHECK(refuses("the base image is gone"));
	CHECK_EQUAL(rename(away, image), 0);
	free(away);
}

// Every byte of the file `base` counts.
static void test_flips(void)
{
	char *name = path_in("base");
	struct base_head head;
	struct error err;
	int fd = open(name, O_RDWR | O_CLOEXEC);
	uint64_t missed = 0;

	CHECK_EQUAL(base_head_read(folder, &head, &err), 0);
	for (uint64_t at = 0; at < head.file_bytes; at++) {
		struct base_image *b;
		uint8_t byte;

		CHECK(pread(fd, &byte, 1, (off_t)at) == 1);
		byte ^= 0x10;
		CHECK(pwrite(fd, &byte, 1, (off_t)at) == 1);
		// 16..19 are compatible flags, but the checksum covers them.
		if (base_image_open(folder, &b, &err) == 0) {
			missed++;
			base_image_free(b);
		}
		byte ^= 0x10;
		CHECK(pwrite(fd, &byte, 1, (off_t)at) == 1);
	}
	CHECK_EQUAL(missed, 0);
	for (uint64_t length = 0; length < head.file_bytes; length++) {
		uint8_t bytes[BASE_HEAD_BYTES + BASE_MAX_PATH_BYTES];
		size_t want = length < sizeof(bytes) ? (size_t)length : sizeof(bytes);

		CHECK(pread(fd, bytes, want, 0) == (ssize_t)want);
		if (length < BASE_HEAD_BYTES + strlen(head.path))
			CHECK_EQUAL(base_head_decode(bytes, want, &head, &err), -1);
	}
	CHECK_EQUAL(ftruncate(fd, (off_t)head.file_bytes - 1), 0);
	CHECK(refuses("where its header asks for"));
	(void)close(fd);
	CHECK_EQUAL(unlink(name), 0);
	free(name);
}

static void test_relative(void)
{
	char *here = getcwd(NULL, 0), *real = realpath(folder, NULL), *name = path_in("base");
	struct base_head head;
	struct error err = { "" };
	uint64_t size;

	CHECK_EQUAL(chdir(folder), 0);
	CHECK_EQUAL(base_image_record(".", "./disk.img", &size, &err), 0);
	CHECK_EQUAL(size, 13 * MIB + 5);
	CHECK_EQUAL(chdir(here), 0);
	CHECK_EQUAL(base_head_read(folder, &head, &err), 0);
	CHECK(head.path[0] == '/' && strncmp(head.path, real, strlen(real)) == 0);
	CHECK_EQUAL(base_image_record(folder, folder, &size, &err), -1);
	CHECK_EQUAL(base_image_record(folder, "/nowhere/at/all", &size, &err), -1);
	CHECK_EQUAL(unlink(name), 0);
	char *empty = path_in("empty");
	write_at(empty, 0, "", 0);
	CHECK_EQUAL(base_image_record(folder, empty, &size, &err), -1);
	CHECK_EQUAL(access(name, F_OK), -1);
	free(empty);
	free(here);
	free(real);
	free(name);
}

int main(void)
{
	struct error err = { "" };
	uint64_t size = 0;

	folder = model_folder();
	char *image = make_image();
	CHECK_EQUAL(base_image_record(folder, image, &size, &err), 0);
	CHECK_EQUAL(size, 13 * MIB + 5);
	test_head(image);
	test_reading(image);
	test_another_image(image);
	test_reading(image);
	test_flips();
	test_relative();
	model_remove(folder);
	free(image);
	free(folder);
	return unit_end();
}
