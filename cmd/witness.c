// SPDX-License-Identifier: MIT
#include "cmd/witness.h"

#include "base/memory.h"
#include "base/text.h"
#include "cmd/investigate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// ---- which disks

// One partition of one disk cannot be two devices of the log, nor one device two disks.
static int refuse_twice(const struct witness *w, size_t i, struct error *err)
{
	const struct witness_volume *v = &w->volumes[i];

	for (size_t k = 0; k < i; k++) {
		const struct witness_volume *other = &w->volumes[k];
		bool same_host = v->mapping.host && other->mapping.host ? strcmp(v->mapping.host, other->mapping.host) == 0 :
									  v->mapping.host == other->mapping.host;
		bool same_part = v->mapping.partition == other->mapping.partition || v->mapping.partition < 0 || other->mapping.partition < 0;

		if (v->mapping.dev == other->mapping.dev && same_host)
			return error_set(err, "--disk: device %02x:%02x is given twice, as %s and as %s", v->mapping.dev >> 20,
					 v->mapping.dev & 0xfffffu, other->argument, v->argument);
		if (memcmp(v->uuid, other->uuid, sizeof(v->uuid)) == 0 && same_part)
			return error_set(err, "--disk: %s and %s are the same recorded disk; it cannot be both %02x:%02x and %02x:%02x", other->argument,
					 v->argument, other->mapping.dev >> 20, other->mapping.dev & 0xfffffu, v->mapping.dev >> 20,
					 v->mapping.dev & 0xfffffu);
	}
	return 0;
}

int witness_open(struct investigation *in, struct error *err)
{
	const struct string_vector *disks = &in->options->disks;
	struct witness *w = &in->witness;

	if (disks->count == 0)
		return 0;
	w->volumes = calloc(disks->count, sizeof(*w->volumes));
	if (!w->volumes)
		return error_set(err, "out of memory");
	for (size_t i = 0; i < disks->count; i++) {
		struct witness_mapping mapping;

		if (witness_parse(disks->items[i], &mapping, err) < 0)
			return -1;
		w->count++;
		if (witness_volume_open(&w->volumes[i], &mapping, err) < 0 || refuse_twice(w, i, err) < 0)
			return -1;
	}
	return 0;
}

void witness_release(struct witness *w)
{
	annotation_free(w->annotation);
	for (size_t i = 0; i < w->count; i++)
		witness_volume_release(&w->volumes[i]);
	free(w->volumes);
	*w = (struct witness){0};
}

struct witness_volume *witness_volume_of(const struct witness *w, uint32_t file)
{
	uint32_t volume = w->annotation ? annotation_of(w->annotation, file)->volume : GRAPH_NONE;

	return volume < w->covered ? &w->volumes[volume] : NULL;
}

// A sentence of provgraph-fsread does not know which of the disks it is about.
static int name_disk(const struct witness_volume *v, struct error *err)
{
	struct error reason = *err;

	if (strncmp(reason.message, v->mapping.history, strlen(v->mapping.history)) != 0)
		(void)error_set(err, "%s: %s", v->argument, reason.message);
	return -1;
}

// ---- when

static void report_span(const struct investigation *in, const struct witness_volume *v)
{
	struct buffer line AUTO_RELEASE_BUFFER = {0};

	if (v->last_seq == 0) {
		report_line("%s: nothing has been recorded yet: this disk tells nothing", v->argument);
		return;
	}
	buffer_add_string(&line, v->covered ? "is being recorded; seen up to " : "does not cover the window: recorded from ");
	if (!v->covered) {
		nanotime_format(&line, v->first_ns, NANOTIME_FULL, in->options->zone);
		buffer_add_string(&line, " to ");
	}
	nanotime_format(&line, v->last_ns, NANOTIME_FULL, in->options->zone);
	if (!v->covered) {
		buffer_add_string(&line, ", asked is ");
		nanotime_format(&line, v->host_from_ns, NANOTIME_FULL, in->options->zone);
		buffer_add_string(&line, " to ");
		nanotime_format(&line, v->host_to_ns, NANOTIME_FULL, in->options->zone);
	}
	report_line("%s: %s (this host's clock)", v->argument, buffer_string(&line));
}

static void report_end(const struct investigation *in, const struct witness_volume *v)
{
	struct buffer line AUTO_RELEASE_BUFFER = {0};

	nanotime_format(&line, v->unreadable_ns, NANOTIME_FULL, in->options->zone);
	report_line("%s: from %s on (this host's clock) its file system cannot be read, as after a wipe: it is asked up to seq:%" PRIu64, v->argument,
		    buffer_string(&line), v->end_seq);
}

// Covered ones first, else in the order given.
static void sort_volumes(struct witness *w)
{
	w->covered = 0;
	for (size_t i = 0; i < w->count; i++) {
		struct witness_volume v = w->volumes[i];

		if (!v.covered)
			continue;
		memmove(&w->volumes[w->covered + 1], &w->volumes[w->covered], (i - w->covered) * sizeof(v));
		w->volumes[w->covered++] = v;
	}
	for (size_t i = 0; i < w->count; i++) // they moved
		w->volumes[i].file.warnings = &w->volumes[i].warnings;
}

