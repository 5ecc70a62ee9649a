// SPDX-License-Identifier: MIT
#include "graph/svg_axis.h"

#include "base/nanotime.h"
#include "graph/layout.h"

#include <math.h>
#include <stdlib.h>

#define STEP_MIN 3.0
#define STEP_MAX 74.0
#define STEP_STORY 9.0 /* a moment of the story does not hide behind its neighbour */
#define EDGE 8.0       /* kept free at both ends */

bool axis_is_time(uint64_t ns)
{
	return ns != 0 && ns != NANOTIME_NONE;
}

static int add(struct moment_vector *axis, uint64_t ns, bool story)
{
	return axis_is_time(ns) ? moment_vector_append(axis, (struct moment){.ns = ns, .story = story}) : 0;
}

static int compare_moments(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;

	return x->ns != y->ns ? (x->ns < y->ns ? -1 : 1) : (int)y->story - (int)x->story;
}

static int collect(const struct picture *p, struct moment_vector *axis)
{
	int result = add(axis, p->alert_ns, true);

	for (size_t i = 0; i < p->nodes.count && result == 0; i++) {
		const struct picture_node *n = &p->nodes.items[i];

		if (n->kind == PICTURE_FOLD)
			continue;
		result = add(axis, n->first_ns, false);
		if (result == 0 && n->ended)
			result = add(axis, n->last_ns, false);
		for (size_t k = 0; k < n->state_count && result == 0; k++)
			result = add(axis, n->states[k].time_ns, false);
		// Every moment takes room: of a log's thousand states those that stand in its box.
		struct layout_states shown = layout_states_shown(n);
		for (size_t k = 0; k < shown.count && n->disk_state_count > 0 && result == 0; k++)
			result = add(axis, n->disk_states[shown.index[k]].time_ns, false);
	}
	for (size_t i = 0; i < p->edges.count && result == 0; i++)
		if (!p->edges.items[i].attached)
			result = add(axis, p->edges.items[i].first_ns, false);
	for (size_t i = 0; i < p->steps.count && result == 0; i++)
		result = add(axis, p->steps.items[i].time_ns, true);
	return result;
}

double axis_seconds(const struct moment *before, const struct moment *after)
{
	return (double)(after->ns - before->ns) / (double)NANOTIME_SECOND;
}

// One moment per instant: of those that coincide the one of the story stands first.
static void unite(struct moment_vector *axis)
{
	size_t count = 0;

	if (axis->count > 0)
		qsort(axis->items, axis->count, sizeof(*axis->items), compare_moments);
	for (size_t i = 0; i < axis->count; i++)
		if (count == 0 || axis->items[i].ns != axis->items[count - 1].ns)
			axis->items[count++] = axis->items[i];
	axis->count = count;
}

static double way_between(const struct moment *before, const struct moment *after)
{
	double way = 4 + 14 * log2(1 + axis_seconds(before, after));

	return fmin(fmax(way, before->story || after->story ? STEP_STORY : STEP_MIN), STEP_MAX);
}

int axis_lay(const struct picture *p, double left, double right, struct moment_vector *ret)
{
	double x = 0;

	if (collect(p, ret) < 0)
		return -1;
	unite(ret);
	struct moment *m = ret->items;
	for (size_t i = 0; i < ret->count; i++) {
		if (i > 0)
			x += p->linear_time ? axis_seconds(&m[i - 1], &m[i]) : way_between(&m[i - 1], &m[i]);
		m[i].x = x;
	}
	double scale = x > 0 ? (right - left - 2 * EDGE) / x : 0;
	for (size_t i = 0; i < ret->count; i++)
		m[i].x = left + EDGE + m[i].x * scale;
	return 0;
}

double axis_x(const struct moment_vector *axis, uint64_t ns)
{
	size_t low = 0, high = axis->count;

	if (high == 0)
		return 0;
	while (low + 1 < high) {
		size_t middle = (low + high) / 2;

		if (axis->items[middle].ns <= ns)
			low = middle;
		else
			high = middle;
	}
	const struct moment *m = &axis->items[low];
	if (ns <= m->ns || low + 1 == axis->count)
		return m->x;
	return m->x + (m[1].x - m->x) * ((double)(ns - m->ns) / (double)(m[1].ns - m->ns));
}
