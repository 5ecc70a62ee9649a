// SPDX-License-Identifier: MIT
// Audit text in pieces. However it is cut, the events are the same, and each line is a record or rejected.
#include "tests/unit/parse_lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t mix(uint64_t hash, const void *bytes, size_t length)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ p[i]) * 0x100000001b3u; // FNV-1a
	return hash;
}

static uint64_t event_hash(uint64_t hash, const struct event *e)
{
	const uint64_t numbers[] = {e->kind, e->host, e->epoch, e->serial, e->earliest_ns, e->latest_ns, e->present, e->pid, e->comm,
				    e->syscall_name, e->path_count, e->argv_count, e->address_count, e->evidence_count, e->gap.count};

	hash = mix(hash, numbers, sizeof(numbers));
	for (size_t i = 0; i < e->path_count; i++)
		hash = mix(hash, &e->paths[i].name, sizeof(e->paths[i].name));
	for (size_t i = 0; i < e->argv_count; i++)
		hash = mix(hash, &e->argv[i], sizeof(e->argv[i]));
	return hash;
}

static uint64_t run(const char *text, size_t length, size_t piece)
{
	struct parsed p;
	uint64_t hash = 0xcbf29ce484222325u, evidence = 0;

	parsed_init(&p, text, length, piece);
	if (p.result != 0 || p.c.records + p.c.rejected != p.c.lines || p.c.bytes != length)
		abort();
	for (size_t i = 0; i < p.store.count; i++) {
		const struct event *e = p.store.items[i];

		hash = event_hash(hash, e);
		for (size_t k = 0; k < e->evidence_count; k++) {
			evidence += e->evidence[k].length;
			if (e->evidence[k].offset + e->evidence[k].length > length)
				abort();
		}
	}
	if (evidence > length)
		abort();
	parsed_release(&p);
	return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(size + 1, 1);

	if (!text)
		abort();
	if (size > 0)
		memcpy(text, data, size);
	uint64_t whole = run(text, size, 0), cut = run(text, size, 1 + (size ? data[size - 1] : 0));

	if (whole != cut)
		abort();
	free(text);
	return 0;
}
