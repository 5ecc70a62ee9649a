#!/bin/sh
# SPDX-License-Identifier: MIT
# What holds for every file: a licence line, no path of anybody's machine, nothing unfinished, no file that nobody can read.
. "$SRCDIR/tests/lib.sh"
cd "$SRCDIR" || exit 1
bad=0
list() {
	find "$@" -type f \( -name '*.c' -o -name '*.h' -o -name '*.sh' -o -name '*.awk' -o -name '*.py' \) 2>/dev/null | sort
}
for file in $(list base ingest snapshots graph cmd tests samples); do
	if ! head -n 3 "$file" | grep -q 'SPDX-License-Identifier: MIT'; then
		echo "$file: no licence line"
		bad=1
	fi
done
for file in $(list base ingest snapshots graph cmd); do
	lines=$(wc -l <"$file")
	if [ "$lines" -gt 900 ]; then
		echo "$file: $lines lines"
		bad=1
	fi
done
# The words are written so that this file does not find itself.
if grep -rnE "T[O]DO|F[I]XME|(^|[^X])X[X]X([^X]|$)" base ingest snapshots graph cmd Makefile Makefile.dev --include='*.[ch]' --include='Makefile*'; then
	echo "unfinished"
	bad=1
fi
# Where this tree lies, in a source, a document or a recorded log.
if grep -rnIF "$SRCDIR/" base ingest snapshots graph cmd tests samples .ci Makefile Makefile.dev ./*.md 2>/dev/null; then
	echo "a path of this machine"
	bad=1
fi
for log in samples/*/*.zst samples/*/*.gz tests/syscalls/recordings/*.zst tests/syscalls/recordings/*.gz; do
	[ -e "$log" ] || continue
	case $log in *.zst) unpack='zstd -dcq' ;; *) unpack='gzip -dc' ;; esac
	if $unpack "$log" 2>/dev/null | grep -qF "$SRCDIR/"; then
		echo "$log: holds a path of this machine"
		bad=1
	fi
done
exit $bad
