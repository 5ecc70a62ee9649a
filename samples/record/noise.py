# SPDX-License-Identifier: MIT
"""What else happens on the recorded host: three users at work over ssh, a file server, strangers. Cron is its own."""
import random
import threading
import time

import scene

INSTALLER = b"""#!/bin/sh
# The file server's own installer: an ordinary `curl | sh`, so that the attack's is not the only one.
mkdir -p "$HOME/tools" && cd "$HOME/tools" || exit 1
curl -s -o report http://10.0.0.7/tools/report
chmod 755 report
./report >report.txt
"""
REPORT = b"#!/bin/sh\ndate\nuname -srm\ndf -P / | tail -n 1\nsort -t, -k4 -n ~/data/2026-01.csv | tail -n 3\n"

TASKS = {
    "bob": [
        "cd src/ledger && make -s clean && make -s && make -s check",
        "cd src/ledger && touch part03.c main.c && make -s check",
        "cd src/ledger && git status --short | head -n 5; git log --oneline | head -n 3; git diff --stat",
        "cd src/ledger && echo \"/* $RANDOM */\" >>part05.c && git commit -q -a -m 'Change part05' && git gc -q --auto",
        "cd src/ledger && grep -rn snprintf . | wc -l; find . -name '*.c' -newer README | sort"
        " | xargs wc -l | tail -n 1",
        "cd src && tar czf /tmp/ledger.tgz ledger && tar tzf /tmp/ledger.tgz | wc -l && rm /tmp/ledger.tgz",
        "cd src/ledger && vim.tiny -es -c '%s/release/Release/ge' -c wq README; true",
    ],
    "carol": [
        "python3 bin/summarise.py /tmp/summary.json && gzip -f /tmp/summary.json && mv /tmp/summary.json.gz data/",
        "python3 bin/publish.py",
        "curl -s http://10.0.0.7/data/today.csv -o data/today.csv; sort -t, -k2 data/today.csv | head -n 20 | wc -l",
        "for month in data/2026-0*.csv; do awk -F, 'NR > 1 { sum += $4 } END { print FILENAME, sum }' $month; done",
        "curl -s http://10.0.0.7/tools/install.sh | sh",
        "mkdir -p old && cp data/*.csv old/ && bzip2 -f old/*.csv && du -s old && rm -r old",
        "python3 -c 'import json, urllib.request; print(len(urllib.request.urlopen("
        "\"http://10.0.0.7/health\").read()))'",
    ],
    "dave": [
        "dpkg -l | grep -c ^ii; dpkg -L curl | head -n 3; apt-cache policy curl | head -n 3",
        "ps aux | sort -k4 -rn | head -n 4; ss -tln; uptime; who",
        "sudo tail -n 20 /var/log/auth.log | wc -l; sudo ls -l /var/log | wc -l",
        "sudo du -s /var/log /var/spool; df -h / | tail -n 1; id bob carol",
        "sudo sh -c 'cp /etc/hosts /etc/hosts.new && mv /etc/hosts.new /etc/hosts && chmod 644 /etc/hosts'",
        "sudo find /etc -name '*.conf' -newermt 2026-01-01 | sort | xargs -r sudo grep -l include | wc -l",
        "sudo crontab -l -u bob; sudo cat /etc/crontab | md5sum; ls -l /etc/cron.d; man -w ssh",
    ],
}


class Noise:
    """Runs until stop(); every user waits a few seconds between tasks. The order is fixed, the clock is not."""

    def __init__(self, world, pause=(2.0, 7.0), users=("bob", "carol", "dave")):
        self.world, self.pause, self.users = world, pause, users
        self.over, self.threads = threading.Event(), []
        rows = "".join(f"{n % 365},stock,{n % 90},{n * 7 % 901}.5\n" for n in range(400))
        self.server = scene.FileServer("10.0.0.7", {
            "/health": b"up\n", "/data/today.csv": ("day,region,orders,amount\n" + rows).encode(),
            "/tools/install.sh": INSTALLER, "/tools/report": REPORT})
        scene.serve("10.0.0.7", 443, scene.swallow)

    def prepare(self):
        """Gives bob's project its history before the users start."""
        command = ("cd src/ledger && git init -q . && git config user.email bob@example.org && git config user.name Bob"
                   " && printf 'ledger\\n*.o\\n' >.gitignore && git add . && git commit -q -m 'First version'")
        scene.quiet(self.world.ssh("bob", command))

    def start(self):
        for number, user in enumerate(self.users):
            thread = threading.Thread(target=self.work, args=(user, random.Random(20261121 + number)), daemon=True)
            thread.start()
            self.threads.append(thread)

    def work(self, user, dice):
        while not self.over.is_set():
            for task in dice.sample(TASKS[user], len(TASKS[user])):
                if self.over.wait(dice.uniform(*self.pause)):
                    return
                scene.quiet(self.world.ssh(user, task))

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


def wait_until(moment):
    time.sleep(max(0.0, moment - time.monotonic()))
