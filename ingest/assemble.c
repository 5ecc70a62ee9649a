// SPDX-License-Identifier: MIT
// Lines -> records -> slots -> events.
//
// Three of four lines repeat the stamp of the line before, so they skip the header's reading and the search for their slot: the text
// between the type and the body is compared with that of the line before.
#include "ingest/assemble.h"

#include "ingest/host_table.h"
#include "ingest/ledger.h"
#include "ingest/log_file.h"
#include "ingest/record.h"
#include "ingest/record_type.h"
#include "ingest/slot.h"
#include "ingest/syscall_kind.h"

#include <libaudit.h>
#include <stdlib.h>
#include <string.h>

#define EXTRA_BYTES (28u << 20) /* what slots may hold beside themselves; more, and all events are delivered early */
#define STAMP_BYTES 96u
#define NODE_BYTES 255u         /* a DNS name */
#define COMMON_TYPES 6u
#define LINE_TOO_LONG "line is longer than any record (64 KiB)"

struct assembler {
	struct intern *strings;
	uint32_t host;
	event_callback *callback;
	void *context;
	struct slot_pool pool;
	struct reader reader;
	struct syscall_table *calls;
	struct record_type_table *types;
	struct record_type common[COMMON_TYPES];
	struct ledger ledger;
	struct completeness unused;          // when the caller wants no counts
	struct host_hooks hooks;
	struct event event;                  // that is being delivered; its gap is never set
	struct host_table hosts;
	struct host_state *last_host;        // of the line before
	char last_node[NODE_BYTES];
	size_t last_node_length;
	bool last_had_node;
	struct slot *slot;                   // of the line before; NULL: look for it
	char stamp[STAMP_BYTES];             // " msg=audit(1763600400.123:4567):" of the line before
	size_t stamp_length;
	bool skipping;                       // inside a line that is too long
	struct log_file *const *logs;        // NULL: nothing special about any of them
	size_t log_count;
	uint32_t log;                        // line numbers are known from the start of a log
	uint64_t line, next_offset;
	char *tail;                          // the last line, when it lacks its newline
};

// One line of the input.
struct line {
	const char *bytes;
	size_t length;                       // without the newline, which is readable
	uint64_t offset;
	uint32_t whole_length;               // with it
};

static bool is_recovered(const struct assembler *a, const struct event *e)
{
	for (size_t i = 0; i < e->evidence_count; i++) {
		if (e->evidence[i].log < a->log_count && a->logs[e->evidence[i].log]->recovered)
			return true;
	}
	return false;
}

static int on_slot(void *context, struct host_state *h, struct slot *s, struct error *err)
{
	struct assembler *a = context;
	struct event *e = &a->event;

	if (s == a->slot)
		a->slot = NULL;
	slot_to_event(s, &a->reader, a->calls, e);
	e->host = h->host;
	e->epoch = h->epoch;
	e->recovered = a->logs && is_recovered(a, e);
	if (ledger_event(&a->ledger, e, err) < 0)
		return -1;
	return a->callback(a->context, e, err);
}

static int on_gap(void *context, struct host_state *h, const struct completeness_gap *gap, struct error *err)
{
	struct assembler *a = context;
	struct event e = {.kind = EVENT_GAP, .trust = TRUST_DERIVED, .host = h->host, .epoch = h->epoch, .serial = gap->first_serial,
			  .earliest_ns = gap->from_ns, .latest_ns = gap->to_ns,
			  .gap = {.cause = gap->cause, .from_ns = gap->from_ns, .to_ns = gap->to_ns, .count = gap->count}};

	if (ledger_gap(&a->ledger, gap, err) < 0)
		return -1;
	return a->callback(a->context, &e, err);
}

static void find_common_types(struct assembler *a)
{
	static const char *const names[COMMON_TYPES] = {"SYSCALL", "PATH", "CWD", "PROCTITLE", "EXECVE", "SOCKADDR"};

	for (size_t i = 0; i < COMMON_TYPES; i++)
		(void)record_type_find(a->types, names[i], strlen(names[i]), &a->common[i]);
}

struct assembler *assembler_new(struct intern *strings, uint32_t host, struct completeness *c, event_callback *callback, void *context)
{
	struct assembler *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->strings = strings;
	a->host = host;
	a->callback = callback;
	a->context = context;
	host_table_init(&a->hosts);
	a->log = UINT32_MAX;
	a->hooks = (struct host_hooks){.deliver = on_slot, .gap = on_gap, .context = a, .pool = &a->pool};
	a->calls = syscall_table_new(strings);
	a->types = record_type_table_new(strings);
	ledger_init(&a->ledger, c ? c : &a->unused, strings);
	if (reader_init(&a->reader, strings, &a->pool) < 0 || !a->calls || !a->types) {
		assembler_free(a);
		return NULL;
	}
	find_common_types(a);
	return a;
}

