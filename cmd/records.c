// SPDX-License-Identifier: MIT
// The raw lines of the events behind each drawn link: what an analyst checks the picture against. An event that several links rest on
// is read and kept once; one of more than RECORD_BYTES (an execve with thousands of arguments) is cut, and says so.
#include "cmd/investigate.h"

#define RECORD_BYTES 8192
#define ALL_BYTES (3u << 20) /* of all of them: the page has to open at once */

// 0; 1 and err when the log cannot be read any more, -1 when memory is out.
static int bring(struct investigation *in, uint32_t edge, size_t index, size_t *all, struct error *err)
{
	static const char cut[] = "\n(cut here; the log has the rest)";
	const struct edge_evidence *e = &in->picture->edges.items[edge].evidence[index];
	struct buffer lines AUTO_RELEASE_BUFFER = {0};

	if (e->ref.length == 0 || picture_has_record(in->picture, edge, index) || *all >= ALL_BYTES)
		return 0;
	if (source_evidence(in->source, &e->ref, &lines, err) < 0)
		return 1;
	if (lines.length > RECORD_BYTES) {
		lines.length = RECORD_BYTES;
		buffer_add(&lines, cut, sizeof(cut) - 1);
	}
	*all += lines.length;
	if (buffer_check(&lines, err) < 0)
		return -1;
	return picture_add_record(in->picture, edge, index, buffer_string(&lines), lines.length, err);
}

int records_bring(struct investigation *in, struct error *err)
{
	size_t all = 0;

	if (in->picture->records.count > 0) // another format of the same run brought them
		return 0;
	for (uint32_t i = 0; i < in->picture->edges.count; i++)
		for (size_t k = 0; k < in->picture->edges.items[i].evidence_count; k++) {
			int result = bring(in, i, k, &all, err);

			if (result < 0)
				return -1;
			if (result == 0)
				continue;
			// A log that went away meanwhile takes the raw lines with it, not the case.
			report_line("%s; the page has serials without their lines", err->message);
			return 0;
		}
	return 0;
}
