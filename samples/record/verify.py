# SPDX-License-Identifier: MIT
"""Looks whether every item of a truth file is in its log, and whether the log is whole:
verify.py FOLDER [WORD...]: the words are further ones that must not be in the log, such as paths of the machine.

Reads the lines by itself and knows nothing of provgraph. Prints what it counted; exit 1 if anything is amiss.
"""
import collections
import gzip
import json
import os
import re
import socket
import struct
import subprocess
import sys

HEADER = re.compile(r"^(?:node=\S+ )?type=(\S+) msg=audit\((\d+)\.(\d+):(\d+)\): ?(.*)")
FIELD = re.compile(r'(\S+?)=("[^"]*"|\S*)')
# Nothing of the machine that recorded may be in a log, nor the place where its packages came from.
FOREIGN = ("provgraph-world", "proxy")


def lines_of(folder):
    names = [name for name in os.listdir(folder) if name.startswith("audit.log")]
    names.sort(key=lambda name: -int((re.search(r"log\.(\d+)", name) or [0, 0])[1]))
    for name in names:
        path = os.path.join(folder, name)
        if name.endswith(".zst"):
            data = subprocess.run(["zstd", "-dc", path], stdout=subprocess.PIPE, check=True).stdout
        elif name.endswith(".gz"):
            with gzip.open(path) as file:
                data = file.read()
        else:
            with open(path, "rb") as file:
                data = file.read()
        yield from data.decode("utf-8", "surrogateescape").rstrip("\n").split("\n")


def plain(value):
    if value.startswith('"'):
        return value[1:-1]
    try:
        return bytes.fromhex(value).decode("utf-8", "surrogateescape")
    except ValueError:
        return value


class Log:
    def __init__(self, folder, foreign):
        self.serials, self.types = set(), collections.Counter()
        self.processes, self.parents = collections.defaultdict(set), collections.defaultdict(set)
        self.files, self.addresses, self.clones, self.logins = collections.defaultdict(set), set(), set(), set()
        self.owner, self.touched = {}, collections.defaultdict(set)
        self.back, self.foreign, self.lost, newest, self.rejected = 0, [], [], 0, 0
        self.first = self.last = None
        for line in lines_of(folder):
            match = HEADER.match(line)
            if not match:
                self.rejected += 1
                continue
            kind, seconds, milli, serial, rest = match.groups()
            fields = dict(FIELD.findall(rest.split("\x1d")[0]))
            self.types[kind] += 1
            moment = int(seconds) * 1000 + int(milli)
            self.back = max(self.back, newest - moment)
            newest = max(newest, moment)
            if not kind.startswith("DAEMON_"):
                self.serials.add(int(serial))
            self.take(kind, serial, fields)
            hidden = [plain(value) for value in fields.values() if re.fullmatch("[0-9A-F]{4,}", value)]
            decoded = " ".join([line, *hidden])
            self.foreign += [line for word in foreign if word in decoded]
            self.first, self.last = self.first or moment, newest

    def take(self, kind, serial, fields):
        if kind == "SYSCALL":
            pid, parent = int(fields["pid"]), int(fields["ppid"])
            self.owner[serial] = pid
            self.processes[pid].add(plain(fields["exe"]))
            self.parents[pid].add(parent)
            if fields["syscall"] in ("56", "57", "58", "435") and fields.get("success") == "yes":
                self.clones.add((pid, int(fields["exit"])))
        elif kind == "PATH" and "inode" in fields:
            self.files[(fields["dev"], int(fields["inode"]))].add(plain(fields["name"]))
            self.touched[(self.owner.get(serial), fields["dev"], int(fields["inode"]))].add(fields["nametype"])
        elif kind == "SOCKADDR":
            self.addresses.add(fields["saddr"])
            self.touched[(self.owner.get(serial), "address")].add(fields["saddr"])
        elif kind == "OBJ_PID":
            self.touched[(self.owner.get(serial), "process")].add(int(fields["opid"]))
        elif kind == "USER_LOGIN":
            self.logins.add((int(fields["auid"]), fields["addr"]))
        elif kind == "CONFIG_CHANGE" and "lost" in fields:
            self.lost.append(int(fields["old"]))


def saddr(address, port):
    if ":" in address:
        return (struct.pack("<H", socket.AF_INET6) + struct.pack(">HI", port, 0)
                + socket.inet_pton(socket.AF_INET6, address) + bytes(4)).hex().upper()
    return (struct.pack("<H", socket.AF_INET) + struct.pack(">H", port) + socket.inet_aton(address)).hex().upper()


def node_missing(log, node):
    if node["kind"] == "process":
        return node["exe"] not in log.processes[node["pid"]]
    if node["kind"] == "file":
        names = log.files[(node["dev"], node["inode"])]
        return not any(os.path.basename(name) == os.path.basename(node["path"]) for name in names)
    return not any(value.startswith(saddr(node["address"], node["port"])) for value in log.addresses)


def edge_missing(log, edge, nodes):
    """Whether no record joins the two ends as the edge says. The process may be either end: direction is the flow's."""
    source, target = nodes[edge["from"]], nodes[edge["to"]]
    if edge["op"] == "fork":
        return source["pid"] not in log.parents[target["pid"]] and (source["pid"], target["pid"]) not in log.clones
    if edge["op"] == "inject":
        return target["pid"] not in log.touched[(source["pid"], "process")]
    if edge["op"] == "pipe":
        return not log.types["FD_PAIR"]
    process, other = (source, target) if source["kind"] == "process" else (target, source)
    if other["kind"] == "address":
        peer = saddr(other["address"], other["port"])
        return not any(value.startswith(peer) for value in log.touched[(process["pid"], "address")])
    names = log.touched[(process["pid"], other["dev"], other["inode"])]
    return {"create": "CREATE", "rename": "CREATE", "delete": "DELETE"}.get(edge["op"], "NORMAL") not in names


def main():
    folder = sys.argv[1]
    with open(f"{folder}/truth.json", encoding="utf-8") as file:
        truth = json.load(file)
    log = Log(folder, (*FOREIGN, *sys.argv[2:]))
    nodes = {node["id"]: node for node in truth["nodes"]}
    wrong = [f"not in the log: {node}" for node in nodes.values() if node_missing(log, node)]
    wrong += [f"no record says it: {edge}" for edge in truth["edges"] if edge_missing(log, edge, nodes)]
    if truth["login"] and truth["login"]["address"] not in {address for _, address in log.logins}:
        wrong.append(f"no such login: {truth['login']}")
    joined = {(edge["from"], edge["to"]) for edge in truth["edges"]}
    wrong += [f"path without an edge: {pair}" for pair in zip(truth["path"], truth["path"][1:]) if pair not in joined]
    gaps = max(log.serials) - min(log.serials) + 1 - len(log.serials)
    if gaps:
        known = sorted(log.serials)
        holes = [(a, b) for a, b in zip(known, known[1:]) if b - a > 1]
        wrong.append(f"{gaps} serials are missing: {holes[:10]}")
    if any(log.lost) or log.rejected:
        wrong.append(f"lost {log.lost}, rejected {log.rejected}")
    wrong += [f"foreign: {line}" for line in log.foreign[:10]]
    print(f"{folder}: {len(log.serials)} events, {sum(log.types.values())} records, "
          f"{(log.last - log.first) / 1000:.0f} s, "
          f"{len(log.processes)} pids, steps back up to {log.back} ms, {len(nodes)} true nodes")
    for line in wrong:
        print(f"{folder}: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
