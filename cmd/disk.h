// SPDX-License-Identifier: MIT
// provgraph disk VERB HISTORY ..., and --restore-at and --versions, which are two of the verbs under another name.
#ifndef CMD_DISK_H
#define CMD_DISK_H

#include "base/error.h"
#include "base/nanotime.h"
#include "cmd/options.h"
#include "cmd/report.h"

#include <stdbool.h>

struct history; // snapshots/history.h
struct timeline_clock; // snapshots/timeline.h

struct disk_options {
	const char *verb;
	char *history;             // folder, without :PARTITION
	int partition;             // -1: not given
	const char *const *operands; // what follows HISTORY
	size_t operand_count;
	const char *path;          // --path
	bool has_inode; uint64_t inode; // --inode
	const char *from, *to;     // --from, --to: a span
	const char *output;        // -o
	const char *socket, *socket_group, *base, *format, *start, *max_size, *size, *sync, *inline_codec, *compress, *segment_size;
	bool raw, image, force, quiet, json, tree, no_pager, guest_time;
	uint64_t max_bytes;
	struct timezone_choice zone;
	uint64_t now_ns;
	struct string_vector words; // private: HISTORY and what follows it
	struct options settings;    // private: of the configuration files
	struct timeline_clock *guest_clock; // with --guest-time: what TIME is read by; NULL: TIME is the host's
};

// provgraph disk ARGUMENTS...; argv[0] is "disk".
int disk_main(int argc, char **argv, uint64_t now_ns);
// Runs the verb; the exit status (cmd/report.h: 0, 1, 2, 3, 4).
int disk_command(const struct disk_options *o);

// What follows the verb: argv[0] is the first word behind it. Strings point into argv. -1 and err on wrong usage; *ret must be
// released either way. `allowed`: names of the options that the verb takes, with blanks between.
int disk_options_parse(int argc, char **argv, const char *allowed, struct disk_options *ret, struct error *err);
void disk_options_release(struct disk_options *o);
// Whether `name` is one of the words in `allowed`.
bool disk_option_among(const char *allowed, const char *name);

// "web01.history:1" -> folder (malloc'ed) and partition (-1: none named). A folder of exactly that name wins over the colon.
int disk_split_history(const char *text, char **ret_folder, int *ret_partition, struct error *err);
// TIME as people type it, or seq:N, against an open history.
int disk_moment(struct history *h, const char *text, const struct disk_options *o, uint64_t *ret_seq, struct error *err);
// TIME alone, in nanoseconds of the host's clock. silent: what is remarkable about it was said before.
int disk_time(const char *text, const struct disk_options *o, bool silent, uint64_t *ret_ns, struct error *err);
// --guest-time: fills o->guest_clock out of all that was recorded.
int disk_clock_load(struct disk_options *o, struct error *err);
void disk_clock_free(struct timeline_clock *clock);
// "4096", "64K", "20G": bytes, never 0. name: of the option, for messages.
int disk_parse_size(const char *name, const char *text, uint64_t *ret_bytes, struct error *err);
// A verb's result in text: to -o FILE, or standard output (a terminal gets it through the pager, but for --json).
int disk_print(const struct disk_options *o, const struct buffer *text, struct error *err);

// One function per verb, each in its own cmd/disk_VERB.c.
typedef int disk_verb(const struct disk_options *o);
disk_verb disk_init, disk_serve, disk_views, disk_info, disk_clock, disk_log, disk_cat, disk_ls, disk_diff, disk_tamper, disk_lost, disk_files, disk_export, disk_import, disk_verify;

#endif
