// SPDX-License-Identifier: MIT
// One writer for each history: an open file description lock on the file `lock`. It ends with the process, however that ends.
#ifndef SNAPSHOTS_LOCK_H
#define SNAPSHOTS_LOCK_H

#include "base/error.h"

#include <stdbool.h>

// *ret_fd holds the lock until it is closed. Somebody else's lock is an error that names the process.
int lock_take(const char *folder, int *ret_fd, struct error *err);
// Whether a writer runs now. A folder where the file is missing or may not be read is not being written, as far as we can tell.
int lock_is_held(const char *folder, bool *ret_held, struct error *err);

#endif
