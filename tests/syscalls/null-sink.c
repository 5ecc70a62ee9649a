// SPDX-License-Identifier: MIT
// /dev/null takes everything and gives nothing: it is recorded, and is no channel.
#include "truth.h"

int main(void)
{
	pid_t writer = TRY(fork());
	if (writer == 0) {
		TRY(open("/dev/null", O_WRONLY));
		_exit(0);
	}
	wait_for(writer);
	pid_t reader = TRY(fork());
	if (reader == 0) {
		TRY(open("/dev/null", O_RDONLY));
		_exit(0);
	}
	wait_for(reader);
	truth("edge open-write %s %s observed", process(writer), file_at("/dev/null"));
	truth("edge open-read %s %s observed", file_at("/dev/null"), process(reader));
	truth("no-flow %s %s", process(writer), process(reader));
	truth("sink %s", file_at("/dev/null"));
	return 0;
}
