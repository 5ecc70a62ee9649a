# SPDX-License-Identifier: MIT
# stamp.py SOCKET: puts the time of arrival (ns since 1970, this machine's clock) before each line that comes out of the guest's serial port,
# and only then answers with a line, for which the guest waits: nothing of the next step lies before the stamp.
import socket
import sys
import time

port = socket.socket(socket.AF_UNIX)
for attempt in range(400):
    try:
        port.connect(sys.argv[1])
        break
    except OSError:
        time.sleep(0.05)
pending = b""
while True:
    try:
        got = port.recv(65536)
    except OSError:  # the guest was switched off
        break
    now = time.time_ns()
    if not got:
        break
    *lines, pending = (pending + got).split(b"\n")
    for line in lines:
        sys.stdout.write("%d %s\n" % (now, line.decode("ascii", "replace").strip()))
        sys.stdout.flush()
        try:
            port.sendall(b"go\n")
        except OSError:
            pass
