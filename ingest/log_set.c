// SPDX-License-Identifier: MIT
#include "ingest/log_set.h"

#include "base/memory.h"
#include "base/vector.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_LOGS 4096 /* our limit: each is an open file */

int log_set_note(struct log_set *set, struct error *err, const char *format, ...)
{
	char **notes = realloc(set->notes, (set->note_count + 1) * sizeof(*notes)), *note = NULL;
	va_list arguments;

	if (!notes)
		return error_set(err, "out of memory");
	set->notes = notes;
	va_start(arguments, format);
	if (vasprintf(&note, format, arguments) < 0)
		note = NULL;
	va_end(arguments);
	if (!note)
		return error_set(err, "out of memory");
	set->notes[set->note_count++] = note;
	return 0;
}

void log_set_release(struct log_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		log_file_free(set->logs[i]);
	for (size_t i = 0; i < set->note_count; i++)
		free(set->notes[i]);
	free(set->logs);
	free(set->notes);
	memset(set, 0, sizeof(*set));
}

static int append(struct log_set *set, struct log_file *f, struct error *err)
{
	if (set->count == MAX_LOGS)
		return error_set(err, "%s: more than %d log files", f->name, MAX_LOGS);
	if ((set->count & (set->count - 1)) == 0) {
		struct log_file **logs = realloc(set->logs, (set->count ? set->count * 2 : 1) * sizeof(*logs));

		if (!logs)
			return error_set(err, "out of memory");
		set->logs = logs;
	}
	set->logs[set->count++] = f;
	return 0;
}

// The same file under two names (a folder and a file in it) is read once. Pipes differ even if their numbers look alike.
static bool known(const struct log_set *set, const struct log_file *f)
{
	for (size_t i = 0; i < set->count; i++) {
		if (set->logs[i]->dev == f->dev && set->logs[i]->ino == f->ino)
			return true;
	}
	return false;
}

// What a file without records is, in words. The head of a compressed one is its text's.
static void describe(struct log_file *f, char *ret, size_t size)
{
	char head[1024];
	size_t length = 0;

	if (log_file_read(f, 0, head, sizeof(head), &length, NULL) < 0)
		length = 0;
	(void)snprintf(ret, size, "%s", log_file_looks_like(head, length));
}

// Takes the log in, or leaves it out (`optional`: found in a folder, not named). Owns f in every case.
static int take(struct log_set *set, struct log_file *f, bool optional, struct error *err)
{
	char what[128];
	int result = 0;

	if (known(set, f)) {
		log_file_free(f);
		return 0;
	}
	if (f->has_first) {
		result = append(set, f, err);
		if (result < 0)
			log_file_free(f);
		return result;
	}
	describe(f, what, sizeof(what));
	if (!f->ready || f->size_bytes > 0) {
		if (optional)
			result = log_set_note(set, err, "%s: left out: no audit record in it, it looks like %s", f->name, what);
		else
			result = error_set(err, "%s: no audit record in it, it looks like %s", f->name, what);
	} else {
		result = log_set_note(set, err, "%s: is empty", f->name);
	}
	log_file_free(f);
	return result;
}

static int open_one(struct log_set *set, const char *path, bool optional, struct error *err)
{
	struct log_file *f = log_file_open(path, err);

	return f ? take(set, f, optional, err) : -1;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

VECTOR_DEFINE(name_vector, char *)

static void names_release(struct name_vector *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	name_vector_release(names);
}

// Regular files of the folder (links to such count), no hidden ones, sorted.
static int list_folder(const char *path, struct name_vector *names, struct error *err)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	int result = 0;

	if (!folder) {
		const char *hint = errno == EACCES ? " (run as root, or copy the logs and name the copies with --log)" : "";

		return error_set(err, "%s: cannot read: %s%s", path, strerror(errno), hint);
	}
	while (result == 0 && (entry = readdir(folder))) {
		struct stat status;
		char *name = NULL;

		if (entry->d_name[0] == '.' || fstatat(dirfd(folder), entry->d_name, &status, 0) < 0 || !S_ISREG(status.st_mode))
			continue;
		if (asprintf(&name, "%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/", entry->d_name) < 0)
			result = error_set(err, "out of memory");
		else if (name_vector_append(names, name) < 0) {
			free(name);
			result = error_set(err, "out of memory");
		}
	}
	(void)closedir(folder);
	if (names->count > 0)
		qsort(names->items, names->count, sizeof(names->items[0]), compare_names);
	return result;
}

static bool named_audit_log(const char *path)
{
	const char *base = strrchr(path, '/');

	return strncmp(base ? base + 1 : path, "audit.log", 9) == 0;
}

// auditd's own names if there are any; in a folder without them, whatever holds audit records.
static int open_folder(struct log_set *set, const char *path, struct error *err)
{
	struct name_vector names = { 0 };
	bool own = false;
	size_t before = set->count;
	int result = list_folder(path, &names, err);

	for (size_t i = 0; i < names.count; i++)
		own |= named_audit_log(names.items[i]);
	for (size_t i = 0; result == 0 && i < names.count; i++) {
		if (!own || named_audit_log(names.items[i]))
			result = open_one(set, names.items[i], true, err);
	}
	names_release(&names);
	if (result == 0 && set->count == before && set->note_count == 0)
		result = log_set_note(set, err, "%s: no log file in this folder", path);
	return result;
}

