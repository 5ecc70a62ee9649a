// SPDX-License-Identifier: MIT
#include "base/interrupts.h"
#include "tests/unit/unit.h"

static volatile sig_atomic_t met;

static void meet(int number)
{
	met = number;
}

int main(void)
{
	sigset_t before;

	(void)signal(SIGTERM, meet);
	(void)signal(SIGHUP, SIG_IGN);
	interrupts_hold(&before);
	CHECK(!interrupts_waiting());
	(void)raise(SIGHUP); // nohup: it neither waits nor ends anything
	CHECK(!interrupts_waiting());
	(void)raise(SIGTERM);
	CHECK(interrupts_waiting());
	CHECK(met == 0);
	interrupts_restore(&before);
	CHECK(met == SIGTERM);
	CHECK(!interrupts_waiting());
	return unit_end();
}
