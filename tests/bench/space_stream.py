# SPDX-License-Identifier: MIT
# space_stream.py FOLDER: what a server writes in a day, onto a mounted file system: packages installed as dpkg does (file beside, fsync, rename),
# a log appended with fsync, commits of a sqlite database.
import os
import sqlite3
import subprocess
import sys

PACKAGES = ["perl-base", "coreutils", "git", "libc6", "libpython3.11-stdlib", "libpython3.11-minimal", "openssl", "binutils-x86-64-linux-gnu", "gcc-12", "perl-modules-5.36"]
LIMIT_BYTES = 200 << 20
APPENDS, COMMITS = 1200, 150


def installed_files():
    for package in PACKAGES:
        listing = subprocess.run(["dpkg", "-L", package], capture_output=True, text=True, check=False).stdout
        for path in listing.splitlines():
            if os.path.isfile(path) and not os.path.islink(path):
                yield path


def install(folder):
    total = 0
    for path in installed_files():
        target = folder + "/root" + path
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(path, "rb") as source, open(target + ".dpkg-new", "wb") as copy:
            content = source.read()
            copy.write(content)
            copy.flush()
            os.fsync(copy.fileno())
        os.rename(target + ".dpkg-new", target)
        total += len(content)
        if total > LIMIT_BYTES:
            break
    return total


def append(folder):
    with open(folder + "/auth.log", "a", encoding="ascii") as log:
        for i in range(APPENDS):
            log.write("Nov 21 09:%02d:%02d web01 sshd[%d]: Accepted publickey for alice from 192.0.2.%d port %d ssh2\n"
                      % (i // 60 % 60, i % 60, 700 + i, i % 250, 40000 + i))
            log.flush()
            os.fsync(log.fileno())


def commit(folder):
    database = sqlite3.connect(folder + "/state.db")
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE event (id INTEGER PRIMARY KEY, what TEXT, payload BLOB)")
    for i in range(COMMITS):
        database.execute("INSERT INTO event (what, payload) VALUES (?, ?)", ("event %d" % i, b"session data %d " % i * 40))
        database.commit()
    database.close()


print("installed %d bytes" % install(sys.argv[1]))
append(sys.argv[1])
commit(sys.argv[1])
os.sync()
