// SPDX-License-Identifier: MIT
#include "graph/write_words.h"

#include "graph/describe.h"

#include <inttypes.h>
#include <string.h>

const char *words_of_kind(enum picture_kind kind)
{
	static const char *const words[] = {"process", "file", "address", "channel", "kernel", "fold"};

	return words[kind];
}

const char *words_of_side(enum trace_side side)
{
	static const char *const words[] = {"none", "seed", "cause", "effect"};

	return words[side];
}

const char *words_of_note(enum note_kind kind)
{
	static const char *const words[] = {"login", "ran", "dropped", "persists", "privilege", "cleaned", "contact", "other-contact"};

	return words[kind];
}

struct text words_full_name(const struct picture_node *node)
{
	return node->full.length > 0 ? node->full : node->name;
}

void words_device(struct buffer *out, uint32_t dev)
{
	// struct event_path: major << 20 | minor; audit prints both in hexadecimal with at least two digits.
	buffer_printf(out, "%02" PRIx32 ":%02" PRIx32, dev >> 20, dev & 0xfffff);
}

void words_address(struct buffer *out, const struct event_address *address)
{
	struct event_address bare = *address;

	bare.port = 0;
	if (bare.kind == ADDRESS_IPV4 || bare.kind == ADDRESS_IPV6)
		describe_address(NULL, &bare, out);
}

bool words_has_loss(const struct picture *p)
{
	for (size_t i = 0; i < p->missing.count; i++)
		if (p->missing.items[i].loss)
			return true;
	return false;
}

const char *words_edge_op(const struct picture *p, const struct picture_edge *e)
{
	bool fold = p->nodes.items[e->from].kind == PICTURE_FOLD || p->nodes.items[e->to].kind == PICTURE_FOLD;
	if (e->correlation)
		return "same-destination";
	return fold && (e->ops & (e->ops - 1)) != 0 ? "folded" : flow_op_name(e->op);
}

void words_time(struct buffer *out, const struct picture *p, uint64_t ns)
{
	struct buffer day = {0}, today = {0};

	if (ns != NANOTIME_NONE) {
		nanotime_format(&day, ns, NANOTIME_DATE, p->zone);
		nanotime_format(&today, p->contact_ns, NANOTIME_DATE, p->zone);
		if (strcmp(buffer_string(&day), buffer_string(&today)) != 0 && day.length > 5)
			buffer_printf(out, "%s ", buffer_string(&day) + 5);
	}
	nanotime_format(out, ns, NANOTIME_SECONDS, p->zone);
	buffer_release(&day);
	buffer_release(&today);
}
