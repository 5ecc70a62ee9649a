# SPDX-License-Identifier: MIT
"""What the scenario drivers share: users at terminals, servers outside, what is true, and the detector's lines."""
import datetime
import json
import os
import pty
import select
import socket
import subprocess
import threading
import time

SSH = ["ssh", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
HOST = "10.0.0.2"
DESK = {"alice": "10.0.0.23", "bob": "10.0.0.24", "carol": "10.0.0.25", "dave": "10.0.0.26"}


class World:
    """The recorded host as seen from outside: its files, its processes."""

    def __init__(self, root, first_pid, witness, key, out):
        self.root, self.first_pid, self.witness, self.key, self.out = root, first_pid, witness, key, out

    def file(self, path, follow=False):
        """Device as audit prints it, and inode, right now."""
        stat = os.stat(self.root + path) if follow else os.lstat(self.root + path)
        return {"path": path, "dev": f"{os.major(stat.st_dev):02x}:{os.minor(stat.st_dev):02x}", "inode": stat.st_ino}

    def processes(self):
        """Every living process of the host: pid -> (ppid, exe, argv)."""
        found = {}
        net = os.readlink(f"/proc/{self.first_pid}/ns/net")
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{pid}/ns/net") != net:
                    continue
                with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                    parent = int(file.read().rpartition(")")[2].split()[1])
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    argv = file.read().decode("utf-8", "replace").split("\0")[:-1]
                exe = os.readlink(f"/proc/{pid}/exe")
            except OSError:
                continue
            found[int(pid)] = (parent, exe.removeprefix(self.root), argv)
        return found

    def process(self, exe, parent=None, timeout=10.0):
        """The pid of the one living process with that exe (and parent); waits for it."""
        limit = time.monotonic() + timeout
        while time.monotonic() < limit:
            pids = [pid for pid, (ppid, path, _) in self.processes().items()
                    if path == exe and parent in (None, ppid)]
            if len(pids) == 1:
                return pids[0]
            time.sleep(0.05)
        raise RuntimeError(f"{exe} (parent {parent}): {len(pids)} processes instead of one")

    def executions(self, since, path=None, parent=None):
        """What the fanotify witness wrote down since a time: [{time, pid, ppid, path, dev, inode, uid}]."""
        with open(self.witness, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file if line.endswith("\n")]
        return [line for line in lines if line["time"] >= since and path in (None, line["path"])
                and parent in (None, line["ppid"])]

    def execution(self, since, path, parent=None):
        """Exactly one of them."""
        lines = self.executions(since, path, parent)
        if len(lines) != 1:
            raise RuntimeError(f"{path} (parent {parent}) was executed {len(lines)} times instead of once")
        return lines[0]

    def ssh(self, user, command=None, terminal=False):
        words = [*SSH, "-i", self.key, "-b", DESK[user]] + (["-tt"] if terminal else ["-T"])
        return [*words, f"{user}@{HOST}"] + ([command] if command else [])


class Terminal:
    """Somebody at a keyboard, over real ssh."""

    def __init__(self, world, user):
        self.transcript = ""
        pid, self.descriptor = pty.fork()
        if pid == 0:
            os.environ["TERM"] = "xterm"
            words = world.ssh(user, terminal=True)
            os.execvp(words[0], words)
        self.pid = pid
        self.expect("$ ", 30)

    def read(self, seconds):
        """Takes what the other side prints until it has been silent for that long."""
        while select.select([self.descriptor], [], [], seconds)[0]:
            try:
                data = os.read(self.descriptor, 65536)
            except OSError:
                return
            if not data:
                return
            self.transcript += data.decode("utf-8", "replace")

    def expect(self, text, timeout=20.0):
        """Waits until the text appears after what was there before; returns everything new."""
        start = len(self.transcript)
        limit = time.monotonic() + timeout
        while text not in self.transcript[start:]:
            if time.monotonic() > limit:
                raise RuntimeError(f"no {text!r} in {self.transcript[start:][-2000:]!r}")
            self.read(0.1)
        return self.transcript[start:]

    def keys(self, text, pause=0.4):
        os.write(self.descriptor, text.encode())
        time.sleep(pause)
        self.read(0.1)

    def run(self, line, timeout=60.0):
        """Types a command, waits for the next prompt, returns what was printed."""
        os.write(self.descriptor, (line + "\n").encode())
        return self.expect("$ ", timeout)

    def leave(self):
        os.write(self.descriptor, b"exit\n")
        self.read(2.0)
        os.close(self.descriptor)
        os.waitpid(self.pid, 0)


def serve(address, port, answer):
    """Accepts connections for ever; answer(connection, peer) runs in a thread of its own."""
    listener = socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET)

    def loop():
        while True:
            connection, peer = listener.accept()
            threading.Thread(target=answer, args=(connection, peer), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()


class FileServer:
    """A small HTTP server: fixed answers by path, hooks that run before one is sent."""

    def __init__(self, address, pages):
        self.pages, self.hooks, self.requests = pages, {}, []
        serve(address, 80, self.answer)

    def answer(self, connection, peer):
        with connection, connection.makefile("rb") as stream:
            words = stream.readline().decode("latin-1").split()
            length = 0
            while (line := stream.readline().strip()):
                name, _, value = line.decode("latin-1").partition(":")
                if name.lower() == "content-length":
                    length = int(value)
                elif name.lower() == "expect":
                    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            stream.read(length)
            if len(words) < 2:
                return
            path = words[1].split("?")[0]
            self.requests.append((time.time(), peer, words[0], words[1]))
            hook = self.hooks.get(path)
            if hook:
                hook(connection, peer)
            body = self.pages.get(path, b"ok\n")
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)


