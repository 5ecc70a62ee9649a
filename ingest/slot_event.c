// SPDX-License-Identifier: MIT
// From what the records said to struct event: which kind it is, what is missing, and what the call was called.
#include "ingest/slot.h"

#include "ingest/syscall_kind.h"

#include <string.h>

static enum event_kind kind_of(const struct slot *s)
{
	const unsigned calls = SEEN_SYSCALL | SEEN_URING | SEEN_PART | SEEN_OTHER;

	if (s->seen & SEEN_DAEMON)
		return EVENT_DAEMON;
	if (s->seen & SEEN_CONFIG)
		return EVENT_CONFIG;
	if ((s->seen & SEEN_LOGIN) || ((s->seen & SEEN_CLAIM) && !(s->seen & calls)))
		return EVENT_CLAIM;
	return EVENT_SYSCALL;
}

static enum event_trust trust_of(const struct slot *s)
{
	const unsigned kernel = SEEN_SYSCALL | SEEN_URING | SEEN_PART | SEEN_OTHER | SEEN_LOGIN | SEEN_CONFIG;

	return (s->seen & kernel) && !(s->seen & SEEN_DAEMON) ? TRUST_KERNEL : TRUST_CLAIMED;
}

// Records that must have come with the others and are not there.
static bool is_partial(const struct slot *s, enum syscall_op op)
{
	bool success = (s->present & EVENT_HAS_SUCCESS) && s->success;

	if (s->seen & SEEN_CUT)
		return true;
	if (!(s->seen & (SEEN_SYSCALL | SEEN_URING)))
		return (s->seen & SEEN_PART) && !(s->seen & SEEN_DAEMON);
	if (s->path_count < s->items)
		return true;
	if (s->seen & SEEN_EXECVE)
		return s->extra && s->extra->argv.count < s->extra->argc;
	if (s->seen & SEEN_URING)
		return false;
	return success && (op == OP_EXEC || (op == OP_CONNECT && !(s->seen & SEEN_SOCKADDR)));
}

static void fill_call(struct slot *s, struct syscall_table *calls, struct event *e)
{
	struct syscall_kind kind = {0};

	e->arch = s->arch;
	e->syscall = s->syscall;
	e->success = s->success;
	e->exit = s->exit;
	memcpy(e->args, s->args, sizeof(e->args));
	if (!(s->present & EVENT_HAS_SYSCALL))
		return;
	if (s->seen & SEEN_URING)
		kind = syscall_table_uring(calls, s->syscall);
	else
		kind = syscall_table_find(calls, s->arch, s->syscall);
	if (kind.multiplexed) {
		kind = syscall_table_socketcall(calls, s->args[0]);
		if (s->seen & SEEN_SOCKETCALL)
			memcpy(e->args, s->extra->inner_args, sizeof(e->args));
		else
			e->present &= ~(uint32_t)EVENT_HAS_ARGS; // a1 points to them
	}
	e->syscall_name = kind.name;
	e->op = kind.op;
}

static void fill_actor(const struct actor *a, struct event *e)
{
	e->present |= a->present;
	e->pid = a->pid;
	e->ppid = a->ppid;
	e->auid = a->auid;
	e->session = a->session;
	e->ids = a->ids;
	e->tty = a->tty;
	e->comm = a->comm;
	e->exe = a->exe;
	e->key = a->key;
}

static void fill_claim(const struct slot_claim *claim, struct event *e)
{
	e->claim_op = claim->op;
	e->claim_account = claim->account;
	e->claim_hostname = claim->hostname;
	e->claim_terminal = claim->terminal;
	e->claim_exe = claim->exe;
	e->claim_unit = claim->unit;
	e->claim_address = claim->address;
	e->claim_success = claim->success;
}

static void fill_extra(struct slot *s, struct event *e)
{
	struct slot_extra *x = s->extra;

	e->argc = x->argc;
	e->argv = x->argv.items;
	e->argv_count = x->argv.count;
	e->addresses = x->addresses.items;
	e->address_count = x->addresses.count;
	e->targets = x->targets.items;
	e->target_count = x->targets.count;
	e->open_flags = x->open_flags;
	e->open_mode = x->open_mode;
	e->open_resolve = x->open_resolve;
	memcpy(e->fds, x->fds, sizeof(e->fds));
	e->mmap_flags = x->mmap_flags;
	e->module = x->module;
	e->bpf_program = x->bpf_program;
	e->old_auid = x->old_auid;
	e->old_session = x->old_session;
	fill_claim(&x->claim, e);
	if (s->path_count > SLOT_PATHS)
		e->paths = x->paths.items;
}

// One array of spans: with more than one, the first goes in front of the others in the extra's array.
static void fill_evidence(struct slot *s, struct reader *r, struct event *e)
{
	struct slot_extra *x = s->extra;

	e->evidence = &s->evidence;
	e->evidence_count = s->evidence.length > 0;
	if (!x || x->evidence.count == 0)
		return;
	if (evidence_vector_append(&x->evidence, s->evidence) < 0) {
		r->pool->failed = true;
		return;
	}
	memmove(&x->evidence.items[1], &x->evidence.items[0], (x->evidence.count - 1) * sizeof(*x->evidence.items));
	x->evidence.items[0] = s->evidence;
	e->evidence = x->evidence.items;
	e->evidence_count = x->evidence.count;
}

void slot_to_event(struct slot *s, struct reader *r, struct syscall_table *calls, struct event *ret)
{
	slot_end_argument(s, r->pool, r->strings);
	memset(ret, 0, sizeof(*ret));
	ret->kind = kind_of(s);
	ret->trust = trust_of(s);
	ret->serial = (uint32_t)s->serial;
	ret->earliest_ns = s->time_ns;
	ret->latest_ns = s->latest_ns;
	ret->type = s->type;
	ret->type_name = s->type_name;
	ret->present = s->present;
	ret->cwd = s->cwd;
	ret->title = s->title;
	ret->paths = s->paths;
	ret->path_count = s->path_count;
	fill_actor(&s->actor, ret);
	fill_call(s, calls, ret);
	if (s->extra)
		fill_extra(s, ret);
	fill_evidence(s, r, ret);
	if (is_partial(s, ret->op))
		ret->present |= EVENT_PARTIAL;
}
