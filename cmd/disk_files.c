// SPDX-License-Identifier: MIT
// provgraph disk files HISTORY T1 T2: all files that changed in between, and when they last did.
#include "cmd/disk_changes.h"
#include "cmd/report.h"

int disk_files(const struct disk_options *o)
{
	bool any = false;

	return disk_changes(o, timeline_files, true, &any) < 0 ? STATUS_ERROR : STATUS_WRITTEN;
}
