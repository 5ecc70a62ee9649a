// SPDX-License-Identifier: MIT
// What a set of audit rules would record of the events that provgraph wants.
//
// Every line of the wanted table is taken apart into units: one system call, one width, and the filters that the line itself has.
// The judged rules are then applied in their order, as the kernel does: an `always` rule that is at least as broad as the unit covers
// it; one with further filters covers it partly; a `never` rule before them takes away what it names. The judged text is streamed
// and never kept, so its size does not matter.
#include "ingest/rules.h"

#include "base/memory.h"
#include "ingest/rules_line.h"
#include "ingest/syscall_kind.h"

#include <stdio.h>
#include <string.h>

struct unit {
	const struct rule_group *group;
	const char *line;
	char syscall[32];
	bool b32;
	struct rule_line own;   // our line, taken apart
	bool covered, partly, carved, cut_off; // carved: a never rule took some away before; cut_off: all
	char why[160];
};
VECTOR_DEFINE(unit_vector, struct unit)

struct judge {
	struct unit_vector units;
	struct rules_judgement *result;
	struct intern *strings;
	struct syscall_table *names;
};

// linux/audit.h: the two widths of x86. Numbers of calls are looked up in these.
#define ARCH_X86_64 0xc000003eu
#define ARCH_I386 0x40000003u

// libaudit calls kexec_load of i386 sys_kexec_load.
static struct rule_text without_prefix(struct rule_text call)
{
	if (call.length > 4 && memcmp(call.bytes, "sys_", 4) == 0)
		return (struct rule_text){call.bytes + 4, call.length - 4};
	return call;
}

// Names differ between versions of auditctl; numbers are allowed everywhere, and become names here.
static struct rule_text call_name(struct judge *j, struct rule_text call, bool b32)
{
	uint64_t number;

	if (rule_text_number(call, &number) && number < UINT32_MAX) {
		struct syscall_kind kind = syscall_table_find(j->names, b32 ? ARCH_I386 : ARCH_X86_64, (uint32_t)number);
		call = (struct rule_text){intern_string(j->strings, kind.name), intern_length(j->strings, kind.name)};
	}
	return without_prefix(call);
}

// ---- the wanted units

static int add_units_of_line(struct judge *j, const struct rule_group *group, const char *line)
{
	struct unit unit = {.group = group, .line = line};

	if (rule_line_parse(line, strlen(line), &unit.own) != RULE_LINE_RULE || !unit.own.always)
		return 0;
	unit.b32 = unit.own.b32;
	for (unsigned i = 0; i < unit.own.call_count; i++) {
		struct rule_text name = call_name(j, unit.own.calls[i], unit.b32);
		struct unit one = unit;

		snprintf(one.syscall, sizeof(one.syscall), "%.*s", (int)name.length, name.bytes);
		if (unit_vector_append(&j->units, one) < 0)
			return -1;
	}
	return 0;
}

static int add_units(struct judge *j)
{
	for (size_t g = 0; g < rules_group_count(); g++)
		for (const char *const *line = rules_group(g)->lines; *line; line++)
			if (add_units_of_line(j, rules_group(g), *line) < 0)
				return -1;
	return 0;
}

// ---- one rule against one unit

static void say_why(struct unit *u, const char *words, struct rule_text text)
{
	if (u->why[0] == '\0')
		snprintf(u->why, sizeof(u->why), "%s %s%.*s", u->syscall, words, (int)(text.length < 80 ? text.length : 80), text.bytes);
}

static bool unit_has_filter(const struct unit *u, const struct rule_filter *f)
{
	for (unsigned i = 0; i < u->own.filter_count; i++)
		if (rule_filter_equal(&u->own.filters[i], f))
			return true;
	return false;
}

static bool unit_wants_success_only(const struct unit *u)
{
	static const struct rule_filter success = {.field = {"success", 7}, .op = {"=", 1}, .value = {"1", 1}};
	return unit_has_filter(u, &success);
}

// What the bits of -p and perm= stand for (auditctl(8)): groups whose calls the kernel counts to them (audit_classes).
static bool permission_concerns(struct rule_text permissions, const struct rule_group *group)
{
	for (size_t i = 0; i < permissions.length; i++) {
		const char *keys = "";

		switch (permissions.bytes[i]) {
		case 'w': keys = "provgraph_write provgraph_name"; break;
		case 'r': keys = "provgraph_read"; break;
		case 'x': keys = "provgraph_exec"; break;
		case 'a': keys = "provgraph_attribute"; break;
		default: break;
		}
		if (strstr(keys, group->key))
			return true;
	}
	return false;
}

enum effect { NOT_NARROWING, NARROWING, CONTRADICTS };

