// SPDX-License-Identifier: MIT
#include "cmd/config.h"

#include "base/fileio.h"
#include "base/memory.h"
#include "base/text.h"
#include "cmd/synopsis.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define SITE_FILE "/etc/provgraph.conf"
#define MAX_CONFIG_BYTES 65536 /* our limit */

static const struct {
	const char *name, *fallback;
} settings[OPTION_SETTINGS] = {
	{"log", DEFAULT_LOG}, {"host", ""}, {"window", "20m"}, {"baseline", ""}, {"tz", "local"},
	{"utc", "no"}, {"csv-raw", "no"}, {"quiet", "no"}, {"color", "auto"}, {"no-pager", "no"},
};

int config_setting(const char *name)
{
	for (size_t i = 0; i < ARRAY_LENGTH(settings); i++)
		if (strcmp(settings[i].name, name) == 0)
			return (int)i;
	return -1;
}

static char *trimmed(char *text)
{
	size_t length;

	text += strspn(text, " \t");
	length = strlen(text);
	while (length > 0 && strchr(" \t\r", text[length - 1]))
		text[--length] = '\0';
	return text;
}

static int keep(struct options *o, const char *text, const char **ret, struct error *err)
{
	char *copy = strdup(text);

	if (!copy || string_vector_append(&o->owned, copy) < 0) {
		free(copy);
		return error_set(err, "out of memory");
	}
	*ret = copy;
	return 0;
}

// A switch is set by "yes"; "no" leaves it off.
static int apply(struct options *o, const struct synopsis_option *option, const char *value, const char *place, struct error *err)
{
	struct error reason;

	if (option->argument == ARGUMENT_NONE) {
		if (strcmp(value, "no") == 0)
			return 0;
		if (strcmp(value, "yes") != 0)
			return error_set(err, "%s: %s is switched by yes or no", place, option->name);
	}
	if (options_apply(o, option, value, place, &reason) < 0)
		return error_set(err, "%s: %s", place, reason.message);
	return 0;
}

static int take_line(struct options *o, char *line, const char *place, struct error *err)
{
	struct synopsis_option option;
	const char *kept_value, *kept_place;

	line = trimmed(line);
	if (!*line || *line == '#')
		return 0;
	char *equals = strchr(line, '=');
	if (!equals)
		return error_set(err, "%s: is not of the form NAME = VALUE", place);
	*equals = '\0';
	char *name = trimmed(line), *value = trimmed(equals + 1);

	if (config_setting(name) < 0 || !synopsis_find(synopsis_text, name, strlen(name), 0, &option))
		return error_set(err, "%s: %s is no setting", place, name);
	if (keep(o, value, &kept_value, err) < 0 || keep(o, place, &kept_place, err) < 0)
		return -1;
	return apply(o, &option, kept_value, kept_place, err);
}

static int load_file(struct options *o, const char *path, struct error *err)
{
	struct buffer text AUTO_RELEASE_BUFFER = {0};
	unsigned number = 0;

	if (access(path, F_OK) < 0)
		return 0;
	if (fileio_read(&text, path, MAX_CONFIG_BYTES, err) < 0)
		return -1;
	for (char *line = text.bytes, *next; line && *line; line = next) {
		char place[PATH_MAX + 16];
		size_t length = strcspn(line, "\n");

		next = line[length] ? line + length + 1 : NULL;
		line[length] = '\0';
		(void)snprintf(place, sizeof(place), "%s:%u", path, ++number);
		if (take_line(o, line, place, err) < 0)
			return -1;
	}
	return 0;
}

int config_load(struct options *o, struct error *err)
{
	const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char path[PATH_MAX];
	int length = -1;

	if (load_file(o, SITE_FILE, err) < 0)
		return -1;
	if (base && *base)
		length = snprintf(path, sizeof(path), "%s/provgraph/config", base);
	else if (home && *home)
		length = snprintf(path, sizeof(path), "%s/.config/provgraph/config", home);
	return length > 0 && length < (int)sizeof(path) ? load_file(o, path, err) : 0;
}

void config_print(const struct options *o, struct buffer *out)
{
	for (size_t i = 0; i < ARRAY_LENGTH(settings); i++) {
		const char *value = o->setting_values[i], *origin = o->setting_origins[i];

		buffer_printf(out, "%s = ", settings[i].name);
		if (!origin)
			value = settings[i].fallback;
		else if (!*value)
			value = "yes"; // a switch of the command line
		text_terminal(out, value, strlen(value));
		buffer_add_string(out, "  # ");
		if (origin)
			text_terminal(out, origin, strlen(origin));
		else
			buffer_add_string(out, "default");
		buffer_add_byte(out, '\n');
	}
}
