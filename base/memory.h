// SPDX-License-Identifier: MIT
// Scope-bound clean-up and checked sizes.
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

static inline void memory_auto_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void memory_auto_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

// char *name AUTO_FREE = strdup(...);  int fd AUTO_CLOSE = -1;
#define AUTO_FREE __attribute__((cleanup(memory_auto_free)))
#define AUTO_CLOSE __attribute__((cleanup(memory_auto_close)))

#define ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))

#endif
