# SPDX-License-Identifier: MIT
"""What was true in a recording of witness-guest.sh: witness_truth.py TRUTH BLOCK-BYTES DIRTY-CENTISECONDS OUT-FOLDER

TRUTH holds the guest's lines (guest-witness.c), each behind the host's time of its arrival (stamp.py). Writes truth.json, in the form of
samples/README.md, and alert.eve.json. Nothing of it comes from provgraph.
"""
import datetime
import json
import sys

# Which name of the guest's story is what, in the order of the story; only those that occur are written.
PROCESSES = {
    "mail-shell": ("/usr/bin/dash", "alice's shell that fetches what a mail linked to"),
    "fetcher": ("/usr/bin/nc.openbsd", "fetches the dropped file"),
    "shell": ("/usr/bin/dash", "alice's other shell: runs it"),
    "implant": ("/home/alice/Downloads/invoice.bin", "connects, obeys"),
    "tamper-find": ("/usr/bin/find", "setuid: alice becomes root"),
    "tamperer": ("/home/alice/Downloads/invoice.bin", "as root: changes the log in place"),
    "second-stage": ("/home/alice/.cache/.y", "made, run and removed within a second"),
    "steal-find": ("/usr/bin/find", "setuid: alice becomes root"),
    "thief": ("/home/alice/Downloads/invoice.bin", "as root: reads the password hashes"),
    "ahead-find": ("/usr/bin/find", "setuid: alice becomes root"),
    "stepper": ("/home/alice/Downloads/invoice.bin", "as root: sets the clock"),
    "date": ("/usr/bin/date", "sets it"),
    "anew-find": ("/usr/bin/find", "setuid: alice becomes root"),
    "rewriter": ("/home/alice/Downloads/invoice.bin", "as root: removes the log and writes it anew"),
    "strip-find": ("/usr/bin/find", "setuid: alice becomes root"),
    "sed-find": ("/usr/bin/find", "setuid: alice becomes root"),
    "cleaner": ("/home/alice/Downloads/invoice.bin", "as root: takes its own records out of the audit log"),
    "putter": (None, "the program that writes the audit log"),
}
FILES = {  # step at which the witness looked, path -> id, note
    ("dropped", "/home/alice/Downloads/invoice.bin"): ("invoice", "the dropped program"),
    ("key", "/home/alice/.cache/.key"): ("key", "written late by alice's first shell, read a second later by the other"),
    ("tamper", "/var/log/auth.log"): ("auth-log", "one line changed in place"),
    ("second-stage", "/home/alice/.cache/.y"): ("second-stage-file", "never sent to the disk"),
    ("shadow", "/etc/shadow"): ("shadow", "password hashes, on a disk that is not recorded"),
    ("loot", "/home/alice/.cache/.loot"): ("loot", "what was stolen; sent to the disk at once, removed after"),
    ("anew", "/var/log/auth.log"): ("auth-log", "removed"),
    ("strip", "/var/log/audit/audit.log"): ("audit-log", "the witness that was tampered with"),
}
EDGES = (
    ("mail-shell", "fork", "fetcher"), ("download", "connect", "fetcher"), ("fetcher", "create", "invoice"), ("shell", "fork", "implant"),
    ("invoice", "execute", "implant"), ("implant", "connect", "c2"),
    ("mail-shell", "create", "key"), ("key", "open-read", "shell"),
    ("implant", "fork", "ahead-find"), ("ahead-find", "fork", "stepper"), ("stepper", "fork", "date"),
    ("implant", "fork", "tamper-find"), ("tamper-find", "fork", "tamperer"), ("tamperer", "open-write", "auth-log"),
    ("implant", "create", "second-stage-file"), ("implant", "fork", "second-stage"), ("second-stage-file", "execute", "second-stage"),
    ("implant", "delete", "second-stage-file"),
    ("implant", "fork", "steal-find"), ("steal-find", "fork", "thief"), ("shadow", "open-read", "thief"), ("thief", "create", "loot"),
    ("loot", "open-read", "implant"), ("implant", "delete", "loot"),
    ("implant", "fork", "anew-find"), ("anew-find", "fork", "rewriter"), ("rewriter", "delete", "auth-log"),
    ("implant", "fork", "strip-find"), ("strip-find", "fork", "cleaner"), ("implant", "fork", "sed-find"), ("sed-find", "fork", "cleaner"),
    ("cleaner", "fork", "putter"), ("implant", "delete", "invoice"),
)
# With sed -i auditd goes on writing into a file without a name: no record of what came after is in any log.
UNHEARD = {("implant", "delete", "invoice")}
PATH = ("download", "fetcher", "invoice", "implant", "c2")
# Opens for writing that lasted: the process, the file's name, whether it ever wrote. Nobody else did.
HELD = (("sync", "desk.conf", False), ("indexer", "contacts.db", False), ("indexer", "index.lock", False), ("shell", "index.lock", False),
        ("indexer", "index.pid", True), ("mail-shell", ".key", True), ("appender", "activity.log", True))
