// SPDX-License-Identifier: MIT
// SYSCALL records, half of all bytes.
//
//     arch=c000003e syscall=257 success=yes exit=3 a0=.. a1=.. a2=.. a3=.. items=1 | ppid=.. pid=.. ... comm="x" exe="/x" key="k"
//                                  what                                            |            who: the actor
//
// The right part is the same text for all calls of a process that hit the same rule. A cache by text keeps it read: equal bytes,
// equal actor, one comparison. The left part is read in the order in which the kernel writes it (audit_log_exit, kernel/auditsc.c).
#include "ingest/slot.h"

#include "ingest/cursor.h"
#include "ingest/fields.h"
#include "ingest/record.h"

#include <stdlib.h>

#define ACTOR_ENTRIES 512u    /* power of two: processes that are active at a time, times rules */
#define ACTOR_MIN_BYTES 64u
#define ACTOR_MAX_BYTES 560u  /* with an ENRICHED part too; longer texts are read every time */

struct actor_entry {
	uint32_t length;
	struct actor actor;
	char text[ACTOR_MAX_BYTES];
};

struct actor_cache {
	struct actor_entry entries[ACTOR_ENTRIES];
};

int reader_init(struct reader *r, struct intern *strings, struct slot_pool *pool)
{
	*r = (struct reader){.strings = strings, .pool = pool};
	r->actors = calloc(1, sizeof(*r->actors));
	r->texts = text_cache_new();
	return r->actors && r->texts ? 0 : -1;
}

void reader_release(struct reader *r)
{
	free(r->actors);
	free(r->texts);
	buffer_release(&r->scratch);
	*r = (struct reader){0};
}

