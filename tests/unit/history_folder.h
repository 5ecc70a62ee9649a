// SPDX-License-Identifier: MIT
// Removing the history of a test, without a shell: tests do it hundreds of times.
#ifndef TESTS_UNIT_HISTORY_FOLDER_H
#define TESTS_UNIT_HISTORY_FOLDER_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static inline void history_folder_empty(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.')
			(void)unlinkat(dirfd(d), entry->d_name, 0);
	if (d)
		(void)closedir(d);
}

static inline void history_folder_remove(const char *folder)
{
	static const char *const inside[] = {"segments", "index"};
	char path[256];

	for (unsigned i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, inside[i]);
		history_folder_empty(path);
		(void)rmdir(path);
	}
	history_folder_empty(folder);
	(void)rmdir(folder);
}

#endif