int witness_look(struct investigation *in, struct error *err)
{
	struct witness *w = &in->witness;

	for (size_t i = 0; i < w->count; i++) {
		struct witness_volume *v = &w->volumes[i];

		v->host = v->mapping.host ? intern_add_string(in->strings, v->mapping.host) : in->contact_host;
		if (witness_volume_look(v, in->from_ns, in->to_ns, ANNOTATE_LOOK_ON_NS, err) < 0)
			return name_disk(v, err);
		if (v->end_seq != 0)
			report_end(in, v);
		if (!v->covered || (v->being_written && !in->options->quiet))
			report_span(in, v);
	}
	sort_volumes(w);
	return 0;
}

// ---- the log's devices

struct device_seen { uint32_t host, dev, files; };
VECTOR_DEFINE(device_vector, struct device_seen)

static int by_host_and_number(const void *a, const void *b)
{
	const struct device_seen *x = a, *y = b;

	if (x->host != y->host)
		return x->host < y->host ? -1 : 1;
	return x->dev < y->dev ? -1 : x->dev > y->dev;
}

static int count_devices(const struct graph *g, struct device_vector *ret, struct error *err)
{
	for (size_t i = 0; i < g->files.count; i++) {
		const struct file *f = &g->files.items[i];
		size_t k = 0;

		if (f->inode == 0)
			continue;
		while (k < ret->count && (ret->items[k].host != f->host || ret->items[k].dev != f->dev))
			k++;
		if (k == ret->count && device_vector_append(ret, (struct device_seen){.host = f->host, .dev = f->dev}) < 0)
			return error_set(err, "out of memory");
		ret->items[k].files++;
	}
	qsort(ret->items, ret->count, sizeof(*ret->items), by_host_and_number);
	return 0;
}

static bool device_known(const struct device_vector *seen, const struct witness_volume *v)
{
	for (size_t i = 0; i < seen->count; i++)
		if (seen->items[i].dev == v->mapping.dev && (v->host == 0 || seen->items[i].host == v->host))
			return true;
	return false;
}

static void list_devices(const struct investigation *in, const struct device_vector *seen, struct buffer *out)
{
	for (size_t i = 0; i < seen->count; i++) {
		const struct device_seen *d = &seen->items[i];

		buffer_add_string(out, "\n  ");
		if (d->host != 0) {
			text_terminal(out, intern_string(in->strings, d->host), intern_length(in->strings, d->host));
			buffer_add_byte(out, '/');
		}
		buffer_printf(out, "%02x:%02x  ", d->dev >> 20, d->dev & 0xfffffu);
		text_count(out, d->files);
		buffer_add_string(out, d->files == 1 ? " file" : " files");
	}
}

// A disk of its own for logs: nobody audits what happens there, and the log itself was on it. Or DEV is mistyped, and the disk would tell of
// no file: whoever gave it has to see what there is to choose from.
static void report_unnamed(const struct witness_volume *v, const char *devices)
{
	report_line("%s: %s%s%02x:%02x is no device of the log in the window; this disk is taken for the audit log that it holds, and for no file%s%s",
		    v->argument, v->mapping.host ? v->mapping.host : "", v->mapping.host ? "/" : "", v->mapping.dev >> 20, v->mapping.dev & 0xfffffu,
		    *devices ? ". The log's devices are:" : "", devices);
}

static int check_device(const struct investigation *in, const struct device_vector *seen, struct witness_volume *v, struct error *err)
{
	struct buffer list AUTO_RELEASE_BUFFER = {0};

	if (device_known(seen, v))
		return 0;
	v->unnamed = true;
	list_devices(in, seen, &list);
	if (buffer_check(&list, err) < 0)
		return -1;
	if (recovered_logs_on(&in->recovered, v)) {
		report_unnamed(v, buffer_string(&list));
		return 0;
	}
	return error_set(err, "--disk %s%s%02x:%02x=%s: the log names no file of this device in the window%s%s", v->mapping.host ? v->mapping.host : "",
			 v->mapping.host ? "/" : "", v->mapping.dev >> 20, v->mapping.dev & 0xfffffu, v->argument,
			 seen->count > 0 ? "; its devices are:" : "", buffer_string(&list));
}

static int check_devices(struct investigation *in, struct error *err)
{
	struct witness *w = &in->witness;
	struct device_vector seen = {0};
	int result = count_devices(in->graph, &seen, err);

	for (size_t i = 0; i < w->count && result == 0; i++)
		result = check_device(in, &seen, &w->volumes[i], err);
	device_vector_release(&seen);
	return result;
}

// ---- what they showed

static int make_annotation(struct investigation *in, struct error *err)
{
	struct witness *w = &in->witness;
	struct annotate_volume *volumes = calloc(w->covered + 1, sizeof(*volumes));

	if (!volumes)
		return error_set(err, "out of memory");
	for (size_t i = 0; i < w->covered; i++) {
		const struct witness_volume *v = &w->volumes[i];

		volumes[i] = (struct annotate_volume){.host = v->host, .dev = v->mapping.dev, .name = v->name, .from_ns = v->from_ns,
						      .to_ns = v->to_ns, .breaks = v->breaks.items, .break_count = v->breaks.count,
						      .clock = &v->clock};
	}
	w->annotation = annotation_new(in->graph, volumes, w->covered, err);
	free(volumes);
	if (!w->annotation)
		return -1;
	annotation_set_window(w->annotation, in->from_ns, in->to_ns);
	return 0;
}

