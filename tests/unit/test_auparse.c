// SPDX-License-Identifier: MIT
// Our parser against libauparse, over every recording: the same events with the same fields.
//
// Both are written down as lines "STAMP RECORD FIELD=VALUE" and the sorted lists must be equal. The raw text of each field comes from
// libauparse; what it means (hex, numbers) is decoded here once more and on its own, since libauparse's interpretations are wrong for
// OPENAT2 and unsafe for SOCKADDR. libauparse 3.0.9 makes two events of LOGIN and
// the SYSCALL of the same serial (audit-userspace issues 86 and 141): whether an event is there counts once.
#include "tests/unit/parse_lines.h"
#include "tests/unit/unit.h"

#include "base/buffer.h"

#include <auparse.h>
#include <dirent.h>
#include <inttypes.h>
#include <libaudit.h>

struct list {
	char **items;
	size_t count, capacity;
};

static void list_add(struct list *l, struct buffer *line)
{
	if (l->count == l->capacity) {
		l->capacity = l->capacity * 2 + 1024;
		l->items = realloc(l->items, l->capacity * sizeof(*l->items));
		if (!l->items)
			abort();
	}
	l->items[l->count++] = strdup(buffer_string(line));
	buffer_clear(line);
}

static void list_release(struct list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->items[i]);
	free(l->items);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_escaped(struct buffer *out, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c < 0x20 || c >= 0x7f || c == '\\')
			buffer_printf(out, "\\x%02x", c);
		else
			buffer_add_byte(out, (char)c);
	}
}

// ---- ours

struct writer {
	struct list *list;
	struct buffer line;
	const struct parsed *parsed;
	char stamp[64];
	bool stamped_only; // of claims: text that was made to mislead is read differently, and neither way is right
};

static void put(struct writer *w, const char *record, const char *field, const char *format, ...) __attribute__((format(printf, 4, 5)));
static void put(struct writer *w, const char *record, const char *field, const char *format, ...)
{
	char value[128];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(value, sizeof(value), format, arguments);
	va_end(arguments);
	buffer_printf(&w->line, "%s %s %s=%s", w->stamp, record, field, value);
	list_add(w->list, &w->line);
}

// Several keys stand with 0x01 between them; libauparse tells the first.
static void put_first_key(struct writer *w, const char *record, uint32_t id)
{
	const char *keys = intern_string(w->parsed->strings, id);

	buffer_printf(&w->line, "%s %s key=", w->stamp, record);
	add_escaped(&w->line, keys, strcspn(keys, "\x01"));
	list_add(w->list, &w->line);
}

static void put_id(struct writer *w, const char *record, const char *field, uint32_t id)
{
	buffer_printf(&w->line, "%s %s %s=", w->stamp, record, field);
	add_escaped(&w->line, intern_string(w->parsed->strings, id), intern_length(w->parsed->strings, id));
	list_add(w->list, &w->line);
}

static void put_actor(struct writer *w, const char *record, const struct event *e)
{
	const struct { const char *name; uint32_t value; } ids[] = {
		{"uid", e->ids.uid}, {"gid", e->ids.gid}, {"euid", e->ids.euid}, {"suid", e->ids.suid},
		{"fsuid", e->ids.fsuid}, {"egid", e->ids.egid}, {"sgid", e->ids.sgid}, {"fsgid", e->ids.fsgid},
	};

	if (e->present & EVENT_HAS_PID)
		put(w, record, "pid", "%" PRIu32, e->pid);
	if (e->present & EVENT_HAS_PPID)
		put(w, record, "ppid", "%" PRIu32, e->ppid);
	if (e->present & EVENT_HAS_AUID)
		put(w, record, "auid", "%" PRIu32, e->auid);
	if (e->present & EVENT_HAS_SESSION)
		put(w, record, "ses", "%" PRIu32, e->session);
	for (size_t i = 0; i < (e->present & EVENT_HAS_IDS ? 8u : e->present & EVENT_HAS_UID ? 1u : 0u); i++)
		put(w, record, ids[i].name, "%" PRIu32, ids[i].value);
	if (e->present & EVENT_HAS_TTY)
		put_id(w, record, "tty", e->tty);
	if (e->present & EVENT_HAS_COMM)
		put_id(w, record, "comm", e->comm);
	if (e->present & EVENT_HAS_EXE)
		put_id(w, record, "exe", e->exe);
	if (e->present & EVENT_HAS_KEY)
		put_first_key(w, record, e->key);
}

