// SPDX-License-Identifier: MIT
// argv -> what the user wants. Checks everything that can be checked without reading evidence.
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/nanotime.h"
#include "base/vector.h"

#include <stdbool.h>
#include <stdint.h>

enum command { COMMAND_INVESTIGATE, COMMAND_RULES, COMMAND_HELP, COMMAND_VERSION, COMMAND_LONG_OPTIONS, COMMAND_PRINT_CONFIG, COMMAND_NOTHING };

enum output_format { FORMAT_NONE, FORMAT_SVG, FORMAT_HTML, FORMAT_DOT, FORMAT_JSON, FORMAT_CSV, FORMAT_GRAPHML, FORMAT_TEXT };

enum color_choice { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

VECTOR_DEFINE(string_vector, const char *)

#define DEFAULT_LOG "/var/log/audit"
#define DEFAULT_WINDOW_NS (20 * 60 * NANOTIME_SECOND)

#define OPTION_SETTINGS 10 /* options that may stand in a configuration file: cmd/config.c */

struct synopsis_option;

struct options {
	enum command command;
	struct string_vector logs;  // --log; empty: DEFAULT_LOG
	struct string_vector files; // arguments of `rules`
	struct string_vector disks; // --disk [HOST/]DEV=HISTORY[:PARTITION], checked (cmd/witness_volume.h)
	struct string_vector disk_logs; // --disk-log
	const char *alert_ip, *alert_file, *host, *why, *baseline, *output;
	const char *evidence;       // --evidence: a folder for contents, with a manifest
	uint16_t alert_port;        // 0: any
	uint64_t alert_id;          // 0: not given
	uint64_t alert_ns;          // NANOTIME_NONE: not given
	bool window_given, window_all;
	uint64_t window_ns, from_ns, to_ns; // from/to: NANOTIME_NONE = not given
	struct timezone_choice zone;
	enum output_format format;
	enum color_choice color;
	bool csv_raw, force, quiet, no_pager, strict, check, linear_time;

	const char *alert_time_text, *from_text, *to_text; // private: read once the zone is known
	struct buffer warnings;                            // lines for standard error
	const char *setting_values[OPTION_SETTINGS], *setting_origins[OPTION_SETTINGS]; // what --print-config shows
	bool logs_from_file;                               // private: --log replaces them
	struct string_vector owned;                        // private: strings of configuration files
};

// Configuration files first (cmd/config.h), then argv, into which strings point. -1 and err on wrong usage. *ret must be released either way.
int options_parse(int argc, char **argv, uint64_t now_ns, struct options *ret, struct error *err);
void options_release(struct options *o);
// Sets one option, as `origin` ("--tz", "/etc/provgraph.conf:3") says. Strings must outlive o.
int options_apply(struct options *o, const struct synopsis_option *option, const char *value, const char *origin, struct error *err);

const char *format_name(enum output_format format);
// The format that a file name's extension means; FORMAT_NONE: unknown.
enum output_format format_of_file(const char *path);

// The command that gives the same result again: what decides the content and nothing else (not -o, not --force), so that two runs
// into two files write the same bytes. Times are absolute.
void options_command(const struct options *o, struct buffer *out);

#endif
