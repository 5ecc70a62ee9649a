# SPDX-License-Identifier: MIT
"""A headless Chromium, driven over a pair of pipes by its DevTools protocol: the standard library is all it takes.

    with Browser() as browser:
        page = browser.open("file:///.../case.html", width=1280, height=800)
        page.click("#n7"); page.key("]"); page.type("log"); page.value("document.title"); page.screenshot("case.png")

Real input events go in, as a mouse and a keyboard would send them. Errors of the page (exceptions, refused by its policy, requests) are
kept in page.trouble.
"""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome")
KEYS = {"Enter": (13, "\r"), "Escape": (27, ""), "Tab": (9, ""), " ": (32, " "), "ArrowLeft": (37, ""), "ArrowRight": (39, "")}


class Trouble(Exception):
    pass


def installed():
    return next((name for name in NAMES if shutil.which(name)), None)


class Browser:
    def __enter__(self):
        self.profile = tempfile.mkdtemp(prefix="provgraph-browser-")
        to_child, self.write_end = os.pipe()
        self.read_end, from_child = os.pipe()
        # The protocol wants its pipes as descriptors 3 and 4; a shell puts them there.
        self.process = subprocess.Popen(["sh", "-c", 'exec "$@" 3<&%d 4>&%d' % (to_child, from_child), "sh"] + self.command(),
                                        pass_fds=(to_child, from_child), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_child)
        os.close(from_child)
        self.number, self.answers, self.events, self.rest = 0, {}, [], b""
        self.pages = []
        return self

    def command(self):
        return [installed(), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb",
                "--remote-debugging-pipe", "--user-data-dir=" + self.profile, "about:blank"]

    def __exit__(self, *what):
        try:
            self.call("Browser.close")
        except (Trouble, OSError):
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.write_end)  # a shell takes descriptors of one digit only: the next browser needs low ones
        os.close(self.read_end)
        shutil.rmtree(self.profile, ignore_errors=True)

    def _receive(self, limit):
        ready, _, _ = select.select([self.read_end], [], [], max(0.0, limit - time.monotonic()))
        if not ready:
            raise Trouble("the browser does not answer")
        more = os.read(self.read_end, 1 << 20)
        if not more:
            raise Trouble("the browser is gone")
        *whole, self.rest = (self.rest + more).split(b"\0")
        for message in map(json.loads, whole):
            if "id" in message:
                self.answers[message["id"]] = message
            else:
                for page in self.pages:
                    page.notice(message)

    def call(self, method, session=None, seconds=30, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.write_end, data):]
        limit = time.monotonic() + seconds
        while self.number not in self.answers:
            self._receive(limit)
        answer = self.answers.pop(self.number)
        if "error" in answer:
            raise Trouble(method + ": " + answer["error"].get("message", ""))
        return answer["result"]

    def open(self, url, width=1280, height=800, dark=False):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session, target)
        self.pages.append(page)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(domain + ".enable")
        page.size(width, height)
        page.theme("dark" if dark else "light")
        page.go(url)
        return page


class Page:
    def __init__(self, browser, session, target):
        self.browser, self.session, self.target = browser, session, target
        self.trouble, self.requests, self.loaded, self.dialogs = [], [], False, 0

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def notice(self, message):
        if message.get("sessionId") != self.session:
            return
        method, what = message["method"], message["params"]
        if method == "Page.loadEventFired":
            self.loaded = True
        elif method == "Runtime.exceptionThrown":
            detail = what["exceptionDetails"]
            self.trouble.append(detail.get("exception", {}).get("description", detail.get("text", "")))
        elif method == "Log.entryAdded" and what["entry"]["level"] == "error":
            self.trouble.append(what["entry"]["text"])
        elif method == "Page.javascriptDialogOpening":
            self.trouble.append("a dialog: " + what["message"])
            self.dialogs += 1
        elif method == "Network.requestWillBeSent":
            self.requests.append(what["request"]["url"])

    def size(self, width, height, scale=1):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False)

    def theme(self, name):
        # Without motion: what is measured has ended.
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}, {"name": "prefers-reduced-motion", "value": "reduce"}])

    def go(self, url):
        self.loaded = False
        self.call("Page.navigate", url=url)
        limit = time.monotonic() + 60
        while not self.loaded:
            self.browser._receive(limit)

    def value(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise Trouble(expression + ": " + answer["exceptionDetails"].get("exception", {}).get("description", "?"))
        return answer["result"].get("value")

    def place(self, selector):
        """The middle of the first element, scrolled into sight."""
        where = self.value("(function(){var e=document.querySelector(%s);if(!e)return null;e.scrollIntoView({block:'center',inline:'center'});"
                           "var r=e.getBoundingClientRect();return [r.x+r.width/2,r.y+r.height/2];}())" % json.dumps(selector))
        if not where:
            raise Trouble("nothing is called " + selector)
        return where

    def mouse(self, kind, x, y, **more):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(self, selector):
        x, y = self.place(selector)
        self.mouse("mouseMoved", x, y)
        self.mouse("mousePressed", x, y, button="left", buttons=1, clickCount=1)
        self.mouse("mouseReleased", x, y, button="left", clickCount=1)

    def drag(self, start, end):
        self.mouse("mouseMoved", *start)
        self.mouse("mousePressed", *start, button="left", buttons=1, clickCount=1)
        for part in (0.25, 0.5, 0.75, 1.0):
            self.mouse("mouseMoved", start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part, button="left", buttons=1)
        self.mouse("mouseReleased", *end, button="left", clickCount=1)

    def key(self, key):
        code, text = KEYS.get(key, (ord(key.upper()) if len(key) == 1 and key.isalnum() else 0, key))
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", key=key, text=text, windowsVirtualKeyCode=code)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def type(self, words):
        for letter in words:
            self.key(letter)

    def screenshot(self, path, whole=False):
        shot = {"format": "png"}
        if whole:
            width, height = self.value("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
            shot.update(captureBeyondViewport=True, clip={"x": 0, "y": 0, "width": width, "height": height, "scale": 1})
        with open(path, "wb") as out:
            out.write(base64.b64decode(self.call("Page.captureScreenshot", **shot)["data"]))

    def pdf(self, path):
        with open(path, "wb") as out:
            out.write(base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"]))

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)
        self.browser.pages.remove(self)
