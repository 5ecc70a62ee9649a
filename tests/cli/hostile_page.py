# SPDX-License-Identifier: MIT
"""Opens pages whose every text is hostile, touches every pane of them, and looks whether anything ran or became markup.

    hostile_page.py CONTROL.svg CONTROL.html PAGE...     exit 0: inert; 77: this browser cannot tell; else a line on what happened
"""
import os
import sys
import urllib.parse

sys.dont_write_bytecode = True
import browser as chromium  # noqa: E402

STRINGS = ["<script>alert(1)</script>", "\"><script>alert(1)</script>", "' onload='alert(1)", "javascript:alert(1)",
        "<img src=x onerror=alert(1)>"]
FRAGMENTS = ["#sel=<img src=x onerror=alert(1)>", "#sel=n1\"onload=alert(1)", "#theme=dark\"><script>alert(1)</script>",
        "#view=1,2,3", "#view=NaN,0,1,1", "#disk=<img src=x onerror=alert(1)>", "#disk=1&sel=n1", "#disk=1",
             "#open=f9999,__proto__", "#hide=__proto__,constructor", "#t=1e999", "#q=%E0%A4%A", "#sel=__proto__&dir=constructor", "#=", "#&&&=&sel"]
# What the file and the script may consist of; everything else came from the text.
ELEMENTS = ("html head meta title style body script svg desc g rect path text tspan metadata circle div input output button aside header h2 h3 section dl dt dd "
            "ul ol li nav time span details summary pre table tr td").split()
LOOK = """(function () {
    var bad = [], scripts = 0, known = %s;
    document.querySelectorAll('*').forEach(function (e) {
        scripts += e.localName === 'script' ? 1 : 0;
        if (known.indexOf(e.localName) < 0) bad.push('element ' + e.localName);
        for (var i = 0; i < e.attributes.length; i++) {
            var name = e.attributes[i].name;
            if (/^on|href|^src|^action|^formaction|^style$/.test(name)) bad.push('attribute ' + name);
        }
    });
    if (scripts !== 1) bad.push(scripts + ' scripts');
    if (document.documentElement.getAttribute('ran')) bad.push('something ran');
    return bad;
}())""" % ELEMENTS


def url(path):
    return "file://" + urllib.parse.quote(os.path.abspath(path))


def check(page, where):
    bad = page.value(LOOK) + page.trouble
    if bad:
        sys.exit("%s: %s" % (where, "; ".join(map(str, bad[:5]))))


def fill_search(page, words):
    page.value("(function(){var s=document.getElementById('search');s.value=%r;s.dispatchEvent(new Event('input',{bubbles:true}));}())" % words)


def touch(page, path):
    """Every box, line, step and fold once, every search, every hostile address."""
    name = os.path.basename(path)
    check(page, name + " as it opens")
    for selector in (".node:not(.member)", "#graph .edge", ".step", ".lane", ".ui-toggle", ".node.member", ".key[data-filter]",
            ".ui-bar button"):
        for i in range(page.value("document.querySelectorAll(%r).length" % selector)):
            page.value("(function(){var e=document.querySelectorAll(%r)[%d];if(e)e.dispatchEvent(new MouseEvent('click',{bubbles:true}));"
                       "document.querySelectorAll('.ui-drawer details').forEach(function(d){d.open=true;});}())" % (selector, i))
        check(page, "%s, every %s" % (name, selector))
    page.value("location.hash='#disk=1'; new Promise(function (done) { setTimeout(done, 50); })")
    shown = page.value("[].map.call(document.querySelectorAll('.ui-drawer details'),function(d){d.open=true;return 1;}).length")
    if not shown or page.value("document.querySelectorAll('.ui-drawer .finding').length") == 0:
        sys.exit(name + ": the disks' panel shows nothing")
    page.value("new Promise(function (done) { setTimeout(done, 50); })")
    check(page, name + ", the disks' panel")
    for words in STRINGS:
        fill_search(page, words)
        check(page, "%s, search for %s" % (name, words))
    page.value("(function(){for(var i=0;i<30;i++)document.dispatchEvent(new KeyboardEvent('keydown',{key:']',bubbles:true}));}())")
    for fragment in FRAGMENTS + ["#q=" + urllib.parse.quote(words) for words in STRINGS]:
        page.value("location.hash = %r; new Promise(function (done) { setTimeout(done, 20); })" % fragment)
        check(page, "%s%s" % (name, fragment))
    outside = [request for request in page.requests if not request.startswith(url(path))]
    if outside:
        sys.exit("%s asked for %s" % (name, outside[0]))


def main():
    control_svg, control_html, pages = sys.argv[1], sys.argv[2], sys.argv[3:]
    with chromium.Browser() as browser:
        page = browser.open(url(control_svg))
        if page.value("document.documentElement.getAttribute('ran')") != "yes" or not page.value(LOOK):
            print("this browser runs no script")
            sys.exit(77)
        page = browser.open(url(control_html))
        if page.value("document.documentElement.getAttribute('ran')") or not page.trouble:
            sys.exit("the policy of the page does not hold in this browser")
        for path in pages:
            touch(browser.open(url(path)), path)


if __name__ == "__main__":
    main()
