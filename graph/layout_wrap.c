// SPDX-License-Identifier: MIT
// A long incident is a long chain: 17 columns are 5,600 px, and no screen shows both its ends. So a wide graph is broken into rows, as
// a line of text is. The cuts lie between columns; a line that crosses one goes on around the right end of its row, through the space
// between the rows, and in from the left:
//
//     +--------------------------------+
//     |  A --> B --> C ----------------|--.        lanes: the highest line turns outermost, so that
//     +--------------------------------+  |        lines which did not cross before do not cross here
//   .-------------------------------------'
//   | +--------------------------------+
//   '-|--> D --> E                     |
//     +--------------------------------+
//
// The parts inside the rows are Graphviz's own routes, cut where they cross; so they keep clear of the nodes.
#include "graph/layout.h"

#include "base/memory.h"
#include "base/vector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SCREEN_WIDTH 1320.0 /* what a window of 1,400 px shows at full size */
#define WRAP_ABOVE 1480.0
#define MAX_ROWS 8
#define ROW_COST 3.0
#define WIDTH_COST 60.0     /* of a row twice as wide: the words become half as large, so many lines may go a long way instead */
#define LANE 9.0
#define ROW_GAP 18.0     /* above and below the lanes between two rows */
#define CORNER 7.0
#define MIN_GAP 20.0     /* between columns, to count as one */
#define CLEAR 11.0       /* above and below a node that keeps its height */
#define MAX_EMPTY 34.0

struct point { double x, y; };
VECTOR_DEFINE(point_vector, struct point)
VECTOR_DEFINE(cut_vector, double)

// Where an edge leaves a row: `at` counts points of the edge's new route, whose next point lies in the other row.
struct crossing { uint32_t edge; uint32_t cut; size_t at; bool backward; double y; size_t lane; };
VECTOR_DEFINE(crossing_vector, struct crossing)

struct bend { double from, to; }; // y before and after
VECTOR_DEFINE(bend_vector, struct bend)

struct row {
	double left, top, bottom, dx, dy;
	size_t lanes;             // of the cut at its right end
	struct bend_vector bends; // heights without a node are made smaller: a row needs not what the others needed
};

struct wrap {
	struct picture *p;
	double cuts[MAX_ROWS - 1];
	size_t rows;
	struct row row[MAX_ROWS];
	struct point_vector *routes; // one per edge; pieces one after the other, each starts with its own first point
	struct crossing_vector crossings;
};

static size_t row_of(const struct wrap *w, double x)
{
	size_t row = 0;

	while (row + 1 < w->rows && x > w->cuts[row])
		row++;
	return row;
}

// ---- where to cut

static int compare_nodes(const void *a, const void *b, void *context)
{
	const struct picture *p = context;
	const struct picture_node *n = &p->nodes.items[*(const uint32_t *)a], *m = &p->nodes.items[*(const uint32_t *)b];
	double left = n->x - n->width / 2, other = m->x - m->width / 2;

	return left != other ? (left < other ? -1 : 1) : n->id < m->id ? -1 : n->id > m->id;
}

// The middles of all gaps that no node reaches into, from left to right.
static int find_gaps(const struct picture *p, struct cut_vector *gaps)
{
	uint32_t *order AUTO_FREE = malloc((p->nodes.count + 1) * sizeof(*order));
	double right = 0;

	if (!order)
		return -1;
	for (uint32_t i = 0; i < p->nodes.count; i++)
		order[i] = i;
	qsort_r(order, p->nodes.count, sizeof(*order), compare_nodes, (void *)(uintptr_t)p);
	for (size_t i = 0; i < p->nodes.count; i++) {
		const struct picture_node *n = &p->nodes.items[order[i]];
		double left = n->x - n->width / 2;

		if (i > 0 && left > right + MIN_GAP && cut_vector_append(gaps, (left + right) / 2) < 0)
			return -1;
		right = fmax(right, n->x + n->width / 2);
	}
	return 0;
}

