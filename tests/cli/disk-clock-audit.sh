#!/bin/sh
# SPDX-License-Identifier: MIT
# disk clock without a journal: records of an audit log in what is written, here by a guest that is 5 s behind, and a copy of an old log.
. "$SRCDIR/tests/lib.sh"
requires jq mke2fs python3
# shellcheck source=tests/serve.sh
. "$SRCDIR/tests/serve.sh"

mke2fs -q -t ext4 -O ^has_journal image 4M >mke2fs.out 2>&1 || fail "mke2fs"
"$PROVGRAPH" disk init logged --base image >init.out 2>&1 || fail "$(cat init.out)"
start_disk serve logged socket
python3 - "$(uri socket)" <<'END' || fail "qemu-io"
import subprocess, sys, time
for i in range(24):
    with open("block", "wb") as block:
        stamp = int(time.time() * 1000) - 5000
        if i % 6 == 5: # the copy
            stamp -= 86400000
        text = "type=CWD msg=audit(%d.%03d:%d): cwd=\"/\"\n" % (stamp // 1000, stamp % 1000, 100 + i if i % 6 != 5 else i)
        block.write(text.encode().ljust(4096, b"\0"))
    subprocess.run(["qemu-io", "-f", "raw", "-c", "write -s block %dk 4k" % (2048 + 4 * i), sys.argv[1]], check=True, stdout=subprocess.DEVNULL)
END
stop_disk "$served"
expect_status 0 "$PROVGRAPH" disk clock logged --json
jq -e -s 'length == 1 and (.[0] | .source == "audit" and .samples == 20 and .middle_offset_ns - .middle_error_ns <= 5000000000 and
	.middle_offset_ns + .middle_error_ns >= 5000000000 and .middle_offset_ns > 4900000000 and .middle_offset_ns < 8000000000)' out >/dev/null ||
	fail "$(cat out)"

# A log of writes without times was imported: all its records have one time, and an hour of stamps tells nothing of the guest's clock.
python3 - <<'END' || fail "python3"
import struct
entries = []
for i in range(60):
    text = "type=CWD msg=audit(%d.000:%d): cwd=\"/\"\n" % (1795252951 + 60 * i, 100 + i)
    entries.append((8 * (512 + i), text.encode().ljust(4096, b"\0")))
with open("log", "wb") as log:
    log.write(struct.pack("<QQQI", 0x6a736677736872, 1, len(entries), 512).ljust(512, b"\0"))
    for sector, data in entries:
        log.write(struct.pack("<QQQQ", sector, len(data) // 512, 0, 0).ljust(512, b"\0") + data)
END
"$PROVGRAPH" disk init timeless --base image >init.out 2>&1 || fail "$(cat init.out)"
expect_status 0 "$PROVGRAPH" disk import timeless log --start 2026-11-21T12:00:00Z --quiet
expect_status 1 "$PROVGRAPH" disk clock timeless --json
