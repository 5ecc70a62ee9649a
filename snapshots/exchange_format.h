// SPDX-License-Identifier: MIT
// Numbers of Linux' drivers/md/dm-log-writes.c.
#ifndef SNAPSHOTS_EXCHANGE_FORMAT_H
#define SNAPSHOTS_EXCHANGE_FORMAT_H

#include <stdint.h>

#define LOG_MAGIC UINT64_C(0x6a736677736872)
#define LOG_VERSION 1u
#define LOG_SUPER_BYTES 28
#define LOG_ENTRY_BYTES 32
#define LOG_FLUSH 1u
#define LOG_FUA 2u
#define LOG_DISCARD 4u
#define LOG_MARK 8u
#define LOG_METADATA 16u
#define LOG_KNOWN_FLAGS 31u

#endif