// Lines that cross a cut have a long way around. Those of the path should not, and the contact itself least of all: the alert stands
// beside the process that made it.
static double crossing_cost(const struct picture *p, double x)
{
	double cost = 0;

	for (size_t i = 0; i < p->edges.count; i++) {
		const struct picture_edge *e = &p->edges.items[i];

		if ((p->nodes.items[e->from].x < x) == (p->nodes.items[e->to].x < x))
			continue;
		cost += e->on_path ? 2 : 1;
		if (p->nodes.items[e->from].alert || p->nodes.items[e->to].alert)
			cost += 6;
	}
	return cost;
}

// The best cuts for `rows` rows of about equal width; what they cost goes down with the width of the widest row.
static double choose_cuts(const struct picture *p, const struct cut_vector *gaps, size_t rows, double *ret_cuts, size_t *ret_count)
{
	double row_width = p->width / (double)rows, cost = ROW_COST * (double)(rows - 1), from = 0, widest = 0;
	size_t next = 0;

	*ret_count = 0;
	for (size_t i = 1; i < rows; i++) {
		double ideal = row_width * (double)i, best = INFINITY;
		size_t chosen = gaps->count;

		for (size_t j = next; j < gaps->count; j++) {
			double away = fabs(gaps->items[j] - ideal) / row_width, here = crossing_cost(p, gaps->items[j]) + 14 * away;

			if (away < 0.5 && here < best) {
				best = here;
				chosen = j;
			}
		}
		if (chosen == gaps->count)
			return INFINITY;
		cost += crossing_cost(p, gaps->items[chosen]);
		widest = fmax(widest, gaps->items[chosen] - from);
		from = ret_cuts[(*ret_count)++] = gaps->items[chosen];
		next = chosen + 1;
	}
	widest = fmax(widest, p->width - from);
	return cost + WIDTH_COST * log2(fmax(1, widest / SCREEN_WIDTH));
}

static int choose_rows(struct wrap *w)
{
	struct cut_vector gaps = {0};
	double best = INFINITY;
	int result = find_gaps(w->p, &gaps);

	w->rows = 1;
	for (size_t rows = 1; rows <= MAX_ROWS && result == 0; rows++) {
		double cuts[MAX_ROWS - 1], cost;
		size_t count;

		cost = choose_cuts(w->p, &gaps, rows, cuts, &count);
		if (cost >= best)
			continue;
		best = cost;
		w->rows = count + 1;
		memcpy(w->cuts, cuts, count * sizeof(*cuts));
	}
	cut_vector_release(&gaps);
	return result;
}

// ---- cutting routes

static struct point between(struct point a, struct point b, double t)
{
	return (struct point){a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t};
}

// De Casteljau: q becomes the part before t, p the part after it.
static void split(struct point p[4], struct point q[4], double t)
{
	struct point ab = between(p[0], p[1], t), bc = between(p[1], p[2], t), cd = between(p[2], p[3], t);
	struct point abc = between(ab, bc, t), bcd = between(bc, cd, t), middle = between(abc, bcd, t);

	q[0] = p[0];
	q[1] = ab;
	q[2] = abc;
	q[3] = middle;
	p[0] = middle;
	p[1] = bcd;
	p[2] = cd;
}

static double x_at(const struct point p[4], double t)
{
	double s = 1 - t;

	return s * s * s * p[0].x + 3 * s * s * t * p[1].x + 3 * s * t * t * p[2].x + t * t * t * p[3].x;
}

// The first t at which the curve is in another row than `row`; 2 when it stays.
static double leaves_at(const struct wrap *w, const struct point p[4], size_t row)
{
	enum { STEPS = 24 };

	for (int i = 1; i <= STEPS; i++) {
		double low = (double)(i - 1) / STEPS, high = (double)i / STEPS;

		if (row_of(w, x_at(p, high)) == row)
			continue;
		for (int k = 0; k < 40; k++) {
			double middle = (low + high) / 2;

			if (row_of(w, x_at(p, middle)) == row)
				low = middle;
			else
				high = middle;
		}
		return high;
	}
	return 2;
}

