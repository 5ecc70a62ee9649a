// SPDX-License-Identifier: MIT
// provgraph rules: the audit rules that provgraph wants, and what the rules of a host, a file or a log leave blind.
#include "cmd/rules.h"

#include "base/child.h"
#include "base/fileio.h"
#include "base/memory.h"
#include "base/text.h"
#include "cmd/investigate.h"
#include "cmd/output.h"
#include "ingest/rules.h"

#include <inttypes.h>
#include <string.h>

#define MAX_RULES_BYTES ((size_t)16 << 20) /* our limit for a rules file */

const char *missing_rule_for(const char *syscall_name)
{
	return rules_line_for(syscall_name, false, NULL);
}

// ---- what is judged

// `auditctl -l`: root only, and the one way to ask the kernel that auditd's own tools use.
static int read_loaded(struct buffer *out, struct error *err)
{
	static const char *const places[] = {"/usr/sbin/auditctl", "/sbin/auditctl"};
	const struct child_limits limits = {.wall_ns = 10 * NANOTIME_SECOND, .cpu_seconds = 5, .output_bytes = MAX_RULES_BYTES};
	enum child_end end = CHILD_NOT_FOUND;

	for (size_t i = 0; i < ARRAY_LENGTH(places) && end == CHILD_NOT_FOUND; i++) {
		const char *const argv[] = {places[i], "-l", NULL};

		if (child_run(argv, "", 0, limits, out, &end, err) < 0)
			return -1;
	}
	if (end == CHILD_NOT_FOUND)
		return error_set(err, "auditctl: not installed; name a rules file, or a log with --log");
	if (end != CHILD_OK)
		return error_set(err, "auditctl -l: failed; it needs root. Or name a rules file, or a log with --log");
	return 0;
}

static void say_group(struct buffer *out, const char *state, const struct rule_group *group)
{
	buffer_printf(out, "%-8s %-20s %s\n", state, group->key, group->title);
}

static void say_line(struct buffer *out, const char *words, const char *line)
{
	buffer_printf(out, "         %s", words);
	text_terminal(out, line, strlen(line));
	buffer_add_byte(out, '\n');
}

// The first finding of a group that is not covered names the rule that would close the hole.
static const struct rules_finding *first_hole(const struct rules_judgement *j, const struct rule_group *group)
{
	for (size_t i = 0; i < j->findings.count; i++)
		if (j->findings.items[i].group == group && j->findings.items[i].coverage != RULES_COVERED)
			return &j->findings.items[i];
	return NULL;
}

static bool say_judgement(struct buffer *out, const struct rules_judgement *j)
{
	unsigned counts[RULES_BLIND + 1] = {0};

	for (size_t i = 0; i < rules_group_count(); i++) {
		const struct rule_group *group = rules_group(i);
		const char *why = NULL;
		enum rules_coverage coverage = rules_judged(j, group, &why);
		const struct rules_finding *hole = first_hole(j, group);

		counts[coverage]++;
		say_group(out, rules_coverage_name(coverage), group);
		if (coverage == RULES_COVERED)
			continue;
		if (why && *why)
			say_line(out, "", why);
		if (hole && hole->line)
			say_line(out, "rule: ", hole->line);
	}
	if (j->excludes_needed_records)
		buffer_add_string(out, "An exclude rule drops records that provgraph needs.\n");
	if (j->not_understood > 0)
		buffer_printf(out, "%" PRIu64 " lines are no rules (first: line %" PRIu64 ").\n", j->not_understood, j->first_not_understood);
	buffer_printf(out, "%" PRIu64 " rules: %u groups covered, %u partly, %u blind\n", j->rules, counts[RULES_COVERED],
		      counts[RULES_PARTLY], counts[RULES_BLIND]);
	return counts[RULES_PARTLY] + counts[RULES_BLIND] == 0 && !j->excludes_needed_records;
}

// Each appends its answer, and clears *all_covered when there is a hole.
static int check_text(const char *name, const char *bytes, size_t length, struct buffer *out, bool *all_covered, struct error *err)
{
	struct rules_judgement judgement;

	if (rules_judge(bytes, length, &judgement, err) < 0)
		return -1;
	if (judgement.rules == 0 && judgement.not_understood > 0) {
		rules_judgement_release(&judgement);
		return error_set(err, "%s: holds no audit rule that can be understood", name);
	}
	if (!say_judgement(out, &judgement))
		*all_covered = false;
	rules_judgement_release(&judgement);
	return 0;
}

