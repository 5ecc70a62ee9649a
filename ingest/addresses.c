// SPDX-License-Identifier: MIT
// Which addresses a log names: a pass over "saddr=" alone, for "nothing matched".
#include "ingest/source_files.h"

#include "base/memory.h"
#include "ingest/fields.h"
#include "ingest/needle.h"
#include "ingest/record.h"
#include "ingest/sockaddr.h"
#include "ingest/stamp.h"
#include "ingest/time_index.h"

#include <string.h>

#define STEP_BYTES ((size_t)1 << 19)
#define MAX_ADDRESSES 65536 /* our limit: a scan of the whole internet is not a list to read */
#define FIRST_SIZE 1024
#define SADDR "saddr="

struct tally {
	struct files_source *source;
	uint64_t from_ns, to_ns;
	uint32_t host;              // of the log that is read
	struct address_seen *items; // dense, in order of first sight
	size_t count, capacity;
	uint32_t *slots;            // item + 1; a power of two, at most half full
	size_t slot_count;
	uint64_t bytes;
	struct needles needle;
};

static uint64_t hash_address(const struct event_address *a)
{
	uint64_t low, high;

	memcpy(&low, a->ip, 8);
	memcpy(&high, a->ip + 8, 8);
	low = (low ^ ((uint64_t)a->port << 48) ^ (uint64_t)a->kind) * 0x9e3779b97f4a7c15u;
	low = (low ^ low >> 29 ^ high) * 0xc2b2ae3d27d4eb4fu;
	return low ^ low >> 32;
}

static uint32_t *slot_of(const struct tally *t, const struct event_address *a)
{
	size_t at = (size_t)hash_address(a) & (t->slot_count - 1);

	while (t->slots[at]) {
		const struct event_address *other = &t->items[t->slots[at] - 1].address;

		if (address_same_host(other, a) && other->port == a->port)
			break;
		at = (at + 1) & (t->slot_count - 1);
	}
	return &t->slots[at];
}

static int grow(struct tally *t, struct error *err)
{
	size_t slot_count = t->slot_count ? t->slot_count * 2 : FIRST_SIZE;
	uint32_t *slots = calloc(slot_count, sizeof(*slots));
	void *items = t->items;

	if (!slots || vector_grow(&items, &t->capacity, slot_count / 2, sizeof(*t->items)) < 0) {
		free(slots);
		return error_set(err, "out of memory");
	}
	free(t->slots);
	t->items = items;
	t->slots = slots;
	t->slot_count = slot_count;
	for (size_t i = 0; i < t->count; i++)
		*slot_of(t, &t->items[i].address) = (uint32_t)i + 1;
	return 0;
}

static int add_address(struct tally *t, const struct event_address *a, uint64_t ns, struct error *err)
{
	if (t->count * 2 >= t->slot_count && grow(t, err) < 0)
		return -1;
	uint32_t *slot = slot_of(t, a);

	if (!*slot) {
		if (t->count == MAX_ADDRESSES)
			return 0;
		t->items[t->count] = (struct address_seen){ .address = *a, .first_ns = ns, .last_ns = ns };
		*slot = (uint32_t)++t->count;
	}
	struct address_seen *seen = &t->items[*slot - 1];

	seen->count++;
	if (ns < seen->first_ns)
		seen->first_ns = ns;
	if (ns > seen->last_ns)
		seen->last_ns = ns;
	return 0;
}

static bool host_is_wanted(const struct tally *t, const struct record *record)
{
	const struct files_source *s = t->source;

	return files_host_wanted(s, record->node ? intern_find(s->strings, record->node, record->node_length) : t->host);
}

