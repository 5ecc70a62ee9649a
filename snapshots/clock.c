// SPDX-License-Identifier: MIT
#include "snapshots/clock.h"

#include "base/memory.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

static uint64_t read_clock(clockid_t id)
{
	struct timespec at;

	(void)clock_gettime(id, &at);
	return (uint64_t)at.tv_sec * UINT64_C(1000000000) + (uint64_t)at.tv_nsec;
}

struct clock_pair clock_now(const struct clock *c)
{
	return (struct clock_pair){
		.realtime_ns = c->realtime ? c->realtime(c->context) : read_clock(CLOCK_REALTIME),
		.boottime_ns = c->boottime ? c->boottime(c->context) : read_clock(CLOCK_BOOTTIME),
	};
}

bool clock_stepped(const struct clock *c, struct clock_pair now, uint64_t *ret_expected_ns)
{
	if (!c->known)
		return false;
	uint64_t expected = c->last.realtime_ns + (now.boottime_ns - c->last.boottime_ns);
	uint64_t away = now.realtime_ns > expected ? now.realtime_ns - expected : expected - now.realtime_ns;

	*ret_expected_ns = expected;
	return away > CLOCK_STEP_NS;
}

void clock_boot_id(char ret[CLOCK_BOOT_ID_BYTES])
{
	int fd AUTO_CLOSE = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	memset(ret, 0, CLOCK_BOOT_ID_BYTES);
	if (fd >= 0 && read(fd, ret, CLOCK_BOOT_ID_BYTES) != CLOCK_BOOT_ID_BYTES)
		memset(ret, 0, CLOCK_BOOT_ID_BYTES);
}