# A cause that the log alone cannot rule out.
FALSE_CAUSE = {"address": "10.0.0.7", "port": 80, "pid": "sync", "path": "/home/share/desk.conf"}
MOUNTS = {"/var/log": "/log", "/home": "/home"}  # bind mounts of the recorded disk's folders
# Sent to the disk by whoever told of it, before it was told.
SYNCED = {("before", "tamper"), ("after", "tamper"), ("before", "anew"), ("after", "anew"), ("before", "ahead"), ("see", "loot"), ("see", "final")}


class Truth:
    def __init__(self, path):
        self.lines = []  # (host ns, guest ns, guest ns at the answer before, words)
        with open(path, encoding="ascii", errors="replace") as file:
            for line in file:
                host, guest, answered, *words = line.split()
                if words[0] == "broken":
                    sys.exit("the guest says: broken")
                if int(guest):
                    self.lines.append((int(host), int(guest), int(answered), words))
        self.pids, self.states, self.gone, self.mtimes = {}, [], {}, {}
        for host, guest, _, words in self.lines:
            self.take(host, guest, words)

    def take(self, host, guest, words):
        if words[0] == "pid":
            self.pids[words[1]] = int(words[2])
        elif words[:2] == ["say", "name"]:
            self.pids[words[2]] = int(words[3])
        elif words[:3] == ["say", "before", "connect"]:
            self.connect = (host, guest)
        elif words[:3] == ["say", "after", "connect"]:
            self.connected = (host, guest, int(words[3]))
        elif words[0] in ("see", "before", "after"):
            state = {"step": words[1], "when": words[0], "path": words[2], "guest_ns": guest, "host_ns": host, "there": len(words) > 3}
            if state["there"]:
                dev, inode, generation, size, digest = words[3:8]
                state.update(dev=dev, inode=int(inode), generation=int(generation), size=int(size), sha256=digest)
            state["synced"] = (words[0], words[1]) in SYNCED
            self.states.append(state)
        elif words[0] == "mtime":
            self.mtimes[words[1]] = {"path": words[2], "dev": words[3], "inode": int(words[4]), "generation": int(words[5]),
                                     "written_ns": int(words[6])}
        elif words[0] == "gone":
            self.gone.update(step=words[1], path=words[2], lines=int(words[3]), sha256=words[4])
        elif words[0] == "serials":
            self.gone.setdefault("serials", []).extend(map(int, words[2:]))

    def clock(self):
        """Host minus guest, between what a line needs to arrive and what its answer needs; as often as the clock was set, and once."""
        samples, steps = [], []
        for (host, guest, _, words), (_, _, answered, _) in zip(self.lines, self.lines[1:]):
            if answered:
                samples.append({"host_ns": host, "low_ns": host - answered, "high_ns": host - guest})
            if words[1] == "ahead":
                steps.append(host)
        parts = [samples]
        if steps:
            parts = [[s for s in samples if s["host_ns"] < steps[1]], [s for s in samples if s["host_ns"] >= steps[1]]]
        bounds = [{"low_ns": max(s["low_ns"] for s in part), "high_ns": min(s["high_ns"] for s in part)} for part in parts]
        if steps:
            bounds[1].update(host_from_ns=steps[0], host_to_ns=steps[1])
        return {**bounds[0], "samples": samples, **({"step": bounds[1]} if steps else {})}

    def state(self, step, when=None):
        found = [s for s in self.states if s["step"] == step and when in (None, s["when"])]
        return found[0] if found else None

    def nodes(self):
        nodes = [{"id": "download", "kind": "address", "address": "10.0.0.9", "port": 80, "note": "where the dropped file comes from"},
                 {"id": "c2", "kind": "address", "address": "10.0.0.5", "port": 4444, "note": "command and control"}]
        for name, (exe, note) in PROCESSES.items():
            if name in self.pids:
                if name == "putter":
                    exe = "/usr/bin/cat" if "strip-find" in self.pids else "/usr/bin/sed"
                nodes.append({"id": name, "kind": "process", "pid": self.pids[name], "exe": exe, "note": note})
        for (step, path), (name, note) in FILES.items():
            state = self.state(step)
            if name == "shadow" and "thief" not in self.pids:
                continue  # nobody read it
            if state and state["path"] == path and state["there"] and not any(n["id"] == name for n in nodes):
                nodes.append({"id": name, "kind": "file", "path": path, "dev": state["dev"], "inode": state["inode"], "note": note})
        return nodes

    def tampered(self):
        kinds = {"tamper": "in-place", "anew": "deleted and written anew", "strip": "written over", "sed": "replaced by another file"}
        changes = []
        for step, kind in kinds.items():
            before, after = self.state(step, "before"), self.state(step, "after")
            if before and after:
                changes.append({"step": step, "kind": kind, "path": before["path"], "disk_path": disk_path(before["path"]),
                                "inode_before": before["inode"], "inode_after": after["inode"],
                                "generation_before": before["generation"], "generation_after": after["generation"],
                                "host_from_ns": before["host_ns"], "host_to_ns": after["host_ns"],
                                "guest_from_ns": before["guest_ns"], "guest_to_ns": after["guest_ns"]})
        return changes

    def tightened(self):
        """What long opens truly did: nothing, or written_ns is the last write (guest clock, the file system's mtime)."""
        held = []
        for name, file, wrote in HELD:
            if name in self.pids and file in self.mtimes:
                entry = {"id": name, "pid": self.pids[name], "wrote": wrote, **self.mtimes[file]}
                if not wrote:
                    del entry["written_ns"]
                held.append(entry)
        return held

    def executed(self, dirty_ns):
        """Programs that were run and deleted. Delayed content is sent after dirty_ns, at the latest a turn of the flusher later."""
        turn_ns = 5_500_000_000 if dirty_ns == 30_000_000_000 else 1_500_000_000
        found = []
        for name, made, ended, runners in (("invoice", "dropped", "left", ("implant", "tamperer", "thief", "rewriter", "cleaner")),
                                           ("second-stage-file", "second-stage", "second-stage-gone", ("second-stage",))):
            first, last = self.state(made), self.state(ended)
            if first and last:
                lived = last["host_ns"] - first["host_ns"]
                assert not dirty_ns * 0.5 < lived < dirty_ns + turn_ns, f"{name} lived {lived} ns: nobody knows whether it reached the disk"
                found.append({"id": name, "path": first["path"], "inode": first["inode"], "generation": first["generation"],
                              "size": first["size"], "sha256": first["sha256"], "pids": [self.pids[n] for n in runners if n in self.pids],
                              "host_made_ns": first["host_ns"], "host_deleted_ns": last["host_ns"], "reached_disk": lived > dirty_ns,
                              "deletion_recorded": "sed-find" not in self.pids})
        return found


