// SPDX-License-Identifier: MIT
#include "cmd/options.h"

#include "base/memory.h"
#include "base/text.h"
#include "cmd/config.h"
#include "cmd/synopsis.h"
#include "cmd/witness_volume.h"

#include <string.h>

static const struct {
	const char *name;
	enum output_format format;
} formats[] = {
	{"svg", FORMAT_SVG}, {"html", FORMAT_HTML}, {"dot", FORMAT_DOT}, {"json", FORMAT_JSON}, {"csv", FORMAT_CSV},
	{"graphml", FORMAT_GRAPHML}, {"text", FORMAT_TEXT},
};

const char *format_name(enum output_format format)
{
	for (size_t i = 0; i < ARRAY_LENGTH(formats); i++)
		if (formats[i].format == format)
			return formats[i].name;
	return "none";
}

static enum output_format format_called(const char *name)
{
	for (size_t i = 0; i < ARRAY_LENGTH(formats); i++)
		if (strcmp(formats[i].name, name) == 0)
			return formats[i].format;
	return FORMAT_NONE;
}

enum output_format format_of_file(const char *path)
{
	const char *dot = strrchr(path, '.');

	if (!dot || strchr(dot, '/'))
		return FORMAT_NONE;
	if (strcmp(dot, ".txt") == 0)
		return FORMAT_TEXT;
	if (strcmp(dot, ".gv") == 0)
		return FORMAT_DOT;
	return format_called(dot + 1);
}

static int parse_whole(const char *name, const char *value, uint64_t largest, uint64_t *ret, struct error *err)
{
	uint64_t n = 0;
	size_t length = strspn(value, "0123456789");

	for (size_t i = 0; i < length && n <= largest; i++)
		n = n * 10 + (uint64_t)(value[i] - '0');
	if (length == 0 || value[length] || length > 19 || n == 0 || n > largest)
		return error_set(err, "--%s %s: is no number from 1 to %llu", name, value, (unsigned long long)largest);
	*ret = n;
	return 0;
}

static int set_format(struct options *o, const char *value, struct error *err)
{
	enum output_format format = format_called(value);

	if (format == FORMAT_NONE)
		return error_set(err, "--format %s: is not one of svg, html, dot, json, csv, graphml, text", value);
	if (o->format != FORMAT_NONE && o->format != format)
		return error_set(err, "--format %s: %s was asked for before", value, format_name(o->format));
	o->format = format;
	return 0;
}

