// SPDX-License-Identifier: MIT
// The front door's calls, handed on to the source's own functions.
#include "ingest/source.h"

void source_free(struct source *s)
{
	if (s)
		s->methods->free(s);
}

int source_span(struct source *s, uint64_t *ret_first_ns, uint64_t *ret_last_ns, struct error *err)
{
	return s->methods->span(s, ret_first_ns, ret_last_ns, err);
}

size_t source_log_count(const struct source *s)
{
	return s->methods->log_count(s);
}

const char *source_log_name(const struct source *s, size_t log)
{
	return log < source_log_count(s) ? s->methods->log_name(s, log) : "";
}

const char *source_note(const struct source *s, size_t index)
{
	return s->methods->note(s, index);
}

int source_log_digest(struct source *s, size_t log, char ret_hex[65], uint64_t *ret_from, uint64_t *ret_to, struct error *err)
{
	return s->methods->log_digest(s, log, ret_hex, ret_from, ret_to, err);
}

int source_evidence(struct source *s, const struct evidence_ref *ref, struct buffer *out, struct error *err)
{
	return s->methods->evidence(s, ref, out, err);
}

int source_add(struct source *s, const struct source_log *log, struct error *err)
{
	return s->methods->add(s, log, err);
}

int source_lines(struct source *s, source_line *callback, void *context, struct error *err)
{
	return s->methods->lines(s, callback, context, err);
}

int source_leave_out(struct source *s, size_t log, uint64_t offset, struct error *err)
{
	return s->methods->leave_out(s, log, offset, err);
}

int source_scan(struct source *s, uint64_t from_ns, uint64_t to_ns, event_callback *callback, void *context, struct completeness *c,
		struct error *err)
{
	return s->methods->scan(s, from_ns, to_ns, callback, context, c, err);
}

int source_find(struct source *s, const struct find_keys *keys, uint64_t before_ns, struct find_limit limit, event_callback *callback,
		void *context, struct find_report *ret_report, struct error *err)
{
	return s->methods->find(s, keys, before_ns, limit, callback, context, ret_report, err);
}

int source_addresses(struct source *s, uint64_t from_ns, uint64_t to_ns, struct address_seen **ret, size_t *ret_count,
		     struct completeness *c, struct error *err)
{
	return s->methods->addresses(s, from_ns, to_ns, ret, ret_count, c, err);
}
