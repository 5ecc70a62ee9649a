// SPDX-License-Identifier: MIT
#include "base/error.h"

#include "tests/unit/unit.h"

#include <errno.h>

int main(void)
{
	struct error err = {"untouched"};
	char longer[3000];

	CHECK_EQUAL(error_set(&err, "%s:%d: %s", "audit.log", 7, "bad"), -1);
	CHECK_STRING(err.message, "audit.log:7: bad");
	CHECK_EQUAL(error_set_errno(&err, ENOENT, "%s: cannot open", "x"), -1);
	CHECK_STRING(err.message, "x: cannot open: No such file or directory");
	// A message that wraps itself.
	CHECK_EQUAL(error_set(&err, "outer: %s", err.message), -1);
	CHECK_STRING(err.message, "outer: x: cannot open: No such file or directory");
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	(void)error_set_errno(&err, EACCES, "%s", longer);
	CHECK_EQUAL(strlen(err.message), sizeof(err.message) - 1);
	CHECK_EQUAL(error_set(NULL, "nobody asks"), -1);
	CHECK_EQUAL(error_set_errno(NULL, EIO, "nobody asks"), -1);
	return unit_end();
}
