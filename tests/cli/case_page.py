# SPDX-License-Identifier: MIT
"""Uses a case page as an analyst does, in a real browser: opens, clicks, searches, goes through time, unfolds, follows a link, prints.

    case_page.py PAGE ARTEFACTS CASE.json [disk]     PAGE: .html or .svg; CASE.json: the same case, to know what has to be there;
                                                     disk: what recorded disks add, and nothing else
"""
import json
import os
import re
import sys
import urllib.parse

sys.dont_write_bytecode = True
import browser as chromium  # noqa: E402


def expect(truth, words):
    if not truth:
        sys.exit("%s: %s" % (NAME, words))


def opacity(page, selector):
    return page.value("new Promise(function (done) { setTimeout(function () { done(Number(getComputedStyle(document.querySelector(%r)).opacity)); }, 20); })" % selector)


def count(page, selector):
    return page.value("document.querySelectorAll(%r).length" % selector)


def text(page, selector):
    return page.value("document.querySelector(%r).textContent" % selector)


def fragment(page):
    return dict(pair.split("=", 1) for pair in page.value("location.hash").lstrip("#").split("&") if "=" in pair)


def check_open(page, case):
    expect(case["title"] in text(page, "#sheet .h1"), "the title is not on the page")
    expect(count(page, "#graph .node") == len(case["nodes"]), "not every node is drawn")
    for node in case["nodes"]:
        expect(count(page, "#" + node["id"] + '[tabindex="0"][role="img"][aria-label]') == 1,
                node["id"] + " cannot be reached by key and name")
    for step in case["story"]:
        if step["number"]:
            number = step["number"]
            expect(count(page, '.step[data-step="%d"]' % number) == 1, "step %d is not in the story" % number)
            marked = page.value("[].some.call(document.querySelectorAll('.mark-of'),function(m){return m.getAttribute('data-steps').split(' ').indexOf('%d')>=0;})" % number)
            expect(marked or step["edge"] is None, "step %d is not on the timeline" % number)
            expect(step["edge"] is None or count(page, '#%s[data-steps~="%d"]' % (step["edge"], number)) == 1,
                    "step %d is not on the graph" % number)
    expect(count(page, 'input[type="search"]') == 1, "there is no search")


def check_click(page, case):
    chosen = next(n for n in case["nodes"] if n["alert"])
    cause = next(n for n in case["nodes"] if n["root_cause"])
    page.click("#%s .shape" % chosen["id"])
    expect(fragment(page).get("sel") == chosen["id"], "a click is not in the address line")
    expect(opacity(page, "#" + cause["id"]) == 1, "the root cause is not shown at full strength as what led to the alert")
    levels = page.value("[].map.call(document.querySelectorAll('#graph .node'),function(n){return n.classList.contains('dim')?0:n.classList.contains('weak')?1:2;})")
    expect(0 in levels and 2 in levels, "a selection dims nothing")
    strong = [e for e in case["edges"] if e["on_path"] and e["to"] == chosen["id"]]
    expect(strong and opacity(page, "#" + strong[0]["id"]) == 1, "the contact itself is dimmed")
    expect(count(page, "aside:not([hidden])") == 1, "no details")
    page.key("f")
    expect(fragment(page).get("dir") == "followed" and opacity(page, "#" + cause["id"]) < 0.5, "what led here is shown with what followed")
    page.key("Escape")
    expect("sel" not in fragment(page) and opacity(page, "#" + chosen["id"]) == 1, "Esc does not clear")


