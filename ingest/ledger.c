// SPDX-License-Identifier: MIT
#include "ingest/ledger.h"

#include "base/memory.h"
#include "ingest/fields.h"

#include <libaudit.h>

void ledger_init(struct ledger *l, struct completeness *c, struct intern *strings)
{
	*l = (struct ledger){.c = c, .strings = strings};
	l->self_exe[0] = intern_add_string(strings, "/usr/sbin/auditd");
	l->self_exe[1] = intern_add_string(strings, "/sbin/auditd");
	l->self_exe[2] = intern_add_string(strings, "/usr/bin/provgraph");
	l->self_exe[3] = intern_add_string(strings, "/usr/local/bin/provgraph");
}

// A log that was made to hurt has a gap at every line: then their number stays bounded, and the sums right.
static struct completeness_gap *last_of_cause(struct ledger *l, enum gap_cause cause)
{
	for (size_t i = l->c->gaps.count; i-- > 0;)
		if (l->c->gaps.items[i].cause == cause)
			return &l->c->gaps.items[i];
	return &l->c->gaps.items[l->c->gaps.count - 1];
}

int ledger_gap(struct ledger *l, const struct completeness_gap *gap, struct error *err)
{
	if (gap->cause == GAP_SERIALS_MISSING)
		l->c->serials_missing += gap->count;
	if (l->c->gaps.count < LEDGER_MAX_GAPS) {
		if (gap_vector_append(&l->c->gaps, *gap) < 0)
			return error_set(err, "out of memory");
		return 0;
	}
	struct completeness_gap *last = last_of_cause(l, gap->cause);

	last->count += gap->count;
	if (gap->from_ns < last->from_ns)
		last->from_ns = gap->from_ns;
	if (gap->to_ns > last->to_ns)
		last->to_ns = gap->to_ns;
	if (gap->last_serial > last->last_serial)
		last->last_serial = gap->last_serial;
	return 0;
}

int ledger_reject(struct ledger *l, uint32_t log, uint64_t offset, uint64_t line, const char *reason, struct error *err)
{
	struct completeness *c = l->c;

	if (c->rejected < COMPLETENESS_FIRST_LINES)
		c->rejected_first[c->rejected] = (struct rejected_line){.log = log, .offset = offset, .line = line, .reason = reason};
	c->rejected++;
	if (l->after_rejected && c->gaps.count && c->gaps.items[c->gaps.count - 1].cause == GAP_REJECTED) {
		c->gaps.items[c->gaps.count - 1].count++;
		return 0;
	}
	struct completeness_gap gap = {.cause = GAP_REJECTED, .from_ns = l->record_ns, .to_ns = l->record_ns + 1, .count = 1};

	l->after_rejected = true;
	return ledger_gap(l, &gap, err);
}

static int add_gap(struct ledger *l, const struct event *e, enum gap_cause cause, uint64_t from_ns, uint64_t count, struct error *err)
{
	struct completeness_gap gap = {.cause = cause, .host = e->host, .epoch = e->epoch, .from_ns = from_ns, .to_ns = e->earliest_ns,
				       .count = count};

	if (gap.to_ns <= gap.from_ns)
		gap.to_ns = gap.from_ns + 1;
	return ledger_gap(l, &gap, err);
}

// "lost=0 old=12": the kernel's count of records that it threw away since it was asked last (or booted).
static int count_lost(struct ledger *l, const struct event *e, uint64_t lost, struct error *err)
{
	uint64_t from_ns = l->last_loss_ns ? l->last_loss_ns : l->c->first_ns;

	l->c->loss_ledger = true;
	l->c->kernel_lost += lost;
	l->last_loss_ns = e->earliest_ns;
	return lost ? add_gap(l, e, GAP_KERNEL_LOST, from_ns, lost, err) : 0;
}

// 0: nobody is audited from here on. 1 and 2: they are again.
static int count_enabled(struct ledger *l, const struct event *e, uint64_t enabled, struct error *err)
{
	if (enabled == 0 && !l->off) {
		l->off = true;
		l->off_since_ns = e->earliest_ns;
	} else if (enabled != 0 && l->off) {
		l->off = false;
		return add_gap(l, e, GAP_CONFIG, l->off_since_ns, 1, err);
	}
	return 0;
}

// The switch of a CONFIG_CHANGE is kept as it was written: "lost=0 old=12".
static int count_config(struct ledger *l, const struct event *e, struct error *err)
{
	const char *at = intern_string(l->strings, e->claim_unit), *end = at + intern_length(l->strings, e->claim_unit);
	const char *op = intern_string(l->strings, e->claim_op);
	uint64_t value, old;
	struct field name, before;

	l->c->config_changes++;
	if (e->claim_success && strcmp(op, "remove_rule") == 0)
		return add_gap(l, e, GAP_CONFIG, e->earliest_ns, 1, err);
	if (!field_next(&at, end, &name) || !number_decimal(name.value, name.value_length, &value) || !field_next(&at, end, &before) ||
	    !number_decimal(before.value, before.value_length, &old) || !e->claim_success)
		return 0;
	if (field_is(&name, "lost"))
		return count_lost(l, e, old, err);
	if (field_is(&name, "audit_enabled") || field_is(&name, "enabled"))
		return count_enabled(l, e, value, err);
	return 0;
}

static int count_daemon(struct ledger *l, const struct event *e, struct error *err)
{
	if (e->type == AUDIT_DAEMON_START) {
		bool was_down = l->down;

		l->c->daemon_starts++;
		l->down = false;
		return was_down ? add_gap(l, e, GAP_DAEMON_DOWN, l->down_since_ns, 1, err) : 0;
	}
	if (e->type == AUDIT_DAEMON_END || e->type == AUDIT_DAEMON_ABORT) {
		l->down = true;
		l->down_since_ns = e->earliest_ns;
	}
	return 0;
}

static bool is_self(const struct ledger *l, const struct event *e)
{
	for (size_t i = 0; i < ARRAY_LENGTH(l->self_exe); i++)
		if (e->exe == l->self_exe[i])
			return true;
	return false;
}

int ledger_event(struct ledger *l, const struct event *e, struct error *err)
{
	struct completeness *c = l->c;

	c->events++;
	if (e->present & EVENT_PARTIAL)
		c->partial++;
	switch (e->kind) {
	case EVENT_SYSCALL:
		if (e->present & EVENT_HAS_SYSCALL)
			c->events_by_op[e->op]++;
		if (e->op == OP_IO_URING && strcmp(intern_string(l->strings, e->syscall_name), "io_uring_setup") == 0)
			c->io_uring_setups++;
		if (e->exe && is_self(l, e))
			c->self_noise++;
		return 0;
	case EVENT_CLAIM:
		c->claims++;
		return 0;
	case EVENT_CONFIG:
		return count_config(l, e, err);
	case EVENT_DAEMON:
		return count_daemon(l, e, err);
	default:
		return 0;
	}
}

int ledger_finish(struct ledger *l, struct error *err)
{
	struct event end = {.earliest_ns = l->record_ns};

	if (l->off && l->off_since_ns < l->record_ns && add_gap(l, &end, GAP_CONFIG, l->off_since_ns, 1, err) < 0)
		return -1;
	l->off = false;
	return 0;
}
