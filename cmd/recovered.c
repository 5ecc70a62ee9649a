// SPDX-License-Identifier: MIT
#include "cmd/recovered.h"

#include "base/fileio.h"
#include "base/memory.h"
#include "cmd/investigate.h"
#include "cmd/witness.h"
#include "cmd/witness_span.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WRITE_BYTES ((size_t)1 << 20)
#define EARLIER_NS (3600 * NANOTIME_SECOND)

// Where auditd's log lies inside a file system that is mounted on /, /var, /var/log or /var/log/audit.
static const char *const usual_places[] = {"/var/log/audit/audit.log", "/log/audit/audit.log", "/audit/audit.log", "/audit.log"};

void recovered_logs_release(struct recovered_logs *r)
{
	if (r->compared)
		compare_release(&r->comparison);
	for (size_t i = 0; i < r->count; i++) {
		log_lines_free(&r->logs[i].lines);
		free(r->logs[i].name);
	}
	free(r->logs);
	*r = (struct recovered_logs){0};
}

bool recovered_logs_on(const struct recovered_logs *r, const struct witness_volume *v)
{
	for (size_t i = 0; r->compared && i < r->count; i++)
		if (r->logs[i].history == v->mapping.history)
			return true;
	return false;
}

// ---- what the disks held

// 1: it was never there.
static int read_log(struct recovered_logs *r, struct witness_volume *v, const char *path, uint64_t from_seq, struct error *err)
{
	struct timeline_file file = v->file;
	struct disk_log log = {.history = v->mapping.history, .host = v->mapping.host, .lines = {.fd = -1}};

	file.path = path;
	file.path_length = strlen(path);
	struct error reason;
	int result = log_lines_read(&file, from_seq, v->last_seq, &log.lines, &reason);

	// A sentence of provgraph-fsread does not know which of the disks it is about.
	if (result < 0)
		return strncmp(reason.message, v->argument, strlen(v->argument)) == 0 ? error_set(err, "%s", reason.message) :
										       error_set(err, "%s: %s", v->argument, reason.message);
	if (result > 0)
		return 1;
	struct disk_log *logs = realloc(r->logs, (r->count + 1) * sizeof(*logs));

	if (logs)
		r->logs = logs;
	if (!logs || asprintf(&log.name, "%s of %s", path, v->name) < 0) {
		log_lines_free(&log.lines);
		return error_set(err, "out of memory");
	}
	r->logs[r->count++] = log;
	return 0;
}

static int read_usual(struct recovered_logs *r, struct witness_volume *v, uint64_t from_seq, struct error *err)
{
	for (size_t i = 0; i < ARRAY_LENGTH(usual_places); i++) {
		const char *top = usual_places[i] + 1;

		if (!witness_volume_root_has(v, top, strcspn(top, "/")))
			continue;
		int result = read_log(r, v, usual_places[i], from_seq, err);

		if (result <= 0)
			return result;
	}
	return 0;
}

// What was removed long before all that the case is about need not be read: where the user says when, from an hour before the window on.
static int begin_of(const struct options *o, struct witness_volume *v, uint64_t *ret_seq, struct error *err)
{
	uint64_t from_ns = o->from_ns, host_from_ns, host_to_ns;

	*ret_seq = 0;
	if (o->window_all)
		return 0;
	if (from_ns == NANOTIME_NONE && o->alert_ns != NANOTIME_NONE && o->alert_ns > o->window_ns)
		from_ns = o->alert_ns - o->window_ns;
	if (from_ns == NANOTIME_NONE || !witness_span(&v->clock, from_ns, from_ns, &host_from_ns, &host_to_ns) || host_from_ns < EARLIER_NS)
		return 0;
	return witness_volume_seq_at(v, host_from_ns - EARLIER_NS, ret_seq, err);
}

