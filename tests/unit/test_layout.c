// SPDX-License-Identifier: MIT
#include "graph/layout.h"

#include "graph/write.h"
#include "tests/unit/pictures.h"
#include "tests/unit/unit.h"

#include <limits.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

static char program[PATH_MAX]; // provgraph-layout of this build

static bool overlap(const struct picture_node *a, const struct picture_node *b)
{
	return fabs(a->x - b->x) < (a->width + b->width) / 2 && fabs(a->y - b->y) < (a->height + b->height) / 2;
}

static void check_positions(const struct picture *p)
{
	for (size_t i = 0; i < p->nodes.count; i++) {
		const struct picture_node *n = &p->nodes.items[i];

		CHECK(isfinite(n->x) && isfinite(n->y) && n->width > 0 && n->height > 0);
		CHECK(n->x - n->width / 2 >= -0.01 && n->x + n->width / 2 <= p->width + 0.01);
		CHECK(n->y - n->height / 2 >= -0.01 && n->y + n->height / 2 <= p->height + 0.01);
		for (size_t j = 0; j < i; j++)
			CHECK(!overlap(n, &p->nodes.items[j]));
	}
	for (size_t i = 0; i < p->edges.count; i++) {
		const struct picture_edge *e = &p->edges.items[i];

		CHECK(e->point_count >= 4 && e->point_count % 3 == 1);
		for (size_t j = 0; j < 2 * e->point_count; j++)
			CHECK(isfinite(e->points[j]) && e->points[j] >= -0.01 && e->points[j] <= fmax(p->width, p->height) + 0.01);
	}
}

// Distance from a point to the border of a node's box; 0 inside.
static double distance(const struct picture_node *n, const double *xy)
{
	double x = fmax(fabs(xy[0] - n->x) - n->width / 2, 0), y = fmax(fabs(xy[1] - n->y) - n->height / 2, 0);

	return hypot(x, y);
}

// The same to a node and what is attached to it: lines end at the whole.
static double distance_to_card(const struct picture *p, uint32_t node, const double *xy)
{
	double nearest = distance(&p->nodes.items[node], xy);

	for (size_t i = 0; i < p->edges.count; i++) {
		const struct picture_edge *e = &p->edges.items[i];

		if (e->attached && (e->from == node || e->to == node))
			nearest = fmin(nearest, distance(&p->nodes.items[e->from == node ? e->to : e->from], xy));
	}
	return nearest;
}

static void check_ends(const struct picture *p)
{
	for (size_t i = 0; i < p->edges.count; i++) {
		const struct picture_edge *e = &p->edges.items[i];

		if (!e->apart || !e->apart_into)
			CHECK(distance_to_card(p, e->from, e->points) < LAYOUT_ARROW_ON_PATH + 3);
		if (!e->apart || e->apart_into)
			CHECK(distance_to_card(p, e->to, e->points + 2 * (e->point_count - 1)) < LAYOUT_ARROW_ON_PATH + 3);
	}
}

// As lines of a text are read: further right, or in a lower row.
static bool reads_before(const struct picture *p, uint32_t a, uint32_t b)
{
	const struct picture_node *n = &p->nodes.items[a], *m = &p->nodes.items[b];

	return m->x > n->x || m->y > n->y + n->height;
}

static void test_own(void)
{
	struct picture *p = made_incident();
	struct error err = {{0}};

	made_edge(p, 3, 3, FLOW_OPEN_WRITE, at(10, 6, 0, 0), 1, "opened for writing");
	CHECK_EQUAL(layout_run(p, (struct layout_options){.program = NULL}, &err), 0);
	CHECK(p->layout_fell_back);
	check_positions(p);
	check_ends(p);
	// Children stand to the right of their parents.
	CHECK(reads_before(p, 7, 8)); // sh, tar
	CHECK(reads_before(p, 1, 3));
	made_free(p);

	p = made_large(60, 7);
	CHECK_EQUAL(layout_run(p, (struct layout_options){.program = "/nonexistent/provgraph-layout"}, &err), 0);
	CHECK(p->layout_fell_back);
	check_positions(p);
	made_free(p);

	p = made_picture(); // nothing to draw is no failure
	CHECK_EQUAL(layout_run(p, (struct layout_options){.program = NULL}, &err), 0);
	CHECK(!p->layout_fell_back);
	CHECK(p->width == 0 && p->height == 0);
	made_free(p);
}

