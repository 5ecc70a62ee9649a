// SPDX-License-Identifier: MIT
// What is there: partitions, what journal replay changes, one file, a folder's entries.
#include "snapshots/fs_job.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int send_partition(struct fs_job *job, const struct partition *p, struct error *err)
{
	struct buffer payload AUTO_RELEASE_BUFFER = {0};

	wire_put_u64(&payload, p->number);
	wire_put_u64(&payload, p->start_bytes);
	wire_put_u64(&payload, p->length_bytes);
	wire_put_string(&payload, p->kind);
	wire_put_u64(&payload, p->readable);
	wire_put_string(&payload, p->reason);
	return fs_job_send(job, FSREAD_FRAME_PARTITION, &payload, err);
}

int fs_job_partitions(struct fs_job *job, struct error *err)
{
	struct partition_vector all = {0};
	struct disk_at *disk = NULL;

	job->failure = FSREAD_BROKEN;
	if (disk_at_open(job->history, job->question->to_seq, &disk, err) < 0)
		return -1;
	int result = fs_job_find_partitions(disk, &all, err);

	for (size_t i = 0; i < all.count && result == 0; i++)
		result = send_partition(job, &all.items[i], err);
	partition_vector_release(&all);
	disk_at_free(disk);
	return result;
}

// ---- patches

static int send_patch(void *context, uint64_t disk_offset, const uint8_t *bytes, size_t length, struct error *err)
{
	struct buffer payload AUTO_RELEASE_BUFFER = {0};

	wire_put_u64(&payload, disk_offset);
	wire_put_bytes(&payload, bytes, length);
	return fs_job_send(context, FSREAD_FRAME_PATCH, &payload, err);
}

static int send_journal(struct fs_job *job, const struct volume_journal *j, struct error *err)
{
	struct buffer payload AUTO_RELEASE_BUFFER = {0};

	wire_put_u64(&payload, j->present);
	wire_put_u64(&payload, j->dirty);
	wire_put_u64(&payload, j->transactions);
	wire_put_u64(&payload, j->blocks);
	wire_put_u64(&payload, j->revoked);
	wire_put_u64(&payload, j->escaped);
	wire_put_u64(&payload, j->damaged);
	return fs_job_send(job, FSREAD_FRAME_JOURNAL, &payload, err);
}

struct patching { struct fs_job *job; struct disk_at *disk; const struct partition_vector *all; size_t refused; struct error reason; };

// Of two partitions that share bytes, the table lies about one: they would be replayed into each other.
static bool overlaps_another(const struct partition_vector *all, const struct partition *p)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct partition *o = &all->items[i];

		if (o < p && o->readable && o->start_bytes < p->start_bytes + p->length_bytes && p->start_bytes < o->start_bytes + o->length_bytes)
			return true;
	}
	return false;
}

static int refuse_partition(struct patching *s, const struct partition *p, const char *reason, struct error *err)
{
	struct error text;

	s->refused++;
	(void)error_set(&s->reason, "%s", reason);
	(void)error_set(&text, "partition %u: its journal is not replayed, and it is as the disk has it: %s", p->number, reason);
	return fs_job_warn(s->job, text.message, err);
}

// A journal that cannot be replayed is no reason to hide the other partitions.
static int patch_partition(struct patching *s, const struct partition *p, struct error *err)
{
	struct volume *volume;
	struct error reason;

	if (overlaps_another(s->all, p))
		return refuse_partition(s, p, "it overlaps another partition", err);
	if (volume_open(s->disk, p, true, &volume, &reason) < 0)
		return refuse_partition(s, p, reason.message, err);
	int result = send_journal(s->job, volume_journal_of(volume), err);

	if (result == 0)
		result = fs_job_warn_journal(s->job, p, volume_journal_of(volume), err);
	if (result == 0)
		result = volume_patches(volume, send_patch, s->job, err);
	volume_free(volume);
	return result;
}

// Of the partition that is asked for, or of all of them: a view serves the whole disk.
int fs_job_patches(struct fs_job *job, struct error *err)
{
	struct partition_vector all = {0};
	struct patching s = {.job = job, .all = &all};
	int wanted = job->question->partition;

	job->failure = FSREAD_BROKEN;
	if (disk_at_open(job->history, job->question->to_seq, &s.disk, err) < 0)
		return -1;
	int result = fs_job_find_partitions(s.disk, &all, err);

	for (size_t i = 0; i < all.count && result == 0; i++) {
		const struct partition *p = &all.items[i];

		if (p->readable && (wanted < 0 || p->number == (unsigned)wanted))
			result = patch_partition(&s, p, err);
	}
	// Nothing else is there to see: whoever wants the disk as it lies asks for that.
	if (result == 0 && s.refused > 0 && s.refused == all.count)
		result = error_set(err, "%s", s.reason.message);
	partition_vector_release(&all);
	disk_at_free(s.disk);
	return result;
}

// ---- files

int fs_job_stat(struct fs_job *job, struct error *err)
{
	struct fs_moment m;
	uint64_t inode;

	if (fs_moment_open(job, job->question->to_seq, !job->question->raw, &m, err) < 0)
		return -1;
	int result = fs_moment_find(job, &m, &inode, err);

	if (result == 0)
		result = fs_job_send_file(job, &m, inode, job->question->path, job->question->path_length, NULL, err);
	fs_moment_release(&m);
	return result;
}

struct listing { struct fs_job *job; struct fs_moment *m; };

// An entry that cannot be read is told, and the others follow.
static int list_entry(void *context, const void *name, size_t length, uint64_t inode, unsigned file_type, struct error *err)
{
	struct listing *l = context;
	struct error reason;
	char line[FS_NAME_BYTES + sizeof(reason.message) + 32];
	struct fs_file file;

	(void)file_type;
	if (fs_ext_stat(l->m->fs, inode, &file, &reason) < 0) {
		(void)snprintf(line, sizeof(line), "%.*s: %s", (int)length, (const char *)name, reason.message);
		return fs_job_warn(l->job, line, err);
	}
	fs_file_release(&file);
	return fs_job_send_file(l->job, l->m, inode, name, length, NULL, err);
}

// The file itself first; of a folder, its entries with their bare names.
static int list_at(struct fs_job *job, uint64_t seq, bool replay, struct error *err)
{
	struct fs_moment m;
	struct listing l = {job, &m};
	struct fs_file file = {0};
	uint64_t inode;

	if (fs_moment_open(job, seq, replay, &m, err) < 0)
		return -1;
	int result = fs_moment_find(job, &m, &inode, err);

	if (result == 0)
		result = fs_job_send_file(job, &m, inode, job->question->path, job->question->path_length, &file, err);
	if (result == 0 && file.kind == FS_FOLDER)
		result = fs_ext_list(m.fs, inode, list_entry, &l, err);
	fs_file_release(&file);
	fs_moment_release(&m);
	return result;
}

// The question's list: seqs of further moments. Of them home blocks are enough, and some may have no file system yet, or no such folder.
int fs_job_list(struct fs_job *job, struct error *err)
{
	const struct fsread_question *q = job->question;
	struct error ignored;

	if (list_at(job, q->to_seq, !q->raw, err) < 0)
		return -1;
	for (size_t i = 0; i < q->list_count; i++)
		(void)list_at(job, q->list[i], false, &ignored);
	return 0;
}
