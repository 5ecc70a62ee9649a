// SPDX-License-Identifier: MIT
// From an alert to the connection that it means, and from that to the window.
#include "cmd/investigate.h"

#include "base/fileio.h"
#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_ALERT_BYTES ((size_t)256 << 20) /* our limit for an alert file */
#define MAX_LISTED_ALERTS 20
// A sensor's clock and the host's differ; with NTP by far less than this.
#define CLOCK_SKEW_NS (10 * NANOTIME_SECOND)
// How far back earlier contacts are looked for: they are a note, not worth a pass over every log. About 5 ms.
#define EARLIER_BYTES ((uint64_t)16 << 20)

bool contact_matches(const struct event *event, const struct event_address *address, uint16_t port)
{
	if (event->kind != EVENT_SYSCALL)
		return false;
	switch (event->op) {
	case OP_CONNECT:
	case OP_ACCEPT:
	case OP_SEND:
	case OP_RECEIVE:
		break;
	default:
		return false;
	}
	for (size_t i = 0; i < event->address_count; i++)
		if (address_same_host(&event->addresses[i], address) && (port == 0 || event->addresses[i].port == port))
			return true;
	return false;
}

// A connection that was refused at once. EINPROGRESS is how a non-blocking one starts, and -512 (ERESTARTSYS,
// linux/errno.h) and EINTR go on in the kernel.
static bool is_failed(const struct event *event)
{
	if (!(event->present & EVENT_HAS_SUCCESS) || event->success)
		return false;
	return event->exit != -EINPROGRESS && event->exit != -EINTR && event->exit != -512 && event->exit != -EALREADY;
}

// A stamp is when the call began. accept and recvfrom wait, for hours as the case may be: what counts is when they had returned.
static uint64_t contact_time(const struct event *event)
{
	return event->op == OP_ACCEPT || event->op == OP_RECEIVE ? event->latest_ns : event->earliest_ns;
}

struct search {
	struct investigation *in;
	uint16_t port;
	bool found_failed;
	uint64_t seen;
	uint64_t not_before_ns, not_after_ns;
};

static void keep_contact(struct investigation *in, const struct event *event, bool failed)
{
	in->found = true;
	in->contact_ns = contact_time(event);
	in->contact_serial = event->serial;
	in->contact_host = event->host;
	in->contact_session = event->present & EVENT_HAS_SESSION ? event->session : EVENT_ID_UNSET;
	in->contact_failed = failed;
}

// Newest first: the first that was not refused is the contact; else the newest refused one.
static int on_contact(void *context, const struct event *event, struct error *err)
{
	struct search *s = context;

	(void)err;
	progress_step(&s->in->progress, "looking for the connection: events", ++s->seen);
	if (!contact_matches(event, &s->in->address, s->port) || contact_time(event) < s->not_before_ns || contact_time(event) > s->not_after_ns)
		return 0;
	if (!is_failed(event)) {
		keep_contact(s->in, event, false);
		return 1;
	}
	if (!s->found_failed)
		keep_contact(s->in, event, true);
	s->found_failed = true;
	return 0;
}

static uint64_t search_before(const struct investigation *in)
{
	uint64_t before = NANOTIME_NONE, to = in->options->to_ns;

	if (in->alert_ns != NANOTIME_NONE)
		before = in->alert_ns + CLOCK_SKEW_NS;
	return to != NANOTIME_NONE && to - 1 < before ? to - 1 : before;
}

static int search(struct investigation *in, struct error *err)
{
	struct find_keys keys = {.by_address = true, .address = in->address, .port = in->port};
	uint64_t not_before = in->options->from_ns == NANOTIME_NONE ? 0 : in->options->from_ns;
	struct search s = {.in = in, .port = in->port, .not_before_ns = not_before, .not_after_ns = search_before(in)};
	struct find_report report;

	in->found = false;
	return source_find(in->source, &keys, s.not_after_ns, (struct find_limit){.not_before_ns = not_before}, on_contact, &s, &report, err);
}

static void set_window(struct investigation *in)
{
	const struct options *o = in->options;
	uint64_t last = in->contact_ns;

	if (o->from_ns != NANOTIME_NONE || o->to_ns != NANOTIME_NONE || o->window_all) {
		in->from_ns = o->from_ns == NANOTIME_NONE ? in->log_first_ns : o->from_ns;
		in->to_ns = o->to_ns == NANOTIME_NONE ? in->log_last_ns + 1 : o->to_ns;
		return;
	}
	if (in->alert_ns != NANOTIME_NONE && in->alert_ns > last)
		last = in->alert_ns;
	in->from_ns = in->contact_ns > o->window_ns ? in->contact_ns - o->window_ns : 0;
	in->to_ns = last < NANOTIME_NONE - 1 - o->window_ns ? last + o->window_ns : NANOTIME_NONE - 1;
}

// ---- alert files

static void list_alert(struct buffer *out, const struct alert *alert, size_t number, struct timezone_choice zone)
{
	buffer_printf(out, "  %zu  ", number);
	nanotime_format(out, alert->time_ns, NANOTIME_FULL, zone);
	buffer_add_string(out, "  ");
	address_format(out, &alert->source, NULL, true);
	buffer_add_string(out, " -> ");
	address_format(out, &alert->destination, NULL, true);
	buffer_add_string(out, "  ");
	text_terminal(out, alert->signature, strlen(alert->signature));
	buffer_add_byte(out, '\n');
}

// Several alerts of one flow (a rule that fires again) mean the same contact; the first stands for them.
static bool same_flow(const struct alert *a, const struct alert *b)
{
	return address_same_host(&a->source, &b->source) && address_same_host(&a->destination, &b->destination) &&
	       a->destination.port == b->destination.port && a->source.port == b->source.port;
}

