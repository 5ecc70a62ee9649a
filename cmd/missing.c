// SPDX-License-Identifier: MIT
// struct completeness -> lines of the picture. Each counter keeps its own line: they miss different things.
#include "cmd/investigate.h"
#include "cmd/creators.h"

#include "base/memory.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

#define MAX_GAP_LINES 8
#define BUSY_EVENTS 20 /* so many events without a single fork or open: nobody audits those */

struct writer {
	struct investigation *in;
	struct buffer words;
	struct error *err;
	int result;
};

static void put(struct writer *w, bool loss, uint64_t from_ns, uint64_t to_ns, const char *rule)
{
	if (w->result == 0)
		w->result = buffer_check(&w->words, w->err);
	if (w->result == 0)
		w->result = picture_add_missing(w->in->picture, loss, from_ns, to_ns, buffer_string(&w->words), rule, w->err);
	buffer_clear(&w->words);
}

static void put_window(struct writer *w, bool loss, const char *rule)
{
	put(w, loss, w->in->from_ns, w->in->to_ns, rule);
}

static void count_of(struct writer *w, uint64_t count, const char *one, const char *many)
{
	text_count(&w->words, count);
	buffer_printf(&w->words, " %s", count == 1 ? one : many);
}

static void describe_gap(struct writer *w, const struct completeness_gap *gap)
{
	switch (gap->cause) {
	case GAP_SERIALS_MISSING:
		buffer_add_string(&w->words, "at least ");
		count_of(w, gap->count, "event is", "events are");
		buffer_printf(&w->words, " missing (serials %" PRIu64 " to %" PRIu64 ")", gap->first_serial, gap->last_serial);
		break;
	case GAP_KERNEL_LOST:
		buffer_add_string(&w->words, "the kernel lost ");
		count_of(w, gap->count, "record", "records");
		break;
	case GAP_DAEMON_DOWN:
		buffer_add_string(&w->words, "the audit daemon was down");
		break;
	case GAP_REJECTED:
		count_of(w, gap->count, "line is no audit record", "lines are no audit records");
		break;
	case GAP_CONFIG:
		break; // say_config_changes
	}
}

static bool touches(const struct investigation *in, const struct completeness_gap *gap)
{
	return gap->from_ns < in->to_ns && gap->to_ns >= in->from_ns;
}

// Loading a file of rules is many changes: they share a line.
static void say_config_changes(struct writer *w)
{
	const struct gap_vector *gaps = &w->in->completeness.gaps;
	uint64_t count = 0, from_ns = NANOTIME_NONE, to_ns = 0;

	for (size_t i = 0; i < gaps->count; i++) {
		const struct completeness_gap *gap = &gaps->items[i];

		if (gap->cause != GAP_CONFIG || !touches(w->in, gap))
			continue;
		count++;
		if (gap->from_ns < from_ns)
			from_ns = gap->from_ns;
		if (gap->to_ns > to_ns)
			to_ns = gap->to_ns;
	}
	if (count == 0)
		return;
	buffer_add_string(&w->words, "audit was switched off, or rules were removed, ");
	count_of(w, count, "time", "times");
	buffer_add_string(&w->words, ": coverage before and after may differ");
	put(w, false, from_ns, to_ns, NULL);
}

static void say_gaps(struct writer *w)
{
	const struct gap_vector *gaps = &w->in->completeness.gaps;
	uint64_t shown = 0, more = 0;

	for (size_t i = 0; i < gaps->count; i++) {
		const struct completeness_gap *gap = &gaps->items[i];

		if (gap->cause == GAP_CONFIG || !touches(w->in, gap))
			continue;
		if (shown++ >= MAX_GAP_LINES) {
			more++;
			continue;
		}
		describe_gap(w, gap);
		put(w, true, gap->from_ns, gap->to_ns, NULL);
	}
	if (more > 0) {
		count_of(w, more, "further gap", "further gaps");
		put_window(w, true, NULL);
	}
}

static bool has_gap(const struct completeness *c, enum gap_cause cause)
{
	for (size_t i = 0; i < c->gaps.count; i++)
		if (c->gaps.items[i].cause == cause)
			return true;
	return false;
}

static void say_counters(struct writer *w)
{
	const struct completeness *c = &w->in->completeness;

	if (c->rejected > 0 && !has_gap(c, GAP_REJECTED)) {
		const struct rejected_line *first = &c->rejected_first[0];

		count_of(w, c->rejected, "line is no audit record", "lines are no audit records");
		buffer_printf(&w->words, " (first: %s", source_log_name(w->in->source, first->log));
		if (first->line)
			buffer_printf(&w->words, ":%" PRIu64, first->line);
		else
			buffer_printf(&w->words, " at byte %" PRIu64, first->offset);
		buffer_printf(&w->words, ": %s)", first->reason ? first->reason : "not understood");
		put_window(w, true, NULL);
	}
	if (c->partial > 0) {
		count_of(w, c->partial, "event lacks", "events lack");
		buffer_add_string(&w->words, " some of their records");
		put_window(w, true, NULL);
	}
	if (!c->loss_ledger) {
		buffer_add_string(&w->words, "what the kernel lost is unknown: the log holds no statement of it");
		put_window(w, false, NULL);
	}
	if (c->io_uring_setups > 0) {
		buffer_add_string(&w->words, "io_uring was set up ");
		count_of(w, c->io_uring_setups, "time", "times");
		buffer_add_string(&w->words, ": what went through it may have left no record");
		put_window(w, false, NULL);
	}
	if (w->in->ancestors_unknown > 0) {
		count_of(w, w->in->ancestors_unknown, "parent process was", "parent processes were");
		buffer_add_string(&w->words, " born further back than the look-up went; --from reads more");
		put_window(w, false, NULL);
	}
}

