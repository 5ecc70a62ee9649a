// SPDX-License-Identifier: MIT
// What goes to standard error: messages, warnings, progress. Everything passes base/text first.
#ifndef CMD_REPORT_H
#define CMD_REPORT_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

// Exit statuses; the help text and the manual list them.
enum exit_status { STATUS_WRITTEN = 0, STATUS_NO_MATCH = 1, STATUS_ERROR = 2, STATUS_LOSS = 3, STATUS_INTEGRITY = 4, STATUS_INTERRUPTED = 130 };

// "provgraph: MESSAGE", each line of it, in one write.
void report_error(const struct error *err);
void report_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

// A line that counts, on a terminal only, once the work has taken a second.
struct progress {
	bool enabled, shown;
	uint64_t began_ns, next_ns;
	uint64_t calls;
};
void progress_begin(struct progress *p, bool quiet);
void progress_step(struct progress *p, const char *what, uint64_t count);
// The same for work whose size is known: "verifying 42 %". Call it at most some thousand times a second.
void progress_share(struct progress *p, const char *what, uint64_t done, uint64_t of);
void progress_end(struct progress *p);

#endif
