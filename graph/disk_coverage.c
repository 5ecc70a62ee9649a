// SPDX-License-Identifier: MIT
// Which devices of the files at hand no disk was named for: said once, not at each file.
#include "graph/disk_words.h"

#include <inttypes.h>
#include <string.h>

#define DEVICES_MAX 64u        /* our limits: of more the rest is counted as one */
#define DEVICES_NAMED 4u
#define FOLDER_BYTES 24u

struct device {
	uint32_t dev;
	bool covered, several;     // several top folders
	struct text folder;        // "/usr"
};
struct devices { struct device items[DEVICES_MAX]; size_t count; };

// "/usr/bin/dash": "/usr".
static struct text top_folder(struct text path)
{
	const char *end = path.length > 1 && path.bytes[0] == '/' ? memchr(path.bytes + 1, '/', path.length - 1) : NULL;

	return end ? (struct text){path.bytes, (size_t)(end - path.bytes)} : (struct text){path.bytes, path.length > 0 && path.bytes[0] == '/' ? 1 : 0};
}

static void note(struct devices *d, uint32_t dev, struct text path, bool covered)
{
	struct text folder = top_folder(path);
	size_t i = 0;

	while (i < d->count && d->items[i].dev != dev)
		i++;
	if (i == DEVICES_MAX)
		return;
	struct device *it = &d->items[i];

	if (i == d->count) {
		*it = (struct device){.dev = dev, .folder = folder};
		d->count++;
	}
	it->covered |= covered;
	it->several |= folder.length != it->folder.length || (folder.length > 0 && memcmp(folder.bytes, it->folder.bytes, folder.length) != 0);
}

static void find(struct devices *d, const struct picture *p)
{
	for (size_t i = 0; i < p->nodes.count; i++) {
		const struct picture_node *n = &p->nodes.items[i];

		if (n->kind == PICTURE_FILE && n->inode != 0)
			note(d, n->dev, n->full, n->disk != GRAPH_NONE);
	}
}

static void add_device(struct buffer *out, const struct device *d)
{
	buffer_printf(out, "%02" PRIx32 ":%02" PRIx32, d->dev >> 20, d->dev & 0xfffffu);
	if (d->folder.length == 0)
		return;
	buffer_add_string(out, " (");
	buffer_add(out, d->folder.bytes, d->folder.length < FOLDER_BYTES ? d->folder.length : FOLDER_BYTES);
	buffer_add_string(out, d->several ? ", ...)" : ")");
}

void disk_coverage_words(struct buffer *out, const struct picture *p)
{
	struct devices d = {.count = 0};
	size_t covered = 0, named = 0;

	if (!disk_is_asked(p))
		return;
	find(&d, p);
	for (size_t i = 0; i < d.count; i++)
		covered += d.items[i].covered;
	if (covered == d.count)
		return;
	buffer_printf(out, "%zu of %zu devices of the drawn files %s recorded; not covered: ", covered, d.count, covered == 1 ? "is" : "are");
	for (size_t i = 0; i < d.count; i++) {
		if (d.items[i].covered || named++ >= DEVICES_NAMED)
			continue;
		buffer_add_string(out, named > 1 ? ", " : "");
		add_device(out, &d.items[i]);
	}
	if (named > DEVICES_NAMED)
		buffer_printf(out, " +%zu more", named - DEVICES_NAMED);
}
