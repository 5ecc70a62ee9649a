#!/bin/sh
# SPDX-License-Identifier: MIT
# base <- ingest <- graph <- cmd; base <- snapshots <- cmd; of ingest and snapshots, graph sees event.h and timeline.h only. Includes are written from the project's root.
. "$SRCDIR/tests/lib.sh"
cd "$SRCDIR" || exit 1
bad=0

# allowed FOLDER PATTERN: every own include in FOLDER matches PATTERN.
allowed() {
	for file in "$1"/*.c "$1"/*.h; do
		[ -e "$file" ] || continue
		wrong=$(sed -n 's/^#include "\([^"]*\)".*/\1/p' "$file" | grep -Ev "$2")
		if [ -n "$wrong" ]; then
			echo "$file includes:" $wrong
			bad=1
		fi
	done
}
allowed base '^base/[a-z_]+\.h$'
allowed ingest '^(base|ingest)/[a-z_]+\.h$'
allowed snapshots '^(base|snapshots)/[a-z_0-9]+\.h$'
allowed graph '^((base|graph)/[a-z_0-9]+\.h|ingest/event\.h|snapshots/timeline\.h)$'
allowed cmd '^((base|ingest|graph|cmd)/[a-z_]+\.h|snapshots/(history|writer|timeline|contents|log_lines|restore|disk_at|fsread|fs_file|exchange|view)\.h)$'

# Each large library has one home.
only() {
	wrong=$(grep -lE "#include <$1" base/*.[ch] ingest/*.[ch] snapshots/*.[ch] graph/*.[ch] cmd/*.[ch] 2>/dev/null | grep -Ev "$2")
	if [ -n "$wrong" ]; then
		echo "$1 is included outside its home:" $wrong
		bad=1
	fi
}
only 'igraph' '^graph/(structure|write_graphml)[a-z_]*\.[ch]$'
only '(graphviz/|gvc|cgraph)' '^graph/layout_dot\.c$'
# Of libaudit, ingest/ uses the numbers of messages; the tables of names stand in two files.
only 'libaudit' '^ingest/'
if grep -nE '(^|[^a-z_])audit_[a-z_]+\(' base/*.c ingest/*.c graph/*.c cmd/*.c | grep -vE '^ingest/(syscall_kind|record_type)\.c:'; then
	echo "libaudit is called outside its home"
	bad=1
fi
only 'auparse' '^$'
only 'ext2fs' '^snapshots/fs_ext[a-z_]*\.[ch]$'
only 'nbdkit' '^snapshots/nbdkit_plugin\.c$'
only 'seccomp' '^snapshots/sandbox\.c$'

# Library folders never print and never exit.
for file in base/*.c ingest/*.c snapshots/*.c graph/*.c; do
	case $file in graph/layout_dot.c | snapshots/fsread_main.c) continue ;; esac # programs of their own
	if grep -nE '(^|[^a-z_])(printf|puts|perror|exit|abort)\(' "$file"; then
		echo "$file prints or exits"
		bad=1
	fi
done
exit $bad
