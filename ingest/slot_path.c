// SPDX-License-Identifier: MIT
// PATH, CWD and PROCTITLE records: the most frequent after SYSCALL.
//
//     item=0 name="/etc/passwd" inode=855 dev=fe:00 mode=0100644 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL cap_fp=0 ...
//     item=0 name="/none" nametype=UNKNOWN cap_fp=0 ...                 a look-up that failed
#include "ingest/slot.h"

#include "ingest/cursor.h"
#include "ingest/fields.h"
#include "ingest/record.h"

#include <stdlib.h>

#define DEV_MINOR_BITS 20u    /* linux/kdev_t.h */
#define DEV_MAX_MAJOR 0xfffu
#define DEV_MAX_MINOR 0xfffffu

#define TEXT_ENTRIES 256u /* power of two: working folders and titles of the processes that are active at a time */
#define TEXT_MIN_BYTES 16u
#define TEXT_MAX_BYTES 276u /* proctitle= and 256 hex digits, the most that the kernel writes */

struct text_entry {
	uint32_t length, string;
	bool present;
	char text[TEXT_MAX_BYTES];
};

#define ATTRIBUTES_ENTRIES 32u /* power of two: modes and owners */
#define ATTRIBUTES_MIN_BYTES 65u
#define ATTRIBUTES_MAX_BYTES 188u

struct attributes_entry {
	uint32_t length;
	char text[ATTRIBUTES_MAX_BYTES];
	struct event_path path;
};

struct text_cache {
	struct text_entry entries[TEXT_ENTRIES];
	struct attributes_entry attributes[ATTRIBUTES_ENTRIES];
};

struct text_cache *text_cache_new(void)
{
	return calloc(1, sizeof(struct text_cache));
}

