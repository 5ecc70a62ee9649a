# SPDX-License-Identifier: MIT
# A log of dm-log-writes, as "provgraph disk export --format dm-log-writes" writes it, becomes another disk's.
#     python3 witness_disks.py LOG OUT SECONDS PARTITIONS [FROM_NS STEP]
# SECONDS: the record goes on for so long, with a write behind the end of the file system. PARTITIONS: 0, or so many, each of them
# a copy of the disk. From FROM_NS on every time is STEP seconds later: as if the guest's clock had been set back.
import re
import struct
import sys

SECTOR = 512
PART_SECTORS = 393216  # 192 MiB, the size of samples/guest-disk
FIRST_SECTOR = 2048
FLUSH, DISCARD, MARK = 1, 4, 8


def entry(sector, sectors, flags, text=b'', data=b''):
    head = struct.pack('<QQQQ', sector, sectors, flags, len(text)) + text
    return head.ljust(SECTOR, b'\0') + data


def read(log):
    at = SECTOR
    while at < len(log):
        sector, sectors, flags, length = struct.unpack_from('<QQQQ', log, at)
        text = log[at + 32:at + 32 + length]
        at += SECTOR
        size = 0 if flags & (DISCARD | MARK) else sectors * SECTOR
        yield sector, sectors, flags, text, log[at:at + size]
        at += size


def partition_table(count):
    table = bytearray(SECTOR)
    for i in range(count):
        struct.pack_into('<B3sB3sII', table, 446 + 16 * i, 0, b'\0\0\0', 0x83, b'\0\0\0', FIRST_SECTOR + i * PART_SECTORS, PART_SECTORS)
    table[510:512] = b'\x55\xaa'
    return bytes(table)


source, out, seconds, partitions = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
step_at_ns, step_ns = (int(sys.argv[5]), int(sys.argv[6]) * 10**9) if len(sys.argv) > 5 else (0, 0)
entries = []
last_ns = 0
for sector, sectors, flags, text, data in read(open(source, 'rb').read()):
    time = re.fullmatch(rb't=(\d+)', text)
    if time:
        last_ns = int(time.group(1))
        if step_ns and last_ns >= step_at_ns:
            last_ns += step_ns
        text = b't=%d' % last_ns
        if partitions and not entries:
            entries += [entry(0, 0, MARK, text), entry(0, 1, 0, data=partition_table(partitions))]
    moves = range(partitions) if sectors and not flags & MARK else [None]
    for i in moves if partitions else [None]:
        entries.append(entry(sector + (0 if i is None else FIRST_SECTOR + i * PART_SECTORS), sectors, flags, text, data))
if seconds:
    end = FIRST_SECTOR + max(partitions, 1) * PART_SECTORS
    entries += [entry(0, 0, MARK, b't=%d' % (last_ns + seconds * 10**9)), entry(end, 1, 0, data=bytes([1]) * SECTOR)]
head = struct.pack('<QQQI', 0x6a736677736872, 1, len(entries), SECTOR).ljust(SECTOR, b'\0')
open(out, 'wb').write(head + b''.join(entries))
