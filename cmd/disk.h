// SPDX-License-Identifier: MIT
// provgraph disk VERB HISTORY ..., and --restore-at and --versions, which are two of the verbs under another name.
#ifndef CMD_DISK_H
#define CMD_DISK_H

#include "base/error.h"
#include "base/nanotime.h"
#include "snapshots/history.h"

#include <stdbool.h>

struct disk_options {
	const char *verb;
	char *history;             // folder, without :PARTITION
	int partition;             // -1: not given
	const char *const *operands; // what follows HISTORY
	size_t operand_count;
	const char *path;          // --path
	bool has_inode; uint64_t inode; // --inode
	const char *output;        // -o
	const char *socket, *socket_group, *base, *format, *start, *max_size, *size, *sync, *inline_codec, *compress, *segment_size;
	bool raw, image, force, quiet, json, tree;
	uint64_t max_bytes;
	struct timezone_choice zone;
	uint64_t now_ns;
};

// Runs the verb; the exit status (cmd/report.h: 0, 1, 2, 3, 4).
int disk_command(const struct disk_options *o);

// "web01.history:1" -> folder and partition. A folder of exactly that name wins over the colon.
int disk_split_history(const char *text, char **ret_folder, int *ret_partition, struct error *err);
// TIME as people type it, or seq:N, against an open history.
int disk_moment(struct history *h, const char *text, const struct disk_options *o, uint64_t *ret_seq, struct error *err);

// One function per verb, each in its own cmd/disk_VERB.c.
typedef int disk_verb(const struct disk_options *o);
disk_verb disk_init, disk_serve, disk_views, disk_info, disk_log, disk_cat, disk_ls, disk_diff, disk_tamper, disk_files, disk_export, disk_import, disk_verify;

#endif
