// SPDX-License-Identifier: MIT
#include "snapshots/guest_line.h"

#include <math.h>

static double value_at(const struct guest_line_corner *c, double t)
{
	return c->value + c->slope * t;
}

void guest_lines_init(struct guest_lines *ret, double t, double low, double high, double limit)
{
	*ret = (struct guest_lines){.corners = {{low + limit * t, -limit}, {high + limit * t, -limit}, {high - limit * t, limit}, {low - limit * t, limit}},
				    .count = 4};
}

// Twice the area that goes when corner i does.
static double area_of(const struct guest_lines *l, size_t i)
{
	const struct guest_line_corner *a = &l->corners[(i + l->count - 1) % l->count], *b = &l->corners[i], *c = &l->corners[(i + 1) % l->count];

	return fabs((b->value - a->value) * (c->slope - a->slope) - (c->value - a->value) * (b->slope - a->slope));
}

// Makes room for one corner more: the flattest goes. It takes a corner that a line could have had, by far less than what measuring leaves open.
static void drop_flattest(struct guest_lines *l)
{
	size_t flattest = 0;

	for (size_t i = 1; i < l->count; i++)
		if (area_of(l, i) < area_of(l, flattest))
			flattest = i;
	for (size_t i = flattest; i + 1 < l->count; i++)
		l->corners[i] = l->corners[i + 1];
	l->count--;
}

static void add(struct guest_lines *l, struct guest_line_corner c)
{
	if (l->count == GUEST_LINE_CORNERS)
		drop_flattest(l);
	l->corners[l->count++] = c;
}

// Keeps the side where sign * (value at t) <= sign * bound.
static struct guest_lines cut_side(const struct guest_lines *l, double t, double bound, double sign)
{
	struct guest_lines kept;

	kept.count = 0;
	for (size_t i = 0; i < l->count; i++) {
		const struct guest_line_corner *a = &l->corners[i], *b = &l->corners[(i + 1) % l->count];
		double over_a = sign * (value_at(a, t) - bound), over_b = sign * (value_at(b, t) - bound);

		if (over_a <= 0)
			add(&kept, *a);
		if ((over_a < 0 && over_b > 0) || (over_a > 0 && over_b < 0)) {
			double part = over_a / (over_a - over_b);

			add(&kept, (struct guest_line_corner){a->value + part * (b->value - a->value), a->slope + part * (b->slope - a->slope)});
		}
	}
	return kept;
}

bool guest_lines_cut(struct guest_lines *lines, double t, double low, double high)
{
	double least, greatest;

	guest_lines_at(lines, t, &least, &greatest);
	if (lines->count == 0 || least > high || greatest < low)
		return false;
	if (least >= low && greatest <= high)
		return true;
	struct guest_lines kept = cut_side(lines, t, high, 1);

	kept = cut_side(&kept, t, low, -1);
	if (kept.count == 0)
		return false;
	*lines = kept;
	return true;
}

void guest_lines_at(const struct guest_lines *lines, double t, double *ret_low, double *ret_high)
{
	*ret_low = INFINITY;
	*ret_high = -INFINITY;
	for (size_t i = 0; i < lines->count; i++) {
		*ret_low = fmin(*ret_low, value_at(&lines->corners[i], t));
		*ret_high = fmax(*ret_high, value_at(&lines->corners[i], t));
	}
}

void guest_lines_slopes(const struct guest_lines *lines, double *ret_low, double *ret_high)
{
	*ret_low = INFINITY;
	*ret_high = -INFINITY;
	for (size_t i = 0; i < lines->count; i++) {
		*ret_low = fmin(*ret_low, lines->corners[i].slope);
		*ret_high = fmax(*ret_high, lines->corners[i].slope);
	}
}

void guest_lines_with_slope(const struct guest_lines *lines, double slope, double t, double *ret_low, double *ret_high)
{
	*ret_low = INFINITY;
	*ret_high = -INFINITY;
	for (size_t i = 0; i < lines->count; i++) {
		const struct guest_line_corner *a = &lines->corners[i], *b = &lines->corners[(i + 1) % lines->count];
		double part;

		if ((a->slope - slope) * (b->slope - slope) > 0)
			continue;
		part = a->slope != b->slope ? (slope - a->slope) / (b->slope - a->slope) : 0;
		*ret_low = fmin(*ret_low, a->value + part * (b->value - a->value) + slope * t);
		*ret_high = fmax(*ret_high, a->value + part * (b->value - a->value) + slope * t);
		if (a->slope == b->slope) { // an edge of lines that differ in their value alone
			*ret_low = fmin(*ret_low, b->value + slope * t);
			*ret_high = fmax(*ret_high, b->value + slope * t);
		}
	}
	if (!(*ret_low <= *ret_high)) // a bundle as narrow as rounding is
		guest_lines_at(lines, t, ret_low, ret_high);
}
