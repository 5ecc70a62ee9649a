#!/bin/sh
# SPDX-License-Identifier: MIT
# A disk with several file systems: one whose journal cannot be replayed does not hide the others, and is named. And a journal with a
# damaged block is named, too.
. "$SRCDIR/tests/lib.sh"
requires python3 mke2fs dumpe2fs

cat >make.py <<'END'
import struct, subprocess, sys
MIB = 1 << 20

def dirty_ext4(journal_features):
    """A journal that is not clean, of a file system without checksums."""
    subprocess.run(['mke2fs', '-q', '-F', '-t', 'ext4', '-b', '1024', '-O', '^metadata_csum', 'part', '8M'], check=True)
    b = bytearray(open('part', 'rb').read())
    at = b.find(b'\xc0\x3b\x39\x98\0\0\0\x04')  # the journal's superblock: magic, kind 4
    assert at > 0 and at % 1024 == 0
    struct.pack_into('>I', b, at + 28, 1)  # s_start
    struct.pack_into('>I', b, at + 40, struct.unpack_from('>I', b, at + 40)[0] | journal_features)
    struct.pack_into('<I', b, 1024 + 0x60, struct.unpack_from('<I', b, 1024 + 0x60)[0] | 4)  # needs_recovery
    subprocess.run(['rm', 'part'], check=True)
    return b

def disk(name, entries, parts):
    mbr = bytearray(MIB)
    for i, (start, count) in enumerate(entries):
        struct.pack_into('<B3sB3sII', mbr, 446 + 16 * i, 0, b'\0\0\0', 0x83, b'\0\0\0', start * 2048, count * 2048)
    mbr[510:512] = b'\x55\xaa'
    open(name, 'wb').write(mbr + b''.join(parts))

refused, fine = dirty_ext4(0x20), dirty_ext4(0)  # JBD2_FEATURE_INCOMPAT_FAST_COMMIT
disk('two', [(1, 8), (9, 8)], [refused, fine])
disk('alone', [(1, 8)], [refused])
disk('shared', [(1, 8), (1, 8)], [fine])
END
python3 make.py || fail "make.py"

needs_recovery() { # IMAGE MIB
	dd if="$1" of=part bs=1M skip="$2" count=8 status=none
	dumpe2fs -h part 2>/dev/null | grep -q 'features:.*needs_recovery'
}

for name in two alone shared; do
	"$PROVGRAPH" disk init $name.history --base $name >log 2>&1 || fail "$(cat log)"
done
expect_status 0 "$PROVGRAPH" disk export two.history now --quiet -o out.img
contains err "partition 1: its journal is not replayed"
contains err "fast_commit"
lacks err "partition 2"
needs_recovery out.img 1 || fail "the refused journal was taken for replayed"
if needs_recovery out.img 9; then fail "the other one was not replayed"; fi
# Nothing else to see: as before, and the recorded bytes are there.
expect_status 2 "$PROVGRAPH" disk export alone.history now -o none
contains err "fast_commit"
no_files none
expect_status 0 "$PROVGRAPH" disk export alone.history now --raw -o raw
cmp alone raw || fail "the recorded bytes are others"
# A table that names one place twice: replayed once.
expect_status 0 "$PROVGRAPH" disk export shared.history now -o once
contains err "partition 2: its journal is not replayed"
if needs_recovery once 1; then fail "it was not replayed"; fi

# One byte of a committed block in the journal is another: left out, as a kernel would, and told.
tar xzf "$SRCDIR/tests/cli/data/pending.history.tar.gz" || fail "tar"
cat >damage.py <<'END'
import struct, sys
b = bytearray(open('raw.img', 'rb').read())
at = b.find(b'\xc0\x3b\x39\x98\0\0\0\x04')
block, start = struct.unpack_from('>I', b, at + 12)[0], struct.unpack_from('>I', b, at + 28)[0]
assert start > 0 and struct.unpack_from('>I', b, at + 40)[0] & 0x10  # not clean; checksums of version 3
while struct.unpack_from('>I', b, at + start * block + 4)[0] != 1:  # a descriptor
    start += 1
b[at + (start + 1) * block + 77] ^= 1  # its first block
open('damaged.img', 'wb').write(b)
END
seq=$("$PROVGRAPH" disk log pending.history /log/auth.log --json 2>err | sed -n '2s/^{"seq":\([0-9]*\).*/\1/p')
"$PROVGRAPH" disk export pending.history "seq:$seq" --raw -o raw.img >log 2>&1 || fail "$(cat log)"
python3 damage.py || fail "damage.py"
"$PROVGRAPH" disk init damaged.history --base damaged.img >log 2>&1 || fail "$(cat log)"
status=0
"$PROVGRAPH" disk ls damaged.history now / >out 2>err || status=$?
[ $status -eq 0 ] || [ $status -eq 2 ] || fail "status $status"
contains err "1 blocks in its journal are damaged and were left out"
[ "$(grep -c "in its journal are damaged" err)" -eq 1 ] || fail "told twice"
# The same within a span: a state is missing then, and that is told.
cat >damage_log.py <<'END'
b = bytearray(open('writes', 'rb').read())
descriptor = b'\xc0\x3b\x39\x98\0\0\0\x01'
second = b.find(descriptor, b.find(descriptor) + 1)
b[second + 1024 + 512 + 77] ^= 1  # the log's next entry is the first block that this one describes
open('writes', 'wb').write(b)
END
expect_status 0 "$PROVGRAPH" disk export pending.history --format dm-log-writes -o writes
python3 damage_log.py || fail "damage_log.py"
size=$("$PROVGRAPH" disk info pending.history --json | sed -n 's/^ *"disk_bytes": \([0-9]*\),$/\1/p')
"$PROVGRAPH" disk init other.history --size "$size" >text 2>&1 || fail "$(cat text)"
"$PROVGRAPH" disk import other.history writes >text 2>&1 || fail "$(cat text)"
expect_status 0 "$PROVGRAPH" disk log other.history /log/auth.log
contains err "states may be missing"
expect_status 0 "$PROVGRAPH" disk log pending.history /log/auth.log
lacks err "states may be missing"
# Tracks that are covered by wiping the disk: what was before is asked for with another end, and the message says so.
cat >wipe.py <<'END'
import struct
b = bytearray(open('writes', 'rb').read())
struct.pack_into('<Q', b, 16, struct.unpack_from('<Q', b, 16)[0] + 1)
b += struct.pack('<QQQQ', 0, 16, 4, 0).ljust(512, b'\0')  # a discard of the first 8 KiB
open('wiped', 'wb').write(b)
END
python3 wipe.py || fail "wipe.py"
"$PROVGRAPH" disk init wiped.history --size "$size" >text 2>&1 || fail "$(cat text)"
"$PROVGRAPH" disk import wiped.history wiped >text 2>&1 || fail "$(cat text)"
expect_status 2 "$PROVGRAPH" disk log wiped.history /log/auth.log
contains err "what was there before can be read in a span that ends earlier"
last=$("$PROVGRAPH" disk info wiped.history --json | sed -n 's/^ *"last_seq": \([0-9]*\),$/\1/p')
expect_status 0 "$PROVGRAPH" disk log wiped.history /log/auth.log --to "seq:$((last - 1))"
