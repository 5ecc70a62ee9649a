# SPDX-License-Identifier: MIT
# Puts the time of arrival (ns since 1970, this machine's clock) before each line of standard input.
import os
import sys
import time

pending = b""
while True:
    got = os.read(0, 65536)
    now = time.time_ns()
    if not got:
        break
    *lines, pending = (pending + got).split(b"\n")
    for line in lines:
        sys.stdout.write("%d %s\n" % (now, line.decode("ascii", "replace").strip()))
    sys.stdout.flush()
