// SPDX-License-Identifier: MIT
// The case file, read back with json-c.
#include "graph/write.h"

#include "base/memory.h"
#include "base/text_unicode.h"
#include "tests/unit/hostile_pictures.h"
#include "tests/unit/unit.h"

#include <json-c/json.h>

static struct json_object *parsed(const struct picture *p)
{
	struct buffer out = {0};
	struct json_tokener *reader = json_tokener_new_ex(32);

	CHECK_EQUAL(write_json(p, &out, NULL), 0);
	json_tokener_set_flags(reader, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	struct json_object *root = json_tokener_parse_ex(reader, buffer_string(&out), (int)out.length + 1);
	CHECK(root != NULL);
	json_tokener_free(reader);
	buffer_release(&out);
	return root;
}

// "edges.0.op": the value at a path of keys and indices.
static struct json_object *value_at(struct json_object *root, const char *path)
{
	char copy[128], *rest = copy, *word;

	(void)snprintf(copy, sizeof(copy), "%s", path);
	while (root && (word = strsep(&rest, ".")) != NULL)
		root = json_object_is_type(root, json_type_array) ? json_object_array_get_idx(root, strtoul(word, NULL, 10)) :
								    json_object_object_get(root, word);
	return root;
}

static const char *string_at(struct json_object *root, const char *path)
{
	struct json_object *value = value_at(root, path);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "(none)";
}

static int64_t number_at(struct json_object *root, const char *path)
{
	struct json_object *value = value_at(root, path);

	return json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : -1;
}

static void test_incident(void)
{
	struct picture *p = made_incident();
	struct json_object *root;

	p->nodes.items[2].inode = UINT64_MAX;
	p->nodes.items[0].auid = EVENT_ID_UNSET;
	p->edges.items[0].serials[0] = UINT64_MAX - 1;
	p->nodes.items[1].first_ns = 0; // it was there before all that was recorded
	root = parsed(p);
	CHECK(json_object_object_get_ex(value_at(root, "nodes.1"), "first", NULL) && !value_at(root, "nodes.1.first") && !value_at(root, "nodes.1.first_ns"));
	CHECK_STRING(string_at(root, "nodes.2.first"), "2026-11-20T10:04:37.080+09:00");
	CHECK_EQUAL(number_at(root, "schema"), 1);
	CHECK_STRING(string_at(root, "provgraph"), "0.1.0");
	CHECK_STRING(string_at(root, "alert.address"), "10.0.0.5");
	CHECK_EQUAL(number_at(root, "alert.port"), 443);
	CHECK_STRING(string_at(root, "alert.time"), "2026-11-20T10:06:00+09:00");
	CHECK_STRING(string_at(root, "alert.time_ns"), "1795136760000000000");
	CHECK_STRING(string_at(root, "window.from"), "2026-11-20T09:56:00+09:00");
	CHECK(json_object_get_boolean(value_at(root, "completeness.loss")));
	CHECK_STRING(string_at(root, "completeness.missing.0.from"), "2026-11-20T10:07:55+09:00");
	CHECK(json_object_object_get_ex(value_at(root, "completeness.missing.1"), "from", NULL));
	CHECK(value_at(root, "completeness.missing.1.from") == NULL); // null: no time
	CHECK_STRING(string_at(root, "inputs.0.to"), "41234567");
	// Exactly what is drawn.
	CHECK_EQUAL(json_object_array_length(value_at(root, "nodes")), p->nodes.count);
	CHECK_EQUAL(json_object_array_length(value_at(root, "edges")), p->edges.count);
	CHECK_STRING(string_at(root, "nodes.1.id"), "n2");
	CHECK_STRING(string_at(root, "nodes.1.kind"), "process");
	CHECK_EQUAL(number_at(root, "nodes.1.pid"), 2103);
	CHECK_STRING(string_at(root, "nodes.1.argv.0"), "thunderbird");
	CHECK(value_at(root, "nodes.0.auid") == NULL);
	CHECK_EQUAL(number_at(root, "nodes.1.auid"), 1000);
	CHECK_STRING(string_at(root, "nodes.2.path"), "/home/alice/Downloads/invoice.py");
	CHECK_STRING(string_at(root, "nodes.2.dev"), "fe:00");
	CHECK_STRING(string_at(root, "nodes.2.inode"), "18446744073709551615");
	CHECK_STRING(string_at(root, "nodes.2.states.2.glyph"), "x");
	CHECK_STRING(string_at(root, "nodes.6.address"), "10.0.0.5");
	CHECK_EQUAL(number_at(root, "nodes.6.port"), 443);
	CHECK_STRING(string_at(root, "nodes.4.fold"), "f1");
	CHECK_STRING(string_at(root, "folded.0.node"), "n5");
	CHECK_EQUAL(number_at(root, "folded.0.count"), 212);
	CHECK_EQUAL(json_object_array_length(value_at(root, "folded.0.members")), 212);
	CHECK_STRING(string_at(root, "edges.1.from"), "n2");
	CHECK_STRING(string_at(root, "edges.1.to"), "n3");
	CHECK_STRING(string_at(root, "edges.1.op"), "create");
	CHECK_STRING(string_at(root, "edges.1.class"), "observed");
	CHECK_EQUAL(number_at(root, "edges.1.steps.0"), 1);
	CHECK_STRING(string_at(root, "edges.0.serials.0"), "18446744073709551614");
	CHECK_STRING(string_at(root, "story.0.edge"), "e2");
	CHECK_EQUAL(number_at(root, "story.0.number"), 1);
	CHECK(json_object_get_boolean(value_at(root, "story.5.alert")));
	CHECK_STRING(string_at(root, "notes.0.kind"), "login");
	CHECK(json_object_get_boolean(value_at(root, "notes.0.claimed")));
	CHECK_STRING(string_at(root, "choke_points.0"), "n4");
	json_object_put(root);
	made_free(p);
}

static bool is_utf8(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length;) {
		uint32_t code;
		size_t used = unicode_decode((const unsigned char *)bytes + i, length - i, &code);

		if (used == 0 || (code >= 0xd800 && code <= 0xdfff))
			return false;
		i += used;
	}
	return true;
}

