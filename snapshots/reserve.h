// SPDX-License-Identifier: MIT
// The file `reserve`: blocks that are given back when the disk is full, so that a history can still be closed cleanly.
#ifndef SNAPSHOTS_RESERVE_H
#define SNAPSHOTS_RESERVE_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

#define RESERVE_BYTES (1 << 20) // a file system that copies on write needs some blocks of its own for the few bytes of a FLUSH and a CLOSE

// Makes the file, or fills it again where an earlier run had to spend it. *ret_full: false where the disk has no room for it.
int reserve_keep(int folder_fd, const char *folder, bool *ret_full, struct error *err);
// Gives the blocks back.
void reserve_spend(int folder_fd);
// Asks for blocks of a file without changing its length. Through interruptions: some file systems end it when a signal comes, and that is no
// failure of the disk. 0 or errno.
int reserve_blocks(int fd, uint64_t from, uint64_t to);

#endif
