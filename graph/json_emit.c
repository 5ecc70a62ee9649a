// SPDX-License-Identifier: MIT
#include "graph/json_emit.h"

#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static void begin_value(struct json *j, const char *key)
{
	if (j->needs_comma)
		buffer_add_byte(j->out, ',');
	if (key)
		buffer_printf(j->out, "\"%s\":", key);
	j->needs_comma = true;
}

void json_begin(struct json *j, const char *key, char bracket)
{
	begin_value(j, key);
	buffer_add_byte(j->out, bracket);
	j->needs_comma = false;
}

void json_end(struct json *j, char bracket)
{
	buffer_add_byte(j->out, bracket);
	j->needs_comma = true;
}

void json_line(struct json *j)
{
	if (j->needs_comma)
		buffer_add_byte(j->out, ',');
	buffer_add_byte(j->out, '\n');
	j->needs_comma = false;
}

static void add_exact(struct json *j, const char *key, const char *suffix, struct text t)
{
	buffer_printf(j->out, ",\"%s%s\":\"", key, suffix);
	text_base64(j->out, t.bytes, t.length);
	buffer_add_byte(j->out, '"');
}

void json_text(struct json *j, const char *key, struct text t)
{
	struct buffer words = {0};
	bool lossy;

	text_json(&words, t.bytes, t.length, &lossy);
	begin_value(j, key);
	if (lossy && !key)
		buffer_add_string(j->out, "{\"text\":");
	buffer_add(j->out, buffer_string(&words), words.length);
	if (lossy && key)
		add_exact(j, key, "_b64", t);
	if (lossy && !key) {
		add_exact(j, "b64", "", t);
		buffer_add_byte(j->out, '}');
	}
	if (words.failed)
		j->out->failed = true;
	buffer_release(&words);
}

void json_words(struct json *j, const char *key, const char *words)
{
	json_text(j, key, (struct text){words, strlen(words)});
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin_value(j, key);
	buffer_add_string(j->out, value ? "true" : "false");
}

void json_number(struct json *j, const char *key, uint64_t value)
{
	begin_value(j, key);
	buffer_printf(j->out, "%" PRIu64, value);
}

void json_number_or_null(struct json *j, const char *key, uint64_t value, uint64_t none)
{
	if (value != none) {
		json_number(j, key, value);
	} else {
		begin_value(j, key);
		buffer_add_string(j->out, "null");
	}
}

void json_wide(struct json *j, const char *key, uint64_t value)
{
	begin_value(j, key);
	buffer_printf(j->out, "\"%" PRIu64 "\"", value);
}

void json_seconds(struct json *j, const char *key, int64_t ns)
{
	uint64_t amount = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;

	begin_value(j, key);
	buffer_printf(j->out, "%s%" PRIu64 ".%09" PRIu64, ns < 0 ? "-" : "", amount / NANOTIME_SECOND, amount % NANOTIME_SECOND);
}

void json_score(struct json *j, const char *key, double value)
{
	// In whole millionths, so that no locale writes a comma; what is no number is 0.
	uint64_t millionths = value > 0 && value < 1e9 ? (uint64_t)llround(value * 1e6) : 0;

	begin_value(j, key);
	buffer_printf(j->out, "%" PRIu64 ".%06" PRIu64, millionths / 1000000, millionths % 1000000);
}

void json_time(struct json *j, const char *key, uint64_t ns, struct timezone_choice zone)
{
	begin_value(j, key);
	if (ns == 0 || ns == NANOTIME_NONE) { // 0: before all that was recorded
		buffer_printf(j->out, "null,\"%s_ns\":null", key);
		return;
	}
	buffer_add_byte(j->out, '"');
	nanotime_format(j->out, ns, NANOTIME_FULL, zone);
	buffer_printf(j->out, "\",\"%s_ns\":\"%" PRIu64 "\"", key, ns);
}
