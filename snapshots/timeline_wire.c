// SPDX-License-Identifier: MIT
#include "snapshots/timeline_wire.h"

#include <stdlib.h>
#include <string.h>

static uint32_t get_u32(struct wire_reader *r) // sent as u64; a larger value is a lie
{
	uint64_t value = wire_get_u64(r);

	if (value > UINT32_MAX)
		r->failed = true;
	return (uint32_t)value;
}

// A copy of bytes; NULL when there are none. *ret_length 0 then.
static char *get_copy(struct wire_reader *r, size_t max_bytes, size_t *ret_length, bool *out_of_memory)
{
	size_t length;
	const uint8_t *bytes = wire_get_bytes(r, &length);
	char *copy = NULL;

	*ret_length = 0;
	if (length > max_bytes)
		r->failed = true;
	if (r->failed || length == 0)
		return NULL;
	copy = malloc(length + 1);
	if (!copy) {
		*out_of_memory = true;
		return NULL;
	}
	memcpy(copy, bytes, length);
	copy[length] = '\0';
	*ret_length = length;
	return copy;
}

void timeline_put_state(struct buffer *out, const struct timeline_state *s)
{
	const uint64_t values[] = {s->seq,  s->arrival_ns, s->inode, s->generation,   s->size_bytes, s->mtime_ns,      s->ctime_ns,     s->crtime_ns, s->mode,
				   s->uid,  s->gid,	   s->links, s->change,	      s->changed_from, s->changed_to, s->pending_bytes, s->from_journal, s->tid};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		wire_put_u64(out, values[i]);
}

int timeline_get_state(struct wire_reader *r, struct timeline_state *ret, struct error *err)
{
	*ret = (struct timeline_state){0};
	ret->seq = wire_get_u64(r);
	ret->arrival_ns = wire_get_u64(r);
	ret->inode = wire_get_u64(r);
	ret->generation = get_u32(r);
	ret->size_bytes = wire_get_u64(r);
	ret->mtime_ns = wire_get_u64(r);
	ret->ctime_ns = wire_get_u64(r);
	ret->crtime_ns = wire_get_u64(r);
	ret->mode = get_u32(r);
	ret->uid = get_u32(r);
	ret->gid = get_u32(r);
	ret->links = get_u32(r);
	ret->change = get_u32(r);
	ret->changed_from = wire_get_u64(r);
	ret->changed_to = wire_get_u64(r);
	ret->pending_bytes = wire_get_u64(r);
	ret->from_journal = wire_get_u64(r) != 0;
	ret->tid = get_u32(r);
	return wire_end(r, "a state", err);
}

void timeline_put_finding(struct buffer *out, const struct timeline_finding *f)
{
	const uint64_t values[] = {f->before_seq, f->seq,  f->arrival_ns,    f->change,	    f->offset, f->inode_before,
				   f->inode_after, f->line, f->lines_removed, f->lines_added};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		wire_put_u64(out, values[i]);
	wire_put_bytes(out, f->before, f->before_length);
	wire_put_bytes(out, f->after, f->after_length);
}

void timeline_finding_release(struct timeline_finding *f)
{
	free(f->before);
	free(f->after);
	f->before = f->after = NULL;
}

int timeline_get_finding(struct wire_reader *r, struct timeline_finding *ret, struct error *err)
{
	bool out_of_memory = false;

	*ret = (struct timeline_finding){0};
	ret->before_seq = wire_get_u64(r);
	ret->seq = wire_get_u64(r);
	ret->arrival_ns = wire_get_u64(r);
	ret->change = get_u32(r);
	ret->offset = wire_get_u64(r);
	ret->inode_before = wire_get_u64(r);
	ret->inode_after = wire_get_u64(r);
	ret->line = wire_get_u64(r);
	ret->lines_removed = wire_get_u64(r);
	ret->lines_added = wire_get_u64(r);
	ret->before = get_copy(r, TIMELINE_LINE_BYTES, &ret->before_length, &out_of_memory);
	ret->after = get_copy(r, TIMELINE_LINE_BYTES, &ret->after_length, &out_of_memory);
	if (out_of_memory)
		(void)error_set(err, "out of memory");
	if (!out_of_memory && wire_end(r, "a finding", err) == 0)
		return 0;
	timeline_finding_release(ret);
	return -1;
}

void timeline_put_difference(struct buffer *out, const struct timeline_difference *d)
{
	const uint64_t values[] = {(uint64_t)d->what, d->inode_before, d->inode_after, d->size_before, d->size_after, d->kind_before, d->kind_after, d->changed_ns};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		wire_put_u64(out, values[i]);
	wire_put_bytes(out, d->path, d->path_length);
}

int timeline_get_difference(struct wire_reader *r, struct timeline_difference *ret, struct error *err)
{
	bool out_of_memory = false;

	*ret = (struct timeline_difference){0};
	uint32_t what = get_u32(r);

	if (what < TIMELINE_ADDED || what > TIMELINE_CAME_AND_WENT)
		r->failed = true;
	ret->inode_before = wire_get_u64(r);
	ret->inode_after = wire_get_u64(r);
	ret->size_before = wire_get_u64(r);
	ret->size_after = wire_get_u64(r);
	ret->kind_before = get_u32(r);
	ret->kind_after = get_u32(r);
	ret->changed_ns = wire_get_u64(r);
	ret->path = get_copy(r, TIMELINE_PATH_BYTES, &ret->path_length, &out_of_memory);
	if (out_of_memory)
		return error_set(err, "out of memory");
	if (wire_end(r, "a difference", err) < 0) {
		free(ret->path);
		ret->path = NULL;
		return -1;
	}
	ret->what = (enum timeline_what)what;
	return 0;
}
