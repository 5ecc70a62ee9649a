// SPDX-License-Identifier: MIT
// provgraph --restore-at and --versions: provgraph disk cat and disk log under the names that an investigation uses.
#ifndef CMD_RESTORE_AT_H
#define CMD_RESTORE_AT_H

#include <stdbool.h>
#include <stdint.h>

// Whether the command line asks for one of them. An alert beside it makes it an investigation, which knows no disks.
bool restore_at_asked(int argc, char **argv);
// Runs the verb; the exit status.
int restore_at_main(int argc, char **argv, uint64_t now_ns);

#endif
