// SPDX-License-Identifier: MIT
// The part of svg_facts.c that recorded disks have told: states with their three times, contents that can be had back, findings.
//
// A page holds every preview; a picture the first PREVIEW_LINES_ALONE lines of each, so that fifty files add some 30 KB and not 200.
#include "graph/svg.h"

#include "base/text.h"
#include "graph/disk_words.h"

#include <inttypes.h>
#include <string.h>

#define PREVIEW_LINES_ALONE 12u
#define STATES_MOST 64u         /* of a file: the first and the last */
#define RECORDS_MOST 200u       /* of all findings: the json output has every one */
#define RECORDS_MOST_ALONE 20u

static bool is_time(uint64_t ns)
{
	return ns != 0 && ns != NANOTIME_NONE;
}

static void time_line(struct facts *f, const char *words, uint64_t ns)
{
	if (!is_time(ns))
		return;
	buffer_printf(f->out, "\n%s ", words);
	nanotime_format(f->out, ns, NANOTIME_FULL, f->p->zone);
}

static void state_fact(struct facts *f, const struct picture_disk_state *state)
{
	struct buffer words = {0};

	disk_state_words(&words, state);
	facts_open(f, state->loss ? "on disk lost" : "on disk");
	buffer_printf(f->out, "%c ", state->glyph);
	if (is_time(state->time_ns))
		nanotime_format(f->out, state->time_ns, NANOTIME_FULL, f->p->zone);
	else
		disk_state_time(f->out, f->p, state);
	buffer_add_byte(f->out, ' ');
	text_xml(f->out, buffer_string(&words), words.length);
	time_line(f, "system call", state->syscall_ns);
	time_line(f, "inode      ", state->inode_ns);
	time_line(f, "on the disk", state->arrival_ns);
	if (is_time(state->arrival_ns))
		buffer_printf(f->out, " (host clock), seq %" PRIu64, state->seq);
	facts_close(f);
	f->out->failed = f->out->failed || words.failed;
	buffer_release(&words);
}

void facts_of_disk_states(struct facts *f, const struct picture_node *n)
{
	facts_text(f, "disk", n->disk_verdict);
	if (is_time(n->born_ns)) {
		facts_open(f, "born");
		nanotime_format(f->out, n->born_ns, NANOTIME_FULL, f->p->zone);
		buffer_add_string(f->out, ", by its inode");
		facts_close(f);
	}
	size_t hidden = n->disk_state_count > STATES_MOST ? n->disk_state_count - STATES_MOST : 0;
	for (size_t i = 0; i < n->disk_state_count; i++) {
		if (hidden > 0 && i == STATES_MOST / 2) {
			facts_open(f, "on disk");
			text_count(f->out, hidden);
			buffer_add_string(f->out, " more here, in the json output");
			facts_close(f);
			i += hidden;
		}
		state_fact(f, &n->disk_states[i]);
	}
}

static struct text first_lines(struct text t, size_t lines)
{
	size_t at = 0;

	for (; lines > 0 && at < t.length; lines--) {
		const char *feed = memchr(t.bytes + at, '\n', t.length - at);

		if (!feed)
			return t;
		at = (size_t)(feed - t.bytes) + 1;
	}
	return (struct text){t.bytes, at < t.length && at > 0 ? at - 1 : t.length};
}

static void preview_fact(struct facts *f, const struct picture_recovery *r)
{
	struct text shown = f->all ? r->preview : first_lines(r->preview, PREVIEW_LINES_ALONE);

	if (r->preview.length == 0)
		return;
	facts_open(f, "preview");
	facts_add_lines(f->out, shown);
	if (shown.length < r->preview.length)
		buffer_add_string(f->out, "\n@ the rest: in the html and json output");
	facts_close(f);
}

// "recover" begins one: what follows belongs to it.
void facts_of_recoveries(struct facts *f, uint32_t node)
{
	for (size_t i = 0; i < f->p->recoveries.count; i++) {
		const struct picture_recovery *r = &f->p->recoveries.items[i];

		if (r->node != node)
			continue;
		facts_text(f, "recover", r->words);
		facts_text(f, "restore", r->command);
		facts_text(f, "restore-after", r->command_after);
		facts_text(f, "content", r->verdict);
		facts_text(f, "sha256-before", r->before_sha256);
		facts_text(f, "sha256-after", r->after_sha256);
		facts_text(f, "sha256-executed", r->executed_sha256);
		preview_fact(f, r);
	}
}

static size_t event_fact(struct facts *f, const struct disk_finding *at, size_t first)
{
	struct buffer words = {0};
	size_t end = disk_event_words(&words, f->p, at, first);

	facts_text(f, "event", (struct text){buffer_string(&words), words.length});
	f->out->failed = f->out->failed || words.failed;
	buffer_release(&words);
	return end;
}

// "finding" begins one, "event" one of its events; "was" and "is" are the records of that.
static void finding_fact(struct facts *f, const struct disk_finding *at, size_t *left)
{
	struct buffer words = {0};

	disk_finding_words(&words, f->p, at);
	facts_text(f, "finding", (struct text){buffer_string(&words), words.length});
	f->out->failed = f->out->failed || words.failed;
	buffer_release(&words);
	size_t end = at->first;
	for (size_t i = at->first; i < at->first + at->count && *left > 0; i++, --*left) {
		const struct picture_log_finding *record = &f->p->log_findings.items[i];

		if (i == end)
			end = event_fact(f, at, i);
		facts_lines(f, "was", record->was);
		facts_lines(f, "is", record->is);
	}
}

void facts_of_disks(struct facts *f)
{
	size_t left = f->all ? RECORDS_MOST : RECORDS_MOST_ALONE;
	struct disk_finding at = {0};

	memcpy(f->of, "case", sizeof("case"));
	for (size_t i = 0; i < f->p->disks.count; i++)
		facts_text(f, "disk", f->p->disks.items[i].words);
	struct buffer coverage = {0};
	disk_coverage_words(&coverage, f->p);
	facts_text(f, "disk", (struct text){buffer_string(&coverage), coverage.length});
	f->out->failed = f->out->failed || coverage.failed;
	buffer_release(&coverage);
	while (disk_finding_next(f->p, &at))
		finding_fact(f, &at, &left);
}
