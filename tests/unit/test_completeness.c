// SPDX-License-Identifier: MIT
#include "ingest/completeness.h"
#include "tests/unit/unit.h"

static void add(struct completeness *c, enum gap_cause cause, uint64_t from_ns, uint64_t to_ns, uint64_t count, uint64_t first, uint64_t last)
{
	struct completeness_gap gap = { .cause = cause, .from_ns = from_ns, .to_ns = to_ns, .count = count, .first_serial = first, .last_serial = last };

	CHECK_EQUAL(gap_vector_append(&c->gaps, gap), 0);
}

static void test_loss(void)
{
	struct completeness c = { .bytes = 0 };

	CHECK(!completeness_loss_in(&c, 0, UINT64_MAX));
	add(&c, GAP_CONFIG, 100, 200, 1, 0, 0); // coverage, not loss
	CHECK(!completeness_loss_in(&c, 0, UINT64_MAX));
	add(&c, GAP_SERIALS_MISSING, 1000, 2000, 5, 10, 14);
	CHECK(completeness_loss_in(&c, 0, UINT64_MAX));
	CHECK(completeness_loss_in(&c, 1500, 1501));
	CHECK(completeness_loss_in(&c, 2000, 2001));
	CHECK(!completeness_loss_in(&c, 2001, 3000));
	CHECK(!completeness_loss_in(&c, 0, 1000)); // half open
	CHECK(completeness_loss_in(&c, 0, 1001));
	completeness_release(&c);
	CHECK_EQUAL(c.gaps.count, 0);
	c.rejected = 1;
	CHECK(completeness_loss_in(&c, 5, 6));
	c.rejected = 0;
	c.partial = 1;
	CHECK(completeness_loss_in(&c, 5, 6));
	c.partial = 0;
	c.duplicate = 1; // nothing is missing
	CHECK(!completeness_loss_in(&c, 5, 6));
	static const enum gap_cause losses[] = { GAP_SERIALS_MISSING, GAP_KERNEL_LOST, GAP_DAEMON_DOWN, GAP_REJECTED };

	for (size_t i = 0; i < 4; i++) {
		add(&c, losses[i], 10, 20, 1, 0, 0);
		CHECK(completeness_loss_in(&c, 10, 11));
		completeness_release(&c);
	}
}

static void test_sort(void)
{
	struct completeness c = { .bytes = 0 };

	completeness_sort_gaps(&c);
	CHECK_EQUAL(c.gaps.count, 0);
	add(&c, GAP_REJECTED, 300, 400, 2, 0, 0);
	add(&c, GAP_SERIALS_MISSING, 100, 200, 5, 10, 14);
	add(&c, GAP_SERIALS_MISSING, 100, 250, 1, 15, 15); // carries on
	add(&c, GAP_SERIALS_MISSING, 260, 270, 1, 17, 17); // does not
	add(&c, GAP_REJECTED, 350, 450, 3, 0, 0);          // touches
	add(&c, GAP_KERNEL_LOST, 350, 450, 3, 0, 0);
	add(&c, GAP_KERNEL_LOST, 360, 450, 4, 0, 0);       // each reading of the kernel's counter is its own
	add(&c, GAP_REJECTED, 451, 460, 1, 0, 0);
	completeness_sort_gaps(&c);
	CHECK_EQUAL(c.gaps.count, 6);
	CHECK_EQUAL(c.gaps.items[0].count, 6);
	CHECK_EQUAL(c.gaps.items[0].to_ns, 250);
	CHECK_EQUAL(c.gaps.items[0].last_serial, 15);
	CHECK_EQUAL(c.gaps.items[1].first_serial, 17);
	CHECK_EQUAL(c.gaps.items[2].cause, GAP_REJECTED);
	for (size_t i = 1; i < c.gaps.count; i++)
		CHECK(c.gaps.items[i - 1].from_ns <= c.gaps.items[i].from_ns);
	completeness_release(&c);
}

int main(void)
{
	test_loss();
	test_sort();
	return unit_end();
}
