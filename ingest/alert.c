// SPDX-License-Identifier: MIT
// Suricata's EVE: one JSON object per line. Fields as in doc/userguide/output/eve/eve-json-format.rst of Suricata.
//
// The file was written by another program on another host, from what passed on the wire: names of signatures, nesting and numbers
// may be hostile. json-c parses it strictly, with a limit on depth; everything is taken by (bytes, length).
#include "ingest/alert.h"

#include "base/text_unicode.h"
#include "ingest/ingest.h"

#include <json-c/json.h>
#include <string.h>
#include <time.h>

#define MAX_DEPTH 32
#define MAX_LINE_BYTES ((size_t)8 << 20) /* our limit; Suricata's payloads stay far below */

struct eve {
	struct json_tokener *tokener;
	struct alert_vector *out;
	struct alert_report report;
};

enum line_kind { LINE_ALERT, LINE_OTHER, LINE_REJECTED };

// The string at `key`, NULL when there is none. Its length tells about NULs inside.
static const char *get_string(struct json_object *object, const char *key, size_t *ret_length)
{
	struct json_object *value;

	if (!object || !json_object_object_get_ex(object, key, &value) || !json_object_is_type(value, json_type_string))
		return NULL;
	*ret_length = (size_t)json_object_get_string_len(value);
	return json_object_get_string(value);
}

static struct json_object *get_object(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!object || !json_object_object_get_ex(object, key, &value) || !json_object_is_type(value, json_type_object))
		return NULL;
	return value;
}

static uint64_t get_number(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!object || !json_object_object_get_ex(object, key, &value) || !json_object_is_type(value, json_type_int))
		return 0;
	return json_object_get_uint64(value); // negative numbers give 0
}

static bool two_digits(const char *text, int from, int to, int *ret)
{
	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return false;
	*ret = (text[0] - '0') * 10 + text[1] - '0';
	return *ret >= from && *ret <= to;
}

// "2026-11-20T10:06:00" with the fields in their fixed places.
static bool parse_date(const char *text, struct tm *ret)
{
	int century, year, month;

	memset(ret, 0, sizeof(*ret));
	if (!two_digits(text, 19, 99, &century) || !two_digits(text + 2, 0, 99, &year) || text[4] != '-' ||
	    !two_digits(text + 5, 1, 12, &month) || text[7] != '-' || !two_digits(text + 8, 1, 31, &ret->tm_mday) || text[10] != 'T' ||
	    !two_digits(text + 11, 0, 23, &ret->tm_hour) || text[13] != ':' || !two_digits(text + 14, 0, 59, &ret->tm_min) ||
	    text[16] != ':' || !two_digits(text + 17, 0, 60, &ret->tm_sec))
		return false;
	ret->tm_year = century * 100 + year - 1900;
	ret->tm_mon = month - 1;
	return true;
}

// "Z", "+0900", "+09:00", "-03". Seconds east of UTC.
static bool parse_offset(const char *text, size_t length, long *ret)
{
	int hours, minutes = 0;

	if (length == 1 && text[0] == 'Z') {
		*ret = 0;
		return true;
	}
	if (length < 3 || (text[0] != '+' && text[0] != '-') || !two_digits(text + 1, 0, 23, &hours))
		return false;
	const char *rest = text + 3 + (length == 6 && text[3] == ':');

	if (length != 3 && (rest + 2 != text + length || !two_digits(rest, 0, 59, &minutes)))
		return false;
	*ret = (hours * 60L + minutes) * 60 * (text[0] == '-' ? -1 : 1);
	return true;
}

// Suricata writes "%Y-%m-%dT%H:%M:%S.%06u%z": always with an offset. Without one the moment would be a guess.
static bool parse_timestamp(const char *text, size_t length, uint64_t *ret_ns)
{
	struct tm date;
	uint64_t fraction_ns = 0, unit = 100000000;
	size_t at = 19;
	long offset;

	if (length < 20 || !parse_date(text, &date))
		return false;
	if (text[at] == '.') {
		for (at++; at < length && text[at] >= '0' && text[at] <= '9'; at++, unit /= 10)
			fraction_ns += (uint64_t)(text[at] - '0') * unit;
	}
	if (!parse_offset(text + at, length - at, &offset))
		return false;
	time_t seconds = timegm(&date) - offset;

	if (seconds < 0)
		return false;
	*ret_ns = (uint64_t)seconds * 1000000000u + fraction_ns;
	return true;
}

static bool get_address(struct json_object *object, const char *ip_key, const char *port_key, struct event_address *ret)
{
	size_t length;
	const char *text = get_string(object, ip_key, &length);
	uint64_t port = get_number(object, port_key); // ICMP has none

	if (!text || strlen(text) != length || address_parse(text, ret, NULL) < 0)
		return false;
	ret->port = port <= UINT16_MAX ? (uint16_t)port : 0;
	return true;
}

// src_ip is the packet's sender. In "flow" it is the flow's opener; that one serves when the packet's own is missing.
static bool get_both_ends(struct json_object *line, struct alert *alert)
{
	struct json_object *flow = get_object(line, "flow");

	if (get_address(line, "src_ip", "src_port", &alert->source) && get_address(line, "dest_ip", "dest_port", &alert->destination))
		return true;
	return get_address(flow, "src_ip", "src_port", &alert->source) && get_address(flow, "dest_ip", "dest_port", &alert->destination);
}

