// SPDX-License-Identifier: MIT
// How a verdict travels. Apart from fs_verdict.c, which needs libext2fs: the asking side links this file alone.
#include "snapshots/fs_verdict.h"

void fs_verdict_put(struct buffer *out, const struct fs_verdict *v)
{
	wire_put_u64(out, v->kind);
	wire_put_u64(out, v->pending_bytes);
	wire_put_u64(out, v->pending_from);
	wire_put_u64(out, v->complete_seq);
	wire_put_u64(out, v->complete_ns);
	wire_put_u64(out, v->arrival_seq);
	wire_put_u64(out, v->arrival_ns);
}

int fs_verdict_get(struct wire_reader *r, struct fs_verdict *ret, struct error *err)
{
	struct fs_verdict v = {0};
	uint64_t kind = wire_get_u64(r);

	v.pending_bytes = wire_get_u64(r);
	v.pending_from = wire_get_u64(r);
	v.complete_seq = wire_get_u64(r);
	v.complete_ns = wire_get_u64(r);
	v.arrival_seq = wire_get_u64(r);
	v.arrival_ns = wire_get_u64(r);
	if (kind < FS_ON_DISK || kind > FS_UNBORN)
		r->failed = true;
	if (wire_end(r, "a verdict", err) < 0)
		return -1;
	v.kind = (enum fs_verdict_kind)kind;
	*ret = v;
	return 0;
}