static void put_uring(struct writer *w, const struct event *e)
{
	put(w, "URINGOP", "op", "%" PRIu32 " %s %" PRId64, e->syscall, e->success ? "yes" : "no", e->exit);
	put_actor(w, "URINGOP", e);
}

static void put_call(struct writer *w, const struct event *e)
{
	bool inner = e->arch == 0x40000003 && e->syscall == 102;

	if (e->present & EVENT_HAS_ARCH)
		put(w, "SYSCALL", "arch", "%" PRIx32, e->arch);
	put(w, "SYSCALL", "syscall", "%" PRIu32, e->syscall);
	if (e->present & EVENT_HAS_SUCCESS)
		put(w, "SYSCALL", "success", "%s", e->success ? "yes" : "no");
	if (e->present & EVENT_HAS_EXIT)
		put(w, "SYSCALL", "exit", "%" PRId64, e->exit);
	for (unsigned i = 0; i < (inner ? 3u : 4u); i++) {
		char name[8];

		(void)snprintf(name, sizeof(name), "a%u", i);
		put(w, inner ? "SOCKETCALL" : "SYSCALL", name, "%" PRIx64, e->args[i]);
	}
	put_actor(w, "SYSCALL", e);
}

static const char *nametype_name(enum path_nametype type)
{
	static const char *const names[] = {"UNKNOWN", "NORMAL", "PARENT", "CREATE", "DELETE"};

	return names[type];
}

static void put_path(struct writer *w, const struct event_path *p)
{
	char record[32];

	(void)snprintf(record, sizeof(record), "PATH%" PRIu32, p->item);
	if (p->has_name)
		put_id(w, record, "name", p->name);
	put(w, record, "nametype", "%s", nametype_name(p->nametype));
	if (!p->has_inode)
		return;
	put(w, record, "inode", "%" PRIu64, p->inode);
	put(w, record, "dev", "%02" PRIx32 ":%02" PRIx32, p->dev >> 20, p->dev & 0xfffff);
	put(w, record, "rdev", "%02" PRIx32 ":%02" PRIx32, p->rdev >> 20, p->rdev & 0xfffff);
	put(w, record, "mode", "%" PRIo32, p->mode);
	put(w, record, "ouid", "%" PRIu32, p->ouid);
	put(w, record, "ogid", "%" PRIu32, p->ogid);
}

static void put_address(struct writer *w, const struct event_address *a)
{
	if (a->kind == ADDRESS_NONE)
		return; // shorter than a family
	put(w, "SOCKADDR", "family", "%u", a->family);
	if (a->kind == ADDRESS_IPV4)
		put(w, "SOCKADDR", "v4", "%u.%u.%u.%u:%u", a->ip[0], a->ip[1], a->ip[2], a->ip[3], a->port);
	if (a->kind == ADDRESS_IPV6)
		put(w, "SOCKADDR", "v6", "%02x%02x...%02x%02x:%u", a->ip[0], a->ip[1], a->ip[14], a->ip[15], a->port);
	if (a->kind == ADDRESS_UNIX || a->kind == ADDRESS_UNIX_ABSTRACT)
		put_id(w, "SOCKADDR", a->kind == ADDRESS_UNIX ? "path" : "abstract", a->path);
}

static void put_argv(struct writer *w, const struct event *e)
{
	put(w, "EXECVE", "argc", "%" PRIu32, e->argc);
	for (size_t i = 0; i < e->argv_count; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "a%zu", i);
		put_id(w, "EXECVE", name, e->argv[i]);
	}
}

