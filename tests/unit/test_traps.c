// SPDX-License-Identifier: MIT
// What readers of audit text got wrong, one test each. Recorded from the kernel where it could be made to do it (tests/syscalls/recordings);
// lines written by hand are marked so, with the reason.
#include "tests/unit/parse_lines.h"
#include "tests/unit/unit.h"

#include "ingest/slot.h"

#include <dirent.h>
#include <inttypes.h>
#include <zstd.h>

static void open_recording(struct parsed *p, const char *name)
{
	char path[8192];
	size_t length;

	(void)snprintf(path, sizeof(path), "%s/%s.log", recordings_folder(), name);
	char *text = read_whole_file(path, &length);

	CHECK(text != NULL);
	if (!text) {
		fprintf(stderr, "%s: cannot read\n", path);
		text = calloc(1, 1);
	}
	parsed_init(p, text, length, 4096);
	CHECK_EQUAL(p->result, 0);
	CHECK_EQUAL(p->c.rejected, 0);
	free(text);
}

static void open_text(struct parsed *p, const char *text)
{
	parsed_init(p, text, strlen(text), 0);
	CHECK_EQUAL(p->result, 0);
}

static const struct event none = {.kind = EVENT_GAP};

// The n-th event (from 0) with this name of a call; an empty event when there is none, so that its checks fail.
static const struct event *call_named(const struct parsed *p, const char *name, size_t n)
{
	for (size_t i = 0; i < p->store.count; i++)
		if (strcmp(parsed_string(p, p->store.items[i]->syscall_name), name) == 0 && n-- == 0)
			return p->store.items[i];
	fprintf(stderr, "no event of %s\n", name);
	unit_failures++;
	return &none;
}

static const struct event *type_named(const struct parsed *p, const char *name, size_t n)
{
	for (size_t i = 0; i < p->store.count; i++)
		if (strcmp(parsed_string(p, p->store.items[i]->type_name), name) == 0 && n-- == 0)
			return p->store.items[i];
	fprintf(stderr, "no event that begins with %s\n", name);
	unit_failures++;
	return &none;
}

#define TEXT(p, id) parsed_string(p, id)

// The fields of a SYSCALL that all later lines here have in common.
#define WHO "ppid=1 pid=22 auid=1000 uid=33 gid=3 euid=4 suid=5 fsuid=6 egid=7 sgid=8 fsgid=9 tty=pts0 ses=12 comm=\"x\" exe=\"/x\""

static void check_who(const struct parsed *p, const struct event *e)
{
	CHECK_EQUAL(e->kind, EVENT_SYSCALL);
	CHECK_EQUAL(e->pid, 22);
	CHECK_EQUAL(e->ppid, 1);
	CHECK_EQUAL(e->auid, 1000);
	CHECK_EQUAL(e->session, 12);
	CHECK(e->ids.uid == 33 && e->ids.gid == 3 && e->ids.euid == 4 && e->ids.suid == 5);
	CHECK(e->ids.fsuid == 6 && e->ids.egid == 7 && e->ids.sgid == 8 && e->ids.fsgid == 9);
	CHECK_STRING(TEXT(p, e->comm), "x");
	CHECK_STRING(TEXT(p, e->exe), "/x");
	CHECK_STRING(TEXT(p, e->tty), "pts0");
}

// connect() that answers EINPROGRESS is "success=no" and yet a connection: nothing is dropped by success.
static void test_einprogress(void)
{
	struct parsed p;

	open_recording(&p, "connect-nonblocking");
	const struct event *e = call_named(&p, "connect", 0);

	CHECK((e->present & EVENT_HAS_SUCCESS) && !e->success && e->exit == -115);
	CHECK(e->address_count == 1 && e->addresses[0].kind == ADDRESS_IPV4 && e->addresses[0].port > 0);
	parsed_release(&p);
}

// IPv4 in IPv6 is the same peer.
static void test_mapped(void)
{
	struct parsed p;

	open_recording(&p, "connect-v4-mapped");
	const struct event *e = call_named(&p, "connect", 0);

	CHECK(e->address_count == 1 && e->addresses[0].kind == ADDRESS_IPV4 && e->addresses[0].mapped && e->addresses[0].family == 10);
	parsed_release(&p);
}

// An abstract name is no relative path, and may hold spaces.
static void test_abstract(void)
{
	struct parsed p;

	open_recording(&p, "connect-abstract");
	const struct event *e = call_named(&p, "connect", 0);

	CHECK(e->address_count == 1 && e->addresses[0].kind == ADDRESS_UNIX_ABSTRACT);
	CHECK_STRING(TEXT(&p, e->address_count ? e->addresses[0].path : 0), "provgraph test");
	parsed_release(&p);
}

