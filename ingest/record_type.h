// SPDX-License-Identifier: MIT
// The word behind type=: its number in linux/audit.h and who may write such a record. Private to ingest/.
#ifndef INGEST_RECORD_TYPE_H
#define INGEST_RECORD_TYPE_H

#include "base/intern.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum record_class {
	RECORD_SYSCALL, RECORD_PATH, RECORD_CWD, RECORD_TITLE, RECORD_EXECVE, RECORD_SOCKADDR,
	RECORD_PART,   // the rarer ones beside a SYSCALL
	RECORD_URING,
	RECORD_LOGIN,
	RECORD_CONFIG,
	RECORD_DAEMON, // auditd's own, with serials of auditd's own
	RECORD_CLAIM,  // sent by a program
	RECORD_OTHER,  // of the kernel, may stand alone
};

struct record_type {
	uint16_t number;     // 0: a name that nobody knows
	uint16_t class;      // enum record_class
	uint32_t name;
};

struct record_type_table; // remembers the names it has seen

struct record_type_table *record_type_table_new(struct intern *strings); // NULL: out of memory
void record_type_table_free(struct record_type_table *t);
// False: no word of A-Z, 0-9 and _ (or UNKNOWN[1234], as auditd writes numbers that it has no name for).
bool record_type_find(struct record_type_table *t, const char *word, size_t length, struct record_type *ret);

#endif
