// SPDX-License-Identifier: MIT
// What lies at a place: ext by its feature flags, everything else by magic numbers (as libblkid's probes have them).
#include "snapshots/partition.h"

#include "base/bytes.h"
#include "base/memory.h"
#include "snapshots/ext_layout.h"

#include <stdio.h>
#include <string.h>

#define VIEWS "`provgraph disk views`"

struct magic { uint64_t offset; const char *bytes; unsigned length; const char *kind; };

// Containers, whose mark counts more than what an earlier use left behind it.
static const struct magic before_ext[] = {
	{0x1000, "\xfc\x4e\x2b\xa9", 4, "md RAID"}, // version 1.2
	{0, "\xfc\x4e\x2b\xa9", 4, "md RAID"},      // version 1.1
	{0x218, "LVM2 001", 8, "LVM"}, {0x18, "LVM2 001", 8, "LVM"}, {0x418, "LVM2 001", 8, "LVM"}, {0x618, "LVM2 001", 8, "LVM"},
	{0x1018, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81", 16, "bcache"},
	{0x1018, "\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef", 16, "bcachefs"},
	{0, "integrt", 8, "dm-integrity"},
	{0, "verity\0\0", 8, "dm-verity"},
	{3, "-FVE-FS-", 8, "BitLocker"},
};

// Whoever makes one of these writes over the place of an ext superblock. Where a sound one lies there, the mark was put before it, into
// bytes that ext does not use: a guest would hide its files from us so.
static const struct magic instead_of_ext[] = {
	{0, "LUKS\xba\xbe", 6, "LUKS"},
	{0, "XFSB", 4, "xfs"},
	{0x400, "\x10\x20\xf5\xf2", 4, "f2fs"},
	{0, "hsqs", 4, "squashfs"},
	{0x400, "\xe2\xe1\xf5\xe0", 4, "erofs"},
	{0x20, "NXSB", 4, "apfs"},
	{3, "NTFS    ", 8, "ntfs"},
	{3, "EXFAT   ", 8, "exfat"},
	{0x52, "FAT32   ", 8, "vfat"}, {0x36, "FAT16   ", 8, "vfat"}, {0x36, "FAT12   ", 8, "vfat"},
};

// These lie where mke2fs does not write, so that they may be older than an ext superblock.
static const struct magic after_ext[] = {
	{0x10040, "_BHRfS_M", 8, "btrfs"},
	{0x406, "\x34\x34", 2, "nilfs2"},
	{0x10034, "ReIsEr", 6, "reiserfs"},
	{0x8000, "JFS1", 4, "jfs"},
	{0x10000, "\x01\x16\x19\x70", 4, "gfs2"},
	{0x2000, "OCFSV2", 6, "ocfs2"}, {0x1000, "OCFSV2", 6, "ocfs2"}, {0x800, "OCFSV2", 6, "ocfs2"}, {0x400, "OCFSV2", 6, "ocfs2"},
	{0x1055c, "\x19\x01\x54\x19", 4, "ufs2"},
	{0x400, "H+", 2, "hfs+"}, {0x400, "HX", 2, "hfs+"},
	{0x8001, "CD001", 5, "iso9660"},
	{0xff6, "SWAPSPACE2", 10, "swap"}, {0xff6, "SWAP-SPACE", 10, "swap"}, {0x1ff6, "SWAPSPACE2", 10, "swap"},
	{0x3ff6, "SWAPSPACE2", 10, "swap"}, {0xfff6, "SWAPSPACE2", 10, "swap"}, // pages of 4, 8, 16 and 64 KiB
	{0xff6, "S1SUSPEND", 9, "swap"}, {0xff6, "LINHIB0001", 10, "swap"},     // a hibernated guest
};

struct probe { partition_read *read; void *context; const struct partition *p; };

static bool probe_bytes(const struct probe *r, uint64_t offset, void *bytes, size_t length)
{
	return length <= r->p->length_bytes && offset <= r->p->length_bytes - length &&
	       r->read(r->context, r->p->start_bytes + offset, bytes, length, NULL) == 0;
}

static void partition_set(struct partition *p, const char *kind, bool readable, const char *reason)
{
	(void)snprintf(p->kind, sizeof(p->kind), "%s", kind);
	(void)snprintf(p->reason, sizeof(p->reason), "%s", reason);
	p->readable = readable;
}

// ---- ext

// Features that libext2fs 1.47 does not read.
static const struct { uint32_t bits; const char *name; } ext_foreign[] = {
	{0x1, "compression"}, {0x1000, "dirdata"}, {~UINT32_C(0x3f7df), "an unknown feature"},
};

// Which of the three it is, as libblkid tells: by what the older kernels would refuse.
static const char *ext_name(const struct ext_layout *l)
{
	uint32_t later = l->incompatible & ~(EXT_INCOMPAT_FILETYPE | EXT_INCOMPAT_RECOVER | EXT_INCOMPAT_META_BG);
	uint32_t later_ro = l->read_only_compatible & ~(EXT_RO_COMPAT_SPARSE_SUPER | EXT_RO_COMPAT_LARGE_FILE | EXT_RO_COMPAT_BTREE_DIR);

	if (later || later_ro)
		return "ext4";
	return l->compatible & EXT_COMPAT_HAS_JOURNAL ? "ext3" : "ext2";
}

static int probe_layout_read(void *context, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	return probe_bytes(context, offset, bytes, length) ? 0 : error_set(err, "beyond the end");
}

static bool probe_ext(struct probe *r, struct partition *p)
{
	struct ext_layout l;
	struct error err;
	char reason[sizeof(p->reason)];
	bool present;

	if (p->length_bytes < EXT_SUPER_OFFSET + EXT_SUPER_BYTES)
		return false;
	int result = ext_layout_read(probe_layout_read, r, &l, &present, &err);

	if (!present)
		return false;
	if (result < 0) {
		(void)snprintf(reason, sizeof(reason), "%.100s", err.message);
		partition_set(p, "ext4", false, reason);
		return true;
	}
	if (l.incompatible & EXT_INCOMPAT_JOURNAL_DEVICE) {
		partition_set(p, "ext journal", false, "the external journal of another file system; it holds no files of its own");
		return true;
	}
	for (size_t i = 0; i < ARRAY_LENGTH(ext_foreign); i++) {
		if (!(l.incompatible & ext_foreign[i].bits))
			continue;
		(void)snprintf(reason, sizeof(reason), "its feature flags 0x%x hold %s; a guest that knows it can mount what " VIEWS " serves",
			       l.incompatible, ext_foreign[i].name);
		partition_set(p, ext_name(&l), false, reason);
		return true;
	}
	partition_set(p, ext_name(&l), true, "");
	return true;
}

// ---- the others

static bool probe_zfs(const struct probe *r) // an uberblock in the first label, in either byte order
{
	static const uint8_t big_endian[8] = {0, 0, 0, 0, 0x00, 0xba, 0xb1, 0x0c};
	uint8_t magic[8];

	for (uint64_t at = 128 << 10; at < 256 << 10; at += 1 << 10)
		if (probe_bytes(r, at, magic, sizeof(magic)) && (get_le64(magic) == 0x00bab10c || memcmp(magic, big_endian, 8) == 0))
			return true;
	return false;
}

static bool probe_md_at_end(const struct probe *r) // versions 0.90 and 1.0
{
	uint64_t sectors = r->p->length_bytes / 512;
	uint8_t magic[4];

	if (sectors < 256)
		return false;
	if (probe_bytes(r, ((sectors & ~UINT64_C(127)) - 128) * 512, magic, 4) && get_le32(magic) == 0xa92b4efc)
		return true;
	return probe_bytes(r, ((sectors - 16) & ~UINT64_C(7)) * 512, magic, 4) && get_le32(magic) == 0xa92b4efc;
}

static const char *probe_magics(const struct probe *r, const struct magic *magics, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char bytes[16];

		if (probe_bytes(r, magics[i].offset, bytes, magics[i].length) && memcmp(bytes, magics[i].bytes, magics[i].length) == 0)
			return magics[i].kind;
	}
	return NULL;
}