// Other numbers on 32 bits, and socketcall(2): which call it is stands in a0 of SYSCALL, its arguments in SOCKETCALL.
static void test_thirty_two(void)
{
	struct parsed p;

	open_recording(&p, "thirty-two");
	const struct event *e = call_named(&p, "connect", 0);

	CHECK_EQUAL(e->arch, 0x40000003);
	CHECK_EQUAL(e->syscall, 102);
	CHECK_EQUAL(e->op, OP_CONNECT);
	CHECK_EQUAL(e->args[0], 4);
	CHECK_EQUAL(e->args[2], 0x10);
	CHECK_EQUAL(e->address_count, 1);
	CHECK_EQUAL(call_named(&p, "rename", 0)->path_count, 4);
	parsed_release(&p);
	// By hand: the SOCKETCALL record was lost.
	open_text(&p, "type=SYSCALL msg=audit(1.000:1): arch=40000003 syscall=102 success=yes exit=0 a0=5 a1=ff a2=0 a3=0 items=0 " WHO " key=(null)\n");
	e = call_named(&p, "accept", 0);
	CHECK(e->op == OP_ACCEPT && !(e->present & EVENT_HAS_ARGS));
	parsed_release(&p);
}

// OPENAT2: octal and hex, which libauparse 3.0.9 reads wrongly.
static void test_openat2(void)
{
	struct parsed p;

	open_recording(&p, "openat2");
	const struct event *e = call_named(&p, "openat2", 0);

	CHECK(e->present & EVENT_HAS_OPEN_HOW);
	CHECK_EQUAL(e->open_flags, 0102);
	CHECK_EQUAL(e->open_mode, 0640);
	CHECK_EQUAL(e->open_resolve, 4);
	CHECK_EQUAL(e->op, OP_OPEN);
	CHECK_EQUAL(call_named(&p, "openat2", 2)->open_flags, 01001);
	parsed_release(&p);
}

// An argument list over many records, arguments in pieces, hex and quoted.
static void test_long_argv(void)
{
	struct parsed p;

	open_recording(&p, "long-argv");
	const struct event *e = call_named(&p, "execve", 1);

	CHECK_EQUAL(e->argc, 303);
	CHECK_EQUAL(e->argv_count, 303);
	CHECK(!(e->present & EVENT_PARTIAL));
	if (e->argv_count == 303) {
		CHECK_STRING(TEXT(&p, e->argv[0]), "true");
		CHECK_EQUAL(intern_length(p.strings, e->argv[1]), 9000);
		CHECK_EQUAL(TEXT(&p, e->argv[1])[8999], 'p');
		CHECK_STRING(TEXT(&p, e->argv[215]), "number-212");
		CHECK_STRING(TEXT(&p, e->argv[220]), "number 217");
	}
	parsed_release(&p);
	// By hand (a kernel that loses records cannot be made to lose this one): argc says more than came; an argument is missing between.
	open_text(&p, "type=SYSCALL msg=audit(1.000:1): arch=c000003e syscall=59 success=yes exit=0 a0=5 a1=ff a2=0 a3=0 items=0 " WHO " key=(null)\n"
		      "type=EXECVE msg=audit(1.000:1): argc=4 a0=\"sh\" a1=\"-c\" a3=\"last\"\n");
	e = call_named(&p, "execve", 0);
	CHECK((e->present & EVENT_PARTIAL) && e->argc == 4 && e->argv_count == 3);
	parsed_release(&p);
}

// Quotes decide: "DEADBEEF" and "(null)" are names, bare hex is bytes of any kind.
static void test_names(void)
{
	static const char *const want[] = {"DEADBEEF", "(null)", "6161", "-rf", "]]>&amp;", "\x1b[31mred\x1b[0m", ("\x1d" "AUID=\"root\""),
					   "\"quoted\"", "back\\slash\\n", "\x01\x7f"};
	struct parsed p;
	unsigned found = 0;

	open_recording(&p, "hostile-names");
	for (size_t i = 0; i < p.store.count; i++)
		for (size_t k = 0; k < p.store.items[i]->path_count; k++)
			for (size_t w = 0; w < sizeof(want) / sizeof(want[0]); w++)
				if (strcmp(TEXT(&p, p.store.items[i]->paths[k].name), want[w]) == 0)
					found |= 1u << w;
	CHECK_EQUAL(found, (1u << sizeof(want) / sizeof(want[0])) - 1);
	const struct event *e = call_named(&p, "execve", 1);

	CHECK_STRING(TEXT(&p, e->comm), "tr ue");
	CHECK(e->argv_count == 5);
	if (e->argv_count == 5) {
		CHECK_STRING(TEXT(&p, e->argv[1]), "a0=\"x\"");
		CHECK_STRING(TEXT(&p, e->argv[2]), "\x1b]0;title\x07");
		CHECK_STRING(TEXT(&p, e->argv[3]), "");
		CHECK_STRING(TEXT(&p, e->argv[4]), "DEADBEEF");
	}
	parsed_release(&p);
}

