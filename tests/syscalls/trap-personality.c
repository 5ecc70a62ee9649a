// SPDX-License-Identifier: MIT
// A personality puts per= between syscall= and success=.
#include "truth.h"

#include <sys/personality.h>

int main(void)
{
	TRY(personality(ADDR_NO_RANDOMIZE));
	int fd = make_file("with-personality", "x");
	truth("edge create %s %s observed", self(), file_fd(fd));
	return 0;
}
