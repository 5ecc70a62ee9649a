// SPDX-License-Identifier: MIT
// Sector 0, and the first sector of each link of an extended partition's chain:
//    446  four entries of 16 bytes: 0 u8 boot flag, 4 u8 type, 8 u32 first sector, 12 u32 sectors (little endian)
//    510  0x55 0xaa
#include "snapshots/partition_table.h"

#include "base/bytes.h"

#include <string.h>

#define ENTRIES 446u
#define ENTRY_BYTES 16u
#define TYPE_PROTECTIVE 0xeeu
#define MAX_LINKS 100u // as block/partitions/msdos.c: ends chains that bite their tail

struct entry { uint8_t boot, type; uint64_t start, length; }; // bytes

static struct entry entry_decode(const uint8_t *sector, unsigned index, uint32_t sector_bytes)
{
	const uint8_t *e = sector + ENTRIES + ENTRY_BYTES * index;

	return (struct entry){e[0], e[4], (uint64_t)get_le32(e + 8) * sector_bytes, (uint64_t)get_le32(e + 12) * sector_bytes};
}

static bool entry_is_extended(const struct entry *e)
{
	return e->type == 0x05 || e->type == 0x0f || e->type == 0x85; // DOS, Windows 95 LBA, Linux
}

static bool has_signature(const uint8_t *sector)
{
	return sector[510] == 0x55 && sector[511] == 0xaa;
}

static int mbr_logical(const struct partition_disk *d, uint32_t sector_bytes, struct entry extended, struct partition_vector *out,
		       struct error *err)
{
	uint64_t link = extended.start;
	unsigned number = 5;

	for (unsigned links = 0; links < MAX_LINKS; links++) {
		uint8_t sector[512];
		bool found = false;

		if (link >= d->bytes || d->bytes - link < sizeof(sector))
			return 0;
		if (d->read(d->context, link, sector, sizeof(sector), err) < 0)
			return -1;
		if (!has_signature(sector))
			return 0;
		for (unsigned i = 0; i < 4; i++) {
			struct entry e = entry_decode(sector, i, sector_bytes);

			if (e.length == 0 || entry_is_extended(&e))
				continue;
			// Some programs leave the last two entries full of other things.
			if (i >= 2 && (e.start + e.length > extended.length || link + e.start + e.length > extended.start + extended.length))
				continue;
			if (partition_add(d, out, number++, link + e.start, e.length, err) < 0)
				return -1;
		}
		for (unsigned i = 0; i < 4 && !found; i++) {
			struct entry e = entry_decode(sector, i, sector_bytes);

			if (e.length != 0 && entry_is_extended(&e)) {
				found = true;
				link = extended.start + e.start;
			}
		}
		if (!found)
			return 0;
	}
	return 0;
}

// A FAT or NTFS boot sector has the signature, too, but code where the entries would be.
static enum mbr_state mbr_judge(const uint8_t *sector, uint32_t sector_bytes)
{
	bool any = false;

	if (!has_signature(sector))
		return MBR_NONE;
	for (unsigned i = 0; i < 4; i++) {
		struct entry e = entry_decode(sector, i, sector_bytes);

		if (e.boot != 0 && e.boot != 0x80)
			return MBR_NONE;
		if (e.type == TYPE_PROTECTIVE)
			return MBR_PROTECTIVE;
		any |= e.type != 0 && e.length != 0;
	}
	return any ? MBR_TABLE : MBR_NONE;
}

int partition_mbr(const struct partition_disk *d, uint32_t sector_bytes, enum mbr_state *ret, struct partition_vector *out,
		  struct error *err)
{
	uint8_t sector[512];
	bool extended_seen = false;

	*ret = MBR_NONE;
	if (d->bytes < sizeof(sector))
		return 0;
	if (d->read(d->context, 0, sector, sizeof(sector), err) < 0)
		return -1;
	*ret = mbr_judge(sector, sector_bytes);
	if (*ret != MBR_TABLE)
		return 0;
	for (unsigned i = 0; i < 4; i++) {
		struct entry e = entry_decode(sector, i, sector_bytes);

		if (e.type != 0 && e.length != 0 && !entry_is_extended(&e) && partition_add(d, out, i + 1, e.start, e.length, err) < 0)
			return -1;
	}
	for (unsigned i = 0; i < 4; i++) {
		struct entry e = entry_decode(sector, i, sector_bytes);

		if (e.length == 0 || !entry_is_extended(&e) || extended_seen)
			continue;
		extended_seen = true; // a second one would number its partitions after those of the first; no program makes it
		if (mbr_logical(d, sector_bytes, e, out, err) < 0)
			return -1;
	}
	return 0;
}
