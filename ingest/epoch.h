// SPDX-License-Identifier: MIT
// Which boot an event belongs to, when a log is walked backward. Private to ingest/.
//
// Serials rise within a boot and begin anew with the next. Walking back they fall; where one is higher than what came later, an older boot
// begins. Boots that leave less than a sample's distance of log behind can hide.
#ifndef INGEST_EPOCH_H
#define INGEST_EPOCH_H

#include "base/error.h"
#include "base/vector.h"
#include "ingest/source_files.h"

#include <stdint.h>

struct epoch_border { // a boot of a host: its oldest line known so far, and where its newest known line stands
	uint32_t host, epoch, log, newest_log;
	uint64_t offset, serial, ns, newest_offset;
};
VECTOR_DEFINE(epoch_border_vector, struct epoch_border)

struct epoch_walk {
	const struct files_source *source;
	struct epoch_border_vector borders; // per host: newest boot first
};

void epoch_walk_release(struct epoch_walk *walk);
// A line (its first stamp) further back than all that were told before. Not of DAEMON_*: those have serials of their own.
int epoch_walk_line(struct epoch_walk *walk, uint32_t host, uint32_t log, uint64_t offset, uint64_t serial, uint64_t ns, struct error *err);
// The epoch of an event whose lines stand at (log, offset).
uint32_t epoch_walk_of(const struct epoch_walk *walk, uint32_t host, uint32_t log, uint64_t offset, uint64_t serial, uint64_t ns);

#endif
