// SPDX-License-Identifier: MIT
// Folds: who are siblings, what a fold is called, and that every subject goes somewhere once.
#include "graph/fold.h"
#include "graph/picture.h"
#include "tests/unit/incident.h"
#include "tests/unit/unit.h"

static struct picture *build(struct incident *i, uint32_t contact, struct trace *t, uint32_t drawn)
{
	struct error err = {""};
	CHECK(trace_run(&i->g, &contact, 1, contact, (struct trace_options){0}, t, &err) == 0);
	struct picture_options options = {.drawn = drawn, .zone = {.utc = true}, .alert_ns = NANOTIME_NONE, .from_ns = T0, .to_ns = AT(1200),
					  .alert_address = i->g.connections.items[contact].address};
	struct picture *p = picture_build(&i->g, t, &options, &err);
	CHECK_STRING(err.message, "");
	return p;
}

static const struct picture_node *named(const struct picture *p, const char *name)
{
	for (size_t i = 0; p && i < p->nodes.count; i++)
		if (p->nodes.items[i].name.length == strlen(name) && memcmp(p->nodes.items[i].name.bytes, name, strlen(name)) == 0)
			return &p->nodes.items[i];
	return NULL;
}

static bool ends_with(struct text t, const char *end)
{
	size_t n = strlen(end);
	return t.length >= n && memcmp(t.bytes + t.length - n, end, n) == 0;
}

// Files of one folder, read by one process, are one node with a count and the folder; four are not yet siblings.
static void test_siblings(void)
{
	struct incident i;
	struct trace t;
	char name[64];
	incident_init(&i);
	uint32_t python = incident_process(&i, 10, GRAPH_NONE, "/usr/bin/python3", "python3 a.py", AT(1), 1000, 3);
	for (uint32_t k = 0; k < 12; k++) {
		snprintf(name, sizeof(name), "/home/alice/data/part%u", k);
		incident_edge(&i, incident_file(&i, name, k, 1), python, FLOW_OPEN_READ, AT(2), AT(3));
	}
	for (uint32_t k = 0; k < 4; k++) {
		snprintf(name, sizeof(name), "/home/alice/few/part%u", k);
		incident_edge(&i, incident_file(&i, name, 100 + k, 1), python, FLOW_OPEN_READ, AT(2), AT(3));
	}
	for (uint32_t k = 0; k < 6; k++) { // folders that differ in a number only are one class
		snprintf(name, sizeof(name), "/proc/%u/maps", 1000 + 7 * k);
		incident_edge(&i, incident_file(&i, name, 200 + k, 1), python, FLOW_OPEN_READ, AT(2), AT(3));
	}
	uint32_t contact = incident_contact(&i, python, "10.0.0.5", 443, AT(10));
	incident_finish(&i);
	struct picture *p = build(&i, contact, &t, 0);
	const struct picture_node *twelve = named(p, "12 files"), *six = named(p, "6 files");
	CHECK(twelve && twelve->kind == PICTURE_FOLD && ends_with(twelve->detail, "/home/alice/data"));
	CHECK(six && six->kind == PICTURE_FOLD);
	CHECK(named(p, "4 files") == NULL && named(p, "part0") != NULL);
	if (twelve) {
		const struct picture_fold *f = &p->folds.items[twelve->fold];
		CHECK_EQUAL(f->member_count, 12);
		CHECK(f->node == twelve->id - 1);
		CHECK(f->members[0].kind == PICTURE_FILE && f->members[0].dev == 0xfeu << 20 && f->members[0].score > 0);
	}
	picture_free(p);
	trace_release(&t);
	incident_release(&i);
}

// The same work at all sizes of the picture: never above the aim by more than the few that are always drawn, never an empty fold.
static void test_aims(void)
{
	for (uint32_t aim = 1; aim <= 100; aim += 9) {
		struct mail_incident m;
		struct trace t;
		mail_incident_init(&m);
		mail_incident_add_noise(&m, 30);
		incident_finish(&m.i);
		struct picture *p = build(&m.i, m.contact, &t, aim);
		CHECK(p && p->nodes.count <= 60);
		for (size_t i = 0; p && i < p->folds.count; i++)
			CHECK(p->folds.items[i].member_count > 0 && p->folds.items[i].rule.length > 0);
		picture_free(p);
		trace_release(&t);
		incident_release(&m.i);
	}
}

// 3,000 runs of one program under one parent: one node.
static void test_processes(void)
{
	struct incident i;
	struct trace t;
	incident_init(&i);
	uint32_t sh = incident_process(&i, 10, GRAPH_NONE, "/usr/bin/dash", "sh run.sh", AT(1), 1000, 3);
	uint32_t contact = incident_contact(&i, sh, "10.0.0.5", 443, AT(2));
	for (uint32_t k = 0; k < 3000; k++)
		incident_process(&i, 100 + k, sh, "/usr/bin/sed", "sed -n 1p", AT(3), 1000, 3);
	incident_finish(&i);
	struct picture *p = build(&i, contact, &t, 0);
	CHECK(named(p, "3,000 processes: sed") != NULL);
	picture_free(p);
	trace_release(&t);
	incident_release(&i);
}

int main(void)
{
	test_siblings();
	test_aims();
	test_processes();
	return unit_end();
}