static int read_logs(struct investigation *in, struct error *err)
{
	const struct string_vector *named = &in->options->disk_logs;
	struct recovered_logs *r = &in->recovered;

	for (size_t v = 0; v < in->witness.count; v++) {
		uint64_t from_seq;

		if (in->witness.volumes[v].last_seq == 0)
			continue;
		if (begin_of(in->options, &in->witness.volumes[v], &from_seq, err) < 0 ||
		    (named->count == 0 && read_usual(r, &in->witness.volumes[v], from_seq, err) < 0))
			return -1;
		for (size_t i = 0; i < named->count; i++) {
			if (read_log(r, &in->witness.volumes[v], named->items[i], from_seq, err) < 0)
				return -1;
		}
	}
	if (r->count == 0 && named->count > 0)
		return error_set(err, "%s: no recorded disk ever held such a file", named->items[0]);
	return 0;
}

// ---- comparing

static int on_given(void *context, size_t log, uint64_t offset, const char *bytes, size_t length, struct error *err)
{
	struct investigation *in = context;

	progress_step(&in->progress, "comparing the log with the disk: records", in->recovered.comparison.given);
	return compare_given(&in->recovered.comparison, log, offset, bytes, length, err);
}

static int compare(struct investigation *in, struct error *err)
{
	struct recovered_logs *r = &in->recovered;
	struct comparison *c = &r->comparison;

	if (compare_init(c, err) < 0)
		return -1;
	r->compared = true;
	r->alone = !in->source;
	c->host = r->logs[0].host;
	for (size_t i = 1; i < r->count; i++) // disks of several hosts: then none is the only one
		if (!c->host || !r->logs[i].host || strcmp(c->host, r->logs[i].host) != 0)
			c->host = NULL;
	for (size_t i = 0; i < r->count; i++)
		if (compare_add(c, &r->logs[i].lines, (uint32_t)i, err) < 0)
			return -1;
	return compare_index(c, err) < 0 || (in->source && source_lines(in->source, on_given, in, err) < 0) ? -1 : 0;
}

// Nothing in common although there is something to compare: it is another machine's log, or what somebody put in the place of one. (Where a
// volume is mounted on /tmp, that can be anybody.) How many such logs there were.
static size_t leave_strangers(struct recovered_logs *r)
{
	size_t kept = 0, all = r->count;

	for (uint32_t i = 0; i < all; i++) {
		if (compare_is_akin(&r->comparison, i)) {
			r->logs[kept++] = r->logs[i];
			continue;
		}
		report_line("%s: has no record in common with the log; it is not taken for evidence", r->logs[i].name);
		log_lines_free(&r->logs[i].lines);
		free(r->logs[i].name);
	}
	r->count = kept;
	return all - kept;
}

static void count(struct recovered_logs *r)
{
	for (size_t i = 0; i < r->comparison.lines.count; i++) {
		const struct compared *line = &r->comparison.lines.items[i];

		bool nameless = line->disk->gone_seq == line->disk->seq;

		r->nameless += line->fate == COMPARE_REMOVED && nameless;
		r->removed += line->fate == COMPARE_REMOVED && !nameless;
		r->changed += line->fate == COMPARE_REPLACED;
		r->lacking += line->fate == COMPARE_LACKING;
		r->rotated += line->fate == COMPARE_ROTATED;
		r->late += line->late_ns > 0 && line->fate == COMPARE_KEPT;
		r->later_removed += !r->alone && line->fate == COMPARE_KEPT && line->gone_seq > 0 && line->place_of == COMPARE_NONE;
	}
}

// ---- giving back

static bool is_kept(const struct compared *line)
{
	return line->fate == COMPARE_KEPT;
}

static int by_time(const void *a, const void *b)
{
	const struct compared *x = *(const struct compared *const *)a, *y = *(const struct compared *const *)b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x < y ? -1 : x > y; // one array: the order in which they came
}

