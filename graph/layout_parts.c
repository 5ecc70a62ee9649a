// SPDX-License-Identifier: MIT
// A graph that no screen holds is read from its top: so the path from the root cause to the alert stands there, alone and whole, and
// what hangs together around it follows below, part by part in order of time.
//
//     mutt --> invoice.py --> python3 --> stage2 --> 10.0.0.5         the path
//
//     bash 9921 started                                               a tag: the other end stands above
//     |                                                               (causes over the box, effects under it)
//     v
//     [ dash ] --> [ id ]        [ wtmp ]                             parts, side by side while there is room
//
// A line between two parts would have to run past everything that stands between; it is drawn at one box only, as a short stem whose
// words name the other.
#include "graph/layout.h"

#include "base/memory.h"
#include "base/vector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SCREEN_WIDTH 1480.0 /* a graph that is not larger stays in one piece */
#define SCREEN_HEIGHT 560.0
#define ROW_WIDTH 1300.0 /* of parts that stand side by side */
#define PART_GAP 60.0    /* tags may be wider than their box */
#define PART_BELOW 30.0
#define HEADING 58.0     /* between the path and the rest */
#define TAG_HEIGHT 17.0
#define TAG_INSET 12.0
#define TAG_STEP 9.0
#define BESIDE 8.0 /* below the corner of a box, where a line from its side ends */
#define TAG_SPREAD 60.0 /* so that words do not reach into the next column */

#define COMMON_LEAST 6
#define STEMS_APART 8 /* of many alike at one box: so many are told one by one */

struct part { uint32_t group; uint64_t first_ns; double x, y; struct layout_part drawn; };
VECTOR_DEFINE(part_vector, struct part)

struct parts {
	struct picture *p;
	uint32_t *group;         // per node; 0: the path
	uint32_t *above, *below; // per node: tags
	struct part_vector items;
};

static void part_release(struct layout_part *part)
{
	for (size_t i = 0; i < part->picture.edges.count; i++)
		free(part->picture.edges.items[i].points);
	picture_edge_vector_release(&part->picture.edges);
	picture_node_vector_release(&part->picture.nodes);
	free(part->node_of);
	free(part->edge_of);
}

// ---- which parts there are

static size_t count_alike(const struct picture *p, const struct picture_edge *edge, bool at_source)
{
	size_t same = 0;

	for (size_t i = 0; i < p->edges.count; i++) {
		const struct picture_edge *e = &p->edges.items[i];

		same += e->op == edge->op && !e->on_path && e->step_count == 0 && !e->attached &&
			(at_source ? e->from == edge->from : e->to == edge->to);
	}
	return same;
}

bool layout_is_common(const struct picture *p, const struct picture_edge *edge)
{
	if (edge->on_path || edge->step_count > 0 || edge->attached ||
	    (edge->op != FLOW_INTERPRET && edge->op != FLOW_OPEN_READ && edge->op != FLOW_READ && edge->op != FLOW_UNIX))
		return false;
	return count_alike(p, edge, true) >= COMMON_LEAST || count_alike(p, edge, false) >= COMMON_LEAST;
}

size_t layout_shared_stem(const struct picture *p, const struct picture_edge *edge, size_t *ret_first)
{
	size_t count = 0;

	*ret_first = SIZE_MAX;
	if (!edge->apart || !layout_is_common(p, edge))
		return 0;
	for (size_t i = 0; i < p->edges.count; i++) {
		const struct picture_edge *e = &p->edges.items[i];
		bool there = e->apart && e->apart_into == edge->apart_into && (e->apart_into ? e->to == edge->to : e->from == edge->from);

		if (!there || e->op != edge->op || !layout_is_common(p, e))
			continue;
		*ret_first = count++ == 0 ? i : *ret_first;
	}
	return count > STEMS_APART ? count : 0;
}

// What everybody does and what is not known to have happened hold nothing together.
static bool holds(const struct picture *p, const struct picture_edge *e)
{
	return !e->correlation && e->class != CLASS_UNCERTAIN && !layout_is_common(p, e);
}

