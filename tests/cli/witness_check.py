# SPDX-License-Identifier: MIT
"""Puts provgraph's answers about a recording of two witnesses to the guest's own word: witness_check.py SAMPLE [OTHER-SAMPLE...]

SAMPLE is a folder with truth.json, audit.log.zst and web01.history (samples/README.md); the others' disks are the wrong ones. The command
is $PROVGRAPH. Prints what differs; status 1 when anything does.
"""
import hashlib
import json
import os
import re
import shlex
import statistics
import subprocess
import sys
import tempfile

SECOND = 10**9
TICK_NS = 4_000_000  # of audit's stamps (HZ=250); they run early by as much
EMPTY = hashlib.sha256(b"").hexdigest()


class Sample:
    def __init__(self, folder):
        self.folder = folder
        with open(folder + "/truth.json", encoding="utf-8") as file:
            self.truth = json.load(file)
        self.disk = self.truth["disk"]
        self.history = folder + "/" + self.disk["history"]
        self.nodes = {node["id"]: node for node in self.truth["nodes"]}
        self.failures, self.case_ = [], None
        self.counted, self.told = {}, []

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
        done = subprocess.run([os.environ["PROVGRAPH"], *words], stdin=subprocess.DEVNULL, capture_output=True, check=False)
        return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace")

    def question(self, history):
        alert = self.truth["alert"]
        return ["--log", self.folder, "--alert-ip", alert["address"], "--alert-port", str(alert["port"]), "--alert-time", alert["time"],
                "--disk", self.disk["dev"] + "=" + history, "--utc", "--json", "--quiet"]

    def case(self):
        """The case with both witnesses, and its evidence folder's manifest."""
        if self.case_ is None:
            with tempfile.TemporaryDirectory() as place:
                folder = place + "/evidence"
                status, output, messages = self.run(*self.question(self.history), "--evidence", folder)
                # 3: what the attacker deleted is lost evidence.
                if not self.expect(status in ((0, 3) if "gone" in self.disk else (0,)), f"status {status}: {messages}"):
                    sys.exit("\n".join(self.failures))
                self.case_ = json.loads(output)
                with open(folder + "/manifest.jsonl", encoding="utf-8") as file:
                    self.manifest = [json.loads(line) for line in file]
                done = subprocess.run(["sha256sum", "--quiet", "-c", "manifest.sha256"], cwd=folder, capture_output=True, check=False)
                self.expect(done.returncode == 0, "the evidence's own hashes:", done.stdout, done.stderr)
                self.by_id = {node["id"]: node for node in self.case_["nodes"]}
                self.drawn = {name: self.find(node) for name, node in self.nodes.items()}
        return self.case_

    def find(self, true):
        """The drawn nodes that a true one is."""
        def is_it(node):
            if node["kind"] != true["kind"]:
                return False
            if true["kind"] == "process":
                return node.get("pid") == true["pid"] and node.get("exe") == true["exe"]
            if true["kind"] == "file":
                return int(node["inode"]) == true["inode"] and node["dev"] == true["dev"] and true["path"] in [node["path"], *node["names"]]
            return node["address"] == true["address"]
        return [node for node in self.case_["nodes"] if is_it(node)]

    def edges(self, true):
        """The drawn links that a true one is."""
        left, right = ({node["id"] for node in self.drawn[true[end]]} for end in ("from", "to"))
        return [edge for edge in self.case_["edges"] if true["op"] in edge["ops"] and (
            edge["from"] in left and edge["to"] in right or edge["both_ways"] and edge["from"] in right and edge["to"] in left)]

    def true_offset(self, host_ns):
        """Host minus guest, as the guest told about then: the machines' clocks do not go alike for minutes."""
        clock = self.disk["clock"]
        border = clock["step"]["host_to_ns"] if "step" in clock else 0
        same = [s for s in clock["samples"] if (s["host_ns"] >= border) == (host_ns >= border)]
        near = [s for s in same if abs(s["host_ns"] - host_ns) < 20 * SECOND] or same
        return (max(s["low_ns"] for s in near) + min(s["high_ns"] for s in near)) / 2

    def why(self, what, both=True):
        """What is said of a path, pid or address: side, rank, all of it; without the disk, too."""
        words = self.question(self.history)
        words = [w for w in words if w != "--json"]
        if not both:
            at = words.index("--disk")
            del words[at:at + 2]
        status, output, messages = self.run(*words, "--why", str(what))
        self.expect(status == 0, f"status {status} of --why {what}: {messages}")
        text = output.decode("utf-8", "replace")
        found = re.search(r": (cause|effect|contact), score [0-9.e-]+, rank (\d+) of (\d+)", text)
        return (found[1], int(found[2]), int(found[3]), text) if found else ("not in the slice", 0, 0, text)

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
            _, _, told = s.run("disk", "cat", s.history, moment(program["host_deleted_ns"] - SECOND // 2), s.disk_path(program))
            s.expect(re.search("verdict: +on disk", told), "what was all there is said to be:", told)
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
    differences = []
    step = s.disk["clock"].get("step")
    for sample in s.disk["clock"]["samples"]:
        piece = [p for p in pieces if p["from_ns"] <= sample["host_ns"]] or pieces[:1]
        offset, error = offset_at(piece[-1], sample["host_ns"])
        true = s.true_offset(sample["host_ns"])
        if step and sample["host_ns"] >= step["host_to_ns"] and not piece[-1]["stepped"]:
            continue  # not sampled yet: the step is known only with the first commit behind it
        differences.append(abs(offset - true))
        s.expect(abs(offset - true) <= error, f"offset {offset} +- {error} ns at {sample['host_ns']}, but it was {true}")
        s.count("moments of the clock")
    s.expect(statistics.median(differences) <= 5_000_000, "clock: median error of", statistics.median(differences), "ns")
    told = [p for p in pieces if p["stepped"]]
    if not step:
        s.expect(not told, "a clock that nobody set is said to have been stepped")
        return
    if not s.expect(len(told) == 1, len(told), "steps of the clock are told, it was set once"):
        return
    before = pieces[pieces.index(told[0]) - 1]
    s.expect(before["to_ns"] <= step["host_to_ns"] and told[0]["from_ns"] >= step["host_from_ns"],
             "the step is told between", before["to_ns"], "and", told[0]["from_ns"], "but was at", step["host_from_ns"])
    by = s.true_offset(step["host_from_ns"]) - s.true_offset(step["host_to_ns"])
    s.expect(abs(told[0]["step_ns"] - by) <= told[0]["from_error_ns"] + before["to_error_ns"], "the clock was set by", by, "ns, told is:", told[0])
    findings = [f for f in s.case()["findings"] if "clock" in json.dumps(f) and "was set" in json.dumps(f)]
    s.expect(findings, "no finding of the case tells the step:", s.case_["findings"])
    s.count("steps of the clock")


def offset_at(piece, host_ns):
    span = piece["to_ns"] - piece["from_ns"]
    part = min(max((host_ns - piece["from_ns"]) / span, 0), 1) if span else 0
    return (piece["from_offset_ns"] + part * (piece["to_offset_ns"] - piece["from_offset_ns"]),
            max(piece["from_error_ns"], piece["to_error_ns"]))


def check_drawn(s):
    """Every true node stands on the first screen, every true link and each step of the true path is drawn."""
    case = s.case()
    for name, nodes in s.drawn.items():
        s.expect(nodes, "not drawn:", name, s.nodes[name])
        s.count("nodes drawn")
    for edge in s.truth["edges"]:
        s.expect(s.edges(edge), "not drawn:", edge)
        s.count("links drawn")
    joined = {(edge["from"], edge["to"]) for edge in s.truth["edges"]}
    for pair in zip(s.truth["path"], s.truth["path"][1:]):
        s.expect(pair in joined or pair[::-1] in joined, "the truth has no edge for", pair)
    s.expect(len(case["nodes"]) <= 60, len(case["nodes"]), "nodes on the first screen")


def check_births(s):
    """This is the device's disk; and the log of few births is said to prove nothing."""
    disk = s.case()["disks"][0]
    s.expect(disk["births_matched"] == disk["births_compared"], "births:", disk["births_matched"], "of", disk["births_compared"])
    known = "gone" not in s.disk
    s.expect(disk["births_compared"] >= (3 if known else 0), disk["births_compared"], "births compared")
    for clock in disk["clock"]:
        true = s.true_offset(int(clock["base_ns"]))
        s.expect(abs(clock["offset_seconds"] * SECOND - true) <= clock["error_seconds"] * SECOND, "clock of the case:", clock, "not", true)


def check_wrong_disk(s, other):
    """Another guest's disk is refused where it surely had other files under the same numbers, and never taken without doubt."""
    if "gone" in s.disk:
        return  # that log knows no connection without its own disk
    begin = s.disk["states"][0]["guest_ns"] + other.disk["clock"]["low_ns"]
    status, _, messages = s.run(*s.question(other.history))
    s.expect(status == 2 or "does not cover" in messages or "is not proven" in messages,
             f"the disk of {other.folder} is taken for this one: {messages}")
    # Surely: as much time as data may be late is recorded after these files were made.
    if other.disk["states"][0]["host_ns"] < begin and other.disk["states"][-1]["host_ns"] - begin > 65 * SECOND:
        s.expect(status == 2, f"the disk of {other.folder} is not refused: status {status}: {messages}")
        s.count("wrong disks refused")


def check_verdicts(s):
    """What reached the disk, what never did, and which times a changed log shows."""
    for program in s.disk["executed"]:
        for node in s.drawn[program["id"]]:
            # A commit in the short life of a file may bring its inode to the disk, without content.
            s.expect((node["disk_verdict"] in ("never reached the disk", "content pending")) != program["reached_disk"],
                     program["path"], "is said to be:", node["disk_verdict"])
            s.count("verdicts")
    error = max(clock["error_seconds"] for clock in s.case()["disks"][0]["clock"]) * SECOND
    for change in s.disk["tampered"]:
        if "auth-log" not in s.drawn:
            continue
        states = [state for node in s.drawn["auth-log"] for state in node["disk_states"]]
        inside = [state for state in states if change["guest_from_ns"] <= int(state["time_ns"]) + error
                  and int(state["time_ns"]) - error <= change["guest_to_ns"] + s.late(change)]
        s.expect(inside, "no state of the disk at the time of the change:", change["kind"], change["path"])
        s.count("times of changes")


def state_was_told(s, name):
    return any(node["disk_verdict"] == "content pending" and node["disk_states"] for node in s.drawn[name])


def check_contents(s):
    """Contents before and after, and what was executed: by the evidence folder, and by the commands that the case gives."""
    s.case()
    synced = {(state["when"], state["step"]): state for state in s.disk["states"] if state["synced"] and state["there"]}
    for change in s.disk["tampered"]:
        before, after = synced.get(("before", change["step"])), synced.get(("after", change["step"]))
        entries = [entry for entry in s.manifest if entry["inode"] == change["inode_before"]
                   and change["guest_from_ns"] - 2 * TICK_NS <= int(entry["audit_time_ns"]) <= change["guest_to_ns"]]
        for what, state in (("before", before), ("after", after)):
            # An audit log grows by what is done to it.
            if state and change["path"] == "/var/log/auth.log" and (what == "before" or change["kind"] == "in-place"):
                s.expect(state["sha256"] in [entry.get("sha256") for entry in entries if entry["what"] == what],
                         f"evidence has not the content {what}:", change["kind"], change["path"],
                         [(e["what"], e["op"], e["verdict"], e.get("sha256")) for e in entries])
                s.count("contents in the evidence")
        if change["path"] == "/var/log/auth.log":
            told = [r for r in s.case_["recover"] if s.by_id[r["node"]] in s.drawn["auth-log"]]
            wanted = [r for r in told if r["before_sha256"] == before["sha256"]]
            if change["kind"] == "in-place":
                wanted = [r for r in wanted if r["after_sha256"] == after["sha256"]]
            s.expect(wanted, "the panel has not the contents around the change:", change["kind"],
                     [(r["words"], r["before_sha256"], r["after_sha256"]) for r in told])
            s.count("changes in the panel")
    for program in s.disk["executed"]:
        entries = [entry for entry in s.manifest if entry["path"] == program["path"] and entry["inode"] == program["inode"]]
        s.expect(entries, "no evidence of", program["path"])
        if not program["reached_disk"]:
            s.expect(all(entry.get("sha256", EMPTY) == EMPTY for entry in entries), "evidence of", program["path"])
            s.expect(all(entry["verdict"] == "never reached the disk" or state_was_told(s, program["id"]) for entry in entries),
                     "evidence of", program["path"], [entry["verdict"] for entry in entries])
            told = [r for r in s.case_["recover"] if s.by_id[r["node"]] in s.drawn[program["id"]]]
            s.expect(not any(r["before_sha256"] or r["executed_sha256"] or r["verdict"] == "complete" for r in told),
                     "a content is told that never came:", told)
            continue
        runs = [entry for entry in entries if entry["what"] in ("executed", "complete") and entry["op"] == "execute"]
        s.expect(program["sha256"] in [entry.get("sha256") for entry in runs], "no evidence of what was executed:", program["path"])
        s.expect(all(entry.get("sha256") in (None, EMPTY, program["sha256"]) for entry in runs),
                 "evidence of another program than was executed")
        told = [r for r in s.case_["recover"] if s.by_id[r["node"]] in s.drawn[program["id"]]]
        ran, before = ([r[what + "_sha256"] for r in told] for what in ("executed", "before"))
        s.expect(program["sha256"] in ran, "the hash of what was executed is not told:", ran)
        s.expect(program["sha256"] in before or not program["deletion_recorded"], "what was deleted is not told:", before)
        s.count("hashes of executed programs")
    for recover in s.case_["recover"]:
        for side in ("before", "after"):
            digest = recover[side + "_sha256"]
            command = recover["command_after"] or recover["command"] if side == "after" else recover["command"]
            if digest:
                status, output, messages = s.run(*shlex.split(command)[1:], "-o", "-", "--quiet")
                s.expect(status == 0 and hashlib.sha256(output).hexdigest() == digest,
                         f"status {status} of or other content from: {command}", messages)
                s.count("commands tried")


def check_recovered(s):
    """Deleted audit records come back, from the disk's past, and are drawn as such."""
    if "gone" not in s.disk:
        s.expect(not s.case()["log_findings"], "records are said to be gone from a log that nobody touched:", s.case()["log_findings"][:1])
        s.expect(not any(node["recovered"] for node in s.case_["nodes"]), "a node is said to be recovered")
        return
    gone = s.disk["gone"]
    lost = s.lines("disk", "lost", s.history, "/log/audit/audit.log", "--json", "--quiet", good=(1,))
    serial = re.compile(r"audit\([0-9.]+:(\d+)\)")
    # A state of the disk may end in the middle of a line, which the next one has elsewhere: such a piece has no serial, and is part of a line.
    pieces = [entry["line"] for entry in lost if not serial.search(entry["line"])]
    records = [entry["line"] for entry in lost if serial.search(entry["line"])]
    kept = s.run("disk", "cat", s.history, "now", "/log/audit/audit.log", "--quiet")[1].decode(errors="replace")
    s.expect(all(piece in kept or any(piece in record for record in records) for piece in pieces), "lost lines that the log never held:", pieces[:3])
    lines = sorted(line.encode() for line in records if int(serial.search(line)[1]) in gone["serials"])
    s.expect(len(lines) >= gone["lines"], len(lines), "lost lines, the guest counted", gone["lines"])
    digest = hashlib.sha256(b"".join(line + b"\n" for line in lines)).hexdigest()
    s.expect(digest == gone["sha256"], "the lost lines are not those that the guest lost")
    told = {int(finding["serial"]) for finding in s.case()["log_findings"]}
    change = next(change for change in s.disk["tampered"] if change["step"] == gone["step"])
    times = [int(finding["gone_ns"]) for finding in s.case()["log_findings"] if int(finding["serial"]) in gone["serials"]]
    s.expect(all(change["host_from_ns"] <= ns <= change["host_to_ns"] + s.late(change) for ns in times),
             "records are said to have gone at another time")
    s.expect(set(gone["serials"]) <= told, "events that are not told to be gone:", sorted(set(gone["serials"]) - told))
    whole = any(change["step"] == "strip" for change in s.disk["tampered"])  # whole events, not single lines
    s.expect(not whole or all(node["recovered"] for node in s.drawn["fetcher"]), "the fetcher is not drawn as recovered")
    connects = s.edges({"from": "implant", "op": "connect", "to": "c2"})
    s.expect(connects and all(edge["recovered"] for edge in connects), "the connection is not drawn as recovered")
    s.count("cleaned logs")


def held_edges(s, held):
    """The drawn links that a long open is; those of folds, where file or process is in one."""
    folds = {}
    for fold in s.case()["folded"]:
        for member in fold["members"]:
            folds.setdefault((member.get("pid"), member.get("inode")), set()).add(fold["node"])
    files = {node["id"] for node in s.case_["nodes"] if node["kind"] == "file" and int(node["inode"]) == held["inode"]
             and node["dev"] == held["dev"]} | folds.get((None, str(held["inode"])), set())
    processes = {node["id"] for node in s.case_["nodes"] if node.get("pid") == held["pid"]} | folds.get((held["pid"], None), set())
    return [edge for edge in s.case_["edges"] if "open-write" in edge["ops"] and (
        edge["from"] in processes and edge["to"] in files or edge["both_ways"] and edge["from"] in files and edge["to"] in processes)]


def check_tightened(s):
    """No true write lies outside of what is left of its open; what never wrote is told so; the false cause is none any more."""
    numbers = re.search(r"(\d+) intervals? ended earlier, (\d+) opens? without a write; (\d+) -> (\d+) nodes", s.case()["disks"][0]["words"])
    s.expect(numbers, "no numbers in:", s.case_["disks"][0]["words"])
    s.told.append("{} intervals ended, {} opens without a write, {} -> {} nodes in the slice".format(*numbers.groups()))
    if "tightened" not in s.disk:
        return
    ended, unwritten, nodes_before, nodes_after = map(int, numbers.groups())
    wrote = [held for held in s.disk["tightened"] if held["wrote"]]
    for held in wrote:
        name = f"{held['id']} [{held['pid']}] -> {held['path']}"
        edges = held_edges(s, held)
        if not edges:  # folded; its way is told, and says nothing of the kind
            first = s.why(held["pid"])[3].split(" -> " + held["path"], 1)[-1].split("\n", 1)[0]
            s.expect("on the disk 0" not in first and "ended with" not in first, "it wrote on, and is said not to have:", name, first)
            s.count("true writes, not drawn")
            continue
        for edge in edges:
            until = edge["write_until_ns"]
            s.expect(not edge["no_write_seen"], "it wrote, and is said not to have:", name)
            s.expect(until is None or int(until) >= min(held["written_ns"], s.disk["log_end_ns"]),
                     "ends before the last write:", name, until, held["written_ns"])
            s.expect(int(edge["first_ns"]) <= held["written_ns"], "begins after the last write:", name)
            # What is written to the end may not be ended; what was written once need not last longer than it takes to arrive.
            late = s.disk["dirty_expire_ns"] + 12 * SECOND
            lasts = held["written_ns"] + late > s.disk["log_end_ns"]
            s.expect(lasts or edge["ended_by_disk"] and int(until) <= held["written_ns"] + late, "is not ended:", name, until)
            s.expect(held["written_ns"] < s.disk["log_end_ns"] or not edge["ended_by_disk"], "is ended, and wrote on:", name)
        s.count("true writes covered")
    for held in s.disk["tightened"]:
        if held["wrote"]:
            continue
        name = f"{held['id']} [{held['pid']}] -> {held['path']}"
        edges = held_edges(s, held)
        s.expect(all(edge["no_write_seen"] for edge in edges), "it never wrote, and may have:", name)
        s.count("opens that never wrote" if edges else "that never wrote, not drawn")
    s.expect(unwritten >= len(s.disk["tightened"]) - len(wrote), unwritten, "opens without a write")
    s.expect(ended >= len(wrote) - 1, ended, "intervals ended earlier")
    s.expect(s.counted.get("true writes covered"), "of nothing that was written an open is drawn")
    check_false_cause(s, nodes_before, nodes_after)


def check_false_cause(s, nodes_before, nodes_after):
    s.expect(nodes_after <= nodes_before, "the slice grew:", nodes_before, nodes_after)
    for what in ("address", "pid"):
        wrong = s.disk["false_cause"][what]
        side_before, rank_before, of_before, _ = s.why(wrong, both=False)
        side, rank, of, _ = s.why(wrong)
        s.told.append(f"{what} {wrong}: {side_before}, rank {rank_before} of {of_before} -> {side}, rank {rank} of {of}")
        s.expect(side_before == "cause", wrong, "is no cause without the disk, but", side_before)
        s.expect(side != "cause" or rank > rank_before, f"{wrong} is as likely a cause with the disk: rank {rank_before} -> {rank}")
    s.expect(s.why(s.disk["false_cause"]["address"])[0] != "cause", "a server that sent nothing is still a cause")
    for name, address in (("download", "10.0.0.9"),):
        before, after = s.why(address, both=False), s.why(address)
        s.told.append(f"{address} ({name}, true): rank {before[1]} of {before[2]} -> {after[1]} of {after[2]}")
        s.expect(after[0] == "cause" and after[1] <= before[1], "the true chain counts for less with the disk:", before[:3], after[:3])


CHECKS = (check_states, check_tamper, check_clock, check_drawn, check_births, check_verdicts, check_contents, check_recovered, check_tightened)


def main():
    s = Sample(sys.argv[1])
    for check in CHECKS:
        check(s)
    for other in sys.argv[2:]:
        check_wrong_disk(s, Sample(other))
    name = os.path.basename(os.path.normpath(s.folder))
    for failure in s.failures:
        print(name + ":", failure)
    print(name + ":", ", ".join(f"{n} {what}" for what, n in s.counted.items()))
    for line in s.told:
        print(name + ":", line)
    return 1 if s.failures else 0


sys.exit(main())
