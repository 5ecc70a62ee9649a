// SPDX-License-Identifier: MIT
// A private program in a limited child process: bytes in, bytes out.
#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdint.h>

struct child_limits {
	uint64_t wall_ns;      // then SIGKILL
	uint64_t cpu_seconds;  // RLIMIT_CPU
	uint64_t memory_bytes; // RLIMIT_AS; 0 = no limit (needed under AddressSanitizer)
	uint64_t output_bytes; // more output is an error
};

enum child_end {
	CHILD_OK,        // exit status 0
	CHILD_FAILED,    // another status or a signal
	CHILD_LIMIT,     // killed for time, CPU or output
	CHILD_NOT_FOUND, // the program cannot be started
};

// Runs argv[0] (a path) with an empty environment (but PATH and LC_ALL=C), feeds `input` to its standard input, appends its standard
// output to `output`, throws its standard error away. no_new_privs, no core dump. Never a zombie. *ret_end says
// how it went; -1 only when our own side failed (pipe, fork). SIGPIPE from a child that stops reading is handled.
int child_run(const char *const *argv, const void *input, size_t input_length, struct child_limits limits,
	      struct buffer *output, enum child_end *ret_end, struct error *err);

// The path of a private program: beside our own executable, in ../libexec/provgraph from there, else LIBEXECDIR. -1 when it
// is in none of them. Code that runs inside another program, as a plugin, also looks beside itself.
int child_find_program(const char *name, char *ret_path, size_t path_size, struct error *err);

#endif
