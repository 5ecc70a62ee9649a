# SPDX-License-Identifier: MIT
"""How much longer a large case page takes to open than an empty one.

    case_speed.py PAGE.html BYTES SECONDS     grows the page's data to BYTES (5,000 folded members, raw records); fails above SECONDS
"""
import os
import re
import sys
import time
import urllib.parse

sys.dont_write_bytecode = True
import browser as chromium  # noqa: E402

RUNS = 3


def grow(page, size):
    fold = re.search(r'<desc data-of="(f\d+)" data-key="member"[^\n]*\n', page)
    record = re.search(r'<desc data-record="0"[^>]*>[^<]*</desc>\n', page)
    at = page.index("</metadata>")
    members = page.count('data-key="member"')
    more = [fold.group(0)] * max(0, 5000 - members)
    left = size - len(page) - sum(map(len, more))
    more += [record.group(0).replace('data-record="0"', 'data-record="%d"' % (100000 + i)) for i in range(max(0,
            left // len(record.group(0))))]
    return page[:at] + "".join(more) + page[at:]


def seconds(browser, path, ready):
    best = None
    for _ in range(RUNS):
        begun = time.monotonic()
        page = browser.open("file://" + urllib.parse.quote(os.path.abspath(path)))
        # Two frames later it has been painted, too.
        page.value("new Promise(function(done){(function wait(){if(%s)requestAnimationFrame(function(){requestAnimationFrame(done);});else setTimeout(wait,5);}());})" % ready)
        took = time.monotonic() - begun
        page.close()
        best = took if best is None else min(best, took)
    return best


def main():
    path, size, most = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    with open(path, encoding="utf-8") as page, open("large.html", "w", encoding="utf-8") as large:
        large.write(grow(page.read(), size))
    with open("empty.html", "w", encoding="utf-8") as empty:
        empty.write("<!DOCTYPE html><title>empty</title>")
    with chromium.Browser() as browser:
        empty, large = seconds(browser, "empty.html", "true"), seconds(browser, "large.html",
                "document.documentElement.getAttribute('data-ready')")
    print("empty %.2f s, %.1f MB %.2f s" % (empty, os.path.getsize("large.html") / 1e6, large))
    if large - empty > most:
        sys.exit("the page opens %.2f s after an empty one" % (large - empty))


if __name__ == "__main__":
    main()
