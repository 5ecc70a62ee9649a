# SPDX-License-Identifier: MIT
"""Puts provgraph's answers about a recording of two witnesses to the guest's own word: witness_check.py SAMPLE [OTHER-HISTORY]

SAMPLE is a folder with truth.json, audit.log.zst and web01.history (samples/README.md); OTHER-HISTORY the disk of another guest. The command
is $PROVGRAPH. Prints what differs; status 1 when anything does.
"""
import hashlib
import json
import os
import statistics
import subprocess
import sys

SECOND = 10**9


class Sample:
    def __init__(self, folder):
        self.folder = folder
        with open(folder + "/truth.json", encoding="utf-8") as file:
            self.truth = json.load(file)
        self.disk = self.truth["disk"]
        self.history = folder + "/" + self.disk["history"]
        self.nodes = {node["id"]: node for node in self.truth["nodes"]}
        self.failures = []
        self.counted = {}

    def disk_path(self, file):
        """A path of the log, as the recorded disk has it."""
        return next(state["disk_path"] for state in self.disk["states"] if state["path"] == file["path"])

    def late(self, change):
        """How much later than told a change may arrive: only what was not synced is late."""
        after = next(state for state in self.disk["states"] if state["step"] == change["step"] and state["when"] == "after")
        return 0 if after["synced"] else self.disk["dirty_expire_ns"] + 6 * SECOND

    def expect(self, good, *words):
        if not good:
            self.failures.append(" ".join(map(str, words)))
        return good

    def count(self, what):
        self.counted[what] = self.counted.get(what, 0) + 1

    def run(self, *words):
        """Status, output, messages."""
        done = subprocess.run([os.environ["PROVGRAPH"], *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace")

    def lines(self, *words, good=(0,)):
        """JSON objects, one a line."""
        status, output, messages = self.run(*words)
        if not self.expect(status in good, f"status {status} of", *words, messages):
            return []
        return [json.loads(line) for line in output.splitlines()]

    def content(self, host_ns, path):
        """SHA-256 of a file as the disk was then; None: not there."""
        status, output, messages = self.run("disk", "cat", self.history, moment(host_ns), path, "--quiet")
        self.expect(status in (0, 1), f"disk cat {path}: status {status}: {messages}")
        return hashlib.sha256(output).hexdigest() if status == 0 else None


def moment(ns):
    return "@%d.%09d" % divmod(ns, SECOND)


def check_states(s):
    """What the guest had sent to its disk comes back, byte for byte; what it removed is gone a commit later."""
    for state in s.disk["states"]:
        name = f"{state['when']} {state['step']} {state['path']}"
        if state["there"] and state["synced"]:
            s.expect(s.content(state["host_ns"], state["disk_path"]) == state["sha256"], "content differs:", name)
            s.count("states restored")
        elif not state["there"]:
            last = s.disk["states"][-1]["host_ns"]
            s.expect(s.content(min(state["host_ns"] + 6 * SECOND, last), state["disk_path"]) is None, "still there:", name)
            s.count("removed files")
    for program in s.disk["executed"]:
        just_before = s.content(program["host_deleted_ns"] - SECOND // 2, s.disk_path(program)) if program["reached_disk"] else None
        if program["reached_disk"]:
            s.expect(just_before == program["sha256"], "content differs before it was deleted:", program["path"])
            s.count("executed and deleted")


def check_tamper(s):
    """Each change of a log is found, between the two moments at which the guest told of it; and nothing else is."""
    for path in sorted({change["disk_path"] for change in s.disk["tampered"]} | {"/log/auth.log"}):
        changes = [change for change in s.disk["tampered"] if change["disk_path"] == path]
        found = s.lines("disk", "tamper", s.history, path, "--json", "--quiet", good=(1,) if changes else (0,))
        for change in changes:
            inside = [f for f in found if change["host_from_ns"] <= f["arrival_ns"] <= change["host_to_ns"] + s.late(change)]
            s.expect(inside, "no tampering found:", change["kind"], path)
            s.count("changes of logs")
            for finding in inside:
                found.remove(finding)
                wanted = {"in-place": {"rewritten"}, "deleted and written anew": {"replaced", "deleted"}}.get(change["kind"])
                s.expect(not wanted or wanted & set(finding["change"]), change["kind"], "is called", finding["change"])
                s.expect(finding["lines_removed"] > 0, "nothing removed:", path)
        s.expect(not found, "tampering that nobody did:", path, found)


def check_clock(s):
    """The printed offset lies within its printed error of what is true, and within 5 ms in the median."""
    pieces = s.lines("disk", "clock", s.history, "--json", "--quiet")
    if not s.expect(pieces, "the disk tells no clock"):
        return
    true = (s.disk["clock"]["low_ns"] + s.disk["clock"]["high_ns"]) / 2
    differences = []
    for sample in s.disk["clock"]["samples"]:
        piece = [p for p in pieces if p["from_ns"] <= sample["host_ns"]] or pieces
        offset, error = offset_at(piece[-1], sample["host_ns"])
        differences.append(abs(offset - true))
        s.expect(abs(offset - true) <= error, f"offset {offset} +- {error} ns at {sample['host_ns']}, but it was {true}")
        s.expect(error <= 5_000_000, f"error of {error} ns")
        s.count("moments of the clock")
    s.expect(statistics.median(differences) <= 5_000_000, "clock: median error of", statistics.median(differences), "ns")
    s.expect(not any(p["stepped"] for p in pieces), "a clock that nobody set is said to have been stepped")


def offset_at(piece, host_ns):
    span = piece["to_ns"] - piece["from_ns"]
    part = min(max((host_ns - piece["from_ns"]) / span, 0), 1) if span else 0
    return (piece["from_offset_ns"] + part * (piece["to_offset_ns"] - piece["from_offset_ns"]),
            max(piece["from_error_ns"], piece["to_error_ns"]))


CHECKS = (check_states, check_tamper, check_clock)


def main():
    s = Sample(sys.argv[1])
    for check in CHECKS:
        check(s)
    for failure in s.failures:
        print(os.path.basename(os.path.normpath(s.folder)) + ":", failure)
    print(os.path.basename(os.path.normpath(s.folder)) + ":", ", ".join(f"{n} {what}" for what, n in s.counted.items()))
    return 1 if s.failures else 0


sys.exit(main())
