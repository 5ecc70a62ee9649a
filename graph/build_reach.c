// SPDX-License-Identifier: MIT
// One process reaches into another, or into the kernel.
#include "graph/build.h"

#include <stdlib.h>
#include <string.h>

// ptrace requests that change the other process or open the way to it (linux/ptrace.h, asm/ptrace-abi.h).
enum { REQUEST_POKETEXT = 4, REQUEST_POKEDATA = 5, REQUEST_POKEUSR = 6, REQUEST_SETREGS = 13, REQUEST_SETFPREGS = 15, REQUEST_ATTACH = 16,
       REQUEST_SETREGSET = 0x4205, REQUEST_SEIZE = 0x4206 };
#define BPF_PROG_LOAD_COMMAND 5          /* linux/bpf.h */
#define NAMESPACE_FLAGS 0x7e020080u      /* CLONE_NEW*, linux/sched.h */

static void reach(struct graph_builder *b, uint32_t process, uint32_t victim_pid, bool reads, bool stays, enum flow_class class_)
{
	uint32_t victim = process_named(b, victim_pid, b->event->earliest_ns, NULL);
	if (victim == GRAPH_NONE || victim == process)
		return;
	uint32_t own = process_node(b, process), other = process_node(b, victim);
	uint32_t from = reads ? other : own, to = reads ? own : other;
	if (stays)
		flow_from_now(b, from, to, FLOW_INJECT, class_);
	else
		flow_now(b, from, to, FLOW_INJECT, class_);
}

static bool is_change(uint64_t request)
{
	switch (request) {
	case REQUEST_POKETEXT:
	case REQUEST_POKEDATA:
	case REQUEST_POKEUSR:
	case REQUEST_SETREGS:
	case REQUEST_SETFPREGS:
	case REQUEST_ATTACH:
	case REQUEST_SETREGSET:
	case REQUEST_SEIZE: return true;
	}
	return false;
}

void link_reach(struct graph_builder *b, uint32_t process)
{
	const struct event *e = b->event;
	bool is_ptrace = e->op == OP_PTRACE, has_args = event_has(e, EVENT_HAS_ARGS);
	if (is_ptrace && (!has_args || !is_change(e->args[0])))
		return;
	bool stays = is_ptrace && (e->args[0] == REQUEST_ATTACH || e->args[0] == REQUEST_SEIZE); // until it detaches, which is not on record
	for (size_t i = 0; i < e->target_count; i++)
		reach(b, process, e->targets[i].pid, e->op == OP_VM_READ, stays, CLASS_OBSERVED);
	if (e->target_count == 0 && has_args) // process_vm_*: only a0 tells whom
		reach(b, process, (uint32_t)e->args[is_ptrace ? 1 : 0], e->op == OP_VM_READ, stays, CLASS_OBSERVED);
}

// An open of /proc/N/mem is a way into N's memory. True: it was one.
bool reach_by_name(struct graph_builder *b, uint32_t process, uint32_t name, bool writes)
{
	const char *path = intern_string(b->g->strings, name);
	if (strncmp(path, "/proc/", 6) != 0)
		return false;
	char *end;
	unsigned long pid = strtoul(path + 6, &end, 10);
	if (end == path + 6 || strcmp(end, "/mem") != 0 || pid == 0 || pid > UINT32_MAX)
		return false;
	reach(b, process, (uint32_t)pid, !writes, true, CLASS_INFERRED);
	return true;
}

void link_signal(struct graph_builder *b, uint32_t process)
{
	const struct event *e = b->event;
	bool is_kill = e->syscall_name == b->call_kill && event_has(e, EVENT_HAS_ARGS);
	if (is_kill && e->args[1] == 0)
		return; // asks whether the process is there
	for (size_t i = 0; i < e->target_count; i++)
		flow_now(b, process_node(b, process), process_node(b, process_named(b, e->targets[i].pid, e->earliest_ns, NULL)), FLOW_SIGNAL, CLASS_OBSERVED);
	if (e->target_count == 0 && is_kill && (int32_t)e->args[0] > 0)
		flow_now(b, process_node(b, process), process_node(b, process_named(b, (uint32_t)e->args[0], e->earliest_ns, NULL)), FLOW_SIGNAL, CLASS_INFERRED);
}

static uint32_t kernel_of(struct graph_builder *b)
{
	struct realm *realm = &b->realms.items[b->realm];
	if (realm->kernel != GRAPH_NONE)
		return realm->kernel;
	struct kernel_entity k = {.host = realm->host, .module_loaded_ns = NANOTIME_NONE};
	k.node = node_add(b, NODE_KERNEL, (uint32_t)b->g->kernels.count, 0, 0);
	if (kernel_vector_append(&b->g->kernels, k) < 0) {
		b->failed = true;
		return GRAPH_NONE;
	}
	realm->kernel = (uint32_t)(b->g->kernels.count - 1);
	return realm->kernel;
}

// bpf() does a dozen things, most of them reading; unshare() can be about no namespace at all.
static bool changes_kernel(const struct graph_builder *b, const struct event *e)
{
	if (!event_has(e, EVENT_HAS_ARGS))
		return true;
	if (e->op == OP_BPF)
		return e->args[0] == BPF_PROG_LOAD_COMMAND;
	return e->syscall_name != b->call_unshare || (e->args[0] & NAMESPACE_FLAGS);
}

void link_kernel(struct graph_builder *b, uint32_t process)
{
	const struct event *e = b->event;
	bool failed = event_has(e, EVENT_HAS_SUCCESS) && !e->success;
	if (!changes_kernel(b, e) || (failed && e->op != OP_MODULE && e->op != OP_BPF))
		return;
	uint32_t kernel = kernel_of(b);
	if (kernel == GRAPH_NONE)
		return;
	struct kernel_entity *k = &b->g->kernels.items[kernel];
	if (e->op == OP_MODULE && !failed && e->syscall_name != b->call_delete_module && e->earliest_ns < k->module_loaded_ns)
		k->module_loaded_ns = e->earliest_ns;
	struct flow f = {.from = process_node(b, process), .to = k->node, .op = FLOW_KERNEL, .class = CLASS_OBSERVED, .failed = failed,
			 .start_ns = e->earliest_ns, .end_ns = e->latest_ns, .serial = e->serial};
	evidence_keep(b, &f.evidence, &f.evidence_count);
	flow_add(b, &f);
}