def check_details(page, case):
    node = next(n for n in case["nodes"] if n["kind"] == "process" and n["on_path"])
    page.value("document.getElementById(%r).focus()" % node["id"])
    page.key("Enter")
    score = text(page, "aside .score")
    expect("score" in score and re.search(r"= .*\d\.\d\d", score), "no factors of the score: " + score[:200])
    page.value("document.querySelectorAll('aside details').forEach(function(d){d.open=true;})")
    edge = next(e for e in case["edges"] if node["id"] in (e["from"], e["to"]) and e["evidence"] and e["evidence"][0]["length"])
    words = page.value("new Promise(function(done){setTimeout(function(){done(document.querySelector('aside').textContent);},100);})")
    expect("msg=audit(" in words and edge["serials"][0] in words, "no raw record of serial " + edge["serials"][0])
    page.click("#%s .hit" % edge["id"] if count(page, "#%s .hit" % edge["id"]) else "#" + edge["id"])
    page.value("location.hash='#sel=%s'" % edge["id"])
    words = page.value("new Promise(function(done){setTimeout(function(){done(document.querySelector('aside').textContent);},100);})")
    expect(words.count("msg=audit(") >= 1 and edge["label"] in words, "no details of a link")
    for e in case["edges"]:
        listed = page.value("(function(){var d=document.querySelector('#facts [data-of=%s][data-key=records]');return d.getAttribute('data-list').split(' ').length;}())" % e["id"])
        expect(listed <= 20, "more than 20 raw events at " + e["id"])
    lost = next((n for n in case["nodes"] if n["kind"] == "file" and any(s["glyph"] == "x" for s in n["states"])), None)
    if lost:
        page.value("location.hash='#sel=%s'" % lost["id"])
        words = page.value("new Promise(function(done){setTimeout(function(){done(document.querySelector('aside').textContent);},100);})")
        expect("--disk HISTORY --inode " + lost["inode"] in words, "no command that recovers " + lost["path"])
    page.key("Escape")


def check_search(page, case):
    file = next(n for n in case["nodes"] if n["kind"] == "file" and n["on_path"])
    page.key("/")
    page.type(file["name"][:12])
    expect(count(page, "#%s.match" % file["id"]) == 1, "the search does not find " + file["name"])
    expect(re.match(r"\d+ match", text(page, "#count")), "the search does not count: " + text(page, "#count"))
    page.key("Enter")
    expect("sel" in fragment(page) and fragment(page).get("q"), "Enter does not go to the match")
    page.key("Escape")
    member = next((m for f in case["folded"] for m in f["members"][:20] if m["name"]), None)
    if member:
        page.value("(function(){var s=document.querySelector('input[type=search]');s.value=%s;s.dispatchEvent(new Event('input'));}())" % json.dumps(member["name"]))
        expect("folded" in text(page, "#count") and count(page, ".node.fold.match"), "the search does not see what is folded")
    page.value("(function(){var s=document.querySelector('input[type=search]');s.value='no such thing anywhere';s.dispatchEvent(new Event('input'));}())")
    expect(text(page, "#count") == "no match", "no match is not said")
    page.click('.ui-bar button[aria-label^="nothing"]')
    expect(page.value("location.hash") in ("", "#"), "Clear leaves " + page.value("location.hash"))


def check_time(page, case):
    last = max((n for n in case["nodes"] if n["kind"] != "fold"), key=lambda n: int(n["first_ns"] or 0))
    page.key("]")
    early = float(fragment(page)["t"])
    expect(opacity(page, "#" + last["id"]) < 0.2, "what is later is not faded")
    page.key("]")
    expect(float(fragment(page)["t"]) > early, "] does not go on")
    page.key("[")
    expect(abs(float(fragment(page)["t"]) - early) < 1e-6, "[ does not go back")
    x, y = page.place("#scrub .grip")
    page.drag((x, y), (x + 260, y))
    expect(float(fragment(page).get("t", "inf")) > early, "dragging the handle does not move the time")
    page.value("document.getElementById('scrub').focus()")
    page.key("ArrowLeft")
    expect(page.value("document.getElementById('scrub').getAttribute('aria-valuetext')").count(":") == 2,
            "the handle does not say its time")
    page.key("Escape")
    page.click('.ui-bar button[aria-label^="nothing"]')


