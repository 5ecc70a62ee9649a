#!/bin/sh
# SPDX-License-Identifier: MIT
# The DOT file with every text hostile, drawn by dot itself: well-formed, without links and scripts, and labels read as they should.
. "$SRCDIR/tests/lib.sh"
requires dot xmllint

"$BUILD/tests/unit/test_hostile" hostile.dot || fail "no file"
dot -Tsvg -o hostile.svg hostile.dot 2>err || fail "dot refuses it: $(head -n 3 err)"
# dot's document type points to the net; --nonet proves that it is not needed.
xmllint --noout --nonet hostile.svg || fail "dot's picture is not well-formed"
count() {
	xmllint --nonet --xpath "count($1)" hostile.svg
}
[ "$(count '//*[local-name()="script" or local-name()="image" or local-name()="foreignObject"]')" = 0 ] || fail "an element that must not be"
[ "$(count '//@*[starts-with(name(), "on") or contains(local-name(), "href")][normalize-space(.)!=""]')" = 0 ] || fail "a link or a handler"

# What dot shows is what is meant: entities and backslashes are not taken for its own.
shown() {
	xmllint --nonet --xpath "count(//*[local-name()='text'][normalize-space(.)='$1'])" hostile.svg
}
[ "$(shown '&amp;&lt;b&gt;&#60;')" -gt 0 ] || fail "entities in a name were decoded"
# shellcheck disable=SC1003 # the backslash at the end is meant
[ "$(shown '\N\G\E\n\')" -gt 0 ] || fail "escapes in a name were expanded"
