// SPDX-License-Identifier: MIT
// provgraph disk ls HISTORY TIME [PATH]: a folder as it was, in the manner of ls -l.
#include "base/memory.h"
#include "base/text.h"
#include "base/vector.h"
#include "cmd/disk_ask.h"
#include "cmd/report.h"
#include "snapshots/fs_file.h"
#include "snapshots/history.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ENTRIES ((size_t)4 << 20) // our limit: they are sorted in memory

VECTOR_DEFINE(file_vector, struct fs_file)

struct list {
	const struct disk_options *o;
	struct fsread_question question;
	bool has_first;
	struct fs_file first;       // what was asked for
	struct file_vector entries; // of a folder
};

static int on_frame(void *context, uint32_t type, const void *payload, size_t length, struct error *err)
{
	struct list *l = context;
	struct wire_reader r = wire_read(payload, length);
	struct fs_file file;

	if (type != FSREAD_FRAME_FILE)
		return 0;
	if (fs_file_get(&r, &file, err) < 0)
		return -1;
	if (wire_end(&r, "an entry", err) < 0) {
		fs_file_release(&file);
		return -1;
	}
	if (!l->has_first) {
		l->has_first = true;
		l->first = file;
		return 0;
	}
	if (!file.path || l->entries.count >= MAX_ENTRIES || file_vector_append(&l->entries, file) < 0) {
		fs_file_release(&file);
		return error_set(err, "the folder has more entries than the limit of %zu", MAX_ENTRIES);
	}
	return 0;
}

// By the bytes of the name, then by inode: two entries may have one name on a damaged disk.
static int compare(const void *a, const void *b)
{
	const struct fs_file *x = a, *y = b;
	size_t shorter = x->path_length < y->path_length ? x->path_length : y->path_length;
	int order = memcmp(x->path, y->path, shorter);

	if (order != 0)
		return order;
	if (x->path_length != y->path_length)
		return x->path_length < y->path_length ? -1 : 1;
	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

// ---- for people

static void add_mode(struct buffer *out, const struct fs_file *f)
{
	static const char kinds[] = "?-dlcbps", letters[] = "rwxrwxrwx";
	char text[11] = {kinds[f->kind]};

	for (unsigned i = 0; i < 9; i++)
		text[i + 1] = f->mode & (0400u >> i) ? letters[i] : '-';
	if (f->mode & 04000)
		text[3] = f->mode & 0100 ? 's' : 'S';
	if (f->mode & 02000)
		text[6] = f->mode & 010 ? 's' : 'S';
	if (f->mode & 01000)
		text[9] = f->mode & 01 ? 't' : 'T';
	buffer_add_string(out, text);
}

static void add_line(struct buffer *out, const struct list *l, const struct fs_file *f)
{
	add_mode(out, f);
	buffer_printf(out, " %3" PRIu32 " %5" PRIu32 " %5" PRIu32 " %12" PRIu64 " ", f->links, f->uid, f->gid, f->size_bytes);
	if (f->mtime_ns == NANOTIME_NONE)
		buffer_printf(out, "%-35s", "-");
	else
		nanotime_format(out, f->mtime_ns, NANOTIME_FULL, l->o->zone);
	buffer_printf(out, " %8" PRIu64 " ", f->inode);
	text_terminal(out, f->path ? f->path : "", f->path_length);
	if (f->target) {
		buffer_add_string(out, " -> ");
		text_terminal(out, f->target, f->target_length);
	}
	buffer_add_byte(out, '\n');
}

// ---- for programs: one object a line

static void json_text(struct buffer *out, const char *key, const char *bytes, size_t length)
{
	bool lossy = false;

	buffer_printf(out, ",\"%s\":", key);
	text_json(out, bytes, length, &lossy);
	if (!lossy)
		return;
	buffer_printf(out, ",\"%s_b64\":\"", key);
	text_base64(out, bytes, length);
	buffer_add_byte(out, '"');
}

static void json_time(struct buffer *out, const struct list *l, const char *key, uint64_t ns)
{
	if (ns == NANOTIME_NONE)
		return;
	buffer_printf(out, ",\"%s\":\"", key);
	nanotime_format(out, ns, NANOTIME_FULL, l->o->zone);
	buffer_add_byte(out, '"');
}

static void add_json(struct buffer *out, const struct list *l, const struct fs_file *f)
{
	buffer_printf(out, "{\"kind\":\"%s\"", fs_kind_name(f->kind));
	json_text(out, "name", f->path ? f->path : "", f->path_length);
	buffer_printf(out, ",\"inode\":%" PRIu64 ",\"generation\":%" PRIu32 ",\"mode\":\"%06" PRIo32 "\",\"links\":%" PRIu32 ",\"uid\":%" PRIu32
			   ",\"gid\":%" PRIu32 ",\"size\":%" PRIu64, f->inode, f->generation, f->mode, f->links, f->uid, f->gid, f->size_bytes);
	json_time(out, l, "modified", f->mtime_ns);
	json_time(out, l, "changed", f->ctime_ns);
	json_time(out, l, "accessed", f->atime_ns);
	json_time(out, l, "born", f->crtime_ns);
	if (f->target)
		json_text(out, "target", f->target, f->target_length);
	buffer_add_string(out, "}\n");
}

// ---- running

static void add_entry(struct buffer *out, const struct list *l, const struct fs_file *f)
{
	if (l->o->json)
		add_json(out, l, f);
	else
		add_line(out, l, f);
}

static int print(struct list *l, struct history *h, struct error *err)
{
	struct buffer out AUTO_RELEASE_BUFFER = {0}, moment AUTO_RELEASE_BUFFER = {0};

	if (!l->has_first)
		return error_set(err, "disk ls: the answer was empty");
	if (l->entries.count > 0)
		qsort(l->entries.items, l->entries.count, sizeof(*l->entries.items), compare);
	if (l->first.kind != FS_FOLDER)
		add_entry(&out, l, &l->first);
	for (size_t i = 0; i < l->entries.count; i++)
		add_entry(&out, l, &l->entries.items[i]);
	if (!l->o->quiet) {
		disk_ask_moment(&moment, l->o, h, l->question.to_seq);
		report_line("moment: %s", buffer_string(&moment));
	}
	return disk_print(l->o, &out, err);
}

static int list(struct list *l, struct history **h, struct error *err)
{
	struct fsread_answer answer = {0};

	if (disk_ask(l->o, true, h, &l->question, err) < 0)
		return STATUS_ERROR;
	l->question.job = FSREAD_LIST;
	int result = fsread_ask(&l->question, on_frame, l, &answer, err);

	disk_ask_warn(l->o, &answer.warnings);
	buffer_release(&answer.warnings);
	if (result < 0 && answer.failure == FSREAD_NO_SUCH_FILE)
		return STATUS_NO_MATCH;
	if (result < 0 || print(l, *h, err) < 0)
		return STATUS_ERROR;
	return STATUS_WRITTEN;
}

int disk_ls(const struct disk_options *o)
{
	struct list l = {.o = o};
	struct history *h = NULL;
	struct error err;
	int status = list(&l, &h, &err);

	if (status != STATUS_WRITTEN)
		report_error(&err);
	for (size_t i = 0; i < l.entries.count; i++)
		fs_file_release(&l.entries.items[i]);
	file_vector_release(&l.entries);
	fs_file_release(&l.first);
	history_free(h);
	return status;
}
