// SPDX-License-Identifier: MIT
// What a recorded disk holds: contents that it gives back, with the command for each, and what it shows of the log itself. The drawing
// has the commands, the hashes and the first lines of a preview; svg_facts.c has the rest, for the script.
#include "graph/svg_blocks.h"

#include "base/memory.h"
#include "graph/disk_words.h"

#include <stdio.h>
#include <string.h>

#define RECOVERIES_SHOWN 8
#define PREVIEWS_SHOWN 4  /* the page's panel has all */
#define PREVIEW_SHOWN 7   /* lines: a summary, where it stands, and what fits */
#define FINDINGS_SHOWN 6
#define EVENTS_SHOWN 10   /* of all findings; the page's panel has more */

static struct text line_at(struct text t, size_t at)
{
	const char *feed = memchr(t.bytes + at, '\n', t.length - at);

	return (struct text){t.bytes + at, feed ? (size_t)(feed - t.bytes) - at : t.length - at};
}

// ---- contents

static int add_about(struct block_vector *out, uint32_t node, enum block_kind kind, const char *before, struct text t)
{
	struct buffer words = {0};

	if (t.length == 0)
		return 0;
	buffer_add_string(&words, before);
	buffer_add(&words, t.bytes, t.length);
	struct block *block = words.failed ? NULL : block_add(out, kind, (struct text){buffer_string(&words), words.length});
	buffer_release(&words);
	if (!block)
		return -1;
	block->node = node;
	return 0;
}

// The summary and the first lines of a preview. Where it stands is told by the line numbers of the whole one.
static int add_preview(struct block_vector *out, const struct picture_recovery *r)
{
	size_t shown = 0, lines = 0;

	for (size_t at = 0; at < r->preview.length; at += line_at(r->preview, at).length + 1, lines++) {
		struct text line = line_at(r->preview, at);

		if (shown == PREVIEW_SHOWN)
			continue;
		if (add_about(out, r->node, BLOCK_PREVIEW, "", line) < 0)
			return -1;
		shown++;
	}
	char more[64];

	(void)snprintf(more, sizeof(more), "@ +%zu more lines: the file's details", lines - shown);
	return lines > shown ? add_about(out, r->node, BLOCK_PREVIEW, "", svg_words(more)) : 0;
}

static int add_recovery(struct block_vector *out, const struct picture *p, const struct picture_recovery *r, bool with_preview)
{
	const struct picture_node *n = &p->nodes.items[r->node];
	struct buffer words = {0};

	buffer_add(&words, n->full.bytes, n->full.length);
	buffer_add_string(&words, ", ");
	buffer_add(&words, r->words.bytes, r->words.length);
	if (r->verdict.length > 0) {
		buffer_add_string(&words, ": ");
		buffer_add(&words, r->verdict.bytes, r->verdict.length);
	}
	int result = add_about(out, r->node, BLOCK_NOTE, "", (struct text){buffer_string(&words), words.length});
	if (words.failed)
		result = -1;
	buffer_release(&words);
	if (result < 0 || add_about(out, r->node, BLOCK_HASH, "sha256 before ", r->before_sha256) < 0 ||
	    add_about(out, r->node, BLOCK_HASH, "sha256 after ", r->after_sha256) < 0 ||
	    add_about(out, r->node, BLOCK_HASH, "sha256 as executed ", r->executed_sha256) < 0 || (with_preview && add_preview(out, r) < 0))
		return -1;
	if (add_about(out, r->node, BLOCK_COMMAND, r->command_after.length ? "before: " : "", r->command) < 0)
		return -1;
	return add_about(out, r->node, BLOCK_COMMAND, "after: ", r->command_after);
}

static int add_heading(struct block_vector *out, const struct picture *p)
{
	static const char without[] = "By the audited machine's clock. HISTORY is the history of the file's disk; this case was made without one.";

	if (!block_add(out, BLOCK_HEADING, svg_words("What can be recovered")))
		return -1;
	return disk_is_asked(p) || block_add(out, BLOCK_NOTE, svg_words(without)) ? 0 : -1;
}

// Behind what the named disks give back, one line for all that lies elsewhere.
static int add_elsewhere(struct block_vector *out, const struct picture *p, bool first)
{
	size_t count = 0;
	char words[128];

	for (size_t i = 0; i < p->recoveries.count; i++)
		count += disk_recovery_is_elsewhere(p, &p->recoveries.items[i]);
	if (count == 0)
		return 0;
	if (first && add_heading(out, p) < 0)
		return -1;
	(void)snprintf(words, sizeof(words), "%zu %sfile%s on no recorded disk that was named: their details have commands", count, first ? "" : "further ",
		       count == 1 ? " lies" : "s lie");
	return block_add(out, BLOCK_NOTE, svg_words(words)) ? 0 : -1;
}

int svg_add_recoveries(struct block_vector *out, const struct picture *p)
{
	size_t shown = 0, worth = 0, previews = 0;

	for (int lost = 1; lost >= 0; lost--)
		for (size_t i = 0; i < p->recoveries.count; i++) {
			if (p->recoveries.items[i].lost != (lost == 1) || !disk_recovery_is_worth(p, &p->recoveries.items[i]) ||
			    ++worth > RECOVERIES_SHOWN)
				continue;
			previews += p->recoveries.items[i].preview.length > 0;
			if ((shown++ == 0 && add_heading(out, p) < 0) || add_recovery(out, p, &p->recoveries.items[i], previews <= PREVIEWS_SHOWN) < 0)
				return -1;
		}
	if (worth > shown) {
		char more[96];

		(void)snprintf(more, sizeof(more), "+%zu more files: each one's details have its command", worth - shown);
		if (!block_add(out, BLOCK_NOTE, svg_words(more)))
			return -1;
	}
	return add_elsewhere(out, p, shown == 0);
}

// ---- findings

static int add_events(struct block_vector *out, const struct picture *p, const struct disk_finding *finding, size_t *shown)
{
	size_t index[EVENTS_SHOWN], count = disk_finding_records(p, finding, index, EVENTS_SHOWN - *shown);

	*shown += count;
	for (size_t i = 0; i < count; i++) {
		struct buffer words = {0};

		(void)disk_event_words(&words, p, finding, index[i]);
		int result = add_about(out, p->log_findings.items[index[i]].node, BLOCK_RULE, "", (struct text){buffer_string(&words), words.length});
		if (words.failed)
			result = -1;
		buffer_release(&words);
		if (result < 0)
			return -1;
	}
	return 0;
}

int svg_add_findings(struct block_vector *out, const struct picture *p)
{
	struct disk_finding at = {0};
	size_t shown = 0, events = 0, all = disk_finding_count(p);

	if (all > 0 && !block_add(out, BLOCK_HEADING, svg_words("What the disk contradicts")))
		return -1;
	while (shown < FINDINGS_SHOWN && disk_finding_next(p, &at)) {
		struct buffer words = {0};

		disk_finding_words(&words, p, &at);
		struct block *block = words.failed ? NULL : block_add(out, BLOCK_NOTE, (struct text){buffer_string(&words), words.length});
		buffer_release(&words);
		if (!block)
			return -1;
		block->bad = true;
		shown++;
		if (at.count > 0) {
			block->node = p->log_findings.items[at.first].node;
			if (add_events(out, p, &at, &events) < 0)
				return -1;
		}
	}
	return block_add_more(out, all - shown);
}