static void probe_explain(struct partition *p, const char *kind)
{
	static const struct { const char *kind, *reason; } special[] = {
		{"LVM", "a physical volume of LVM: serve the moment with " VIEWS ", attach it, `vgchange -ay`, mount"},
		{"LUKS", "encrypted: serve the moment with " VIEWS ", attach it, `cryptsetup open --readonly` with its key, mount"},
		{"BitLocker", "encrypted: serve the moment with " VIEWS ", attach it, `cryptsetup open --type bitlk --readonly`, mount"},
		{"md RAID", "a member of an md array: serve each member's moment with " VIEWS ", `mdadm --assemble --readonly`, mount"},
		{"zfs", "serve the moment with " VIEWS ", attach it, `zpool import -o readonly=on`"},
		{"swap", "swap space, no file system"},
		{"unknown", "nothing that provgraph knows"},
	};
	char reason[sizeof(p->reason)];

	for (size_t i = 0; i < ARRAY_LENGTH(special); i++) {
		if (strcmp(kind, special[i].kind) == 0) {
			partition_set(p, kind, false, special[i].reason);
			return;
		}
	}
	// XFS and btrfs refuse a read-only device while their log is dirty, as it is at nearly every moment of a running guest.
	(void)snprintf(reason, sizeof(reason), "provgraph does not read %s: mount a copy (`provgraph disk export`), or " VIEWS
		       " behind nbdkit's cow filter: a mount replays its log", kind);
	partition_set(p, kind, false, reason);
}

void partition_probe(partition_read *read, void *context, struct partition *p)
{
	struct probe r = {read, context, p};
	const char *kind = probe_magics(&r, before_ext, ARRAY_LENGTH(before_ext));

	if (!kind) {
		bool is_ext = probe_ext(&r, p);

		kind = is_ext && p->readable ? NULL : probe_magics(&r, instead_of_ext, ARRAY_LENGTH(instead_of_ext));
		if (is_ext && !kind)
			return;
	}
	if (!kind)
		kind = probe_magics(&r, after_ext, ARRAY_LENGTH(after_ext));
	if (!kind && probe_zfs(&r))
		kind = "zfs";
	if (!kind && probe_md_at_end(&r)) // of RAID 1, when the file system before it was not found above
		kind = "md RAID";
	probe_explain(p, kind ? kind : "unknown");
}
