// SPDX-License-Identifier: MIT
// Parents that were born before the window: asked for by pid, newest record first, until they are known or the budget is spent.
#include "cmd/investigate.h"

#include "base/memory.h"

#include <string.h>

#define MAX_ROUNDS 64                          /* each round goes at least one generation up */
// Of log text: about 0.3 ms for each MiB. A daemon that started at boot is never found: it may use up one round, not the others.
#define ROUND_BYTES ((uint64_t)48 << 20)
#define LOOK_BACK_BYTES ((uint64_t)96 << 20)

struct look_up {
	struct investigation *in;
	const struct ancestor_wanted *wanted; // of one host
	bool *satisfied;
	size_t count, left;
	uint64_t seen;
};

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
	return l->left == 0;
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
	struct look_up l = {.in = in, .wanted = wanted, .satisfied = satisfied, .count = count, .left = count};
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
