# SPDX-License-Identifier: MIT
"""A second witness beside audit: fanotify stops every exec of the recorded host until it has been written down.

witness.py WORLD_PID OUTPUT: one JSON line per file that is opened for execution (program, script, interpreter, loader):
time, pid, parent, uid, path, device and inode. The truth files take pids of short-lived programs from here.
The kernel holds the process while we look, so nothing is guessed from /proc after the fact.
"""
import ctypes
import json
import os
import struct
import sys
import time

FAN_CLASS_CONTENT = 0x4        # linux/fanotify.h
FAN_MARK_ADD = 0x1
FAN_MARK_MOUNT = 0x10
FAN_OPEN_EXEC_PERM = 0x40000
FAN_ALLOW = 0x1
AT_FDCWD = -100
EVENT = struct.Struct("=IBBHQii")  # struct fanotify_event_metadata
libc = ctypes.CDLL(None, use_errno=True)


def check(result):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def read_text(path):
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def ancestors(pid):
    """Parent, its parent, and so on."""
    line = []
    while pid > 1 and len(line) < 12:
        fields = read_text(f"/proc/{pid}/stat").rpartition(")")[2].split()
        if not fields:
            break
        pid = int(fields[1])
        line.append(pid)
    return line


def describe(pid, descriptor, root):
    stat = os.fstat(descriptor)
    line = ancestors(pid)
    path = os.readlink(f"/proc/self/fd/{descriptor}")
    if path.startswith(root):
        path = path[len(root):] or "/"
    return {"time": time.time(), "pid": pid, "ppid": line[0] if line else 0, "ancestors": line, "path": path,
            "dev": f"{os.major(stat.st_dev):02x}:{os.minor(stat.st_dev):02x}", "inode": stat.st_ino,
            "uid": os.stat(f"/proc/{pid}").st_uid}


def main():
    world, output = int(sys.argv[1]), sys.argv[2]
    root = sys.argv[3].rstrip("/")
    group = check(libc.fanotify_init(FAN_CLASS_CONTENT, os.O_RDONLY | os.O_CLOEXEC))
    check(libc.fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_MOUNT, ctypes.c_uint64(FAN_OPEN_EXEC_PERM), AT_FDCWD,
                             f"/proc/{world}/root/".encode()))
    with open(output, "w", encoding="utf-8", buffering=1) as log:
        while True:
            data = os.read(group, 65536)
            while data:
                length, _, _, _, _, descriptor, pid = EVENT.unpack_from(data)
                data = data[length:]
                try:
                    log.write(json.dumps(describe(pid, descriptor, root)) + "\n")
                except OSError:
                    pass
                finally:
                    os.write(group, struct.pack("=iI", descriptor, FAN_ALLOW))
                    os.close(descriptor)


if __name__ == "__main__":
    main()
