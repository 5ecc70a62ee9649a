// SPDX-License-Identifier: MIT
// inline_data: small content lies in i_block, and what does not fit there in the attribute "system.data" behind the inode's fields.
// Layout: Linux fs/ext4/xattr.h (struct ext4_xattr_ibody_header, ext4_xattr_entry), fs/ext4/inline.c.
#include "snapshots/fs_ext_parts.h"

#include "base/bytes.h"

#include <string.h>

#define ATTRIBUTE_MAGIC 0xEA020000u
#define ATTRIBUTE_ENTRY_BYTES 16
#define NAME_INDEX_SYSTEM 7 // EXT4_XATTR_INDEX_SYSTEM

// The value of system.data in the space behind the fields. False: there is none (fine, the content fits into i_block) or it is damaged.
static bool find_value(const uint8_t *bytes, size_t length, const uint8_t **ret, size_t *ret_length, bool *ret_damaged)
{
	size_t at = INODE_BASE_BYTES;

	*ret_damaged = false;
	if (length < INODE_BASE_BYTES + 4)
		return false;
	at += get_le16(bytes + 0x80); // i_extra_isize
	if (at + 4 > length || get_le32(bytes + at) != ATTRIBUTE_MAGIC)
		return false;
	at += 4;
	const uint8_t *base = bytes + at;
	size_t space = length - at, entry = 0;

	while (entry + ATTRIBUTE_ENTRY_BYTES <= space && get_le32(base + entry) != 0) {
		size_t name_length = base[entry], value_at = get_le16(base + entry + 2), value_bytes = get_le32(base + entry + 8);

		if (name_length > space - entry - ATTRIBUTE_ENTRY_BYTES)
			break;
		if (base[entry + 1] == NAME_INDEX_SYSTEM && name_length == 4 && memcmp(base + entry + ATTRIBUTE_ENTRY_BYTES, "data", 4) == 0) {
			// A value in an inode of its own (value_inum) is never used for inline data.
			*ret_damaged = get_le32(base + entry + 4) != 0 || value_at > space || value_bytes > space - value_at;
			*ret = base + value_at;
			*ret_length = value_bytes;
			return !*ret_damaged;
		}
		entry += (ATTRIBUTE_ENTRY_BYTES + name_length + 3) & ~(size_t)3;
	}
	return false;
}

int fs_ext_inline_of(const uint8_t *bytes, size_t length, struct buffer *out, bool *ret_inline, struct error *err)
{
	const uint8_t *value = NULL;
	size_t value_bytes = 0;
	bool damaged;

	if (length < INODE_BASE_BYTES || !(get_le32(bytes + 0x20) & INODE_FLAG_INLINE))
		return 0;
	(void)find_value(bytes, length, &value, &value_bytes, &damaged);
	uint64_t size = get_le32(bytes + 0x04) | (uint64_t)get_le32(bytes + 0x6C) << 32;

	if (damaged || size > INODE_BLOCK_BYTES + value_bytes)
		return error_set(err, "an inode with its content inside is damaged: the content is not there in full");
	buffer_add(out, bytes + INODE_BLOCK_AT, size < INODE_BLOCK_BYTES ? (size_t)size : INODE_BLOCK_BYTES);
	if (size > INODE_BLOCK_BYTES)
		buffer_add(out, value, (size_t)(size - INODE_BLOCK_BYTES));
	*ret_inline = true;
	return buffer_check(out, err);
}
