// SPDX-License-Identifier: MIT
// What may follow provgraph disk VERB.
#include "cmd/disk.h"

#include "base/memory.h"
#include "cmd/config.h"
#include "cmd/synopsis.h"

#include <string.h>
#include <sys/stat.h>

#define MEMBER(name) offsetof(struct disk_options, name)

static const struct {
	const char *name;
	enum { TEXT, SWITCH, NUMBER, SIZE } kind;
	size_t offset;
} options[] = {
	{"size", TEXT, MEMBER(size)},
	{"base", TEXT, MEMBER(base)},
	{"segment-size", TEXT, MEMBER(segment_size)},
	{"socket", TEXT, MEMBER(socket)},
	{"socket-group", TEXT, MEMBER(socket_group)},
	{"sync", TEXT, MEMBER(sync)},
	{"inline", TEXT, MEMBER(inline_codec)},
	{"compress", TEXT, MEMBER(compress)},
	{"max-size", TEXT, MEMBER(max_size)},
	{"raw", SWITCH, MEMBER(raw)},
	{"path", TEXT, MEMBER(path)},
	{"inode", NUMBER, MEMBER(inode)},
	{"from", TEXT, MEMBER(from)},
	{"to", TEXT, MEMBER(to)},
	{"image", SWITCH, MEMBER(image)},
	{"max-bytes", SIZE, MEMBER(max_bytes)},
	{"format", TEXT, MEMBER(format)},
	{"start", TEXT, MEMBER(start)},
	{"guest-time", SWITCH, MEMBER(guest_time)},
	{"output", TEXT, MEMBER(output)},
	{"force", SWITCH, MEMBER(force)},
	{"json", SWITCH, MEMBER(json)},
	{"tz", TEXT, MEMBER(zone.name)},
	{"utc", SWITCH, MEMBER(zone.utc)},
	{"quiet", SWITCH, MEMBER(quiet)},
	{"no-pager", SWITCH, MEMBER(no_pager)},
};

int disk_parse_size(const char *name, const char *text, uint64_t *ret_bytes, struct error *err)
{
	static const char units[] = "KMGTPE";
	uint64_t n = 0;
	size_t length = strspn(text, "0123456789");
	const char *unit = text[length] ? strchr(units, text[length]) : NULL;
	unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;

	for (size_t i = 0; i < length && length <= 19; i++)
		n = n * 10 + (uint64_t)(text[i] - '0');
	if (length == 0 || length > 19 || text[length + (unit ? 1 : 0)] || n == 0)
		return error_set(err, "--%s %s: is no size; write 4096, 64K, 20G or 1T (powers of 1024)", name, text);
	if (n > UINT64_MAX >> 1 >> shift)
		return error_set(err, "--%s %s: is larger than a file can be", name, text);
	*ret_bytes = n << shift;
	return 0;
}

static int set_number(const char *name, const char *text, uint64_t *ret, struct error *err)
{
	uint64_t n = 0;
	size_t length = strspn(text, "0123456789");

	for (size_t i = 0; i < length && length <= 19; i++)
		n = n * 10 + (uint64_t)(text[i] - '0');
	if (length == 0 || length > 19 || text[length] || n == 0)
		return error_set(err, "--%s %s: is no number from 1 on", name, text);
	*ret = n;
	return 0;
}

static int apply(struct disk_options *o, const char *name, const char *value, struct error *err)
{
	for (size_t i = 0; i < ARRAY_LENGTH(options); i++) {
		void *member = (char *)o + options[i].offset;

		if (strcmp(name, options[i].name) != 0)
			continue;
		if (options[i].kind != SWITCH && !*value)
			return error_set(err, "--%s: is empty", name);
		switch (options[i].kind) {
		case TEXT:
			memcpy(member, &value, sizeof(value));
			return 0;
		case SWITCH:
			*(bool *)member = true;
			return 0;
		case NUMBER:
			return set_number(name, value, member, err);
		case SIZE:
			return disk_parse_size(name, value, member, err);
		}
	}
	return error_set(err, "--%s: is in the help text but not in the program", name);
}