// `place` is where "saddr=" stands in the line.
static int take_line(struct tally *t, const char *line, size_t length, size_t place, struct error *err)
{
	const char *hex = line + place + sizeof(SADDR) - 1, *end = line + length;
	uint8_t bytes[SOCKADDR_MAX_BYTES];
	struct event_address a;
	struct record record;
	size_t digits = 0;

	while (hex + digits < end && digits < 2 * sizeof(bytes) && strchr("0123456789abcdefABCDEF", hex[digits]) && hex[digits])
		digits++;
	// Only what the kernel writes at the start of a SOCKADDR record is an address; elsewhere it is somebody's text.
	if (record_parse(line, length, &record) || record.body != line + place || !hex_decode(hex, digits & ~(size_t)1, bytes))
		return 0;
	if (record.time_ns < t->from_ns || record.time_ns >= t->to_ns || !host_is_wanted(t, &record))
		return 0;
	// The family is in the host's byte order: 0200 or 0002, 0a00 or 000a.
	if (digits < 4 || (bytes[0] | bytes[1]) == 0 || (bytes[0] && bytes[1]) || !memchr("\x02\x0a", bytes[0] | bytes[1], 2))
		return 0;
	sockaddr_decode(bytes, digits / 2, bytes[0] == 0, t->source->strings, &a);
	if (a.kind != ADDRESS_IPV4 && a.kind != ADDRESS_IPV6)
		return 0;
	return add_address(t, &a, record.time_ns, err);
}

static int take_bytes(struct tally *t, const char *bytes, size_t length, struct error *err)
{
	size_t which, at = 0;

	while ((at = needles_find(&t->needle, bytes, length, at, &which)) < length) {
		size_t start = stamp_line_start(bytes, at), end = stamp_line_end(bytes, length, at);

		if (take_line(t, bytes + start, end - start, at - start, err) < 0)
			return -1;
		at = end;
	}
	return 0;
}

static int take_log(struct tally *t, struct log_file *f, struct error *err)
{
	char *bytes AUTO_FREE = malloc(STEP_BYTES);
	uint64_t at, end;

	if (!bytes)
		return error_set(err, "out of memory");
	t->host = f->host;
	if (time_index_range(f, files_time_before(t->source, t->from_ns), files_time_after(t->source, t->to_ns), &at, &end, err) < 0)
		return -1;
	while (at < end) {
		size_t wanted = end - at < STEP_BYTES ? (size_t)(end - at) : STEP_BYTES, got = 0, whole;

		if (log_file_read(f, at, bytes, wanted, &got, err) < 0)
			return -1;
		// The last line may be cut: the next step begins with it.
		whole = at + got < end ? stamp_line_start(bytes, got) : got;
		if (whole == 0)
			whole = got;
		if (whole == 0)
			break;
		if (take_bytes(t, bytes, whole, err) < 0)
			return -1;
		at += whole;
		t->bytes += whole;
	}
	return 0;
}

static int most_frequent_first(const void *a, const void *b)
{
	const struct address_seen *x = a, *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	if (x->address.kind != y->address.kind)
		return x->address.kind < y->address.kind ? -1 : 1;
	int order = memcmp(x->address.ip, y->address.ip, sizeof(x->address.ip));

	return order != 0 ? order : (int)x->address.port - (int)y->address.port;
}

int files_addresses(struct source *source, uint64_t from_ns, uint64_t to_ns, struct address_seen **ret, size_t *ret_count,
		    struct completeness *c, struct error *err)
{
	struct tally t = { .source = (struct files_source *)source, .from_ns = from_ns, .to_ns = to_ns };
	int result = log_set_find_last(&t.source->set, err);

	(void)needles_add(&t.needle, SADDR, sizeof(SADDR) - 1);
	for (size_t i = 0; result == 0 && i < t.source->set.count; i++) {
		struct log_file *f = t.source->set.logs[i];

		if (f->first_ns <= files_time_after(t.source, to_ns) && files_time_after(t.source, f->last_ns) >= from_ns)
			result = take_log(&t, f, err);
	}
	free(t.slots);
	if (result < 0) {
		free(t.items);
		return -1;
	}
	if (t.count > 1)
		qsort(t.items, t.count, sizeof(*t.items), most_frequent_first);
	if (c) {
		c->bytes += t.bytes;
		(void)source_span(source, &c->first_ns, &c->last_ns, NULL);
	}
	*ret = t.items;
	*ret_count = t.count;
	return 0;
}
