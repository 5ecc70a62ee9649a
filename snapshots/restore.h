// SPDX-License-Identifier: MIT
// Front door: file contents out of the history, written only where told.
#ifndef SNAPSHOTS_RESTORE_H
#define SNAPSHOTS_RESTORE_H

#include "base/buffer.h"
#include "base/error.h"
#include "snapshots/fs_file.h"
#include "snapshots/fsread.h"

enum restore_end { RESTORE_WRITTEN, RESTORE_NO_SUCH_FILE };

struct restore_plan {
	struct fsread_question question; // CONTENT, or TREE for a folder
	const char *output;              // path; "-" or NULL: standard output (one file only)
	bool visible;                    // standard output is a terminal: what it could act on is made visible
	const char *beside;              // of a folder: where its manifest will go, which may not be there either; may be NULL
	bool force;                      // an existing file may be replaced (never a folder)
};
struct restore_report {
	struct fs_file file;             // release with restore_report_release()
	uint64_t verdict, pending_bytes, pending_from, complete_seq, complete_ns, arrival_seq, arrival_ns; // fs_verdict.h
	uint64_t files, folders, bytes, skipped; // tree
	uint64_t pending_files;          // tree: of the files, those with content that had not arrived
	struct buffer manifest;          // JSON lines: each file's path, inode, mode, owner, times, SHA-256, verdict; what was skipped and why
	struct buffer warnings;
	char sha256[65];                 // one file
	bool is_tree;                    // the path was a folder, and output got it with all below
	struct error reason;             // RESTORE_NO_SUCH_FILE: which part is missing
};
// On failure nothing of it stays behind. One file: mode 0600, never through a symlink (a nameless or temporary file beside it, and a
// rename). Tree: a new folder (0700), names checked, no device nodes, no FIFOs, no symlinks created, no setuid, nothing outside it
// whatever the image says.
int restore_run(const struct restore_plan *plan, enum restore_end *ret_end, struct restore_report *ret, struct error *err);
void restore_report_release(struct restore_report *r);

#endif
