// SPDX-License-Identifier: MIT
// Names that an attacker chooses. The kernel writes those with spaces, quotes and control bytes in hexadecimal without quotes;
// only the quotes tell a file named DEADBEEF from four bytes.
#include "truth.h"

static const char *const names[] = {
	"with space", "\"quoted\"", "new\nline", "tab\there", "\033[31mred\033[0m", "\xff\xfe not UTF-8", "DEADBEEF", "6161", "(null)",
	"\xe2\x80\xaetxt.exe", "name=\"passwd\" inode=1", "type=SYSCALL msg=audit(1.000:1):", "\x1d" "AUID=\"root\"", "<img src=x onerror=alert(1)>",
	"=cmd|' C calc'!A0", "back\\slash\\n", "'single'", "-rf", "\x01\x7f", "]]>&amp;", "caf\xc3\xa9",
};

int main(void)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int fd = make_file(names[i], "x");
		truth("edge create %s %s observed", self(), file_fd(fd));
		truth("name %s %s", file_fd(fd), escaped(absolute(names[i])));
	}
	// The same for a program's name and arguments, and for the folder that it runs in.
	TRY(mkdir("folder of\n\"mine\"", 0755));
	TRY(symlink("/usr/bin/true", "folder of\n\"mine\"/tr ue"));
	TRY(chdir("folder of\n\"mine\""));
	pid_t child = run_program("./tr ue", (char *[]){ "tr ue", "a0=\"x\"", "\033]0;title\007", "", "DEADBEEF", NULL });
	truth_of_exec(child, "/usr/bin/true");
	truth("argv %s#1 5 %zu", process(child), strlen("tr ue") + strlen("a0=\"x\"") + strlen("\033]0;title\007") + strlen("DEADBEEF"));
	return 0;
}
