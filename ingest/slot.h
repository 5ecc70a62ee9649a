// SPDX-License-Identifier: MIT
// An event that is still being put together: what its records said so far.
//
// It is smaller than struct event, because a ring holds 16,384 of them and every line touches one. What most events do not
// have (more than two paths, arguments, addresses, claims) stands in a struct slot_extra that is taken from a pool.
// The readers below fill a slot from the body of one record. They never fail: what they cannot read stays absent, and SEEN_CUT
// makes the event partial. Private to ingest/.
#ifndef INGEST_SLOT_H
#define INGEST_SLOT_H

#include "base/buffer.h"
#include "base/intern.h"
#include "base/vector.h"
#include "ingest/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Our limits, against logs that were made to hurt; each is far above what the kernel writes.
#define SLOT_MAX_PATHS 1024       /* execve has 3, rename 4; module loads and mounts a few dozen */
#define SLOT_MAX_ARGUMENTS 65536  /* ARG_MAX is 2 MiB in all */
#define SLOT_MAX_ARGUMENT_BYTES (256u << 10) /* MAX_ARG_STRLEN is 128 KiB */
#define SLOT_MAX_ADDRESSES 16
#define SLOT_MAX_TARGETS 256      /* OBJ_PID: kill(-1) names every process, 16 per record */
#define SLOT_MAX_EVIDENCE 256     /* spans; a line more than that is counted but not referred to */
#define SLOT_PATHS 2              /* inside the slot: open is 1, create 2 */

VECTOR_DEFINE(path_vector, struct event_path)
VECTOR_DEFINE(address_vector, struct event_address)
VECTOR_DEFINE(target_vector, struct event_target)
VECTOR_DEFINE(evidence_vector, struct evidence_ref)

enum slot_seen {
	SEEN_SYSCALL = 1u << 0,
	SEEN_URING = 1u << 1,      // io_uring's record in place of SYSCALL
	SEEN_PART = 1u << 2,       // a record that belongs to a SYSCALL: PATH, CWD, EXECVE ...
	SEEN_EXECVE = 1u << 3,
	SEEN_SOCKETCALL = 1u << 4,
	SEEN_SOCKADDR = 1u << 5,
	SEEN_LOGIN = 1u << 6,
	SEEN_CONFIG = 1u << 7,
	SEEN_DAEMON = 1u << 8,
	SEEN_CLAIM = 1u << 9,
	SEEN_OTHER = 1u << 10,     // a kernel record that may stand alone
	SEEN_CUT = 1u << 11,       // something of it could not be read or was beyond a limit
};

// Who did it: the fields that all events of a process share.
struct actor {
	uint32_t present;          // EVENT_HAS_PID .. EVENT_HAS_TTY
	uint32_t ppid, pid, auid, session;
	struct event_ids ids;
	uint32_t tty, comm, exe, key;
};

struct slot_claim {
	uint32_t op, account, hostname, terminal, exe, unit;
	struct event_address address;
	bool success;
};

struct slot_extra {
	struct slot_extra *next_free;
	size_t bytes;              // its share of slot_pool.bytes
	struct path_vector paths;  // all of them, once there are more than SLOT_PATHS
	struct u32_vector argv;
	struct address_vector addresses;
	struct target_vector targets;
	struct evidence_vector evidence; // the spans behind the first
	struct buffer argument;    // of the argument that comes in pieces
	bool argument_open;
	uint32_t argc;
	uint64_t open_flags, open_mode, open_resolve;
	int32_t fds[2];
	uint32_t mmap_flags, module, bpf_program, old_auid, old_session;
	uint64_t inner_args[4];    // SOCKETCALL
	struct slot_claim claim;
};

struct slot {
	uint64_t serial;           // 32 bits of the kernel's plus the wraps that we saw: always rises
	uint64_t time_ns, latest_ns;
	uint32_t present;          // EVENT_HAS_* that are not actor.present
	uint16_t seen;             // enum slot_seen
	uint16_t type;             // of the first record
	uint32_t type_name;
	uint32_t arch, syscall, items;
	uint32_t cwd, title;
	uint16_t path_count;
	bool success;
	int64_t exit;
	uint64_t args[4];
	struct actor actor;
	struct event_path paths[SLOT_PATHS];
	struct evidence_ref evidence; // the first span
	struct slot_extra *extra;
};