// What provgraph-fsread had to say, once; the names in it are the guest's.
static void report_warnings(const struct witness_volume *v)
{
	const char *at = buffer_string(&v->warnings);

	while (*at) {
		int length = (int)strcspn(at, "\n");

		report_line("%s: %.*s", v->argument, length, at);
		at += length;
		at += *at == '\n';
	}
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

// One question for all files of a volume.
static int ask_volume(struct witness *w, uint32_t volume, const struct annotate_wishes *wishes, struct error *err)
{
	struct witness_volume *v = &w->volumes[volume];
	struct timeline_states states = {0};
	uint64_t *inodes = malloc((wishes->count + 1) * sizeof(*inodes));
	size_t count = 0, distinct = 0, births = 0;

	if (!inodes)
		return error_set(err, "out of memory");
	for (size_t i = 0; i < wishes->count; i++)
		if (wishes->items[i].volume == volume) {
			inodes[count++] = wishes->items[i].inode;
			births += wishes->items[i].birth_only;
		}
	qsort(inodes, count, sizeof(*inodes), by_number);
	for (size_t i = 0; i < count; i++) // two lives of one inode are one question
		if (distinct == 0 || inodes[distinct - 1] != inodes[i])
			inodes[distinct++] = inodes[i];
	v->asked = (uint32_t)(count - births);
	int result = distinct > 0 ? timeline_inodes(&v->file, inodes, distinct, v->from_seq, v->to_seq, &states, err) : 0;

	if (result < 0) { // the log's story is no worse for a damaged record of the disk
		(void)name_disk(v, err);
		v->failed = true;
		report_line("%s; the case goes on without what this disk showed", err->message);
		result = 0;
	}
	if (result == 0 && (v->warnings.length > 0 || v->failed)) // states may be missing
		annotation_doubt(w->annotation, volume);
	if (result == 0)
		result = annotation_take(w->annotation, volume, &states, err);
	timeline_states_release(&states);
	free(inodes);
	return result;
}

// Files that the log saw made must have been made at that time on the disk, too.
static int check_births(struct witness *w, uint32_t volume, struct error *err)
{
	struct witness_volume *v = &w->volumes[volume];
	struct annotate_births births = {0};

	if (annotation_births(w->annotation, volume, &births, err) < 0)
		return -1;
	v->births_compared = births.compared;
	v->births_matched = births.matched;
	if (births.compared >= WITNESS_BIRTHS_ENOUGH && births.matched < births.compared - births.matched)
		return error_set(err, "%s is not the disk of device %02x:%02x: of %" PRIu32 " files that the log saw made there, it shows %" PRIu32 " made at that time. "
				 "Which history, or which partition of it, belongs to %02x:%02x?", v->argument, v->mapping.dev >> 20,
				 v->mapping.dev & 0xfffffu, births.compared, births.matched, v->mapping.dev >> 20, v->mapping.dev & 0xfffffu);
	if (births.compared < WITNESS_BIRTHS_ENOUGH && !v->unnamed && !v->failed) // told by check_device
		report_line("%s: that it is the disk of device %02x:%02x is not proven: the log saw %" PRIu32 " of its files made, too few to compare",
			    v->argument, v->mapping.dev >> 20, v->mapping.dev & 0xfffffu, births.compared);
	return 0;
}

// Edges that a disk ended earlier, or showed to carry nothing, can change what lies on a way to the contact.
static int rank_again(struct investigation *in, struct error *err)
{
	struct witness *w = &in->witness;

	w->sliced_before = w->sliced_after = (uint32_t)in->trace.order.count;
	if (annotation_tighten(w->annotation, in->graph, &w->tightened, err) < 0)
		return -1;
	if (w->tightened.ended == 0 && w->tightened.no_write_seen == 0)
		return 0;
	if (investigation_rank(in, err) < 0)
		return -1;
	w->sliced_after = (uint32_t)in->trace.order.count;
	return 0;
}

int witness_ask(struct investigation *in, struct error *err)
{
	struct witness *w = &in->witness;
	struct annotate_wishes wishes = {0};
	int result = 0;

	if (w->count == 0)
		return 0;
	if (check_devices(in, err) < 0 || make_annotation(in, err) < 0)
		return -1;
	result = annotation_wishes(w->annotation, &in->trace, ANNOTATE_ASKED, &wishes, err);
	for (uint32_t i = 0; i < w->covered && result == 0; i++) {
		result = ask_volume(w, i, &wishes, err);
		if (result == 0)
			result = check_births(w, i, err);
		if (result == 0 && !in->options->quiet)
			report_warnings(&w->volumes[i]);
	}
	annotate_wishes_release(&wishes);
	return result == 0 ? rank_again(in, err) : -1;
}
