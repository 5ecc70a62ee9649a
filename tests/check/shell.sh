#!/bin/sh
# SPDX-License-Identifier: MIT
# Every shell script passes shellcheck, warnings and errors. SC2034, SC2154: variables cross files; SC2046: words are split on purpose.
. "$SRCDIR/tests/lib.sh"
requires shellcheck
cd "$SRCDIR" || exit 1
find . -path ./build -prune -o -path './build-*' -prune -o -path ./.git -prune -o -type f -name '*.sh' -print | sort >"$OLDPWD/scripts"
printf '%s\n' ./.ci/deps ./.ci/run >>"$OLDPWD/scripts"
[ -f cmd/completion/provgraph.bash ] && shellcheck -s bash cmd/completion/provgraph.bash
xargs shellcheck -x -S warning -e SC2010,SC2034,SC2046,SC2154 <"$OLDPWD/scripts"
