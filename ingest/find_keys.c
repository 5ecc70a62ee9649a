// SPDX-License-Identifier: MIT
#include "ingest/find_keys.h"

#include "base/buffer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LITERAL_NUMBERS 2 /* so many pids are sought by their digits; more by "pid=" and a look at the number */

enum needle_kind { NEEDLE_EXACT, NEEDLE_SADDR, NEEDLE_PID, NEEDLE_INODE };

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void add(struct find_text *t, enum needle_kind kind, const char *text)
{
	size_t which = t->needles.count;

	// At most 1 + 1 + 2 * 2 + 2 of them: there is room.
	if (needles_add(&t->needles, text, strlen(text)))
		t->kind[which] = (uint8_t)kind;
}

static void add_number(struct find_text *t, const char *key, uint64_t number)
{
	char text[48];

	(void)snprintf(text, sizeof(text), " %s=%" PRIu64 " ", key, number);
	add(t, NEEDLE_EXACT, text);
}

// SYSCALL has pid= of the caller and, for a fork, exit= of the child.
static void add_pids(struct find_text *t)
{
	const struct find_keys *keys = t->keys;

	if (keys->pid_count > LITERAL_NUMBERS) {
		add(t, NEEDLE_PID, " pid=");
		add(t, NEEDLE_PID, " exit=");
		return;
	}
	for (size_t i = 0; i < keys->pid_count; i++) {
		add_number(t, "pid", keys->pids[i]);
		add_number(t, "exit", keys->pids[i]);
	}
}

static void add_inodes(struct find_text *t)
{
	const struct find_keys *keys = t->keys;

	if (keys->inode_count > LITERAL_NUMBERS) {
		add(t, NEEDLE_INODE, " inode=");
		return;
	}
	for (size_t i = 0; i < keys->inode_count; i++)
		add_number(t, "inode", keys->inodes[i].inode);
}

static int copy_numbers(struct find_text *t, struct error *err)
{
	const struct find_keys *keys = t->keys;

	t->pids = calloc(keys->pid_count + 1, sizeof(*t->pids));
	t->inodes = calloc(keys->inode_count + 1, sizeof(*t->inodes));
	if (!t->pids || !t->inodes)
		return error_set(err, "out of memory");
	for (size_t i = 0; i < keys->pid_count; i++)
		t->pids[i] = keys->pids[i];
	for (size_t i = 0; i < keys->inode_count; i++)
		t->inodes[i] = keys->inodes[i].inode;
	qsort(t->pids, keys->pid_count, sizeof(*t->pids), compare_u64);
	qsort(t->inodes, keys->inode_count, sizeof(*t->inodes), compare_u64);
	return 0;
}

static int add_address(struct find_text *t, struct error *err)
{
	struct buffer text = { 0 };
	struct event_address plain = t->keys->address;

	plain.scope = 0; // user space leaves it out
	address_format(&text, &plain, NULL, false);
	int result = buffer_check(&text, err);

	(void)snprintf(t->address_text, sizeof(t->address_text), "%s", buffer_string(&text));
	buffer_release(&text);
	add(t, NEEDLE_SADDR, "saddr=");
	if (t->address_text[0] && t->keys->port == 0) { // claims name no port
		char claim[80];

		(void)snprintf(claim, sizeof(claim), " addr=%s", t->address_text);
		add(t, NEEDLE_EXACT, claim);
	}
	return result;
}

int find_text_init(struct find_text *t, const struct find_keys *keys, struct error *err)
{
	memset(t, 0, sizeof(*t));
	t->keys = keys;
	if (copy_numbers(t, err) < 0 || (keys->by_address && add_address(t, err) < 0)) {
		find_text_release(t);
		return -1;
	}
	add_pids(t);
	add_inodes(t);
	return 0;
}

void find_text_release(struct find_text *t)
{
	free(t->pids);
	free(t->inodes);
	t->pids = t->inodes = NULL;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Do the hex digits at `hex` spell these bytes?
static bool hex_is(const char *hex, const char *end, const uint8_t *bytes, size_t count)
{
	if ((size_t)(end - hex) < count * 2)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (hex_digit(hex[2 * i]) != bytes[i] >> 4 || hex_digit(hex[2 * i + 1]) != (bytes[i] & 15))
			return false;
	}
	return true;
}

