// SPDX-License-Identifier: MIT
// Arguments that do not fit into one EXECVE record: many, and one that is cut into a1_len=, a1[0]=, a1[1]= ...
#include "truth.h"

int main(void)
{
	enum { COUNT = 300 };
	static char numbers[COUNT][24], plain[9001], strange[4001];
	char *argv[COUNT + 4] = { "true", plain, strange };
	size_t bytes = strlen("true") + sizeof(plain) - 1 + sizeof(strange) - 1;

	memset(plain, 'p', sizeof(plain) - 1);
	memset(strange, '\n', sizeof(strange) - 1);
	for (int i = 0; i < COUNT; i++) {
		bytes += (size_t)sprintf(numbers[i], i % 7 ? "number-%d" : "number %d", i);
		argv[3 + i] = numbers[i];
	}
	pid_t child = run_program("/usr/bin/true", argv);
	truth_of_exec(child, "/usr/bin/true");
	truth("argv %s#1 %d %zu", process(child), COUNT + 3, bytes);
	return 0;
}