// The log's lines that `wanted` takes, in order of time, as a file without a name. -1, or the file; *ret_count 0: there are none.
static int write_log(const struct recovered_logs *r, uint32_t log, bool (*wanted)(const struct compared *), size_t *ret_count, struct error *err)
{
	const struct compared **lines AUTO_FREE = malloc((r->comparison.lines.count + 1) * sizeof(struct compared *));
	struct buffer text AUTO_RELEASE_BUFFER = {0};
	size_t count = 0;

	if (!lines)
		return error_set(err, "out of memory");
	for (size_t i = 0; i < r->comparison.lines.count; i++)
		if (r->comparison.lines.items[i].log == log && wanted(&r->comparison.lines.items[i]))
			lines[count++] = &r->comparison.lines.items[i];
	qsort(lines, count, sizeof(*lines), by_time);
	int fd = fileio_temporary(err), result = fd < 0 ? -1 : 0;

	for (size_t i = 0; result == 0 && i < count; i++) {
		buffer_add(&text, lines[i]->bytes, lines[i]->disk->length);
		buffer_add_byte(&text, '\n');
		if (text.length < WRITE_BYTES && i + 1 < count)
			continue;
		if (buffer_check(&text, err) < 0 || fileio_write_fd(fd, text.bytes, text.length, "temporary file", err) < 0)
			result = -1;
		buffer_clear(&text);
	}
	if (result < 0 && fd >= 0)
		(void)close(fd);
	*ret_count = count;
	return result < 0 ? -1 : fd;
}

// One log of a disk (its kept lines, or what is given back) becomes a log of the source.
static int give(struct investigation *in, uint32_t log, bool back, struct error *err)
{
	const struct disk_log *of = &in->recovered.logs[log];
	struct source_options options = {.host = in->options->host, .strict = in->options->strict};
	char *name AUTO_FREE = NULL;
	size_t count = 0;
	int fd = write_log(&in->recovered, log, back ? compare_gives_back : is_kept, &count, err);

	if (fd < 0)
		return -1;
	if (count == 0) {
		(void)close(fd);
		return 0;
	}
	if (asprintf(&name, "%s%s", of->name, back ? " (recovered)" : "") < 0) {
		(void)close(fd);
		return error_set(err, "out of memory");
	}
	struct source_log source_log = {.name = name, .fd = fd, .recovered = back, .host = of->host};

	if (in->source)
		return source_add(in->source, &source_log, err);
	in->source = source_open_logs(&source_log, 1, options, in->strings, err);
	return in->source ? 0 : -1;
}

static int give_all(struct investigation *in, struct error *err)
{
	const struct recovered_logs *r = &in->recovered;

	for (size_t i = 0; i < r->comparison.forged.count; i++) {
		const struct forged_line *f = &r->comparison.forged.items[i];

		if (source_leave_out(in->source, f->log, f->offset, err) < 0)
			return -1;
	}
	for (uint32_t i = 0; r->alone && i < r->count; i++)
		if (give(in, i, false, err) < 0)
			return -1;
	for (uint32_t i = 0; i < r->count; i++)
		if (give(in, i, true, err) < 0)
			return -1;
	return in->source ? 0 : error_set(err, "%s: holds no audit record", r->logs[0].name);
}

int recovered_logs_open(struct investigation *in, struct error *err)
{
	struct recovered_logs *r = &in->recovered;

	if (in->witness.count == 0)
		return 0;
	if (read_logs(in, err) < 0)
		return -1;
	if (r->count == 0)
		return 0;
	if (compare(in, err) < 0)
		return -1;
	if (!r->alone && leave_strangers(r) > 0) { // and without them: their lines could stand for others'
		compare_release(&r->comparison);
		r->compared = false;
		if (r->count == 0) {
			recovered_logs_release(r);
			return 0;
		}
		if (compare(in, err) < 0)
			return -1;
	}
	if (compare_decide(&r->comparison, r->alone, err) < 0)
		return -1;
	count(r);
	return give_all(in, err);
}