static void spread(struct parts *s, uint32_t *stack, uint32_t node, uint32_t group)
{
	size_t depth = 0;

	stack[depth++] = node;
	s->group[node] = group;
	while (depth > 0) {
		uint32_t here = stack[--depth];

		for (size_t i = 0; i < s->p->edges.count; i++) {
			const struct picture_edge *e = &s->p->edges.items[i];
			uint32_t other = e->from == here ? e->to : e->from;

			if ((e->from != here && e->to != here) || s->group[other] != GRAPH_NONE || !holds(s->p, e))
				continue;
			s->group[other] = group;
			stack[depth++] = other;
		}
	}
}

static int compare_parts(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	if ((x->group == 0) != (y->group == 0))
		return x->group == 0 ? -1 : 1;
	return x->first_ns != y->first_ns ? (x->first_ns < y->first_ns ? -1 : 1) : x->group < y->group ? -1 : x->group > y->group;
}

static int find_parts(struct parts *s)
{
	uint32_t *stack AUTO_FREE = malloc((s->p->nodes.count + 1) * sizeof(*stack)), groups = 1;

	if (!stack)
		return -1;
	for (uint32_t i = 0; i < s->p->nodes.count; i++)
		s->group[i] = s->p->nodes.items[i].on_path ? 0 : GRAPH_NONE;
	for (uint32_t i = 0; i < s->p->nodes.count; i++)
		if (s->group[i] == GRAPH_NONE)
			spread(s, stack, i, groups++);
	for (uint32_t g = 0; g < groups; g++) {
		struct part part = {.group = g, .first_ns = NANOTIME_NONE};

		for (size_t i = 0; i < s->p->edges.count; i++) {
			const struct picture_edge *e = &s->p->edges.items[i];

			if ((s->group[e->from] == g || s->group[e->to] == g) && holds(s->p, e) && e->first_ns < part.first_ns)
				part.first_ns = e->first_ns;
		}
		if (part_vector_append(&s->items, part) < 0)
			return -1;
	}
	qsort(s->items.items, s->items.count, sizeof(*s->items.items), compare_parts);
	return 0;
}

// The end at which an edge between two parts is drawn; GRAPH_NONE: both ends stand in one part. The path is kept clear; many alike
// stand at the one box that they share.
static uint32_t drawn_end(const struct parts *s, const struct picture_edge *e)
{
	if (s->group[e->from] == s->group[e->to])
		return GRAPH_NONE;
	if (s->group[e->from] == 0 || s->group[e->to] == 0)
		return s->group[e->from] == 0 ? e->to : e->from;
	return layout_is_common(s->p, e) && count_alike(s->p, e, true) >= COMMON_LEAST ? e->from : e->to;
}

static void count_tags(struct parts *s)
{
	for (size_t i = 0; i < s->p->edges.count; i++) {
		struct picture_edge *e = &s->p->edges.items[i];
		uint32_t end = drawn_end(s, e);

		e->apart = end != GRAPH_NONE;
		e->apart_into = e->to == end;
	}
	for (size_t i = 0; i < s->p->edges.count; i++) {
		const struct picture_edge *e = &s->p->edges.items[i];
		size_t first;

		if (e->apart && (layout_shared_stem(s->p, e, &first) == 0 || first == i))
			(*(e->apart_into ? &s->above[e->to] : &s->below[e->from]))++;
	}
}

// ---- one part