static void put_rest(struct writer *w, const struct event *e)
{
	if (e->present & EVENT_HAS_OPEN_HOW) {
		put(w, "OPENAT2", "oflag", "%" PRIo64, e->open_flags);
		put(w, "OPENAT2", "mode", "%" PRIo64, e->open_mode);
		put(w, "OPENAT2", "resolve", "%" PRIx64, e->open_resolve);
	}
	if (e->present & EVENT_HAS_FD_PAIR)
		put(w, "FD_PAIR", "fds", "%" PRId32 " %" PRId32, e->fds[0], e->fds[1]);
	if (e->present & EVENT_HAS_MODULE)
		put_id(w, "KERN_MODULE", "name", e->module);
	for (size_t i = 0; i < e->target_count; i++) {
		const struct event_target *t = &e->targets[i];

		put(w, "OBJ_PID", "target", "%" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32, t->pid, t->auid, t->uid, t->session);
		put_id(w, "OBJ_PID", "ocomm", t->comm);
	}
}

static void put_claim(struct writer *w, const struct event *e)
{
	put_actor(w, "CLAIM", e);
	if (w->stamped_only)
		return;
	if (e->claim_op)
		put_id(w, "CLAIM", "op", e->claim_op);
	if (e->claim_account)
		put_id(w, "CLAIM", "acct", e->claim_account);
	if (e->claim_hostname)
		put_id(w, "CLAIM", "hostname", e->claim_hostname);
	if (e->claim_terminal)
		put_id(w, "CLAIM", "terminal", e->claim_terminal);
	put(w, "CLAIM", "res", "%d", e->claim_success);
}

static void put_event(struct writer *w, const struct event *e)
{
	(void)snprintf(w->stamp, sizeof(w->stamp), "%" PRIu64 ".%03" PRIu64 ":%" PRIu64 "%s", e->earliest_ns / 1000000000,
		       e->earliest_ns / 1000000 % 1000, e->serial, e->kind == EVENT_DAEMON ? "D" : "");
	put(w, "EVENT", "is", "here");
	if (e->kind == EVENT_DAEMON || e->kind == EVENT_CONFIG) {
		put_id(w, "CONFIG", "op", e->claim_op);
		if (e->kind == EVENT_DAEMON)
			return;
	}
	if (e->trust == TRUST_CLAIMED) {
		put_claim(w, e);
		return;
	}
	if (e->present & EVENT_HAS_LOGIN)
		put(w, "LOGIN", "ids", "%" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 " %d", e->old_auid, e->auid, e->old_session,
		    e->session, e->claim_success);
	if ((e->present & EVENT_HAS_SYSCALL) && !(e->present & EVENT_HAS_ARCH))
		put_uring(w, e);
	else if (e->present & EVENT_HAS_SYSCALL)
		put_call(w, e);
	if (e->present & EVENT_HAS_CWD)
		put_id(w, "CWD", "cwd", e->cwd);
	if (e->present & EVENT_HAS_TITLE)
		put_id(w, "PROCTITLE", "proctitle", e->title);
	if (e->present & EVENT_HAS_ARGV)
		put_argv(w, e);
	for (size_t i = 0; i < e->path_count; i++)
		put_path(w, &e->paths[i]);
	for (size_t i = 0; i < e->address_count; i++)
		put_address(w, &e->addresses[i]);
	put_rest(w, e);
}

// ---- libauparse's

// The raw text of a field, as the kernel's string. False: (null) and the like.
static bool decode(const char *raw, struct buffer *out)
{
	size_t length = strlen(raw);

	buffer_clear(out);
	if (length >= 2 && raw[0] == '"') {
		buffer_add(out, raw + 1, length - 2);
		return true;
	}
	if (strcmp(raw, "(null)") == 0 || strcmp(raw, "(none)") == 0 || strcmp(raw, "?") == 0)
		return false;
	if (length % 2 != 0 || strspn(raw, "0123456789ABCDEF") != length) {
		buffer_add(out, raw, length);
		return true;
	}
	for (size_t i = 0; i < length; i += 2) {
		unsigned byte;

		(void)sscanf(raw + i, "%2x", &byte);
		buffer_add_byte(out, (char)byte);
	}
	return true;
}