static int add_curve(struct point_vector *route, const struct point q[4])
{
	for (int i = 1; i < 4; i++)
		if (point_vector_append(route, q[i]) < 0)
			return -1;
	return 0;
}

// Splits one cubic at every cut it crosses, on into `route`; notes the crossings.
static int cut_curve(struct wrap *w, uint32_t edge, struct point p[4], size_t *row)
{
	struct point_vector *route = &w->routes[edge];

	for (int guard = 0; guard < 2 * MAX_ROWS; guard++) {
		double t = leaves_at(w, p, *row);
		struct point q[4];

		if (t > 1)
			break;
		split(p, q, t);
		size_t next = row_of(w, x_at(p, t < 1 ? 0.02 : 1));
		next = next > *row ? *row + 1 : next < *row ? *row - 1 : next; // one cut at a time
		if (add_curve(route, q) < 0)
			return -1;
		if (next == *row)
			break;
		struct crossing crossing = {
			.edge = edge, .cut = (uint32_t)(next > *row ? *row : next), .at = route->count, .backward = next < *row, .y = p[0].y,
		};
		if (crossing_vector_append(&w->crossings, crossing) < 0 || point_vector_append(route, p[0]) < 0)
			return -1;
		*row = next;
		if (t >= 1)
			return 0;
	}
	return add_curve(route, p);
}

static int cut_routes(struct wrap *w)
{
	for (uint32_t i = 0; i < w->p->edges.count; i++) {
		const struct picture_edge *e = &w->p->edges.items[i];

		if (e->point_count < 4)
			continue;
		struct point first = {e->points[0], e->points[1]};
		size_t row = row_of(w, first.x);
		if (point_vector_append(&w->routes[i], first) < 0)
			return -1;
		for (size_t j = 0; j + 3 < e->point_count; j += 3) {
			struct point p[4];

			memcpy(p, e->points + 2 * j, sizeof(p));
			if (cut_curve(w, i, p, &row) < 0)
				return -1;
		}
	}
	return 0;
}

// ---- rows and lanes

static void row_take(struct row *row, double top, double bottom)
{
	row->top = fmin(row->top, top);
	row->bottom = fmax(row->bottom, bottom);
}

static int compare_crossings(const void *a, const void *b)
{
	const struct crossing *x = a, *y = b;

	if (x->cut != y->cut)
		return x->cut < y->cut ? -1 : 1;
	if (x->y != y->y)
		return x->y < y->y ? -1 : 1;
	return x->edge != y->edge ? (x->edge < y->edge ? -1 : 1) : x->at < y->at ? -1 : x->at > y->at;
}

// Calls for each point of a route the row that it lies in.
static size_t row_of_point(const struct wrap *w, uint32_t edge, size_t at)
{
	size_t row = row_of(w, w->routes[edge].items[0].x);

	for (size_t i = 0; i < w->crossings.count; i++) {
		const struct crossing *c = &w->crossings.items[i];

		if (c->edge == edge && c->at <= at)
			row = c->backward ? row - 1 : row + 1;
	}
	return row;
}

static double bent(const struct row *row, double y)
{
	const struct bend *b = row->bends.items;
	size_t i = 1;

	if (row->bends.count < 2)
		return y;
	while (i + 1 < row->bends.count && y > b[i].from)
		i++;
	double span = b[i].from - b[i - 1].from;
	return span <= 0 ? b[i].to : b[i - 1].to + (y - b[i - 1].from) * (b[i].to - b[i - 1].to) / span;
}

static int compare_tops(const void *a, const void *b, void *context)
{
	const struct picture *p = context;
	const struct picture_node *n = &p->nodes.items[*(const uint32_t *)a], *m = &p->nodes.items[*(const uint32_t *)b];
	double top = n->y - n->height / 2, other = m->y - m->height / 2;

	return top != other ? (top < other ? -1 : 1) : n->id < m->id ? -1 : n->id > m->id;
}