static int set_color(struct options *o, const char *value, struct error *err)
{
	static const char *const names[] = {[COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never"};

	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		if (strcmp(value, names[i]) == 0) {
			o->color = (enum color_choice)i;
			return 0;
		}
	}
	return error_set(err, "--color %s: is not one of auto, always, never", value);
}

static int set_time_scale(struct options *o, const char *value, struct error *err)
{
	o->linear_time = strcmp(value, "linear") == 0;
	return o->linear_time || strcmp(value, "log") == 0 ? 0 : error_set(err, "--time-scale %s: is not one of log, linear", value);
}

static int set_window(struct options *o, const char *value, struct error *err)
{
	o->window_given = true;
	o->window_all = strcmp(value, "all") == 0;
	if (o->window_all)
		return 0;
	struct error reason;

	if (nanotime_parse_duration(value, &o->window_ns, &reason) < 0)
		return error_set(err, "--window: %s", reason.message);
	return o->window_ns > 0 ? 0 : error_set(err, "--window %s: is empty", value);
}

static int set_port(struct options *o, const char *value, struct error *err)
{
	uint64_t port;

	if (parse_whole("alert-port", value, 65535, &port, err) < 0)
		return -1;
	o->alert_port = (uint16_t)port;
	return 0;
}

static int append(struct string_vector *list, const char *value, struct error *err)
{
	return string_vector_append(list, value) < 0 ? error_set(err, "out of memory") : 0;
}

// Options whose value is kept as it is, and switches.
static const struct {
	const char *name;
	size_t offset;
} text_options[] = {
	{"alert-ip", offsetof(struct options, alert_ip)}, {"alert", offsetof(struct options, alert_file)},
	{"alert-time", offsetof(struct options, alert_time_text)}, {"host", offsetof(struct options, host)},
	{"from", offsetof(struct options, from_text)}, {"to", offsetof(struct options, to_text)},
	{"why", offsetof(struct options, why)}, {"baseline", offsetof(struct options, baseline)},
	{"output", offsetof(struct options, output)}, {"evidence", offsetof(struct options, evidence)},
	{"tz", offsetof(struct options, zone.name)},
}, switches[] = {
	{"csv-raw", offsetof(struct options, csv_raw)}, {"force", offsetof(struct options, force)},
	{"quiet", offsetof(struct options, quiet)}, {"no-pager", offsetof(struct options, no_pager)},
	{"strict", offsetof(struct options, strict)}, {"check", offsetof(struct options, check)},
	{"utc", offsetof(struct options, zone.utc)},
};

// Options of --restore-at and --versions, which cmd/restore_at.c takes before an investigation is thought of.
static bool is_disk_option(const char *name)
{
	static const char *const names[] = {"restore-at", "versions", "path", "inode", "image", "guest-time", "raw"};

	for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static int apply_option(struct options *o, const struct synopsis_option *option, const char *value, struct error *err)
{
	const char *name = option->name;

	for (size_t i = 0; i < ARRAY_LENGTH(text_options); i++) {
		if (strcmp(name, text_options[i].name) != 0)
			continue;
		if (!*value)
			return error_set(err, "--%s: is empty", name);
		memcpy((char *)o + text_options[i].offset, &value, sizeof(value));
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LENGTH(switches); i++) {
		if (strcmp(name, switches[i].name) == 0) {
			*((bool *)((char *)o + switches[i].offset)) = true;
			return 0;
		}
	}
	if (strcmp(name, "log") == 0)
		return append(&o->logs, value, err);
	if (strcmp(name, "disk") == 0)
		return append(&o->disks, value, err);
	if (strcmp(name, "disk-log") == 0)
		return append(&o->disk_logs, value, err);
	if (strcmp(name, "alert-port") == 0)
		return set_port(o, value, err);
	if (strcmp(name, "alert-id") == 0)
		return parse_whole(name, value, UINT64_MAX / 20, &o->alert_id, err);
	if (strcmp(name, "window") == 0)
		return set_window(o, value, err);
	if (strcmp(name, "format") == 0)
		return set_format(o, value, err);
	if (strcmp(name, "json") == 0 || strcmp(name, "csv") == 0)
		return set_format(o, name, err);
	if (strcmp(name, "color") == 0)
		return set_color(o, value, err);
	if (strcmp(name, "time-scale") == 0)
		return set_time_scale(o, value, err);
	if (is_disk_option(name))
		return error_set(err, "--%s: belongs to --restore-at TIME or --versions PATH", name);
	if (strcmp(name, "help") == 0)
		o->command = COMMAND_HELP;
	else if (strcmp(name, "version") == 0)
		o->command = COMMAND_VERSION;
	else if (strcmp(name, "print-config") == 0)
		o->command = COMMAND_PRINT_CONFIG;
	else
		return error_set(err, "--%s: is in the help text but not in the program", name);
	return 0;
}

// The command line goes over a file: its logs replace the file's, and a zone of one kind takes the other's place.
static void make_way(struct options *o, const char *name, bool from_file)
{
	if (from_file) {
		o->logs_from_file = o->logs_from_file || strcmp(name, "log") == 0;
		return;
	}
	if (strcmp(name, "log") == 0 && o->logs_from_file) {
		o->logs.count = 0;
		o->logs_from_file = false;
	}
	int zone = config_setting("tz"), utc = config_setting("utc");
	bool file_zone = o->setting_origins[zone] && o->setting_origins[zone][0] != '-';
	bool file_utc = o->setting_origins[utc] && o->setting_origins[utc][0] != '-';

	if (strcmp(name, "utc") == 0 && file_zone) {
		o->zone.name = NULL;
		o->setting_origins[zone] = NULL;
	}
	if (strcmp(name, "tz") == 0 && file_utc) {
		o->zone.utc = false;
		o->setting_origins[utc] = NULL;
	}
	if (strcmp(name, "from") == 0 || strcmp(name, "to") == 0) {
		int window = config_setting("window");

		if (o->setting_origins[window] && o->setting_origins[window][0] != '-')
			o->window_given = o->window_all = false;
	}
}

int options_apply(struct options *o, const struct synopsis_option *option, const char *value, const char *origin, struct error *err)
{
	int setting = config_setting(option->name);

	make_way(o, option->name, origin[0] != '-');
	if (apply_option(o, option, value, err) < 0)
		return -1;
	if (setting >= 0) {
		o->setting_values[setting] = value;
		o->setting_origins[setting] = origin;
	}
	return 0;
}

static int unknown_option(const char *typed, const char *name, size_t length, struct error *err)
{
	char suggestion[SYNOPSIS_NAME_SIZE];

	if (name && synopsis_suggest(synopsis_text, name, length, suggestion))
		return error_set(err, "%s: unknown option; did you mean --%s?", typed, suggestion);
	return error_set(err, "%s: unknown option; provgraph --help lists them", typed);
}

static bool is_option(const char *argument)
{
	return argument[0] == '-' && argument[1] != '\0';
}

// One option at argv[*at] with its value or values; moves *at to what follows.
static int parse_option(int argc, char **argv, int *at, struct options *o, struct error *err)
{
	const char *typed = argv[*at], *value = NULL;
	struct synopsis_option option;

	if (typed[1] == '-') {
		const char *equals = strchr(typed, '=');
		size_t length = equals ? (size_t)(equals - typed) - 2 : strlen(typed) - 2;

		if (!synopsis_find(synopsis_text, typed + 2, length, 0, &option))
			return unknown_option(typed, typed + 2, length, err);
		value = equals ? equals + 1 : NULL;
	} else if (!synopsis_find(synopsis_text, NULL, 0, typed[1], &option)) {
		return unknown_option(typed, NULL, 0, err);
	} else if (typed[2]) {
		value = typed + 2; // -oFILE
	}
	(*at)++;
	if (option.argument == ARGUMENT_NONE) {
		if (value)
			return error_set(err, "%s: takes no value", typed);
		return options_apply(o, &option, "", typed, err);
	}
	// A value may begin with a dash: "-" is standard input or output, and "-2h" is a time.
	bool may_be_negative = strcmp(option.argument_name, "TIME") == 0;

	if (!value) {
		if (*at >= argc || (is_option(argv[*at]) && !(may_be_negative && argv[*at][1] >= '0' && argv[*at][1] <= '9')))
			return error_set(err, "--%s: needs a value: --%s %s", option.name, option.name, option.argument_name);
		value = argv[(*at)++];
	}
	if (options_apply(o, &option, value, typed, err) < 0)
		return -1;
	while (option.argument == ARGUMENT_MANY && *at < argc && !is_option(argv[*at]))
		if (options_apply(o, &option, argv[(*at)++], typed, err) < 0)
			return -1;
	return 0;
}

static int parse_command(const char *word, struct options *o, struct error *err)
{
	if (strcmp(word, "rules") == 0) {
		o->command = COMMAND_RULES;
		return 0;
	}
	if (words_apart(word, strlen(word), "disk", 4) <= 1)
		return error_set(err, "%s: unknown command; did you mean disk?", word);
	if (words_apart(word, strlen(word), "rules", 5) <= 2)
		return error_set(err, "%s: unknown command; did you mean rules?", word);
	return error_set(err, "%s: unknown command; an investigation needs --alert-ip ADDR or --alert FILE", word);
}

static int parse_time(struct options *o, const char *name, const char *text, uint64_t now_ns, uint64_t *ret_ns, struct error *err)
{
	struct error reason;
	bool ambiguous = false;

	if (!text)
		return 0;
	if (nanotime_parse(text, o->zone, now_ns, ret_ns, &ambiguous, &reason) < 0)
		return error_set(err, "--%s: %s", name, reason.message);
	if (ambiguous) {
		buffer_printf(&o->warnings, "--%s %s: the clocks were put back, so there were two; taking the first, ", name, text);
		nanotime_format(&o->warnings, *ret_ns, NANOTIME_FULL, o->zone);
		buffer_add_byte(&o->warnings, '\n');
	}
	return 0;
}

static int check_alert(const struct options *o, struct error *err)
{
	if (o->alert_ip && o->alert_file)
		return error_set(err, "--alert-ip and --alert: one of them names the address");
	if (!o->alert_ip && !o->alert_file)
		return error_set(err, "nothing to start from: name the alert's address with --alert-ip ADDR, or its file with --alert FILE");
	if (o->alert_id && !o->alert_file)
		return error_set(err, "--alert-id: belongs to --alert FILE");
	if (o->alert_file && (o->alert_port || o->alert_time_text))
		return error_set(err, "--alert: the file gives port and time; leave out --alert-port and --alert-time");
	if (o->alert_file && strcmp(o->alert_file, "-") == 0)
		for (size_t i = 0; i < o->logs.count; i++)
			if (strcmp(o->logs.items[i], "-") == 0)
				return error_set(err, "--alert - and --log -: standard input can be only one of them");
	return 0;
}

static int check_window(const struct options *o, struct error *err)
{
	if (o->window_given && (o->from_text || o->to_text))
		return error_set(err, "--window and --from/--to: use one or the other");
	if (o->from_ns != NANOTIME_NONE && o->to_ns != NANOTIME_NONE && o->from_ns >= o->to_ns)
		return error_set(err, "--from %s --to %s: the window ends before it begins", o->from_text, o->to_text);
	return 0;
}

// Whether the words make sense; what they name is looked at later.
static int check_disks(const struct options *o, struct error *err)
{
	if (o->disks.count == 0 && o->disk_logs.count > 0)
		return error_set(err, "--disk-log: on which disk? --disk DEV=HISTORY");
	if (o->disks.count == 0 && o->evidence)
		return error_set(err, "--evidence: out of which disk? --disk DEV=HISTORY");
	for (size_t i = 0; i < o->disks.count; i++) {
		struct witness_mapping mapping = {0};

		if (witness_parse(o->disks.items[i], &mapping, err) < 0)
			return -1;
		witness_mapping_release(&mapping);
	}
	return 0;
}

static int check_output(struct options *o, struct error *err)
{
	if (o->why && o->format != FORMAT_NONE && o->format != FORMAT_TEXT)
		return error_set(err, "--why answers in words: leave out --format, or say --format text");
	if (!o->output || o->format != FORMAT_NONE || o->why)
		return 0;
	if (strcmp(o->output, "-") == 0) {
		o->format = FORMAT_TEXT;
		return 0;
	}
	o->format = format_of_file(o->output);
	if (o->format == FORMAT_NONE)
		return error_set(err, "-o %s: the name does not say a format; add --format svg, html, dot, json, csv, graphml or text", o->output);
	return 0;
}

static int finish(struct options *o, uint64_t now_ns, struct error *err)
{
	if (o->zone.utc && o->zone.name)
		return error_set(err, "--utc and --tz: use one of them");
	if (nanotime_check_zone(o->zone, err) < 0 ||
	    parse_time(o, "alert-time", o->alert_time_text, now_ns, &o->alert_ns, err) < 0 ||
	    parse_time(o, "from", o->from_text, now_ns, &o->from_ns, err) < 0 ||
	    parse_time(o, "to", o->to_text, now_ns, &o->to_ns, err) < 0)
		return -1;
	if (o->command == COMMAND_RULES || o->command == COMMAND_PRINT_CONFIG)
		return 0;
	if (o->check)
		return error_set(err, "--check: belongs to provgraph rules");
	if (check_alert(o, err) < 0 || check_window(o, err) < 0 || check_disks(o, err) < 0)
		return -1;
	return check_output(o, err);
}

int options_parse(int argc, char **argv, uint64_t now_ns, struct options *ret, struct error *err)
{
	int at = 1;

	*ret = (struct options){
		.window_ns = DEFAULT_WINDOW_NS,
		.alert_ns = NANOTIME_NONE,
		.from_ns = NANOTIME_NONE,
		.to_ns = NANOTIME_NONE,
	};
	if (argc <= 1) {
		ret->command = COMMAND_NOTHING;
		return 0;
	}
	if (strcmp(argv[1], "--long-options") == 0) {
		ret->command = COMMAND_LONG_OPTIONS;
		return 0;
	}
	if (config_load(ret, err) < 0)
		return -1;
	if (!is_option(argv[1]) && parse_command(argv[at++], ret, err) < 0)
		return -1;
	while (at < argc) {
		if (is_option(argv[at])) {
			if (parse_option(argc, argv, &at, ret, err) < 0)
				return -1;
			if (ret->command == COMMAND_HELP || ret->command == COMMAND_VERSION)
				return 0;
		} else if (ret->command == COMMAND_RULES) {
			if (append(&ret->files, argv[at++], err) < 0)
				return -1;
		} else {
			return error_set(err, "%s: not an option; logs follow --log", argv[at]);
		}
	}
	return finish(ret, now_ns, err);
}

void options_release(struct options *o)
{
	string_vector_release(&o->logs);
	string_vector_release(&o->files);
	string_vector_release(&o->disks);
	string_vector_release(&o->disk_logs);
	for (size_t i = 0; i < o->owned.count; i++)
		free((char *)(uintptr_t)o->owned.items[i]);
	string_vector_release(&o->owned);
	buffer_release(&o->warnings);
}

static void add_word(struct buffer *out, const char *option, const char *value)
{
	if (!value)
		return;
	if (option)
		buffer_printf(out, " --%s", option);
	buffer_add_byte(out, ' ');
	text_shell(out, value, strlen(value), NULL);
}

static void add_time(struct buffer *out, const char *option, uint64_t ns)
{
	if (ns != NANOTIME_NONE)
		buffer_printf(out, " --%s @%llu.%09u", option, (unsigned long long)(ns / NANOTIME_SECOND), (unsigned)(ns % NANOTIME_SECOND));
}

void options_command(const struct options *o, struct buffer *out)
{
	buffer_add_string(out, "provgraph");
	for (size_t i = 0; i < o->logs.count; i++)
		add_word(out, i == 0 ? "log" : NULL, o->logs.items[i]);
	add_word(out, "alert-ip", o->alert_ip);
	if (o->alert_port)
		buffer_printf(out, " --alert-port %u", (unsigned)o->alert_port);
	add_time(out, "alert-time", o->alert_ns);
	add_word(out, "alert", o->alert_file);
	if (o->alert_id)
		buffer_printf(out, " --alert-id %llu", (unsigned long long)o->alert_id);
	add_word(out, "host", o->host);
	add_time(out, "from", o->from_ns);
	add_time(out, "to", o->to_ns);
	if (o->window_all) {
		buffer_add_string(out, " --window all");
	} else if (o->from_ns == NANOTIME_NONE && o->to_ns == NANOTIME_NONE) {
		// In minutes, or else to the nanosecond: nothing is rounded away.
		buffer_add_string(out, " --window ");
		if (o->window_ns % (60 * NANOTIME_SECOND) == 0)
			buffer_printf(out, "%llum", (unsigned long long)(o->window_ns / (60 * NANOTIME_SECOND)));
		else
			buffer_printf(out, "%lluns", (unsigned long long)o->window_ns);
	}
	add_word(out, "baseline", o->baseline);
	for (size_t i = 0; i < o->disks.count; i++)
		add_word(out, "disk", o->disks.items[i]);
	for (size_t i = 0; i < o->disk_logs.count; i++)
		add_word(out, "disk-log", o->disk_logs.items[i]);
	if (o->linear_time)
		buffer_add_string(out, " --time-scale linear");
	add_word(out, "tz", o->zone.name);
	if (o->zone.utc)
		buffer_add_string(out, " --utc");
}