struct slot_pool {
	struct slot_extra *free;
	size_t bytes;              // held by slots
	bool failed;               // out of memory
};

// Gives its extra back to the pool; the slot is empty then.
void slot_clear(struct slot *s, struct slot_pool *pool);
struct slot_extra *slot_extra(struct slot *s, struct slot_pool *pool); // NULL: out of memory (pool->failed)
void slot_count_bytes(struct slot *s, struct slot_pool *pool); // after its extra grew: the pool knows how much its slots hold
void slot_pool_release(struct slot_pool *pool);
void slot_add_span(struct slot *s, struct slot_pool *pool, const struct evidence_ref *span);

static inline bool evidence_extends(struct evidence_ref *last, const struct evidence_ref *next)
{
	if (last->log != next->log || last->offset + last->length != next->offset || last->length > UINT32_MAX - next->length)
		return false;
	last->length += next->length;
	return true;
}

// A line of the event. Most follow the line before.
static inline void slot_add_evidence(struct slot *s, struct slot_pool *pool, const struct evidence_ref *line)
{
	if (s->evidence.length == 0)
		s->evidence = *line;
	else if ((s->extra && s->extra->evidence.count) || !evidence_extends(&s->evidence, line))
		slot_add_span(s, pool, line);
}
void slot_add_path(struct slot *s, struct slot_pool *pool, const struct event_path *path);
void slot_end_argument(struct slot *s, struct slot_pool *pool, struct intern *strings);

// What the readers share: the strings, and what they read last, since most lines repeat each other.
struct reader {
	struct intern *strings;
	struct slot_pool *pool;
	struct buffer scratch;
	struct actor_cache *actors;
	struct text_cache *texts;  // of CWD and PROCTITLE
};

struct text_cache *text_cache_new(void); // free() ends it; NULL: out of memory
int reader_init(struct reader *r, struct intern *strings, struct slot_pool *pool); // -1: out of memory
void reader_release(struct reader *r);

// One record each. `body` is what follows the header; `end` its end, where a readable byte stands that is no digit, letter or
// quote (the newline). The ENRICHED part may still be there.
void reader_syscall(struct reader *r, struct slot *s, const char *body, const char *end);
void reader_path(struct reader *r, struct slot *s, const char *body, const char *end);
void reader_cwd(struct reader *r, struct slot *s, const char *body, const char *end);
void reader_title(struct reader *r, struct slot *s, const char *body, const char *end);
void reader_execve(struct reader *r, struct slot *s, const char *body, const char *end);
void reader_sockaddr(struct reader *r, struct slot *s, const char *body, const char *end);
void reader_part(struct reader *r, struct slot *s, unsigned type, const char *body, const char *end); // the rarer ones, by type
void reader_uring(struct reader *r, struct slot *s, const char *body, const char *end);
void reader_login(struct reader *r, struct slot *s, const char *body, const char *end);
void reader_claim(struct reader *r, struct slot *s, const char *body, const char *end);
void reader_config(struct reader *r, struct slot *s, const char *body, const char *end);
void reader_other(struct reader *r, struct slot *s, const char *body, const char *end);

// The generic way of the two fast ones, for records that are not in the usual order. Tests compare both.
void reader_syscall_any_order(struct reader *r, struct slot *s, const char *body, const char *end);
void reader_path_any_order(struct reader *r, struct slot *s, const char *body, const char *end);
// One field of a process. False: not one of them, or not readable.
struct field;
bool reader_actor_field(struct reader *r, struct actor *a, const struct field *f);

// The finished event, but for its host, epoch and gap. Its arrays point into `s` (or its extra) and are valid until the slot is cleared.
struct syscall_table;
void slot_to_event(struct slot *s, struct reader *r, struct syscall_table *calls, struct event *ret);

#endif
