// SPDX-License-Identifier: MIT
// A recorded guest whose recording was stopped and started again in the middle of the case, as when the server of its disk is replaced: what
// came later is shown as it is otherwise, and no interval is ended by a silence that nobody listened to.
#include "snapshots/history.h"
#include "snapshots/timeline.h"
#include "snapshots/writer.h"
#include "tests/unit/history_folder.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#define BREAK_NS UINT64_C(24000000000) /* after the file system was mounted, before the incident begins */

struct tape { struct history *h; uint64_t now_ns, boot_ns; };

static uint64_t realtime(void *context)
{
	return ((const struct tape *)context)->now_ns;
}

static uint64_t boottime(void *context)
{
	return ((const struct tape *)context)->boot_ns;
}

// One record of the old recording, at its own time.
static int play(struct tape *tape, struct writer *w, uint64_t seq, struct error *err)
{
	struct segment_row row;
	struct record r;

	if (history_row(tape->h, seq, &row, err) < 0 || history_record(tape->h, seq, &r, err) < 0)
		return -1;
	tape->now_ns = row.realtime_ns;
	tape->boot_ns = r.boottime_ns;
	if (row.type == RECORD_ZERO || row.type == RECORD_TRIM)
		return writer_zero(w, row.offset_bytes, row.length_bytes, row.type == RECORD_TRIM, false, err);
	if (row.type == RECORD_FLUSH)
		return writer_flush(w, err);
	if (row.type != RECORD_WRITE)
		return 0;
	void *bytes = malloc(row.length_bytes);
	int result = bytes ? history_content(tape->h, seq, 0, bytes, row.length_bytes, err) : -1;

	if (result == 0)
		result = writer_write(w, row.offset_bytes, bytes, row.length_bytes, false, err);
	free(bytes);
	return result;
}

// break_ns after the first record: the recording is stopped and started there. 0: it is copied as it is.
static void copy(const char *from, const char *to, uint64_t break_ns)
{
	struct error err = {""};
	struct tape tape = {0};
	struct history_facts facts;
	struct writer *w = NULL;
	struct writer_recovery recovery;
	struct writer_options options = {.realtime = realtime, .boottime = boottime, .clock_context = &tape, .compress = WRITER_COMPRESS_NEVER};

	CHECK(history_open(from, &tape.h, &err) == 0 && history_facts(tape.h, &facts, &err) == 0);
	struct history_plan plan = {.size_bytes = facts.size_bytes};
	tape.now_ns = facts.first_ns;
	tape.boot_ns = 1;
	CHECK(history_init(to, &plan, &err) == 0 && writer_open(to, &options, &w, &recovery, &err) == 0);
	for (uint64_t seq = 1; w && seq <= facts.last_seq; seq++) {
		if (break_ns && tape.now_ns > facts.first_ns + break_ns) {
			CHECK(writer_close(w, &err) == 0);
			w = NULL;
			CHECK(writer_open(to, &options, &w, &recovery, &err) == 0);
			break_ns = 0;
		}
		CHECK(play(&tape, w, seq, &err) == 0);
	}
	CHECK(w && writer_close(w, &err) == 0);
	CHECK_STRING(err.message, "");
	history_free(tape.h);
}

// What a command printed, without its line's end.
static char *answer(const char *command)
{
	static char text[4096];
	FILE *f = popen(command, "r");
	size_t length = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	CHECK(f && pclose(f) == 0);
	text[length] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static char *ask(const char *history, const char *field)
{
	char command[4096];

	(void)snprintf(command, sizeof(command), "\"$PROVGRAPH\" --quiet --alert-ip 10.0.0.5 --json --log \"$SRCDIR/samples/guest-audit\" --disk fe:10=%s | "
		       "jq -c '.nodes[] | select(.name == \"invoice.bin\" and .kind == \"file\") | %s'", history, field);
	return answer(command);
}

// Beside the reader of file systems, where it looks for it: the guest mounted its disk once.
static int count_mounts(const char *history)
{
	struct timeline_file file = {.history = history, .partition = -1};
	struct timeline_clock clock = {0};
	struct history_facts facts = {0};
	struct history *h = NULL;
	struct error err = {""};

	CHECK(history_open(history, &h, &err) == 0 && history_facts(h, &facts, &err) == 0);
	CHECK_EQUAL(timeline_clock(&file, 0, facts.last_seq, &clock, &err), 0);
	CHECK_EQUAL(clock.mounts.count, 1);
	// It found an empty disk, and waited for it; then it began to write.
	CHECK(clock.mounts.count == 1 && clock.mounts.items[0] > facts.first_ns + UINT64_C(15000000000) && clock.mounts.items[0] < facts.first_ns + BREAK_NS);
	timeline_clock_release(&clock);
	CHECK_EQUAL(timeline_clock(&file, facts.last_seq / 2, facts.last_seq, &clock, &err), 0);
	CHECK_EQUAL(clock.mounts.count, 0); // it went on with the same mount, and ended it
	CHECK_STRING(err.message, "");
	timeline_clock_release(&clock);
	history_free(h);
	return unit_end();
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return count_mounts(argv[1]);
	char sample[4096];

	if (!getenv("PROVGRAPH") || !getenv("SRCDIR") || system("command -v jq >/dev/null") != 0)
		return 77;
	(void)snprintf(sample, sizeof(sample), "%s/samples/guest-audit/web01.history", getenv("SRCDIR"));
	copy(sample, "whole", 0);
	copy(sample, "broken", BREAK_NS);
	static const char *const fields[] = {".disk_verdict", ".disk", "[.disk_states[] | [.arrival_ns, .size, .verdict]]"};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		char *before = strdup(ask("whole", fields[i]));
		CHECK(before && strlen(before) > 0 && strcmp(before, "null") != 0);
		CHECK_STRING(ask("broken", fields[i]), before ? before : "");
		free(before);
	}
	CHECK_STRING(ask("broken", ".disk_verdict"), "\"shown\"");
	(void)snprintf(sample, sizeof(sample), "cp \"$(dirname \"$PROVGRAPH\")/provgraph-fsread\" . && cp '%s' mounts && ./mounts whole && echo once", argv[0]);
	CHECK_STRING(answer(sample), "once");
	history_folder_remove("whole");
	history_folder_remove("broken");
	return unit_end();
}
