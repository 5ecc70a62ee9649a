// SPDX-License-Identifier: MIT
// Parents that were born before the window: asked for by pid, newest record first, until they are known or the budget is spent.
// On the way, who logged in: the claim that opened the contact's session, which one of the ancestors (sshd, login, cron) made.
#include "cmd/investigate.h"

#include "base/memory.h"

#include <string.h>

#define AUDIT_USER_START 1105 /* linux/audit.h, as the next one */
#define AUDIT_USER_LOGIN 1112
#define MAX_ROUNDS 64                          /* each round goes at least one generation up */
// Of log text: about 0.3 ms for each MiB. A daemon that started at boot is never found: it may use up one round, not the others.
#define ROUND_BYTES ((uint64_t)32 << 20)
#define LOOK_BACK_BYTES ((uint64_t)64 << 20)

struct look_up {
	struct investigation *in;
	const struct ancestor_wanted *wanted; // of one host
	bool *satisfied;
	size_t count, left;
	uint64_t seen;
	bool login_known;
};

static bool is_login(const struct investigation *in, uint32_t type, uint32_t host, uint32_t session)
{
	return (type == AUDIT_USER_LOGIN || type == AUDIT_USER_START) && host == in->contact_host && session == in->contact_session;
}

// Is the login of the contact's session told already, inside the window or by an earlier round? Without a session there is none.
static bool login_is_known(const struct investigation *in)
{
	const struct claim_vector *claims = &in->graph->claims;

	if (in->contact_session == EVENT_ID_UNSET)
		return true;
	for (size_t i = 0; i < claims->count; i++)
		if (claims->items[i].type == AUDIT_USER_LOGIN && is_login(in, claims->items[i].type, claims->items[i].host, claims->items[i].session))
			return true;
	return false;
}

static int take_claim(struct look_up *l, const struct event *event, struct error *err)
{
	if (l->login_known || event->earliest_ns >= l->in->from_ns || !is_login(l->in, event->type, event->host, event->session))
		return 0;
	// sshd tells the account in USER_START, just before USER_LOGIN: going backward that one comes last.
	l->login_known = event->type == AUDIT_USER_START;
	return graph_add_event(l->in->graph, event, err);
}

// Is this event about the wanted process: its own record, or the fork that returned it?
static bool is_about(const struct event *event, const struct ancestor_wanted *w)
{
	if (event->host != w->host || event->earliest_ns > w->before_ns)
		return false;
	if ((event->present & EVENT_HAS_PID) && event->pid == w->pid)
		return true;
	return event->kind == EVENT_SYSCALL && event->op == OP_FORK && event->success && event->exit == (int64_t)w->pid;
}

static int on_record(void *context, const struct event *event, struct error *err)
{
	struct look_up *l = context;

	progress_step(&l->in->progress, "looking for parents: records", ++l->seen);
	if (event->kind == EVENT_CLAIM && take_claim(l, event, err) < 0)
		return -1;
	for (size_t i = 0; i < l->count; i++) {
		bool satisfied = false;

		if (l->satisfied[i] || !is_about(event, &l->wanted[i]))
			continue;
		if (graph_add_past_event(l->in->graph, &l->wanted[i], event, &satisfied, err) < 0)
			return -1;
		if (satisfied) {
			l->satisfied[i] = true;
			l->left--;
		}
	}
	return l->left == 0 && l->login_known;
}

// Those of `wanted` from `first` on that share its host; they are moved together. Returns how many.
static size_t gather_host(struct ancestor_vector *wanted, size_t first)
{
	size_t end = first + 1;

	for (size_t i = end; i < wanted->count; i++) {
		if (wanted->items[i].host != wanted->items[first].host)
			continue;
		struct ancestor_wanted moved = wanted->items[i];

		wanted->items[i] = wanted->items[end];
		wanted->items[end++] = moved;
	}
	return end - first;
}

static int look_up_host(struct investigation *in, const struct ancestor_wanted *wanted, size_t count, uint64_t *budget_bytes, struct error *err)
{
	uint32_t *pids AUTO_FREE = calloc(count, sizeof(*pids));
	bool *satisfied AUTO_FREE = calloc(count, sizeof(*satisfied));
	struct look_up l = {
		.in = in,
		.wanted = wanted,
		.satisfied = satisfied,
		.count = count,
		.left = count,
		.login_known = wanted[0].host != in->contact_host || login_is_known(in),
	};
	struct find_report report = {0};
	uint64_t before_ns = 0;

	if (!pids || !satisfied)
		return error_set(err, "out of memory");
	for (size_t i = 0; i < count; i++) {
		pids[i] = wanted[i].pid;
		if (wanted[i].before_ns > before_ns)
			before_ns = wanted[i].before_ns;
	}
	struct find_keys keys = {.host = wanted[0].host, .pids = pids, .pid_count = count};
	struct find_limit limit = {.max_bytes = *budget_bytes < ROUND_BYTES ? *budget_bytes : ROUND_BYTES};

	if (source_find(in->source, &keys, before_ns, limit, on_record, &l, &report, err) < 0)
		return -1;
	*budget_bytes -= report.bytes < *budget_bytes ? report.bytes : *budget_bytes;
	if (!report.complete)
		in->ancestors_unknown += l.left;
	return 0;
}

int ancestors_look_up(struct investigation *in, struct error *err)
{
	struct ancestor_vector wanted = {0};
	uint64_t budget_bytes = LOOK_BACK_BYTES;
	int result = 0;

	for (unsigned round = 0; round < MAX_ROUNDS && result == 0; round++) {
		wanted.count = 0;
		result = graph_missing_ancestors(in->graph, &in->address, &wanted, err);
		if (result < 0 || wanted.count == 0)
			break;
		for (size_t first = 0; first < wanted.count && result == 0;) {
			size_t count = gather_host(&wanted, first);

			if (budget_bytes > 0)
				result = look_up_host(in, wanted.items + first, count, &budget_bytes, err);
			else
				in->ancestors_unknown += count;
			first += count;
		}
	}
	ancestor_vector_release(&wanted);
	return result;
}
