// SPDX-License-Identifier: MIT
// auditctl's options, as in its manual: -a LIST,ACTION or ACTION,LIST, -S CALL[,CALL...], -F FIELD OP VALUE, -k KEY, -w PATH -p PERM.
#include "ingest/rules_line.h"

#include <string.h>

struct tokens { const char *at, *end; };

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool next_token(struct tokens *t, struct rule_text *ret)
{
	while (t->at < t->end && is_space(*t->at))
		t->at++;
	const char *start = t->at;
	while (t->at < t->end && !is_space(*t->at))
		t->at++;
	*ret = (struct rule_text){start, (size_t)(t->at - start)};
	return ret->length > 0;
}

bool rule_text_is(struct rule_text t, const char *string)
{
	return t.length == strlen(string) && memcmp(t.bytes, string, t.length) == 0;
}

bool rule_text_number(struct rule_text t, uint64_t *ret)
{
	bool negative = t.length > 1 && t.bytes[0] == '-';
	size_t at = negative ? 1 : 0;
	bool hex = t.length > at + 2 && t.bytes[at] == '0' && (t.bytes[at + 1] == 'x' || t.bytes[at + 1] == 'X');
	uint64_t value = 0;

	if (rule_text_is(t, "unset")) {
		*ret = UINT32_MAX;
		return true;
	}
	if (hex)
		at += 2;
	if (at == t.length)
		return false;
	for (; at < t.length; at++) {
		char c = t.bytes[at];
		unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0') :
				 hex && c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 :
				 hex && c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : 99;
		if (digit > 15 || value > UINT64_MAX / 32)
			return false;
		value = value * (hex ? 16 : 10) + digit;
	}
	*ret = negative ? (uint32_t)-value : value; // fields of rules have 32 bits
	return true;
}

bool rule_filter_equal(const struct rule_filter *a, const struct rule_filter *b)
{
	uint64_t left, right;

	if (a->field.length != b->field.length || memcmp(a->field.bytes, b->field.bytes, a->field.length) != 0 ||
	    a->op.length != b->op.length || memcmp(a->op.bytes, b->op.bytes, a->op.length) != 0)
		return false;
	if (rule_text_number(a->value, &left) && rule_text_number(b->value, &right))
		return left == right;
	return a->value.length == b->value.length && memcmp(a->value.bytes, b->value.bytes, a->value.length) == 0;
}

bool rule_filter_is(const struct rule_filter *f, const char *field, const char *op, const char *value)
{
	struct rule_filter other = {
		.field = {field, strlen(field)},
		.op = {op, strlen(op)},
		.value = {value, strlen(value)},
	};
	return rule_filter_equal(f, &other);
}

bool rule_filter_is_errno(const struct rule_filter *f)
{
	return rule_text_is(f->field, "exit") && rule_text_is(f->op, "=") && f->value.length > 1 && f->value.bytes[0] == '-';
}

// "a2&0x243", "exit!=-ENOENT", "auid>=1000": the operator is the first run of these characters.
static bool split_filter(struct rule_text text, struct rule_filter *ret)
{
	static const char operators[] = "=!<>&";
	size_t start = 0, end;

	while (start < text.length && !memchr(operators, text.bytes[start], sizeof(operators) - 1))
		start++;
	end = start;
	while (end < text.length && memchr(operators, text.bytes[end], sizeof(operators) - 1))
		end++;
	*ret = (struct rule_filter){
		.field = {text.bytes, start},
		.op = {text.bytes + start, end - start},
		.value = {text.bytes + end, text.length - end},
		.text = text,
	};
	return start > 0 && end > start;
}

static bool add_filter(struct rule_line *r, struct rule_filter f)
{
	if (r->filter_count == RULE_MAX_FILTERS)
		return false;
	r->filters[r->filter_count++] = f;
	return true;
}

static bool take_filter(struct rule_line *r, struct rule_text text)
{
	struct rule_filter f;

	if (!split_filter(text, &f))
		return false;
	if (rule_text_is(f.field, "key"))
		return true;
	if (!rule_text_is(f.field, "arch"))
		return add_filter(r, f);
	bool is = rule_text_is(f.op, "=");
	r->b64 = (rule_text_is(f.value, "b64") || rule_text_is(f.value, "x86_64")) == is;
	r->b32 = (rule_text_is(f.value, "b32") || rule_text_is(f.value, "i386")) == is;
	return true;
}