static int part_take(const struct parts *s, struct part *part)
{
	struct layout_part *d = &part->drawn;
	const struct picture *p = s->p;
	uint32_t *place AUTO_FREE = malloc((p->nodes.count + 1) * sizeof(*place));

	d->picture = *p;
	d->picture.nodes = (struct picture_node_vector){0};
	d->picture.edges = (struct picture_edge_vector){0};
	d->node_of = malloc((p->nodes.count + 1) * sizeof(*d->node_of));
	d->edge_of = malloc((p->edges.count + 1) * sizeof(*d->edge_of));
	if (!place || !d->node_of || !d->edge_of)
		return -1;
	for (uint32_t i = 0; i < p->nodes.count; i++) {
		struct picture_node node = p->nodes.items[i];

		if (s->group[i] != part->group)
			continue;
		node.height += TAG_HEIGHT * (s->above[i] + s->below[i]);
		place[i] = (uint32_t)d->picture.nodes.count;
		d->node_of[d->picture.nodes.count] = i;
		if (picture_node_vector_append(&d->picture.nodes, node) < 0)
			return -1;
	}
	for (uint32_t i = 0; i < p->edges.count; i++) {
		struct picture_edge edge = p->edges.items[i];

		if (s->group[edge.from] != part->group || s->group[edge.to] != part->group)
			continue;
		edge.from = place[edge.from];
		edge.to = place[edge.to];
		edge.points = NULL;
		edge.point_count = 0;
		d->edge_of[d->picture.edges.count] = i;
		if (picture_edge_vector_append(&d->picture.edges, edge) < 0)
			return -1;
	}
	return 0;
}

// Side by side in rows, as words on a page; what is lower than its row goes below its neighbour while there is room.
static void place_parts(struct parts *s)
{
	double x = 0, y = 0, row = 0, column_width = 0, column_end = 0;

	for (size_t i = 0; i < s->items.count; i++) {
		struct part *part = &s->items.items[i];
		double width = part->drawn.picture.width, height = part->drawn.picture.height;

		if (i == 0) { // the path
			y = height + HEADING;
			s->p->around_y = s->items.count > 1 ? height : 0;
			s->p->layout_rows = part->drawn.picture.layout_rows;
			continue;
		}
		if (column_width > 0 && width <= column_width + 1 && column_end + PART_BELOW + height <= row + 1) {
			part->x = x;
			part->y = y + column_end + PART_BELOW;
			column_end += PART_BELOW + height;
			continue;
		}
		if (column_width > 0)
			x += column_width + PART_GAP;
		if (x > 0 && x + width > ROW_WIDTH) {
			y += row + PART_BELOW;
			x = row = 0;
		}
		part->x = x;
		part->y = y;
		column_width = width;
		column_end = height;
		row = fmax(row, height);
	}
}

// ---- back into the picture

// A route to where the tags are ends at the box itself.
static void pull_end(const struct parts *s, uint32_t node, double *end, double *control)
{
	const struct picture_node *n = &s->p->nodes.items[node];
	double top = n->y - n->height / 2, bottom = n->y + n->height / 2, before = end[1];

	if (before >= top && before <= bottom)
		return;
	if (fabs(end[0] - n->x) < n->width / 2) // from above or below: as near to the box as it was to its tags
		end[1] += before < top ? TAG_HEIGHT * s->above[node] : -TAG_HEIGHT * s->below[node];
	else
		end[1] = before < top ? top + BESIDE : bottom - BESIDE;
	control[1] += end[1] - before;
}

static void put_edges(struct parts *s, struct part *part)
{
	for (size_t i = 0; i < part->drawn.picture.edges.count; i++) {
		struct picture_edge *from = &part->drawn.picture.edges.items[i], *to = &s->p->edges.items[part->drawn.edge_of[i]];

		for (size_t j = 0; j < from->point_count; j++) {
			from->points[2 * j] += part->x;
			from->points[2 * j + 1] += part->y;
		}
		if (from->point_count >= 4) {
			double *last = from->points + 2 * (from->point_count - 1);

			pull_end(s, to->from, from->points, from->points + 2);
			pull_end(s, to->to, last, last - 2);
		}
		free(to->points);
		to->points = from->points;
		to->point_count = from->point_count;
		from->points = NULL;
	}
}

static void put_nodes(struct parts *s, const struct part *part)
{
	for (size_t i = 0; i < part->drawn.picture.nodes.count; i++) {
		const struct picture_node *tall = &part->drawn.picture.nodes.items[i];
		uint32_t index = part->drawn.node_of[i];
		struct picture_node *n = &s->p->nodes.items[index];

		n->x = tall->x + part->x;
		n->y = tall->y - tall->height / 2 + part->y + TAG_HEIGHT * s->above[index] + n->height / 2;
	}
}

