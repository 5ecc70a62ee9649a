// SPDX-License-Identifier: MIT
// A fold that flows into or out of one box only needs no column and no line of its own: it stands above or below that box, and the
// layout sees one taller box. Folds are a third of the nodes, and the columns of a picture are what makes it too wide to read.
//
// Causes stand above, effects below, as long as that leaves the box itself near the middle, where lines arrive.
#include "graph/layout.h"

#include <stdlib.h>

// The one edge of a fold that can be attached; GRAPH_NONE.
static uint32_t only_edge(const struct picture *p, uint32_t node)
{
	uint32_t found = GRAPH_NONE;

	if (p->nodes.items[node].kind != PICTURE_FOLD)
		return GRAPH_NONE;
	for (uint32_t i = 0; i < p->edges.count; i++) {
		const struct picture_edge *e = &p->edges.items[i];

		if (e->from != node && e->to != node)
			continue;
		if (found != GRAPH_NONE || e->from == e->to || e->correlation || e->on_path)
			return GRAPH_NONE;
		found = i;
	}
	if (found == GRAPH_NONE)
		return GRAPH_NONE;
	const struct picture_edge *e = &p->edges.items[found];
	return p->nodes.items[e->from == node ? e->to : e->from].kind == PICTURE_FOLD ? GRAPH_NONE : found;
}

// Which folds hang on which box.
static void find_attached(struct layout_reduced *r)
{
	struct picture *p = r->whole;

	for (uint32_t i = 0; i < p->nodes.count; i++) {
		uint32_t edge = only_edge(p, i);

		r->edge_of_fold[i] = edge;
		p->nodes.items[i].attached = edge != GRAPH_NONE;
		if (edge == GRAPH_NONE)
			continue;
		const struct picture_edge *e = &p->edges.items[edge];
		uint32_t anchor = e->from == i ? e->to : e->from;
		r->anchor[i] = anchor;
		r->hanging[anchor]++;
		r->causes[anchor] += e->from == i;
	}
	for (uint32_t i = 0; i < p->edges.count; i++)
		p->edges.items[i].attached = p->nodes.items[p->edges.items[i].from].attached || p->nodes.items[p->edges.items[i].to].attached;
}

int layout_reduce(struct picture *p, struct layout_reduced *r)
{
	size_t n = p->nodes.count + 1;

	*r = (struct layout_reduced){
		.whole = p, .picture = *p, .node_of = malloc(n * sizeof(uint32_t)), .place = malloc(n * sizeof(uint32_t)),
		.edge_of = malloc((p->edges.count + 1) * sizeof(uint32_t)), .edge_of_fold = malloc(n * sizeof(uint32_t)),
		.anchor = malloc(n * sizeof(uint32_t)), .hanging = calloc(n, sizeof(uint32_t)), .causes = calloc(n, sizeof(uint32_t)),
	};
	r->picture.nodes = (struct picture_node_vector){0};
	r->picture.edges = (struct picture_edge_vector){0};
	if (!r->node_of || !r->place || !r->edge_of || !r->edge_of_fold || !r->anchor || !r->hanging || !r->causes)
		return -1;
	find_attached(r);
	for (uint32_t i = 0; i < p->nodes.count; i++) {
		struct picture_node node = p->nodes.items[i];

		if (node.attached)
			continue;
		node.height += LAYOUT_ATTACHED_STEP * r->hanging[i];
		r->place[i] = (uint32_t)r->picture.nodes.count;
		r->node_of[r->picture.nodes.count] = i;
		if (picture_node_vector_append(&r->picture.nodes, node) < 0)
			return -1;
	}
	for (uint32_t i = 0; i < p->edges.count; i++) {
		struct picture_edge edge = p->edges.items[i];

		if (edge.attached)
			continue;
		edge.from = r->place[edge.from];
		edge.to = r->place[edge.to];
		edge.points = NULL;
		edge.point_count = 0;
		r->edge_of[r->picture.edges.count] = i;
		if (picture_edge_vector_append(&r->picture.edges, edge) < 0)
			return -1;
	}
	return 0;
}

