// SPDX-License-Identifier: MIT
// What the assembler writes into struct completeness. Private to ingest/.
#ifndef INGEST_LEDGER_H
#define INGEST_LEDGER_H

#include "base/error.h"
#include "base/intern.h"
#include "ingest/completeness.h"

#include <stdbool.h>
#include <stdint.h>

#define LEDGER_MAX_GAPS 65536u /* more are added to the last of their cause */

struct ledger {
	struct completeness *c;
	struct intern *strings;
	uint64_t last_loss_ns;       // the kernel's counter was put to 0 then; 0: not seen
	uint64_t down_since_ns;      // DAEMON_END without a DAEMON_START yet
	bool down, off;              // audit_enabled=0
	uint64_t off_since_ns;
	bool after_rejected;         // the last line was rejected: its gap ends with the next record
	uint64_t record_ns;          // stamp of the record before
	uint32_t self_exe[4];
};

void ledger_init(struct ledger *l, struct completeness *c, struct intern *strings);
// A line that is no record. `line` 0: number not known.
int ledger_reject(struct ledger *l, uint32_t log, uint64_t offset, uint64_t line, const char *reason, struct error *err);
static inline void ledger_record(struct ledger *l, uint64_t time_ns)
{
	l->record_ns = time_ns;
	if (l->after_rejected) {
		struct completeness_gap *gap = l->c->gaps.count ? &l->c->gaps.items[l->c->gaps.count - 1] : NULL;

		if (gap && gap->cause == GAP_REJECTED && gap->to_ns < time_ns)
			gap->to_ns = time_ns;
		l->after_rejected = false;
	}
}
int ledger_event(struct ledger *l, const struct event *e, struct error *err);
int ledger_gap(struct ledger *l, const struct completeness_gap *gap, struct error *err);
// End of the log: what is still open lasts until there.
int ledger_finish(struct ledger *l, struct error *err);

#endif