// `hex` is what follows "saddr=": struct sockaddr_in or sockaddr_in6 (ip(7), ipv6(7)). The family, in the host's byte order, is left to
// the parser.
static bool saddr_is_wanted(const struct find_text *t, const char *hex, const char *end)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	const struct event_address *a = &t->keys->address;
	const uint8_t port[2] = { (uint8_t)(t->keys->port >> 8), (uint8_t)t->keys->port };

	if (t->keys->port != 0 && (end - hex < 4 || !hex_is(hex + 4, end, port, 2)))
		return false;
	if (end - hex < 16)
		return false;
	if (a->kind == ADDRESS_IPV6)
		return hex_is(hex + 16, end, a->ip, 16);
	if (a->kind != ADDRESS_IPV4)
		return false;
	return hex_is(hex + 8, end, a->ip, 4) || (end - hex >= 48 && hex_is(hex + 16, end, mapped, 12) && hex_is(hex + 40, end, a->ip, 4));
}

static bool number_is_wanted(const uint64_t *sorted, size_t count, const char *at, const char *end)
{
	uint64_t number = 0;

	for (; at < end && *at >= '0' && *at <= '9'; at++)
		number = number * 10 + (uint64_t)(*at - '0');
	return bsearch(&number, sorted, count, sizeof(*sorted), compare_u64) != NULL;
}

size_t find_text_next(const struct find_text *t, const char *bytes, size_t length, size_t from)
{
	const char *end = bytes + length;
	size_t which = 0;

	for (;; from++) {
		from = needles_find(&t->needles, bytes, length, from, &which);
		if (from == length)
			return length;
		const char *behind = bytes + from + t->needles.items[which].length;

		switch ((enum needle_kind)t->kind[which]) {
		case NEEDLE_EXACT:
			return from;
		case NEEDLE_SADDR:
			if (saddr_is_wanted(t, behind, end))
				return from;
			break;
		case NEEDLE_PID:
			if (number_is_wanted(t->pids, t->keys->pid_count, behind, end))
				return from;
			break;
		case NEEDLE_INODE:
			if (number_is_wanted(t->inodes, t->keys->inode_count, behind, end))
				return from;
			break;
		}
	}
}

static bool address_matches(const struct find_keys *keys, const struct event *event)
{
	for (size_t i = 0; i < event->address_count; i++) {
		const struct event_address *a = &event->addresses[i];

		if (address_same_host(a, &keys->address) && (keys->port == 0 || a->port == keys->port))
			return true;
	}
	return keys->port == 0 && address_same_host(&event->claim_address, &keys->address);
}

static bool pid_matches(const struct find_keys *keys, const struct event *event)
{
	bool forked = event->kind == EVENT_SYSCALL && event->op == OP_FORK && event->success && (event->present & EVENT_HAS_EXIT);

	for (size_t i = 0; i < keys->pid_count; i++) {
		if ((event->present & EVENT_HAS_PID) && event->pid == keys->pids[i])
			return true;
		if (forked && event->exit == (int64_t)keys->pids[i])
			return true;
	}
	return false;
}

static bool inode_matches(const struct find_keys *keys, const struct event *event)
{
	for (size_t i = 0; i < event->path_count; i++) {
		const struct event_path *path = &event->paths[i];

		for (size_t k = 0; path->has_inode && k < keys->inode_count; k++) {
			if (path->inode == keys->inodes[k].inode && path->dev == keys->inodes[k].dev)
				return true;
		}
	}
	return false;
}

bool find_keys_match(const struct find_keys *keys, const struct event *event)
{
	if (keys->host != 0 && event->host != keys->host)
		return false;
	return (keys->by_address && address_matches(keys, event)) || (keys->pid_count > 0 && pid_matches(keys, event)) ||
	       (keys->inode_count > 0 && inode_matches(keys, event));
}
