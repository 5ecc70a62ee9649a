// SPDX-License-Identifier: MIT
// What every job begins and ends with.
#include "snapshots/fs_job.h"

#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define WARNING_BYTES 900 // what the other side takes of one line

int fs_job_send(struct fs_job *job, enum fsread_frame type, const struct buffer *payload, struct error *err)
{
	if (buffer_check(payload, err) < 0)
		return -1;
	return wire_send(job->out_fd, type, payload->bytes, payload->length, err);
}

int fs_job_warn(struct fs_job *job, const char *sentence, struct error *err)
{
	struct buffer payload AUTO_RELEASE_BUFFER = {0};
	size_t length = strlen(sentence);

	wire_put_bytes(&payload, sentence, length < WARNING_BYTES ? length : WARNING_BYTES);
	return fs_job_send(job, FSREAD_FRAME_WARNING, &payload, err);
}

static int read_disk(void *context, uint64_t offset, void *bytes, size_t length, struct error *err)
{
	return disk_at_read(context, offset, bytes, length, err);
}

int fs_job_find_partitions(struct disk_at *disk, struct partition_vector *ret, struct error *err)
{
	return partition_find(read_disk, disk, disk_at_size(disk), ret, err);
}

static int choose_partition(struct fs_job *job, struct fs_moment *m, struct error *err)
{
	struct partition_vector all = {0};
	int result = fs_job_find_partitions(m->disk, &all, err);

	if (result == 0) {
		result = partition_choose(&all, job->question->partition, &m->partition, err);
		if (result < 0)
			job->failure = FSREAD_PARTITION_UNCLEAR;
		for (size_t i = 0; i < all.count && result < 0; i++)
			job->unreadable &= !all.items[i].readable;
	}
	partition_vector_release(&all);
	if (result == 0 && !m->partition.readable)
		return error_set(err, "%s", m->partition.reason);
	return result;
}

int fs_job_warn_journal(struct fs_job *job, const struct partition *p, const struct volume_journal *j, struct error *err)
{
	char line[200];

	if (j->damaged == 0 || (job->told_journal && job->question->job != FSREAD_PATCHES))
		return 0;
	job->told_journal = true;
	(void)snprintf(line, sizeof(line), "partition %u: %" PRIu64 " blocks in its journal are damaged and were left out: what they should change is shown "
		       "as it was; a kernel would refuse to mount it", p->number, j->damaged);
	return fs_job_warn(job, line, err);
}

int fs_moment_open(struct fs_job *job, uint64_t seq, bool replay, struct fs_moment *ret, struct error *err)
{
	struct fs_moment m = {.job = job};

	job->failure = FSREAD_BROKEN;
	job->unreadable = true;
	if (disk_at_open(job->history, seq, &m.disk, err) < 0 || choose_partition(job, &m, err) < 0 ||
	    volume_open(m.disk, &m.partition, replay, &m.volume, err) < 0 || fs_ext_open(m.volume, &m.fs, err) < 0 ||
	    fs_job_warn_journal(job, &m.partition, volume_journal_of(m.volume), err) < 0) {
		fs_moment_release(&m);
		return -1;
	}
	job->unreadable = false;
	*ret = m;
	return 0;
}

// Each line that fs_ext noted, once.
static void send_warnings(const struct fs_moment *m)
{
	const char *at = buffer_string(fs_ext_warnings(m->fs));

	while (*at) {
		size_t length = strcspn(at, "\n");
		char line[WARNING_BYTES + 1];

		if (length > WARNING_BYTES)
			length = WARNING_BYTES;
		memcpy(line, at, length);
		line[length] = '\0';
		if (fs_job_warn(m->job, line, NULL) < 0)
			return;
		at += strcspn(at, "\n");
		at += *at == '\n';
	}
}

void fs_moment_release(struct fs_moment *m)
{
	if (m->fs && m->job)
		send_warnings(m);
	fs_ext_free(m->fs);
	volume_free(m->volume);
	disk_at_free(m->disk);
	*m = (struct fs_moment){0};
}

int fs_moment_find(struct fs_job *job, struct fs_moment *m, uint64_t *ret_inode, struct error *err)
{
	const struct fsread_question *q = job->question;
	struct error reason = {""};
	struct fs_file file;
	bool found = true;

	if (!q->path) {
		if (fs_ext_stat(m->fs, q->inode, &file, &reason) == 0) {
			found = file.links > 0;
			fs_file_release(&file);
		} else {
			found = false;
		}
		if (!found) {
			job->failure = FSREAD_NO_SUCH_FILE;
			return error_set(err, "inode %" PRIu64 ": no such file at that moment%s%s", q->inode, reason.message[0] ? ": " : "", reason.message);
		}
		*ret_inode = q->inode;
		return 0;
	}
	if (fs_ext_lookup(m->fs, q->path, q->path_length, ret_inode, &found, &reason) < 0)
		return error_set(err, "%.*s: %s", (int)q->path_length, (const char *)q->path, reason.message);
	if (found)
		return 0;
	job->failure = FSREAD_NO_SUCH_FILE;
	return error_set(err, "%.*s: no such file at that moment: %s", (int)q->path_length, (const char *)q->path, reason.message);
}