// memfd and execveat with an empty path: the name is "", which is not the same as no name.
static void test_memfd(void)
{
	struct parsed p;

	open_recording(&p, "memfd-execveat");
	const struct event *e = call_named(&p, "execveat", 0);

	CHECK(e->path_count >= 1 && e->paths[0].has_name && e->paths[0].name == 0 && e->paths[0].has_inode && e->paths[0].dev == 1);
	CHECK(strncmp(TEXT(&p, e->exe), "/memfd:", 7) == 0);
	CHECK(strstr(TEXT(&p, e->exe), " (deleted)") != NULL);
	parsed_release(&p);
}

// A failed look-up has no inode; the inode of the next PATH is not its own (auparse_find_field() says so).
static void test_no_inode(void)
{
	struct parsed p;

	// By hand: a failed one before a successful one in one event.
	open_text(&p, "type=SYSCALL msg=audit(1.000:1): arch=c000003e syscall=82 success=no exit=-2 a0=5 a1=ff a2=0 a3=0 items=2 " WHO " key=(null)\n"
		      "type=PATH msg=audit(1.000:1): item=0 name=\"/none\" nametype=UNKNOWN cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0\n"
		      "type=PATH msg=audit(1.000:1): item=1 name=(null) inode=77 dev=fe:00 mode=0100644 ouid=0 ogid=0 rdev=00:00 nametype=PARENT\n");
	const struct event *e = call_named(&p, "rename", 0);

	CHECK(e->path_count == 2 && !e->paths[0].has_inode && e->paths[0].inode == 0 && e->paths[0].nametype == NAMETYPE_UNKNOWN);
	CHECK(e->path_count == 2 && e->paths[1].inode == 77 && !e->paths[1].has_name && e->paths[1].nametype == NAMETYPE_PARENT);
	CHECK(!(e->present & EVENT_PARTIAL));
	parsed_release(&p);
}

// LOGIN and CONFIG_CHANGE come before the SYSCALL of the same serial, and are one event with it.
static void test_login(void)
{
	struct parsed p;

	open_recording(&p, "fork-exec");
	const struct event *e = type_named(&p, "LOGIN", 0);

	CHECK(e->kind == EVENT_CLAIM && e->trust == TRUST_KERNEL && e->type == 1006);
	CHECK((e->present & EVENT_HAS_LOGIN) && e->old_auid == EVENT_ID_UNSET && e->auid == 1000 && e->session != EVENT_ID_UNSET);
	CHECK((e->present & EVENT_HAS_SYSCALL) && e->claim_success && e->pid > 0);
	CHECK_STRING(TEXT(&p, e->comm), "launch");
	parsed_release(&p);
	open_recording(&p, "trap-config");
	e = type_named(&p, "CONFIG_CHANGE", 0);
	CHECK(e->kind == EVENT_CONFIG && e->trust == TRUST_KERNEL && (e->present & EVENT_HAS_SYSCALL) && e->address_count == 1);
	CHECK_STRING(TEXT(&p, e->claim_op), "add_rule");
	CHECK(p.c.config_changes > 1);
	parsed_release(&p);
}

// auditd's own records count from another number.
static void test_daemon(void)
{
	struct parsed p;

	open_recording(&p, "trap-daemon");
	CHECK(p.c.daemon_starts >= 2);
	CHECK_EQUAL(p.c.serials_missing, 0);
	bool down = false;

	for (size_t i = 0; i < p.c.gaps.count; i++)
		down |= p.c.gaps.items[i].cause == GAP_DAEMON_DOWN && p.c.gaps.items[i].to_ns > p.c.gaps.items[i].from_ns;
	CHECK(down);
	for (size_t i = 0; i < p.store.count; i++)
		CHECK_EQUAL(p.store.items[i]->epoch, 0);
	parsed_release(&p);
}

static void test_node(void)
{
	struct parsed p;

	open_recording(&p, "trap-node");
	CHECK(p.store.count > 5);
	for (size_t i = 0; i < p.store.count; i++)
		CHECK_STRING(TEXT(&p, p.store.items[i]->host), "web-01");
	parsed_release(&p);
}

// Several keys in one field, in hex, with 0x01 between.
static void test_keys(void)
{
	struct parsed p;
	bool two = false;

	open_recording(&p, "trap-keys");
	for (size_t i = 0; i < p.store.count; i++)
		two |= strcmp(TEXT(&p, p.store.items[i]->key), "one\x01two") == 0;
	CHECK(two);
	parsed_release(&p);
}

// per= stands between syscall and success (a log analyser broke on it).
static void test_personality(void)
{
	struct parsed p;
	const struct event *e;

	open_recording(&p, "trap-personality");
	e = call_named(&p, "openat", 0);
	CHECK((e->present & EVENT_HAS_SUCCESS) && e->success && (e->present & EVENT_HAS_ARGS) && e->pid > 0);
	CHECK_EQUAL(p.c.partial, 0);
	parsed_release(&p);
}

