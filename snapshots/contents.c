// SPDX-License-Identifier: MIT
// The asking side: wishes are sorted into the order of time, the answer must come in that order, and nothing in it is believed.
#include "snapshots/contents.h"

#include "base/memory.h"
#include "snapshots/fs_verdict.h"
#include "snapshots/fsread.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBERS_OF_WISH 4u
#define SENTENCE_BYTES 900u
#define MAX_HOLES_BYTES (UINT64_C(64) << 30) /* our limit for zeros that are digested: about a minute. A guest makes a hole for nothing */

enum expected { WISH_NEXT, FILE_NEXT, CONTENT_NEXT, WHOLE_NEXT };

struct reading {
	const struct contents_wish *wishes;
	const size_t *order;   // by which they were asked
	size_t count, next;    // next: place in order of the wish that is answered, or comes
	const struct contents_visit *visit;
	enum expected expected;
	struct contents_answer answer;
	EVP_MD_CTX *digest;
	uint64_t at, end;      // of the content that is to come
	uint64_t holes_bytes;  // digested up to now
	bool too_many_holes;
};

// ---- the digest

static int add_bytes(struct reading *r, const void *bytes, size_t length, struct error *err)
{
	return EVP_DigestUpdate(r->digest, bytes, length) == 1 ? 0 : error_set(err, "cannot compute a digest");
}

// Zeros up to `to`.
static int add_hole(struct reading *r, uint64_t to, struct error *err)
{
	static const uint8_t zeros[65536];

	r->too_many_holes |= to - r->at > MAX_HOLES_BYTES - r->holes_bytes;
	if (r->too_many_holes) {
		r->at = to;
		return 0;
	}
	r->holes_bytes += to - r->at;
	while (r->at < to) {
		size_t step = to - r->at < sizeof(zeros) ? (size_t)(to - r->at) : sizeof(zeros);

		if (add_bytes(r, zeros, step, err) < 0)
			return -1;
		r->at += step;
	}
	return 0;
}

static int finish_digest(struct reading *r, struct error *err)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	if (EVP_DigestFinal_ex(r->digest, digest, &length) != 1 || length != 32)
		return error_set(err, "cannot compute a digest");
	for (unsigned i = 0; i < length; i++)
		(void)snprintf(r->answer.sha256 + 2 * (size_t)i, 3, "%02x", digest[i]);
	return 0;
}

// ---- frames

static int lies(struct error *err, const char *how)
{
	return error_set(err, "provgraph-fsread: the answer %s", how);
}

static const struct contents_wish *present_wish(const struct reading *r)
{
	return &r->wishes[r->order[r->next]];
}

static int take_wish(struct reading *r, struct wire_reader reader, struct error *err)
{
	uint64_t number = wire_get_u64(&reader), there = wire_get_u64(&reader);

	if (wire_end(&reader, "a wish", err) < 0)
		return -1;
	if (r->expected != WISH_NEXT || r->next >= r->count || number != r->next || there > 1)
		return lies(err, "goes on with another wish than the next");
	r->answer = (struct contents_answer){.wish = r->order[r->next], .there = there};
	r->expected = there ? FILE_NEXT : WHOLE_NEXT;
	return 0;
}

static int take_file(struct reading *r, struct wire_reader reader, struct error *err)
{
	const struct contents_wish *wish = present_wish(r);
	struct fs_file *file = &r->answer.file;

	if (r->expected != FILE_NEXT)
		return lies(err, "has a file that nobody asked for");
	if (fs_file_get(&reader, file, err) < 0 || wire_end(&reader, "a file", err) < 0)
		return -1;
	if (file->inode != wish->inode || (wish->has_generation && file->generation != wish->generation))
		return lies(err, "is about another file than the one that was asked for");
	if (EVP_DigestInit_ex(r->digest, EVP_sha256(), NULL) != 1)
		return error_set(err, "cannot compute a digest");
	r->at = 0;
	r->end = file->kind != FS_REGULAR ? 0 : wish->max_bytes > 0 && wish->max_bytes < file->size_bytes ? wish->max_bytes : file->size_bytes;
	r->too_many_holes = false;
	r->expected = CONTENT_NEXT;
	return 0;
}

static int take_data(struct reading *r, const void *payload, size_t length, struct error *err)
{
	uint64_t offset;
	const uint8_t *bytes;
	size_t count;

	if (r->expected != CONTENT_NEXT)
		return lies(err, "has content without a file");
	if (fsread_get_piece(payload, length, &offset, &bytes, &count, err) < 0)
		return -1;
	if (offset < r->at || offset > r->end || count > r->end - offset)
		return lies(err, "has content out of order or beyond the end of the file");
	if (add_hole(r, offset, err) < 0 || add_bytes(r, bytes, count, err) < 0)
		return -1;
	r->at += count;
	return r->visit->data && count > 0 ? r->visit->data(r->visit->context, r->answer.wish, offset, bytes, count, err) : 0;
}

static int take_verdict(struct reading *r, struct wire_reader reader, struct error *err)
{
	struct contents_answer *a = &r->answer;
	struct fs_verdict v;

	if (r->expected != CONTENT_NEXT)
		return lies(err, "has a verdict without content");
	if (fs_verdict_get(&reader, &v, err) < 0)
		return -1;
	bool pending = v.kind == FS_PENDING;

	if ((!pending && v.kind != FS_ON_DISK) || (pending && v.pending_bytes == 0) || v.pending_from > a->file.size_bytes ||
	    v.pending_bytes > a->file.size_bytes - v.pending_from || (v.complete_seq != 0 && v.complete_seq <= present_wish(r)->seq))
		return lies(err, "has a verdict that makes no sense");
	a->judged = true;
	a->pending_bytes = pending ? v.pending_bytes : 0;
	a->pending_from = pending ? v.pending_from : 0;
	a->complete_seq = pending ? v.complete_seq : 0;
	a->complete_ns = pending ? v.complete_ns : 0;
	r->expected = WHOLE_NEXT;
	return 0;
}

