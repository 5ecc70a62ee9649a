# SPDX-License-Identifier: MIT
"""Compares a case (provgraph --format json) with a sample's truth: truth.py CASE TRUTH [--edges].

Each true node has to be drawn, and each pair of the true path has to be joined by the drawn links, in the direction of the
flow, with at most one drawn node between them. Prints what is missing; status 1 when anything is.
"""
import json
import sys


def matches(node, true):
    if true["kind"] == "process":
        return node["kind"] == "process" and node.get("pid") == true["pid"] and ("exe" not in true or node.get("exe") == true["exe"])
    if true["kind"] == "file":
        return node["kind"] == "file" and int(node.get("inode") or 0) == true["inode"] and (
            "path" not in true or true["path"] in [node.get("path")] + node.get("names", []))
    return node["kind"] == "address" and node.get("address") == true["address"]


def main():
    case, truth = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))
    bad = 0
    where = {}
    for true in truth["nodes"]:
        where[true["id"]] = {node["id"] for node in case["nodes"] if matches(node, true)}
        if not where[true["id"]]:
            folded = any(str(member.get("pid")) == str(true.get("pid")) and str(member.get("inode")) == str(true.get("inode"))
                         for fold in case["folded"] for member in fold["members"])
            print("not drawn:", true["id"], {k: true[k] for k in ("kind", "pid", "exe", "path", "inode", "address") if k in true},
                  "(folded)" if folded else "")
            bad = 1
    after = {}
    for edge in case["edges"]:
        after.setdefault(edge["from"], set()).add(edge["to"])
        if edge["both_ways"]:
            after.setdefault(edge["to"], set()).add(edge["from"])
    for left, right in zip(truth["path"], truth["path"][1:]):
        near = set().union(*[after.get(n, set()) for n in where.get(left, set())]) if where.get(left) else set()
        far = set().union(*[after.get(n, set()) for n in near]) if near else set()
        if not (near | far | where.get(left, set())) & where.get(right, set()):
            print("no link:", left, "->", right)
            bad = 1
    if len(case["nodes"]) > 60:
        print("drawn nodes:", len(case["nodes"]))
        bad = 1
    return bad


sys.exit(main())