static void put_text(struct writer *w, const char *record, const char *field, const struct buffer *value)
{
	buffer_printf(&w->line, "%s %s %s=", w->stamp, record, field);
	add_escaped(&w->line, buffer_string(value), value->length);
	list_add(w->list, &w->line);
}

static void put_decoded(struct writer *w, const char *record, const char *field, const char *raw)
{
	struct buffer value = {0};

	if (decode(raw, &value))
		put_text(w, record, field, &value);
	buffer_release(&value);
}

static const char *field_of(auparse_state_t *state, const char *name)
{
	if (auparse_first_field(state) <= 0)
		return NULL;
	do {
		if (strcmp(auparse_get_field_name(state), name) == 0)
			return auparse_get_field_str(state);
	} while (auparse_next_field(state) > 0);
	return NULL;
}

static void copy_fields(struct writer *w, auparse_state_t *state, const char *record, const char *const *names)
{
	for (; *names; names++) {
		const char *raw = field_of(state, *names);

		if (raw)
			put_decoded(w, record, *names, raw);
	}
}

static bool is_text_field(const char *name)
{
	return strcmp(name, "comm") == 0 || strcmp(name, "exe") == 0 || strcmp(name, "key") == 0;
}

static void put_actor_fields(struct writer *w, auparse_state_t *state, const char *record)
{
	static const char *const names[] = {"ppid", "pid", "auid", "uid", "gid", "euid", "suid", "fsuid", "egid", "sgid", "fsgid",
					    "ses", "tty", "comm", "exe", "key"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *raw = field_of(state, names[i]);

		if (!raw || strcmp(raw, "(none)") == 0)
			continue;
		if (is_text_field(names[i]))
			put_decoded(w, record, names[i], raw);
		else
			put(w, record, names[i], "%s", raw);
	}
}

static void put_syscall_record(struct writer *w, auparse_state_t *state)
{
	static const char *const names[] = {"arch", "syscall", "success", "exit", "a0", "a1", "a2", "a3"};
	const char *arch = field_of(state, "arch");
	bool i386 = arch && strcmp(arch, "40000003") == 0;
	const char *number = field_of(state, "syscall");
	bool inner = i386 && number && strcmp(number, "102") == 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *raw = field_of(state, names[i]);

		if (raw && !(inner && names[i][0] == 'a' && names[i][1] != 'r'))
			put(w, "SYSCALL", names[i], "%s", raw);
	}
	put_actor_fields(w, state, "SYSCALL");
}

static void put_path_record(struct writer *w, auparse_state_t *state)
{
	static const char *const names[] = {"inode", "dev", "rdev", "ouid", "ogid", "nametype"};
	const char *item = field_of(state, "item");
	char record[32];

	(void)snprintf(record, sizeof(record), "PATH%s", item ? item : "?");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *raw = field_of(state, names[i]);

		if (raw)
			put(w, record, names[i], "%s", raw);
	}
	const char *name = field_of(state, "name"), *mode;

	if (name)
		put_decoded(w, record, "name", name);
	mode = field_of(state, "mode");
	if (mode)
		put(w, record, "mode", "%lo", strtoul(mode, NULL, 8));
}