// What is not drawn because the system call never occurs. A log cannot tell "nobody audits it" from "nobody did it", except for calls
// that every busy host makes all the time. Of rare calls an absence means nothing, and they share one line.
static const struct {
	enum syscall_op op;
	const char *missing, *call; // call: for the rule that would record it
	bool always;                // a busy host makes it all the time
} usual[] = {
	{OP_EXEC, "programs that start (execve)", "execve", true},
	{OP_FORK, "who started whom (fork, clone)", "clone", true},
	{OP_OPEN, "opened files (open, openat)", "openat", true},
	{OP_EXIT, "when a process ended (exit_group)", "exit_group", true},
	{OP_CONNECT, "outgoing connections (connect)", "connect", false},
	{OP_ACCEPT, "incoming connections (accept)", "accept4", false},
	{OP_UNLINK, "deleted files (unlink)", "unlink", false},
	{OP_RENAME, "renamed files (rename)", "rename", false},
	{OP_PIPE, "pipes between processes (pipe2)", "pipe2", false},
	{OP_ATTRIBUTE, "changed modes and owners (chmod, chown)", "fchmodat", false},
	{OP_SETID, "changes of user (setuid)", "setuid", false},
};

static const struct {
	enum syscall_op op;
	const char *call;
} rare[] = {
	{OP_LINK, "link"}, {OP_SYMLINK, "symlink"}, {OP_TRUNCATE, "truncate"}, {OP_MKDIR, "mkdir"},
	{OP_BIND, "bind"}, {OP_SEND, "sendto"}, {OP_MEMFD, "memfd_create"}, {OP_PTRACE, "ptrace"},
	{OP_VM_WRITE, "process_vm_writev"}, {OP_MODULE, "init_module"}, {OP_BPF, "bpf"}, {OP_MOUNT, "mount"},
	{OP_NAMESPACE, "setns"},
};

static void say_coverage(struct writer *w)
{
	const struct completeness *c = &w->in->completeness;
	size_t listed = 0;
	const char *said = NULL;

	for (size_t i = 0; i < ARRAY_LENGTH(usual); i++) {
		const char *rule = missing_rule_for(usual[i].call);

		if (c->events_by_op[usual[i].op] > 0)
			continue;
		buffer_add_string(&w->words, usual[i].always && c->events >= BUSY_EVENTS ? "not audited here: " : "none seen (not audited, or there was none): ");
		buffer_add_string(&w->words, usual[i].missing);
		put_window(w, false, rule == said ? NULL : rule); // one rule for two neighbours is said once
		said = rule;
	}
	for (size_t i = 0; i < ARRAY_LENGTH(rare); i++) {
		if (c->events_by_op[rare[i].op] > 0)
			continue;
		buffer_printf(&w->words, "%s%s", listed++ == 0 ? "did not occur, or is not audited: " : ", ", rare[i].call);
	}
	if (listed > 0)
		put_window(w, false, NULL);
}

static int add_inputs(struct investigation *in, struct error *err)
{
	for (size_t i = 0; i < source_log_count(in->source); i++) {
		const char *name = source_log_name(in->source, i), *slash = strrchr(name, '/');
		char hex[65];
		uint64_t from = 0, to = 0;

		if (source_log_digest(in->source, i, hex, &from, &to, err) < 0)
			return -1;
		// Those of which nothing was read as well: evidence names a log by its place in this list. The base name: where the evidence lies on the analyst's disk is nobody's business, and changes nothing.
		if (picture_add_input(in->picture, slash ? slash + 1 : name, hex, from, to, err) < 0)
			return -1;
	}
	return 0;
}

// The audit daemon and provgraph read logs and write them: events of their own, which nothing hides and nobody asked about.
static void say_self_noise(struct writer *w)
{
	if (w->in->completeness.self_noise == 0)
		return;
	count_of(w, w->in->completeness.self_noise, "event is", "events are");
	buffer_add_string(&w->words, " the audit daemon's or provgraph's own");
	put_window(w, false, NULL);
}

// Files whose maker lies before the window were followed back: how far, where that did not reach their beginning.
static void say_creators(struct writer *w)
{
	struct creators_facts facts = creators_facts(w->in->creators);

	if (facts.unknown == 0 || facts.reached_ns == 0)
		return;
	buffer_add_string(&w->words, "who made ");
	text_count(&w->words, facts.unknown);
	buffer_add_string(&w->words, facts.unknown == 1 ? " file that counts" : " files that count");
	buffer_add_string(&w->words, " is not on record: looked back to ");
	nanotime_format(&w->words, facts.reached_ns, NANOTIME_FULL, w->in->options->zone);
	buffer_add_string(&w->words, facts.budget_spent ? ", then enough was read" : ", where the log begins");
	put_window(w, false, NULL);
}

int missing_describe(struct investigation *in, struct error *err)
{
	struct writer w = {.in = in, .err = err};

	say_gaps(&w);
	say_config_changes(&w);
	say_counters(&w);
	say_coverage(&w);
	say_self_noise(&w);
	say_creators(&w);
	buffer_release(&w.words);
	return w.result < 0 ? -1 : add_inputs(in, err);
}
