# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Attackers who deleted their own audit records in a real guest (samples/guest-audit, samples/guest-audit-sed): the recorded disk gives
# them back, with the log that is left, and without any.
# shellcheck source=tests/lib.sh
. "$SRCDIR/tests/lib.sh"
requires python3 zstd

for sample in guest-audit guest-audit-sed; do
	folder=$SRCDIR/samples/$sample
	[ -e "$folder/web01.history" ] || fail "$folder is not there"
	log=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["disk"]["tampered"][0]["disk_path"])' "$folder/truth.json")
	expect_status 1 "$PROVGRAPH" disk lost "$folder/web01.history" "$log" --json --quiet
	cp out "$sample.lost"
	for how in with without; do
		[ $how = without ] || set -- --log "$folder/audit.log.zst"
		[ $how = with ] || set --
		status=0
		"$PROVGRAPH" --alert-ip 10.0.0.5 "$@" --disk "fe:10=$folder/web01.history" --format json -o "$sample.$how" >out 2>err || status=$?
		[ "$status" -eq 0 ] || [ "$status" -eq 3 ] || fail "$sample $how a log: status $status: $(cat err)"
	done
	zstd -qdc "$folder/audit.log.zst" >"$sample.left"
	python3 - "$folder/truth.json" "$sample.lost" "$sample.left" "$sample.with" "$sample.without" <<'PY' || fail "$sample"
import json, re, sys

truth = json.load(open(sys.argv[1]))
lost = [json.loads(line) for line in open(sys.argv[2], encoding="utf-8", errors="surrogateescape")]
left = set(open(sys.argv[3], encoding="utf-8", errors="surrogateescape").read().split("\n"))
serial = lambda line: int(re.search(r"\(\d+\.\d+:(\d+)\)", line).group(1))
gone = truth["disk"]["gone"]
serials = {serial(l["line"]) for l in lost if "audit(" in l["line"]}
assert set(gone["serials"]) <= serials, sorted(set(gone["serials"]) - serials)
assert len(lost) >= gone["lines"], (len(lost), gone["lines"])
assert not left & {l["line"] for l in lost}, "a line is lost and not lost"
# When: what stood in the log went within the true interval, but for what its daemon wrote to the file that had no name any more.
act = truth["disk"]["tampered"][0]
stood = [l for l in lost if l["arrival_seq"] != l["seq"]]
assert (len(stood) < len(lost)) == (act["kind"] != "written over"), "after sed -i auditd writes on, to a file without a name"
for l in stood:
    assert act["host_from_ns"] - 5_000_000 <= int(l["gone_ns"]) <= act["host_to_ns"] + 5_000_000, l
for name in sys.argv[4:]:
    case = json.load(open(name))
    assert any(n["recovered"] for n in case["nodes"]) and any(e["recovered"] for e in case["edges"]), name
    pids = {n.get("pid") for n in case["nodes"]}
    missing = [n["id"] for n in truth["nodes"] if n["kind"] == "process" and n["pid"] not in pids]
    assert not missing, (name, missing)
    addresses = {n["name"] for n in case["nodes"] if n["kind"] == "address"}
    assert "10.0.0.5" in addresses and "10.0.0.9" in addresses, (name, addresses)
    cleaned = [n for n in case["notes"] if n["kind"] == "cleaned"]
    assert any("of the audit log removed" in n["words"] for n in cleaned[:-1]), (name, cleaned) # before the program was removed
    assert cleaned == sorted(cleaned, key=lambda n: int(n["time_ns"])), (name, cleaned)
    kinds = [n["kind"] for n in case["notes"]]
    assert len([i for i, k in enumerate(kinds) if i == 0 or kinds[i - 1] != k]) == len(set(kinds)), (name, kinds)
PY
done

# A log that was emptied is no end of the matter, where the disk was recorded; without a disk it is an error.
: >emptied.log
expect_status 0 "$PROVGRAPH" --log emptied.log --alert-ip 10.0.0.5 --disk "fe:10=$SRCDIR/samples/guest-audit/web01.history" --utc --json
contains err 'emptied.log: is empty; what recorded disks held of the log is read instead'
jq -e 'any(.nodes[]; .kind == "address" and .address == "10.0.0.5") and (.log_findings | length > 100)' out >jq.out || fail "an emptied log"
expect_status 2 "$PROVGRAPH" --log emptied.log --alert-ip 10.0.0.5 --utc --json
contains err 'emptied.log: is empty: no audit record to read'