// Without --alert-id the most severe alert counts (1 is the worst in EVE), of equals the latest: as without --alert-time.
static size_t default_alert(const struct alert_vector *alerts)
{
	size_t best = 0;

	for (size_t i = 1; i < alerts->count; i++) {
		const struct alert *a = &alerts->items[i], *b = &alerts->items[best];

		if (a->severity < b->severity || (a->severity == b->severity && a->time_ns > b->time_ns))
			best = i;
	}
	return best;
}

// Says which of several was taken, and how to take another.
static void say_choice(const struct investigation *in, const struct alert_vector *alerts, size_t chosen)
{
	const struct options *o = in->options;
	bool several = false;
	struct buffer list = {0};

	for (size_t i = 1; i < alerts->count && !several; i++)
		several = !same_flow(&alerts->items[0], &alerts->items[i]);
	if (!several || o->alert_id || o->quiet)
		return;
	for (size_t i = 0; i < alerts->count && i < MAX_LISTED_ALERTS; i++)
		list_alert(&list, &alerts->items[i], i + 1, o->zone);
	if (alerts->count > MAX_LISTED_ALERTS)
		buffer_printf(&list, "  and %zu more\n", alerts->count - MAX_LISTED_ALERTS);
	report_line("%s: has %zu alerts; taking number %zu (the latest of the most severe), --alert-id N takes another:\n%s",
		    o->alert_file, alerts->count, chosen + 1, buffer_string(&list));
	buffer_release(&list);
}

static int choose_alert(const struct investigation *in, const struct alert_vector *alerts, size_t *ret_chosen, struct error *err)
{
	const struct options *o = in->options;

	if (alerts->count == 0)
		return error_set(err, "%s: holds no alert (no line with event_type \"alert\", address and time)", o->alert_file);
	if (o->alert_id > alerts->count)
		return error_set(err, "%s: has %zu alerts, so there is no --alert-id %" PRIu64, o->alert_file, alerts->count, o->alert_id);
	*ret_chosen = o->alert_id ? (size_t)o->alert_id - 1 : default_alert(alerts);
	say_choice(in, alerts, *ret_chosen);
	return 0;
}

static void take_end(struct investigation *in, const struct event_address *end)
{
	in->address = *end;
	in->port = end->port;
}

// Which end of the alert is not ours? The one that this log has a connection with: the destination first when our host is the
// client. If the ports fit nowhere (address translation), any port will do.
static int find_foreign_end(struct investigation *in, const struct alert *alert, struct error *err)
{
	const struct event_address *ends[2] = {&alert->destination, &alert->source};

	if (!alert->to_server) {
		ends[0] = &alert->source;
		ends[1] = &alert->destination;
	}
	for (size_t i = 0; i < 4; i++) {
		take_end(in, ends[i % 2]);
		if (i >= 2)
			in->port = 0;
		if (search(in, err) < 0)
			return -1;
		if (in->found) {
			if (i >= 2)
				report_line("%s: no connection with port %u; taking any port", in->options->alert_file, (unsigned)ends[i % 2]->port);
			return 0;
		}
	}
	take_end(in, ends[0]);
	return 0;
}

static int read_alert_file(struct investigation *in, struct alert *ret, struct error *err)
{
	struct buffer text = {0};
	struct alert_vector alerts = {0};
	struct alert_report report;
	size_t chosen = 0;
	int result = fileio_read(&text, in->options->alert_file, MAX_ALERT_BYTES, err);

	if (result == 0)
		result = alert_parse_eve(buffer_string(&text), text.length, &alerts, &report, err);
	if (result == 0 && report.rejected > 0)
		report_line("%s:%" PRIu64 ": %s: skipped (%" PRIu64 " such lines)", in->options->alert_file, report.first_rejected_line,
			    report.first_reason, report.rejected);
	if (result == 0)
		result = choose_alert(in, &alerts, &chosen, err);
	if (result == 0)
		*ret = alerts.items[chosen];
	alert_vector_release(&alerts);
	buffer_release(&text);
	return result;
}

int contact_find(struct investigation *in, struct error *err)
{
	const struct options *o = in->options;

	in->alert_ns = o->alert_ns;
	if (o->alert_file) {
		struct alert alert;

		if (read_alert_file(in, &alert, err) < 0)
			return -1;
		in->alert_ns = alert.time_ns;
		(void)snprintf(in->signature, sizeof(in->signature), "%s", alert.signature);
		if (find_foreign_end(in, &alert, err) < 0)
			return -1;
	} else {
		if (address_parse(o->alert_ip, &in->address, err) < 0)
			return -1;
		in->port = o->alert_port;
		if (search(in, err) < 0)
			return -1;
	}
	if (in->found)
		set_window(in);
	return 0;
}

// ---- contacts before the window

static int on_earlier(void *context, const struct event *event, struct error *err)
{
	struct search *s = context;

	(void)err;
	if (!contact_matches(event, &s->in->address, s->port) || contact_time(event) >= s->in->from_ns)
		return 0;
	if (s->in->earlier_count++ == 0)
		s->in->earlier_ns = contact_time(event);
	return 0;
}

int contact_find_earlier(struct investigation *in, struct error *err)
{
	struct find_keys keys = {.by_address = true, .address = in->address, .port = in->port};
	struct search s = {.in = in, .port = in->port};
	struct find_report report = {0};

	if (in->from_ns == 0 || in->from_ns <= in->log_first_ns)
		return 0;
	if (source_find(in->source, &keys, in->from_ns - 1, (struct find_limit){.max_bytes = EARLIER_BYTES}, on_earlier, &s, &report, err) < 0)
		return -1;
	in->earlier_searched_ns = report.complete ? 0 : report.reached_ns;
	return 0;
}
