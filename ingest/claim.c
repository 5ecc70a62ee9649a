// SPDX-License-Identifier: MIT
// Records about people and about audit itself: USER_*, LOGIN, CONFIG_CHANGE, and kernel records that stand alone.
//
// A claim is what a program with CAP_AUDIT_WRITE said. The kernel puts its own words in front, and only they are trusted:
//
//     pid=1 uid=0 auid=1000 ses=2 subj=.. msg='op=login acct="a" exe="/x" hostname=h addr=10.0.0.1 terminal=ssh res=success'
//     ^ kernel (audit_log_common_recv_msg)     ^ the program; parts of it may come from whoever it talks to
//
// So nothing behind the first " msg=" (or " data=", " text=") is ever read as a field of the kernel. Inside, libaudit writes op, acct,
// exe, hostname, addr, terminal, res in this order, and hostname is the only text that is neither encoded nor local: what it may
// forge stands behind op, acct and exe (so their first value counts) and before the true addr, terminal and res (so their last counts).
#include "ingest/slot.h"

#include "ingest/fields.h"
#include "ingest/record.h"
#include "ingest/sockaddr.h"

#include <arpa/inet.h>

static const char *text_start(const char *body, const char *end)
{
	static const char *const starts[] = {" msg=", " data=", " text="};
	const char *first = end;

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		const char *found = memmem(body, (size_t)(first - body), starts[i], strlen(starts[i]));

		if (found)
			first = found;
	}
	return first;
}

// "10.0.0.1", "::ffff:10.0.0.1", "fe80::1". False: not an address ("?", a name).
static bool address_read(const char *text, size_t length, struct event_address *ret)
{
	char copy[INET6_ADDRSTRLEN];

	if (length == 0 || length >= sizeof(copy) || memchr(text, '\0', length))
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	*ret = (struct event_address){0};
	if (inet_pton(AF_INET, copy, ret->ip) == 1) {
		ret->kind = ADDRESS_IPV4;
		ret->family = AF_INET;
	} else if (inet_pton(AF_INET6, copy, ret->ip) == 1) {
		ret->kind = ADDRESS_IPV6;
		ret->family = AF_INET6;
		sockaddr_unmap(ret);
	}
	return ret->kind != ADDRESS_NONE;
}

// acct= and exe= go through libaudit's encoder: quoted, or hex.
static uint32_t encoded_string(struct reader *r, const struct field *f)
{
	bool present;

	return field_intern(r->strings, &r->scratch, f->value, f->value_length, f->quoted, &present);
}

// The others do not: a host may be called "cafe".
static uint32_t plain_string(struct reader *r, const struct field *f)
{
	if (!f->quoted && f->value_length == 1 && f->value[0] == '?')
		return 0;
	return intern_add(r->strings, f->value, f->value_length);
}

// Old libaudit wrote "(hostname=?, addr=?, terminal=cron res=success)": brackets and commas are not part of key and value.
static void trim(struct field *f)
{
	if (f->key_length > 0 && f->key[0] == '(') {
		f->key++;
		f->key_length--;
	}
	while (!f->quoted && f->value_length > 0 && strchr(",')", f->value[f->value_length - 1]))
		f->value_length--;
}

static bool is_success(const struct field *f)
{
	return (f->value_length == 1 && f->value[0] == '1') || (f->value_length == 7 && memcmp(f->value, "success", 7) == 0);
}

static void claim_field(struct reader *r, struct slot_claim *claim, struct field *f)
{
	struct event_address address;

	trim(f);
	if (field_is(f, "op") && !claim->op)
		claim->op = plain_string(r, f);
	else if (field_is(f, "acct") && !claim->account)
		claim->account = encoded_string(r, f);
	else if (field_is(f, "id") && !claim->account) // USER_LOGIN of sshd: id=1000
		claim->account = plain_string(r, f);
	else if (field_is(f, "exe") && !claim->exe)
		claim->exe = encoded_string(r, f);
	else if (field_is(f, "unit") && !claim->unit)
		claim->unit = plain_string(r, f);
	else if (field_is(f, "hostname") && !claim->hostname)
		claim->hostname = plain_string(r, f);
	else if (field_is(f, "terminal"))
		claim->terminal = plain_string(r, f);
	else if (field_is(f, "addr"))
		claim->address = address_read(f->value, f->value_length, &address) ? address : (struct event_address){0};
	else if (field_is(f, "res") || field_is(f, "result"))
		claim->success = is_success(f);
}

