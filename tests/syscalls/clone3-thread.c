// SPDX-License-Identifier: MIT
// A thread by clone3 (what pthread_create does with glibc 2.34 and newer): its tid is recorded as exit= of clone3, and is no
// process; what it does is done by the process.
#include "truth.h"

#include <pthread.h>

static pid_t tid;

static void *work(void *unused)
{
	(void)unused;
	tid = gettid();
	(void)make_file("by-thread", "thread");
	return NULL;
}

int main(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, work, NULL) != 0 || pthread_join(thread, NULL) != 0)
		die("pthread");
	truth("thread %d", (int)tid);
	truth("edge create %s %s observed", self(), file_at("by-thread"));
	return 0;
}
