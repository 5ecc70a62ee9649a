# SPDX-License-Identifier: MIT
# Throughput of a disk that is recorded: fio over NBD, on fresh disks, servers taking turns. Called by disk.sh.
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time

PROVGRAPH = os.environ["PROVGRAPH"]
RUNS = int(os.environ.get("BENCH_RUNS", "7"))
ONLY = os.environ.get("BENCH_DISK", "")
MIB = 1 << 20

# name, fio's words, MiB of disk, whether it is filled before, ratio to nbdkit file: wanted, at least
ROWS = [
    ("64k sequential writes", "--rw=write --bs=64k", 512, False, 0.95, 0.85),
    ("4k sequential writes", "--rw=write --bs=4k", 256, False, 0.85, 0.75),
    ("4k random writes", "--rw=randwrite --bs=4k", 256, False, 1.1, 1.0),
    ("4k random writes, flush every 32", "--rw=randwrite --bs=4k --fsync=32", 48, False, 1.5, 1.4),
    ("64k random reads", "--rw=randread --bs=64k", 512, True, 0.95, 0.95),
    ("4k random reads", "--rw=randread --bs=4k --io_size=256m", 512, True, 0.95, 0.95),
]
COMPRESSIBLE = "--buffer_compress_percentage=60 --buffer_compress_chunk=4k --refill_buffers"


class Server:
    """A process that serves one fresh disk; its CPU time goes with each result."""

    def __init__(self, folder, mib):
        self.folder, self.mib = folder, mib
        shutil.rmtree(folder, ignore_errors=True)
        os.mkdir(folder)
        self.socket = folder + "/s"

    def start(self, command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for _ in range(1000):
            if os.path.exists(self.socket):
                break
            time.sleep(0.01)

    def serving(self):
        return self.process.pid

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class File(Server):
    name = "nbdkit file"

    def open(self):
        if not os.path.exists(self.folder + "/disk"):
            with open(self.folder + "/disk", "wb") as f:
                f.truncate(self.mib * MIB)
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        self.start(["nbdkit", "-f", "-U", self.socket, "file", self.folder + "/disk"])


class History(Server):
    name = "provgraph"
    options = []

    def open(self):
        history = self.folder + "/h"
        if not os.path.exists(history):
            subprocess.run([PROVGRAPH, "disk", "init", history, "--size", "%dM" % self.mib, "--quiet"], check=True)
        self.start([PROVGRAPH, "disk", "serve", history, "--socket", self.socket] + self.options)
        self.process.stdout.readline()  # it is ready when it says how to use it

    def serving(self):
        with open("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)) as f:
            return int(f.read().split()[0])


class Direct(History):
    name = "provgraph --sync direct"
    options = ["--sync", "direct"]


class Recent(History):
    """What was written lately: zstd has not come to it, and does not begin in the middle of the measurement."""
    options = ["--compress", "never"]


class Compressed(History):
    name = "provgraph, read after zstd"
    options = ["--compress", "now"]


class LogWrites(Server):
    name = "qemu-nbd + blklogwrites"

    def open(self):
        for name in ("disk", "log"):
            if not os.path.exists(self.folder + "/" + name):
                with open(self.folder + "/" + name, "wb") as f:
                    f.truncate(self.mib * MIB if name == "disk" else 0)
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        self.start(["qemu-nbd", "-t", "-e", "16", "--discard=unmap", "-k", self.socket, "--image-opts",
                    "driver=blklogwrites,file.driver=file,file.filename=%s/disk,log.driver=file,log.filename=%s/log"
                    % (self.folder, self.folder)])


def cpu_us(pid):
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000000 // os.sysconf("SC_CLK_TCK")


def fio(server, words, mib):
    before = cpu_us(server.serving())
    result = subprocess.run(
        ["fio", "--name=b", "--ioengine=nbd", "--uri=nbd+unix:///?socket=" + server.socket, "--iodepth=16", "--size=%dm" % mib,
         "--randrepeat=1", "--norandommap=0", "--output-format=json"] + words.split(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=server.folder)
    text = result.stdout.decode()
    job = json.loads(text[text.index("{"):])["jobs"][0]
    if result.returncode != 0 or job["error"]:
        sys.exit("bench: fio on %s: %s" % (server.name, result.stderr.decode()[-300:]))
    side = job["read"] if "read" in words.split()[0] else job["write"]
    used = cpu_us(server.serving()) - before
    return side["bw_bytes"] / MIB, used / max(1, side["total_ios"])


def wait_for_compression(server):
    """Until no segment grew or was replaced for a while: zstd runs in the background."""
    last, since = None, time.time()
    while time.time() - since < 3:
        state = sorted((e.name, e.stat().st_ino, e.stat().st_size) for e in os.scandir(server.folder + "/h/segments"))
        if state != last:
            last, since = state, time.time()
        time.sleep(0.2)


def write_once(kind, folder, words, mib):
    server = kind(folder, mib)
    server.open()
    result = fio(server, words, mib)
    server.stop()
    server.remove()
    return result


def filled(kind, folder, mib, extra):
    """A disk that was written from its beginning to its end; in the page cache, and nothing of it still to be written."""
    server = kind(folder, mib)
    server.open()
    fio(server, "--rw=write --bs=64k " + extra, mib)
    if kind is Compressed:
        wait_for_compression(server)
    server.stop()
    os.sync()
    server.open()
    return server


def measure(folder, row, kinds, extra=""):
    name, words, mib, is_read, wanted, least = row
    results = {kind: [] for kind in kinds}
    servers = {kind: filled(kind, folder + str(i), mib, extra) for i, kind in enumerate(kinds)} if is_read else {}
    for _ in range(RUNS):
        for kind in kinds:
            results[kind].append(fio(servers[kind], words, mib) if is_read else write_once(kind, folder, words, mib))
    for server in servers.values():
        server.stop()
        server.remove()
    base = [mib_s for mib_s, _ in results[kinds[0]]]
    for kind in kinds:
        speed = statistics.median(mib_s for mib_s, _ in results[kind])
        cpu = statistics.median(us for _, us in results[kind])
        ratio = statistics.median(mine / theirs for (mine, _), theirs in zip(results[kind], base))
        verdict = "%.2f (%.2f)" % (wanted, least) if kind in (History, Recent) and not extra else ""
        print("%-34s %-28s %9.0f %8.2f %9.1f   %s" % (name if kind is kinds[0] else "", kind.name, speed, ratio, cpu, verdict), flush=True)


def main():
    folder = sys.argv[1] + "/disk"
    others = [LogWrites] if shutil.which("qemu-nbd") else []
    print("%-34s %-28s %9s %8s %9s   %s" % ("recording", "server", "MiB/s", "x file", "CPU us/io", "wanted (least)"))
    for row in ROWS:
        if re.search(ONLY, row[0]):
            measure(folder, row, [File, Recent] + others if row[3] else [File, History, Direct] + others)
    compressible = [("64k random reads, 60 % zeros", ROWS[4][1], 512, True, 0, 0), ("4k random reads, 60 % zeros", ROWS[5][1], 512, True, 0, 0)]
    for row in compressible:
        if re.search(ONLY, row[0]):
            measure(folder, row, [File, Recent, Compressed], COMPRESSIBLE)


main()
