// SPDX-License-Identifier: MIT
// The bytes of a struct sockaddr, as saddr= carries them in hex. Private to ingest/.
#ifndef INGEST_SOCKADDR_H
#define INGEST_SOCKADDR_H

#include "base/intern.h"
#include "ingest/event.h"

#include <stddef.h>
#include <stdint.h>

#define SOCKADDR_MAX_BYTES 128 /* struct sockaddr_storage */

// What the kernel copied: up to 128 bytes, often shorter than the family's struct (the caller's own length), and never checked
// by anybody. `big_endian`: byte order of the host that wrote the log (its arch= tells); only the family is stored in it.
// Never fails: too short for what the family needs is ADDRESS_OTHER with the family; shorter than a family is ADDRESS_NONE.
void sockaddr_decode(const uint8_t *bytes, size_t length, bool big_endian, struct intern *strings, struct event_address *ret);

// ::ffff:a.b.c.d becomes a.b.c.d with `mapped` set: it is the same peer.
void sockaddr_unmap(struct event_address *a);

#endif
