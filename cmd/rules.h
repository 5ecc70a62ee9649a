// SPDX-License-Identifier: MIT
#ifndef CMD_RULES_H
#define CMD_RULES_H

#include "cmd/options.h"

// provgraph rules [--check]: returns the exit status.
int rules_command(const struct options *o);

#endif
