# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# disk lost against reading the log again at each of its states: every line that was ever there and is not at the end, and when it came.
# shellcheck source=tests/lib.sh
. "$SRCDIR/tests/lib.sh"
requires python3

python3 - "$PROVGRAPH" "$SRCDIR/samples" <<'PY' || fail "not what the states hold"
import json, subprocess, sys

program, samples = sys.argv[1:]

def disk(*arguments):
    return subprocess.run([program, "disk", *arguments, "--quiet"], capture_output=True).stdout

def objects(*arguments):
    return [json.loads(line) for line in disk(*arguments, "--json").decode("utf-8", "surrogateescape").splitlines()]

total = 0
for sample, path in ("guest-disk", "/log/auth.log"), ("guest-tamper", "/log/auth.log"), ("guest-clock", "/log/auth.log"):
    history = f"{samples}/{sample}/web01.history"
    first, now = {}, set()
    for state in objects("log", history, path):
        if "deleted" in state["change"] and "appeared" not in state["change"]:
            now = set()
            continue
        lines = disk("cat", history, f"seq:{state['seq']}", path).split(b"\n")
        now = {line for line in lines[:-1] if line and b"\0" not in line}
        for line in now:
            first.setdefault(line, state["seq"])
    lost = {}
    for line in objects("lost", history, path):
        if line["whole"] and line["arrival_seq"] != line["seq"]: # else it came when the log had lost its name
            lost[line["line"].encode("utf-8", "surrogateescape")] = line
    assert set(lost) == set(first) - now, (sample, len(lost), len(set(first) - now))
    for text, line in lost.items():
        assert line["arrival_seq"] == first[text], (sample, line)
        assert line["seq"] > line["arrival_seq"], (sample, line)
    total += len(lost)
assert total > 200, total
PY
expect_status 2 "$PROVGRAPH" disk lost "$SRCDIR/samples/guest-disk/web01.history" /log/never
contains err "was never there in this span of the history"
expect_status 2 "$PROVGRAPH" disk lost "$SRCDIR/samples/guest-disk/web01.history"
contains err "which file?"
