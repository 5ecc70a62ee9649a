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

# A log that was moved on is found among any number of files that bear its name with a number.
requires mke2fs debugfs qemu-img
# shellcheck source=tests/serve.sh
. "$SRCDIR/tests/serve.sh"
mkdir -p tree/log
for i in $(seq 1000 1299); do echo "decoy $i" >"tree/log/a.log.$i"; done
touch -d 2020-01-01 tree/log/a.log.*
echo "decoy in fact" >tree/log/a.log.7
printf 'first\nsecond\n' >tree/log/a.log
mke2fs -q -t ext4 -O ^has_journal -b 1024 -N 400 -d tree image 8M || fail "mke2fs"
"$PROVGRAPH" disk init h --size 8M >init.out 2>&1 || fail "$(cat init.out)"
start_disk serve h socket
store() {
	qemu-img convert -n -f raw -O raw image "$(uri socket)" >convert.out 2>&1 || fail "$(cat convert.out)"
	qemu-io -f raw -c flush "$(uri socket)" >io.out 2>&1 || fail "$(cat io.out)"
	seq=$("$PROVGRAPH" disk info --json h | sed -n 's/.*"last_seq": \([0-9]*\).*/\1/p')
}
edit() { printf '%s\n' "$@" | debugfs -w -f - image >debugfs.out 2>&1 || fail "$(cat debugfs.out)"; }
store
begun=$seq
printf 'third\n' >anew
edit "link /log/a.log /log/a.log.1" "unlink /log/a.log" "write anew /log/a.log"
store
edit "rm /log/a.log.7"
store
stop_disk "$served"
expect_status 1 "$PROVGRAPH" disk lost h /log/a.log --from "seq:$begun" --to "seq:$seq" --utc
contains out "decoy in fact"
if grep -qE 'first|second' out; then fail "a log that was moved on is gone"; fi
contains err "only the newest ones are looked at"
