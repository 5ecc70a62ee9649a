// SPDX-License-Identifier: MIT
// Mode, owner, times and extended attributes.
#include "truth.h"

#include <sys/xattr.h>

int main(void)
{
	static const char *const names[] = { "by-chmod", "by-chown", "by-times", "by-xattr" };
	int files[4];

	for (int i = 0; i < 4; i++)
		files[i] = make_file(names[i], "x");
	TRY(chmod("by-chmod", 0755));
	TRY(chown("by-chown", 65534, 65534));
	TRY(utimensat(AT_FDCWD, "by-times", (struct timespec[2]){ { 86400, 0 }, { 86400, 0 } }, 0));
	bool has_xattr = setxattr("by-xattr", "user.origin", "x", 1, 0) == 0;
	for (int i = 0; i < (has_xattr ? 4 : 3); i++)
		truth("edge attribute %s %s observed", self(), file_fd(files[i]));
	return 0;
}
