// SPDX-License-Identifier: MIT
// The two clocks of a record, and whether realtime was stepped against boottime (which counts suspended time too, and is never set).
#ifndef SNAPSHOTS_CLOCK_H
#define SNAPSHOTS_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_STEP_NS UINT64_C(10000000) // more than this between two looks is a step; slewing stays far below (adjtimex: 500 ppm)
#define CLOCK_BOOT_ID_BYTES 36           // text of /proc/sys/kernel/random/boot_id

struct clock_pair { uint64_t realtime_ns, boottime_ns; };

struct clock {
	uint64_t (*realtime)(void *context), (*boottime)(void *context); // NULL: the machine's
	void *context;
	struct clock_pair last; // what the next pair is compared with
	bool known;             // last is set
};

struct clock_pair clock_now(const struct clock *c);
// Whether `now` is a step away from c->last; *ret_expected_ns: the realtime that boottime led us to expect.
bool clock_stepped(const struct clock *c, struct clock_pair now, uint64_t *ret_expected_ns);
// The id of this boot, zeros when unknown.
void clock_boot_id(char ret[CLOCK_BOOT_ID_BYTES]);

#endif