static void put_sockaddr_record(struct writer *w, auparse_state_t *state)
{
	const char *raw = field_of(state, "saddr");
	struct buffer b = {0};

	if (!raw || !decode(raw, &b) || b.length < 2)
		goto out;
	const uint8_t *p = (const uint8_t *)b.bytes;
	unsigned family = p[0] | (unsigned)p[1] << 8, port = b.length >= 4 ? (unsigned)p[2] << 8 | p[3] : 0;

	put(w, "SOCKADDR", "family", "%u", family);
	if (family == 2 && b.length >= 8)
		put(w, "SOCKADDR", "v4", "%u.%u.%u.%u:%u", p[4], p[5], p[6], p[7], port);
	if (family == 10 && b.length >= 24 && memcmp(p + 8, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0)
		put(w, "SOCKADDR", "v4", "%u.%u.%u.%u:%u", p[20], p[21], p[22], p[23], port);
	else if (family == 10 && b.length >= 24)
		put(w, "SOCKADDR", "v6", "%02x%02x...%02x%02x:%u", p[8], p[9], p[22], p[23], port);
	if (family == 1 && (b.length == 2 || p[2])) {
		b.bytes[b.length] = '\0';
		struct buffer path = {0};

		buffer_add_string(&path, b.bytes + 2);
		put_text(w, "SOCKADDR", "path", &path);
		buffer_release(&path);
	} else if (family == 1) {
		struct buffer name = {0};

		while (b.length > 3 && b.bytes[b.length - 1] == '\0')
			b.length--;
		buffer_add(&name, b.bytes + 3, b.length - 3);
		put_text(w, "SOCKADDR", name.length ? "abstract" : "path", &name);
		buffer_release(&name);
	}
out:
	buffer_release(&b);
}

// Pieces of long arguments are joined over the records of an event.
struct argument_pieces {
	struct buffer text;
	unsigned long index;
	bool open;
};

static void end_pieces(struct writer *w, struct argument_pieces *pieces)
{
	char name[32];

	if (!pieces->open)
		return;
	(void)snprintf(name, sizeof(name), "a%lu", pieces->index);
	put_text(w, "EXECVE", name, &pieces->text);
	buffer_clear(&pieces->text);
	pieces->open = false;
}

static void put_execve_record(struct writer *w, auparse_state_t *state, struct argument_pieces *pieces)
{
	if (auparse_first_field(state) <= 0)
		return;
	do {
		const char *name = auparse_get_field_name(state), *raw = auparse_get_field_str(state);
		struct buffer value = {0};

		if (strcmp(name, "argc") == 0) {
			put(w, "EXECVE", "argc", "%s", raw);
		} else if (name[0] == 'a' && strchr(name, '[')) {
			pieces->index = strtoul(name + 1, NULL, 10);
			pieces->open = true;
			(void)decode(raw, &value);
			buffer_add(&pieces->text, buffer_string(&value), value.length);
		} else if (name[0] == 'a' && !strchr(name, '_')) {
			end_pieces(w, pieces);
			put_decoded(w, "EXECVE", name, raw);
		} else if (name[0] == 'a') {
			end_pieces(w, pieces);
		}
		buffer_release(&value);
	} while (auparse_next_field(state) > 0);
}

static void put_target_record(struct writer *w, auparse_state_t *state)
{
	static const char *const names[] = {"opid", "oauid", "ouid", "oses"};
	uint32_t values[4];

	for (size_t i = 0; i < 4; i++) {
		const char *raw = field_of(state, names[i]);

		values[i] = raw ? (uint32_t)strtol(raw, NULL, 10) : 0;
	}
	put(w, "OBJ_PID", "target", "%" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32, values[0], values[1], values[2], values[3]);
	copy_fields(w, state, "OBJ_PID", (const char *const[]){"ocomm", NULL});
}

static unsigned long number_of(auparse_state_t *state, const char *name, int base)
{
	const char *raw = field_of(state, name);

	return raw ? strtoul(raw, NULL, base) : 0;
}

static void put_rare_record(struct writer *w, auparse_state_t *state, int type)
{
	if (type == AUDIT_OPENAT2) {
		put(w, "OPENAT2", "oflag", "%lo", number_of(state, "oflag", 8));
		put(w, "OPENAT2", "mode", "%lo", number_of(state, "mode", 8));
		put(w, "OPENAT2", "resolve", "%lx", number_of(state, "resolve", 16));
	} else if (type == AUDIT_FD_PAIR) {
		put(w, "FD_PAIR", "fds", "%lu %lu", number_of(state, "fd0", 10), number_of(state, "fd1", 10));
	} else if (type == AUDIT_SOCKETCALL) {
		for (unsigned i = 0; i < 3; i++) {
			char name[8];

			(void)snprintf(name, sizeof(name), "a%u", i);
			put(w, "SOCKETCALL", name, "%lx", number_of(state, name, 16));
		}
	} else if (type == AUDIT_URINGOP) {
		const char *success = field_of(state, "success");
		char yes_or_no[4];

		(void)snprintf(yes_or_no, sizeof(yes_or_no), "%s", success ? success : "");
		put(w, "URINGOP", "op", "%lu %s %ld", number_of(state, "uring_op", 10), yes_or_no, (long)number_of(state, "exit", 10));
		put_actor_fields(w, state, "URINGOP");
	} else if (type == AUDIT_LOGIN) {
		put(w, "LOGIN", "ids", "%lu %lu %lu %lu %lu", number_of(state, "old-auid", 10), number_of(state, "auid", 10),
		    number_of(state, "old-ses", 10), number_of(state, "ses", 10), number_of(state, "res", 10));
	} else if (type == AUDIT_CONFIG_CHANGE || (type >= AUDIT_FIRST_DAEMON && type <= AUDIT_LAST_DAEMON)) {
		copy_fields(w, state, "CONFIG", (const char *const[]){"op", NULL});
	}
}

static void put_claim_record(struct writer *w, auparse_state_t *state)
{
	static const char *const stamped[] = {"pid", "uid", "auid", "ses", NULL};
	const char *result;

	for (size_t i = 0; stamped[i]; i++) {
		const char *raw = field_of(state, stamped[i]);

		if (raw)
			put(w, "CLAIM", stamped[i], "%s", raw);
	}
	if (w->stamped_only)
		return;
	for (size_t i = 0; i < 4; i++) {
		static const char *const names[] = {"op", "acct", "hostname", "terminal"};
		const char *raw = field_of(state, names[i]);

		if (raw)
			put_decoded(w, "CLAIM", names[i], raw);
	}
	if (!field_of(state, "acct") && field_of(state, "id"))
		put(w, "CLAIM", "acct", "%s", field_of(state, "id"));
	result = field_of(state, "res");
	put(w, "CLAIM", "res", "%d", result && (strcmp(result, "success") == 0 || strcmp(result, "1") == 0));
}

static bool is_claim(int type)
{
	return type == AUDIT_USER || (type >= AUDIT_FIRST_USER_MSG && type <= AUDIT_LAST_USER_MSG) ||
	       (type >= AUDIT_FIRST_USER_MSG2 && type <= AUDIT_LAST_USER_MSG2);
}

static void put_record(struct writer *w, auparse_state_t *state, struct argument_pieces *pieces)
{
	int type = auparse_get_type(state);

	if (type == AUDIT_SYSCALL)
		put_syscall_record(w, state);
	else if (type == AUDIT_PATH)
		put_path_record(w, state);
	else if (type == AUDIT_CWD)
		copy_fields(w, state, "CWD", (const char *const[]){"cwd", NULL});
	else if (type == AUDIT_PROCTITLE)
		copy_fields(w, state, "PROCTITLE", (const char *const[]){"proctitle", NULL});
	else if (type == AUDIT_SOCKADDR)
		put_sockaddr_record(w, state);
	else if (type == AUDIT_EXECVE)
		put_execve_record(w, state, pieces);
	else if (type == AUDIT_OBJ_PID)
		put_target_record(w, state);
	else if (type == AUDIT_KERN_MODULE)
		copy_fields(w, state, "KERN_MODULE", (const char *const[]){"name", NULL});
	else if (is_claim(type))
		put_claim_record(w, state);
	else
		put_rare_record(w, state, type);
}

static void put_auparse_event(struct writer *w, auparse_state_t *state)
{
	const au_event_t *stamp = auparse_get_timestamp(state);
	struct argument_pieces pieces = {.open = false};
	int type = auparse_first_record(state) > 0 ? auparse_get_type(state) : 0;
	bool daemon = type >= AUDIT_FIRST_DAEMON && type <= AUDIT_LAST_DAEMON;

	(void)snprintf(w->stamp, sizeof(w->stamp), "%lld.%03u:%lu%s", (long long)stamp->sec, stamp->milli, stamp->serial, daemon ? "D" : "");
	put(w, "EVENT", "is", "here");
	do {
		put_record(w, state, &pieces);
	} while (auparse_next_record(state) > 0);
	end_pieces(w, &pieces);
	buffer_release(&pieces.text);
}

// ---- both

// "EVENT is=here" of an event in two parts.
static void join_split_events(struct list *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->count; i++) {
		if (kept > 0 && strstr(l->items[i], " EVENT is=here") && strcmp(l->items[kept - 1], l->items[i]) == 0)
			free(l->items[i]);
		else
			l->items[kept++] = l->items[i];
	}
	l->count = kept;
}