static bool take_calls(struct rule_line *r, struct rule_text text)
{
	for (size_t at = 0; at < text.length;) {
		const char *comma = memchr(text.bytes + at, ',', text.length - at);
		size_t length = comma ? (size_t)(comma - (text.bytes + at)) : text.length - at;
		struct rule_text call = {text.bytes + at, length};

		if (rule_text_is(call, "all"))
			r->all_calls = true;
		else if (length > 0 && r->call_count == RULE_MAX_CALLS)
			return false;
		else if (length > 0)
			r->calls[r->call_count++] = call;
		at += length + 1;
	}
	return true;
}

// "always,exit" and "exit,always" are the same.
static bool take_list(struct rule_line *r, struct rule_text text)
{
	const char *comma = memchr(text.bytes, ',', text.length);
	bool action = false, list = false;

	if (!comma)
		return false;
	for (int i = 0; i < 2; i++) {
		struct rule_text word = i == 0 ? (struct rule_text){text.bytes, (size_t)(comma - text.bytes)} :
						 (struct rule_text){comma + 1, text.length - (size_t)(comma - text.bytes) - 1};
		if (rule_text_is(word, "always") || rule_text_is(word, "never")) {
			r->always = rule_text_is(word, "always");
			action = true;
		} else {
			r->list = rule_text_is(word, "exit") ? RULE_LIST_EXIT :
				  rule_text_is(word, "exclude") ? RULE_LIST_EXCLUDE :
				  rule_text_is(word, "task") ? RULE_LIST_TASK : RULE_LIST_OTHER;
			list = true;
		}
	}
	return action && list;
}

// -w PATH: every call on that path with the permissions of -p, all four without it.
static bool take_watch(struct rule_line *r, struct rule_text path)
{
	*r = (struct rule_line){.always = true, .list = RULE_LIST_EXIT, .b64 = true, .b32 = true, .all_calls = true};
	return add_filter(r, (struct rule_filter){.field = {"path", 4}, .op = {"=", 1}, .value = path, .text = path});
}

static bool take_permissions(struct rule_line *r, struct rule_text text)
{
	return add_filter(r, (struct rule_filter){.field = {"perm", 4}, .op = {"=", 1}, .value = text, .text = text});
}

static bool is_watch(const struct rule_line *r)
{
	return r->filter_count > 0 && rule_text_is(r->filters[0].field, "path") && r->filters[0].text.bytes == r->filters[0].value.bytes;
}

static bool take_option(struct rule_line *r, struct rule_text option, struct rule_text value)
{
	if (rule_text_is(option, "-S"))
		return take_calls(r, value);
	if (rule_text_is(option, "-F"))
		return take_filter(r, value);
	if (rule_text_is(option, "-C")) // compares two fields of the event: narrows, whatever they are
		return add_filter(r, (struct rule_filter){.field = {"-C", 2}, .op = {"=", 1}, .value = value, .text = value});
	if (rule_text_is(option, "-p"))
		return take_permissions(r, value);
	return rule_text_is(option, "-k");
}

static enum rule_line_kind other_line(struct rule_text first)
{
	static const char *const options[] = {"-b", "-c", "-d", "-e", "-f", "-i", "-m", "-q", "-r", "-s", "-t", "-v", "-W", "No"};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (rule_text_is(first, options[i]))
			return RULE_LINE_OPTION;
	return first.length > 2 && memcmp(first.bytes, "--", 2) == 0 ? RULE_LINE_OPTION : RULE_LINE_OTHER;
}

enum rule_line_kind rule_line_parse(const char *bytes, size_t length, struct rule_line *ret)
{
	struct tokens t = {bytes, bytes + length};
	struct rule_text option, value;

	*ret = (struct rule_line){.b64 = true, .b32 = true};
	if (!next_token(&t, &option) || option.bytes[0] == '#')
		return RULE_LINE_OPTION;
	if (rule_text_is(option, "-D"))
		return RULE_LINE_DELETE_ALL;
	bool watch = rule_text_is(option, "-w");
	if (!watch && !rule_text_is(option, "-a") && !rule_text_is(option, "-A"))
		return other_line(option);
	if (!next_token(&t, &value) || !(watch ? take_watch(ret, value) : take_list(ret, value)))
		return RULE_LINE_OTHER;
	while (next_token(&t, &option))
		if (!next_token(&t, &value) || !take_option(ret, option, value))
			return RULE_LINE_OTHER;
	if (is_watch(ret) && ret->filter_count == 1 && !take_permissions(ret, (struct rule_text){"rwxa", 4}))
		return RULE_LINE_OTHER;
	if (ret->call_count == 0)
		ret->all_calls = true;
	return RULE_LINE_RULE;
}
