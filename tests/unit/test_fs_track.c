// SPDX-License-Identifier: MIT
// What a change means, which states waited for content, names in folder blocks, the table, the records between both programs.
#include "snapshots/fs_table.h"
#include "snapshots/fs_track.h"
#include "snapshots/timeline_wire.h"

#include "base/bytes.h"
#include "tests/unit/unit.h"

static void check_class(struct fs_track_seen seen, unsigned change, uint64_t from, uint64_t to)
{
	uint64_t got_from, got_to;

	CHECK_EQUAL(fs_track_classify(&seen, &got_from, &got_to), change);
	CHECK_EQUAL(got_from, from);
	CHECK_EQUAL(got_to, to);
}

static void test_classify(void)
{
	struct fs_track_seen none = {.old_size = 10, .new_size = 10, .same_metadata = true, .within_patience = true};
	struct fs_track_seen seen = none;

	check_class(none, 0, 0, 0);
	seen.same_metadata = false;
	check_class(seen, TIMELINE_METADATA, 0, 0);
	seen.new_size = 15;
	check_class(seen, TIMELINE_GREW, 10, 15);
	seen.new_size = 4;
	check_class(seen, TIMELINE_CUT, 4, 10);
	seen = none;
	seen.content_differs = true;
	seen.content_from = 3;
	seen.content_to = 5;
	check_class(seen, TIMELINE_REWRITTEN, 3, 5);
	seen.old_was_nul = true;
	check_class(seen, TIMELINE_ARRIVED, 3, 5);
	seen.within_patience = false; // NUL bytes that were there for long are content
	check_class(seen, TIMELINE_REWRITTEN, 3, 5);
	seen.new_size = 20;
	check_class(seen, TIMELINE_REWRITTEN | TIMELINE_GREW, 3, 20);
}

static void test_compare(void)
{
	struct fs_content_change seen = {.old_was_nul = true};
	const uint8_t a[6] = {1, 0, 0, 2, 0, 3}, b[6] = {1, 5, 0, 2, 6, 3};

	fs_content_compare(&seen, a, a, 6, 100);
	CHECK(!seen.any);
	fs_content_compare(&seen, a, b, 6, 100);
	CHECK(seen.any && seen.old_was_nul);
	CHECK_EQUAL(seen.from, 101);
	CHECK_EQUAL(seen.to, 105);
	fs_content_compare(&seen, b, a, 6, 50);
	CHECK(!seen.old_was_nul);
	CHECK_EQUAL(seen.from, 51);
	CHECK_EQUAL(seen.to, 105);
	fs_content_clip(&seen, 103);
	CHECK_EQUAL(seen.to, 103);
	fs_content_clip(&seen, 51);
	CHECK(!seen.any);
}

static void test_pending(void)
{
	struct timeline_states states = {0};
	struct fs_track_extras extras = {0};
	const struct { uint64_t size; unsigned change; } given[] = {
		{100, TIMELINE_APPEARED}, {133, TIMELINE_GREW}, {133, TIMELINE_METADATA}, {150, TIMELINE_GREW},
	};

	for (size_t i = 0; i < 4; i++) {
		struct timeline_state s = {.inode = 12, .size_bytes = given[i].size, .change = given[i].change, .seq = i + 1};

		CHECK_EQUAL(timeline_states_append(&states, s), 0);
		CHECK_EQUAL(fs_track_extras_append(&extras, (struct fs_track_extra){0}), 0);
	}
	fs_track_mark_pending(&states, &extras, 100, 150, 9, 900);
	CHECK_EQUAL(states.items[3].pending_bytes, 50);
	CHECK_EQUAL(states.items[2].pending_bytes, 33);
	CHECK_EQUAL(states.items[1].pending_bytes, 33);
	CHECK_EQUAL(states.items[0].pending_bytes, 0);
	CHECK_EQUAL(extras.items[1].complete_seq, 9);
	CHECK_EQUAL(extras.items[1].pending_from, 100);
	// Nothing from before a rewriting waited for it.
	states.items[2].change = TIMELINE_REWRITTEN;
	fs_track_mark_pending(&states, &extras, 100, 110, 10, 1000);
	CHECK_EQUAL(states.items[2].pending_bytes, 43);
	CHECK_EQUAL(states.items[1].pending_bytes, 33);
	timeline_states_release(&states);
	fs_track_extras_release(&extras);
}

struct found { char names[256]; };

static int note_name(void *context, const void *name, size_t length, uint64_t inode)
{
	struct found *f = context;
	size_t at = strlen(f->names);

	(void)snprintf(f->names + at, sizeof(f->names) - at, "%.*s=%u ", (int)length, (const char *)name, (unsigned)inode);
	return length == 4 && memcmp(name, "stop", 4) == 0;
}

static size_t put_entry(uint8_t *block, size_t at, uint32_t inode, uint16_t record, const char *name)
{
	put_le32(block + at, inode);
	put_le16(block + at + 4, record);
	block[at + 6] = (uint8_t)strlen(name);
	memcpy(block + at + 8, name, strlen(name));
	return at + record;
}

