# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Records every system call pattern and every trap afresh, and checks them like the shipped recordings.
# shellcheck source=tests/lib.sh
. "$SRCDIR/tests/lib.sh"
requires_root
requires auditd auditctl flock zstd gcc

for recorder in record record-traps; do
	status=0
	sh "$SRCDIR/tests/syscalls/$recorder.sh" "$PWD/fresh" >out 2>err || status=$?
	case $status in
	0) ;;
	77) skip "$(tail -n 1 err)" ;;
	*)
		cat err >&2
		fail "$recorder.sh: status $status"
		;;
	esac
	cat err # what this kernel cannot do
done

# As many as are shipped: a pattern that silently stopped recording is a failure.
for shipped in "$SRCDIR"/tests/syscalls/recordings/*.truth; do
	[ -e "fresh/${shipped##*/}" ] || grep -q "^record.sh: $(basename "$shipped" .truth) cannot happen here" err || fail "not recorded: ${shipped##*/}"
done
sh "$SRCDIR/tests/syscalls/run.sh" "$PWD/fresh"