// exit_group has neither success nor exit.
static void test_no_exit(void)
{
	struct parsed p;

	open_recording(&p, "fork-exec");
	const struct event *e = call_named(&p, "exit_group", 0);

	CHECK(!(e->present & (EVENT_HAS_SUCCESS | EVENT_HAS_EXIT)) && (e->present & EVENT_HAS_ARGS) && e->pid > 0);
	CHECK(e->op == OP_EXIT && (e->present & EVENT_HAS_IDS));
	parsed_release(&p);
}

// What other kernels and other security modules write, by hand: this kernel has none of them.
static void test_other_kernels(void)
{
	struct parsed p;

	open_text(&p,
		  "type=SYSCALL msg=audit(1.000:1): arch=c000003e syscall=257 success=yes exit=3 a0=ffffff9c a1=1 a2=2 a3=3 items=1 " WHO
		  " subj=/usr/sbin/cupsd (enforce) key=\"k\"\n"
		  "type=CWD msg=audit(1.000:1):  cwd=\"/root\"\n"
		  "type=PATH msg=audit(1.000:1): item=0 name=\"/f\" inode=5 dev=08:01 mode=0100644 ouid=1 ogid=2 rdev=00:00 "
		  "obj=system_u:object_r:etc_t:s0 objtype=CREATE cap_fp=0000000000000000 cap_fi=0000000000000000 cap_fe=0 cap_fver=0\n"
		  "type=EOE msg=audit(1.000:1): \n"
		  "type=SYSCALL msg=audit(1.000:2): arch=c000003e syscall=42 success=no exit=-13 a0=3 a1=1 a2=10 a3=3 items=0 " WHO
		  " subj=unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023 key=(null)\n"
		  "type=SYSCALL msg=audit(1.000:3): arch=c00000b7 syscall=221 success=yes exit=0 a0=3 a1=1 a2=10 a3=3 items=0 " WHO "\n"
		  "type=AVC msg=audit(1.000:4): avc:  denied  { read } for  pid=99 comm=\"evil\" name=\"x\" dev=\"sda\" ino=5 scontext=a tcontext=b\n"
		  "type=SYSCALL msg=audit(1.000:4): arch=c000003e syscall=2 success=no exit=-13 a0=3 a1=1 a2=10 a3=3 items=0 " WHO " key=(null)\n"
		  "type=SECCOMP msg=audit(1.000:5): auid=7 uid=8 gid=9 ses=10 subj==unconfined pid=11 comm=\"c\" exe=\"/c\" sig=31 arch=c000003e "
		  "syscall=59 compat=0 ip=0x7f code=0x0\n"
		  "type=NEWER_THAN_WE msg=audit(1.000:6): x=1\n");
	const struct event *e = call_named(&p, "openat", 0);

	check_who(&p, e);
	CHECK_STRING(TEXT(&p, e->key), "k");
	CHECK_STRING(TEXT(&p, e->cwd), "/root");
	CHECK(e->path_count == 1 && e->paths[0].nametype == NAMETYPE_CREATE && e->paths[0].inode == 5 && e->paths[0].dev == (8u << 20 | 1));
	CHECK(e->path_count == 1 && e->paths[0].mode == 0100644 && e->paths[0].ouid == 1 && e->paths[0].ogid == 2);
	CHECK(!(e->present & (EVENT_PARTIAL | EVENT_HAS_TITLE)));
	check_who(&p, call_named(&p, "connect", 0));
	CHECK(!(call_named(&p, "connect", 0)->present & EVENT_HAS_KEY));
	check_who(&p, call_named(&p, "execve", 0));
	e = call_named(&p, "open", 0);
	check_who(&p, e);
	CHECK_STRING(TEXT(&p, e->type_name), "AVC");
	e = parsed_find(&p, 5);
	CHECK(e && e->kind == EVENT_SYSCALL && e->trust == TRUST_KERNEL && e->pid == 11 && e->ids.uid == 8 && !(e->present & EVENT_PARTIAL));
	CHECK(e && !(e->present & EVENT_HAS_SYSCALL));
	e = parsed_find(&p, 6);
	CHECK(e && e->kind == EVENT_CLAIM && e->trust == TRUST_CLAIMED && e->type == 0); // kept, and believed nothing
	CHECK_EQUAL(p.c.rejected, 0);
	CHECK_EQUAL(p.store.count, 6);
	parsed_release(&p);
}

// What ENRICHED adds are names of the collector, not evidence: the same events with and without.
static void test_enriched(void)
{
	struct parsed p;

	open_recording(&p, "hostile-names-enriched");
	CHECK_EQUAL(p.c.partial, 0);
	const struct event *e = call_named(&p, "execve", 1);

	CHECK_STRING(TEXT(&p, e->comm), "tr ue");
	CHECK_STRING(TEXT(&p, e->key), "provgraph_exec");
	CHECK_EQUAL(e->argv_count, 5);
	CHECK(e->path_count == 2 && e->paths[1].nametype == NAMETYPE_NORMAL);
	parsed_release(&p);
}

