#!/bin/sh
# SPDX-License-Identifier: MIT
# Every header compiles alone, and twice in a row.
. "$SRCDIR/tests/lib.sh"
cd "$SRCDIR" || exit 1
bad=0
for header in base/*.h ingest/*.h snapshots/*.h graph/*.h cmd/*.h tests/unit/*.h; do
	[ -e "$header" ] || continue
	printf '#include "%s"\n#include "%s"\nint headers_alone;\n' "$header" "$header" |
		${CC:-cc} -std=gnu11 -Wall -Wextra -Werror -Wno-unused -I. -D_GNU_SOURCE -fsyntax-only -x c - || {
		echo "$header does not compile alone"
		bad=1
	}
done
exit $bad
