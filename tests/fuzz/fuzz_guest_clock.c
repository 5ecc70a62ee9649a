// SPDX-License-Identifier: MIT
// A guest's clock out of whatever its root writes: any samples give pieces that cover all time in order, and every lookup stays in bounds; any
// bytes are searched for stamps.
//
// Input: u8 source, then for each sample u32 ms since the one before, u16 microseconds of delay, u64 stamp, u8 epoch (1: another one).
#include "base/bytes.h"
#include "base/nanotime.h"
#include "snapshots/fs_clock.h"

#include <stdlib.h>

#define SAMPLE_BYTES 15u
#define START UINT64_C(1795252951000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_up(const struct timeline_clock *c, uint64_t time_ns)
{
	uint64_t other, error;
	int64_t offset;

	(void)timeline_clock_at(c, time_ns, &offset, &error);
	(void)timeline_clock_to_guest(c, time_ns, &other, &error);
	(void)timeline_clock_to_host(c, time_ns, &other, &error);
}

static void check(const struct timeline_clock *c, const struct guest_clock_samples *samples)
{
	for (size_t i = 0; i < c->pieces.count; i++) {
		const struct timeline_clock_piece *p = &c->pieces.items[i];

		if (p->from_ns != (i == 0 ? 0 : p[-1].to_ns) || p->from_ns >= p->to_ns || (i + 1 == c->pieces.count && p->to_ns != NANOTIME_NONE))
			abort();
		look_up(c, p->from_ns);
		look_up(c, p->base_ns);
		look_up(c, p->sampled_to_ns);
	}
	for (size_t i = 0; i < samples->count; i++) {
		look_up(c, samples->items[i].host_ns);
		look_up(c, samples->items[i].guest_ns);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct guest_clock_samples samples = {0};
	struct u64_vector epochs = {0};
	struct timeline_clock clock = {0};
	uint64_t host = START, ns, serial;
	uint32_t epoch = 0;
	struct error err;

	(void)fs_clock_stamp(data, size, &ns, &serial);
	if (size < 1 || u64_vector_append(&epochs, START) < 0)
		return 0;
	for (size_t at = 1; at + SAMPLE_BYTES <= size && samples.count < 4096; at += SAMPLE_BYTES) {
		const uint8_t *p = data + at;
		struct guest_clock_sample s = {.guest_ns = get_le64(p + 6)};

		host += (uint64_t)get_le32(p) * 1000000;
		if (p[14] == 1) {
			epoch++;
			host -= host > START ? START / 1000 : 0; // put back
			if (u64_vector_append(&epochs, host) < 0)
				abort();
		}
		s.host_ns = host;
		s.epoch = epoch;
		s.not_before_ns = p[14] & 2 ? 0 : host - (uint64_t)get_le16(p + 4) * 1000;
		if (guest_clock_sample_holds(&s) && guest_clock_samples_append(&samples, s) < 0)
			abort();
	}
	if (guest_clock_fit(&samples, &epochs, data[0] & 1 ? TIMELINE_CLOCK_AUDIT : TIMELINE_CLOCK_JOURNAL, &clock, &err) < 0)
		abort();
	check(&clock, &samples);
	timeline_clock_release(&clock);
	u64_vector_release(&epochs);
	guest_clock_samples_release(&samples);
	return 0;
}