void assembler_know_logs(struct assembler *a, struct log_file *const *logs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!logs[i]->recovered && logs[i]->left_out.count == 0)
			continue;
		a->logs = logs;
		a->log_count = count;
		return;
	}
}

void assembler_free(struct assembler *a)
{
	if (!a)
		return;
	host_table_release(&a->hosts, &a->pool);
	slot_pool_release(&a->pool);
	reader_release(&a->reader);
	syscall_table_free(a->calls);
	record_type_table_free(a->types);
	completeness_release(&a->unused);
	free(a->tail);
	free(a);
}

// ---- hosts

static int host_of_record(struct assembler *a, const struct record *record, struct host_state **ret, struct error *err)
{
	if (a->last_host && a->last_had_node == (record->node != NULL) && a->last_node_length == record->node_length &&
	    (!record->node || memcmp(a->last_node, record->node, record->node_length) == 0)) {
		*ret = a->last_host;
		return 0;
	}
	uint32_t id = record->node ? intern_add(a->strings, record->node, record->node_length) : a->host;
	int result = host_table_find(&a->hosts, &a->hooks, id, ret, err);

	a->slot = NULL; // windows may have moved
	a->last_host = *ret;
	a->last_had_node = record->node != NULL;
	a->last_node_length = record->node_length;
	if (record->node)
		memcpy(a->last_node, record->node, record->node_length);
	return result;
}

// ---- records

static void read_body(struct assembler *a, struct slot *s, const struct record_type *type, const char *body, const char *end)
{
	struct reader *r = &a->reader;

	switch ((enum record_class)type->class) {
	case RECORD_SYSCALL:
		reader_syscall(r, s, body, end);
		break;
	case RECORD_PATH:
		reader_path(r, s, body, end);
		break;
	case RECORD_CWD:
		reader_cwd(r, s, body, end);
		break;
	case RECORD_TITLE:
		reader_title(r, s, body, end);
		break;
	case RECORD_EXECVE:
		reader_execve(r, s, body, end);
		break;
	case RECORD_SOCKADDR:
		reader_sockaddr(r, s, body, end);
		break;
	case RECORD_PART:
		reader_part(r, s, type->number, body, end);
		break;
	case RECORD_URING:
		reader_uring(r, s, body, end);
		break;
	case RECORD_LOGIN:
		reader_login(r, s, body, end);
		break;
	case RECORD_CONFIG:
		reader_config(r, s, body, end);
		break;
	case RECORD_DAEMON:
		s->seen |= SEEN_DAEMON;
		reader_config(r, s, body, end);
		break;
	case RECORD_CLAIM:
		reader_claim(r, s, body, end);
		break;
	case RECORD_OTHER:
		reader_other(r, s, body, end);
		break;
	}
}

// Both tell that the next serials may be those of a new boot; another kernel leaves no doubt.
static void note_boot(struct assembler *a, struct host_state *h, unsigned type, const char *body, const char *end)
{
	const char *start = memmem(body, (size_t)(end - body), " kernel=", 8);

	h->boot_hint = true;
	if (type != AUDIT_DAEMON_START || !start)
		return;
	start += 8;
	const char *stop = memchr(start, ' ', (size_t)(end - start));
	uint32_t kernel = intern_add(a->strings, start, (size_t)((stop ? stop : end) - start));

	h->other_kernel = h->kernel && h->kernel != kernel;
	h->kernel = kernel;
}

static void add_record(struct assembler *a, struct slot *s, const struct record_type *type, const struct line *line, const char *body)
{
	if (s->type_name == 0) {
		s->type = type->number;
		s->type_name = type->name;
	}
	struct evidence_ref span = {.log = a->log, .length = line->whole_length, .offset = line->offset};

	slot_add_evidence(s, &a->pool, &span);
	read_body(a, s, type, body, line->bytes + line->length);
}

static int reject(struct assembler *a, const struct line *line, const char *reason, struct error *err)
{
	return ledger_reject(&a->ledger, a->log, line->offset, a->line, reason, err);
}

static int add_daemon_record(struct assembler *a, struct host_state *h, const struct record *record, const struct record_type *type,
			     const struct line *line, struct error *err)
{
	struct slot s = {.serial = record->serial, .time_ns = record->time_ns};

	if (type->number == AUDIT_DAEMON_START)
		note_boot(a, h, type->number, record->body, line->bytes + line->length);
	add_record(a, &s, type, line, record->body);
	int result = host_state_queue(h, &a->hooks, &s, err);

	if (result)
		slot_clear(&s, &a->pool);
	return result;
}

