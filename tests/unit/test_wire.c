// SPDX-License-Identifier: MIT
// Values and frames there and back; cut at every byte, each is refused in words.
#include "snapshots/wire.h"
#include "snapshots/fs_file.h"
#include "snapshots/fsread.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <unistd.h>

static void check_values(void)
{
	struct buffer out = {0};
	struct error err;
	size_t length;

	wire_put_u64(&out, UINT64_MAX - 1);
	wire_put_bytes(&out, "a\0b", 3);
	wire_put_string(&out, "text");
	wire_put_string(&out, NULL);
	for (size_t cut = 0; cut <= out.length; cut++) {
		// Exactly so long, so that a read beyond it is seen.
		uint8_t *bytes = malloc(cut ? cut : 1);

		memcpy(bytes, out.bytes, cut);
		struct wire_reader r = wire_read(bytes, cut);
		uint64_t number = wire_get_u64(&r);
		const uint8_t *raw = wire_get_bytes(&r, &length);
		bool raw_right = raw && length == 3 && memcmp(raw, "a\0b", 3) == 0;
		char *text = wire_get_string(&r, 4), *empty = wire_get_string(&r, 0);

		CHECK_EQUAL(wire_end(&r, "values", &err), cut == out.length ? 0 : -1);
		if (cut == out.length) {
			CHECK(number == UINT64_MAX - 1 && raw_right);
			CHECK_STRING(text, "text");
			CHECK_STRING(empty, "");
		} else {
			CHECK(!empty);
		}
		free(text);
		free(empty);
		free(bytes);
	}
	struct wire_reader r = wire_read(out.bytes, out.length);

	(void)wire_get_u64(&r);
	CHECK(wire_end(&r, "values", &err) == -1 && strstr(err.message, "too many"));
	CHECK(!wire_get_string(&r, 100)); // a NUL inside
	buffer_release(&out);
	wire_put_string(&out, "12345");
	r = wire_read(out.bytes, out.length);
	CHECK(!wire_get_string(&r, 4) && r.failed);
	buffer_release(&out);
}

static void check_file(void)
{
	struct fs_file file = {.inode = 12, .size_bytes = UINT64_MAX, .mode = 0100644, .kind = FS_SYMLINK, .mtime_ns = 5,
			       .path = (char[]){"/a/b"}, .path_length = 4, .target = (char[]){""}, .target_length = 0}, back;
	struct buffer out = {0};
	struct error err;

	fs_file_put(&out, &file);
	for (size_t cut = 0; cut < out.length; cut++) {
		struct wire_reader r = wire_read(out.bytes, cut);

		CHECK_EQUAL(fs_file_get(&r, &back, &err), -1);
	}
	struct wire_reader r = wire_read(out.bytes, out.length);

	CHECK(fs_file_get(&r, &back, &err) == 0 && wire_end(&r, "a file", &err) == 0);
	CHECK(back.inode == 12 && back.size_bytes == UINT64_MAX && back.mode == 0100644 && back.kind == FS_SYMLINK && back.mtime_ns == 5);
	CHECK_STRING(back.path, "/a/b");
	CHECK_STRING(back.target, "");
	fs_file_release(&back);
	out.bytes[9 * 8] = 99; // kind
	r = wire_read(out.bytes, out.length);
	CHECK_EQUAL(fs_file_get(&r, &back, &err), -1);
	buffer_release(&out);
}

static void check_question(void)
{
	const struct fsread_question q = {.job = FSREAD_DIFF, .history = "web.history", .partition = -1, .from_seq = 3, .to_seq = 9, .path = "\xff/x",
					  .path_length = 3, .raw = true, .max_bytes = 77};
	struct fsread_question back;
	struct buffer out = {0};
	struct error err;

	fsread_question_put(&out, &q);
	for (size_t cut = 0; cut < out.length; cut++) {
		struct wire_reader r = wire_read(out.bytes, cut);

		CHECK_EQUAL(fsread_question_get(&r, &back, &err), -1);
	}
	struct wire_reader r = wire_read(out.bytes, out.length);

	CHECK_EQUAL(fsread_question_get(&r, &back, &err), 0);
	CHECK(back.job == FSREAD_DIFF && back.partition == -1 && back.from_seq == 3 && back.to_seq == 9 && back.raw && back.max_bytes == 77);
	CHECK_STRING(back.history, "web.history");
	CHECK(back.path_length == 3 && memcmp(back.path, "\xff/x", 3) == 0);
	fsread_question_release(&back);
	buffer_release(&out);
}

// One end writes `bytes` and closes; what does the other make of it?
static int receive(const void *bytes, size_t length, struct buffer *payload, uint32_t *ret_type, struct error *err)
{
	int ends[2];

	CHECK(pipe(ends) == 0);
	CHECK(write(ends[1], bytes, length) == (ssize_t)length);
	(void)close(ends[1]);
	int result = wire_receive(ends[0], payload, ret_type, err);

	(void)close(ends[0]);
	return result;
}

static void check_frames(void)
{
	static const uint8_t huge[8] = {1, 0, 0, 0, 1, 0, 0x40, 0}, nameless[8] = {0};
	struct buffer payload = {0};
	struct error err;
	uint32_t type = 0;
	int ends[2];
	char frame[64];

	CHECK(pipe(ends) == 0);
	CHECK(wire_send(ends[1], 7, "hello", 5, &err) == 0 && wire_send(ends[1], 8, NULL, 0, &err) == 0);
	(void)close(ends[1]);
	ssize_t length = read(ends[0], frame, sizeof(frame));

	(void)close(ends[0]);
	CHECK_EQUAL(length, 8 + 5 + 8);
	for (size_t cut = 0; cut < 13; cut++) {
		int result = receive(frame, cut, &payload, &type, &err);

		CHECK_EQUAL(result, cut == 0 ? 0 : -1);
		if (cut == 0)
			CHECK_EQUAL(type, 0);
	}
	CHECK(receive(frame, 13, &payload, &type, &err) == 0 && type == 7 && payload.length == 5);
	CHECK(receive(huge, 8, &payload, &type, &err) == -1 && strstr(err.message, "no frame"));
	CHECK(receive(nameless, 8, &payload, &type, &err) == -1);
	CHECK_EQUAL(wire_send(1, 1, frame, WIRE_MAX_FRAME_BYTES + 1, &err), -1);
	buffer_release(&payload);
}

int main(void)
{
	check_values();
	check_file();
	check_question();
	check_frames();
	return unit_end();
}