static inline uint64_t read_word(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

// NULL: too short or too long to be kept.
static struct text_entry *text_entry_of(struct text_cache *cache, const char *text, size_t length)
{
	if (length < TEXT_MIN_BYTES || length > TEXT_MAX_BYTES)
		return NULL;
	uint64_t mix = (read_word(text + length - 8) ^ length) * 0x9e3779b97f4a7c15u;

	mix = (mix ^ read_word(text + length / 2) ^ read_word(text + length - 16)) * 0x9e3779b97f4a7c15u;
	return &cache->entries[mix >> 40 & (TEXT_ENTRIES - 1)];
}

CURSOR_STEP bool cursor_dev(struct cursor *c, uint32_t *ret)
{
	uint64_t major, minor;

	if (!cursor_hex(c, &major) || !CURSOR_SKIP(c, ":") || !cursor_hex(c, &minor) || major > DEV_MAX_MAJOR || minor > DEV_MAX_MINOR)
		return false;
	*ret = (uint32_t)(major << DEV_MINOR_BITS | minor);
	return true;
}

static inline enum path_nametype nametype_of(const char *word, size_t length)
{
	if (length != 6)
		return NAMETYPE_UNKNOWN; // or "UNKNOWN"
	if (memcmp(word, "NORMAL", 6) == 0)
		return NAMETYPE_NORMAL;
	if (memcmp(word, "PARENT", 6) == 0)
		return NAMETYPE_PARENT;
	if (memcmp(word, "CREATE", 6) == 0)
		return NAMETYPE_CREATE;
	return memcmp(word, "DELETE", 6) == 0 ? NAMETYPE_DELETE : NAMETYPE_UNKNOWN;
}

CURSOR_STEP bool cursor_nametype(struct cursor *c, enum path_nametype *ret)
{
	const char *start = c->at, *p = start;

	while (*p >= 'A' && *p <= 'Z')
		p++;
	c->at = p;
	*ret = nametype_of(start, (size_t)(p - start));
	return p != start;
}

static void path_name(struct reader *r, struct event_path *path, const char *text, size_t length, bool quoted)
{
	if (quoted) {
		path->has_name = true;
		path->name = intern_add(r->strings, text, length);
		return;
	}
	path->name = field_intern(r->strings, &r->scratch, text, length, quoted, &path->has_name);
}

// " dev=fe:00 mode=0100644 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL"; SELinux hosts have obj=LABEL before nametype
static bool attributes_read(struct cursor *c, struct event_path *path)
{
	const char *label;
	size_t length;
	bool quoted;
	uint64_t mode;

	if (!(CURSOR_SKIP(c, " dev=") && cursor_dev(c, &path->dev) && CURSOR_SKIP(c, " mode=") && cursor_octal(c, &mode) &&
	      mode <= UINT32_MAX && CURSOR_SKIP(c, " ouid=") && cursor_decimal32(c, &path->ouid) && CURSOR_SKIP(c, " ogid=") &&
	      cursor_decimal32(c, &path->ogid) && CURSOR_SKIP(c, " rdev=") && cursor_dev(c, &path->rdev)))
		return false;
	path->mode = (uint32_t)mode;
	if (CURSOR_SKIP(c, " obj=") && !cursor_string(c, &label, &length, &quoted))
		return false;
	return CURSOR_SKIP(c, " nametype=") && cursor_nametype(c, &path->nametype);
}

// Most files share these with the files before them: equal text to the end of the line, equal attributes.
static bool attributes_of(struct text_cache *cache, struct cursor *c, struct event_path *path)
{
	size_t length = (size_t)(c->end - c->at);
	struct attributes_entry *entry = NULL;

	if (length >= ATTRIBUTES_MIN_BYTES && length <= ATTRIBUTES_MAX_BYTES) {
		// Behind the mode's first digits: the rest of it, and owner and group.
		uint64_t mix = (read_word(c->at + 17) ^ read_word(c->at + 57) ^ length) * 0x9e3779b97f4a7c15u;

		entry = &cache->attributes[mix >> 40 & (ATTRIBUTES_ENTRIES - 1)];
	}
	if (entry && entry->length == length && memcmp(entry->text, c->at, length) == 0) {
		path->dev = entry->path.dev;
		path->mode = entry->path.mode;
		path->ouid = entry->path.ouid;
		path->ogid = entry->path.ogid;
		path->rdev = entry->path.rdev;
		path->nametype = entry->path.nametype;
		return true;
	}
	const char *text = c->at;

	if (!attributes_read(c, path))
		return false;
	if (entry) {
		entry->length = (uint32_t)length;
		entry->path = *path;
		memcpy(entry->text, text, length);
	}
	return true;
}

static bool path_read(struct reader *r, struct cursor *c, struct event_path *path)
{
	const char *name;
	size_t length;
	bool quoted;

	if (!CURSOR_SKIP(c, "item=") || !cursor_decimal32(c, &path->item) || !CURSOR_SKIP(c, " name=") ||
	    !cursor_string(c, &name, &length, &quoted))
		return false;
	if (CURSOR_SKIP(c, " inode=")) {
		if (!cursor_decimal(c, &path->inode) || !attributes_of(r->texts, c, path))
			return false;
		path->has_inode = true;
	} else if (!CURSOR_SKIP(c, " nametype=") || !cursor_nametype(c, &path->nametype)) {
		return false;
	}
	path_name(r, path, name, length, quoted);
	return true;
}

void reader_path(struct reader *r, struct slot *s, const char *body, const char *end)
{
	struct cursor c = {body, end};
	struct event_path path = {0};

	if (!path_read(r, &c, &path)) {
		reader_path_any_order(r, s, body, end);
		return;
	}
	s->seen |= SEEN_PART;
	slot_add_path(s, r->pool, &path);
}

static bool number_dev(const char *value, size_t length, uint32_t *ret)
{
	const char *colon = memchr(value, ':', length);
	uint64_t major, minor;

	if (!colon || !number_hex(value, (size_t)(colon - value), &major) ||
	    !number_hex(colon + 1, length - (size_t)(colon + 1 - value), &minor) || major > DEV_MAX_MAJOR || minor > DEV_MAX_MINOR)
		return false;
	*ret = (uint32_t)(major << DEV_MINOR_BITS | minor);
	return true;
}

// False: a field that should be a number is none.
static bool path_field(struct reader *r, struct event_path *path, const struct field *f)
{
	uint64_t mode;

	if (field_is(f, "item"))
		return number_decimal32(f->value, f->value_length, &path->item);
	if (field_is(f, "name"))
		path_name(r, path, f->value, f->value_length, f->quoted);
	else if (field_is(f, "inode"))
		return path->has_inode = number_decimal(f->value, f->value_length, &path->inode);
	else if (field_is(f, "dev"))
		return number_dev(f->value, f->value_length, &path->dev);
	else if (field_is(f, "rdev"))
		return number_dev(f->value, f->value_length, &path->rdev);
	else if (field_is(f, "ouid"))
		return number_decimal32(f->value, f->value_length, &path->ouid);
	else if (field_is(f, "ogid"))
		return number_decimal32(f->value, f->value_length, &path->ogid);
	else if (field_is(f, "nametype") || field_is(f, "objtype")) // objtype: Linux 3.10 of RHEL 7
		path->nametype = nametype_of(f->value, f->value_length);
	else if (field_is(f, "mode")) {
		if (!number_octal(f->value, f->value_length, &mode) || mode > UINT32_MAX)
			return false;
		path->mode = (uint32_t)mode;
	}
	return true;
}

void reader_path_any_order(struct reader *r, struct slot *s, const char *body, const char *end)
{
	struct event_path path = {0};
	struct field f;
	bool has_item = false, readable = true;

	end = body + record_raw_length(body, (size_t)(end - body));
	while (field_next(&body, end, &f)) {
		readable &= path_field(r, &path, &f);
		has_item |= field_is(&f, "item");
	}
	s->seen |= SEEN_PART;
	if (!readable || !has_item)
		s->seen |= SEEN_CUT;
	if (has_item)
		slot_add_path(s, r->pool, &path);
}

// The only field of a record, up to its end: cwd="/root". Most of them stood in a line a short while ago: equal text, equal string.
static uint32_t only_string(struct reader *r, const char *body, const char *end, const char *key, size_t key_length, bool *ret_present)
{
	struct text_entry *entry = text_entry_of(r->texts, body, (size_t)(end - body));

	if (entry && entry->length == (size_t)(end - body) && memcmp(entry->text, body, entry->length) == 0) {
		*ret_present = entry->present;
		return entry->string;
	}
	struct cursor c = {body, body + record_raw_length(body, (size_t)(end - body))};
	struct field f;

	*ret_present = false;
	if (!cursor_skip(&c, key, key_length) || !cursor_string(&c, &f.value, &f.value_length, &f.quoted))
		return 0;
	uint32_t string = field_intern(r->strings, &r->scratch, f.value, f.value_length, f.quoted, ret_present);

	if (entry) {
		*entry = (struct text_entry){.length = (uint32_t)(end - body), .string = string, .present = *ret_present};
		memcpy(entry->text, body, entry->length);
	}
	return string;
}

void reader_cwd(struct reader *r, struct slot *s, const char *body, const char *end)
{
	bool present;

	s->seen |= SEEN_PART;
	s->cwd = only_string(r, body, end, "cwd=", 4, &present);
	if (present)
		s->present |= EVENT_HAS_CWD;
	else
		s->seen |= SEEN_CUT;
}

// Only a claim: nothing is lost with an unreadable one.
void reader_title(struct reader *r, struct slot *s, const char *body, const char *end)
{
	bool present;

	s->seen |= SEEN_PART;
	s->title = only_string(r, body, end, "proctitle=", 10, &present);
	if (present)
		s->present |= EVENT_HAS_TITLE;
}
