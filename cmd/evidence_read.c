// SPDX-License-Identifier: MIT
// Contents out of the histories into the folder: one question per volume. A reader that dies of one file is asked for the others again.
#include "cmd/evidence_parts.h"

#include "base/fileio.h"
#include "base/interrupts.h"
#include "base/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_DEATHS 16u // our limit: so often a volume's reader is asked again after it died
#define MAX_FILE_BYTES (UINT64_C(4) << 30) /* as disk cat has it without --max-bytes */

struct reading {
	struct evidence *e;
	struct u32_vector asked; // contents, in the order in which they come
	size_t next;             // place in asked
	int fd;                  // of the file that is written; -1
	bool own_trouble;        // the folder cannot be written: not the disk's fault
};

static struct evidence_content *content_at(const struct reading *r, size_t index)
{
	return &r->e->contents.items[r->asked.items[index]];
}

// ---- one file

static int open_file(struct reading *r, struct evidence_content *c, struct error *err)
{
	if (r->fd >= 0)
		return 0;
	(void)snprintf(c->name, sizeof(c->name), "n0-content-%" PRIu32 ".bin", r->asked.items[r->next]); // until its moment is known
	return evidence_folder_create(&r->e->folder, c->name, &r->fd, err);
}

static void drop_file(struct reading *r, struct evidence_content *c)
{
	if (r->fd >= 0)
		(void)close(r->fd);
	r->fd = -1;
	if (c->name[0] != '\0')
		evidence_folder_remove(&r->e->folder, c->name);
	c->name[0] = '\0';
}

static int write_at(int fd, const char *name, uint64_t offset, const uint8_t *bytes, size_t length, struct error *err)
{
	if (lseek(fd, (off_t)offset, SEEK_SET) < 0) // what is left out in between reads as zeros
		return error_set_errno(err, errno, "%s: cannot reach byte %" PRIu64, name, offset);
	return fileio_write_fd(fd, bytes, length, name, err);
}

static int on_data(void *context, size_t wish, uint64_t offset, const void *bytes, size_t length, struct error *err)
{
	struct reading *r = context;
	struct evidence_content *c = content_at(r, r->next);

	(void)wish;
	if (interrupts_waiting())
		return error_set(err, "interrupted");
	r->own_trouble = open_file(r, c, err) < 0 || write_at(r->fd, c->name, offset, bytes, length, err) < 0;
	return r->own_trouble ? -1 : 0;
}

// The same bytes again need no second file.
static void find_same(struct reading *r, struct evidence_content *c)
{
	size_t own = r->asked.items[r->next];

	c->same_as = own;
	for (size_t i = 0; i < r->e->contents.count; i++) {
		const struct evidence_content *o = &r->e->contents.items[i];

		if (i == own || o->name[0] == '\0' || o->answer.file.size_bytes != c->answer.file.size_bytes || strcmp(o->answer.sha256, c->answer.sha256) != 0)
			continue;
		drop_file(r, c);
		c->same_as = i;
		return;
	}
}

static int finish_file(struct reading *r, struct evidence_content *c, struct error *err)
{
	if (open_file(r, c, err) < 0) // one without content
		return -1;
	if (ftruncate(r->fd, (off_t)c->answer.file.size_bytes) < 0)
		return error_set_errno(err, errno, "%s: cannot make it %" PRIu64 " bytes long", c->name, c->answer.file.size_bytes);
	int result = close(r->fd);

	r->fd = -1;
	if (result < 0)
		return error_set_errno(err, errno, "%s: cannot be written", c->name);
	find_same(r, c);
	return 0;
}

static int on_end(void *context, const struct contents_answer *answer, struct error *err)
{
	struct reading *r = context;
	struct evidence_content *c = content_at(r, r->next);

	c->answered = true;
	c->answer = *answer;
	c->answer.file.path = NULL;
	c->answer.file.target = answer->file.target ? strdup(answer->file.target) : NULL; // the answer's own goes away
	if (!answer->whole)
		drop_file(r, c);
	else
		r->own_trouble = finish_file(r, c, err) < 0;
	r->next++;
	return r->own_trouble ? -1 : 0;
}

// ---- the questions

// The order in which contents_read() goes, so that the one in work is known when the reader dies of it.
static int compare_contents(const void *a, const void *b, void *context)
{
	const struct evidence *e = context;
	const struct contents_wish *x = &e->contents.items[*(const uint32_t *)a].wish, *y = &e->contents.items[*(const uint32_t *)b].wish;

	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	return *(const uint32_t *)a < *(const uint32_t *)b ? -1 : 1;
}

static int collect(struct reading *r, const struct witness_volume *v, struct error *err)
{
	struct evidence *e = r->e;

	for (size_t i = 0; i < e->contents.count; i++) {
		if (e->contents.items[i].volume == v && !e->contents.items[i].answered && u32_vector_append(&r->asked, (uint32_t)i) < 0)
			return error_set(err, "out of memory");
	}
	if (r->asked.count > 1)
		qsort_r(r->asked.items, r->asked.count, sizeof(*r->asked.items), compare_contents, e);
	return 0;
}

// Everything from r->next on. The order is kept: wishes are sorted.
static int ask(struct reading *r, struct witness_volume *v, struct error *err)
{
	size_t first = r->next, count = r->asked.count - first;
	struct contents_visit visit = {.data = on_data, .end = on_end, .context = r};

	if (count > CONTENTS_MAX_WISHES)
		count = CONTENTS_MAX_WISHES;
	struct contents_wish *wishes AUTO_FREE = malloc((count + !count) * sizeof(*wishes));

	if (!wishes) {
		r->own_trouble = true;
		return error_set(err, "out of memory");
	}
	for (size_t i = 0; i < count; i++) {
		wishes[i] = content_at(r, first + i)->wish;
		wishes[i].max_bytes = MAX_FILE_BYTES;
	}
	return contents_read(&v->file, wishes, count, &visit, err);
}

static void give_up(struct reading *r, const struct error *reason)
{
	struct evidence_content *c = content_at(r, r->next++);

	drop_file(r, c);
	c->answered = true;
	c->answer = (struct contents_answer){.reason = *reason};
}

static int read_volume(struct evidence *e, struct witness_volume *v, struct error *err)
{
	struct reading r = {.e = e, .fd = -1};
	struct error reason = {""};
	unsigned deaths = 0;
	int result = collect(&r, v, err);

	while (result == 0 && r.next < r.asked.count) {
		if (ask(&r, v, &reason) == 0)
			continue;
		if (r.own_trouble || interrupts_waiting()) {
			if (r.next < r.asked.count)
				drop_file(&r, content_at(&r, r.next));
			result = error_set(err, "%s", reason.message);
			break;
		}
		if (r.next < r.asked.count) // what it died of
			give_up(&r, &reason);
		while (++deaths >= MAX_DEATHS && r.next < r.asked.count)
			give_up(&r, &reason);
	}
	u32_vector_release(&r.asked);
	return result;
}

int evidence_read(struct evidence *e, struct error *err)
{
	for (size_t i = 0; i < e->witness->count; i++) {
		if (read_volume(e, &e->witness->volumes[i], err) < 0)
			return -1;
	}
	return 0;
}
