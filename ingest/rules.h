// SPDX-License-Identifier: MIT
// The audit rules that provgraph wants, as a table, and a judgement of the rules that somebody else has.
//
// The table is the only home of the rules: samples/provgraph.rules is what rules_write() writes, and a test compares the
// two byte by byte. Everything here is pure: bytes in, answers out; nothing asks the kernel.
#ifndef INGEST_RULES_H
#define INGEST_RULES_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/vector.h"
#include "ingest/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rule_group {
	const char *key;          // "provgraph_exec": the -k of its lines
	const char *title;        // "programs that start"
	const char *buys;         // what the graph gains; may hold newlines
	const char *costs;        // share of a measured workload, or when it grows; may hold newlines
	const char *const *lines; // as auditctl takes them, NULL at the end
	const char *optional;     // a line to put in front of them for less volume, written commented out; NULL: none
	uint64_t ops;             // 1 << enum syscall_op: what its records are about
};

size_t rules_group_count(void);
const struct rule_group *rules_group(size_t index);

// The exact bytes of samples/provgraph.rules.
void rules_write(struct buffer *out);

// Which line would have recorded system call `name` ("openat", "connect"), for 64-bit or 32-bit programs; the group goes to
// *ret_group (may be NULL). NULL: provgraph asks for no such rule.
const char *rules_line_for(const char *name, bool b32, const struct rule_group **ret_group);
// The first group that records an operation, and its first line; NULL: none does (reads, writes, mmap ... are never asked for).
const struct rule_group *rules_group_for_op(enum syscall_op op);
// Whether a log with these counts (struct completeness) holds any event of the group. False: nobody audited it, or it
// never happened; a log cannot tell which.
bool rules_group_seen(const struct rule_group *group, const uint64_t events_by_op[OP_COUNT]);

enum rules_coverage {
	RULES_COVERED, // every event that the group's own lines record
	RULES_PARTLY,  // some: a filter narrows it, or only some of the calls are there
	RULES_BLIND,   // none
};

// One system call of one group, for programs of one width.
struct rules_finding {
	const struct rule_group *group;
	const char *line;         // our line that would close the hole
	char syscall[32];
	bool b32;
	enum rules_coverage coverage;
	char why[160];            // "" when covered. May hold bytes of the judged text
};
VECTOR_DEFINE(rules_finding_vector, struct rules_finding)

struct rules_judgement {
	struct rules_finding_vector findings; // in the table's order
	uint64_t rules;      // -a, -A and -w lines understood
	uint64_t not_understood; // lines that are neither a rule nor an option of auditctl
	uint64_t first_not_understood; // line number from 1; 0 = none
	bool excludes_needed_records; // "-a always,exclude -F msgtype=PATH" and its kind
};

// Judges the text of a rules file or of `auditctl -l`. -1 only when out of memory.
int rules_judge(const char *bytes, size_t length, struct rules_judgement *ret, struct error *err);
void rules_judgement_release(struct rules_judgement *j);
// The group as a whole: covered when all its findings are, blind when all are blind. *ret_why (may be NULL): of the first finding that
// is not covered, valid as long as j.
enum rules_coverage rules_judged(const struct rules_judgement *j, const struct rule_group *group, const char **ret_why);
const char *rules_coverage_name(enum rules_coverage c); // "covered", "partly", "blind"

#endif