// Two processes that each name the other as parent (a forged log): still a layout.
static void test_own_circle(void)
{
	struct picture *p = made_picture();
	uint32_t a = made_process(p, "a", 1, 2, "a", "alice", at(10, 0, 0, 0), 0), b = made_process(p, "b", 2, 1, "b", "alice", at(10, 0, 0, 0), 0);

	made_edge(p, a, b, FLOW_FORK, at(10, 0, 0, 0), 1, "started");
	made_edge(p, b, a, FLOW_FORK, at(10, 0, 0, 0), 1, "started");
	CHECK_EQUAL(layout_run(p, (struct layout_options){.program = NULL}, NULL), 0);
	check_positions(p);
	made_free(p);
}

static void test_graphviz(void)
{
	struct picture *p = made_incident(), *again = made_incident();

	made_edge(p, 3, 3, FLOW_OPEN_WRITE, at(10, 6, 0, 0), 1, "opened for writing");
	made_edge(again, 3, 3, FLOW_OPEN_WRITE, at(10, 6, 0, 0), 1, "opened for writing");
	CHECK_EQUAL(layout_run(p, (struct layout_options){.program = program}, NULL), 0);
	CHECK_EQUAL(layout_run(again, (struct layout_options){.program = program}, NULL), 0);
	CHECK(!p->layout_fell_back);
	check_positions(p);
	check_ends(p);
	// Cause before effect: mail, its attachment, the interpreter, the host.
	CHECK(reads_before(p, 1, 2));
	CHECK(reads_before(p, 2, 3));
	CHECK(reads_before(p, 3, 6));
	for (size_t i = 0; i < p->nodes.count; i++) {
		CHECK(p->nodes.items[i].x == again->nodes.items[i].x);
		CHECK(p->nodes.items[i].y == again->nodes.items[i].y);
	}
	for (size_t i = 0; i < p->edges.count; i++) {
		const struct picture_edge *e = &p->edges.items[i], *f = &again->edges.items[i];

		CHECK_EQUAL(e->point_count, f->point_count);
		CHECK(e->point_count == f->point_count && memcmp(e->points, f->points, e->point_count * 2 * sizeof(double)) == 0);
	}
	made_drop(again);
	made_free(p);

	for (uint32_t seed = 1; seed <= 5; seed++) {
		p = made_large(60, seed);
		CHECK_EQUAL(layout_run(p, (struct layout_options){.program = program}, NULL), 0);
		CHECK(!p->layout_fell_back);
		check_positions(p);
		made_free(p);
	}
}

// A child that never ends, one that floods, one that dies: our own layout, in time.
static void test_bad_children(void)
{
	static const char *const scripts[] = {
		"#!/bin/sh\nexec sleep 60\n", "#!/bin/sh\nexec yes\n", "#!/bin/sh\nkill -SEGV $$\n", "#!/bin/sh\nexit 1\n", "#!/bin/sh\necho provgraph-layout 2\n",
		"#!/bin/sh\nprintf 'provgraph-layout 1\\ngraph 100 100\\nend\\n'\n",
	};

	for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++) {
		struct picture *p = made_incident();
		char path[] = "./bad-child-XXXXXX";
		int fd = mkstemp(path);

		CHECK(fd >= 0 && write(fd, scripts[i], strlen(scripts[i])) == (ssize_t)strlen(scripts[i]));
		CHECK(fd >= 0 && fchmod(fd, 0700) == 0);
		(void)close(fd);
		uint64_t begun = nanotime_now();
		CHECK_EQUAL(layout_run(p, (struct layout_options){.program = path, .wall_ns = 200 * NANOTIME_MILLISECOND}, NULL), 0);
		CHECK(nanotime_now() - begun < 5 * NANOTIME_SECOND);
		CHECK(p->layout_fell_back);
		check_positions(p);
		(void)unlink(path);
		made_free(p);
	}
}

static struct picture *two_nodes(void)
{
	struct picture *p = made_picture();
	uint32_t a = made_process(p, "a", 1, 0, "a", "alice", at(10, 0, 0, 0), 0), b = made_process(p, "b", 2, 1, "b", "alice", at(10, 0, 0, 0), 0);

	made_edge(p, a, b, FLOW_FORK, at(10, 0, 0, 0), 1, "started");
	layout_sizes(p);
	return p;
}