def swallow(connection, _peer):
    """A server that reads everything and says nothing."""
    with connection:
        while connection.recv(65536):
            pass


def stamp(seconds):
    """A time as an IDS writes it: microseconds and the offset without a colon."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "+0000"


def alert(seconds, source, destination, signature_id, signature, category, severity, app, flow):
    """One alert line in Suricata's EVE format for a TCP flow. source, destination: (address, port)."""
    return {"timestamp": stamp(seconds), "flow_id": flow, "in_iface": "eth0", "event_type": "alert",
            "src_ip": source[0], "src_port": source[1], "dest_ip": destination[0], "dest_port": destination[1],
            "proto": "TCP", "pkt_src": "wire/pcap",
            "alert": {"action": "allowed", "gid": 1, "signature_id": signature_id, "rev": 1, "signature": signature,
                      "category": category, "severity": severity},
            "app_proto": app, "direction": "to_server",
            "flow": {"pkts_toserver": 4, "pkts_toclient": 3, "start": stamp(seconds - 0.041)}}


class Truth:
    """The story that an analyst must see, as it happened: written by the scenario, never from provgraph's output."""

    def __init__(self, rules):
        self.case = {"schema": 1, "alert": {}, "rules": rules, "nodes": [], "edges": [], "path": [], "login": None}

    def process(self, name, pid, exe, note, **more):
        self.case["nodes"].append({"id": name, "kind": "process", "pid": pid, "exe": exe, **more, "note": note})

    def file(self, name, where, note, **more):
        self.case["nodes"].append({"id": name, "kind": "file", **where, **more, "note": note})

    def address(self, name, address, port, note):
        self.case["nodes"].append({"id": name, "kind": "address", "address": address, "port": port, "note": note})

    def edge(self, source, operation, target):
        self.case["edges"].append({"from": source, "op": operation, "to": target})

    def write(self, folder, alerts):
        names = {node["id"] for node in self.case["nodes"]}
        used = {edge[end] for edge in self.case["edges"] for end in ("from", "to")} | set(self.case["path"])
        if used - names:
            raise RuntimeError(f"edges name nodes that the truth lacks: {used - names}")
        with open(f"{folder}/truth.json", "w", encoding="utf-8") as file:
            json.dump(self.case, file, indent=1)
            file.write("\n")
        with open(f"{folder}/alert.eve.json", "w", encoding="utf-8") as file:
            for line in alerts:
                file.write(json.dumps(line, separators=(",", ":")) + "\n")


def quiet(words, timeout=120):
    """Runs a command outside and hides what it prints."""
    return subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          timeout=timeout, check=False).returncode
