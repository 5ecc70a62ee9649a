#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs every program of this folder under real audit, and writes what audit recorded (NAME.log) and what is true (NAME.truth).
#
#     tests/syscalls/record.sh FOLDER          needs root, auditd, auditctl, a C compiler; 32-bit needs gcc -m32
#     tests/syscalls/record.sh FOLDER NAME...  these only
set -u
SRC=$(cd "$(dirname "$0")" && pwd) || exit 2
OUT=${1:?usage: record.sh FOLDER [NAME...]}
shift
ENRICHED="fork-exec rename-over connect-v4 hostile-names" # recorded a second time with log_format = ENRICHED
# shellcheck source=tests/syscalls/audit.sh disable=SC2154
. "$SRC/audit.sh"
audit_take "$OUT"

# record NAME OUTPUT: one program in an empty folder of its own.
record() {
	result=0
	audit_run "../bin/$1" || result=$?
	audit_mark "$2"
	case $result in
	0) ;;
	77)
		audit_say "$1 cannot happen here: $(cat "$was/err")"
		return
		;;
	*) audit_quit 1 "$1 failed: $(cat "$was/err")" ;;
	esac
	audit_cut "$OUT/$2.log"
	{
		sed -n '/^#include/q;/SPDX/d;s|^// |# |p' "$SRC/$1.c"
		cat "$was/truth"
	} >"$OUT/$2.truth"
}

audit_build "$@"
if [ $# -eq 0 ]; then
	for program in "$PLACE"/bin/*; do
		case ${program##*/} in
		launch | thirty-two-bit | trap-uring-rule | trap-load) ;; # parts of others
		*) set -- "$@" "${program##*/}" ;;
		esac
	done
fi
audit_start RAW
audit_load "$AUDIT_RULES"
for name in "$@"; do
	record "$name" "$name"
done
[ "$(audit_status lost)" = 0 ] || audit_quit 1 "the kernel lost records"
audit_stop
rm -f "$LOG"
for name in $ENRICHED; do
	case " $* " in *" $name "*) ;; *) continue ;; esac
	[ -n "$daemon" ] || { audit_start ENRICHED && audit_load "$AUDIT_RULES"; }
	record "$name" "$name-enriched"
done
[ -z "$daemon" ] || audit_stop
exit 0
