// SPDX-License-Identifier: MIT
// open_by_handle_at opens without a name: only the inode tells which file it was.
#include "truth.h"

int main(void)
{
	union {
		struct file_handle handle;
		char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} h = { .handle.handle_bytes = MAX_HANDLE_SZ };
	int mount_id, fd = make_file("by-handle", "data");

	if (name_to_handle_at(AT_FDCWD, "by-handle", &h.handle, &mount_id, 0) < 0)
		skip("name_to_handle_at");
	int mount = TRY(open(".", O_RDONLY | O_DIRECTORY));
	pid_t child = TRY(fork());
	if (child == 0) {
		TRY(open_by_handle_at(mount, &h.handle, O_RDONLY));
		_exit(0);
	}
	wait_for(child);
	truth("edge open-read %s %s", file_fd(fd), process(child));
	return 0;
}
