// SPDX-License-Identifier: MIT
// What runs inside provgraph-fsread: one function per job.
#ifndef SNAPSHOTS_FS_JOB_H
#define SNAPSHOTS_FS_JOB_H

#include "snapshots/disk_at.h"
#include "snapshots/fs_ext.h"
#include "snapshots/fsread.h"
#include "snapshots/partition.h"

struct fs_job {
	const struct fsread_question *question;
	struct history *history;
	int out_fd;
	enum fsread_failure failure; // a job sets it before it returns -1
	bool unreadable;             // fs_moment_open() failed for what lies on the disk, not for what was asked
	bool told_journal;           // that copies in it are damaged: once is enough, however many moments are opened
};

int fs_job_send(struct fs_job *job, enum fsread_frame type, const struct buffer *payload, struct error *err);
int fs_job_warn(struct fs_job *job, const char *sentence, struct error *err);

// A file system at a moment: what most jobs begin with. seq may differ from the question's.
struct fs_moment {
	struct disk_at *disk;
	struct partition partition;
	struct volume *volume;
	struct fs_ext *fs;
	struct fs_job *job;  // to whom fs_moment_release() tells what fs_ext warned of
};
int fs_moment_open(struct fs_job *job, uint64_t seq, bool replay, struct fs_moment *ret, struct error *err);
void fs_moment_release(struct fs_moment *m);
// Warns of copies in the journal that its replay left out.
int fs_job_warn_journal(struct fs_job *job, const struct partition *p, const struct volume_journal *j, struct error *err);
// The question's path or inode. Not found: job->failure = FSREAD_NO_SUCH_FILE and -1.
int fs_moment_find(struct fs_job *job, struct fs_moment *m, uint64_t *ret_inode, struct error *err);

// All that is on the disk, each place judged.
int fs_job_find_partitions(struct disk_at *disk, struct partition_vector *ret, struct error *err);
// Sends FILE; path may be NULL. *ret (may be NULL) is released by the caller.
int fs_job_send_file(struct fs_job *job, struct fs_moment *m, uint64_t inode, const void *path, size_t length, struct fs_file *ret,
		     struct error *err);

// fs_job_look.c
int fs_job_partitions(struct fs_job *job, struct error *err);
int fs_job_patches(struct fs_job *job, struct error *err);
int fs_job_stat(struct fs_job *job, struct error *err);
int fs_job_list(struct fs_job *job, struct error *err);
// fs_job_content.c
int fs_job_content(struct fs_job *job, struct error *err);
int fs_job_tree(struct fs_job *job, struct error *err);
// fs_states.c, fs_tamper.c, fs_diff.c, fs_files.c
int fs_job_states(struct fs_job *job, struct error *err);
int fs_job_tamper(struct fs_job *job, struct error *err);
int fs_job_diff(struct fs_job *job, struct error *err);
int fs_job_files(struct fs_job *job, struct error *err);
// fs_job_inodes.c, fs_job_clock.c, fs_job_contents.c, fs_job_lines.c
int fs_job_inodes(struct fs_job *job, struct error *err);
int fs_job_clock(struct fs_job *job, struct error *err);
int fs_job_contents(struct fs_job *job, struct error *err);
int fs_job_lines(struct fs_job *job, struct error *err);

#endif
