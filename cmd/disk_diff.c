// SPDX-License-Identifier: MIT
// provgraph disk diff HISTORY T1 T2: names, kinds, sizes, contents that differ.
#include "cmd/disk_changes.h"
#include "cmd/report.h"

int disk_diff(const struct disk_options *o)
{
	bool any = false;

	if (disk_changes(o, timeline_diff, false, &any) < 0)
		return STATUS_ERROR;
	return any ? STATUS_NO_MATCH : STATUS_WRITTEN;
}