// What one filter of a judged rule does to the events of a unit.
static enum effect filter_effect(const struct unit *u, const struct rule_filter *f)
{
	bool wants_success = unit_wants_success_only(u);
	bool only_success = rule_filter_is(f, "success", "=", "1") || rule_filter_is(f, "success", "!=", "0") ||
			    rule_filter_is(f, "exit", ">=", "0");
	bool only_failure = rule_filter_is(f, "success", "=", "0") || rule_filter_is(f, "success", "!=", "1") ||
			    rule_filter_is(f, "exit", "<", "0") || rule_filter_is_errno(f);

	if (unit_has_filter(u, f))
		return NOT_NARROWING;
	if (only_success) // a refused execve starts nothing: losing it costs evidence, not a flow
		return wants_success || (u->group->ops & (UINT64_C(1) << OP_EXEC)) ? NOT_NARROWING : NARROWING;
	if (only_failure)
		return wants_success || (u->group->ops & (UINT64_C(1) << OP_EXEC)) ? CONTRADICTS : NARROWING;
	if (rule_filter_is(f, "exit", "!=", "-ENOENT") || rule_filter_is(f, "exit", "!=", "-2"))
		return NOT_NARROWING;
	if (rule_text_is(f->field, "perm"))
		return permission_concerns(f->value, u->group) ? NOT_NARROWING : CONTRADICTS;
	return NARROWING;
}

// NULL in *ret_narrowing: the rule is at least as broad as the unit. False: it has nothing to do with it.
static bool rule_concerns(struct judge *j, const struct rule_line *rule, const struct unit *u, const struct rule_filter **ret_narrowing)
{
	bool named = rule->all_calls;

	if (rule->list != RULE_LIST_EXIT || (u->b32 ? !rule->b32 : !rule->b64))
		return false;
	for (unsigned i = 0; i < rule->call_count && !named; i++)
		named = rule_text_is(call_name(j, rule->calls[i], u->b32), u->syscall);
	if (!named)
		return false;
	*ret_narrowing = NULL;
	for (unsigned i = 0; i < rule->filter_count; i++)
		switch (filter_effect(u, &rule->filters[i])) {
		case CONTRADICTS:
			return false;
		case NARROWING:
			if (!*ret_narrowing)
				*ret_narrowing = &rule->filters[i];
			break;
		case NOT_NARROWING:
			break;
		}
	return true;
}

static void apply_always(struct unit *u, const struct rule_filter *narrowing)
{
	if (!narrowing) {
		u->covered = true;
		if (!u->carved)
			u->why[0] = '\0';
		return;
	}
	u->partly = true;
	if (rule_filter_is(narrowing, "success", "=", "1") && (u->group->ops & (UINT64_C(1) << OP_CONNECT)))
		say_why(u, "only when it succeeds at once: non-blocking connections (EINPROGRESS) are lost", (struct rule_text){"", 0});
	else
		say_why(u, "only where ", narrowing->text);
}

static void apply_never(struct unit *u, const struct rule_filter *narrowing)
{
	// Threads are no processes; our own table leaves them out too.
	if (narrowing && (u->group->ops & (UINT64_C(1) << OP_FORK)) && rule_filter_is(narrowing, "a0", "&", "0x10000"))
		return;
	if (narrowing) {
		u->carved = true;
		say_why(u, "not where ", narrowing->text);
		return;
	}
	u->cut_off = true;
	say_why(u, "is taken out by a never rule", (struct rule_text){"", 0});
}

static void apply_rule(struct judge *j, const struct rule_line *rule)
{
	for (size_t i = 0; i < j->units.count; i++) {
		struct unit *u = &j->units.items[i];
		const struct rule_filter *narrowing;

		if (u->covered || u->cut_off || !rule_concerns(j, rule, u, &narrowing))
			continue;
		if (rule->always)
			apply_always(u, narrowing);
		else
			apply_never(u, narrowing);
	}
}

// ---- other lists and options

// Rules of the exclude list drop records by type; provgraph can do without the ones that are not named here.
static bool exclude_hurts(const struct rule_line *rule)
{
	static const char *const needed[] = {"SYSCALL", "1300", "PATH", "1302", "SOCKETCALL", "1304", "SOCKADDR", "1306",
					     "CWD", "1307", "EXECVE", "1309", "OBJ_PID", "1318", "FD_PAIR", "1317",
					     "KERN_MODULE", "1330", "OPENAT2", "1337", "URINGOP", "1336"};

	for (unsigned i = 0; i < rule->filter_count; i++) {
		const struct rule_filter *f = &rule->filters[i];

		if (!rule_text_is(f->field, "msgtype"))
			continue;
		if (!rule_text_is(f->op, "="))
			return true; // a range of types
		for (size_t n = 0; n < ARRAY_LENGTH(needed); n++)
			if (rule_text_is(f->value, needed[n]))
				return true;
		return false;
	}
	return rule->filter_count > 0; // by user, program ...: drops whole events
}