// Keeps the text between type and body: the next line probably has the same.
static void remember_stamp(struct assembler *a, const struct record *record)
{
	const char *start = record->type + record->type_length;
	size_t length = (size_t)(record->body - start);

	while (length > 0 && start[length - 1] == ' ')
		length--;
	a->stamp_length = length <= sizeof(a->stamp) ? length : 0;
	if (a->stamp_length)
		memcpy(a->stamp, start, length);
	else
		a->slot = NULL;
}

static void count_time(struct assembler *a, uint64_t latest_ns, uint64_t time_ns)
{
	struct completeness *c = a->ledger.c;

	if (c->first_ns == 0 || time_ns < c->first_ns)
		c->first_ns = time_ns;
	if (latest_ns > c->last_ns)
		c->last_ns = latest_ns;
	ledger_record(&a->ledger, time_ns);
}

// The word behind type= of the records that make up nearly all lines.
static const struct record_type *common_type(const struct assembler *a, const char *word, size_t left, size_t *ret_length)
{
	static const char starts[COMMON_TYPES][8] = {"SYSCALL ", "PATH msg", "CWD msg=", "PROCTITL", "EXECVE m", "SOCKADDR"};
	static const uint8_t lengths[COMMON_TYPES] = {7, 4, 3, 9, 6, 8};

	if (left < 10)
		return NULL;
	for (size_t i = 0; i < COMMON_TYPES; i++) {
		if (memcmp(word, starts[i], 8) == 0) {
			*ret_length = lengths[i];
			return lengths[i] < 9 || word[8] == 'E' ? &a->common[i] : NULL;
		}
	}
	return NULL;
}

static bool find_type(struct assembler *a, const struct record *record, struct record_type *ret)
{
	size_t length;
	const struct record_type *common = common_type(a, record->type, (size_t)(record->body - record->type), &length);

	if (!common || length != record->type_length)
		return record_type_find(a->types, record->type, record->type_length, ret);
	*ret = *common;
	return true;
}

static int add_parsed_line(struct assembler *a, const struct line *line, struct error *err)
{
	struct record record;
	struct record_type type;
	struct host_state *h;
	const char *reason = record_parse(line->bytes, line->length, &record);

	if (!reason && !find_type(a, &record, &type))
		reason = "type= is no name of a type";
	if (!reason && record.node_length > NODE_BYTES)
		reason = "node= is longer than a host's name";
	if (reason)
		return reject(a, line, reason, err);
	int result = host_of_record(a, &record, &h, err);

	if (result)
		return result;
	if (!h)
		return reject(a, line, "too many different node= names", err);
	a->ledger.c->records++;
	a->slot = NULL;
	if (type.class == RECORD_DAEMON) {
		count_time(a, h->started ? h->latest_ns : record.time_ns, record.time_ns);
		return add_daemon_record(a, h, &record, &type, line, err);
	}
	if (type.number == AUDIT_SYSTEM_BOOT)
		note_boot(a, h, type.number, record.body, line->bytes + line->length);
	result = host_state_place(h, &a->hooks, record.serial, record.time_ns, &a->slot, err);
	if (result)
		return result;
	host_state_touch(h, a->slot);
	count_time(a, h->latest_ns, record.time_ns);
	add_record(a, a->slot, &type, line, record.body);
	remember_stamp(a, &record);
	return 0;
}

// Both are longer than 8 bytes. A call of memcmp() for 34 bytes costs more than these few words.
static inline bool same_text(const char *a, const char *b, size_t length)
{
	uint64_t x, y, differ = 0;

	for (size_t i = 0; i + 8 < length; i += 8) {
		memcpy(&x, a + i, 8);
		memcpy(&y, b + i, 8);
		differ |= x ^ y;
	}
	memcpy(&x, a + length - 8, 8);
	memcpy(&y, b + length - 8, 8);
	return (differ | (x ^ y)) == 0;
}

// The line carries on the event of the line before? False: read it in full.
static bool add_following_line(struct assembler *a, const struct line *line)
{
	const char *p = line->bytes, *end = p + line->length;
	const struct record_type *type;
	size_t length;

	if (!a->slot)
		return false;
	if (a->last_had_node) {
		if ((size_t)(end - p) < 6 + a->last_node_length || memcmp(p, "node=", 5) != 0 ||
		    memcmp(p + 5, a->last_node, a->last_node_length) != 0 || p[5 + a->last_node_length] != ' ')
			return false;
		p += 6 + a->last_node_length;
	}
	if (end - p < 5 || memcmp(p, "type=", 5) != 0)
		return false;
	p += 5;
	type = common_type(a, p, (size_t)(end - p), &length);
	if (!type || (size_t)(end - p) < length + a->stamp_length || !same_text(p + length, a->stamp, a->stamp_length))
		return false;
	p += length + a->stamp_length;
	while (p < end && *p == ' ')
		p++;
	a->ledger.c->records++;
	ledger_record(&a->ledger, a->slot->time_ns);
	add_record(a, a->slot, type, line, p);
	return true;
}

