// SPDX-License-Identifier: MIT
// scan(from, to) over log files: choose the parts, merge them into an assembler, hand on what touches the interval.
#include "ingest/source_files.h"

#include "base/memory.h"
#include "base/nanotime.h"
#include "ingest/assemble.h"
#include "ingest/log_merge.h"
#include "ingest/stamp.h"
#include "ingest/time_index.h"

#include <inttypes.h>
#include <string.h>

struct scan {
	struct files_source *source;
	uint64_t from_ns, to_ns;
	event_callback *callback;
	void *context;
	uint64_t partial;            // of what was handed on
	struct completeness counts;  // of the part read
	struct log_part *parts;
	size_t part_count;
	struct assembler **assemblers; // a host's each
	uint32_t *hosts;
	size_t host_count;
};

// ---- which parts

static int part_start(struct log_part *part, struct error *err)
{
	char *bytes AUTO_FREE = NULL;
	struct stamp_block block;
	size_t got = 0;

	part->start_ns = part->f->first_ns;
	if (part->begin == 0)
		return 0;
	bytes = malloc(TIME_INDEX_BLOCK_BYTES);
	if (!bytes)
		return error_set(err, "out of memory");
	if (log_file_read(part->f, part->begin, bytes, TIME_INDEX_BLOCK_BYTES, &got, err) < 0)
		return -1;
	stamp_block_read(bytes, got, true, &block);
	if (block.count > 0)
		part->start_ns = block.first_ns;
	return 0;
}

static int choose_part(struct scan *scan, size_t log, uint64_t from_ns, uint64_t to_ns, struct error *err)
{
	struct log_file *f = scan->source->set.logs[log];
	struct log_part part = { .f = f, .log = (uint32_t)log };

	if (f->first_ns > to_ns || (f->has_last && !f->set_back && files_time_after(scan->source, f->last_ns) < from_ns))
		return 0;
	if (time_index_range(f, from_ns, to_ns, &part.begin, &part.end, err) < 0)
		return -1;
	f->read_from = part.begin;
	f->read_to = part.end;
	if (part.begin == part.end)
		return 0;
	if (part_start(&part, err) < 0)
		return -1;
	scan->parts[scan->part_count++] = part;
	return 0;
}

// Insertion keeps the order of logs for equal times.
static void sort_parts(struct scan *scan)
{
	for (size_t i = 1; i < scan->part_count; i++) {
		struct log_part part = scan->parts[i];
		size_t at = i;

		for (; at > 0 && scan->parts[at - 1].start_ns > part.start_ns; at--)
			scan->parts[at] = scan->parts[at - 1];
		scan->parts[at] = part;
	}
}

static int choose_parts(struct scan *scan, struct error *err)
{
	struct files_source *s = scan->source;
	uint64_t from_ns = files_time_before(s, scan->from_ns), to_ns = files_time_after(s, scan->to_ns);

	scan->parts = calloc(s->set.count, sizeof(*scan->parts));
	if (!scan->parts)
		return error_set(err, "out of memory");
	if (from_ns > 0 && log_set_find_last(&s->set, err) < 0)
		return -1;
	for (size_t i = 0; i < s->set.count; i++) {
		s->set.logs[i]->read_from = s->set.logs[i]->read_to = 0;
		if (choose_part(scan, i, from_ns, to_ns, err) < 0)
			return -1;
	}
	sort_parts(scan);
	return 0;
}

// ---- what is handed on

static int mark_epoch(struct files_source *s, const struct event *event, struct error *err)
{
	struct epoch_mark mark = { .host = event->host, .epoch = event->epoch, .serial = event->serial, .ns = event->earliest_ns };

	for (size_t i = s->epochs.count; i > 0; i--) {
		if (s->epochs.items[i - 1].host != event->host)
			continue;
		if (s->epochs.items[i - 1].epoch == event->epoch)
			return 0;
		break;
	}
	if (event->evidence_count == 0)
		return 0;
	mark.log = event->evidence[0].log;
	mark.offset = event->evidence[0].offset;
	if (epoch_mark_vector_append(&s->epochs, mark) < 0)
		return error_set(err, "out of memory");
	return 0;
}

static int refuse_rejected(const struct scan *scan, struct error *err)
{
	const struct rejected_line *first = &scan->counts.rejected_first[0];

	return error_set(err, "%s: at byte %" PRIu64 ": no audit record: %s", source_log_name(&scan->source->base, first->log), first->offset,
			 first->reason);
}

static int on_event(void *context, const struct event *event, struct error *err)
{
	struct scan *scan = context;
	struct files_source *s = scan->source;

	if (s->strict && scan->counts.rejected > 0)
		return refuse_rejected(scan, err);
	if (event->kind != EVENT_GAP && event->kind != EVENT_DAEMON && mark_epoch(s, event, err) < 0)
		return -1;
	if (!files_host_wanted(s, event->host))
		return 0;
	if (event->latest_ns < scan->from_ns || event->earliest_ns >= scan->to_ns)
		return 0;
	if (event->present & EVENT_PARTIAL)
		scan->partial++;
	return scan->callback(scan->context, event, err);
}

// ---- what is counted

