// SPDX-License-Identifier: MIT
#include "graph/write_json_disk.h"

#include "graph/disk_words.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static void add_piece(struct json *j, const struct picture *p, const struct picture_clock *c)
{
	json_line(j);
	json_begin(j, NULL, '{');
	json_time(j, "from", c->from_ns, p->zone);
	json_time(j, "to", c->to_ns, p->zone);
	json_time(j, "base", c->base_ns, p->zone);
	json_seconds(j, "offset_seconds", c->offset_ns);
	json_seconds(j, "drift", fabs(c->drift) < 1 ? (int64_t)llround(c->drift * 1e9) : 0); // seconds a second
	json_seconds(j, "error_seconds", c->error_ns > INT64_MAX ? INT64_MAX : (int64_t)c->error_ns);
	json_text(j, "source", c->source);
	json_bool(j, "stepped", c->stepped);
	json_end(j, '}');
}

void json_disks(struct json *j, const struct picture *p)
{
	json_begin(j, "disks", '[');
	for (size_t i = 0; i < p->disks.count; i++) {
		const struct picture_disk *disk = &p->disks.items[i];

		json_line(j);
		json_begin(j, NULL, '{');
		json_text(j, "dev", disk->dev);
		json_text(j, "history", disk->name);
		json_text(j, "mount", disk->mount);
		json_time(j, "recorded_from", disk->recorded_from_ns, p->zone);
		json_time(j, "recorded_to", disk->recorded_to_ns, p->zone);
		json_number(j, "births_compared", disk->births_compared);
		json_number(j, "births_matched", disk->births_matched);
		json_number(j, "files_asked", disk->asked);
		json_begin(j, "clock", '[');
		for (size_t k = 0; k < disk->clock_count; k++)
			add_piece(j, p, &disk->clock[k]);
		json_end(j, ']');
		json_text(j, "words", disk->words);
		json_end(j, '}');
	}
	json_end(j, ']');
	json_line(j);
	struct buffer words = {0};
	disk_coverage_words(&words, p);
	json_text(j, "disks_missing", (struct text){buffer_string(&words), words.length});
	json_line(j);
	j->out->failed = j->out->failed || words.failed;
	buffer_release(&words);
}

static void add_id(struct json *j, const char *key, char letter, bool known, uint32_t id)
{
	char words[16];

	(void)snprintf(words, sizeof(words), "%c%" PRIu32, letter, id);
	if (known)
		json_words(j, key, words);
	else
		json_number_or_null(j, key, 0, 0);
}

void json_log_findings(struct json *j, const struct picture *p)
{
	json_begin(j, "log_findings", '[');
	for (size_t i = 0; i < p->log_findings.count; i++) {
		const struct picture_log_finding *f = &p->log_findings.items[i];
		bool node = f->node < p->nodes.count, edge = f->edge < p->edges.count;

		json_line(j);
		json_begin(j, NULL, '{');
		json_bool(j, "changed", f->changed);
		json_time(j, "time", f->time_ns, p->zone);
		json_wide(j, "serial", f->serial);
		json_time(j, "arrival", f->arrival_ns, p->zone);
		json_time(j, "gone", f->gone_ns, p->zone);
		json_text(j, "log", f->log);
		json_text(j, "was", f->was);
		json_text(j, "is", f->is);
		add_id(j, "node", 'n', node, node ? p->nodes.items[f->node].id : 0);
		add_id(j, "edge", 'e', edge, edge ? p->edges.items[f->edge].id : 0);
		json_end(j, '}');
	}
	json_end(j, ']');
	json_line(j);
	json_begin(j, "findings", '[');
	struct disk_finding at = {0};
	while (disk_finding_next(p, &at)) {
		struct buffer words = {0};

		disk_finding_words(&words, p, &at);
		json_text(j, NULL, (struct text){buffer_string(&words), words.length});
		j->out->failed = j->out->failed || words.failed;
		buffer_release(&words);
	}
	json_end(j, ']');
	json_line(j);
}
