// SPDX-License-Identifier: MIT
// --evidence DIR: contents of the drawn files, as recorded disks had them when it mattered.
//
// For each drawn file that a disk covers: the whole file right before, and at the first state after, each event that opened it for writing,
// truncated, renamed or deleted it, and at each execution; beside content that is pending the nearest complete state. DIR holds
//
//     n12-03-before-20261121T100600-sshd_config.bin   node, event of the node, which moment, audit time (UTC), base name (made harmless)
//     manifest.jsonl    one object for each moment, also where there is no content, and why; equal contents name one file
//     manifest.sha256   of all of them, for sha256sum -c
//
// DIR is a new folder (0700), its files have mode 0600. It appears whole or not at all.
#ifndef CMD_EVIDENCE_H
#define CMD_EVIDENCE_H

#include "base/error.h"

#include <stdbool.h>

struct investigation;
struct witness;

// Before any work: can DIR be made? It must not exist, or be empty; with force also what an earlier run wrote.
int evidence_check(const char *folder, bool force, struct error *err);
// Once the picture stands, and witness_ask() ran. One line on standard error tells what was written (not when --quiet), further ones what
// went wrong on the way. -1: nothing of it stays behind.
int evidence_write(const struct investigation *in, const struct witness *w, const char *folder, bool force, struct error *err);

#endif