static unsigned compare_lists(const char *path, const struct list *ours, const struct list *theirs)
{
	unsigned differences = 0;
	size_t i = 0, k = 0;

	while (i < ours->count || k < theirs->count) {
		int order = i == ours->count ? 1 : k == theirs->count ? -1 : strcmp(ours->items[i], theirs->items[k]);

		if (order != 0 && differences++ < 5)
			fprintf(stderr, "%s: only %s: %s\n", path, order < 0 ? "we" : "libauparse", order < 0 ? ours->items[i] : theirs->items[k]);
		i += order <= 0;
		k += order >= 0;
	}
	return differences;
}

static void check_file(const char *path)
{
	struct list ours = {0}, theirs = {0};
	struct parsed parsed;
	size_t length;
	char *text = read_whole_file(path, &length);
	auparse_state_t *state = auparse_init(AUSOURCE_FILE, path);

	CHECK(text != NULL && state != NULL);
	if (!text || !state)
		return;
	parsed_init(&parsed, text, length, 65536);
	struct writer w = {.list = &ours, .parsed = &parsed, .stamped_only = strstr(path, "/trap-claims.log") != NULL};

	for (size_t i = 0; i < parsed.store.count; i++)
		if (parsed.store.items[i]->kind != EVENT_GAP)
			put_event(&w, parsed.store.items[i]);
	w.list = &theirs;
	while (auparse_next_event(state) > 0)
		put_auparse_event(&w, state);
	qsort(ours.items, ours.count, sizeof(*ours.items), compare_lines);
	qsort(theirs.items, theirs.count, sizeof(*theirs.items), compare_lines);
	join_split_events(&theirs);
	CHECK_EQUAL(parsed.result, 0);
	CHECK_EQUAL(parsed.c.rejected, 0);
	CHECK(ours.count > 0);
	CHECK_EQUAL(compare_lists(path, &ours, &theirs), 0);
	buffer_release(&w.line);
	list_release(&ours);
	list_release(&theirs);
	auparse_destroy(state);
	parsed_release(&parsed);
	free(text);
}

static int is_log(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 4 && strcmp(entry->d_name + length - 4, ".log") == 0;
}

int main(int argc, char **argv)
{
	struct dirent **entries;
	int count = argc > 1 ? 0 : scandir(recordings_folder(), &entries, is_log, alphasort);

	for (int i = 1; i < argc; i++)
		check_file(argv[i]);
	for (int i = 0; i < count; i++) {
		char path[8192];

		(void)snprintf(path, sizeof(path), "%s/%s", recordings_folder(), entries[i]->d_name);
		check_file(path);
		free(entries[i]);
	}
	if (count > 0)
		free(entries);
	return unit_end();
}
