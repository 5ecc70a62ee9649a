// SPDX-License-Identifier: MIT
// A while in which Ctrl-C has to wait: what is half written would stay behind.
#ifndef BASE_INTERRUPTS_H
#define BASE_INTERRUPTS_H

#include <signal.h>
#include <stdbool.h>

// Holds SIGINT, SIGTERM and SIGHUP back, but for those that are ignored: one of them (nohup) would wait as long as it is blocked, and look
// like an interruption. The caller restores *ret_before, and then gets what came meanwhile.
void interrupts_hold(sigset_t *ret_before);
bool interrupts_waiting(void); // one came since: clean up and restore, it takes effect then
void interrupts_restore(const sigset_t *before);

#endif
