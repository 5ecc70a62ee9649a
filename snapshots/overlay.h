// SPDX-License-Identifier: MIT
// What journal replay changes on a disk, kept beside it: runs of bytes in an unlinked file, found by their place on the disk.
#ifndef SNAPSHOTS_OVERLAY_H
#define SNAPSHOTS_OVERLAY_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct overlay;

// Nothing may lie behind disk_bytes.
int overlay_new(uint64_t disk_bytes, struct overlay **ret, struct error *err);
void overlay_free(struct overlay *o);
// Runs come in any order, and must not overlap.
int overlay_add(struct overlay *o, uint64_t offset, const void *bytes, size_t length, struct error *err);
// Once, behind the last overlay_add(): sorts, and refuses runs that overlap. Then any number of threads may read.
int overlay_finish(struct overlay *o, struct error *err);

// Writes what the overlay has of [offset, offset + length) over `bytes`.
int overlay_apply(const struct overlay *o, uint64_t offset, void *bytes, size_t length, struct error *err);
// How many bytes from offset on, at most `length`, are all inside or all outside the overlay; which of both.
uint64_t overlay_run(const struct overlay *o, uint64_t offset, uint64_t length, bool *ret_inside);

#endif