// The kernel's words in front. pid, uid, auid and ses each at their first occurrence.
static void stamped_fields(struct slot *s, const char *body, const char *end)
{
	struct actor first = {0};
	struct field f;

	while (field_next(&body, end, &f)) {
		struct actor one = {0};

		if (!field_is(&f, "pid") && !field_is(&f, "uid") && !field_is(&f, "auid") && !field_is(&f, "ses"))
			continue;
		(void)reader_actor_field(NULL, &one, &f);
		if (one.present & first.present)
			continue;
		first.present |= one.present;
		first.pid |= one.pid;
		first.ids.uid |= one.ids.uid;
		first.auid |= one.auid;
		first.session |= one.session;
	}
	s->actor = first;
}

void reader_claim(struct reader *r, struct slot *s, const char *body, const char *end)
{
	struct slot_extra *x = slot_extra(s, r->pool);
	struct field f;

	if (!x || (s->seen & SEEN_CLAIM))
		return;
	s->seen |= SEEN_CLAIM;
	end = body + record_raw_length(body, (size_t)(end - body));
	const char *text = text_start(body, end);

	stamped_fields(s, body, text);
	if (text == end)
		return;
	const char *p = memchr(text, '=', (size_t)(end - text));

	p += 1; // text_start() found it
	if (p < end && *p == '\'')
		p++;
	while (field_next(&p, end, &f))
		claim_field(r, &x->claim, &f);
	s->present |= EVENT_HAS_TEXT;
}

// pid=1 uid=0 old-auid=4294967295 auid=1000 tty=(none) old-ses=4294967295 ses=3 res=1 (audit_log_set_loginuid, kernel/audit.c)
void reader_login(struct reader *r, struct slot *s, const char *body, const char *end)
{
	struct slot_extra *x = slot_extra(s, r->pool);
	struct field f;

	if (!x || (s->seen & SEEN_LOGIN))
		return;
	s->seen |= SEEN_LOGIN;
	end = body + record_raw_length(body, (size_t)(end - body));
	x->old_auid = x->old_session = EVENT_ID_UNSET;
	while (field_next(&body, end, &f)) {
		if (field_is(&f, "old-auid"))
			(void)number_decimal32(f.value, f.value_length, &x->old_auid);
		else if (field_is(&f, "old-ses"))
			(void)number_decimal32(f.value, f.value_length, &x->old_session);
		else if (field_is(&f, "res"))
			x->claim.success = is_success(&f);
		else if (!field_is(&f, "subj"))
			(void)reader_actor_field(r, &s->actor, &f);
	}
	s->present |= EVENT_HAS_LOGIN | EVENT_HAS_TEXT;
	if (!(s->actor.present & EVENT_HAS_PID))
		s->seen |= SEEN_CUT;
}

// op=set audit_enabled=0 old=1 auid=.. ses=.. res=1   |   auid=.. ses=.. op=add_rule key="k" list=4 res=1
// Old kernels leave op=set out. The switch is kept as it is written, with its old value: "audit_enabled=0 old=1".
void reader_config(struct reader *r, struct slot *s, const char *body, const char *end)
{
	struct slot_extra *x = slot_extra(s, r->pool);
	const char *switch_start = NULL;
	struct field f;

	if (!x)
		return;
	s->seen |= SEEN_CONFIG;
	s->present |= EVENT_HAS_TEXT;
	end = body + record_raw_length(body, (size_t)(end - body));
	while (field_next(&body, end, &f)) {
		if (field_is(&f, "op") && !x->claim.op) {
			x->claim.op = plain_string(r, &f);
		} else if (field_is(&f, "old") && switch_start && !x->claim.unit) {
			x->claim.unit = intern_add(r->strings, switch_start, (size_t)(f.value + f.value_length - switch_start));
		} else if (field_is(&f, "res")) {
			x->claim.success = is_success(&f);
		} else if (!reader_actor_field(r, &s->actor, &f)) {
			switch_start = f.key;
		}
	}
}

void reader_other(struct reader *r, struct slot *s, const char *body, const char *end)
{
	struct field f;

	s->seen |= SEEN_OTHER;
	if (s->seen & SEEN_SYSCALL)
		return; // SYSCALL says all of it, and from a trusted place
	end = body + record_raw_length(body, (size_t)(end - body));
	while (field_next(&body, end, &f))
		(void)reader_actor_field(r, &s->actor, &f);
}