def check_fold(page, case):
    fold = max(case["folded"], key=lambda f: f["count"], default=None)
    if not fold:
        return
    before = count(page, "#graph .node")
    expect(count(page, '#facts [data-of="%s"][data-key="member"]' % fold["id"]) > 0, "the members are not in the file")
    page.click('.ui-toggle[data-of="%s"]' % fold["node"])
    opened = count(page, "#graph .node")
    expect(before < opened <= 120, "%d nodes after unfolding" % opened)
    expect(fragment(page).get("open") == fold["id"], "an open fold is not in the address line")
    boxes = page.value("[].map.call(document.querySelectorAll('#graph .node:not(.member)'),function(n){var r=n.querySelector('.shape').getBoundingClientRect();return [r.left,r.top,r.right,r.bottom];})")
    frame = page.value("(function(){var r=document.querySelector('.ui-frame').getBoundingClientRect();return [r.left,r.top,r.right,r.bottom];}())")
    covered = [b for b in boxes if min(b[2], frame[2]) - max(b[0], frame[0]) > 1 and min(b[3], frame[3]) - max(b[1], frame[1]) > 1]
    expect(not covered, "the open fold covers %d boxes" % len(covered))
    page.click("#" + fold["node"])
    kinds = [m["kind"] for m in fold["members"]]
    said = page.value("document.querySelector('aside').textContent")
    expect("%d in all" % fold["count"] in said, "the details do not count the members")
    if 0 < kinds.count("channel") < len(kinds) == fold["count"]:
        expect("with %d pipe" % kinds.count("channel") in said, "the kinds of members do not add up")
    page.click(".node.member")
    expect(count(page, "aside:not([hidden])") == 1, "a member has no details")
    page.click('.ui-toggle[data-of="%s"]' % fold["node"])
    expect(count(page, "#graph .node") == before, "collapsing leaves members")
    page.key("Escape")


def check_filter(page, case):
    page.click('.key[data-filter="file"] text')
    file = next(n for n in case["nodes"] if n["kind"] == "file")
    expect(opacity(page, "#" + file["id"]) < 0.1 and fragment(page).get("hide") == "file", "the legend does not hide files")
    page.click('.key[data-filter="file"] text')
    expect(opacity(page, "#" + file["id"]) == 1, "the legend does not show files again")


def check_view(page):
    width = "Number(document.getElementById('view').getAttribute('viewBox').split(' ')[2])"
    whole = page.value(width)
    page.key("+")
    expect(page.value(width) < whole and "view" in fragment(page), "+ does not zoom")
    x, y = page.place("#view")
    old = fragment(page)["view"]
    page.drag((x, y), (x + 60, y + 20))
    expect(fragment(page)["view"] != old, "dragging does not move the graph")
    page.mouse("mouseWheel", x, y, deltaX=0, deltaY=-200, modifiers=2)
    page.key("0")
    expect(page.value(width) == whole and "view" not in fragment(page), "0 does not fit")
    page.key("t")
    expect(page.value("document.documentElement.getAttribute('data-theme')") == "dark" and fragment(page).get("theme") == "dark", "T does not turn it dark")
    page.key("t")


def check_link(browser, address, case):
    step = next(s for s in case["story"] if s["edge"])
    seconds = int(step["time_ns"]) // 1000 / 1e6
    page = browser.open("%s#sel=%s&t=%.6f&q=a&theme=dark&hide=channel" % (address, step["edge"], seconds + 0.5))
    expect(count(page, "#%s.sel" % step["edge"]) == 1 and count(page, "aside:not([hidden])") == 1, "a link does not select")
    expect(page.value("document.querySelector('input[type=search]').value") == "a", "a link does not search")
    expect(page.value("document.documentElement.getAttribute('data-theme')") == "dark", "a link does not set the theme")
    expect(fragment(page) == {"sel": step["edge"], "t": fragment(page)["t"], "q": "a", "theme": "dark", "hide": "channel"},
            "a link is not kept: " + page.value("location.hash"))
    page.close()
    page = browser.open(address + "#sel=n99999&t=x&hide=nothing&theme=blue&view=1,2&open=f99999")
    expect(page.value("location.hash") in ("", "#") and not page.trouble,
            "nonsense in the address line is not dropped: " + page.value("location.hash"))
    page.close()


def drawer(page):
    return page.value("new Promise(function(done){setTimeout(function(){done(document.querySelector('aside.ui-drawer').textContent);},100);})")


def unfold(page):
    page.value("document.querySelectorAll('aside.ui-drawer details').forEach(function(d){d.open=true;})")
    return drawer(page)