def disk_path(path):
    for mount, folder in MOUNTS.items():
        if path.startswith(mount + "/"):
            return folder + path[len(mount):]
    return None


def main():
    truth = Truth(sys.argv[1])
    block, dirty_ns, folder = int(sys.argv[2]), int(sys.argv[3]) * 10_000_000, sys.argv[4]
    nodes = truth.nodes()
    ids = {node["id"] for node in nodes}
    for state in truth.states:
        state["disk_path"] = disk_path(state["path"])
    connect = truth.connect[1]
    whole = {
        "schema": 1,
        "alert": {"address": "10.0.0.5", "port": 4444, "time": "@%d.%09d" % divmod(connect, 10**9)},
        "rules": "provgraph.rules",
        "nodes": nodes,
        "edges": [{"from": a, "op": op, "to": b} for a, op, b in EDGES
                  if a in ids and b in ids and not ("sed-find" in ids and (a, op, b) in UNHEARD)],
        "path": list(PATH),
        "disk": {
            "history": "web01.history", "dev": next(n["dev"] for n in nodes if n["id"] == "invoice"),
            "block_bytes": block, "dirty_expire_ns": dirty_ns,
            "clock": truth.clock(), "states": [s for s in truth.states if s["disk_path"]],
            "tampered": truth.tampered(), "executed": truth.executed(dirty_ns),
            **({"gone": truth.gone} if truth.gone else {}),
            **({"tightened": truth.tightened(), "log_end_ns": truth.state("final")["guest_ns"],
                "false_cause": {**FALSE_CAUSE, "pid": truth.pids["sync"]}} if truth.mtimes else {}),
        },
    }
    with open(folder + "/truth.json", "w", encoding="utf-8") as file:
        json.dump(whole, file, indent=1)
        file.write("\n")
    host, _, port = truth.connected
    moment = datetime.datetime.fromtimestamp(truth.connect[0] // 1000 / 1e6, datetime.timezone.utc)
    alert = {"timestamp": moment.strftime("%Y-%m-%dT%H:%M:%S.%f+0000"), "flow_id": 1107000000000044, "in_iface": "eth0",
             "event_type": "alert",
             "src_ip": "10.0.0.15", "src_port": port, "dest_ip": "10.0.0.5", "dest_port": 4444, "proto": "TCP", "pkt_src": "wire/pcap",
             "alert": {"action": "allowed", "gid": 1, "signature_id": 1000105, "rev": 1,
                       "signature": "LOCAL connection to a known control server",
                       "category": "A Network Trojan was detected", "severity": 1}, "direction": "to_server"}
    with open(folder + "/alert.eve.json", "w", encoding="utf-8") as file:
        json.dump(alert, file, separators=(",", ":"))
        file.write("\n")


main()
