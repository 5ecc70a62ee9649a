// SPDX-License-Identifier: MIT
// The records that stand beside a SYSCALL now and then, and io_uring's in its place.
#include "ingest/slot.h"

#include "ingest/fields.h"
#include "ingest/record.h"
#include "ingest/sockaddr.h"
#include "ingest/syscall_kind.h"

#include <linux/audit.h>

#ifndef AUDIT_OPENAT2
#define AUDIT_OPENAT2 1337 /* linux/audit.h since 5.13 */
#endif

// What follows "a" in the name of an argument.
struct argument_key {
	uint64_t index;
	enum { ARGUMENT_WHOLE, ARGUMENT_LENGTH, ARGUMENT_PIECE } kind;
};

// "a12", "a12_len", "a12[3]"
static bool argument_key_read(const struct field *f, struct argument_key *ret)
{
	size_t digits = 1;

	while (digits < f->key_length && f->key[digits] >= '0' && f->key[digits] <= '9')
		digits++;
	if (f->key_length < 2 || f->key[0] != 'a' || !number_decimal(f->key + 1, digits - 1, &ret->index))
		return false;
	size_t rest = f->key_length - digits;

	if (rest == 0)
		ret->kind = ARGUMENT_WHOLE;
	else if (rest == 4 && memcmp(f->key + digits, "_len", 4) == 0)
		ret->kind = ARGUMENT_LENGTH;
	else if (f->key[digits] == '[' && f->key[f->key_length - 1] == ']')
		ret->kind = ARGUMENT_PIECE;
	else
		return false;
	return true;
}

static void add_argument(struct reader *r, struct slot_extra *x, const struct field *f)
{
	const char *bytes;
	size_t length;

	// An argument that says (null) without quotes cannot come from the kernel, which would write the word in quotes.
	if (!field_string(f->value, f->value_length, f->quoted, &r->scratch, &bytes, &length) && f->value_length > 0) {
		bytes = f->value;
		length = f->value_length;
	}
	if (u32_vector_append(&x->argv, intern_add(r->strings, bytes, length)) < 0)
		r->pool->failed = true;
}

// A long argument comes in pieces, over several records: a1_len=20000 a1[0]=6161.. a1[1]=6161..
static void add_piece(struct reader *r, struct slot *s, struct slot_extra *x, const struct field *f)
{
	const char *bytes;
	size_t length;

	if (!field_string(f->value, f->value_length, f->quoted, &r->scratch, &bytes, &length))
		return;
	if (x->argument.length + length > SLOT_MAX_ARGUMENT_BYTES) {
		s->seen |= SEEN_CUT;
		return;
	}
	x->argument_open = true;
	buffer_add(&x->argument, bytes, length);
}

static void argument_field(struct reader *r, struct slot *s, struct slot_extra *x, const struct field *f)
{
	struct argument_key key;

	if (!argument_key_read(f, &key))
		return;
	uint64_t next = x->argv.count; // the argument that is open, or the one to come

	if (x->argument_open && (key.index != next || key.kind != ARGUMENT_PIECE)) {
		slot_end_argument(s, r->pool, r->strings);
		next++;
	}
	if (key.index < next)
		return; // the same line twice
	if (key.index > next || next >= SLOT_MAX_ARGUMENTS)
		s->seen |= SEEN_CUT; // arguments between were lost; what is there keeps its order
	if (next >= SLOT_MAX_ARGUMENTS)
		return;
	if (key.kind == ARGUMENT_WHOLE)
		add_argument(r, x, f);
	else if (key.kind == ARGUMENT_PIECE)
		add_piece(r, s, x, f);
}

void reader_execve(struct reader *r, struct slot *s, const char *body, const char *end)
{
	struct slot_extra *x = slot_extra(s, r->pool);
	struct field f;

	if (!x)
		return;
	end = body + record_raw_length(body, (size_t)(end - body));
	while (field_next(&body, end, &f)) {
		if (field_is(&f, "argc")) {
			if (!number_decimal32(f.value, f.value_length, &x->argc))
				s->seen |= SEEN_CUT;
		} else {
			argument_field(r, s, x, &f);
		}
	}
	s->seen |= SEEN_PART | SEEN_EXECVE;
	s->present |= EVENT_HAS_ARGV;
	slot_count_bytes(s, r->pool);
}