def check_disk(page, case, path):
    """The panel of the disks, and a file's own: states with their times, commands, hashes, a preview that is folded and unfolds."""
    expect(count(page, '.ui-bar button[aria-label^="what the disks hold"]') == 1, "no way to the disks' panel")
    for disk in case["disks"]:
        expect(disk["words"] in page.value("document.getElementById('facts').textContent"), "a disk is not in the file")
    page.click('.ui-bar button[aria-label^="what the disks hold"]')
    expect(fragment(page).get("disk") == "1", "the disks' panel is not in the address line")
    words = unfold(page)
    for finding in case["findings"]:
        expect(finding in words, "not in the panel: " + finding)
    for record in case["log_findings"][:5]:
        expect(record["was"].split("\n")[0][:60] in words, "a removed record is not in the panel")
    loss = {node["path"]: any(state["loss"] for state in node["disk_states"]) for node in case["nodes"] if node["kind"] == "file"}
    titles = page.value("[].map.call(document.querySelectorAll('aside.ui-drawer h2, aside.ui-drawer h3'),function(h){return h.textContent;})")
    told = [loss[title] for title in titles if title in loss]
    expect(told and told == sorted(told, reverse=True), "files that lost something are not first in the panel: %s" % titles)
    page.key("d")
    expect("disk" not in fragment(page) and page.value("document.querySelector('aside.ui-drawer').hidden"), "D does not close the panel")
    boxes = {node["id"]: node for node in case["nodes"]}
    shown = [r for r in case["recover"] if r["preview"]]
    expect(shown, "no preview in the case")
    for r in shown[:3]:
        node = boxes[r["node"]]
        page.click("#%s .shape" % r["node"])
        words = drawer(page)
        expect(r["command"] in words and (not r["command_after"] or r["command_after"] in words), "no command at " + node["path"])
        for key in ("verdict", "before_sha256", "after_sha256", "executed_sha256"):
            expect(r[key] in words, "%s is not shown at %s" % (key, node["path"]))
        lines = r["preview"].split("\n")
        expect(lines[0][2:] in text(page, "aside.ui-drawer section.wide details summary"), "the summary does not tell of the preview")
        open_now = "document.querySelector('aside.ui-drawer section.wide details').open"
        was = page.value(open_now)
        page.click("aside.ui-drawer section.wide details summary")
        expect(page.value(open_now) != was, "a click does not fold the preview")
        if was:
            page.click("aside.ui-drawer section.wide details summary")
        expect(page.value(open_now), "a click does not unfold the preview")
        least = len(lines) if path.endswith(".html") else min(len(lines), 12)
        drawn = page.value("[].map.call(document.querySelectorAll('aside.ui-drawer section.wide .preview span'),function(s){return s.textContent;})")
        expect([line.rstrip("\n") for line in drawn[:least]] == lines[:least], "the preview is not what the case has: %s" % drawn[:3])
        for sign, kind in (("+", "plus"), ("-", "minus")):
            marked = page.value("[].map.call(document.querySelectorAll('aside.ui-drawer .preview span.%s'),function(s){return s.textContent;})" % kind)
            expect(all(line.startswith(sign + " ") for line in marked), "colour and sign differ")
        expect(count(page, 'aside.ui-drawer button[aria-label="copy the command"]') >= (2 if r["command_after"] else 1), "no copy button")
        page.key("Escape")
    seen = next((n for n in case["nodes"] if n["kind"] == "file" and any(s["syscall"] and s["arrival"] for s in n["disk_states"])), None)
    if seen:
        page.click("#%s .shape" % seen["id"])
        state = next(s for s in seen["disk_states"] if s["syscall"] and s["arrival"])
        words = unfold(page)
        for key in ("syscall", "arrival", "seq"):
            expect(state[key] in words, "a state's %s is not shown" % key)
        page.key("Escape")
    changed = next((n for n in case["nodes"] if n["kind"] == "file" and 6 < len(n["disk_states"]) <= 64 and any(s["loss"] for s in n["disk_states"])), None)
    if changed:
        page.click("#%s .shape" % changed["id"])
        words = page.value("document.querySelector('aside.ui-drawer').textContent")
        for state in changed["disk_states"]:
            expect(not state["loss"] or "seq " + state["seq"] in words, "what was lost is folded: seq " + state["seq"])
        expect(changed["disk_states"][3]["loss"] or "seq " + changed["disk_states"][3]["seq"] not in words, "nothing is folded")
        page.key("Escape")
    for node in case["nodes"]:
        expect(not node["recovered"] or count(page, "#%s.recovered" % node["id"]) == 1, node["id"] + " is not marked")
    for edge in case["edges"]:
        ticks = count(page, "#%s .ticks" % edge["id"])
        expect(count(page, "#" + edge["id"]) == 0 or ticks == (1 if edge["recovered"] else 0), edge["id"] + " is marked wrongly")


