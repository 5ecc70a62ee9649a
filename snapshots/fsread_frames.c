// SPDX-License-Identifier: MIT
// What goes into the frames that both sides build or take apart.
#include "snapshots/fsread.h"

#include "base/memory.h"
#include "snapshots/fs_file.h"
#include "snapshots/partition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fsread_question_put(struct buffer *out, const struct fsread_question *q)
{
	wire_put_u64(out, q->job);
	wire_put_string(out, q->history);
	wire_put_u64(out, q->partition < 0 ? UINT64_MAX : (uint64_t)q->partition);
	wire_put_u64(out, q->from_seq);
	wire_put_u64(out, q->to_seq);
	wire_put_u64(out, q->path != NULL);
	wire_put_bytes(out, q->path, q->path ? q->path_length : 0);
	wire_put_u64(out, q->inode);
	wire_put_u64(out, q->raw);
	wire_put_u64(out, q->max_bytes);
	wire_put_u64(out, q->time_ns);
	wire_put_u64(out, q->list_count);
	for (size_t i = 0; i < q->list_count; i++)
		wire_put_u64(out, q->list[i]);
}

static int get_list(struct wire_reader *r, struct fsread_question *q, struct error *err)
{
	uint64_t count = wire_get_u64(r);

	if (r->failed || count > FSREAD_MAX_LIST || count > (size_t)(r->end - r->at) / sizeof(uint64_t)) {
		r->failed = true;
		return 0;
	}
	if (count == 0)
		return 0;
	uint64_t *list = malloc((size_t)count * sizeof(*list));

	if (!list)
		return error_set(err, "out of memory");
	for (size_t i = 0; i < count; i++)
		list[i] = wire_get_u64(r);
	q->list = list;
	q->list_count = (size_t)count;
	return 0;
}

int fsread_question_get(struct wire_reader *r, struct fsread_question *ret, struct error *err)
{
	struct fsread_question q = {0};
	uint64_t job = wire_get_u64(r);

	q.history = wire_get_string(r, FS_PATH_BYTES);
	uint64_t partition = wire_get_u64(r);

	q.from_seq = wire_get_u64(r);
	q.to_seq = wire_get_u64(r);
	uint64_t has_path = wire_get_u64(r);
	char *path = wire_get_string(r, FS_PATH_BYTES);

	q.inode = wire_get_u64(r);
	q.raw = wire_get_u64(r) != 0;
	q.max_bytes = wire_get_u64(r);
	q.time_ns = wire_get_u64(r);
	q.path = path;
	if (get_list(r, &q, err) < 0) {
		fsread_question_release(&q);
		return -1;
	}
	if (job < FSREAD_PARTITIONS || job > FSREAD_LAST_JOB || (partition > INT32_MAX && partition != UINT64_MAX))
		r->failed = true;
	if (wire_end(r, "the question", err) < 0) {
		fsread_question_release(&q);
		return -1;
	}
	q.job = (enum fsread_job)job;
	q.partition = partition == UINT64_MAX ? -1 : (int)partition;
	q.path_length = strlen(path);
	if (has_path == 0) {
		free(path);
		q.path = NULL;
		q.path_length = 0;
	}
	*ret = q;
	return 0;
}

void fsread_question_release(struct fsread_question *q)
{
	free((char *)(uintptr_t)q->history);
	free((char *)(uintptr_t)q->path);
	free((uint64_t *)(uintptr_t)q->list);
	*q = (struct fsread_question){0};
}

int fsread_get_piece(const void *payload, size_t length, uint64_t *ret_offset, const uint8_t **ret_bytes, size_t *ret_length,
		     struct error *err)
{
	struct wire_reader r = wire_read(payload, length);
	uint64_t offset = wire_get_u64(&r);
	size_t count;
	const uint8_t *bytes = wire_get_bytes(&r, &count);

	if (count > 0 && offset > UINT64_MAX - count)
		r.failed = true;
	if (wire_end(&r, "a piece of content", err) < 0)
		return -1;
	*ret_offset = offset;
	*ret_bytes = bytes;
	*ret_length = count;
	return 0;
}

int fsread_get_partition(const void *payload, size_t length, struct partition *ret, struct error *err)
{
	struct wire_reader r = wire_read(payload, length);
	struct partition p = {.number = (unsigned)wire_get_u64(&r)};

	p.start_bytes = wire_get_u64(&r);
	p.length_bytes = wire_get_u64(&r);
	char *kind AUTO_FREE = wire_get_string(&r, sizeof(p.kind) - 1);

	p.readable = wire_get_u64(&r) != 0;
	char *reason AUTO_FREE = wire_get_string(&r, sizeof(p.reason) - 1);

	if (wire_end(&r, "a partition", err) < 0)
		return -1;
	(void)snprintf(p.kind, sizeof(p.kind), "%s", kind);
	(void)snprintf(p.reason, sizeof(p.reason), "%s", reason);
	*ret = p;
	return 0;
}
