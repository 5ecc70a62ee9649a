// SPDX-License-Identifier: MIT
// Files whose maker lies before the window: a door that was opened yesterday and used today.
//
// The window alone shows such a file as given. Its generation is followed back through the logs: to the call that made it, past everybody
// who wrote, renamed or linked it, and from there on to what those processes did, their programs, and the makers of those. The score
// decides how far that goes, not the clock: a file is followed while it still counts for the contact.
#ifndef CMD_CREATORS_H
#define CMD_CREATORS_H

#include "cmd/investigate.h"

struct creators; // what was found before the window; part of an investigation

// Looks for the makers of what ranks well in in->trace. *ret_found: there is more now, and the graph has to be built again:
// graph_new, creators_feed, the window's events ... Call again after the next trace, until nothing is found.
int creators_look_up(struct investigation *in, bool *ret_found, struct error *err);
// Gives the new graph what was found so far, oldest first.
int creators_feed(struct investigation *in, struct error *err);
void creators_free(struct creators *c); // NULL is fine

// How far back was looked (0: not at all), and for how many files the log's beginning, or the budget, came before their maker.
struct creators_facts { uint64_t reached_ns; size_t asked, made, unknown; bool budget_spent; };
struct creators_facts creators_facts(const struct creators *c);

#endif
