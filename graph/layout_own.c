// SPDX-License-Identifier: MIT
// The layout for when Graphviz does not answer in time: never fails, never slow, plain to read.
//
// Columns: a process stands two to the right of its parent; everything else beside the first process that touched it, to its
// right when that process acted on it, to its left when it came from there. Rows: by time, pulled toward the neighbours on the
// left. Edges are single curves and may cross nodes.
#include "graph/layout.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

#define COLUMN_GAP 110.0
#define ROW_GAP 26.0

struct plan {
	struct picture *p;
	uint32_t *parent; // picture node, GRAPH_NONE: stands on its own
	int *shift;       // columns to the right of its parent
	int *column;
	uint32_t *order;  // nodes by (column, time, id)
	bool *placed;
};

static bool is_process(const struct plan *plan, uint32_t node)
{
	return plan->p->nodes.items[node].kind == PICTURE_PROCESS;
}

static bool is_birth(enum flow_op op)
{
	return op == FLOW_FORK || op == FLOW_EXEC || op == FLOW_START;
}

static bool is_earlier(const struct picture_edge *a, const struct picture_edge *b)
{
	return a->first_ns != b->first_ns ? a->first_ns < b->first_ns : a->id < b->id;
}

// The earliest edge that explains where `node` belongs: for a process its birth, for others any edge with a process.
static void find_parent(struct plan *plan, uint32_t node)
{
	const struct picture_edge *best = NULL;

	for (size_t i = 0; i < plan->p->edges.count; i++) {
		const struct picture_edge *e = &plan->p->edges.items[i];

		if (e->from == e->to || e->correlation || (e->from != node && e->to != node))
			continue;
		uint32_t other = e->from == node ? e->to : e->from;
		bool fits = is_process(plan, node) ? e->to == node && is_process(plan, other) && is_birth(e->op) : is_process(plan, other);
		if (fits && (!best || is_earlier(e, best)))
			best = e;
	}
	if (!best)
		return;
	plan->parent[node] = best->from == node ? best->to : best->from;
	plan->shift[node] = is_process(plan, node) ? 2 : best->to == node ? 1 : -1;
}

// Follows parents up; a circle (pids that name each other) ends after as many steps as there are nodes.
static int column_of(const struct plan *plan, uint32_t node)
{
	int column = 0;

	for (size_t steps = 0; steps < plan->p->nodes.count && plan->parent[node] != GRAPH_NONE; steps++) {
		column += plan->shift[node];
		node = plan->parent[node];
	}
	return column;
}

static int compare_order(const void *a, const void *b, void *context)
{
	const struct plan *plan = context;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	const struct picture_node *n = &plan->p->nodes.items[x], *m = &plan->p->nodes.items[y];

	if (plan->column[x] != plan->column[y])
		return plan->column[x] < plan->column[y] ? -1 : 1;
	if (n->first_ns != m->first_ns)
		return n->first_ns < m->first_ns ? -1 : 1;
	return x < y ? -1 : x > y;
}

static void place_columns(struct plan *plan)
{
	double x = 0;
	size_t count = plan->p->nodes.count;

	for (size_t i = 0; i < count;) {
		size_t end = i;
		double widest = 0;

		for (; end < count && plan->column[plan->order[end]] == plan->column[plan->order[i]]; end++)
			widest = fmax(widest, plan->p->nodes.items[plan->order[end]].width);
		for (; i < end; i++)
			plan->p->nodes.items[plan->order[i]].x = x + widest / 2;
		x += widest + COLUMN_GAP;
	}
}

// The mean height of the neighbours that stand already, or -1.
static double wanted_y(const struct plan *plan, uint32_t node)
{
	double sum = 0;
	size_t count = 0;

	for (size_t i = 0; i < plan->p->edges.count; i++) {
		const struct picture_edge *e = &plan->p->edges.items[i];
		uint32_t other = e->from == node ? e->to : e->from;

		if ((e->from != node && e->to != node) || other == node || !plan->placed[other] || e->correlation)
			continue;
		sum += plan->p->nodes.items[other].y;
		count++;
	}
	return count ? sum / (double)count : -1;
}

static void place_rows(struct plan *plan)
{
	double free_y = 0;

	for (size_t i = 0; i < plan->p->nodes.count; i++) {
		uint32_t node = plan->order[i];
		struct picture_node *n = &plan->p->nodes.items[node];

		if (i == 0 || plan->column[plan->order[i - 1]] != plan->column[node])
			free_y = 0;
		n->y = fmax(free_y + n->height / 2, wanted_y(plan, node));
		free_y = n->y + n->height / 2 + ROW_GAP;
		plan->placed[node] = true;
	}
}

static int route(struct picture *p, struct picture_edge *edge)
{
	const struct picture_node *a = &p->nodes.items[edge->from], *b = &p->nodes.items[edge->to];
	double arrow = layout_arrow(edge), start = edge->both_ways ? arrow : 0;
	double out = 1, in = -1; // sides: 1 right, -1 left

	if (fabs(b->x - a->x) < a->width / 2 + b->width / 2)
		in = 1; // one column: around on the right
	else if (b->x < a->x)
		out = -1, in = 1;
	double x0 = a->x + out * (a->width / 2 + start), x1 = b->x + in * (b->width / 2 + arrow);
	double bend = fmax(COLUMN_GAP / 2, fabs(x1 - x0) / 2.5);
	double xy[] = {x0, a->y, x0 + out * bend, a->y, x1 + in * bend, b->y, x1, b->y};
	return layout_set_points(edge, xy, 4);
}

static int plan_init(struct plan *plan, struct picture *p)
{
	size_t count = p->nodes.count + 1;

	*plan = (struct plan){
		.p = p,
		.parent = malloc(count * sizeof(uint32_t)),
		.shift = calloc(count, sizeof(int)),
		.column = calloc(count, sizeof(int)),
		.order = malloc(count * sizeof(uint32_t)),
		.placed = calloc(count, sizeof(bool)),
	};
	if (!plan->parent || !plan->shift || !plan->column || !plan->order || !plan->placed)
		return -1;
	for (uint32_t i = 0; i < p->nodes.count; i++) {
		plan->parent[i] = GRAPH_NONE;
		plan->order[i] = i;
	}
	return 0;
}

static void plan_release(struct plan *plan)
{
	free(plan->parent);
	free(plan->shift);
	free(plan->column);
	free(plan->order);
	free(plan->placed);
}

int layout_own(struct picture *p, struct error *err)
{
	struct plan plan;
	int result = plan_init(&plan, p);

	if (result == 0) {
		for (uint32_t i = 0; i < p->nodes.count; i++)
			find_parent(&plan, i);
		for (uint32_t i = 0; i < p->nodes.count; i++)
			plan.column[i] = column_of(&plan, i);
		qsort_r(plan.order, p->nodes.count, sizeof(*plan.order), compare_order, &plan);
		place_columns(&plan);
		place_rows(&plan);
		for (size_t i = 0; i < p->edges.count && result == 0; i++)
			if (p->edges.items[i].from != p->edges.items[i].to)
				result = route(p, &p->edges.items[i]);
	}
	plan_release(&plan);
	return result < 0 ? error_set(err, "out of memory") : 0;
}