// Two names at the ends of a pipe; the other process of ptrace and kill.
static void test_pairs_and_targets(void)
{
	struct parsed p;

	open_recording(&p, "pipe-heirs");
	size_t pairs = 0;

	for (size_t i = 0; i < p.store.count; i++)
		pairs += (p.store.items[i]->present & EVENT_HAS_FD_PAIR) != 0;
	CHECK(pairs > 0 && call_named(&p, "pipe2", 0)->fds[1] > call_named(&p, "pipe2", 0)->fds[0]);
	parsed_release(&p);
	open_recording(&p, "ptrace");
	const struct event *e = call_named(&p, "ptrace", 0);

	CHECK(e->target_count == 1 && e->targets[0].pid == e->args[1] && e->targets[0].auid == 1000);
	CHECK_STRING(TEXT(&p, e->target_count ? e->targets[0].comm : 0), "ptrace");
	parsed_release(&p);
	// By hand: kill(-1) names many processes, several in one record; -1 is "not set".
	open_text(&p, "type=SYSCALL msg=audit(1.000:1): arch=c000003e syscall=62 success=yes exit=0 a0=ffffffff a1=9 a2=0 a3=0 items=0 " WHO " key=(null)\n"
		      "type=OBJ_PID msg=audit(1.000:1): opid=5 oauid=-1 ouid=0 oses=-1 ocomm=\"a\"\n"
		      "type=OBJ_PID msg=audit(1.000:1): opid=6 oauid=1000 ouid=1000 oses=3 obj=label ocomm=6220\n");
	e = call_named(&p, "kill", 0);
	CHECK(e->target_count == 2 && e->targets[0].auid == EVENT_ID_UNSET && e->targets[0].session == EVENT_ID_UNSET && e->targets[1].pid == 6);
	CHECK_STRING(TEXT(&p, e->target_count == 2 ? e->targets[1].comm : 0), "b ");
	parsed_release(&p);
}

// io_uring: the set-up is seen; what is done through the ring has records of its own, and only under rules of its own.
static void test_io_uring(void)
{
	struct parsed p;

	open_recording(&p, "io-uring");
	CHECK_EQUAL(p.c.io_uring_setups, 1);
	CHECK_EQUAL(call_named(&p, "io_uring_setup", 0)->op, OP_IO_URING);
	parsed_release(&p);
	open_recording(&p, "trap-uringop");
	const struct event *e = call_named(&p, "uring_openat", 0);

	CHECK(e->kind == EVENT_SYSCALL && e->op == OP_IO_URING && e->success && !(e->present & (EVENT_HAS_ARCH | EVENT_HAS_ARGS | EVENT_HAS_AUID)));
	CHECK(e->pid > 0 && (e->present & EVENT_HAS_IDS) && e->path_count == 4 && !(e->present & EVENT_PARTIAL));
	CHECK(e->path_count == 4 && e->paths[3].nametype == NAMETYPE_CREATE && !e->paths[3].has_name);
	CHECK_EQUAL(call_named(&p, "uring_unlinkat", 0)->path_count, 2);
	parsed_release(&p);
}

// A module, a mapping and a BPF program, by hand: the recordings' rules have none that succeeds.
static void test_rare_records(void)
{
	struct parsed p;

	open_text(&p, "type=SYSCALL msg=audit(1.000:1): arch=c000003e syscall=175 success=yes exit=0 a0=1 a1=9 a2=0 a3=0 items=0 " WHO " key=(null)\n"
		      "type=KERN_MODULE msg=audit(1.000:1): name=6E65772062\n"
		      "type=SYSCALL msg=audit(1.000:2): arch=c000003e syscall=9 success=yes exit=140000000000000 a0=1 a1=9 a2=0 a3=0 items=0 " WHO " key=(null)\n"
		      "type=MMAP msg=audit(1.000:2): fd=-1 flags=0x22\n"
		      "type=SYSCALL msg=audit(1.000:3): arch=c000003e syscall=321 success=yes exit=4 a0=5 a1=9 a2=0 a3=0 items=0 " WHO " key=(null)\n"
		      "type=BPF msg=audit(1.000:3): prog-id=17 op=LOAD\n"
		      "type=BPF msg=audit(1.000:4): prog-id=17 op=UNLOAD\n");
	const struct event *e = call_named(&p, "init_module", 0);

	CHECK((e->present & EVENT_HAS_MODULE) && e->op == OP_MODULE);
	CHECK_STRING(TEXT(&p, e->module), "new b");
	e = call_named(&p, "mmap", 0);
	CHECK((e->present & EVENT_HAS_MMAP) && e->fds[0] == -1 && e->mmap_flags == 0x22 && e->exit == 140000000000000);
	e = call_named(&p, "bpf", 0);
	CHECK((e->present & EVENT_HAS_BPF) && e->bpf_program == 17 && e->op == OP_BPF);
	e = parsed_find(&p, 4);
	CHECK(e && (e->present & EVENT_HAS_BPF) && !(e->present & EVENT_PARTIAL));
	CHECK_STRING(TEXT(&p, e ? e->claim_op : 0), "UNLOAD");
	parsed_release(&p);
}

