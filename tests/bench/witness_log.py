# SPDX-License-Identifier: MIT
"""witness_log.py FILES FIRST LAST [chain]: an audit log of 20 minutes of work on FILES files of the device fe:10, and a connection to
10.0.0.5:4444 at its end.

Every tenth open is for writing. The first files have the inodes FIRST to LAST; further ones lie behind. Nothing is created: no birth to compare.
chain: each file is written and then executed, by a process of its own that the one before began: all of them are drawn.
"""
import sys

files, first, last = (int(word) for word in sys.argv[1:4])
chain = sys.argv[4:] == ["chain"]
START_MS = 1795252951000  # of make_busy_history.c
SPAN_MS = 1200000
IDS = "auid=1000 uid=1000 gid=1000 euid=1000 suid=1000 fsuid=1000 egid=1000 sgid=1000 fsgid=1000 tty=(none) ses=3"
serial = 1000
lines = []


def head(kind, at_ms):
    return f"type={kind} msg=audit({at_ms // 1000}.{at_ms % 1000:03d}:{serial}): "


def syscall(at_ms, number, result, flags, items, pid):
    global serial
    serial += 1
    lines.append(f"{head('SYSCALL', at_ms)}arch=c000003e syscall={number} success=yes exit={result} a0=ffffff9c a1=7ff0 a2={flags:x} a3=0 "
                 f'items={items} ppid=900 pid={pid} {IDS} comm="tool" exe="/usr/bin/tool" key="provgraph"')


def path(at_ms, name, inode, dev):
    lines.append(f'{head("CWD", at_ms)}cwd="/srv"')
    lines.append(f'{head("PATH", at_ms)}item=0 name="{name}" inode={inode} dev={dev} mode=0100644 ouid=1000 ogid=1000 rdev=00:00 nametype=NORMAL '
                 "cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0")


tool = 1000
syscall(START_MS + 100, 59, 0, 0, 1, tool)
lines.append(f'{head("EXECVE", START_MS + 100)}argc=1 a0="tool"')
path(START_MS + 100, "/usr/bin/tool", 77, "fe:00")
for i in range(files):
    inode = first + i if i <= last - first else 1000000 + i
    moment = START_MS + 1000 + i * (SPAN_MS - 3000) // files
    syscall(moment, 257, 3, 1 if chain else 2 if i % 10 == 0 else 0, 1, tool)
    path(moment, f"/srv/{inode}", inode, "fe:10")
    if chain:
        syscall(moment + 200, 56, tool + 1, 0, 0, tool)
        tool += 1
        syscall(moment + 400, 59, 0, 0, 1, tool)
        lines.append(f'{head("EXECVE", moment + 400)}argc=1 a0="tool"')
        path(moment + 400, f"/srv/{inode}", inode, "fe:10")
contact = START_MS + SPAN_MS - 1000
syscall(contact, 42, 0, 16, 0, tool)
lines.append(f"{head('SOCKADDR', contact)}saddr=0200115C0A0000050000000000000000")
sys.stdout.write("\n".join(lines) + "\n")