bool disk_option_among(const char *allowed, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = strstr(allowed, name); at; at = strstr(at + 1, name))
		if ((at == allowed || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
			return true;
	return false;
}

static int unknown_option(const char *typed, const char *name, size_t length, struct error *err)
{
	char suggestion[SYNOPSIS_NAME_SIZE];

	if (name && synopsis_suggest(disk_synopsis_text, name, length, suggestion))
		return error_set(err, "%s: unknown option; did you mean --%s?", typed, suggestion);
	return error_set(err, "%s: unknown option", typed);
}

// "-2h" is a time, "-" is standard output, and what follows a time may be a path that begins with a dash, behind "--".
static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0' && !(word[1] >= '0' && word[1] <= '9');
}

// One option at argv[*at] with its value; moves *at to what follows.
static int parse_option(int argc, char **argv, int *at, const char *allowed, struct disk_options *o, struct error *err)
{
	const char *typed = argv[(*at)++], *value = NULL;
	struct synopsis_option option;

	if (typed[1] == '-') {
		const char *equals = strchr(typed, '=');
		size_t length = equals ? (size_t)(equals - typed) - 2 : strlen(typed) - 2;

		if (!synopsis_find(disk_synopsis_text, typed + 2, length, 0, &option))
			return unknown_option(typed, typed + 2, length, err);
		value = equals ? equals + 1 : NULL;
	} else if (!synopsis_find(disk_synopsis_text, NULL, 0, typed[1], &option)) {
		return unknown_option(typed, NULL, 0, err);
	} else if (typed[2]) {
		value = typed + 2; // -oFILE
	}
	if (!disk_option_among(allowed, option.name))
		return error_set(err, "--%s: is an option of another verb", option.name);
	if (option.argument == ARGUMENT_NONE && value)
		return error_set(err, "%s: takes no value", typed);
	if (option.argument != ARGUMENT_NONE && !value) {
		if (*at >= argc || is_option(argv[*at]))
			return error_set(err, "--%s: needs a value: --%s %s", option.name, option.name, option.argument_name);
		value = argv[(*at)++];
	}
	return apply(o, option.name, value ? value : "", err);
}

// A zone and the like may stand in the configuration files; the command line goes over them.
static int take_settings(struct disk_options *o, struct options *settings, struct error *err)
{
	if (config_load(settings, err) < 0)
		return -1;
	if (!o->zone.utc && !o->zone.name)
		o->zone = settings->zone;
	o->quiet = o->quiet || settings->quiet;
	o->no_pager = o->no_pager || settings->no_pager;
	if (o->zone.utc && o->zone.name)
		return error_set(err, "--utc and --tz: use one of them");
	return nanotime_check_zone(o->zone, err);
}

int disk_options_parse(int argc, char **argv, const char *allowed, struct disk_options *ret, struct error *err)
{
	bool only_operands = false;

	*ret = (struct disk_options){.partition = -1};
	for (int at = 0; at < argc;) {
		if (!only_operands && strcmp(argv[at], "--") == 0) {
			only_operands = true;
			at++;
		} else if (!only_operands && is_option(argv[at])) {
			if (parse_option(argc, argv, &at, allowed, ret, err) < 0)
				return -1;
		} else if (string_vector_append(&ret->words, argv[at++]) < 0) {
			return error_set(err, "out of memory");
		}
	}
	if (take_settings(ret, &ret->settings, err) < 0)
		return -1;
	if (ret->words.count == 0)
		return 0;
	ret->operands = ret->words.items + 1;
	ret->operand_count = ret->words.count - 1;
	return disk_split_history(ret->words.items[0], &ret->history, &ret->partition, err);
}

void disk_options_release(struct disk_options *o)
{
	free(o->history);
	o->history = NULL;
	string_vector_release(&o->words);
	options_release(&o->settings);
	disk_clock_free(o->guest_clock);
	o->guest_clock = NULL;
}

int disk_split_history(const char *text, char **ret_folder, int *ret_partition, struct error *err)
{
	const char *colon = strrchr(text, ':');
	size_t digits = colon ? strspn(colon + 1, "0123456789") : 0, length = strlen(text);
	int partition = -1;
	struct stat status;

	if (!*text)
		return error_set(err, "the history's name is empty");
	if (digits > 0 && !colon[1 + digits] && stat(text, &status) < 0) {
		if (digits > 4)
			return error_set(err, "%s: is no number of a partition", colon + 1);
		partition = atoi(colon + 1);
		length = (size_t)(colon - text);
	}
	char *folder = strndup(text, length);
	if (!folder)
		return error_set(err, "out of memory");
	*ret_folder = folder;
	*ret_partition = partition;
	return 0;
}