int layout_stem(struct picture_edge *edge, double x, double tag, double box)
{
	double length = layout_arrow(edge);
	bool into = edge->apart_into, upper = tag < box;
	double near = box + (into || edge->both_ways ? (upper ? -length : length) : 0);
	double from = into ? tag + (edge->both_ways ? (upper ? length : -length) : 0) : near, to = into ? near : tag + (upper ? length : -length);
	double xy[] = {x, from, x, from + (to - from) / 3, x, from + (to - from) * 2 / 3, x, to};

	return layout_set_points(edge, xy, 4);
}

// Tags in order of time, downward; who stands further away has its stem further left, so that no stem crosses words.
static int put_tags(struct parts *s)
{
	uint32_t *upper AUTO_FREE = calloc(s->p->nodes.count + 1, sizeof(*upper)), *lower AUTO_FREE = calloc(s->p->nodes.count + 1, sizeof(*lower));

	if (!upper || !lower)
		return -1;
	for (size_t i = 0; i < s->p->edges.count; i++) {
		struct picture_edge *e = &s->p->edges.items[i];
		uint32_t end = e->apart_into ? e->to : e->from;
		size_t first;

		if (!e->apart)
			continue;
		if (layout_shared_stem(s->p, e, &first) > 0 && first < i) {
			const struct picture_edge *shared = &s->p->edges.items[first];

			if (layout_set_points(e, shared->points, shared->point_count) < 0)
				return -1;
			continue;
		}
		const struct picture_node *n = &s->p->nodes.items[end];
		uint32_t count = e->apart_into ? s->above[end] : s->below[end], at = e->apart_into ? upper[end]++ : lower[end]++;
		double step = fmin(TAG_STEP, TAG_SPREAD / count), left = n->x - n->width / 2 + TAG_INSET;
		double top = n->y - n->height / 2, bottom = n->y + n->height / 2;

		double x = left + step * (e->apart_into ? at : count - 1 - at);
		double tag = e->apart_into ? top - TAG_HEIGHT * (count - at) + 1 : bottom + TAG_HEIGHT * (at + 1) - 1;
		if (layout_stem(e, x, tag, e->apart_into ? top : bottom) < 0)
			return -1;
	}
	return 0;
}

static int place_all(struct parts *s, layout_place *place, void *context)
{
	for (size_t i = 0; i < s->items.count; i++) {
		struct part *part = &s->items.items[i];

		if (part_take(s, part) < 0 || place(&part->drawn.picture, context) < 0)
			return -1;
		s->p->layout_fell_back |= part->drawn.picture.layout_fell_back;
	}
	place_parts(s);
	for (size_t i = 0; i < s->items.count; i++) {
		put_nodes(s, &s->items.items[i]);
		put_edges(s, &s->items.items[i]);
	}
	return put_tags(s);
}

static bool is_worth_it(const struct picture *p)
{
	size_t path = 0;

	for (size_t i = 0; i < p->nodes.count; i++)
		path += p->nodes.items[i].on_path;
	return path > 1 && path < p->nodes.count && (p->layout_rows > 1 || p->width > SCREEN_WIDTH || p->height > SCREEN_HEIGHT);
}

int layout_parts(struct picture *p, layout_place *place, void *context)
{
	size_t n = p->nodes.count + 1;
	struct parts s = {
		.p = p, .group = malloc(n * sizeof(uint32_t)), .above = calloc(n, sizeof(uint32_t)), .below = calloc(n, sizeof(uint32_t)),
	};
	int result = 0;

	p->around_y = 0;
	if (is_worth_it(p)) {
		result = s.group && s.above && s.below ? find_parts(&s) : -1;
		if (result == 0) {
			count_tags(&s);
			result = place_all(&s, place, context);
		}
	}
	for (size_t i = 0; i < s.items.count; i++)
		part_release(&s.items.items[i].drawn);
	part_vector_release(&s.items);
	free(s.group);
	free(s.above);
	free(s.below);
	return result;
}
