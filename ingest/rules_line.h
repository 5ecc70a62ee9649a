// SPDX-License-Identifier: MIT
// One line of a rules file or of `auditctl -l`, taken apart. Private to ingest/.
#ifndef INGEST_RULES_LINE_H
#define INGEST_RULES_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rule_text { const char *bytes; size_t length; }; // points into the line

struct rule_filter { struct rule_text field, op, value, text; }; // text: all of it, for messages

#define RULE_MAX_FILTERS 64 /* AUDIT_MAX_FIELDS, linux/audit.h */
#define RULE_MAX_CALLS 512  /* our limit; the largest table of calls has 450 */

enum rule_list { RULE_LIST_EXIT, RULE_LIST_EXCLUDE, RULE_LIST_TASK, RULE_LIST_OTHER };

struct rule_line {
	bool always;              // else never
	enum rule_list list;
	bool b64, b32;            // widths it applies to: both without an arch filter
	bool all_calls;           // -S all, no -S, or a watch
	struct rule_text calls[RULE_MAX_CALLS];
	unsigned call_count;
	struct rule_filter filters[RULE_MAX_FILTERS]; // without arch and key
	unsigned filter_count;
};

enum rule_line_kind {
	RULE_LINE_RULE,       // -a, -A, or -w, which becomes filters path= and perm=
	RULE_LINE_DELETE_ALL, // -D
	RULE_LINE_OPTION,     // comments, empty lines, "No rules", -b, -e, -f ...
	RULE_LINE_OTHER,      // none of these, or beyond the limits above
};

enum rule_line_kind rule_line_parse(const char *bytes, size_t length, struct rule_line *ret);

bool rule_text_is(struct rule_text t, const char *string);
// Decimal or 0x hexadecimal, with a sign for values; false when it is no number. -1 and "unset" are 4294967295, as the kernel has it.
bool rule_text_number(struct rule_text t, uint64_t *ret);
// The same field, operator and value; numbers are compared as numbers.
bool rule_filter_equal(const struct rule_filter *a, const struct rule_filter *b);
bool rule_filter_is(const struct rule_filter *f, const char *field, const char *op, const char *value);
// exit=-EACCES, exit=-13: one kind of failure only.
bool rule_filter_is_errno(const struct rule_filter *f);

#endif