static void test_request(void)
{
	struct picture *p = two_nodes();
	struct buffer out = {0};

	made_edge(p, 0, 1, FLOW_OPEN_WRITE, at(10, 0, 1, 0), 1, "later"); // has no say
	made_edge(p, 0, 0, FLOW_OPEN_WRITE, at(10, 0, 1, 0), 1, "itself"); // is not asked for
	made_on_path(p, 0);
	layout_request(p, &out);
	CHECK_STRING(buffer_string(&out), "provgraph-layout 1\ngraph 2 2 splines\nnode 18800 5400\nnode 18800 5400\n"
		     "edge 0 1 1 8 1100 0\nedge 0 1 0 1 700 0\nend\n");
	buffer_release(&out);
	made_free(p);
}

// A circle: what lies on the path keeps its direction, what came later gives way.
static void test_request_circle(void)
{
	struct picture *p = made_picture();
	uint32_t a = made_process(p, "a", 1, 0, "a", "alice", at(10, 0, 0, 0), 0), b = made_process(p, "b", 2, 1, "b", "alice", at(10, 0, 1, 0), 0);
	uint32_t f = made_file(p, "/tmp/", "f", 1, at(10, 0, 2, 0));
	struct buffer out = {0};

	made_edge(p, f, a, FLOW_OPEN_READ, at(9 + 1, 0, 0, 0), 1, "first of all");
	made_edge(p, b, f, FLOW_WRITE, at(10, 0, 2, 0), 1, "wrote");
	made_edge(p, a, b, FLOW_FORK, at(10, 0, 1, 0), 1, "started");
	made_on_path(p, 1);
	layout_request(p, &out);
	CHECK(strstr(buffer_string(&out), "edge 2 0 0 1 ") != NULL); // the circle is broken here
	CHECK(strstr(buffer_string(&out), "edge 1 2 1 8 ") != NULL);
	CHECK(strstr(buffer_string(&out), "edge 0 1 1 1 ") != NULL);
	buffer_release(&out);
	CHECK_EQUAL(layout_run(p, (struct layout_options){.program = program}, NULL), 0);
	CHECK(p->nodes.items[a].x < p->nodes.items[b].x && p->nodes.items[b].x < p->nodes.items[f].x);
	made_free(p);
}

#define GOOD "provgraph-layout 1\ngraph 50000 10000\nnode 10000 5000\nnode 40000 5000\nedge 4 18600 5000 20000 5000 25000 5000 30700 5000\nend\n"

static void test_answers(void)
{
	static const char *const wrong[] = {
		"", "provgraph-layout 2\n", "provgraph-layout 1\ngraph 50000\n",
		// a node outside the picture; a huge, a negative, an empty, a broken number
		"provgraph-layout 1\ngraph 50000 10000\nnode 49000 5000\nnode 40000 5000\nedge 0\nend\n",
		"provgraph-layout 1\ngraph 50000 10000\nnode 99999999999999999999 5000\nnode 40000 5000\nedge 0\nend\n",
		"provgraph-layout 1\ngraph 50000 10000\nnode -10000 5000\nnode 40000 5000\nedge 0\nend\n",
		"provgraph-layout 1\ngraph 50000 10000\nnode  5000\nnode 40000 5000\nedge 0\nend\n",
		"provgraph-layout 1\ngraph 50000 10000\nnode nan 5000\nnode 40000 5000\nedge 0\nend\n",
		"provgraph-layout 1\ngraph 999999999 999999999\nnode 10000 5000\nnode 40000 5000\nedge 0\nend\n",
		// a route of no Bezier, with too many points, too few numbers, outside
		"provgraph-layout 1\ngraph 50000 10000\nnode 10000 5000\nnode 40000 5000\nedge 3 1 1 2 2 3 3\nend\n",
		"provgraph-layout 1\ngraph 50000 10000\nnode 10000 5000\nnode 40000 5000\nedge 999999 1 1\nend\n",
		"provgraph-layout 1\ngraph 50000 10000\nnode 10000 5000\nnode 40000 5000\nedge 4 1 1 2 2 3 3\nend\n",
		"provgraph-layout 1\ngraph 50000 10000\nnode 10000 5000\nnode 40000 5000\nedge 4 1 1 2 2 3 3 9999999 4\nend\n",
		// an edge too many, one too few, something after the end
		"provgraph-layout 1\ngraph 50000 10000\nnode 10000 5000\nnode 40000 5000\nedge 0\nedge 0\nend\n",
		"provgraph-layout 1\ngraph 50000 10000\nnode 10000 5000\nnode 40000 5000\nend\n", GOOD "more",
	};
	struct picture *p = two_nodes();
	struct error err = {{0}};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		CHECK_EQUAL(layout_answer(p, wrong[i], strlen(wrong[i]), &err), -1);
		CHECK(p->nodes.items[0].x == 0 && p->edges.items[0].points == NULL);
	}
	for (size_t length = 0; length < strlen(GOOD); length++)
		CHECK_EQUAL(layout_answer(p, GOOD, length, &err), -1);
	CHECK_EQUAL(layout_answer(p, GOOD, strlen(GOOD), &err), 0);
	CHECK(p->nodes.items[0].x == 100 && p->nodes.items[1].y == 50);
	CHECK_EQUAL(p->edges.items[0].point_count, 4);
	CHECK(p->edges.items[0].points[0] == 186 && p->edges.items[0].points[6] == 307);
	// No route came: a line.
	static const char none[] = "provgraph-layout 1\ngraph 50000 10000\nnode 10000 5000\nnode 40000 5000\nedge 0\nend\n";
	CHECK_EQUAL(layout_answer(p, none, strlen(none), &err), 0);
	CHECK_EQUAL(p->edges.items[0].point_count, 4);
	made_free(p);
}

