// SPDX-License-Identifier: MIT
// The words are put into the order that the verb takes; every other option goes along as it is, and the verb judges it.
#include "cmd/restore_at.h"

#include "base/error.h"
#include "base/memory.h"
#include "cmd/disk.h"
#include "cmd/report.h"
#include "cmd/synopsis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct request {
	const char *restore_at, *versions, *disk, *alert;
	struct string_vector others; // options for the verb
};

// The value of option argv[*at] when its name is `name`; moves *at onto the value when that is a word of its own.
static bool take(int argc, char **argv, int *at, const char *name, const char **ret, struct error *err)
{
	const char *word = argv[*at] + 2;
	size_t length = strlen(name);

	if (strncmp(word, name, length) != 0 || (word[length] != '\0' && word[length] != '='))
		return false;
	if (word[length] == '=')
		*ret = word + length + 1;
	else if (*at + 1 < argc && strncmp(argv[*at + 1], "--", 2) != 0) // no value of ours begins so; the next option does
		*ret = argv[++*at];
	if (!*ret || !**ret) {
		*ret = NULL;
		(void)error_set(err, "--%s: needs a value", name);
	}
	return true;
}

// Whether the word behind this option is its value.
static bool has_value(const char *word)
{
	struct synopsis_option option;
	bool known = false;

	if (word[1] == '-' && !strchr(word, '='))
		known = synopsis_find(synopsis_text, word + 2, strlen(word + 2), 0, &option);
	else if (word[1] != '-' && word[1] && !word[2])
		known = synopsis_find(synopsis_text, NULL, 0, word[1], &option);
	return known && option.argument != ARGUMENT_NONE;
}

static int sort_words(int argc, char **argv, struct request *r, struct error *err)
{
	const struct {
		const char *name;
		const char **value;
	} own[] = {{"restore-at", &r->restore_at}, {"versions", &r->versions}, {"disk", &r->disk}, {"alert-ip", &r->alert}, {"alert", &r->alert}};

	for (int at = 1; at < argc; at++) {
		bool taken = false;

		for (size_t i = 0; i < ARRAY_LENGTH(own) && !taken && strncmp(argv[at], "--", 2) == 0; i++) {
			const char *value = NULL;

			taken = take(argc, argv, &at, own[i].name, &value, err);
			if (taken && !value)
				return -1;
			if (taken && *own[i].value)
				return error_set(err, "--%s: is given twice", own[i].name);
			if (taken)
				*own[i].value = value;
		}
		if (taken)
			continue;
		if (argv[at][0] != '-' || !argv[at][1])
			return error_set(err, "%s: belongs to no option; --path and --disk name the file and the history", argv[at]);
		if (string_vector_append(&r->others, argv[at]) < 0 ||
		    (has_value(argv[at]) && at + 1 < argc && string_vector_append(&r->others, argv[++at]) < 0))
			return error_set(err, "out of memory");
	}
	return 0;
}

static int check(const struct request *r, struct error *err)
{
	if (r->alert)
		return error_set(err, "--alert-ip and --alert begin an investigation; run --restore-at and --versions by themselves");
	if (r->restore_at && r->versions)
		return error_set(err, "--restore-at and --versions: one of them");
	if (!r->disk)
		return error_set(err, "--%s: out of which history? --disk HISTORY", r->restore_at ? "restore-at" : "versions");
	return 0;
}

// disk cat OTHERS... -- HISTORY TIME; disk log OTHERS... -- HISTORY PATH
static int run(const struct request *r, uint64_t now_ns)
{
	char **argv = calloc(r->others.count + 6, sizeof(*argv));
	int argc = 0;

	if (!argv) {
		report_line("out of memory");
		return STATUS_ERROR;
	}
	argv[argc++] = (char *)(uintptr_t)"disk";
	argv[argc++] = (char *)(uintptr_t)(r->restore_at ? "cat" : "log");
	for (size_t i = 0; i < r->others.count; i++)
		argv[argc++] = (char *)(uintptr_t)r->others.items[i];
	argv[argc++] = (char *)(uintptr_t)"--";
	argv[argc++] = (char *)(uintptr_t)r->disk;
	argv[argc++] = (char *)(uintptr_t)(r->restore_at ? r->restore_at : r->versions);
	int status = disk_main(argc, argv, now_ns);

	free(argv);
	return status;
}

bool restore_at_asked(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return false;
		if (strncmp(argv[i], "--restore-at", 12) == 0 || strncmp(argv[i], "--versions", 10) == 0)
			return true;
	}
	return false;
}

int restore_at_main(int argc, char **argv, uint64_t now_ns)
{
	struct request r = {0};
	struct error err;
	int status = STATUS_ERROR;

	if (sort_words(argc, argv, &r, &err) < 0 || check(&r, &err) < 0)
		report_error(&err);
	else
		status = run(&r, now_ns);
	string_vector_release(&r.others);
	return status;
}
