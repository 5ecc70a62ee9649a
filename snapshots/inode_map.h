// SPDX-License-Identifier: MIT
// Inode number -> a number. For walks that must know what they met before.
#ifndef SNAPSHOTS_INODE_MAP_H
#define SNAPSHOTS_INODE_MAP_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INODE_MAP_MAX ((size_t)16 << 20) // our limit

struct inode_map_entry { uint64_t inode, value; }; // inode 0: free
struct inode_map { struct inode_map_entry *entries; size_t count, size; };

// Adds the inode (not 0) with this value, unless it is there: then *ret_value (may be NULL) is what it has, and *ret_new false.
int inode_map_add(struct inode_map *m, uint64_t inode, uint64_t value, bool *ret_new, uint64_t *ret_value, struct error *err);
bool inode_map_find(const struct inode_map *m, uint64_t inode, uint64_t *ret_value);
void inode_map_release(struct inode_map *m);

#endif