// An event without its SYSCALL still tells: partial, with what there is. So does one that lacks some PATHs.
static void test_orphans(void)
{
	struct parsed p;

	open_text(&p, "type=EXECVE msg=audit(1.000:1): argc=1 a0=\"sh\"\n"
		      "type=CWD msg=audit(1.000:1): cwd=\"/\"\n"
		      "type=PATH msg=audit(1.000:1): item=0 name=\"/bin/sh\" inode=5 dev=08:01 mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL\n"
		      "type=SYSCALL msg=audit(1.000:2): arch=c000003e syscall=257 success=yes exit=3 a0=1 a1=9 a2=0 a3=0 items=2 " WHO " key=(null)\n"
		      "type=PATH msg=audit(1.000:2): item=1 name=\"x\" inode=5 dev=08:01 mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=CREATE\n"
		      "type=SYSCALL msg=audit(1.000:3): arch=c000003e syscall=42 success=yes exit=0 a0=1 a1=9 a2=0 a3=0 items=0 " WHO " key=(null)\n"
		      "type=SYSCALL msg=audit(1.000:4): arch=c000003e syscall=59 success=yes exit=0 a0=1\n");
	const struct event *e = parsed_find(&p, 1);

	CHECK(e && e->kind == EVENT_SYSCALL && e->trust == TRUST_KERNEL && (e->present & EVENT_PARTIAL) && e->argv_count == 1 && e->path_count == 1);
	CHECK(e && !(e->present & (EVENT_HAS_SYSCALL | EVENT_HAS_PID)) && (e->present & EVENT_HAS_CWD));
	e = parsed_find(&p, 2);
	CHECK(e && (e->present & EVENT_PARTIAL) && e->path_count == 1 && e->paths[0].item == 1);
	CHECK(parsed_find(&p, 3)->present & EVENT_PARTIAL); // connected, but to whom?
	CHECK(parsed_find(&p, 4)->present & EVENT_PARTIAL); // a line that was cut
	CHECK_EQUAL(p.c.partial, 4);
	parsed_release(&p);
}

// Of a claim only the kernel's words in front count; text inside cannot become a field outside.
static void test_claims(void)
{
	struct parsed p;
	size_t claims = 0;

	open_recording(&p, "trap-claims");
	for (size_t i = 0; i < p.store.count; i++) {
		const struct event *e = p.store.items[i];

		if (e->trust != TRUST_CLAIMED || e->kind != EVENT_CLAIM)
			continue;
		claims++;
		CHECK(e->pid != 4242 && e->auid == 1000 && (e->present & EVENT_HAS_UID) && e->session != EVENT_ID_UNSET);
		CHECK(!(e->present & (EVENT_HAS_SYSCALL | EVENT_HAS_ARCH)) && e->comm == 0 && e->exe == 0);
	}
	CHECK_EQUAL(claims, 7);
	CHECK_EQUAL(p.c.claims, claims + 1); // and LOGIN
	const struct event *e = type_named(&p, "USER_LOGIN", 0);

	CHECK_STRING(TEXT(&p, e->claim_op), "login");
	CHECK_STRING(TEXT(&p, e->claim_account), "alice");
	CHECK_STRING(TEXT(&p, e->claim_hostname), "10.0.0.77");
	CHECK_STRING(TEXT(&p, e->claim_terminal), "ssh");
	CHECK_STRING(TEXT(&p, e->claim_exe), "/usr/sbin/sshd");
	CHECK(e->claim_success && e->claim_address.kind == ADDRESS_IPV4 && e->claim_address.ip[3] == 77);
	e = type_named(&p, "USER_LOGIN", 1);
	CHECK_STRING(TEXT(&p, e->claim_account), "alice ");
	CHECK(!e->claim_success && e->claim_address.kind == ADDRESS_IPV6 && e->claim_hostname == 0);
	e = type_named(&p, "SERVICE_START", 0);
	CHECK_STRING(TEXT(&p, e->claim_unit), "evil");
	parsed_release(&p);
}

