// SPDX-License-Identifier: MIT
#include "cmd/disk.h"

#include "base/fileio.h"
#include "cmd/output.h"

#include <string.h>
#include <unistd.h>

#define FILE_MODE 0644

int disk_print(const struct disk_options *o, const struct buffer *text, struct error *err)
{
	const struct options how = {.no_pager = o->no_pager || o->json};

	if (buffer_check(text, err) < 0)
		return -1;
	if (o->output && strcmp(o->output, "-") != 0)
		return fileio_write(o->output, buffer_string(text), text->length, FILE_MODE, o->force, err);
	return output_text(&how, text, err);
}