// A damaged or shortened log says nothing from its last stamp to where the next log begins.
static int add_cut_logs(const struct scan *scan, struct completeness *c, struct error *err)
{
	const struct log_set *set = &scan->source->set;

	for (size_t i = 0; i < set->count; i++) {
		const struct log_file *f = set->logs[i];
		struct completeness_gap gap = { .cause = GAP_REJECTED, .host = f->host, .to_ns = NANOTIME_NONE, .count = 1 };

		if (!f->cut)
			continue;
		gap.from_ns = f->has_last && !f->last_estimated ? f->last_ns : f->first_ns;
		if (i + 1 < set->count && set->logs[i + 1]->first_ns > gap.from_ns)
			gap.to_ns = set->logs[i + 1]->first_ns;
		if (gap.from_ns < scan->to_ns && gap.to_ns >= scan->from_ns && gap_vector_append(&c->gaps, gap) < 0)
			return error_set(err, "out of memory");
	}
	return 0;
}

static void add_counts(struct completeness *c, const struct completeness *more, uint64_t partial)
{
	for (size_t i = 0; i < more->rejected && i < COMPLETENESS_FIRST_LINES; i++) {
		if (c->rejected + i < COMPLETENESS_FIRST_LINES)
			c->rejected_first[c->rejected + i] = more->rejected_first[i];
	}
	if (c->records == 0 || (more->records > 0 && more->first_ns < c->first_ns))
		c->first_ns = more->first_ns;
	if (more->last_ns > c->last_ns)
		c->last_ns = more->last_ns;
	c->bytes += more->bytes;
	c->lines += more->lines;
	c->records += more->records;
	c->events += more->events;
	c->rejected += more->rejected;
	c->partial += partial;
	c->duplicate += more->duplicate;
	c->serials_missing += more->serials_missing;
	c->kernel_lost += more->kernel_lost;
	c->loss_ledger |= more->loss_ledger;
	c->daemon_starts += more->daemon_starts;
	c->config_changes += more->config_changes;
	for (size_t op = 0; op < OP_COUNT; op++)
		c->events_by_op[op] += more->events_by_op[op];
	c->io_uring_setups += more->io_uring_setups;
	c->claims += more->claims;
	c->self_noise += more->self_noise;
}

// Where parts of several logs begin and end at different times, serials seem to be missing that were only not read: all of that lies
// outside the margins of the interval.
static bool is_our_cut(const struct scan *scan, const struct completeness_gap *gap)
{
	return gap->cause == GAP_SERIALS_MISSING && (gap->to_ns <= files_time_before(scan->source, scan->from_ns) ||
						     gap->from_ns >= files_time_after(scan->source, scan->to_ns));
}

static int count(struct scan *scan, struct completeness *c, struct error *err)
{
	add_counts(c, &scan->counts, scan->partial);
	for (size_t i = 0; i < scan->counts.gaps.count; i++) {
		const struct completeness_gap *gap = &scan->counts.gaps.items[i];

		if (is_our_cut(scan, gap))
			c->serials_missing -= gap->count < c->serials_missing ? gap->count : c->serials_missing;
		else if (gap_vector_append(&c->gaps, *gap) < 0)
			return error_set(err, "out of memory");
	}
	if (add_cut_logs(scan, c, err) < 0)
		return -1;
	completeness_sort_gaps(c);
	return 0;
}

// An assembler for each host among the logs; records with node= name their own.
static int give_assembler(struct scan *scan, struct log_part *part, struct error *err)
{
	size_t i = 0;

	while (i < scan->host_count && scan->hosts[i] != part->f->host)
		i++;
	if (i == scan->host_count) {
		struct assembler *a = assembler_new(scan->source->strings, part->f->host, &scan->counts, on_event, scan);

		if (!a)
			return error_set(err, "out of memory");
		assembler_know_logs(a, scan->source->set.logs, scan->source->set.count);
		scan->hosts[i] = part->f->host;
		scan->assemblers[i] = a;
		scan->host_count++;
	}
	part->assembler = scan->assemblers[i];
	return 0;
}

static int give_assemblers(struct scan *scan, struct error *err)
{
	scan->assemblers = calloc(scan->part_count + 1, sizeof(struct assembler *));
	scan->hosts = calloc(scan->part_count + 1, sizeof(*scan->hosts));
	if (!scan->assemblers || !scan->hosts)
		return error_set(err, "out of memory");
	for (size_t i = 0; i < scan->part_count; i++) {
		if (give_assembler(scan, &scan->parts[i], err) < 0)
			return -1;
	}
	return 0;
}

static int feed_parts(struct scan *scan, struct error *err)
{
	struct files_source *s = scan->source;
	int result = log_merge_feed(scan->parts, scan->part_count, &scan->counts, err);

	for (size_t i = 0; result == 0 && i < scan->host_count; i++)
		result = assembler_finish(scan->assemblers[i], err);
	if (result >= 0 && s->strict && scan->counts.rejected > 0)
		result = refuse_rejected(scan, err);
	if (result >= 0 && intern_failed(s->strings))
		result = error_set(err, "out of memory");
	return result;
}

static void release(struct scan *scan)
{
	for (size_t i = 0; i < scan->host_count; i++)
		assembler_free(scan->assemblers[i]);
	completeness_release(&scan->counts);
	free(scan->assemblers);
	free(scan->hosts);
	free(scan->parts);
}

int files_scan(struct source *source, uint64_t from_ns, uint64_t to_ns, event_callback *callback, void *context, struct completeness *c,
	       struct error *err)
{
	struct scan scan = { .source = (struct files_source *)source, .from_ns = from_ns, .to_ns = to_ns, .callback = callback,
			     .context = context };
	int result;

	scan.source->epochs.count = 0;
	result = choose_parts(&scan, err);
	if (result == 0)
		result = give_assemblers(&scan, err);
	if (result == 0)
		result = feed_parts(&scan, err);
	if (result >= 0 && c)
		result = count(&scan, c, err);
	release(&scan);
	return result < 0 ? -1 : 0;
}
