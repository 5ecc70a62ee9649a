// SPDX-License-Identifier: MIT
// The names in the root folder, at a few moments: reading all of a record for what cannot be on the disk is for nothing.
#include "cmd/witness_volume.h"

#include "base/memory.h"
#include "snapshots/fs_file.h"
#include "snapshots/fsread.h"

#include <string.h>

#define MOMENTS 8u                             // what is gone at the end was there for some of them: a volume of its own for logs has them in its root
#define MAX_NAMES_BYTES ((size_t)1 << 20) // our limit

static int on_frame(void *context, uint32_t type, const void *payload, size_t length, struct error *err)
{
	struct buffer *names = context;
	struct wire_reader r = wire_read(payload, length);
	struct fs_file f;

	if (type != FSREAD_FRAME_FILE)
		return 0;
	if (names->length > MAX_NAMES_BYTES)
		return error_set(err, "the root folder has more names than are looked at");
	if (fs_file_get(&r, &f, err) < 0)
		return -1;
	buffer_add_byte(names, '/');
	if (f.path)
		buffer_add(names, f.path, f.path_length);
	fs_file_release(&f);
	return buffer_check(names, err);
}

// Replaying the journal is most of what a moment costs. Without that it shows what was 40 s before, and is one of a few moments all the same.
static void ask(struct witness_volume *v)
{
	struct fsread_question q = {.job = FSREAD_LIST, .history = v->mapping.history, .partition = v->mapping.partition, .to_seq = v->last_seq};
	struct fsread_answer answer = {0};
	uint64_t moments[MOMENTS], before = v->last_seq;
	struct error err;

	q.path = "/";
	q.path_length = 1;
	q.list = moments;
	for (uint64_t i = MOMENTS; i-- > 1;) {
		uint64_t seq = v->last_seq / MOMENTS * i + v->last_seq % MOMENTS * i / MOMENTS;

		if (seq > 0 && seq < before)
			moments[q.list_count++] = before = seq;
	}
	if (fsread_ask(&q, on_frame, &v->root, &answer, &err) < 0) // whoever asks for more will be told why
		buffer_clear(&v->root);
	buffer_release(&answer.warnings);
	v->root_known = true;
}

bool witness_volume_root_has(struct witness_volume *v, const char *name, size_t length)
{
	if (!v->root_known)
		ask(v);
	if (v->root.length == 0)
		return true;
	for (const char *at = v->root.bytes, *end = at + v->root.length; (at = memchr(at, '/', (size_t)(end - at))); at++)
		if ((size_t)(end - at - 1) >= length && memcmp(at + 1, name, length) == 0)
			return true;
	return false;
}