static int bend_to(struct row *row, double y, double height)
{
	const struct bend *last = &row->bends.items[row->bends.count - 1];

	return bend_vector_append(&row->bends, (struct bend){y, last->to + height});
}

// Keeps every height at which a node of the row stands, and at most MAX_EMPTY of each stretch between.
static int find_bends(struct wrap *w, size_t index, uint32_t *order)
{
	struct row *row = &w->row[index];
	double y = row->top;
	size_t count = 0;

	for (uint32_t i = 0; i < w->p->nodes.count; i++)
		if (row_of(w, w->p->nodes.items[i].x) == index)
			order[count++] = i;
	qsort_r(order, count, sizeof(*order), compare_tops, w->p);
	if (bend_vector_append(&row->bends, (struct bend){y, y}) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const struct picture_node *n = &w->p->nodes.items[order[i]];
		double top = n->y - n->height / 2 - CLEAR, bottom = n->y + n->height / 2 + CLEAR;

		if (top > y) {
			if (bend_to(row, top, fmin(top - y, MAX_EMPTY)) < 0)
				return -1;
			y = top;
		}
		if (bottom > y) {
			if (bend_to(row, bottom, bottom - y) < 0)
				return -1;
			y = bottom;
		}
	}
	return row->bottom > y ? bend_to(row, row->bottom, fmin(row->bottom - y, MAX_EMPTY)) : 0;
}

static void measure_rows(struct wrap *w)
{
	for (size_t i = 0; i < w->rows; i++)
		w->row[i] = (struct row){.left = i ? w->cuts[i - 1] : 0, .top = INFINITY, .bottom = -INFINITY};
	for (size_t i = 0; i < w->p->nodes.count; i++) {
		const struct picture_node *n = &w->p->nodes.items[i];

		row_take(&w->row[row_of(w, n->x)], n->y - n->height / 2, n->y + n->height / 2);
	}
	for (uint32_t i = 0; i < w->p->edges.count; i++)
		for (size_t j = 0; j < w->routes[i].count; j++)
			row_take(&w->row[row_of_point(w, i, j)], w->routes[i].items[j].y, w->routes[i].items[j].y);
	qsort(w->crossings.items, w->crossings.count, sizeof(*w->crossings.items), compare_crossings);
	for (size_t i = 0; i < w->crossings.count; i++)
		w->crossings.items[i].lane = w->row[w->crossings.items[i].cut].lanes++;
}

static int place_rows(struct wrap *w)
{
	uint32_t *order AUTO_FREE = malloc((w->p->nodes.count + 1) * sizeof(*order));
	double y = 0, most = 0;

	if (!order)
		return -1;
	measure_rows(w);
	for (size_t i = 0; i < w->rows; i++) {
		if (find_bends(w, i, order) < 0)
			return -1;
		most = fmax(most, (double)w->row[i].lanes);
	}
	for (size_t i = 0; i < w->rows; i++) {
		struct row *row = &w->row[i];

		row->dx = (most + 2) * LANE - row->left;
		row->dy = y - bent(row, row->top);
		y += bent(row, row->bottom) - bent(row, row->top) + 2 * ROW_GAP + LANE * (double)row->lanes;
	}
	return 0;
}

static double moved_y(const struct row *row, double y)
{
	return bent(row, y) + row->dy;
}

// ---- putting it together

static int line_to(struct point_vector *out, struct point to)
{
	struct point from = out->items[out->count - 1];
	const struct point q[4] = {from, between(from, to, 1.0 / 3), between(from, to, 2.0 / 3), to};

	return add_curve(out, q);
}

// A rounded turn at `corner` on the way to `next`.
static int turn(struct point_vector *out, struct point corner, struct point next)
{
	struct point from = out->items[out->count - 1];
	double before = hypot(corner.x - from.x, corner.y - from.y), after = hypot(next.x - corner.x, next.y - corner.y);
	double radius = fmin(CORNER, fmin(before, after) / 2);

	if (before < 0.1 || after < 0.1)
		return line_to(out, corner);
	struct point start = between(corner, from, radius / before), end = between(corner, next, radius / after);
	if (line_to(out, start) < 0)
		return -1;
	const struct point q[4] = {start, between(start, corner, 0.55), between(end, corner, 0.55), end};
	return add_curve(out, q);
}

