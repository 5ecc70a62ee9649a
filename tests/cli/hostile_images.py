#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# File systems that attack whoever restores from them: one plain image, and a copy of it for each way to lie.
#
#     hostile_images.py PLAIN OUT     writes OUT/NAME.img for each; prints the names
#
# PLAIN is made by mke2fs with 1 KiB blocks, without 64bit, checksums and journal, from a tree that has VICTIM (a file with a name of 255
# bytes, 5,000 bytes long), twin and folder/ (with inner) in its root.
import struct
import sys

VICTIM = b"v" * 255


class Image:
    def __init__(self, data):
        self.data = bytearray(data)
        (self.per_group,) = struct.unpack_from("<I", self.data, 1024 + 40)
        (self.inode_size,) = struct.unpack_from("<H", self.data, 1024 + 88)

    def put(self, at, form, *values):
        struct.pack_into("<" + form, self.data, at, *values)

    def get(self, at, form):
        return struct.unpack_from("<" + form, self.data, at)[0]

    def entry(self, name):
        at = self.data.find(name)
        while at >= 0:
            if self.data[at - 2] == len(name) and self.get(at - 8, "I") > 0:
                return at - 8
            at = self.data.find(name, at + 1)
        raise SystemExit("no entry %r" % name)

    def inode_of(self, name):
        return self.place(self.get(self.entry(name), "I"))

    def place(self, number):
        group, index = divmod(number - 1, self.per_group)
        table = self.get(2048 + 32 * group + 8, "I")
        return table * 1024 + index * self.inode_size

    def rename(self, name, as_what=VICTIM):
        at = self.entry(as_what)
        self.data[at + 6] = len(name)
        self.data[at + 8 : at + 8 + len(name)] = name

    def first_block(self, inode):  # of a file with one extent
        return self.get(inode + 0x28 + 20, "I")


def names():
    for title, name in (
        ("climb", b"../../../../evil"), ("absolute", b"/evil"), ("absolute-tmp", b"/tmp/provgraph-evil"), ("dotdot", b".."), ("dot", b"."),
        ("nameless", b""), ("slash", b"a/b"), ("only-slash", b"/"), ("nul", b"a\0b"), ("only-nul", b"\0"), ("dotdot-nul", b"..\0"),
        ("controls", b"a\nb\x1b[31m\x07"), ("no-utf8", b"\xff\xfe\x80"), ("option", b"-rf"), ("twice-a-folder", b"folder"), ("twice-a-file", b"twin"),
        ("below-and-out", b"folder/../../evil"), ("temporary", b".provgraph-restore-XXXXXX"), ("overlong", b"..\xc0\xaf..\xc0\xafevil"),
        ("fullwidth", "\uff0e\uff0e\uff0fevil".encode()), ("bidi", "a\u202ecod.exe".encode()), ("tilde", b"~"), ("glob", b"*"),
    ):
        yield "name-" + title, lambda i, name=name: i.rename(name)


def numbers():
    for title, number in (("root", 2), ("none", 0xFFFFFFFF), ("bad-blocks", 1), ("resize", 7), ("journal", 8), ("undelete", 6)):
        yield "inode-" + title, lambda i, number=number: i.put(i.entry(VICTIM), "I", number)
    yield "inode-own-folder", lambda i: i.put(i.entry(b"inner"), "I", i.get(i.entry(b"folder"), "I"))
    yield "inode-same", lambda i: i.put(i.entry(VICTIM), "I", i.get(i.entry(b"twin"), "I"))


def modes():
    for title, mode in (
        ("character", 0o20666), ("block", 0o60666), ("fifo", 0o10666), ("socket", 0o140777), ("setuid", 0o104777), ("setgid-sticky", 0o103777),
        ("none", 0), ("unknown", 0o170777), ("symlink", 0o120777), ("file-as-folder", 0o40777),
    ):
        yield "mode-" + title, lambda i, mode=mode: i.put(i.inode_of(VICTIM), "H", mode)
    yield "mode-folder-as-file", lambda i: i.put(i.inode_of(b"folder"), "H", 0o100644)

    def planted(i):  # a file whose content is a folder with a hostile entry
        inode = i.inode_of(VICTIM)
        i.put(inode, "H", 0o40755)
        at = i.first_block(inode) * 1024
        i.put(at, "IHBB", i.get(i.entry(b"twin"), "I"), 1024, 10, 1)
        i.data[at + 8 : at + 18] = b"../../evil"

    yield "mode-planted-folder", planted

    def planted_link(i):  # a symlink outside, and a folder of that name under it
        inode = i.inode_of(VICTIM)
        i.put(inode, "H", 0o120777)
        i.put(inode + 4, "I", 4)
        i.put(inode + 0x20, "I", 0)
        i.data[inode + 0x28 : inode + 0x2C] = b"/tmp"

    yield "mode-planted-symlink", planted_link


def sizes():
    for title, size in (("huge", 2**63 - 1), ("all-ones", 2**64 - 1), ("exa", 2**60), ("tera", 2**40), ("five-giga", 5 * 2**30)):
        def change(i, size=size):
            i.put(i.inode_of(VICTIM) + 4, "I", size & 0xFFFFFFFF)
            i.put(i.inode_of(VICTIM) + 0x6C, "I", size >> 32)
        yield "size-" + title, change
    yield "size-folder", lambda i: i.put(i.inode_of(b"folder") + 4, "I", 0xFFFFFC00)