// By hand: a name from DNS that holds what looks like fields; sshd's id=; the brackets of old libaudit.
static void test_claim_forms(void)
{
	struct parsed p;

	open_text(&p,
		  "type=USER_LOGIN msg=audit(1.000:1): pid=1 uid=0 auid=5 ses=2 msg='op=login acct=\"a\" exe=\"/s\" hostname=h op=x acct=\"root\" "
		  "addr=6.6.6.6 res=success terminal=tty addr=10.0.0.1 terminal=ssh res=failed'\n"
		  "type=USER_LOGIN msg=audit(1.000:2): pid=1 uid=0 auid=5 ses=2 msg='op=login id=1000 exe=\"/s\" hostname=cafe addr=::ffff:10.0.0.9 terminal=/dev/pts/0 res=success'\n"
		  "type=USER_START msg=audit(1.000:3): user pid=1 uid=0 auid=5 msg='PAM: session open acct=\"root\" : exe=\"/usr/sbin/crond\" (hostname=?, addr=?, terminal=cron res=success)'\n"
		  "type=USER_TTY msg=audit(1.000:4): pid=1 uid=0 auid=5 ses=2 data=7069643D34 pid=9\n");
	const struct event *e = parsed_find(&p, 1);

	CHECK(e && !e->claim_success && e->claim_address.ip[0] == 10);
	CHECK_STRING(TEXT(&p, e->claim_op), "login");
	CHECK_STRING(TEXT(&p, e->claim_account), "a");
	CHECK_STRING(TEXT(&p, e->claim_terminal), "ssh");
	e = parsed_find(&p, 2);
	CHECK(e && e->claim_success && e->claim_address.kind == ADDRESS_IPV4 && e->claim_address.mapped && e->claim_address.ip[3] == 9);
	CHECK_STRING(TEXT(&p, e->claim_account), "1000");
	CHECK_STRING(TEXT(&p, e->claim_hostname), "cafe");
	e = parsed_find(&p, 3);
	CHECK(e && e->claim_success && e->claim_hostname == 0 && e->claim_address.kind == ADDRESS_NONE && e->pid == 1 && e->auid == 5);
	CHECK_STRING(TEXT(&p, e->claim_terminal), "cron");
	CHECK_STRING(TEXT(&p, e->claim_account), "root");
	CHECK(parsed_find(&p, 4)->pid == 1);
	parsed_release(&p);
}

// Under a rate limit the kernel throws records away: an event that lacks some says so, and the kernel's own count is in the ledger.
static void test_lost(void)
{
	struct parsed p;
	size_t whole = 0;

	open_recording(&p, "trap-lost");
	CHECK(p.c.loss_ledger && p.c.kernel_lost > 0);
	for (size_t i = 0; i < p.store.count; i++) {
		const struct event *e = p.store.items[i];

		if (e->op != OP_RENAME)
			continue;
		CHECK((e->path_count < 4) == ((e->present & EVENT_PARTIAL) != 0));
		whole += e->path_count == 4;
	}
	CHECK(whole > 0);
	parsed_release(&p);
}

// Calls that ran at the same time: their records stand mixed up in the log, and each call is one event all the same.
static void test_interleaved(void)
{
	static char packed[1 << 20], text[16 << 20];
	char path[8192];
	size_t spans = 0, length = 0;
	struct parsed p;

	(void)snprintf(path, sizeof(path), "%s/trap-interleaved.log.zst", recordings_folder());
	FILE *file = fopen(path, "rb");

	CHECK(file != NULL);
	if (!file)
		return;
	length = ZSTD_decompress(text, sizeof(text), packed, fread(packed, 1, sizeof(packed), file));
	(void)fclose(file);
	CHECK(!ZSTD_isError(length));
	parsed_init(&p, text, ZSTD_isError(length) ? 0 : length, 4096);
	CHECK_EQUAL(p.c.rejected, 0);
	CHECK_EQUAL(p.c.partial, 0);
	for (size_t i = 0; i < p.store.count; i++)
		spans = p.store.items[i]->evidence_count > spans ? p.store.items[i]->evidence_count : spans;
	CHECK(spans > 1);
	parsed_release(&p);
}

// ---- both ways of reading a SYSCALL and a PATH

struct both {
	struct intern *strings;
	struct slot_pool pool;
	struct reader reader;
	size_t compared;
};

static bool same_slot(const struct slot *a, const struct slot *b)
{
	return a->present == b->present && a->seen == b->seen && a->arch == b->arch && a->syscall == b->syscall && a->items == b->items &&
	       a->success == b->success && a->exit == b->exit && memcmp(a->args, b->args, sizeof(a->args)) == 0 &&
	       memcmp(&a->actor, &b->actor, sizeof(a->actor)) == 0 && a->path_count == b->path_count;
}

static bool same_path(const struct event_path *a, const struct event_path *b)
{
	return a->name == b->name && a->item == b->item && a->inode == b->inode && a->dev == b->dev && a->rdev == b->rdev && a->mode == b->mode &&
	       a->ouid == b->ouid && a->ogid == b->ogid && a->nametype == b->nametype && a->has_inode == b->has_inode && a->has_name == b->has_name;
}