// Around the end of the upper row and into the lower one, or the same way back.
static int connect(const struct wrap *w, const struct crossing *c, struct point_vector *out)
{
	const struct row *upper = &w->row[c->cut], *lower = &w->row[c->cut + 1];
	double x = w->cuts[c->cut], n = (double)upper->lanes, j = (double)c->lane;
	double right = x + upper->dx + LANE * (n - j), left = x + lower->dx - LANE * (j + 1);
	double high = moved_y(upper, c->y), low = moved_y(lower, c->y), channel = moved_y(upper, upper->bottom) + ROW_GAP + LANE * (n - j);
	struct point way[6] = {
		{x + upper->dx, high}, {right, high}, {right, channel}, {left, channel}, {left, low}, {x + lower->dx, low},
	};

	if (c->backward)
		for (int i = 0; i < 3; i++) {
			struct point swap = way[i];

			way[i] = way[5 - i];
			way[5 - i] = swap;
		}
	for (int i = 1; i < 5; i++)
		if (turn(out, way[i], way[i + 1]) < 0)
			return -1;
	return line_to(out, way[5]);
}

static const struct crossing *crossing_at(const struct wrap *w, uint32_t edge, size_t at)
{
	for (size_t i = 0; i < w->crossings.count; i++)
		if (w->crossings.items[i].edge == edge && w->crossings.items[i].at == at)
			return &w->crossings.items[i];
	return NULL;
}

static int join(struct wrap *w, uint32_t edge, struct point_vector *out)
{
	const struct point_vector *route = &w->routes[edge];

	for (size_t i = 0; i < route->count; i++) {
		const struct crossing *c = crossing_at(w, edge, i);
		const struct row *row = &w->row[row_of_point(w, edge, i)];
		struct point moved = {route->items[i].x + row->dx, moved_y(row, route->items[i].y)};

		// The first point of a piece is where the way around the rows ends.
		if (c ? connect(w, c, out) < 0 : point_vector_append(out, moved) < 0)
			return -1;
	}
	return 0;
}

static int apply(struct wrap *w)
{
	for (uint32_t i = 0; i < w->p->edges.count; i++) {
		struct point_vector out = {0};
		int result = w->routes[i].count > 0 ? join(w, i, &out) : 0;

		if (result == 0 && out.count > 0)
			result = layout_set_points(&w->p->edges.items[i], &out.items[0].x, out.count);
		point_vector_release(&out);
		if (result < 0)
			return -1;
	}
	for (size_t i = 0; i < w->p->nodes.count; i++) {
		struct picture_node *n = &w->p->nodes.items[i];
		const struct row *row = &w->row[row_of(w, n->x)];

		n->x += row->dx;
		n->y = moved_y(row, n->y);
	}
	return 0;
}

int layout_wrap(struct picture *p)
{
	struct wrap w = {.p = p};

	p->layout_rows = 1;
	if (p->width <= WRAP_ABOVE)
		return 0;
	int result = choose_rows(&w);
	if (result == 0 && w.rows > 1) {
		w.routes = calloc(p->edges.count + 1, sizeof(*w.routes));
		result = w.routes ? cut_routes(&w) : -1;
		if (result == 0) {
			result = place_rows(&w) < 0 ? -1 : apply(&w);
			p->layout_rows = (uint32_t)w.rows;
		}
		for (size_t i = 0; i < w.rows; i++)
			bend_vector_release(&w.row[i].bends);
		for (size_t i = 0; w.routes && i < p->edges.count; i++)
			point_vector_release(&w.routes[i]);
		free(w.routes);
		crossing_vector_release(&w.crossings);
	}
	return result;
}
