// SPDX-License-Identifier: MIT
// The order of the work: moments, contents, round after round what completes them; then names, the manifest, and the folder is put in place.
#include "cmd/evidence.h"

#include "base/fileio.h"
#include "base/interrupts.h"
#include "base/memory.h"
#include "base/text.h"
#include "cmd/evidence_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ROUNDS 3u // a state that is named as complete may turn out to be pending itself

static int map_nodes(struct evidence *e, struct error *err)
{
	const struct picture *p = e->in->picture;
	size_t count = e->in->graph->nodes.count;

	e->node_of = malloc((count + 1) * sizeof(*e->node_of));
	if (!e->node_of)
		return error_set(err, "out of memory");
	for (size_t i = 0; i < count; i++)
		e->node_of[i] = GRAPH_NONE;
	for (size_t i = 0; i < p->nodes.count; i++) {
		for (size_t k = 0; k < p->nodes.items[i].graph_node_count; k++)
			e->node_of[p->nodes.items[i].graph_nodes[k]] = (uint32_t)i;
	}
	return 0;
}

// ---- writing

// By node, event and moment; the complete state stands behind what it completes.
static int compare_entries(const void *a, const void *b)
{
	const struct evidence_entry *x = a, *y = b;

	if (x->node != y->node)
		return x->node < y->node ? -1 : 1;
	if (x->event != y->event)
		return x->event < y->event ? -1 : 1;
	if (x->what != y->what)
		return x->what < y->what ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

// Two states of one event may lead to the same complete one.
static void drop_twice(struct evidence *e)
{
	size_t kept = 0;

	for (size_t i = 0; i < e->entries.count; i++) {
		const struct evidence_entry *last = kept > 0 ? &e->entries.items[kept - 1] : NULL, *now = &e->entries.items[i];

		if (!last || now->what != EVIDENCE_COMPLETE || last->what != EVIDENCE_COMPLETE || last->node != now->node || last->event != now->event ||
		    last->content != now->content)
			e->entries.items[kept++] = *now;
	}
	e->entries.count = kept;
}

// Files are named after the first moment that has their content.
static int name_files(struct evidence *e, struct error *err)
{
	bool *named AUTO_FREE = calloc(e->contents.count + 1, sizeof(*named));

	if (!named)
		return error_set(err, "out of memory");
	for (size_t i = 0; i < e->entries.count; i++) {
		const struct evidence_entry *entry = &e->entries.items[i];
		char name[EVIDENCE_NAME_BYTES];

		if (entry->content == SIZE_MAX || !e->contents.items[entry->content].answer.whole)
			continue;
		size_t index = e->contents.items[entry->content].same_as;
		struct evidence_content *c = &e->contents.items[index];

		if (named[index])
			continue;
		named[index] = true;
		evidence_name(e, entry, name);
		if (evidence_folder_rename(&e->folder, c->name, name, err) < 0)
			return -1;
		memcpy(c->name, name, sizeof(name));
	}
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp((*(const struct evidence_content *const *)a)->name, (*(const struct evidence_content *const *)b)->name);
}

// In the order of names, the manifest last.
static int write_sums(const struct evidence *e, const struct fileio_digest *manifest, struct error *err)
{
	struct buffer out AUTO_RELEASE_BUFFER = {0};
	const struct evidence_content **files AUTO_FREE = malloc((e->contents.count + 1) * sizeof(const struct evidence_content *));
	size_t count = 0;

	if (!files)
		return error_set(err, "out of memory");
	for (size_t i = 0; i < e->contents.count; i++) {
		if (e->contents.items[i].name[0] != '\0')
			files[count++] = &e->contents.items[i];
	}
	if (count > 1)
		qsort(files, count, sizeof(const struct evidence_content *), compare_names);
	for (size_t i = 0; i < count; i++)
		buffer_printf(&out, "%s  %s\n", files[i]->answer.sha256, files[i]->name);
	buffer_printf(&out, "%s  manifest.jsonl\n", manifest->hex);
	if (buffer_check(&out, err) < 0)
		return -1;
	return evidence_folder_write(&e->folder, "manifest.sha256", &out, NULL, err);
}

static int write_all(struct evidence *e, struct error *err)
{
	struct buffer manifest AUTO_RELEASE_BUFFER = {0};
	struct fileio_digest digest;

	for (unsigned round = 0; round < ROUNDS; round++) {
		if (evidence_read(e, err) < 0 || (round + 1 < ROUNDS && evidence_add_complete(e, round == 0, err) < 0))
			return -1;
	}
	evidence_drop_incomplete(e);
	if (e->entries.count > 1)
		qsort(e->entries.items, e->entries.count, sizeof(*e->entries.items), compare_entries);
	drop_twice(e);
	if (name_files(e, err) < 0 || evidence_manifest(e, &manifest, err) < 0 ||
	    evidence_folder_write(&e->folder, "manifest.jsonl", &manifest, &digest, err) < 0 || write_sums(e, &digest, err) < 0)
		return -1;
	if (interrupts_waiting())
		return error_set(err, "interrupted");
	return evidence_folder_commit(&e->folder, err);
}

static void report(const struct evidence *e)
{
	struct buffer text AUTO_RELEASE_BUFFER = {0};
	size_t files = 0, moments = 0, pending = 0, absent = 0, unreadable = 0;

	for (size_t i = 0; i < e->contents.count; i++)
		files += e->contents.items[i].name[0] != '\0';
	for (size_t i = 0; i < e->entries.count; i++) {
		const struct evidence_entry *entry = &e->entries.items[i];
		const struct contents_answer *a = entry->content == SIZE_MAX ? NULL : &e->contents.items[entry->content].answer;

		moments += entry->what != EVIDENCE_COMPLETE;
		absent += !a || (!a->there && a->reason.message[0] == '\0');
		pending += a && a->whole && a->pending_bytes > 0;
		unreadable += a && !a->whole && a->reason.message[0] != '\0' && !(a->there && a->file.kind != FS_REGULAR);
	}
	text_terminal(&text, e->folder.path, strlen(e->folder.path));
	buffer_printf(&text, ": %zu content%s of %" PRIu32 " drawn file%s at %zu moment%s", files, files == 1 ? "" : "s", e->files, e->files == 1 ? "" : "s",
		      moments, moments == 1 ? "" : "s");
	buffer_printf(&text, "; pending %zu, not there %zu, unreadable %zu", pending, absent, unreadable);
	if (e->uncovered > 0)
		buffer_printf(&text, "; %" PRIu32 " drawn file%s on no recorded disk", e->uncovered, e->uncovered == 1 ? "" : "s");
	buffer_add_string(&text, "; manifest.jsonl tells each, sha256sum -c manifest.sha256 checks them");
	report_line("%s", buffer_string(&text));
}

static int run(struct evidence *e, const char *folder, bool force, struct error *err)
{
	const struct picture *p = e->in->picture;

	if (map_nodes(e, err) < 0 || evidence_folder_begin(&e->folder, folder, force, err) < 0)
		return -1;
	for (uint32_t i = 0; i < p->nodes.count; i++) {
		if (p->nodes.items[i].kind == PICTURE_FILE && evidence_add_node(e, i, err) < 0)
			return -1;
	}
	return write_all(e, err);
}

int evidence_write(const struct investigation *in, const struct witness *w, const char *folder, bool force, struct error *err)
{
	struct evidence e = {.in = in, .witness = w, .folder.fd = -1};
	sigset_t before;

	interrupts_hold(&before);
	int result = run(&e, folder, force, err);

	evidence_folder_abort(&e.folder);
	interrupts_restore(&before);
	if (result == 0 && !in->options->quiet)
		report(&e);
	evidence_entries_release(&e.entries);
	for (size_t i = 0; i < e.contents.count; i++)
		fs_file_release(&e.contents.items[i].answer.file);
	evidence_contents_release(&e.contents);
	free(e.node_of);
	return result;
}