static int check_file(const char *path, struct buffer *out, bool *all_covered, struct error *err)
{
	struct buffer text AUTO_RELEASE_BUFFER = {0};

	if (fileio_read(&text, path, MAX_RULES_BYTES, err) < 0)
		return -1;
	return check_text(path, buffer_string(&text), text.length, out, all_covered, err);
}

static int check_loaded(struct buffer *out, bool *all_covered, struct error *err)
{
	struct buffer text AUTO_RELEASE_BUFFER = {0};

	if (read_loaded(&text, err) < 0)
		return -1;
	// What auditctl says of an empty list is no rule.
	if (strncmp(buffer_string(&text), "No rules", 8) == 0)
		buffer_clear(&text);
	return check_text("auditctl -l", buffer_string(&text), text.length, out, all_covered, err);
}

static int ignore_event(void *context, const struct event *event, struct error *err)
{
	(void)event;
	(void)err;
	++*(uint64_t *)context;
	return 0;
}

static int count_log(const struct options *o, struct completeness *c, struct error *err)
{
	struct intern *strings = intern_new();
	struct source_options options = {.host = o->host, .strict = o->strict};
	struct source *source = strings ? source_open_files(o->logs.items, o->logs.count, options, strings, err) : NULL;
	uint64_t events = 0;
	int result = source ? source_scan(source, 0, NANOTIME_NONE, ignore_event, &events, c, err) : -1;

	if (!strings)
		(void)error_set(err, "out of memory");
	source_free(source);
	intern_free(strings);
	return result;
}

// The first line of a group that records something: some begin with what is left out (-a never).
static const char *recording_line(const struct rule_group *group)
{
	for (size_t i = 0; group->lines[i]; i++)
		if (strncmp(group->lines[i], "-a always", 9) == 0)
			return group->lines[i];
	return NULL;
}

static int check_log(const struct options *o, struct buffer *out, bool *all_covered, struct error *err)
{
	struct completeness c = {0};
	unsigned seen = 0, unseen = 0;

	if (count_log(o, &c, err) < 0)
		return -1;
	for (size_t i = 0; i < rules_group_count(); i++) {
		const struct rule_group *group = rules_group(i);

		if (rules_group_seen(group, c.events_by_op)) {
			seen++;
			say_group(out, "seen", group);
			continue;
		}
		unseen++;
		say_group(out, "not seen", group);
		if (recording_line(group))
			say_line(out, "rule: ", recording_line(group));
	}
	text_count(out, c.events);
	buffer_printf(out, " events: %u groups seen, %u not seen (not audited, or it never happened)\n", seen, unseen);
	if (unseen > 0)
		*all_covered = false;
	completeness_release(&c);
	return 0;
}

static int check(const struct options *o, struct buffer *out, bool *all_covered, struct error *err)
{
	if (o->logs.count > 0)
		return check_log(o, out, all_covered, err);
	if (o->files.count == 0)
		return check_loaded(out, all_covered, err);
	for (size_t i = 0; i < o->files.count; i++)
		if (check_file(o->files.items[i], out, all_covered, err) < 0)
			return -1;
	return 0;
}

int rules_command(const struct options *o)
{
	struct buffer text AUTO_RELEASE_BUFFER = {0};
	struct error err;
	bool all_covered = true;
	int result = 0;

	if (o->check)
		result = check(o, &text, &all_covered, &err);
	else if (o->files.count > 0 || o->logs.count > 0)
		result = error_set(&err, "rules: a file or a log is judged with --check");
	else
		rules_write(&text);
	if (result == 0)
		result = buffer_check(&text, &err);
	if (result == 0)
		result = output_file(o, o->output ? o->output : "-", FORMAT_TEXT, &text, &err);
	if (result < 0) {
		report_error(&err);
		return STATUS_ERROR;
	}
	return all_covered ? STATUS_WRITTEN : STATUS_NO_MATCH;
}
