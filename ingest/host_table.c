// SPDX-License-Identifier: MIT
#include "ingest/host_table.h"

#include <string.h>

void host_table_init(struct host_table *t)
{
	memset(t, 0, sizeof(*t));
	t->window = HOST_WINDOW;
}

void host_table_release(struct host_table *t, struct slot_pool *pool)
{
	for (size_t i = 0; i < t->count; i++)
		host_state_free(t->hosts[i], pool);
	t->count = 0;
}

static int make_room(struct host_table *t, const struct host_hooks *hooks, struct error *err)
{
	while (t->window > HOST_WINDOW_MIN && (t->count + 1) * t->window > HOST_TABLE_WINDOWS) {
		t->window /= 2;
		for (size_t i = 0; i < t->count; i++) {
			int result = host_state_shrink(t->hosts[i], hooks, t->window, err);

			if (result)
				return result;
		}
	}
	return 0;
}

int host_table_find(struct host_table *t, const struct host_hooks *hooks, uint32_t id, struct host_state **ret, struct error *err)
{
	size_t at = (id * 2654435761u >> 8) & (HOST_TABLE_PLACES - 1);

	*ret = NULL;
	for (; t->places[at]; at = (at + 1) & (HOST_TABLE_PLACES - 1)) {
		if (t->hosts[t->places[at] - 1]->host == id) {
			*ret = t->hosts[t->places[at] - 1];
			return 0;
		}
	}
	if (t->count == HOST_TABLE_MAX)
		return 0;
	int result = make_room(t, hooks, err);

	if (result)
		return result;
	struct host_state *h = host_state_new(id, t->window);

	if (!h)
		return error_set(err, "out of memory");
	t->hosts[t->count++] = h;
	t->places[at] = (uint16_t)t->count;
	*ret = h;
	return 0;
}
