#!/bin/sh
# SPDX-License-Identifier: MIT
# A picture in which every text is hostile, opened in a real browser: nothing runs, nothing becomes an element or an attribute.
. "$SRCDIR/tests/lib.sh"
requires xmllint
browser=
for name in chromium chromium-browser google-chrome; do
	if [ -z "$browser" ] && command -v $name >/dev/null 2>&1; then
		browser=$name
	fi
done
[ -n "$browser" ] || skip "no chromium is installed"

dom_of() {
	timeout 60 "$browser" --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
		--disable-component-update --disable-sync --user-data-dir="$PWD/profile" --dump-dom "file://$PWD/$1" 2>err
}
count() {
	xmllint --xpath "count($2)" "$1"
}

# The check sees a script that runs; without that, silence would prove nothing.
cat >control.svg <<'END'
<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>document.documentElement.setAttribute("ran","yes")</script></svg>
END
dom_of control.svg >control.xml || skip "$browser does not start here"
[ "$(count control.xml '/*[@ran="yes"]')" = 1 ] || skip "$browser runs no script here"

"$BUILD/tests/unit/test_hostile" hostile.svg || fail "no picture"
xmllint --noout --nonet hostile.svg || fail "the picture is not well-formed"
dom_of hostile.svg >hostile.xml || fail "$browser failed"
xmllint --noout --nonet hostile.xml || fail "the browser's own view of it is not well-formed"

[ "$(count hostile.svg '//*')" = "$(count hostile.xml '//*')" ] || fail "the browser sees other elements than the file has"
[ "$(count hostile.svg '//@*')" = "$(count hostile.xml '//@*')" ] || fail "the browser sees other attributes than the file has"
[ "$(count hostile.xml '//*[local-name()="script" or local-name()="a" or local-name()="image" or local-name()="foreignObject"]')" = 0 ] ||
	fail "an element that we never write"
[ "$(count hostile.xml '//@*[starts-with(name(), "on") or contains(name(), "href") or name()="style"]')" = 0 ] ||
	fail "an attribute that we never write"
[ "$(count hostile.xml '//*[local-name()="parsererror"]')" = 0 ] || fail "the browser could not read it"
