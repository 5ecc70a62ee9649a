// SPDX-License-Identifier: MIT
// The log as evidence: what recorded disks held of the audit log, against the log at hand.
//
//   recovered_logs_open   before the contact is searched: reads each disk's audit log in all its states, and gives removed records back to
//                    in->source as a further log; without a log at hand, what the disk holds becomes in->source
//   recovered_logs_tell   once there is a picture: its log_findings, a note, and warnings
#ifndef CMD_RECOVERED_H
#define CMD_RECOVERED_H

#include "base/error.h"
#include "cmd/recovered_compare.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct investigation;

struct disk_log {                  // a log on a disk
	const char *history;            // the mapping's own pointer: volumes change places (witness_look)
	const char *host;               // the mapping's; may be NULL
	char *name;                     // "/log/audit/audit.log of web01.history:1"
	struct log_lines lines;
};

struct recovered_logs {
	struct disk_log *logs;
	size_t count;
	struct comparison comparison;
	bool compared;                  // else nothing below counts
	bool alone;                     // there is no log at hand
	uint64_t removed, changed, nameless, rotated, late; // records; nameless: came when the log had lost its name, to what its daemon had open
	uint64_t lacking;               // still on the disk, and not in the log at hand
	uint64_t later_removed;         // of the log at hand that the disk no longer holds: the copy was taken before
};

// in->witness must have its volumes open. in->source: of --log, or NULL when none was given (then it is made, where a disk has a log).
int recovered_logs_open(struct investigation *in, struct error *err);
int recovered_logs_tell(struct investigation *in, struct error *err);
void recovered_logs_release(struct recovered_logs *r);
struct witness_volume;
bool recovered_logs_on(const struct recovered_logs *r, const struct witness_volume *v); // it holds a log that was compared

#endif