static int relieve(struct assembler *a, struct error *err)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < a->hosts.count; i++)
		result = host_state_flush(a->hosts.hosts[i], &a->hooks, err);
	return result;
}

static int add_line(struct assembler *a, const struct line *line, struct error *err)
{
	int result = 0;

	a->ledger.c->lines++;
	if (a->logs && a->log < a->log_count && log_file_leaves_out(a->logs[a->log], line->offset))
		result = 0;
	else if (line->length > RECORD_MAX_BYTES)
		result = reject(a, line, LINE_TOO_LONG, err);
	else if (!add_following_line(a, line))
		result = add_parsed_line(a, line, err);
	a->line += a->line > 0;
	if (result == 0 && a->pool.bytes > EXTRA_BYTES)
		result = relieve(a, err);
	return result;
}

// The last line of a log without its newline: the readers want a byte behind it.
static int add_tail(struct assembler *a, const char *bytes, size_t length, uint64_t offset, struct error *err)
{
	struct line line = {.length = length, .offset = offset, .whole_length = (uint32_t)length};

	if (length <= RECORD_MAX_BYTES) {
		free(a->tail);
		a->tail = malloc(length + 1);
		if (!a->tail)
			return error_set(err, "out of memory");
		memcpy(a->tail, bytes, length);
		a->tail[length] = '\n';
		line.bytes = a->tail;
	}
	return add_line(a, &line, err);
}

// Bytes of a line that is longer than any record: rejected when it is seen first, then skipped up to its newline.
static int skip_long_line(struct assembler *a, size_t length, uint64_t offset, struct error *err)
{
	struct line line = {.offset = offset};

	(void)length;
	if (a->skipping)
		return 0;
	a->skipping = true;
	a->ledger.c->lines++;
	return reject(a, &line, LINE_TOO_LONG, err);
}

static void begin_piece(struct assembler *a, uint32_t log, uint64_t offset)
{
	if (log == a->log && offset == a->next_offset)
		return;
	a->skipping = false;
	a->line = offset == 0;
	a->log = log;
}

// One line at *p, or what there is of it. Returns 0 and leaves *p when the rest of the line is not there yet.
static int feed_line(struct assembler *a, const char *bytes, const char **p, const char *end, uint64_t offset, bool last, struct error *err)
{
	const char *start = *p, *newline = memchr(start, '\n', (size_t)(end - start));
	uint64_t at = offset + (uint64_t)(start - bytes);
	size_t length = (size_t)((newline ? newline : end) - start);

	if (!newline && !last && !a->skipping && length <= RECORD_MAX_BYTES)
		return 0;
	*p = newline ? newline + 1 : end;
	if (a->skipping || (!newline && length > RECORD_MAX_BYTES)) {
		int result = skip_long_line(a, length, at, err);

		if (newline || last) {
			a->skipping = false;
			a->line += a->line > 0;
		}
		return result;
	}
	if (!newline)
		return add_tail(a, start, length, at, err);
	struct line line = {start, length, at, (uint32_t)length + 1};

	return add_line(a, &line, err);
}

int assembler_feed(struct assembler *a, uint32_t log, uint64_t offset, const char *bytes, size_t length, bool last, size_t *ret_used,
		   struct error *err)
{
	const char *p = bytes, *end = bytes + length, *before;
	int result = 0;

	begin_piece(a, log, offset);
	do {
		before = p;
		if (p < end)
			result = feed_line(a, bytes, &p, end, offset, last, err);
	} while (result == 0 && p != before);
	a->ledger.c->bytes += (uint64_t)(p - bytes);
	a->next_offset = offset + (uint64_t)(p - bytes);
	if (result >= 0 && (a->pool.failed || a->reader.scratch.failed || intern_failed(a->strings)))
		return error_set(err, "out of memory");
	if (result >= 0)
		*ret_used = (size_t)(p - bytes);
	return result;
}

int assembler_finish(struct assembler *a, struct error *err)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < a->hosts.count; i++)
		result = host_state_finish(a->hosts.hosts[i], &a->hooks, err);
	if (result == 0 && ledger_finish(&a->ledger, err) < 0)
		return -1;
	return result;
}
