// SPDX-License-Identifier: MIT
// No connection with the address: what is there instead, so that the next try can be a better one.
#include "cmd/investigate.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define MAX_LISTED 5

// How many leading bits two addresses share; 0 for different families.
static unsigned shared_bits(const struct event_address *a, const struct event_address *b)
{
	size_t length = a->kind == ADDRESS_IPV6 ? 16 : 4;
	unsigned bits = 0;

	if (a->kind != b->kind)
		return 0;
	for (size_t i = 0; i < length; i++) {
		unsigned differ = (unsigned)(a->ip[i] ^ b->ip[i]);

		if (differ == 0) {
			bits += 8;
			continue;
		}
		while (!(differ & 0x80)) {
			differ <<= 1;
			bits++;
		}
		break;
	}
	return bits;
}

static const struct event_address *compared_with; // qsort has no context

// The same network (/24, /64) first, then the most frequent, then by address, so that ties fall the same way each time.
static int compare_seen(const void *left, const void *right)
{
	const struct address_seen *a = left, *b = right;
	unsigned near = compared_with->kind == ADDRESS_IPV6 ? 64 : 24;
	bool a_near = shared_bits(&a->address, compared_with) >= near, b_near = shared_bits(&b->address, compared_with) >= near;

	if (a_near != b_near)
		return a_near ? -1 : 1;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	int order = memcmp(a->address.ip, b->address.ip, sizeof(a->address.ip));

	return order != 0 ? order : (int)a->address.port - (int)b->address.port;
}

static void add_time(struct buffer *out, const struct investigation *in, uint64_t ns)
{
	nanotime_format(out, ns, NANOTIME_FULL, in->options->zone);
}

static void say_span(struct buffer *out, const struct investigation *in)
{
	buffer_add_string(out, "the log goes from ");
	add_time(out, in, in->log_first_ns);
	buffer_add_string(out, " to ");
	add_time(out, in, in->log_last_ns);
	if (in->alert_ns != NANOTIME_NONE && (in->alert_ns < in->log_first_ns || in->alert_ns > in->log_last_ns)) {
		buffer_add_string(out, "; the time asked for, ");
		add_time(out, in, in->alert_ns);
		buffer_add_string(out, ", lies outside");
	}
	buffer_add_byte(out, '\n');
}

static bool is_internet(const struct event_address *a)
{
	return a->kind == ADDRESS_IPV4 || a->kind == ADDRESS_IPV6;
}

static void say_seen(struct buffer *out, const struct investigation *in, const struct address_seen *seen, bool with_port)
{
	buffer_add_string(out, "  ");
	address_format(out, &seen->address, in->strings, with_port);
	buffer_add_string(out, "  ");
	text_count(out, seen->count);
	buffer_add_string(out, seen->count == 1 ? " time, at " : " times, last at ");
	add_time(out, in, seen->last_ns);
	buffer_add_byte(out, '\n');
}

// The address itself does occur: with other ports, later than the alert, or outside --from and --to.
static size_t say_same_address(struct buffer *out, const struct investigation *in, const struct address_seen *seen, size_t count)
{
	size_t listed = 0;

	for (size_t i = 0; i < count && listed < MAX_LISTED; i++) {
		if (!address_same_host(&seen[i].address, &in->address))
			continue;
		if (listed++ == 0)
			buffer_add_string(out, "the address occurs, but not with this port and time (or not as a connection):\n");
		say_seen(out, in, &seen[i], true);
	}
	return listed;
}

static void say_nearest(struct buffer *out, const struct investigation *in, struct address_seen *seen, size_t count)
{
	size_t listed = 0;

	compared_with = &in->address;
	if (count > 0)
		qsort(seen, count, sizeof(*seen), compare_seen);
	for (size_t i = 0; i < count && listed < MAX_LISTED; i++) {
		if (!is_internet(&seen[i].address))
			continue;
		if (listed++ == 0)
			buffer_add_string(out, "nearest and most frequent addresses in the log:\n");
		say_seen(out, in, &seen[i], true);
	}
	if (listed > 0)
		return;
	if (in->options->host)
		buffer_printf(out, "the log holds no connection of host %s; leave out --host to see those of every host\n", in->options->host);
	else
		buffer_add_string(out, "the log holds no connection at all; are connect and accept audited? See provgraph rules --check\n");
}

void nomatch_report(struct investigation *in)
{
	struct address_seen *seen = NULL;
	size_t count = 0;
	struct buffer out = {0};
	struct error err;

	buffer_add_string(&out, "no connection with ");
	address_format(&out, &in->address, in->strings, false);
	if (in->port)
		buffer_printf(&out, " port %u", (unsigned)in->port);
	if (in->alert_ns != NANOTIME_NONE) {
		buffer_add_string(&out, " up to ");
		add_time(&out, in, in->alert_ns);
	}
	buffer_add_byte(&out, '\n');
	say_span(&out, in);
	if (source_addresses(in->source, 0, NANOTIME_NONE, &seen, &count, NULL, &err) < 0) {
		buffer_printf(&out, "%s\n", err.message);
	} else if (say_same_address(&out, in, seen, count) == 0) {
		say_nearest(&out, in, seen, count);
	}
	progress_end(&in->progress);
	report_line("%s", buffer_string(&out));
	free(seen);
	buffer_release(&out);
}
