// SPDX-License-Identifier: MIT
// Files that were made before the window: what one call did to an inode, which files are wanted, and makers of an older boot.
#include "tests/unit/events.h"

static enum earlier_call judge(struct script *s, const char *call, enum syscall_op op, uint64_t flags, enum path_nametype type, uint64_t inode)
{
	struct event e = events_call(s, call, op, 10, 100);
	struct event_path path = events_path(s, "/data/f", inode, type);

	e.args[strcmp(call, "open") == 0 ? 1 : 2] = flags;
	e.paths = &path;
	e.path_count = 1;
	return earlier_call_of(&e, s->strings, EVENTS_DEV, 9);
}

static void test_calls(void)
{
	struct script s = script_begin();

	CHECK(judge(&s, "openat", OP_OPEN, O_WRONLY | O_CREAT, NAMETYPE_CREATE, 9) == EARLIER_MAKES);
	CHECK(judge(&s, "openat", OP_OPEN, O_WRONLY | O_CREAT, NAMETYPE_CREATE, 8) == EARLIER_OTHER);
	CHECK(judge(&s, "openat", OP_OPEN, O_WRONLY | O_CREAT, NAMETYPE_NORMAL, 9) == EARLIER_WRITES);
	CHECK(judge(&s, "openat", OP_OPEN, O_RDONLY, NAMETYPE_NORMAL, 9) == EARLIER_OTHER);
	CHECK(judge(&s, "open", OP_OPEN, O_RDWR, NAMETYPE_NORMAL, 9) == EARLIER_WRITES);
	CHECK(judge(&s, "openat", OP_OPEN, 020000000 | O_RDWR, NAMETYPE_NORMAL, 9) == EARLIER_MAKES);
	CHECK(judge(&s, "openat2", OP_OPEN, O_RDONLY, NAMETYPE_NORMAL, 9) == EARLIER_WRITES); // its flags are not on record
	CHECK(judge(&s, "rename", OP_RENAME, 0, NAMETYPE_CREATE, 9) == EARLIER_WRITES);
	CHECK(judge(&s, "symlink", OP_SYMLINK, 0, NAMETYPE_CREATE, 9) == EARLIER_MAKES);
	CHECK(judge(&s, "link", OP_LINK, 0, NAMETYPE_CREATE, 9) == EARLIER_LINKS);
	CHECK(judge(&s, "unlink", OP_UNLINK, 0, NAMETYPE_DELETE, 9) == EARLIER_GONE);
	CHECK(judge(&s, "truncate", OP_TRUNCATE, 0, NAMETYPE_NORMAL, 9) == EARLIER_WRITES);
	CHECK(judge(&s, "openat", OP_OPEN, O_WRONLY, NAMETYPE_PARENT, 9) == EARLIER_OTHER);
	script_release(&s);
}

// Process 300 reads file 9 (and makes 8 itself), and talks to 10.0.0.5.
static void window_events(struct script *s)
{
	events_open(s, 1000, 300, "/data/f", 9, O_RDONLY, 3);
	events_open(s, 1010, 300, "/data/own", 8, O_RDWR | O_CREAT, 4);
	events_connect(s, 1020, 300, 5, 5, 0);
}

static struct trace trace_of(const struct graph *g)
{
	struct event_address address = events_address(5, 443);
	struct u32_vector contacts = {0};
	struct trace trace;
	struct error err = {""};

	CHECK(contacts_find(g, &address, 0, &contacts, &err) == 0 && contacts.count == 1);
	CHECK(trace_run(g, contacts.items, contacts.count, contacts.items[0], (struct trace_options){0}, &trace, &err) == 0);
	u32_vector_release(&contacts);
	return trace;
}

static void test_wanted(void)
{
	struct script s = script_begin();
	struct creator_vector wanted = {0};
	struct error err = {""};

	window_events(&s);
	const struct graph *g = script_end(&s);
	struct trace trace = trace_of(g);

	CHECK(graph_missing_creators(g, &trace, 0.05, 10, &wanted, &err) == 0);
	CHECK_EQUAL(wanted.count, 1);
	CHECK(wanted.items[0].inode == 9 && wanted.items[0].dev == EVENTS_DEV);
	wanted.count = 0;
	CHECK(graph_missing_creators(g, &trace, 0.99, 10, &wanted, &err) == 0); // the score is the bound
	CHECK_EQUAL(wanted.count, 0);
	creator_vector_release(&wanted);
	trace_release(&trace);
	script_release(&s);
}

static void earlier(struct script *s, struct event e, uint32_t file_epoch)
{
	struct error err = {""};

	CHECK(graph_add_earlier_event(s->g, &e, file_epoch, true, &err) == 0);
}

// boot: of the maker; the window's is 0.
static void check_made(uint32_t boot)
{
	struct script s = script_begin();
	struct ancestor_vector ancestors = {0};
	struct event_address address = events_address(5, 443);
	struct error err = {""};
	struct event_path path = events_path(&s, "/data/f", 9, NAMETYPE_CREATE);

	s.epoch = boot;
	events_who(&s, 300, 77, "/usr/bin/curl"); // in another boot the same number is another process
	struct event e = events_call(&s, "openat", OP_OPEN, 100, boot ? 300 : 200);

	e.args[2] = O_WRONLY | O_CREAT;
	e.exit = 3;
	e.paths = &path;
	e.path_count = 1;
	earlier(&s, e, 0);
	s.epoch = 0;
	events_who(&s, 300, 1, "/bin/prog");
	window_events(&s);
	CHECK(graph_missing_ancestors(s.g, &address, &ancestors, &err) == 0);
	bool maker_wanted = false; // the contact's line is, and the maker's
	for (size_t i = 0; i < ancestors.count; i++)
		maker_wanted |= ancestors.items[i].epoch == boot && ancestors.items[i].pid == (boot ? 300 : 200);
	CHECK(maker_wanted);
	const struct graph *g = script_end(&s);

	CHECK(g->files.items[0].created_seen && g->files.items[0].created_ns == 100 * NANOTIME_MILLISECOND);
	CHECK_EQUAL(g->files.items[0].epoch, 0);
	CHECK_EQUAL(g->files.items[0].generation, 1);
	struct trace trace = trace_of(g);
	uint32_t maker = GRAPH_NONE;

	for (uint32_t i = 0; i < g->processes.count; i++)
		if (g->processes.items[i].pid == (boot ? 300 : 200) && g->processes.items[i].epoch == boot)
			maker = g->segments.items[g->processes.items[i].segments.items[0]].node;
	CHECK(maker != GRAPH_NONE);
	if (maker != GRAPH_NONE)
		CHECK(trace.nodes[maker].side == TRACE_CAUSE);
	ancestor_vector_release(&ancestors);
	trace_release(&trace);
	script_release(&s);
}

int main(void)
{
	test_calls();
	test_wanted();
	check_made(0);
	check_made(UINT32_MAX);
	return unit_end();
}
