# SPDX-License-Identifier: MIT
"""cpu.py RUNS COMMAND...: least CPU seconds, least wall seconds and greatest resident MiB of so many runs; output is thrown away."""
import os
import resource
import subprocess
import sys
import time

runs = int(sys.argv[1])
best_cpu = best_wall = float("inf")
rss = 0
for _ in range(runs):
    began = time.monotonic()
    child = subprocess.Popen(sys.argv[2:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    best_wall = min(best_wall, time.monotonic() - began)
    best_cpu = min(best_cpu, usage.ru_utime + usage.ru_stime)
    rss = max(rss, usage.ru_maxrss)
    if os.WIFSIGNALED(status):
        print("0 0 0")
        sys.exit(f"{sys.argv[2]}: signal {os.WTERMSIG(status)}")
print(f"{best_cpu:.4f} {best_wall:.4f} {rss / 1024:.1f}")
