// SPDX-License-Identifier: MIT
// One line of audit text: the header, then every reader on its body, whatever its type says.
#include "base/intern.h"
#include "ingest/fields.h"
#include "ingest/record.h"
#include "ingest/record_type.h"
#include "ingest/slot.h"
#include "ingest/syscall_kind.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef void body_reader(struct reader *r, struct slot *s, const char *body, const char *end);

static void read_part_openat2(struct reader *r, struct slot *s, const char *body, const char *end)
{
	for (unsigned type = 1300; type < 1340; type++)
		reader_part(r, s, type, body, end);
}

// The event must hold together: counts with arrays, strings that exist.
static void check_event(const struct event *e, const struct intern *strings)
{
	for (size_t i = 0; i < e->path_count; i++)
		if (e->paths[i].name >= intern_count(strings) || (i > 0 && e->paths[i - 1].item >= e->paths[i].item))
			abort();
	for (size_t i = 0; i < e->argv_count; i++)
		if (e->argv[i] >= intern_count(strings))
			abort();
	if (e->comm >= intern_count(strings) || e->exe >= intern_count(strings) || e->syscall_name >= intern_count(strings))
		abort();
}

static void read_with(struct reader *r, struct syscall_table *calls, body_reader *read, const char *body, const char *end)
{
	struct slot s = {.time_ns = 1, .serial = 1};
	struct event e = {.host = 0};

	read(r, &s, body, end);
	read(r, &s, body, end); // a line that stands there twice
	slot_to_event(&s, r, calls, &e);
	check_event(&e, r->strings);
	slot_clear(&s, r->pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static body_reader *const readers[] = {
		reader_syscall, reader_syscall_any_order, reader_path, reader_path_any_order, reader_cwd, reader_title, reader_execve,
		reader_sockaddr, reader_uring, reader_login, reader_claim, reader_config, reader_other, read_part_openat2,
	};
	// Exactly the line and its newline, so that a read beyond it is seen.
	char *line = malloc(size + 1);
	struct intern *strings = intern_new();
	struct slot_pool pool = {.bytes = 0};
	struct reader reader;
	struct record record;
	struct record_type type;

	if (!line || !strings || reader_init(&reader, strings, &pool) < 0)
		abort();
	if (size > 0)
		memcpy(line, data, size);
	line[size] = '\n';
	struct syscall_table *calls = syscall_table_new(strings);
	struct record_type_table *types = record_type_table_new(strings);

	if (!calls || !types)
		abort();
	if (!record_parse(line, size, &record)) {
		(void)record_type_find(types, record.type, record.type_length, &type);
		for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
			read_with(&reader, calls, readers[i], record.body, line + size);
	}
	if (pool.bytes != 0)
		abort(); // every slot gave back what it took
	syscall_table_free(calls);
	record_type_table_free(types);
	reader_release(&reader);
	slot_pool_release(&pool);
	intern_free(strings);
	free(line);
	return 0;
}
