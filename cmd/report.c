// SPDX-License-Identifier: MIT
#include "cmd/report.h"

#include "base/buffer.h"
#include "base/fileio.h"
#include "base/nanotime.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STEPS_PER_LOOK 4096 /* the clock is asked only now and then */
#define PATIENCE_NS NANOTIME_SECOND
#define REFRESH_NS (200 * NANOTIME_MILLISECOND)

static void write_lines(const char *message)
{
	struct buffer out = {0};

	for (const char *line = message; line && *line;) {
		size_t length = strcspn(line, "\n");

		buffer_add_string(&out, "provgraph: ");
		text_terminal(&out, line, length);
		buffer_add_byte(&out, '\n');
		line += length;
		line += *line == '\n';
	}
	// Nowhere is left to tell that standard error cannot be written.
	(void)fileio_write_fd(STDERR_FILENO, buffer_string(&out), out.length, "standard error", NULL);
	buffer_release(&out);
}

void report_error(const struct error *err)
{
	write_lines(err->message);
}

void report_line(const char *format, ...)
{
	va_list arguments;
	char *line = NULL;

	va_start(arguments, format);
	if (vasprintf(&line, format, arguments) >= 0)
		write_lines(line);
	va_end(arguments);
	free(line);
}

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NANOTIME_SECOND + (uint64_t)now.tv_nsec;
}

void progress_begin(struct progress *p, bool quiet)
{
	const char *terminal = getenv("TERM");

	*p = (struct progress){.enabled = !quiet && isatty(STDERR_FILENO) && terminal && strcmp(terminal, "dumb") != 0};
	if (p->enabled) {
		p->began_ns = monotonic_ns();
		p->next_ns = p->began_ns + PATIENCE_NS;
	}
}

void progress_step(struct progress *p, const char *what, uint64_t count)
{
	if (!p->enabled || ++p->calls % STEPS_PER_LOOK != 0)
		return;
	uint64_t now = monotonic_ns();

	if (now < p->next_ns)
		return;
	p->next_ns = now + REFRESH_NS;
	p->shown = true;
	struct buffer line = {0};

	buffer_printf(&line, "\r%s ", what);
	text_count(&line, count);
	buffer_add_string(&line, "\033[K");
	(void)fileio_write_fd(STDERR_FILENO, buffer_string(&line), line.length, "standard error", NULL);
	buffer_release(&line);
}

void progress_share(struct progress *p, const char *what, uint64_t done, uint64_t of)
{
	char line[80];

	if (!p->enabled || of == 0)
		return;
	uint64_t now = monotonic_ns();

	if (now < p->next_ns)
		return;
	p->next_ns = now + REFRESH_NS;
	p->shown = true;
	int length = snprintf(line, sizeof(line), "\r%s %.0f %%\033[K", what, 100.0 * (double)done / (double)of);

	(void)fileio_write_fd(STDERR_FILENO, line, (size_t)length, "standard error", NULL);
}

void progress_end(struct progress *p)
{
	if (p->shown)
		(void)fileio_write_fd(STDERR_FILENO, "\r\033[K", 4, "standard error", NULL);
	p->shown = false;
}