static inline uint64_t read_word(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

// Pids stand at the start, the key at the end: both tell apart what the middle does not.
static inline struct actor_entry *actor_entry_of(struct actor_cache *cache, const char *text, size_t length)
{
	uint64_t mix = (read_word(text + 8) ^ read_word(text + length - 8)) * 0x9e3779b97f4a7c15u;

	mix = (mix ^ read_word(text + 16) ^ length) * 0x9e3779b97f4a7c15u;
	return &cache->entries[mix >> 40 & (ACTOR_ENTRIES - 1)];
}

static void actor_string(struct reader *r, uint32_t bit, struct actor *a, uint32_t *ret, const char *value, size_t length, bool quoted)
{
	bool present;

	*ret = field_intern(r->strings, &r->scratch, value, length, quoted, &present);
	if (present)
		a->present |= bit;
}

// " uid=0 gid=0 ... fsgid=0"
static bool actor_ids(struct cursor *c, struct actor *a)
{
	struct event_ids *i = &a->ids;

	if (!(CURSOR_SKIP(c, " uid=") && cursor_decimal32(c, &i->uid) && CURSOR_SKIP(c, " gid=") && cursor_decimal32(c, &i->gid) &&
	      CURSOR_SKIP(c, " euid=") && cursor_decimal32(c, &i->euid) && CURSOR_SKIP(c, " suid=") &&
	      cursor_decimal32(c, &i->suid) && CURSOR_SKIP(c, " fsuid=") && cursor_decimal32(c, &i->fsuid) &&
	      CURSOR_SKIP(c, " egid=") && cursor_decimal32(c, &i->egid) && CURSOR_SKIP(c, " sgid=") &&
	      cursor_decimal32(c, &i->sgid) && CURSOR_SKIP(c, " fsgid=") && cursor_decimal32(c, &i->fsgid)))
		return false;
	a->present |= EVENT_HAS_IDS;
	return true;
}

// " tty=pts0 ses=3 comm="x" exe="/x" [subj=LABEL ]key="k"", and nothing behind it but an ENRICHED part.
static bool actor_names(struct reader *r, struct cursor *c, struct actor *a)
{
	const char *text;
	size_t length;
	bool quoted;

	if (!CURSOR_SKIP(c, " tty=") || !cursor_string(c, &text, &length, &quoted))
		return false;
	actor_string(r, EVENT_HAS_TTY, a, &a->tty, text, length, true);
	if (length == 6 && memcmp(text, "(none)", 6) == 0) {
		a->present &= ~(uint32_t)EVENT_HAS_TTY;
		a->tty = 0;
	}
	if (!CURSOR_SKIP(c, " ses=") || !cursor_decimal32(c, &a->session) || !CURSOR_SKIP(c, " comm=") ||
	    !cursor_string(c, &text, &length, &quoted))
		return false;
	actor_string(r, EVENT_HAS_COMM, a, &a->comm, text, length, quoted);
	if (!CURSOR_SKIP(c, " exe=") || !cursor_string(c, &text, &length, &quoted))
		return false;
	actor_string(r, EVENT_HAS_EXE, a, &a->exe, text, length, quoted);
	if (CURSOR_SKIP(c, " subj=") && !cursor_string(c, &text, &length, &quoted))
		return false;
	if (!CURSOR_SKIP(c, " key="))
		return false;
	c->end = c->at + record_raw_length(c->at, (size_t)(c->end - c->at));
	if (!cursor_string(c, &text, &length, &quoted) || c->at != c->end)
		return false;
	actor_string(r, EVENT_HAS_KEY, a, &a->key, text, length, quoted);
	a->present |= EVENT_HAS_PID | EVENT_HAS_PPID | EVENT_HAS_AUID | EVENT_HAS_SESSION;
	return true;
}

// The text from " ppid=" to the end of the line.
static bool actor_read(struct reader *r, struct cursor c, struct actor *ret)
{
	size_t length = (size_t)(c.end - c.at);
	const char *text = c.at;
	struct actor_entry *entry = NULL;

	if (length >= ACTOR_MIN_BYTES && length <= ACTOR_MAX_BYTES) {
		entry = actor_entry_of(r->actors, text, length);
		if (entry->length == length && memcmp(entry->text, text, length) == 0) {
			*ret = entry->actor;
			return true;
		}
	}
	struct actor a = {0};

	if (!(CURSOR_SKIP(&c, " ppid=") && cursor_decimal32(&c, &a.ppid) && CURSOR_SKIP(&c, " pid=") && cursor_decimal32(&c, &a.pid) &&
	      CURSOR_SKIP(&c, " auid=") && cursor_decimal32(&c, &a.auid) && actor_ids(&c, &a) && actor_names(r, &c, &a)))
		return false;
	if (entry) {
		entry->length = (uint32_t)length;
		entry->actor = a;
		memcpy(entry->text, text, length);
	}
	*ret = a;
	return true;
}

// What the call was, up to items=. False: not in the usual order.
static bool call_read(struct cursor *c, struct slot *s)
{
	uint64_t arch;

	if (!CURSOR_SKIP(c, "arch=") || !cursor_hex(c, &arch) || arch > UINT32_MAX || !CURSOR_SKIP(c, " syscall=") ||
	    !cursor_decimal32(c, &s->syscall))
		return false;
	s->arch = (uint32_t)arch;
	s->present |= EVENT_HAS_ARCH | EVENT_HAS_SYSCALL;
	if (CURSOR_SKIP(c, " success=")) {
		s->success = CURSOR_SKIP(c, "yes");
		if ((!s->success && !CURSOR_SKIP(c, "no")) || !CURSOR_SKIP(c, " exit=") || !cursor_signed(c, &s->exit))
			return false;
		s->present |= EVENT_HAS_SUCCESS | EVENT_HAS_EXIT;
	}
	if (!(CURSOR_SKIP(c, " a0=") && cursor_hex(c, &s->args[0]) && CURSOR_SKIP(c, " a1=") && cursor_hex(c, &s->args[1]) &&
	      CURSOR_SKIP(c, " a2=") && cursor_hex(c, &s->args[2]) && CURSOR_SKIP(c, " a3=") && cursor_hex(c, &s->args[3])))
		return false;
	s->present |= EVENT_HAS_ARGS;
	return CURSOR_SKIP(c, " items=") && cursor_decimal32(c, &s->items);
}

void reader_syscall(struct reader *r, struct slot *s, const char *body, const char *end)
{
	struct cursor c = {body, end};

	if (s->seen & SEEN_SYSCALL)
		return; // the same line twice
	if (call_read(&c, s) && actor_read(r, c, &s->actor))
		s->seen |= SEEN_SYSCALL;
	else
		reader_syscall_any_order(r, s, body, end);
}

// The numbers of a process, each at its first occurrence: the kernel writes them before any text that others chose.
static bool actor_number_field(struct actor *a, const struct field *f)
{
	const struct { char name[6]; uint32_t bit, *value; } numbers[] = {
		{"pid", EVENT_HAS_PID, &a->pid}, {"ppid", EVENT_HAS_PPID, &a->ppid}, {"auid", EVENT_HAS_AUID, &a->auid},
		{"ses", EVENT_HAS_SESSION, &a->session}, {"uid", EVENT_HAS_UID, &a->ids.uid}, {"gid", 0, &a->ids.gid},
		{"euid", 0, &a->ids.euid}, {"suid", 0, &a->ids.suid}, {"fsuid", 0, &a->ids.fsuid}, {"egid", 0, &a->ids.egid},
		{"sgid", 0, &a->ids.sgid}, {"fsgid", EVENT_HAS_IDS, &a->ids.fsgid},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (!field_is(f, numbers[i].name))
			continue;
		if (!(a->present & numbers[i].bit) && number_decimal32(f->value, f->value_length, numbers[i].value))
			a->present |= numbers[i].bit;
		return true;
	}
	return false;
}

bool reader_actor_field(struct reader *r, struct actor *a, const struct field *f)
{
	if (field_is(f, "comm") && !(a->present & EVENT_HAS_COMM))
		actor_string(r, EVENT_HAS_COMM, a, &a->comm, f->value, f->value_length, f->quoted);
	else if (field_is(f, "exe") && !(a->present & EVENT_HAS_EXE))
		actor_string(r, EVENT_HAS_EXE, a, &a->exe, f->value, f->value_length, f->quoted);
	else if (field_is(f, "key") && !(a->present & EVENT_HAS_KEY))
		actor_string(r, EVENT_HAS_KEY, a, &a->key, f->value, f->value_length, f->quoted);
	else if (field_is(f, "tty") && !(a->present & EVENT_HAS_TTY) && !(f->value_length == 6 && memcmp(f->value, "(none)", 6) == 0))
		actor_string(r, EVENT_HAS_TTY, a, &a->tty, f->value, f->value_length, true); // never encoded: "pts0", "CD" is a name too
	else
		return actor_number_field(a, f);
	return true;
}

// arch, syscall, success, exit, a0 .. a3, items. False: not one of them.
static bool call_field(struct slot *s, const struct field *f)
{
	uint64_t number;

	if (field_is(f, "arch")) {
		if (number_hex(f->value, f->value_length, &number) && number <= UINT32_MAX) {
			s->arch = (uint32_t)number;
			s->present |= EVENT_HAS_ARCH;
		}
	} else if (field_is(f, "syscall")) {
		if (number_decimal32(f->value, f->value_length, &s->syscall))
			s->present |= EVENT_HAS_SYSCALL;
	} else if (field_is(f, "success")) {
		s->success = f->value_length == 3 && memcmp(f->value, "yes", 3) == 0;
		if (s->success || (f->value_length == 2 && memcmp(f->value, "no", 2) == 0))
			s->present |= EVENT_HAS_SUCCESS;
	} else if (field_is(f, "exit")) {
		if (number_signed(f->value, f->value_length, &s->exit))
			s->present |= EVENT_HAS_EXIT;
	} else if (field_is(f, "items")) {
		(void)number_decimal32(f->value, f->value_length, &s->items);
	} else if (f->key_length == 2 && f->key[0] == 'a' && f->key[1] >= '0' && f->key[1] <= '3') {
		if (number_hex(f->value, f->value_length, &s->args[f->key[1] - '0']) && f->key[1] == '3')
			s->present |= EVENT_HAS_ARGS;
	} else {
		return false;
	}
	return true;
}

void reader_syscall_any_order(struct reader *r, struct slot *s, const char *body, const char *end)
{
	const uint32_t call_bits = EVENT_HAS_ARCH | EVENT_HAS_SYSCALL | EVENT_HAS_SUCCESS | EVENT_HAS_EXIT | EVENT_HAS_ARGS;
	struct field f;

	end = body + record_raw_length(body, (size_t)(end - body));
	s->present &= ~call_bits;
	s->actor = (struct actor){0};
	s->items = 0;
	memset(s->args, 0, sizeof(s->args));
	while (field_next(&body, end, &f))
		if (!call_field(s, &f))
			(void)reader_actor_field(r, &s->actor, &f);
	s->seen |= SEEN_SYSCALL;
	// A line that was cut, by a crash or by hand, lacks what every SYSCALL has.
	if ((s->present & (EVENT_HAS_ARCH | EVENT_HAS_SYSCALL)) != (EVENT_HAS_ARCH | EVENT_HAS_SYSCALL) ||
	    !(s->actor.present & EVENT_HAS_PID))
		s->seen |= SEEN_CUT;
	if (s->actor.present & EVENT_HAS_IDS)
		s->actor.present &= ~(uint32_t)EVENT_HAS_UID; // which means "only uid"
}