static int open_pattern(struct log_set *set, const char *path, struct error *err)
{
	glob_t found;
	int result = glob(path, 0, NULL, &found);

	if (result == GLOB_NOMATCH)
		return error_set(err, "%s: no file has such a name", path);
	if (result != 0)
		return error_set(err, "%s: cannot look for such names", path);
	result = 0;
	for (size_t i = 0; result == 0 && i < found.gl_pathc; i++) {
		struct stat status;

		if (stat(found.gl_pathv[i], &status) == 0 && S_ISDIR(status.st_mode))
			result = open_folder(set, found.gl_pathv[i], err);
		else
			result = open_one(set, found.gl_pathv[i], false, err);
	}
	globfree(&found);
	return result;
}

static int open_path(struct log_set *set, const char *path, struct error *err)
{
	struct stat status;

	if (strcmp(path, "-") == 0)
		return open_one(set, path, false, err);
	if (stat(path, &status) == 0)
		return S_ISDIR(status.st_mode) ? open_folder(set, path, err) : open_one(set, path, false, err);
	// A file may be called "a[1].log": a pattern is only what names no file.
	if (errno == ENOENT && strpbrk(path, "*?["))
		return open_pattern(set, path, err);
	if (errno == EACCES)
		return error_set(err, "%s: cannot open: %s (run as root, or copy the logs and name the copies with --log)", path,
				 strerror(errno));
	return error_set_errno(err, errno, "%s: cannot open", path);
}

// "audit.log.12.gz" -> 12 with stem "audit.log"; "audit.log-20261120" -> 20261120 with the same; "audit.log" -> 0.
static uint64_t rotation(const char *name, size_t *ret_stem)
{
	size_t length = strlen(name);
	uint64_t number = 0;

	if (length > 3 && strcmp(name + length - 3, ".gz") == 0)
		length -= 3;
	else if (length > 4 && strcmp(name + length - 4, ".zst") == 0)
		length -= 4;
	size_t end = length, start = end;

	while (start > 0 && name[start - 1] >= '0' && name[start - 1] <= '9')
		start--;
	if (start == end || end - start > 14 || start < 2 || !memchr(".-", name[start - 1], 2) || name[start - 2] == '/') {
		*ret_stem = length;
		return 0;
	}
	for (size_t i = start; i < end; i++)
		number = number * 10 + (uint64_t)(name[i] - '0');
	*ret_stem = start - 1;
	return number;
}

size_t log_set_stem(const char *name)
{
	size_t stem;

	(void)rotation(name, &stem);
	return stem;
}

static int compare_logs(const void *a, const void *b)
{
	const struct log_file *x = *(struct log_file *const *)a, *y = *(struct log_file *const *)b;
	size_t stem;
	uint64_t x_number, y_number;

	if (x->first_ns != y->first_ns)
		return x->first_ns < y->first_ns ? -1 : 1;
	x_number = rotation(x->name, &stem);
	y_number = rotation(y->name, &stem);
	if (x_number != y_number)
		return x_number > y_number ? -1 : 1; // a larger number is older
	return strcmp(x->name, y->name);
}

int log_set_open(struct log_set *set, const char *const *paths, size_t count, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		if (open_path(set, paths[i], err) < 0)
			return -1;
	}
	if (set->count == 0) {
		if (set->note_count > 0)
			return error_set(err, "%s: no audit record to read", set->notes[0]);
		return error_set(err, "no log to read");
	}
	qsort(set->logs, set->count, sizeof(set->logs[0]), compare_logs);
	return 0;
}

int log_set_add(struct log_set *set, struct log_file *f, struct error *err)
{
	if (take(set, f, true, err) < 0)
		return -1;
	if (set->count > 1)
		qsort(set->logs, set->count, sizeof(set->logs[0]), compare_logs);
	return 0;
}

// The log that the same rotation wrote right after f: it begins next among those of its stem.
static const struct log_file *successor(const struct log_set *set, const struct log_file *f)
{
	size_t stem = log_set_stem(f->name);
	bool behind = false;

	for (size_t i = 0; i < set->count; i++) { // in order of first stamp
		const struct log_file *other = set->logs[i];

		if (other == f)
			behind = true;
		else if (behind && log_set_stem(other->name) == stem && strncmp(f->name, other->name, stem) == 0)
			return other;
	}
	return NULL;
}

int log_set_find_last(struct log_set *set, struct error *err)
{
	for (size_t i = 0; i < set->count; i++) {
		struct log_file *f = set->logs[i];
		const struct log_file *next = f->ready || f->has_last ? NULL : successor(set, f);

		if (next) {
			f->has_last = f->last_estimated = true;
			f->last_ns = next->first_ns;
		} else if (log_file_find_last(f, err) < 0) {
			return -1;
		}
	}
	return 0;
}
