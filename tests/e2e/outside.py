# SPDX-License-Identifier: MIT
"""The other side of the guest's network, a process for each connection (QEMU's guestfwd), the peer on standard input and output:
outside.py orders ORDER+ORDER...   10.0.0.5: names one step after the other and waits for each; a number is a pause in seconds
outside.py file PATH               10.0.0.9 and 10.0.0.7: sends a file
"""
import sys
import time


def main():
    kind, what = sys.argv[1:3]
    out = sys.stdout.buffer
    if kind == "file":
        with open(what, "rb") as file:
            out.write(file.read())
        out.flush()
        return
    for order in what.split("+"):
        if order.isdigit():
            time.sleep(int(order))
            continue
        out.write(order.encode() + b"\n")
        out.flush()
        while True:
            line = sys.stdin.buffer.readline()
            if not line or line == b"done\n":
                break


main()