// The order of bytes in the family: that of the log's host, by its arch=; unknown without a SYSCALL, where a small number is right.
static bool is_big_endian(const struct slot *s, const uint8_t *bytes, size_t length)
{
	if (s->present & EVENT_HAS_ARCH)
		return !(s->arch & SYSCALL_ARCH_LITTLE_ENDIAN);
	return length >= 2 && bytes[0] == 0 && bytes[1] != 0;
}

void reader_sockaddr(struct reader *r, struct slot *s, const char *body, const char *end)
{
	struct slot_extra *x = slot_extra(s, r->pool);
	uint8_t bytes[SOCKADDR_MAX_BYTES];
	struct event_address address;
	struct field f;

	if (!x)
		return;
	s->seen |= SEEN_PART;
	end = body + record_raw_length(body, (size_t)(end - body));
	if (!field_next(&body, end, &f) || !field_is(&f, "saddr") || f.quoted || f.value_length > 2 * sizeof(bytes) ||
	    !hex_decode(f.value, f.value_length, bytes) || x->addresses.count >= SLOT_MAX_ADDRESSES) {
		s->seen |= SEEN_CUT;
		return;
	}
	s->seen |= SEEN_SOCKADDR;
	sockaddr_decode(bytes, f.value_length / 2, is_big_endian(s, bytes, f.value_length / 2), r->strings, &address);
	if (address_vector_append(&x->addresses, address) < 0)
		r->pool->failed = true;
	slot_count_bytes(s, r->pool);
}

// oflag=0102 mode=0600 resolve=0x8: octal with a leading 0, octal, hex (audit_log_exit, kernel/auditsc.c).
static void openat2_field(struct reader *r, struct slot *s, struct slot_extra *x, const struct field *f)
{
	(void)r;
	if (field_is(f, "oflag") && number_octal(f->value, f->value_length, &x->open_flags))
		s->present |= EVENT_HAS_OPEN_HOW;
	else if (field_is(f, "mode"))
		(void)number_octal(f->value, f->value_length, &x->open_mode);
	else if (field_is(f, "resolve"))
		(void)number_hex(f->value, f->value_length, &x->open_resolve);
}

static void fd_pair_field(struct reader *r, struct slot *s, struct slot_extra *x, const struct field *f)
{
	int64_t fd;

	(void)r;
	if (f->key_length != 3 || memcmp(f->key, "fd", 2) != 0 || !number_signed(f->value, f->value_length, &fd) || fd != (int32_t)fd)
		return;
	if (f->key[2] == '0')
		x->fds[0] = (int32_t)fd;
	if (f->key[2] != '1')
		return;
	x->fds[1] = (int32_t)fd;
	s->present |= EVENT_HAS_FD_PAIR;
}

// opid=1 oauid=0 ouid=0 oses=1 [obj=LABEL ]ocomm="x"
static void target_field(struct reader *r, struct slot *s, struct slot_extra *x, const struct field *f)
{
	struct event_target *t = x->targets.count ? &x->targets.items[x->targets.count - 1] : NULL;
	bool present;

	if (field_is(f, "opid")) {
		struct event_target target = {.auid = EVENT_ID_UNSET, .session = EVENT_ID_UNSET};

		if (!number_decimal32(f->value, f->value_length, &target.pid) || x->targets.count >= SLOT_MAX_TARGETS)
			s->seen |= SEEN_CUT;
		else if (target_vector_append(&x->targets, target) < 0)
			r->pool->failed = true;
	} else if (!t) {
		s->seen |= SEEN_CUT;
	} else if (field_is(f, "ouid")) {
		(void)number_decimal32(f->value, f->value_length, &t->uid);
	} else if (field_is(f, "oauid")) {
		int64_t auid; // %d in the kernel: -1 is "not set"

		if (number_signed(f->value, f->value_length, &auid))
			t->auid = (uint32_t)auid;
	} else if (field_is(f, "oses")) {
		int64_t session;

		if (number_signed(f->value, f->value_length, &session))
			t->session = (uint32_t)session;
	} else if (field_is(f, "ocomm")) {
		t->comm = field_intern(r->strings, &r->scratch, f->value, f->value_length, f->quoted, &present);
	}
}