// At most size - 1 bytes, cut between characters, without anything behind a NUL. json-c lets overlong forms and surrogates pass its check
// of UTF-8: each such byte becomes U+FFFD.
static void copy_text(char *ret, size_t size, const char *text, size_t length)
{
	size_t n = text ? strnlen(text, length) : 0, filled = 0;

	for (size_t at = 0; at < n;) {
		uint32_t code;
		size_t used = unicode_decode((const unsigned char *)text + at, n - at, &code);
		bool valid = used > 0 && !(code >= 0xd800 && code <= 0xdfff);
		const char *character = valid ? text + at : "\xef\xbf\xbd";
		size_t bytes = valid ? used : 3;

		if (filled + bytes >= size)
			break;
		memcpy(ret + filled, character, bytes);
		filled += bytes;
		at += used > 0 ? used : 1;
	}
	ret[filled] = '\0';
}

static void get_text(struct json_object *object, const char *key, char *ret, size_t size)
{
	size_t length = 0;
	const char *text = get_string(object, key, &length);

	copy_text(ret, size, text, length);
}

// The sender of the packet is the flow's server when the flow says so ("direction", Suricata 7), else by "to_client".
static bool toward_server(struct json_object *line)
{
	size_t length;
	const char *direction = get_string(line, "direction", &length);

	return !direction || strcmp(direction, "to_client") != 0;
}

static enum line_kind read_alert(struct json_object *line, struct alert *alert, const char **ret_reason)
{
	size_t length = 0;
	const char *kind = get_string(line, "event_type", &length), *timestamp;
	struct json_object *details = get_object(line, "alert");

	*ret_reason = "has no event_type";
	if (!kind)
		return LINE_REJECTED;
	if (length != 5 || memcmp(kind, "alert", 5) != 0)
		return LINE_OTHER;
	timestamp = get_string(line, "timestamp", &length);
	*ret_reason = "alert without a readable timestamp";
	if (!timestamp || !parse_timestamp(timestamp, length, &alert->time_ns))
		return LINE_REJECTED;
	*ret_reason = "alert without both addresses";
	if (!get_both_ends(line, alert))
		return LINE_REJECTED;
	alert->to_server = toward_server(line);
	alert->flow_id = get_number(line, "flow_id");
	alert->signature_id = get_number(details, "signature_id");
	uint64_t severity = get_number(details, "severity");
	alert->severity = severity <= UINT32_MAX ? (uint32_t)severity : UINT32_MAX;
	get_text(line, "proto", alert->protocol, sizeof(alert->protocol));
	get_text(details, "signature", alert->signature, sizeof(alert->signature));
	return LINE_ALERT;
}

static struct json_object *parse_json(struct eve *e, const char *line, size_t length, const char **ret_reason)
{
	json_tokener_reset(e->tokener);
	struct json_object *object = json_tokener_parse_ex(e->tokener, line, (int)length);
	enum json_tokener_error error = json_tokener_get_error(e->tokener);

	*ret_reason = "is not whole JSON";
	if (error == json_tokener_continue)
		return NULL;
	if (error != json_tokener_success) {
		*ret_reason = json_tokener_error_desc(error); // a constant
		return NULL;
	}
	*ret_reason = "is no JSON object";
	if (json_tokener_get_parse_end(e->tokener) < length)
		*ret_reason = "has text behind the JSON";
	else if (json_object_is_type(object, json_type_object))
		return object;
	(void)json_object_put(object);
	return NULL;
}

static void reject(struct eve *e, const char *reason)
{
	if (e->report.rejected++ == 0) {
		e->report.first_rejected_line = e->report.lines;
		e->report.first_reason = reason;
	}
}

static int read_line(struct eve *e, const char *line, size_t length, struct error *err)
{
	struct alert alert = { .line = e->report.lines };
	const char *reason = "is too long";
	struct json_object *object = length <= MAX_LINE_BYTES ? parse_json(e, line, length, &reason) : NULL;
	enum line_kind kind = object ? read_alert(object, &alert, &reason) : LINE_REJECTED;

	if (object)
		(void)json_object_put(object);
	switch (kind) {
	case LINE_OTHER:
		e->report.other++;
		return 0;
	case LINE_REJECTED:
		reject(e, reason);
		return 0;
	case LINE_ALERT:
		break;
	}
	if (alert_vector_append(e->out, alert) < 0)
		return error_set(err, "out of memory");
	e->report.alerts++;
	return 0;
}

static bool is_blank(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (!memchr(" \t\r", line[i], 3))
			return false;
	}
	return true;
}

int alert_parse_eve(const char *bytes, size_t length, struct alert_vector *out, struct alert_report *ret_report, struct error *err)
{
	struct eve e = { .tokener = json_tokener_new_ex(MAX_DEPTH), .out = out };
	int result = 0;

	if (!e.tokener)
		return error_set(err, "out of memory");
	json_tokener_set_flags(e.tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	while (length > 0 && result == 0) {
		const char *newline = memchr(bytes, '\n', length);
		size_t n = newline ? (size_t)(newline - bytes) : length;
		size_t text = n;

		e.report.lines++;
		while (text > 0 && bytes[text - 1] == '\r')
			text--;
		if (!is_blank(bytes, text))
			result = read_line(&e, bytes, text, err);
		n += newline ? 1 : 0;
		bytes += n;
		length -= n;
	}
	json_tokener_free(e.tokener);
	if (result == 0)
		*ret_report = e.report;
	return result;
}
