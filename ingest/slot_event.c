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

// A call's name, its operation, and for socketcall(2) the arguments of the call inside.
static void fill_call(struct slot *s, struct syscall_table *calls, struct event *e)
{
	struct syscall_kind kind;

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

// One array of spans: with more than one, the first goes in front of the others in the extra's array.
static void fill_evidence(struct slot *s, struct reader *r, struct event *e)
{
	struct slot_extra *x = s->extra;

	if (evidence_vector_append(&x->evidence, s->evidence) < 0) {
		r->pool->failed = true;
		return;
	}
	memmove(&x->evidence.items[1], &x->evidence.items[0], (x->evidence.count - 1) * sizeof(*x->evidence.items));
	x->evidence.items[0] = s->evidence;
	e->evidence = x->evidence.items;
	e->evidence_count = x->evidence.count;
}

static void fill_actor(const struct actor *a, struct event *e)
{
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

static void fill_extra(const struct slot_extra *x, struct event *e)
{
	e->open_flags = x->open_flags;
	e->open_mode = x->open_mode;
	e->open_resolve = x->open_resolve;
	memcpy(e->fds, x->fds, sizeof(e->fds));
	e->mmap_flags = x->mmap_flags;
	e->module = x->module;
	e->bpf_program = x->bpf_program;
	e->old_auid = x->old_auid;
	e->old_session = x->old_session;
	e->argc = x->argc;
	e->argv = x->argv.items;
	e->argv_count = x->argv.count;
	e->addresses = x->addresses.items;
	e->address_count = x->addresses.count;
	e->targets = x->targets.items;
	e->target_count = x->targets.count;
	fill_claim(&x->claim, e);
}

static void fill_slot(struct slot *s, struct event *e)
{
	e->kind = kind_of(s);
	e->trust = trust_of(s);
	e->serial = (uint32_t)s->serial;
	e->earliest_ns = s->time_ns;
	e->latest_ns = s->latest_ns;
	e->type = s->type;
	e->type_name = s->type_name;
	e->present = s->present | s->actor.present;
	e->arch = s->arch;
	e->syscall = s->syscall;
	e->syscall_name = 0;
	e->op = OP_OTHER;
	e->success = s->success;
	e->exit = s->exit;
	memcpy(e->args, s->args, sizeof(e->args));
	e->cwd = s->cwd;
	e->title = s->title;
	e->paths = s->path_count > SLOT_PATHS ? s->extra->paths.items : s->paths;
	e->path_count = s->path_count;
	e->evidence = &s->evidence;
	e->evidence_count = s->evidence.length > 0;
}

// Sets every field but host, epoch and gap one by one: clearing 450 bytes first would take longer than reading a short record.
void slot_to_event(struct slot *s, struct reader *r, struct syscall_table *calls, struct event *ret)
{
	static const struct slot_extra nothing = {.argc = 0};

	if (s->extra)
		slot_end_argument(s, r->pool, r->strings);
	fill_slot(s, ret);
	fill_actor(&s->actor, ret);
	fill_extra(s->extra ? s->extra : &nothing, ret);
	fill_call(s, calls, ret);
	if (s->extra && s->extra->evidence.count)
		fill_evidence(s, r, ret);
	if (is_partial(s, ret->op))
		ret->present |= EVENT_PARTIAL;
}
