#!/bin/sh
# SPDX-License-Identifier: MIT
# A picture and a page in which every text is hostile, opened in a real browser and touched everywhere: nothing runs but our script,
# nothing becomes an element or an attribute, nothing is fetched.
. "$SRCDIR/tests/lib.sh"
requires xmllint python3
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$SRCDIR/tests/cli python3 -c 'import browser, sys; sys.exit(not browser.installed())' || skip "no chromium is installed"

# The check sees a script that runs, and one that the policy stops; without that, silence would prove nothing.
cat >control.svg <<'END'
<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>document.documentElement.setAttribute("ran","yes")</script><a/></svg>
END
"$BUILD/tests/unit/test_hostile" hostile.svg || fail "no picture"
"$BUILD/tests/unit/test_hostile" hostile.html || fail "no page"
sed 's|<svg |<script>document.documentElement.setAttribute("ran","yes")</script><img src="x" onerror="document.documentElement.setAttribute(&quot;ran&quot;,&quot;yes&quot;)"><svg |' \
	hostile.html >control.html
! cmp -s hostile.html control.html || fail "the page could not be injured"
xmllint --noout --nonet hostile.svg || fail "the picture is not well-formed"

status=0
python3 "$SRCDIR/tests/cli/hostile_page.py" control.svg control.html hostile.html hostile.svg >said 2>&1 || status=$?
[ "$status" -ne 77 ] || skip "$(cat said)"
[ "$status" -eq 0 ] || fail "$(cat said)"