static size_t unbase64(const char *digits, char *ret)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t word = 0;
	size_t bits = 0, length = 0;

	for (; *digits && *digits != '='; digits++) {
		word = word << 6 | (uint32_t)(strchr(alphabet, *digits) - alphabet);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			ret[length++] = (char)(word >> bits & 0xff);
		}
	}
	return length;
}

// The bytes of every string come back exactly: as they are, or through _b64.
static void check_back(struct json_object *holder, const char *key, const struct hostile_string *want)
{
	struct json_object *value = json_object_object_get(holder, key);
	char exact[32], bytes[256];

	(void)snprintf(exact, sizeof(exact), "%s_b64", key);
	struct json_object *digits = json_object_object_get(holder, exact);
	if (is_utf8(want->bytes, want->length)) {
		CHECK(digits == NULL);
		CHECK_EQUAL(json_object_get_string_len(value), want->length);
		CHECK(memcmp(json_object_get_string(value), want->bytes, want->length) == 0);
	} else {
		CHECK(digits != NULL);
		size_t length = digits ? unbase64(json_object_get_string(digits), bytes) : 0;
		CHECK_EQUAL(length, want->length);
		CHECK(length == want->length && memcmp(bytes, want->bytes, length) == 0);
	}
}

static void test_strings(void)
{
	for (size_t i = 0; i < ARRAY_LENGTH(hostile_strings); i++) {
		struct picture *p = hostile_picture();
		const struct hostile_string *s = &hostile_strings[i];
		const enum place places[] = {PLACE_HOST, PLACE_PROCESS_NAME, PLACE_ARGV, PLACE_PATH, PLACE_EDGE_LABEL, PLACE_MEMBER, PLACE_STEP, PLACE_INPUT};

		for (size_t j = 0; j < ARRAY_LENGTH(places); j++)
			*place_of(p, places[j]) = made_bytes(s->bytes, s->length);
		struct json_object *root = parsed(p), *argument = value_at(root, "nodes.0.argv.1");
		check_back(root, "host", s);
		check_back(value_at(root, "nodes.0"), "name", s);
		check_back(value_at(root, "nodes.1"), "path", s);
		check_back(value_at(root, "edges.0"), "label", s);
		check_back(value_at(root, "folded.0.members.0"), "name", s);
		check_back(value_at(root, "story.0"), "words", s);
		check_back(value_at(root, "inputs.0"), "name", s);
		if (is_utf8(s->bytes, s->length)) {
			CHECK(json_object_is_type(argument, json_type_string));
		} else {
			char bytes[256];

			CHECK(json_object_is_type(argument, json_type_object));
			CHECK_EQUAL(unbase64(string_at(argument, "b64"), bytes), s->length);
			CHECK(memcmp(bytes, s->bytes, s->length) == 0);
		}
		json_object_put(root);
		made_free(p);
	}
}

// Nothing in it, and an index that points nowhere: still JSON.
static void test_empty(void)
{
	struct picture *p = made_picture();
	struct json_object *root;

	p->alert_ns = NANOTIME_NONE;
	p->alert_address.kind = ADDRESS_NONE;
	made_note(p, NOTE_RAN, NANOTIME_NONE, 77, false, "x");
	root = parsed(p);
	CHECK(value_at(root, "alert.time") == NULL && value_at(root, "alert.address") == NULL);
	CHECK(!json_object_get_boolean(value_at(root, "completeness.loss")));
	CHECK_EQUAL(json_object_array_length(value_at(root, "nodes")), 0);
	CHECK(value_at(root, "notes.0.node") == NULL);
	json_object_put(root);
	made_free(p);
}

int main(void)
{
	test_incident();
	test_strings();
	test_empty();
	return unit_end();
}