// nargs=3 a0=3 a1=.. a2=..: the arguments of the call inside; which call that is stands in the SYSCALL's own a0.
static void socketcall_field(struct reader *r, struct slot *s, struct slot_extra *x, const struct field *f)
{
	(void)r;
	s->seen |= SEEN_SOCKETCALL;
	if (f->key_length == 2 && f->key[0] == 'a' && f->key[1] >= '0' && f->key[1] <= '3')
		(void)number_hex(f->value, f->value_length, &x->inner_args[f->key[1] - '0']);
}

static void mmap_field(struct reader *r, struct slot *s, struct slot_extra *x, const struct field *f)
{
	int64_t fd;
	uint64_t flags;

	(void)r;
	if (field_is(f, "fd") && number_signed(f->value, f->value_length, &fd) && fd == (int32_t)fd) {
		x->fds[0] = (int32_t)fd;
		s->present |= EVENT_HAS_MMAP;
	} else if (field_is(f, "flags") && number_hex(f->value, f->value_length, &flags)) {
		x->mmap_flags = (uint32_t)flags;
	}
}

static void module_field(struct reader *r, struct slot *s, struct slot_extra *x, const struct field *f)
{
	bool present;

	if (!field_is(f, "name"))
		return;
	x->module = field_intern(r->strings, &r->scratch, f->value, f->value_length, f->quoted, &present);
	if (present)
		s->present |= EVENT_HAS_MODULE;
}

// prog-id=12 op=LOAD
static void bpf_field(struct reader *r, struct slot *s, struct slot_extra *x, const struct field *f)
{
	if (field_is(f, "prog-id") && number_decimal32(f->value, f->value_length, &x->bpf_program))
		s->present |= EVENT_HAS_BPF;
	else if (field_is(f, "op"))
		x->claim.op = intern_add(r->strings, f->value, f->value_length);
}

typedef void part_field(struct reader *r, struct slot *s, struct slot_extra *x, const struct field *f);

static part_field *part_field_of(unsigned type)
{
	switch (type) {
	case AUDIT_OPENAT2:
		return openat2_field;
	case AUDIT_FD_PAIR:
		return fd_pair_field;
	case AUDIT_OBJ_PID:
		return target_field;
	case AUDIT_SOCKETCALL:
		return socketcall_field;
	case AUDIT_MMAP:
		return mmap_field;
	case AUDIT_KERN_MODULE:
		return module_field;
	case AUDIT_BPF:
		return bpf_field;
	default:
		return NULL;
	}
}

void reader_part(struct reader *r, struct slot *s, unsigned type, const char *body, const char *end)
{
	part_field *read = part_field_of(type);
	struct field f;

	if (type == AUDIT_EOE)
		return; // stands in streams, not in logs; nothing waits for it
	s->seen |= type == AUDIT_BPF ? SEEN_OTHER : SEEN_PART; // bpf programs also go away without a call
	if (!read)
		return; // BPRM_FCAPS, CAPSET, IPC ...: kept as evidence
	struct slot_extra *x = slot_extra(s, r->pool);

	if (!x)
		return;
	end = body + record_raw_length(body, (size_t)(end - body));
	while (field_next(&body, end, &f))
		read(r, s, x, &f);
	slot_count_bytes(s, r->pool);
}

// uring_op=18 success=yes exit=0 items=1 ppid=1 pid=2 uid=0 ... fsgid=0 key="k" (audit_log_uring, kernel/auditsc.c)
void reader_uring(struct reader *r, struct slot *s, const char *body, const char *end)
{
	struct field f;

	end = body + record_raw_length(body, (size_t)(end - body));
	while (field_next(&body, end, &f)) {
		if (field_is(&f, "uring_op")) {
			if (number_decimal32(f.value, f.value_length, &s->syscall))
				s->present |= EVENT_HAS_SYSCALL;
		} else if (field_is(&f, "success")) {
			s->success = f.value_length == 3 && memcmp(f.value, "yes", 3) == 0;
			s->present |= EVENT_HAS_SUCCESS;
		} else if (field_is(&f, "exit")) {
			if (number_signed(f.value, f.value_length, &s->exit))
				s->present |= EVENT_HAS_EXIT;
		} else if (field_is(&f, "items")) {
			(void)number_decimal32(f.value, f.value_length, &s->items);
		} else {
			(void)reader_actor_field(r, &s->actor, &f);
		}
	}
	if (!(s->present & EVENT_HAS_SYSCALL) || !(s->actor.present & EVENT_HAS_PID))
		s->seen |= SEEN_CUT;
	s->seen |= SEEN_URING;
}
