// SPDX-License-Identifier: MIT
// The hosts of one log, by node= name. More hosts get smaller windows, so that all together stay within one limit. Private to ingest/.
#ifndef INGEST_HOST_TABLE_H
#define INGEST_HOST_TABLE_H

#include "ingest/host_state.h"

#define HOST_TABLE_MAX 1024u          /* node= names in one log */
#define HOST_TABLE_WINDOWS 65536u     /* slots over all hosts: about 20 MB */
#define HOST_TABLE_PLACES (2 * HOST_TABLE_MAX) /* a power of two */

struct host_table {
	struct host_state *hosts[HOST_TABLE_MAX]; // in order of first sight
	size_t count, window;
	uint16_t places[HOST_TABLE_PLACES];       // by host id: index in hosts, plus 1
};

void host_table_init(struct host_table *t);
void host_table_release(struct host_table *t, struct slot_pool *pool);
// The host's state, new at first sight. 0 with *ret NULL: there are too many. May deliver events of all hosts (windows become
// smaller); returns 1 when that was stopped, -1 with err.
int host_table_find(struct host_table *t, const struct host_hooks *hooks, uint32_t id, struct host_state **ret, struct error *err);

#endif
