// SPDX-License-Identifier: MIT
#include "ingest/source_files.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/nanotime.h"
#include "ingest/log_hosts.h"

#include <string.h>
#include <unistd.h>

#define DEFAULT_SLACK_NS (10 * NANOTIME_SECOND) /* events interleave over 4.5 s at worst when the kernel's backlog is full */
#define MAX_EVIDENCE_BYTES ((size_t)65536)

static void files_free(struct source *source)
{
	struct files_source *s = (struct files_source *)source;

	log_set_release(&s->set);
	epoch_mark_vector_release(&s->epochs);
	free(s);
}

static int files_span(struct source *source, uint64_t *ret_first_ns, uint64_t *ret_last_ns, struct error *err)
{
	struct files_source *s = (struct files_source *)source;
	uint64_t first_ns = UINT64_MAX, last_ns = 0;

	if (log_set_find_last(&s->set, err) < 0)
		return -1;
	for (size_t i = 0; i < s->set.count; i++) {
		const struct log_file *f = s->set.logs[i];

		if (f->first_ns < first_ns)
			first_ns = f->first_ns;
		if (f->has_last && f->last_ns > last_ns)
			last_ns = f->last_ns;
	}
	if (first_ns > last_ns)
		return error_set(err, "%s: no audit record can be read", s->set.logs[0]->name);
	*ret_first_ns = first_ns;
	*ret_last_ns = last_ns;
	return 0;
}

static size_t files_log_count(const struct source *source)
{
	return ((const struct files_source *)source)->set.count;
}

static const char *files_log_name(const struct source *source, size_t log)
{
	return ((const struct files_source *)source)->set.logs[log]->name;
}

static const char *files_note(const struct source *source, size_t index)
{
	const struct log_set *set = &((const struct files_source *)source)->set;

	if (index < set->note_count)
		return set->notes[index];
	index -= set->note_count;
	for (size_t i = 0; i < set->count; i++) {
		if (set->logs[i]->note && index-- == 0)
			return set->logs[i]->note;
	}
	return NULL;
}

static int files_log_digest(struct source *source, size_t log, char ret_hex[65], uint64_t *ret_from, uint64_t *ret_to, struct error *err)
{
	struct files_source *s = (struct files_source *)source;
	struct fileio_digest digest = { .hex = "" };

	if (log >= s->set.count)
		return error_set(err, "there is no log number %zu", log);
	struct log_file *f = s->set.logs[log];

	if (f->read_to > 0 && log_file_sha256(f, f->read_from, f->read_to, &digest, err) < 0)
		return -1;
	memcpy(ret_hex, digest.hex, sizeof(digest.hex));
	*ret_from = f->read_from;
	*ret_to = f->read_to;
	return 0;
}

static int files_evidence(struct source *source, const struct evidence_ref *ref, struct buffer *out, struct error *err)
{
	struct files_source *s = (struct files_source *)source;
	size_t length = ref->length < MAX_EVIDENCE_BYTES ? ref->length : MAX_EVIDENCE_BYTES, got = 0;
	char *bytes AUTO_FREE = malloc(length ? length : 1);

	if (ref->log >= s->set.count)
		return error_set(err, "there is no log number %u", (unsigned)ref->log);
	if (!bytes)
		return error_set(err, "out of memory");
	if (log_file_read(s->set.logs[ref->log], ref->offset, bytes, length, &got, err) < 0)
		return -1;
	buffer_add(out, bytes, got);
	return buffer_check(out, err);
}

static const struct source_methods files_methods = {
	.free = files_free,
	.span = files_span,
	.log_count = files_log_count,
	.log_name = files_log_name,
	.note = files_note,
	.log_digest = files_log_digest,
	.evidence = files_evidence,
	.add = files_add,
	.lines = files_lines,
	.leave_out = files_leave_out,
	.scan = files_scan,
	.find = files_find,
	.addresses = files_addresses,
};

static struct files_source *files_new(struct source_options options, struct intern *strings, struct error *err)
{
	struct files_source *s = calloc(1, sizeof(*s));

	if (!s) {
		(void)error_set(err, "out of memory");
		return NULL;
	}
	s->base.methods = &files_methods;
	s->strings = strings;
	s->slack_ns = options.slack_ns ? options.slack_ns : DEFAULT_SLACK_NS;
	s->strict = options.strict;
	if (options.host) {
		s->host = intern_add_string(strings, options.host);
		s->only_host = true;
	}
	return s;
}

struct source *source_open_files(const char *const *paths, size_t count, struct source_options options, struct intern *strings,
				 struct error *err)
{
	struct files_source *s = files_new(options, strings, err);

	if (!s)
		return NULL;
	if (log_set_open(&s->set, paths, count, err) < 0 || log_hosts_assign(&s->set, strings, s->host, err) < 0) {
		files_free(&s->base);
		return NULL;
	}
	return &s->base;
}

struct source *source_open_logs(const struct source_log *logs, size_t count, struct source_options options, struct intern *strings,
				struct error *err)
{
	struct files_source *s = files_new(options, strings, err);
	int result = s ? 0 : -1;

	for (size_t i = 0; i < count; i++) {
		if (result == 0)
			result = files_add(&s->base, &logs[i], err);
		else
			(void)close(logs[i].fd);
	}
	if (result == 0 && s->set.count == 0)
		result = error_set(err, "%s: no audit record to read", s->set.note_count > 0 ? s->set.notes[0] : "a log of a recorded disk");
	if (result == 0)
		return &s->base;
	if (s)
		files_free(&s->base);
	return NULL;
}
