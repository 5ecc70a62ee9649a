// SPDX-License-Identifier: MIT
// Names of users. The log's own claims come first: they are what the incident's host called the user then. They are words of a
// program (sshd, login, cron), so they only ever name; nothing is linked or ranked by them.
//
// The account of the first claim of a session is the one that logged in: later ones of the same session (su, sudo) name whom it
// became. uid 0 is root by definition of the kernel's capabilities, whatever /etc/passwd says.
#include "graph/picture_work.h"

#include "base/memory.h"
#include "base/nanotime.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

#define USER_LOGIN 1112 /* linux/audit.h, as the next ones */
#define USER_START 1105
#define USER_ACCT 1101
#define CRED_ACQ 1103
#define ID_UNSET UINT32_MAX

// sshd's own record of a login gives the number as the account.
static bool is_number(const struct graph *g, uint32_t string)
{
	const char *p = intern_string(g->strings, string);
	size_t length = intern_length(g->strings, string);
	for (size_t i = 0; i < length; i++)
		if (p[i] < '0' || p[i] > '9')
			return false;
	return true;
}

// sudo, su and their kind open a session for the account that somebody becomes; auid stays whose it was.
static bool changes_user(const struct graph *g, uint32_t exe)
{
	static const char *const names[] = {"sudo", "su", "doas", "pkexec", "runuser", "newgrp", "sg"};
	const char *base;
	size_t length, folder;
	text_split_path(intern_string(g->strings, exe), intern_length(g->strings, exe), &base, &length, &folder);
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
		if (strlen(names[i]) == length && memcmp(names[i], base, length) == 0)
			return true;
	return false;
}

// How directly a claim ties its account to the login uid; 0: not at all. "root" is uid 0 and nobody else.
static int claim_weight(const struct graph *g, const struct claim *c)
{
	if (!c->account || !c->success || c->auid == ID_UNSET || c->session == ID_UNSET)
		return 0;
	if (c->auid != 0 && strcmp(intern_string(g->strings, c->account), "root") == 0)
		return 0;
	switch (c->type) {
	case USER_LOGIN:
		return 3;
	case USER_START:
		return changes_user(g, c->exe) ? 0 : 2;
	case CRED_ACQ:
		return changes_user(g, c->exe) ? 0 : 1;
	case USER_ACCT:
		return 1;
	default:
		return 0;
	}
}

// Is this the first such claim of its session? Sessions are few beside claims, but a log can be hostile: bounded look-back.
static bool first_of_session(const struct graph *g, size_t index)
{
	const struct claim *c = &g->claims.items[index];
	size_t looked = 0;
	for (size_t i = index; i-- > 0 && looked < 4096; looked++) {
		const struct claim *earlier = &g->claims.items[i];
		if (earlier->session == c->session && earlier->host == c->host && earlier->epoch == c->epoch &&
		    claim_weight(g, earlier) >= 2)
			return false;
	}
	return true;
}

static struct picture_user *find_user(struct picture_work *w, uint32_t host, uint32_t uid)
{
	for (size_t i = 0; i < w->users.count; i++)
		if (w->users.items[i].host == host && w->users.items[i].uid == uid)
			return &w->users.items[i];
	return NULL;
}

int users_find(struct picture_work *w)
{
	for (int weight = 3; weight >= 1; weight--)
		for (size_t i = 0; i < w->g->claims.count && w->users.count < 1024; i++) {
			const struct claim *c = &w->g->claims.items[i];
			if (claim_weight(w->g, c) != weight || find_user(w, c->host, c->auid) || is_number(w->g, c->account) || (weight < 3 && !first_of_session(w->g, i)))
				continue;
			if (user_vector_append(&w->users, (struct picture_user){c->host, c->auid, c->account}) < 0)
				return -1;
		}
	return 0;
}

void user_name(const struct picture_work *w, uint32_t host, uint32_t uid, struct buffer *out)
{
	const struct picture_user *known = find_user((struct picture_work *)w, host, uid);
	const char *name = w->options->user_name ? w->options->user_name(uid, w->options->user_name_context) : NULL;
	if (uid == 0)
		buffer_add_string(out, "root");
	else if (uid == ID_UNSET)
		buffer_add_string(out, "nobody logged in");
	else if (known)
		buffer_add(out, intern_string(w->g->strings, known->name), intern_length(w->g->strings, known->name));
	else if (name)
		buffer_add_string(out, name);
	else
		buffer_printf(out, "uid %" PRIu32, uid);
}