// A chain of 24 processes: rows, each in the order of the chain, lines that do not break, nothing on top of anything.
static void test_rows(const char *with)
{
	struct picture *p = made_picture();
	uint32_t before = GRAPH_NONE;

	for (unsigned i = 0; i < 24; i++) {
		uint32_t node = made_process(p, "sh", 100 + i, 99 + i, "sh", "alice", at(10, 0, i, 0), 0);

		if (before != GRAPH_NONE)
			made_edge(p, before, node, FLOW_FORK, at(10, 0, i, 0), 1, "started");
		before = node;
	}
	made_edge(p, 23, 0, FLOW_SIGNAL, at(10, 1, 0, 0), 1, "sent a signal"); // all the way back
	made_edge(p, 2, 21, FLOW_SIGNAL, at(10, 1, 1, 0), 1, "sent a signal");
	CHECK_EQUAL(layout_run(p, (struct layout_options){.program = with}, NULL), 0);
	CHECK(p->layout_fell_back == (with == NULL));
	check_positions(p);
	check_ends(p);
	CHECK(p->layout_rows >= 4 && p->layout_rows <= 8);
	CHECK(p->width < 1500); // 24 columns are 6,400
	size_t breaks = 0;
	for (unsigned i = 1; i < 24; i++) {
		const struct picture_node *a = &p->nodes.items[i - 1], *b = &p->nodes.items[i];

		if (b->x > a->x)
			continue;
		breaks++;
		CHECK(b->y > a->y + a->height); // the next row is below
	}
	CHECK_EQUAL(breaks, p->layout_rows - 1);
	made_free(p);

	p = made_incident();
	CHECK_EQUAL(layout_run(p, (struct layout_options){.program = program}, NULL), 0);
	CHECK(p->layout_rows <= 2 && p->width < 1500);
	made_free(p);
	p = two_nodes(); // a screen holds it
	CHECK_EQUAL(layout_run(p, (struct layout_options){.program = program}, NULL), 0);
	CHECK_EQUAL(p->layout_rows, 1);
	made_free(p);
}

