// SPDX-License-Identifier: MIT
// A strict reader for the XML that we write: says where it is not well-formed, calls back for every element, attribute and text.
// Knows no DTD, no CDATA, no namespaces beyond a prefix, and takes that as an error: we write none.
#ifndef TESTS_UNIT_XML_CHECK_H
#define TESTS_UNIT_XML_CHECK_H

#include "base/buffer.h"
#include "base/text_unicode.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct xml_check {
	const char *at, *end;
	const char *problem;                 // NULL: none so far
	char stack[32][32];
	size_t depth, elements;
	// May be NULL. Values are decoded.
	void (*element)(void *context, const char *name);
	void (*attribute)(void *context, const char *element, const char *name, const char *value, size_t length);
	void (*text)(void *context, const char *element, const char *value, size_t length);
	void *context;
};

static bool xml_fail(struct xml_check *x, const char *problem)
{
	if (!x->problem)
		x->problem = problem;
	return false;
}

// XML 1.0 Char, without what our own rules forbid to be raw: C0 but line feed, DEL, C1, direction marks, non-characters.
static bool xml_characters(struct xml_check *x, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length;) {
		uint32_t code;
		size_t used = unicode_decode((const unsigned char *)bytes + i, length - i, &code);

		if (used == 0)
			return xml_fail(x, "no UTF-8");
		if (code != '\n' && unicode_is_hidden(code))
			return xml_fail(x, "a character that must not be raw");
		i += used;
	}
	return true;
}

static bool xml_decode(struct xml_check *x, const char *bytes, size_t length, struct buffer *out)
{
	static const struct { const char *entity; char c; } known[] = {
		{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}, {"&#39;", '\''},
	};

	if (!xml_characters(x, bytes, length))
		return false;
	for (size_t i = 0; i < length; i++) {
		size_t k = 0;

		if (bytes[i] == '<')
			return xml_fail(x, "< in a value");
		if (bytes[i] != '&') {
			buffer_add_byte(out, bytes[i]);
			continue;
		}
		while (k < sizeof(known) / sizeof(known[0]) &&
		       (length - i < strlen(known[k].entity) || memcmp(bytes + i, known[k].entity, strlen(known[k].entity)) != 0))
			k++;
		if (k == sizeof(known) / sizeof(known[0]))
			return xml_fail(x, "an unknown entity");
		buffer_add_byte(out, known[k].c);
		i += strlen(known[k].entity) - 1;
	}
	return true;
}

static bool xml_is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == ':' || c == '.';
}

static bool xml_name(struct xml_check *x, char *ret, size_t size)
{
	size_t length = 0;

	while (x->at < x->end && xml_is_name(*x->at) && length + 1 < size)
		ret[length++] = *x->at++;
	ret[length] = '\0';
	return length > 0 ? true : xml_fail(x, "no name");
}

static void xml_space(struct xml_check *x)
{
	while (x->at < x->end && (*x->at == ' ' || *x->at == '\n'))
		x->at++;
}

static bool xml_attribute(struct xml_check *x, const char *element, char (*seen)[40], size_t *seen_count)
{
	char name[40];

	if (!xml_name(x, name, sizeof(name)))
		return false;
	for (size_t i = 0; i < *seen_count; i++)
		if (strcmp(seen[i], name) == 0)
			return xml_fail(x, "an attribute twice");
	if (*seen_count == 16)
		return xml_fail(x, "too many attributes");
	memcpy(seen[(*seen_count)++], name, sizeof(name));
	if (x->end - x->at < 2 || x->at[0] != '=' || x->at[1] != '"')
		return xml_fail(x, "no =\" after an attribute");
	const char *value = x->at + 2, *quote = memchr(value, '"', (size_t)(x->end - value));
	if (!quote)
		return xml_fail(x, "an attribute without end");
	struct buffer decoded = {0};
	bool good = xml_decode(x, value, (size_t)(quote - value), &decoded);
	if (good && x->attribute)
		x->attribute(x->context, element, name, buffer_string(&decoded), decoded.length);
	buffer_release(&decoded);
	x->at = quote + 1;
	return good;
}

static bool xml_tag(struct xml_check *x)
{
	char name[32], seen[16][40];
	size_t seen_count = 0;
	bool closes = x->at < x->end && *x->at == '/';

	x->at += closes;
	if (!xml_name(x, name, sizeof(name)))
		return false;
	if (closes) {
		xml_space(x);
		if (x->depth == 0 || strcmp(x->stack[x->depth - 1], name) != 0)
			return xml_fail(x, "an end tag without its start");
		x->depth--;
	} else {
		if (x->element)
			x->element(x->context, name);
		x->elements++;
		for (xml_space(x); x->at < x->end && *x->at != '>' && *x->at != '/'; xml_space(x))
			if (!xml_attribute(x, name, seen, &seen_count))
				return false;
		if (x->at < x->end && *x->at == '/') {
			x->at++;
		} else if (x->depth == sizeof(x->stack) / sizeof(x->stack[0])) {
			return xml_fail(x, "too deep");
		} else {
			memcpy(x->stack[x->depth++], name, sizeof(name));
		}
	}
	if (x->at >= x->end || *x->at != '>')
		return xml_fail(x, "a tag without >");
	x->at++;
	return true;
}

static bool xml_text(struct xml_check *x)
{
	const char *next = memchr(x->at, '<', (size_t)(x->end - x->at));
	size_t length = (size_t)((next ? next : x->end) - x->at);
	struct buffer decoded = {0};
	bool good = xml_decode(x, x->at, length, &decoded);

	if (good && x->depth == 0 && strspn(buffer_string(&decoded), "\n ") != decoded.length)
		good = xml_fail(x, "text outside the root");
	if (good && length > 0 && x->depth > 0 && x->text)
		x->text(x->context, x->stack[x->depth - 1], buffer_string(&decoded), decoded.length);
	buffer_release(&decoded);
	x->at += length;
	return good;
}

// Comments of libraries (igraph writes one) are skipped when they hold plain words only.
static bool xml_comment(struct xml_check *x)
{
	const char *at = x->at;

	if (x->end - at < 3 || memcmp(at, "!--", 3) != 0)
		return xml_fail(x, "a declaration");
	while (at < x->end && *at != '>')
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.!- ", *at++))
			return xml_fail(x, "a comment with more than words");
	x->at = at < x->end ? at + 1 : at;
	return at < x->end ? true : xml_fail(x, "a comment without end");
}

// NULL when all is well, else what is wrong; x->at is near it.
static const char *xml_check_run(struct xml_check *x, const char *bytes, size_t length)
{
	static const char declaration[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

	x->at = bytes;
	x->end = bytes + length;
	if (length < strlen(declaration) || memcmp(bytes, declaration, strlen(declaration)) != 0)
		return "no XML declaration";
	x->at += strlen(declaration);
	while (!x->problem && x->at < x->end) {
		if (!xml_text(x) || x->at >= x->end)
			break;
		x->at++;
		if (x->at < x->end && *x->at == '!')
			(void)xml_comment(x);
		else
			(void)xml_tag(x);
	}
	if (!x->problem && (x->depth > 0 || x->elements == 0))
		x->problem = "elements without end";
	return x->problem;
}

#endif
