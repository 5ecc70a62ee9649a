// SPDX-License-Identifier: MIT
#include "cmd/output.h"

#include "base/fileio.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_COLUMNS 100
#define FILE_MODE 0644

bool output_wants_color(const struct options *o)
{
	const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");

	if (o->color != COLOR_AUTO)
		return o->color == COLOR_ALWAYS;
	if ((no_color && *no_color) || !terminal || strcmp(terminal, "dumb") == 0)
		return false;
	return isatty(STDOUT_FILENO);
}

size_t output_columns(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
		return size.ws_col;
	return DEFAULT_COLUMNS;
}

// The program that shows text page by page, or NULL.
static const char *choose_pager(const struct options *o)
{
	const char *pager = getenv("PROVGRAPH_PAGER");

	if (o->no_pager || !isatty(STDOUT_FILENO))
		return NULL;
	if (!pager)
		pager = getenv("PAGER");
	if (!pager)
		pager = "less -FRX";
	return *pager && strcmp(pager, "cat") != 0 ? pager : NULL;
}

int output_text(const struct options *o, const struct buffer *text, struct error *err)
{
	const char *command = choose_pager(o);

	if (command) {
		// The user may leave the pager before the end: that is no error.
		void (*before)(int) = signal(SIGPIPE, SIG_IGN);
		FILE *pager = popen(command, "we");

		if (pager) {
			(void)fwrite(buffer_string(text), 1, text->length, pager);
			int status = pclose(pager);

			(void)signal(SIGPIPE, before);
			// 127: the shell did not find it; then the terminal gets the text itself.
			if (status == -1 || !WIFEXITED(status) || WEXITSTATUS(status) != 127)
				return 0;
		} else {
			(void)signal(SIGPIPE, before);
		}
	}
	return fileio_write_fd(STDOUT_FILENO, buffer_string(text), text->length, "standard output", err);
}

int output_check(const struct options *o, const char *path, struct error *err)
{
	struct stat status;

	if (strcmp(path, "-") == 0)
		return 0;
	if (lstat(path, &status) < 0)
		return 0;
	if (S_ISDIR(status.st_mode))
		return error_set(err, "%s: is a folder", path);
	if (!o->force && S_ISREG(status.st_mode))
		return error_set(err, "%s: exists already; --force writes over it", path);
	return 0;
}

int output_file(const struct options *o, const char *path, enum output_format format, const struct buffer *bytes, struct error *err)
{
	if (strcmp(path, "-") != 0)
		return fileio_write(path, buffer_string(bytes), bytes->length, FILE_MODE, o->force, err);
	if (format == FORMAT_TEXT)
		return output_text(o, bytes, err);
	return fileio_write_fd(STDOUT_FILENO, buffer_string(bytes), bytes->length, "standard output", err);
}
