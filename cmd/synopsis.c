// SPDX-License-Identifier: MIT
#include "cmd/synopsis.h"

#include <string.h>

// "  -o, --output FILE       write to FILE": two blanks, a short name or four blanks, two dashes, the name, at most one argument.
bool synopsis_parse_line(const char *line, struct synopsis_option *ret)
{
	struct synopsis_option option = {0};

	if (strncmp(line, "      --", 8) == 0)
		line += 8;
	else if (strncmp(line, "  -", 3) == 0 && line[3] != '-' && strncmp(line + 4, ", --", 4) == 0) {
		option.short_name = line[3];
		line += 8;
	} else {
		return false;
	}
	size_t length = strcspn(line, " \n");

	if (length == 0 || length >= sizeof(option.name))
		return false;
	memcpy(option.name, line, length);
	line += length;
	if (line[0] == ' ' && line[1] != ' ') {
		length = strcspn(++line, " \n");
		if (length >= sizeof(option.argument_name))
			return false;
		option.argument = ARGUMENT_ONE;
		if (length > 3 && strncmp(line + length - 3, "...", 3) == 0) {
			option.argument = ARGUMENT_MANY;
			length -= 3;
		}
		memcpy(option.argument_name, line, length);
	}
	*ret = option;
	return true;
}

static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end ? end + 1 : NULL;
}

bool synopsis_find(const char *synopsis, const char *name, size_t length, char short_name, struct synopsis_option *ret)
{
	struct synopsis_option option;

	for (const char *line = synopsis; line; line = next_line(line)) {
		if (!synopsis_parse_line(line, &option))
			continue;
		bool same = name ? strlen(option.name) == length && memcmp(option.name, name, length) == 0 :
				   option.short_name && option.short_name == short_name;
		if (same) {
			*ret = option;
			return true;
		}
	}
	return false;
}

static void add_option(struct buffer *out, const struct synopsis_option *option)
{
	buffer_printf(out, "--%s", option->name);
	if (option->argument != ARGUMENT_NONE)
		buffer_printf(out, "=%s", option->argument_name);
	buffer_add_byte(out, '\n');
}

void synopsis_long_options(const char *synopsis, struct buffer *out)
{
	struct synopsis_option option;

	for (const char *line = synopsis; line; line = next_line(line))
		if (synopsis_parse_line(line, &option))
			add_option(out, &option);
}

#define MAX_WORD 40

unsigned words_apart(const char *a, size_t a_length, const char *b, size_t b_length)
{
	unsigned row[MAX_WORD + 1];

	if (a_length > MAX_WORD)
		a_length = MAX_WORD;
	if (b_length > MAX_WORD)
		b_length = MAX_WORD;
	for (unsigned j = 0; j <= b_length; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_length; j++) {
			unsigned best = diagonal + (a[i - 1] != b[j - 1]);

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[b_length];
}

bool synopsis_suggest(const char *synopsis, const char *typed, size_t length, char ret_name[SYNOPSIS_NAME_SIZE])
{
	struct synopsis_option option;
	unsigned best = 3; // further apart than two keys is another word

	for (const char *line = synopsis; line; line = next_line(line)) {
		if (!synopsis_parse_line(line, &option))
			continue;
		unsigned apart = words_apart(typed, length, option.name, strlen(option.name));

		// The beginning of a longer name is close, too: --alert-i, --out.
		if (length >= 3 && strncmp(option.name, typed, length) == 0)
			apart = 1;
		if (apart < best) {
			best = apart;
			memcpy(ret_name, option.name, sizeof(option.name));
		}
	}
	return best < 3;
}
