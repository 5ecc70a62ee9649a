// SPDX-License-Identifier: MIT
// Feeds files to a fuzz target without a fuzzer, so that `make check` runs every input that ever failed.
//
//     replay_fuzz_NAME FILE|FOLDER...      0: all of them went through
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long replayed;

static int replay_file(const char *path, size_t size)
{
	FILE *file = fopen(path, "rb");
	// Exactly the input's size, so that AddressSanitizer sees a read beyond it.
	uint8_t *bytes = malloc(size ? size : 1);
	size_t got = 0;

	if (file && bytes)
		got = fread(bytes, 1, size, file);
	if (file)
		(void)fclose(file);
	if (got != size) {
		fprintf(stderr, "%s: cannot read\n", path);
		free(bytes);
		return -1;
	}
	(void)LLVMFuzzerTestOneInput(bytes, size);
	free(bytes);
	replayed++;
	return 0;
}

static int not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int replay_path(const char *path)
{
	struct stat status;
	struct dirent **entries;

	if (stat(path, &status) < 0) {
		perror(path);
		return -1;
	}
	if (!S_ISDIR(status.st_mode))
		return replay_file(path, (size_t)status.st_size);
	int count = scandir(path, &entries, not_hidden, alphasort), result = count < 0 ? -1 : 0;

	for (int i = 0; i < count; i++) {
		char inside[4096];

		if (snprintf(inside, sizeof(inside), "%s/%s", path, entries[i]->d_name) >= (int)sizeof(inside) || replay_path(inside) < 0)
			result = -1;
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return result;
}

int main(int argc, char **argv)
{
	int result = 0;

	for (int i = 1; i < argc; i++)
		if (replay_path(argv[i]) < 0)
			result = 1;
	if (replayed == 0) {
		fprintf(stderr, "%s: nothing to replay\n", argv[0]);
		return 1;
	}
	return result;
}