// A short line straight up or down between a box and what stands above or below it, near the left side (pills stand in the middle).
// Whoever stands further away has its line further right: it passes behind what stands between.
static int connect(struct picture_edge *edge, const struct picture_node *upper, const struct picture_node *lower, bool downward, double x)
{
	double arrow = layout_arrow(edge), top = upper->y + upper->height / 2, bottom = lower->y - lower->height / 2;
	double from = downward ? top : bottom, to = downward ? bottom - arrow : top + arrow;

	if (edge->both_ways)
		from += downward ? arrow : -arrow;
	double xy[] = {x, from, x, from + (to - from) / 3, x, from + (to - from) * 2 / 3, x, to};
	return layout_set_points(edge, xy, 4);
}

// The box, and what hangs on it, inside the tall box that the layout placed: causes first, half of all above.
static int unfold(struct layout_reduced *r, uint32_t anchor, const struct picture_node *tall)
{
	struct picture *p = r->whole;
	struct picture_node *box = &p->nodes.items[anchor];
	uint32_t all = r->hanging[anchor], above = r->causes[anchor], least = all / 2, most = (all + 1) / 2, placed = 0;
	double top = tall->y - tall->height / 2;

	above = above < least ? least : above > most ? most : above;
	box->x = tall->x;
	box->y = top + LAYOUT_ATTACHED_STEP * above + box->height / 2;
	for (int causes = 1; causes >= 0; causes--)
		for (uint32_t i = 0; i < p->nodes.count && all > 0; i++) {
			struct picture_node *fold = &p->nodes.items[i];

			if (!fold->attached || r->anchor[i] != anchor)
				continue;
			struct picture_edge *edge = &p->edges.items[r->edge_of_fold[i]];
			if ((edge->from == i) != (causes == 1))
				continue;
			bool is_above = placed < above;
			double step = placed * LAYOUT_ATTACHED_STEP + LAYOUT_ATTACHED_HEIGHT / 2;
			fold->x = tall->x;
			fold->width = box->width;
			fold->height = LAYOUT_ATTACHED_HEIGHT;
			fold->y = is_above ? top + step : top + step + box->height + LAYOUT_ATTACHED_GAP;
			placed++;
			double x = box->x - box->width / 2 + 26 + 16 * (is_above ? above - placed : placed - above - 1);
			if (connect(edge, is_above ? fold : box, is_above ? box : fold, is_above == (edge->from == i), x) < 0)
				return -1;
		}
	return 0;
}

// The layout saw a box with its folds: a stem passes behind them, to the box itself.
static int move_stem(const struct picture *p, struct picture_edge *edge)
{
	const struct picture_node *box = &p->nodes.items[edge->apart_into ? edge->to : edge->from];
	double tag = edge->points[edge->apart_into ? 1 : 2 * edge->point_count - 1], end = box->y + (tag < box->y ? -1 : 1) * box->height / 2;
	double head = edge->apart_into && !edge->both_ways ? 0 : layout_arrow(edge); // a route ends where its head begins

	return layout_stem(edge, edge->points[0], tag + (tag < box->y ? -head : head), end);
}

int layout_restore(struct layout_reduced *r)
{
	struct picture *p = r->whole;

	for (uint32_t i = 0; i < r->picture.nodes.count; i++)
		if (unfold(r, r->node_of[i], &r->picture.nodes.items[i]) < 0)
			return -1;
	for (uint32_t i = 0; i < r->picture.edges.count; i++) {
		struct picture_edge *from = &r->picture.edges.items[i], *to = &p->edges.items[r->edge_of[i]];

		free(to->points);
		to->points = from->points;
		to->point_count = from->point_count;
		from->points = NULL;
		to->apart = from->apart;
		to->apart_into = from->apart_into;
		if (to->apart && move_stem(p, to) < 0)
			return -1;
	}
	p->around_y = r->picture.around_y;
	p->width = r->picture.width;
	p->height = r->picture.height;
	p->layout_rows = r->picture.layout_rows;
	p->layout_fell_back = r->picture.layout_fell_back;
	return 0;
}

void layout_reduced_release(struct layout_reduced *r)
{
	for (size_t i = 0; i < r->picture.edges.count; i++)
		free(r->picture.edges.items[i].points);
	picture_edge_vector_release(&r->picture.edges);
	picture_node_vector_release(&r->picture.nodes);
	free(r->node_of);
	free(r->place);
	free(r->edge_of);
	free(r->edge_of_fold);
	free(r->anchor);
	free(r->hanging);
	free(r->causes);
}
