#!/bin/sh
# SPDX-License-Identifier: MIT
# Every shell script passes shellcheck.
. "$SRCDIR/tests/lib.sh"
requires shellcheck
cd "$SRCDIR" || exit 1
find . -path ./build -prune -o -path './build-*' -prune -o -path ./.git -prune -o -type f -name '*.sh' -print | sort >"$OLDPWD/scripts"
printf '%s\n' ./.ci/deps ./.ci/run >>"$OLDPWD/scripts"
[ -f cmd/completion/provgraph.bash ] && shellcheck -s bash cmd/completion/provgraph.bash
xargs shellcheck -x -e SC1091,SC2015,SC2046,SC2086,SC2094,SC2034,SC2154,SC2016 <"$OLDPWD/scripts"