static void forget_all(struct judge *j)
{
	for (size_t i = 0; i < j->units.count; i++) {
		struct unit *u = &j->units.items[i];
		u->covered = u->partly = u->carved = u->cut_off = false;
		u->why[0] = '\0';
	}
}

// "-a never,task": tasks get no audit context, and no rule of the exit list sees them. A widely shipped default.
static void cut_off_all(struct judge *j)
{
	for (size_t i = 0; i < j->units.count; i++) {
		struct unit *u = &j->units.items[i];
		u->covered = u->partly = false;
		u->cut_off = true;
		u->why[0] = '\0';
		say_why(u, "is not audited at all: -a never,task", (struct rule_text){"", 0});
	}
}

static void judge_line(struct judge *j, const char *bytes, size_t length, uint64_t number)
{
	struct rule_line line;

	switch (rule_line_parse(bytes, length, &line)) {
	case RULE_LINE_RULE:
		j->result->rules++;
		if (line.list == RULE_LIST_EXCLUDE)
			j->result->excludes_needed_records |= exclude_hurts(&line);
		else if (line.list == RULE_LIST_TASK && !line.always && line.filter_count == 0)
			cut_off_all(j);
		else
			apply_rule(j, &line);
		break;
	case RULE_LINE_DELETE_ALL:
		forget_all(j);
		break;
	case RULE_LINE_OPTION:
		break;
	case RULE_LINE_OTHER:
		if (j->result->not_understood++ == 0)
			j->result->first_not_understood = number;
		break;
	}
}

// ---- the answer

static int add_finding(struct rules_judgement *result, const struct unit *u)
{
	struct rules_finding f = {.group = u->group, .line = u->line, .b32 = u->b32};

	memcpy(f.syscall, u->syscall, sizeof(f.syscall));
	f.coverage = u->covered && !u->carved ? RULES_COVERED : u->covered || u->partly ? RULES_PARTLY : RULES_BLIND;
	if (f.coverage == RULES_BLIND && u->why[0] == '\0')
		snprintf(f.why, sizeof(f.why), "no rule for %s%s", u->syscall, u->b32 ? " of 32-bit programs" : "");
	else if (f.coverage != RULES_COVERED)
		snprintf(f.why, sizeof(f.why), "%s", u->why);
	return rules_finding_vector_append(&result->findings, f);
}

static int judge_all(struct judge *j, const char *bytes, size_t length)
{
	uint64_t number = 0;

	if (add_units(j) < 0)
		return -1;
	for (size_t at = 0; at < length;) {
		const char *end = memchr(bytes + at, '\n', length - at);
		size_t line = end ? (size_t)(end - (bytes + at)) : length - at;

		judge_line(j, bytes + at, line, ++number);
		at += line + 1;
	}
	for (size_t i = 0; i < j->units.count; i++)
		if (add_finding(j->result, &j->units.items[i]) < 0)
			return -1;
	return 0;
}

int rules_judge(const char *bytes, size_t length, struct rules_judgement *ret, struct error *err)
{
	struct rules_judgement result = {0};
	struct judge j = {.result = &result, .strings = intern_new()};
	int status = -1;

	j.names = j.strings ? syscall_table_new(j.strings) : NULL;
	if (j.names)
		status = judge_all(&j, bytes, length);
	unit_vector_release(&j.units);
	syscall_table_free(j.names);
	intern_free(j.strings);
	if (status < 0) {
		rules_judgement_release(&result);
		return error_set(err, "out of memory");
	}
	*ret = result;
	return 0;
}

void rules_judgement_release(struct rules_judgement *j)
{
	rules_finding_vector_release(&j->findings);
}

enum rules_coverage rules_judged(const struct rules_judgement *j, const struct rule_group *group, const char **ret_why)
{
	size_t all = 0, covered = 0, blind = 0;
	const char *why = "";

	for (size_t i = 0; i < j->findings.count; i++) {
		const struct rules_finding *f = &j->findings.items[i];

		if (f->group != group)
			continue;
		all++;
		covered += f->coverage == RULES_COVERED;
		blind += f->coverage == RULES_BLIND;
		if (f->coverage != RULES_COVERED && *why == '\0')
			why = f->why;
	}
	if (ret_why)
		*ret_why = why;
	return covered == all ? RULES_COVERED : blind == all ? RULES_BLIND : RULES_PARTLY;
}

const char *rules_coverage_name(enum rules_coverage c)
{
	return c == RULES_COVERED ? "covered" : c == RULES_PARTLY ? "partly" : "blind";
}
