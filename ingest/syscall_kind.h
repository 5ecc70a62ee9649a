// SPDX-License-Identifier: MIT
// (architecture, number) -> name -> what the call does. The only user of libaudit's tables. Private to ingest/.
#ifndef INGEST_SYSCALL_KIND_H
#define INGEST_SYSCALL_KIND_H

#include "base/intern.h"
#include "ingest/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct syscall_kind {
	uint32_t name; // "openat"; "syscall_451" when nobody knows it
	enum syscall_op op;
	bool multiplexed; // socketcall(2): the call is named by its first argument
};

// The bit of AUDIT_ARCH_* that big-endian machines lack (linux/audit.h).
#define SYSCALL_ARCH_LITTLE_ENDIAN 0x40000000u /* __AUDIT_ARCH_LE */

struct syscall_table; // remembers every (arch, number) it has named

struct syscall_table *syscall_table_new(struct intern *strings); // NULL: out of memory
void syscall_table_free(struct syscall_table *t);
struct syscall_kind syscall_table_find(struct syscall_table *t, uint32_t arch, uint32_t number);
// The call inside socketcall(2): `call` is its first argument (linux/net.h).
struct syscall_kind syscall_table_socketcall(struct syscall_table *t, uint64_t call);
// The operation of an io_uring record (IORING_OP_*): "uring_openat", always OP_IO_URING.
struct syscall_kind syscall_table_uring(struct syscall_table *t, uint32_t operation);

// OP_OTHER when the name is not one of provenance's. "pread64" and the like of all ABIs are known.
enum syscall_op syscall_op_of_name(const char *name);

#endif
