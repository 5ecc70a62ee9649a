# SPDX-License-Identifier: MIT
"""A screenshot of a case page, for the README:  screenshot.py PAGE.html OUT.png [WIDTH HEIGHT]"""
import os
import sys
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "cli"))
import browser as chromium  # noqa: E402


def main():
    path, out = sys.argv[1], sys.argv[2]
    width, height = (int(size) for size in (sys.argv[3:5] or ("1700", "1060")))
    with chromium.Browser() as browser:
        page = browser.open("file://" + urllib.parse.quote(os.path.abspath(path)), width, height)
        page.screenshot(out)


if __name__ == "__main__":
    main()