def check_print(page, artefacts):
    path = os.path.join(artefacts, NAME + ".pdf")
    page.pdf(path)
    data = open(path, "rb").read()
    boxes = {tuple(round(float(v)) for v in box.split()) for box in re.findall(rb"/MediaBox\s*\[([\d. ]+)\]", data)}
    expect(boxes and all(abs(w - 1191) <= 2 and abs(h - 842) <= 2 for _, _, w, h in boxes), "not A3 across: %s" % boxes)
    pages = len(re.findall(rb"/Type\s*/Page\b", data))
    expect(pages == 2, "%d pages, and not one for the graph and one for the rest" % pages)
    expect(count(page, "#sheet[data-printed]") == 0, "printing leaves the page changed")


def shots(browser, address, artefacts):
    for theme in ("light", "dark"):
        for width, height in ((1280, 800), (1920, 1080)):
            page = browser.open(address, width, height, dark=theme == "dark")
            spill = page.value("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            expect(spill <= 0, "the page is wider than a window of %d px" % width)
            page.screenshot(os.path.join(artefacts, "%s-%s-%d.png" % (NAME, theme, width)))
            page.screenshot(os.path.join(artefacts, "%s-%s-%d-whole.png" % (NAME, theme, width)), whole=True)
            page.close()


def check_image(browser, path, artefacts):
    """As <img> no script runs: the whole drawing is there all the same, and follows the theme of the page around it."""
    with open("image.html", "w", encoding="utf-8") as page:
        page.write('<!DOCTYPE html><meta name="color-scheme" content="light dark"><body style="margin:0"><img src="%s">' % urllib.parse.quote(path))
    page = browser.open("file://" + os.path.abspath("image.html"), 1280, 800)
    width, height = page.value("[document.images[0].naturalWidth, document.images[0].naturalHeight]")
    expect(width >= 1400 and height >= 1000, "as an image it is %d x %d" % (width, height))
    page.screenshot(os.path.join(artefacts, NAME + "-image.png"))
    page.close()


def main():
    global NAME
    path, artefacts, case = sys.argv[1], sys.argv[2], json.load(open(sys.argv[3], encoding="utf-8"))
    NAME = os.path.basename(path).replace(".", "-")
    os.makedirs(artefacts, exist_ok=True)
    address = "file://" + urllib.parse.quote(os.path.abspath(path))
    with chromium.Browser() as browser:
        page = browser.open(address)
        if sys.argv[4:] == ["disk"]:
            check_disk(page, case, path)
            check_print(page, artefacts)
            expect(not page.trouble, "; ".join(page.trouble[:3]))
            page.close()
            shots(browser, address, artefacts)
            return
        check_open(page, case)
        check_click(page, case)
        check_details(page, case)
        check_search(page, case)
        check_time(page, case)
        check_fold(page, case)
        check_filter(page, case)
        check_view(page)
        if case["disks"]:
            check_disk(page, case, path)
        check_print(page, artefacts)
        expect(not page.trouble, "; ".join(page.trouble[:3]))
        expect(all(request.startswith(address) for request in page.requests), "it asked for %s" % page.requests)
        page.close()
        check_link(browser, address, case)
        if path.endswith(".svg"):
            check_image(browser, path, artefacts)
        shots(browser, address, artefacts)


if __name__ == "__main__":
    main()
