// SPDX-License-Identifier: MIT
// GUID partition table (UEFI specification, section 5.3), little endian. The header is sector 1, its backup the disk's last sector:
//      0  "EFI PART"                    72  u64 first sector of the entries
//     12  u32 header size               80  u32 number of entries
//     16  u32 CRC-32 of the header      84  u32 bytes per entry
//     24  u64 own sector                88  u32 CRC-32 of all entries
// Entry: 0 type GUID (zeros: unused), 32 u64 first sector, 40 u64 last sector.
#include "snapshots/partition_table.h"

#include "base/bytes.h"
#include "base/memory.h"

#include <string.h>
#include <zlib.h>

#define HEADER_BYTES 92u
#define MAX_ENTRIES 1024u     // our limit; usual are 128
#define MAX_ENTRY_BYTES 4096u // our limit; usual are 128

static uint32_t crc32_of(const uint8_t *bytes, size_t length)
{
	return (uint32_t)crc32(crc32(0, NULL, 0), bytes, (uInt)length);
}

static bool header_holds(uint8_t *header, uint32_t sector_bytes, uint64_t sector)
{
	uint32_t size = get_le32(header + 12), crc = get_le32(header + 16), entries = get_le32(header + 80), entry_bytes = get_le32(header + 84);

	if (memcmp(header, "EFI PART", 8) != 0 || size < HEADER_BYTES || size > sector_bytes || get_le64(header + 24) != sector)
		return false;
	put_le32(header + 16, 0);
	return crc32_of(header, size) == crc && entries <= MAX_ENTRIES && entry_bytes >= 128 && entry_bytes <= MAX_ENTRY_BYTES;
}

static int entries_add(const struct partition_disk *d, uint32_t sector_bytes, const uint8_t *header, const uint8_t *entries,
		       struct partition_vector *out, struct error *err)
{
	static const uint8_t unused[16];
	uint32_t count = get_le32(header + 80), entry_bytes = get_le32(header + 84);
	uint64_t sectors = d->bytes / sector_bytes;

	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *e = entries + (size_t)i * entry_bytes;
		uint64_t first = get_le64(e + 32), last = get_le64(e + 40);

		if (memcmp(e, unused, sizeof(unused)) == 0 || first > last || first >= sectors)
			continue;
		if (last >= sectors)
			last = sectors - 1;
		if (partition_add(d, out, i + 1, first * sector_bytes, (last - first + 1) * sector_bytes, err) < 0)
			return -1;
	}
	return 0;
}

static int gpt_at(const struct partition_disk *d, uint32_t sector_bytes, uint64_t sector, bool *ret_found, struct partition_vector *out,
		  struct error *err)
{
	uint8_t header[PARTITION_MAX_SECTOR_BYTES], *entries AUTO_FREE = NULL;
	uint64_t sectors = d->bytes / sector_bytes, start;
	size_t bytes;

	if (sector >= sectors)
		return 0;
	if (d->read(d->context, sector * sector_bytes, header, sector_bytes, err) < 0)
		return -1;
	if (!header_holds(header, sector_bytes, sector))
		return 0;
	bytes = (size_t)get_le32(header + 80) * get_le32(header + 84);
	start = get_le64(header + 72);
	if (start >= sectors || bytes > d->bytes - start * sector_bytes)
		return 0;
	entries = malloc(bytes ? bytes : 1);
	if (!entries)
		return error_set(err, "out of memory");
	if (d->read(d->context, start * sector_bytes, entries, bytes, err) < 0)
		return -1;
	if (crc32_of(entries, bytes) != get_le32(header + 88))
		return 0;
	*ret_found = true;
	return entries_add(d, sector_bytes, header, entries, out, err);
}

int partition_gpt(const struct partition_disk *d, uint32_t sector_bytes, bool *ret_found, struct partition_vector *out, struct error *err)
{
	*ret_found = false;
	if (gpt_at(d, sector_bytes, 1, ret_found, out, err) < 0)
		return -1;
	return *ret_found || d->bytes < 2 * sector_bytes ? 0 : gpt_at(d, sector_bytes, d->bytes / sector_bytes - 1, ret_found, out, err);
}
