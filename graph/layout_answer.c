// SPDX-License-Identifier: MIT
// Reads what provgraph-layout answers (format: graph/layout_dot.c). Nothing in it is believed: counts have to be the picture's own,
// every number a number and within bounds, and the picture is changed only after the last byte was good.
#include "graph/layout.h"

#include "base/memory.h"
#include "base/vector.h"

#include <string.h>

#define MAX_SIDE 20000000      /* hundredths of a px: 200,000 px; 60 nodes in one row are 15,000 */
#define MAX_ROUTE_POINTS 3001  /* of one edge */
#define SLACK 100000           /* routes may leave the box of the nodes by 1,000 px */

VECTOR_DEFINE(number_vector, double)

struct reader {
	const char *at, *end;
	bool bad;
};

// A word of the format and the space after it.
static void expect(struct reader *r, const char *word)
{
	size_t length = strlen(word);

	if (r->bad || (size_t)(r->end - r->at) < length || memcmp(r->at, word, length) != 0)
		r->bad = true;
	else
		r->at += length;
}

// A whole number in [low, high], with at most nine digits.
static long number(struct reader *r, long low, long high)
{
	long value = 0, sign = 1;
	int digits = 0;

	if (!r->bad && r->at < r->end && *r->at == '-') {
		sign = -1;
		r->at++;
	}
	while (!r->bad && r->at < r->end && *r->at >= '0' && *r->at <= '9' && digits < 10) {
		value = value * 10 + (*r->at++ - '0');
		digits++;
	}
	value *= sign;
	if (digits == 0 || digits == 10 || value < low || value > high)
		r->bad = true;
	return r->bad ? low : value;
}

static double length_between(struct reader *r, long low, long high)
{
	expect(r, " ");
	return (double)number(r, low, high) / 100;
}

static bool read_node(struct reader *r, const struct picture_node *node, long width, long height, struct number_vector *out)
{
	expect(r, "node");
	double x = length_between(r, 0, width), y = length_between(r, 0, height);
	expect(r, "\n");
	// A node stands inside the picture, with 1 px for rounding.
	if (r->bad || x < node->width / 2 - 1 || y < node->height / 2 - 1 || x > (double)width / 100 - node->width / 2 + 1 ||
	    y > (double)height / 100 - node->height / 2 + 1)
		return false;
	return number_vector_append(out, x) == 0 && number_vector_append(out, y) == 0;
}

static bool read_route(struct reader *r, long width, long height, struct number_vector *out, size_t *ret_points)
{
	expect(r, "edge ");
	long count = number(r, 0, MAX_ROUTE_POINTS);

	if (r->bad || (count != 0 && (count < 4 || count % 3 != 1)))
		return false;
	for (long i = 0; i < count; i++) {
		double x = length_between(r, -SLACK, width + SLACK), y = length_between(r, -SLACK, height + SLACK);

		if (r->bad || number_vector_append(out, x) < 0 || number_vector_append(out, y) < 0)
			return false;
	}
	expect(r, "\n");
	*ret_points = (size_t)count;
	return !r->bad;
}

// A line from centre to centre, where no route came: rare, and better than no edge.
static int straight(const struct picture *p, struct picture_edge *edge)
{
	const struct picture_node *a = &p->nodes.items[edge->from], *b = &p->nodes.items[edge->to];
	double x0 = a->x + a->width / 2, x1 = b->x - b->width / 2 - layout_arrow(edge);

	if (x1 < x0) { // the target lies to the left
		x0 = a->x - a->width / 2;
		x1 = b->x + b->width / 2 + layout_arrow(edge);
	}
	double third = (x1 - x0) / 3;
	double xy[] = {x0, a->y, x0 + third, a->y, x1 - third, b->y, x1, b->y};
	return layout_set_points(edge, xy, 4);
}

static int apply(struct picture *p, const struct number_vector *nodes, const struct number_vector *routes, const size_t *points)
{
	const double *xy = routes->items;

	for (size_t i = 0; i < p->nodes.count; i++) {
		p->nodes.items[i].x = nodes->items[2 * i];
		p->nodes.items[i].y = nodes->items[2 * i + 1];
	}
	for (size_t i = 0, row = 0; i < p->edges.count; i++) {
		struct picture_edge *edge = &p->edges.items[i];

		if (edge->from == edge->to)
			continue;
		size_t count = points[row++];
		if (count == 0 ? straight(p, edge) < 0 : layout_set_points(edge, xy, count) < 0)
			return -1;
		if (count > 0)
			xy += 2 * count;
	}
	return 0;
}

static bool read_all(struct reader *r, const struct picture *p, struct number_vector *nodes, struct number_vector *routes,
		     size_t *points)
{
	expect(r, "provgraph-layout 1\ngraph ");
	long width = number(r, 0, MAX_SIDE);
	expect(r, " ");
	long height = number(r, 0, MAX_SIDE);
	expect(r, "\n");
	for (size_t i = 0; i < p->nodes.count && !r->bad; i++)
		if (!read_node(r, &p->nodes.items[i], width, height, nodes))
			return false;
	for (size_t i = 0, row = 0; i < p->edges.count && !r->bad; i++)
		if (p->edges.items[i].from != p->edges.items[i].to && !read_route(r, width, height, routes, &points[row++]))
			return false;
	expect(r, "end\n");
	return !r->bad && r->at == r->end;
}

int layout_answer(struct picture *p, const char *bytes, size_t length, struct error *err)
{
	struct reader reader = {.at = bytes, .end = bytes + length};
	struct number_vector nodes = {0}, routes = {0};
	size_t *points AUTO_FREE = calloc(p->edges.count + 1, sizeof(*points));
	int result = -1;

	if (!points)
		return error_set(err, "out of memory");
	if (!read_all(&reader, p, &nodes, &routes, points))
		error_set(err, "provgraph-layout: its answer is wrong at byte %zu", (size_t)(reader.at - bytes));
	else if (apply(p, &nodes, &routes, points) < 0)
		error_set(err, "out of memory");
	else
		result = 0;
	number_vector_release(&nodes);
	number_vector_release(&routes);
	return result;
}