// Why the content is not whole, in the order in which it counts. reason: of the other side. Not to be there is no trouble and needs none.
static int judge_whole(struct reading *r, const char *reason, struct error *err)
{
	struct contents_answer *a = &r->answer;

	if (reason[0] != '\0')
		(void)error_set(&a->reason, "%s", reason);
	else if (!a->there)
		return 0;
	else if (a->file.kind != FS_REGULAR)
		(void)error_set(&a->reason, "is a %s and has no content", fs_kind_name(a->file.kind));
	else if (r->end < a->file.size_bytes)
		(void)error_set(&a->reason, "has %" PRIu64 " bytes, and %" PRIu64 " were asked for", a->file.size_bytes, r->end);
	else if (add_hole(r, r->end, err) < 0)
		return -1;
	else if (r->too_many_holes)
		(void)error_set(&a->reason, "its holes are larger than what is looked at");
	else
		a->whole = true;
	return a->whole ? finish_digest(r, err) : 0;
}

static int take_whole(struct reading *r, struct wire_reader reader, struct error *err)
{
	char *reason AUTO_FREE = wire_get_string(&reader, SENTENCE_BYTES);

	if (wire_end(&reader, "the end of a content", err) < 0)
		return -1;
	if (r->expected != CONTENT_NEXT && r->expected != WHOLE_NEXT)
		return lies(err, "ends a content that it did not begin");
	if (judge_whole(r, reason ? reason : "", err) < 0)
		return -1;
	int result = r->visit->end ? r->visit->end(r->visit->context, &r->answer, err) : 0;

	fs_file_release(&r->answer.file);
	r->next++;
	r->expected = WISH_NEXT;
	return result;
}

static int on_frame(void *context, uint32_t type, const void *payload, size_t length, struct error *err)
{
	struct reading *r = context;

	switch (type) {
	case FSREAD_FRAME_WISH:
		return take_wish(r, wire_read(payload, length), err);
	case FSREAD_FRAME_FILE:
		return take_file(r, wire_read(payload, length), err);
	case FSREAD_FRAME_DATA:
		return take_data(r, payload, length, err);
	case FSREAD_FRAME_VERDICT:
		return take_verdict(r, wire_read(payload, length), err);
	case FSREAD_FRAME_WHOLE:
		return take_whole(r, wire_read(payload, length), err);
	default:
		return error_set(err, "provgraph-fsread: sent a frame of kind %" PRIu32 " that nobody asked for", type);
	}
}

// ---- the question

static int compare_wishes(const void *a, const void *b, void *context)
{
	const struct contents_wish *wishes = context, *x = &wishes[*(const size_t *)a], *y = &wishes[*(const size_t *)b];

	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	return *(const size_t *)a < *(const size_t *)b ? -1 : 1;
}

static void put_list(const struct reading *r, uint64_t *list, struct fsread_question *q)
{
	bool limited = true;

	for (size_t i = 0; i < r->count; i++) {
		const struct contents_wish *wish = &r->wishes[r->order[i]];

		list[NUMBERS_OF_WISH * i] = wish->seq;
		list[NUMBERS_OF_WISH * i + 1] = wish->inode;
		list[NUMBERS_OF_WISH * i + 2] = wish->has_generation ? wish->generation : UINT64_MAX;
		list[NUMBERS_OF_WISH * i + 3] = wish->max_bytes;
		q->to_seq = wish->seq;
		limited &= wish->max_bytes > 0 && !__builtin_add_overflow(q->max_bytes, wish->max_bytes, &q->max_bytes);
	}
	if (!limited)
		q->max_bytes = 0;
	q->list = list;
	q->list_count = NUMBERS_OF_WISH * r->count;
}

static int ask(const struct timeline_file *volume, struct reading *r, uint64_t *list, struct error *err)
{
	struct fsread_question q = {.job = FSREAD_CONTENTS, .history = volume->history, .partition = volume->partition};
	struct fsread_answer answer = {0};

	put_list(r, list, &q);
	int result = fsread_ask(&q, on_frame, r, &answer, err);

	if (volume->warnings && answer.warnings.length > 0)
		buffer_add(volume->warnings, answer.warnings.bytes, answer.warnings.length);
	buffer_release(&answer.warnings);
	if (result == 0 && (r->next != r->count || r->expected != WISH_NEXT))
		result = lies(err, "is not whole");
	return result;
}

int contents_read(const struct timeline_file *volume, const struct contents_wish *wishes, size_t count, const struct contents_visit *visit, struct error *err)
{
	struct reading r = {.wishes = wishes, .count = count, .visit = visit};

	if (count == 0)
		return 0;
	if (count > CONTENTS_MAX_WISHES)
		return error_set(err, "%zu contents are more than one question takes (%u)", count, CONTENTS_MAX_WISHES);
	size_t *order AUTO_FREE = malloc(count * sizeof(*order));
	uint64_t *list AUTO_FREE = malloc(count * NUMBERS_OF_WISH * sizeof(*list));

	r.digest = EVP_MD_CTX_new();
	if (!order || !list || !r.digest) {
		EVP_MD_CTX_free(r.digest);
		return error_set(err, "out of memory");
	}
	for (size_t i = 0; i < count; i++)
		order[i] = i;
	qsort_r(order, count, sizeof(*order), compare_wishes, (void *)(uintptr_t)wishes);
	r.order = order;
	int result = ask(volume, &r, list, err);

	EVP_MD_CTX_free(r.digest);
	fs_file_release(&r.answer.file);
	return result;
}
