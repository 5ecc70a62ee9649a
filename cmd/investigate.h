// SPDX-License-Identifier: MIT
// The main job: alert -> contact -> window -> graph -> trace -> picture -> files.
#ifndef CMD_INVESTIGATE_H
#define CMD_INVESTIGATE_H

#include "base/error.h"
#include "cmd/options.h"
#include "cmd/recovered.h"
#include "cmd/report.h"
#include "cmd/witness.h"
#include "graph/graph.h"
#include "ingest/alert.h"
#include "ingest/ingest.h"

#include <stdbool.h>
#include <stdint.h>

// Everything one run holds. Filled from top to bottom; released in one place.
struct investigation {
	const struct options *options;
	struct intern *strings;
	struct source *source;
	uint64_t log_first_ns, log_last_ns;
	struct progress progress;

	// contact.c: what the alert says, and the connection that it means
	struct event_address address;
	uint16_t port;            // 0: any
	uint64_t alert_ns;        // NANOTIME_NONE: no time was named
	char signature[256];      // of the alert; "" when there is none
	bool found;               // a contact exists; the next four describe it
	uint64_t contact_ns, contact_serial;
	uint32_t contact_host, contact_session; // EVENT_ID_UNSET: no session
	bool contact_failed;      // the kernel refused every connection with the address
	uint64_t from_ns, to_ns;  // the window, half-open
	uint64_t earlier_count, earlier_ns, earlier_searched_ns; // contacts before the window: how many were met, the latest, how far back

	struct completeness completeness;
	struct graph *graph;
	struct baseline *baseline;
	struct trace trace;
	bool traced;
	struct creators *creators;  // creators.c: who made files before the window; NULL: nobody was looked for
	uint64_t ancestors_unknown; // processes whose start lies further back than the look-up went
	struct witness witness;     // cmd/witness.h: what recorded disks say
	struct recovered_logs recovered; // cmd/recovered.h: what they once held of the log
	struct picture *picture;
};

// Returns the exit status. Errors are reported.
int investigate(const struct options *o);

// Slices and ranks the graph as it is now, also once more.
int investigation_rank(struct investigation *in, struct error *err);

// contact.c. 0, -1 with err. contact_find sets found = false when the log holds no such connection.
int contact_find(struct investigation *in, struct error *err);
int contact_find_earlier(struct investigation *in, struct error *err);
bool contact_matches(const struct event *event, const struct event_address *address, uint16_t port);

// ancestors.c: parents that were born before the window.
int ancestors_look_up(struct investigation *in, struct error *err);

// missing.c: completeness and inputs as lines of the picture.
int missing_describe(struct investigation *in, struct error *err);
// The audit rule that would record this system call; NULL: provgraph's rules have none.
const char *missing_rule_for(const char *syscall_name);

// records.c: the raw lines behind the drawn links, for the page's details.
int records_bring(struct investigation *in, struct error *err);

// nomatch.c: says what there is instead.
void nomatch_report(struct investigation *in);

#endif