def maps():
    def header(i, **fields):
        at = i.inode_of(VICTIM) + 0x28
        for name, value in fields.items():
            i.put(at + {"entries": 2, "maximum": 4, "depth": 6, "block": 12, "length": 16, "high": 18, "low": 20}[name], "I" if name in ("block", "low") else "H", value)

    yield "extent-deep", lambda i: header(i, depth=65535)
    yield "extent-five", lambda i: header(i, depth=5)
    yield "extent-many", lambda i: header(i, entries=65535)
    yield "extent-many-more", lambda i: header(i, entries=65535, maximum=65535)
    yield "extent-none", lambda i: header(i, entries=0)
    yield "extent-length-0", lambda i: header(i, length=0)
    yield "extent-length-max", lambda i: header(i, length=32768)
    yield "extent-outside", lambda i: header(i, low=0xFFFFFFF0, high=0xFFFF)
    yield "extent-superblock", lambda i: header(i, low=0)
    yield "extent-far", lambda i: header(i, block=0xFFFFFFFF)

    def itself(i, depth=1, width=1):  # an index block that names itself
        inode = i.inode_of(VICTIM)
        block = i.first_block(inode)
        for at, room in ((inode + 0x28, 4), (block * 1024, 84)):
            entries = min(width, room)
            i.put(at, "HHHHI", 0xF30A, entries, room, depth, 0)
            for n in range(entries):
                i.put(at + 12 + 12 * n, "IIHH", n, block, 0, 0)

    yield "extent-itself", itself
    yield "extent-itself-five", lambda i: itself(i, 5, 84)
    yield "extent-itself-wide", lambda i: itself(i, 2, 84)

    def overlap(i):
        at = i.inode_of(VICTIM) + 0x28
        i.put(at + 2, "H", 2)
        i.data[at + 24 : at + 36] = i.data[at + 12 : at + 24]

    yield "extent-overlap", overlap

    def block_map(i, pointers):
        inode = i.inode_of(VICTIM)
        i.put(inode + 0x20, "I", 0)
        i.put(inode + 4, "I", 0xFFFFFFFF)
        i.put(inode + 0x6C, "I", 0x7F)
        for n in range(15):
            i.put(inode + 0x28 + 4 * n, "I", pointers(n))

    yield "map-outside", lambda i: block_map(i, lambda n: 0xFFFFFFF0)
    yield "map-same", lambda i: block_map(i, lambda n: 1)

    def map_loop(i):
        block = i.first_block(i.inode_of(VICTIM))
        for n in range(256):
            i.put(block * 1024 + 4 * n, "I", block)
        block_map(i, lambda n: block if n >= 12 else 0)

    yield "map-loop", map_loop
    yield "inline-lie", lambda i: i.put(i.inode_of(VICTIM) + 0x20, "I", 0x10000000)
    yield "encrypted", lambda i: i.put(i.inode_of(b"folder") + 0x20, "I", 0x80800)


def folders():
    for title, length in (("0", 0), ("1", 1), ("4", 4), ("odd", 13), ("max", 65535), ("beyond", 1028)):
        yield "record-" + title, lambda i, length=length: i.put(i.entry(b"inner") + 4, "H", length)
    yield "record-name", lambda i: i.put(i.entry(b"inner") + 6, "B", 255)

    def random(i):
        at = i.entry(b"inner") // 1024 * 1024
        i.data[at : at + 1024] = bytes((n * 73 + n // 7) & 255 for n in range(1024))

    yield "record-random", random


def superblocks():
    for title, at, form, value in (
        ("blocks", 4, "I", 0xFFFFFFFF), ("no-blocks", 4, "I", 0), ("inodes", 0, "I", 0xFFFFFFFF), ("no-inodes", 0, "I", 0), ("block-size", 24, "I", 31),
        ("block-size-64k", 24, "I", 6), ("per-group-0", 32, "I", 0), ("per-group-1", 32, "I", 1), ("inodes-per-group-0", 40, "I", 0),
        ("inodes-per-group-max", 40, "I", 0xFFFFFFFF), ("inode-size-3", 88, "H", 3), ("inode-size-max", 88, "H", 0x8000), ("first-block", 20, "I", 0xFFFF),
        ("incompat", 96, "I", 0xFFFFFFFF), ("meta-bg", 96, "I", 0x52), ("64bit", 96, "I", 0xC2), ("first-inode", 84, "I", 0xFFFFFFFF), ("magic", 56, "H", 0),
        ("descriptor-size", 254, "H", 0xFFFF), ("revision", 76, "I", 9), ("bigalloc", 100, "I", 0x200),
    ):
        yield "superblock-" + title, lambda i, at=at, form=form, value=value: i.put(1024 + at, form, value)
    for title, value in (("0", 0), ("far", 0xFFFFFFFF), ("end", 16383)):
        yield "table-" + title, lambda i, value=value: i.put(2048 + 8, "I", value)


def main():
    plain, out = sys.argv[1:]
    data = open(plain, "rb").read()
    for make in (names, numbers, modes, sizes, maps, folders, superblocks):
        for name, change in make():
            image = Image(data)
            change(image)
            with open("%s/%s.img" % (out, name), "wb") as file:
                file.write(image.data)
            print(name)


main()