// A graph that no screen holds: the path in rows at its top, everything else below, each thing that hangs together in one place; lines
// between them are stems at one box.
static void test_parts(const char *with)
{
	struct picture *p = made_picture();
	uint32_t common = 0, path[9], side[9], library = made_file(p, "/lib64/", "ld-linux-x86-64.so.2", 1, at(9, 0, 0, 0));

	for (unsigned i = 0; i < 9; i++) {
		path[i] = made_process(p, "sh", 100 + i, 99 + i, "sh", "alice", at(10, 0, i, 0), 0);
		if (i > 0)
			made_on_path(p, made_edge(p, path[i - 1], path[i], FLOW_FORK, at(10, 0, i, 0), 1, "started"));
	}
	for (unsigned i = 0; i < 9; i++) {
		side[i] = made_process(p, "id", 200 + i, 100 + i, "id", "alice", at(10, 1, i, 0), 0);
		made_edge(p, path[i], side[i], FLOW_FORK, at(10, 1, i, 0), 1, "started");
		common = made_edge(p, library, side[i], FLOW_INTERPRET, at(10, 1, i, 1), 1, "interpreted by");
	}
	uint32_t made = made_file(p, "/tmp/", "made", 2, at(10, 2, 0, 0));
	made_edge(p, side[3], made, FLOW_CREATE, at(10, 2, 0, 0), 1, "created");
	for (unsigned i = 0; i < 4; i++) // words over it leave their room between it and its file
		made_edge(p, path[i], made, FLOW_WRITE, at(10, 2, i, 0), 1, "wrote");
	uint32_t back = made_edge(p, made, path[5], FLOW_OPEN_READ, at(10, 2, 1, 0), 1, "opened for reading");
	uint32_t unsure = made_edge(p, side[0], side[1], FLOW_PIPE, at(10, 1, 2, 0), 1, "piped to");
	p->edges.items[unsure].class = CLASS_UNCERTAIN;

	CHECK_EQUAL(layout_run(p, (struct layout_options){.program = with}, NULL), 0);
	CHECK(p->layout_fell_back == (with == NULL));
	check_positions(p);
	check_ends(p);
	CHECK(p->around_y > 0 && p->width < 1500);
	for (size_t i = 0; i < p->nodes.count; i++) {
		const struct picture_node *n = &p->nodes.items[i];

		CHECK(n->on_path ? n->y + n->height / 2 <= p->around_y + 0.01 : n->y - n->height / 2 > p->around_y);
	}
	for (unsigned i = 1; i < 9; i++)
		CHECK(reads_before(p, path[i - 1], path[i]));
	for (size_t i = 0; i < p->edges.count; i++) {
		const struct picture_edge *e = &p->edges.items[i];
		bool together = e->on_path || (e->from == side[3] && e->to == made);

		CHECK(e->apart == !together);
		if (e->apart) // the picture has room for the words beside its stem
			CHECK(e->points[0] + 200 <= p->width);
		if (e->apart) // straight up or down, and short
			CHECK(e->points[0] == e->points[2 * (e->point_count - 1)] && fabs(e->points[1] - e->points[2 * e->point_count - 1]) < 200);
	}
	// Drawn at the box that is not on the path: above it what came, below it what went. The linker's many share one stem at the linker.
	CHECK(p->edges.items[unsure].apart_into && !p->edges.items[back].apart_into);
	CHECK(p->edges.items[back].points[1] > p->nodes.items[made].y);
	CHECK(p->edges.items[unsure].points[1] < p->nodes.items[side[1]].y);
	for (size_t i = 0; i < p->edges.count; i++)
		if (p->edges.items[i].from == library)
			CHECK(!p->edges.items[i].apart_into && memcmp(p->edges.items[i].points, p->edges.items[common].points, 8 * sizeof(double)) == 0);
	for (size_t i = 0; i < p->edges.count; i++) { // none ends in the room of the words
		const struct picture_edge *e = &p->edges.items[i];

		if (!e->apart) {
			CHECK(distance(&p->nodes.items[e->from], e->points) < LAYOUT_ARROW_ON_PATH);
			CHECK(distance(&p->nodes.items[e->to], e->points + 2 * (e->point_count - 1)) < LAYOUT_ARROW_ON_PATH + 1);
		}
	}
	CHECK(reads_before(p, side[0], library)); // what says least comes last
	made_free(p);
}

// Whatever is on the path, and however edges lie: nothing overlaps, everything is drawn.
static void test_parts_any(const char *with, uint32_t seeds)
{
	for (uint32_t seed = 1; seed <= seeds; seed++) {
		struct picture *p = made_large(20 + seed % 40, seed);
		uint32_t state = seed;

		for (unsigned i = 0; i < 30; i++) {
			uint32_t from = made_random(&state) % (uint32_t)p->nodes.count, to = made_random(&state) % (uint32_t)p->nodes.count;
			uint32_t edge = made_edge(p, from, to, (enum flow_op)(made_random(&state) % FLOW_COUNT), at(10, i, 0, 0), 1, "any");

			p->edges.items[edge].both_ways = made_random(&state) % 4 == 0;
			p->edges.items[edge].class = (enum flow_class)(made_random(&state) % 3);
			p->edges.items[edge].correlation = made_random(&state) % 9 == 0;
			if (made_random(&state) % 3 == 0)
				made_on_path(p, edge);
		}
		CHECK_EQUAL(layout_run(p, (struct layout_options){.program = with}, NULL), 0);
		CHECK(p->around_y > 0);
		check_positions(p);
		check_ends(p);
		made_free(p);
	}
}

