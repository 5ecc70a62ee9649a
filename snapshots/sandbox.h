// SPDX-License-Identifier: MIT
// How provgraph-fsread locks itself in before it looks at a guest's bytes. There is no switch to leave it out.
//
// First sandbox_limit(), before anything is read: no new privileges, limits, and root is given up but for reading what root may read. Then,
// once it is known where the base image lies, sandbox_enter(): Landlock leaves the named places readable and nothing else, seccomp leaves
// the system calls that reading needs.
#ifndef SNAPSHOTS_SANDBOX_H
#define SNAPSHOTS_SANDBOX_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sandbox_limits {
	uint64_t memory_bytes; // of address space; not under AddressSanitizer, which reserves terabytes
	uint64_t cpu_seconds;
	unsigned files;        // open at once
};
int sandbox_limit(const struct sandbox_limits *limits, struct error *err);

// readable: files and folders (with all below). *ret_landlock false: this kernel has no Landlock; seccomp alone holds.
int sandbox_enter(const char *const *readable, size_t count, bool *ret_landlock, struct error *err);

#endif
