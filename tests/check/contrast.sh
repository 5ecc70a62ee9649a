#!/bin/sh
# SPDX-License-Identifier: MIT
# Both themes of the case page can be read: text 4.5 : 1 against what it stands on, lines and borders 3 : 1 (WCAG 2.1, 1.4.3 and 1.4.11).
. "$SRCDIR/tests/lib.sh"
requires python3
python3 - "$SRCDIR/graph/page.css" <<'END' || exit 1
import re
import sys

css = open(sys.argv[1], encoding="utf-8").read()
light = {}
for name, value in re.findall(r"var\(--(\w+),(#[0-9a-f]{6})\)", css):
    light.setdefault(name, value)
dark = dict(re.findall(r"--(\w+):(#[0-9a-f]{6})", re.search(r":root\[data-theme=dark\]\{([^}]*)\}", css).group(1)))


def luminance(colour):
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a, b):
    x, y = sorted((luminance(a), luminance(b)), reverse=True)
    return (x + 0.05) / (y + 0.05)


FILLS = "bg processfill filefill addressfill foldfill alertfill gap soft"
TEXT = [(text, fill) for text in ("ink", "muted", "bad") for fill in FILLS.split()] + [("label", "bg")]
TEXT += [("match", "bg"), ("muted", "bg"), ("bad", "bg")]  # a preview's lines: new, ours, gone
TEXT += [("bg", chip) for chip in "ink path alert muted".split()]
LINES = [(line, "bg") for line in "edge path process file address fold alert faint focus match label".split()] + \
    [(kind, kind + "fill") for kind in "process file address fold alert".split()]
bad = []
for theme, colours in (("light", light), ("dark", dark)):
    for pairs, least in ((TEXT, 4.5), (LINES, 3.0)):
        for a, b in pairs:
            found = contrast(colours[a], colours[b])
            if found < least:
                bad.append("%s: %s on %s is %.2f : 1, %.1f is needed" % (theme, a, b, found, least))
sys.exit("\n".join(bad) if bad else 0)
END