static void test_names(void)
{
	uint8_t block[1024] = {0};
	struct found found = {""};
	size_t at = put_entry(block, 0, 2, 12, ".");

	at = put_entry(block, at, 0, 16, "gone");
	at = put_entry(block, at, 14, 40, "auth.log");
	(void)put_entry(block, at, 15, (uint16_t)(1024 - at), "kept");
	CHECK_EQUAL(fs_names_scan(block, sizeof(block), note_name, &found), 0);
	CHECK_STRING(found.names, ".=2 auth.log=14 kept=15 ");
	memcpy(block + at + 8, "stop", 4);
	found.names[0] = '\0';
	CHECK_EQUAL(fs_names_scan(block, sizeof(block), note_name, &found), 1);
	// Records that are too short, too long, or shorter than their name end the block.
	for (unsigned record = 0; record < 2000; record++) {
		put_le16(block + 4, (uint16_t)record);
		found.names[0] = '\0';
		(void)fs_names_scan(block, sizeof(block), note_name, &found);
	}
	CHECK_EQUAL(fs_names_scan(block, 7, note_name, &found), 0);
}

static void test_table(void)
{
	struct fs_table t = {0};
	uint64_t value;

	CHECK(!fs_table_get(&t, 0, &value));
	for (uint64_t i = 0; i < 100000; i++)
		CHECK_EQUAL(fs_table_put(&t, i * i, i), 0);
	CHECK_EQUAL(fs_table_put(&t, 49, 1000), 0);
	CHECK_EQUAL(t.count, 100000);
	CHECK(fs_table_get(&t, 49, &value) && value == 1000);
	CHECK(fs_table_get(&t, 0, &value) && value == 0);
	CHECK(fs_table_get(&t, UINT64_C(99999) * 99999, &value) && value == 99999);
	CHECK(!fs_table_get(&t, 50, &value));
	fs_table_release(&t);
}

// Round trip, and every shorter or longer payload is refused.
static void test_wire(void)
{
	struct timeline_state s = {.seq = 1, .arrival_ns = 2, .inode = 3, .generation = 4, .size_bytes = 5, .mtime_ns = 6, .ctime_ns = 7, .crtime_ns = 8,
				   .mode = 9, .uid = 10, .gid = 11, .links = 12, .change = 13, .changed_from = 14, .changed_to = 15, .pending_bytes = 16,
				   .from_journal = true, .tid = 17}, t;
	struct timeline_finding f = {.before_seq = 1, .seq = 2, .arrival_ns = 3, .change = 4, .offset = 5, .inode_before = 6, .inode_after = 7, .line = 8,
				     .lines_removed = 9, .lines_added = 10, .before = (char *)(uintptr_t)"ab\0c", .before_length = 4}, g;
	struct timeline_difference d = {.what = TIMELINE_SIZE, .path = (char *)(uintptr_t)"/x", .path_length = 2, .inode_before = 1, .inode_after = 2,
					.size_before = 3, .size_after = 4, .kind_before = 1, .kind_after = 2, .changed_ns = 5}, e;
	struct error err;

	for (unsigned kind = 0; kind < 3; kind++) {
		struct buffer out = {0};

		if (kind == 0)
			timeline_put_state(&out, &s);
		else if (kind == 1)
			timeline_put_finding(&out, &f);
		else
			timeline_put_difference(&out, &d);
		buffer_add_byte(&out, 0);
		for (size_t length = 0; length <= out.length; length++) {
			struct wire_reader r = wire_read(out.bytes, length);
			int want = length == out.length - 1 ? 0 : -1;

			if (kind == 0) {
				CHECK_EQUAL(timeline_get_state(&r, &t, &err), want);
			} else if (kind == 1) {
				CHECK_EQUAL(timeline_get_finding(&r, &g, &err), want);
				if (want == 0)
					CHECK(g.before_length == 4 && memcmp(g.before, "ab\0c", 4) == 0 && !g.after && g.lines_added == 10);
				timeline_finding_release(&g);
			} else {
				CHECK_EQUAL(timeline_get_difference(&r, &e, &err), want);
				CHECK(want != 0 || (e.what == TIMELINE_SIZE && strcmp(e.path, "/x") == 0 && e.changed_ns == 5));
				free(e.path);
			}
			if (kind == 0 && want == 0)
				CHECK(t.seq == 1 && t.crtime_ns == 8 && t.links == 12 && t.pending_bytes == 16 && t.from_journal && t.tid == 17);
		}
		buffer_release(&out);
	}
	// A kind of difference that there is not.
	struct buffer out = {0};

	d.what = (enum timeline_what)99;
	timeline_put_difference(&out, &d);
	struct wire_reader r = wire_read(out.bytes, out.length);
	CHECK_EQUAL(timeline_get_difference(&r, &e, &err), -1);
	buffer_release(&out);
}

// Nobody can take what the others need: of what is not sure at most half, the next half of the rest.
static void test_share(void)
{
	struct fs_track_share share = {.left = 100, .sure = 10}, whole = {.left = 100, .whole = true};
	uint64_t first = 0, second = 0, third = 0, alone = 0;

	while (fs_track_share_take(&share, &first, 1))
		;
	CHECK_EQUAL(first, 10 + 50);
	while (fs_track_share_take(&share, &second, 1))
		;
	CHECK_EQUAL(second, 10 + 25);
	CHECK(!fs_track_share_take(&share, &third, 1000));
	CHECK_EQUAL(third, 0);
	CHECK(fs_track_share_take(&share, &third, 12));
	CHECK_EQUAL(share.left, 100 - 50 - 25 - 2);
	CHECK(fs_track_share_take(&whole, &alone, 99) && fs_track_share_take(&whole, &alone, 1) && !fs_track_share_take(&whole, &alone, 1));
	CHECK(!fs_track_share_take(&whole, &alone, UINT64_MAX - 5));
}

int main(void)
{
	test_share();
	test_classify();
	test_compare();
	test_pending();
	test_names();
	test_table();
	test_wire();
	return unit_end();
}