// Folds with one neighbour stand at it, causes above, and their lines are short; one with two neighbours keeps its place.
static void test_attached(void)
{
	struct picture *p = made_picture();
	uint32_t a = made_process(p, "a", 1, 0, "a", "alice", at(10, 0, 0, 0), 0), b = made_process(p, "b", 2, 1, "b", "alice", at(10, 0, 1, 0), 0);
	uint32_t cause = made_fold(p, "5 files", "/usr/lib", "rule", 5, at(10, 0, 2, 0)), effect = made_fold(p, "6 files", "/tmp", "rule", 6, at(10, 0, 3, 0));
	uint32_t second = made_fold(p, "7 files", "/etc", "rule", 7, at(10, 0, 4, 0)), shared = made_fold(p, "8 files", "/srv", "rule", 8, at(10, 0, 5, 0));

	made_edge(p, a, b, FLOW_FORK, at(10, 0, 1, 0), 1, "started");
	made_edge(p, cause, a, FLOW_OPEN_READ, at(10, 0, 2, 0), 5, "opened for reading x5");
	made_edge(p, a, effect, FLOW_CREATE, at(10, 0, 3, 0), 6, "created x6");
	made_edge(p, second, a, FLOW_OPEN_READ, at(10, 0, 4, 0), 7, "opened for reading x7");
	made_edge(p, a, shared, FLOW_CREATE, at(10, 0, 5, 0), 8, "created x8");
	made_edge(p, shared, b, FLOW_OPEN_READ, at(10, 0, 6, 0), 8, "opened for reading x8");
	CHECK_EQUAL(layout_run(p, (struct layout_options){.program = program}, NULL), 0);
	check_positions(p);
	check_ends(p);
	const struct picture_node *n = p->nodes.items;
	CHECK(n[cause].attached && n[effect].attached && n[second].attached && !n[shared].attached);
	CHECK(p->edges.items[1].attached && !p->edges.items[4].attached);
	CHECK(n[cause].x == n[a].x && n[cause].y < n[a].y && n[second].y < n[a].y && n[effect].y > n[a].y);
	CHECK(n[effect].y - n[a].y < 80 && n[a].y - n[cause].y < 130);
	made_free(p);
}

static void test_states(void)
{
	struct picture *p = made_picture();
	uint32_t file = made_file(p, "/tmp/", "f", 1, at(10, 0, 0, 0));

	for (unsigned i = 0; i < 9; i++)
		made_state(p, file, i == 3 ? 'v' : i == 0 ? '+' : '~', at(10, 0, i, 0), "s");
	struct layout_states shown = layout_states_shown(&p->nodes.items[file]);
	CHECK_EQUAL(shown.count, 4);
	CHECK_EQUAL(shown.hidden, 5);
	CHECK_EQUAL(shown.index[0], 0);
	CHECK_EQUAL(shown.index[1], 3); // the cut is never among the hidden ones
	CHECK_EQUAL(shown.index[2], 7);
	CHECK_EQUAL(shown.index[3], 8);
	// Of a disk: what no record accounts for and what was renamed before plain growth. The box is as wide as its longest line needs.
	for (unsigned i = 0; i < 9; i++) {
		made_disk_state(p, file, i == 2 ? '>' : '~', at(10, 0, i, 0), 9, "s");
		made_disk_times(p, file, i == 4 ? NANOTIME_NONE : at(10, 0, i, 0), NANOTIME_NONE, at(10, 0, i, 1), i);
	}
	shown = layout_states_shown(&p->nodes.items[file]);
	CHECK(shown.count == 4 && shown.hidden == 5 && shown.index[0] == 0 && shown.index[1] == 2 && shown.index[2] == 4 && shown.index[3] == 8);
	layout_sizes(p);
	double width = p->nodes.items[file].width;
	p->nodes.items[file].disk_states[8].verdict = made_text("no record accounts for it; this does not count");
	layout_sizes(p);
	CHECK(p->nodes.items[file].width > width + 20 && p->nodes.items[file].width < 320);
	made_free(p);
}

int main(int argc, char **argv)
{
	// build/tests/unit/test_layout -> build/provgraph-layout
	(void)argc;
	char *own = realpath(argv[0], NULL);

	for (int up = 0; own && up < 3; up++)
		if (strrchr(own, '/'))
			*strrchr(own, '/') = '\0';
	CHECK(own && snprintf(program, sizeof(program), "%s/provgraph-layout", own) > 0 && access(program, X_OK) == 0);
	free(own);
	test_own();
	test_own_circle();
	test_graphviz();
	test_bad_children();
	test_request();
	test_request_circle();
	test_answers();
	test_rows(program);
	test_rows(NULL);
	test_parts(program);
	test_parts(NULL);
	test_parts_any(program, 12);
	test_parts_any(NULL, 60);
	test_attached();
	test_states();
	return unit_end();
}
