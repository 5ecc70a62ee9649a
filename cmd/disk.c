// SPDX-License-Identifier: MIT
// provgraph disk: the table of verbs, and their help.
//
// A new verb is three lines, and a file cmd/disk_VERB.c with its function:
//   1. here, in verbs[]: name, function, how many operands may follow HISTORY, and the options that it takes;
//   2. in cmd/disk_synopsis.txt a line under "Usage:" that begins with "provgraph disk VERB ";
//   3. there under "Verbs:" a line "  VERB" and what it does, from column 22 on.
// A new option is one line in options[] of cmd/disk_options.c, its member in struct disk_options, and its line in the synopsis.
// tests/check/synopsis.sh compares the three places; manual and completion take theirs from the synopsis.
#include "cmd/disk.h"

#include "base/fileio.h"
#include "base/memory.h"
#include "cmd/synopsis.h"

#include <string.h>
#include <unistd.h>

#define COMMON " tz utc quiet no-pager help" /* every verb takes these */

static const struct verb {
	const char *name;
	disk_verb *run;
	unsigned least, most; // operands behind HISTORY
	const char *options;
	const char *missing;  // what to ask when there are fewer than `least`
} verbs[] = {
	{"init", disk_init, 0, 0, "size base segment-size" COMMON, NULL},
	{"serve", disk_serve, 0, 0, "socket socket-group sync inline compress max-size" COMMON, NULL},
	{"views", disk_views, 0, 0, "socket socket-group" COMMON, NULL},
	{"cat", disk_cat, 1, 2, "guest-time path inode output force raw image max-bytes json" COMMON, "at which TIME, which file?"},
	{"ls", disk_ls, 1, 2, "guest-time path inode output force raw json" COMMON, "at which TIME?"},
	{"log", disk_log, 0, 1, "guest-time path inode from to json output force" COMMON, NULL},
	{"tamper", disk_tamper, 0, 1, "guest-time path inode from to json output force" COMMON, NULL},
	{"lost", disk_lost, 0, 1, "path inode from to json output force" COMMON, NULL},
	{"diff", disk_diff, 2, 2, "guest-time json output force" COMMON, "between which moments? TIME1 TIME2"},
	{"files", disk_files, 2, 2, "guest-time json output force" COMMON, "between which moments? TIME1 TIME2"},
	{"clock", disk_clock, 0, 0, "guest-time from to json output force" COMMON, NULL},
	{"info", disk_info, 0, 0, "json output force" COMMON, NULL},
	{"verify", disk_verify, 0, 0, "json output force" COMMON, NULL},
	{"export", disk_export, 0, 1, "guest-time output force raw format" COMMON, NULL},
	{"import", disk_import, 1, 1, "start" COMMON, "which log?"},
};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < ARRAY_LENGTH(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

// ---- help

static bool begins_verb(const char *line, const char *before, const char *name)
{
	size_t skip = strlen(before), length = strlen(name);

	return strncmp(line, before, skip) == 0 && strncmp(line + skip, name, length) == 0 && line[skip + length] == ' ';
}

// Which lines of the synopsis tell of one verb: its usage, its sentence, its options, and what stands behind them for all.
static void add_verb_help(struct buffer *out, const struct verb *verb)
{
	enum { BEFORE, VERBS, OPTIONS, AFTER } part = BEFORE;
	struct synopsis_option option;
	const char *heading = NULL;
	bool wanted = false;

	for (const char *line = disk_synopsis_text, *next; *line; line = next) {
		size_t length = strcspn(line, "\n");

		next = line + length + (line[length] == '\n');
		if (strncmp(line, "Verbs:", 6) == 0) {
			part = VERBS;
			buffer_add_byte(out, '\n');
		} else if (part == VERBS && length > 0 && line[0] != ' ') {
			part = OPTIONS;
		} else if (part == OPTIONS && strncmp(line, "TIME is", 7) == 0) {
			part = AFTER;
			buffer_add_byte(out, '\n');
		}
		if (part == BEFORE) {
			wanted = begins_verb(line, "Usage: provgraph disk ", verb->name) || begins_verb(line, "       provgraph disk ", verb->name);
			if (wanted)
				buffer_printf(out, "Usage: %.*s\n", (int)length - 7, line + 7);
			continue;
		}
		if (part == VERBS && line[0] == ' ' && line[2] != ' ')
			wanted = begins_verb(line, "  ", verb->name);
		if (part == OPTIONS && length > 0 && line[0] != ' ') {
			heading = line;
			continue;
		}
		if (part == OPTIONS && synopsis_parse_line(line, &option)) {
			wanted = disk_option_among(verb->options, option.name);
			if (wanted && heading)
				buffer_printf(out, "\n%.*s\n", (int)strcspn(heading, "\n"), heading);
			heading = wanted ? NULL : heading;
		}
		if (part == AFTER || (length > 0 && line[0] == ' ' && wanted))
			buffer_add(out, line, length + (line[length] == '\n'));
	}
}

static int print(const struct buffer *text)
{
	struct error err;

	if (buffer_check(text, &err) < 0 ||
	    fileio_write_fd(STDOUT_FILENO, buffer_string(text), text->length, "standard output", &err) < 0) {
		report_error(&err);
		return STATUS_ERROR;
	}
	return STATUS_WRITTEN;
}

static int print_help(const struct verb *verb)
{
	struct buffer text AUTO_RELEASE_BUFFER = {0};

	if (verb)
		add_verb_help(&text, verb);
	else
		buffer_add_string(&text, disk_synopsis_text);
	return print(&text);
}

// What completion and the tests ask for.
static int print_list(bool want_verbs)
{
	struct buffer text AUTO_RELEASE_BUFFER = {0};

	if (!want_verbs)
		synopsis_long_options(disk_synopsis_text, &text);
	for (size_t i = 0; want_verbs && i < ARRAY_LENGTH(verbs); i++)
		buffer_printf(&text, "%s\n", verbs[i].name);
	return print(&text);
}

// ---- running

static int unknown_verb(const char *name, struct error *err)
{
	const struct verb *nearest = NULL;
	unsigned best = 3; // further apart than two keys is another word

	for (size_t i = 0; i < ARRAY_LENGTH(verbs); i++) {
		unsigned apart = words_apart(name, strlen(name), verbs[i].name, strlen(verbs[i].name));

		if (apart < best) {
			best = apart;
			nearest = &verbs[i];
		}
	}
	if (nearest)
		return error_set(err, "disk %s: unknown verb; did you mean disk %s?", name, nearest->name);
	return error_set(err, "disk %s: unknown verb; provgraph disk --help lists them", name);
}

static int check_operands(const struct verb *verb, const struct disk_options *o, struct error *err)
{
	if (!o->history)
		return error_set(err, "disk %s: which history? provgraph disk %s HISTORY ...", verb->name, verb->name);
	if (o->operand_count < verb->least)
		return error_set(err, "disk %s: %s", verb->name, verb->missing);
	if (o->operand_count > verb->most)
		return error_set(err, "disk %s: %s: is one word too many", verb->name, o->operands[verb->most]);
	return 0;
}

int disk_command(const struct disk_options *o)
{
	const struct verb *verb = find_verb(o->verb);
	struct error err;

	if (!verb || check_operands(verb, o, &err) < 0) {
		if (!verb)
			(void)unknown_verb(o->verb, &err);
		report_error(&err);
		report_line("provgraph disk %s%s--help has more", verb ? verb->name : "", verb ? " " : "");
		return STATUS_ERROR;
	}
	return verb->run(o);
}

static int run_verb(int argc, char **argv, const struct verb *verb, uint64_t now_ns)
{
	struct disk_options o;
	struct error err;
	int status = STATUS_ERROR;

	if (disk_options_parse(argc, argv, verb->options, &o, &err) < 0) {
		report_error(&err);
		report_line("provgraph disk %s --help lists its options", verb->name);
	} else {
		o.verb = verb->name;
		o.now_ns = now_ns;
		if (o.guest_time && o.history && disk_clock_load(&o, &err) < 0)
			report_error(&err);
		else
			status = disk_command(&o);
	}
	disk_options_release(&o);
	return status;
}

// --help may stand anywhere, as it does for the main command.
static bool asks_for_help(int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

int disk_main(int argc, char **argv, uint64_t now_ns)
{
	const char *word = argc > 1 ? argv[1] : "";
	const struct verb *verb = find_verb(word);
	struct error err;

	if (verb)
		return asks_for_help(argc - 2, argv + 2) ? print_help(verb) : run_verb(argc - 2, argv + 2, verb, now_ns);
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return print_help(NULL);
	if (strcmp(word, "--long-options") == 0 || strcmp(word, "--verbs") == 0)
		return print_list(word[2] == 'v');
	if (!*word)
		(void)error_set(&err, "disk: a verb is missing; provgraph disk --help lists them");
	else if (*word == '-')
		(void)error_set(&err, "disk %s: the verb comes first; provgraph disk --help lists them", word);
	else
		(void)unknown_verb(word, &err);
	report_error(&err);
	return STATUS_ERROR;
}