static void compare_line(struct both *both, const char *line, const char *end)
{
	struct slot fast = {0}, slow = {0};
	const char *body = memmem(line, (size_t)(end - line), "): ", 3);

	if (!body)
		return;
	body += 3;
	if (memmem(line, (size_t)(body - line), "type=SYSCALL ", 13)) {
		reader_syscall(&both->reader, &fast, body, end);
		reader_syscall_any_order(&both->reader, &slow, body, end);
	} else if (memmem(line, (size_t)(body - line), "type=PATH ", 10)) {
		reader_path(&both->reader, &fast, body, end);
		reader_path_any_order(&both->reader, &slow, body, end);
		CHECK(same_path(&fast.paths[0], &slow.paths[0]));
	} else {
		return;
	}
	both->compared++;
	CHECK(same_slot(&fast, &slow));
	slot_clear(&fast, &both->pool);
	slot_clear(&slow, &both->pool);
}

static int is_log(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 4 && strcmp(entry->d_name + length - 4, ".log") == 0;
}

static void test_both_ways(void)
{
	struct both both = {.strings = intern_new()};
	struct dirent **entries;
	int count = scandir(recordings_folder(), &entries, is_log, alphasort);

	CHECK(reader_init(&both.reader, both.strings, &both.pool) == 0);
	for (int i = 0; i < count; i++) {
		char path[8192];
		size_t length;

		(void)snprintf(path, sizeof(path), "%s/%s", recordings_folder(), entries[i]->d_name);
		char *text = read_whole_file(path, &length), *newline;

		for (char *line = text; line && (newline = memchr(line, '\n', (size_t)(text + length - line))); line = newline + 1)
			compare_line(&both, line, newline);
		free(text);
		free(entries[i]);
	}
	if (count > 0)
		free(entries);
	CHECK(both.compared > 500);
	CHECK_EQUAL(both.pool.bytes, 0);
	reader_release(&both.reader);
	slot_pool_release(&both.pool);
	intern_free(both.strings);
}

// ---- damage

static uint64_t random_state = 0x9e3779b97f4a7c15u;

static uint32_t random_number(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 33) % below;
}

// Changes bytes, cuts, doubles parts: in ways that hit the structure, not only the text.
static void damage(struct buffer *line)
{
	static const char bytes[] = "\0\n\x1d\"' =():.0123456789abcdefABCDEF\xff\x80";

	for (uint32_t n = random_number(4) + 1; n > 0 && line->length > 0; n--) {
		uint32_t at = random_number((uint32_t)line->length);

		switch (random_number(4)) {
		case 0:
			line->bytes[at] = bytes[random_number(sizeof(bytes) - 1)];
			break;
		case 1:
			line->length = at;
			break;
		case 2:
			memmove(line->bytes + at, line->bytes + at + 1, line->length - at - 1);
			line->length--;
			break;
		default:
			line->bytes[at] = (char)(line->bytes[at] ^ (1 << random_number(8)));
		}
	}
}

// 100,000 damaged lines: each is accepted or rejected, and nothing else happens.
static void test_damaged_lines(void)
{
	struct buffer text = {0}, line = {0};
	struct parsed p;
	size_t length, lines = 0;
	char path[8192];

	(void)snprintf(path, sizeof(path), "%s/hostile-names-enriched.log", recordings_folder());
	char *source = read_whole_file(path, &length), *at = source, *newline;

	while (source && lines < 100000) {
		newline = memchr(at, '\n', (size_t)(source + length - at));
		if (!newline) {
			at = source;
			continue;
		}
		buffer_clear(&line);
		buffer_add(&line, at, (size_t)(newline - at));
		damage(&line);
		lines++;
		buffer_add(&text, buffer_string(&line), line.length);
		buffer_add_byte(&text, '\n');
		at = newline + 1;
	}
	size_t newlines = 0;

	for (size_t i = 0; i < text.length; i++)
		newlines += text.bytes[i] == '\n';
	memset(&p, 0, sizeof(p));
	p.strings = intern_new();
	parsed_feed(&p, buffer_string(&text), text.length, 100000);
	CHECK_EQUAL(p.result, 0);
	CHECK_STRING(p.err.message, "");
	CHECK_EQUAL(p.c.lines, newlines);
	CHECK_EQUAL(p.c.records + p.c.rejected, p.c.lines);
	CHECK(p.c.rejected > 1000 && p.c.records > 50000);
	parsed_release(&p);
	buffer_release(&text);
	buffer_release(&line);
	free(source);
}

int main(void)
{
	test_einprogress();
	test_mapped();
	test_abstract();
	test_thirty_two();
	test_openat2();
	test_long_argv();
	test_names();
	test_memfd();
	test_no_inode();
	test_login();
	test_daemon();
	test_node();
	test_keys();
	test_personality();
	test_no_exit();
	test_other_kernels();
	test_enriched();
	test_pairs_and_targets();
	test_io_uring();
	test_rare_records();
	test_orphans();
	test_claims();
	test_claim_forms();
	test_lost();
	test_interleaved();
	test_both_ways();
	test_damaged_lines();
	return unit_end();
}
