// SPDX-License-Identifier: MIT
#include "snapshots/base_image.h"
#include "snapshots/history_verify_inside.h"

int verify_base(struct verify *v, struct error *err)
{
	struct base_image *base;
	struct error reason;

	if (!v->has_base)
		return 0;
	if (base_image_open(v->folder, &base, &reason) < 0)
		return verify_add_damage(v, "base", 0, reason.message, err);
	int result = 0;
	uint64_t size = base_image_size(base);

	for (uint64_t at = 0; result == 0 && at < size; at += BASE_CHUNK_BYTES) {
		uint8_t byte;

		if (base_image_read(base, at, &byte, 1, &reason) < 0)
			result = verify_add_damage(v, "base", at, reason.message, err);
	}
	base_image_free(base);
	return result;
}
