// SPDX-License-Identifier: MIT
// What the disks did to the case: a line for each, its clock, and what could not be known.
#include "cmd/witness.h"

#include "base/memory.h"
#include "base/text.h"
#include "cmd/investigate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STEP_LINES 8

// ---- words

static uint64_t magnitude(int64_t ns)
{
	return ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
}

// "4,020.874 s"
static void add_seconds(struct buffer *out, uint64_t ns)
{
	uint64_t milliseconds = (ns + NANOTIME_MILLISECOND / 2) / NANOTIME_MILLISECOND;

	text_count(out, milliseconds / 1000);
	buffer_printf(out, ".%03u s", (unsigned)(milliseconds % 1000));
}

static void add_device(struct buffer *out, const struct witness_volume *v)
{
	if (v->mapping.host) {
		text_terminal(out, v->mapping.host, strlen(v->mapping.host));
		buffer_add_byte(out, '/');
	}
	buffer_printf(out, "%02x:%02x", v->mapping.dev >> 20, v->mapping.dev & 0xfffffu);
}

static void add_births(struct buffer *out, const struct witness_volume *v)
{
	if (v->births_compared == 0)
		buffer_add_string(out, "; no birth of a file could be compared: that it is this device's disk is not proven");
	else
		buffer_printf(out, "; %" PRIu32 " of %" PRIu32 " births of files agree%s", v->births_matched, v->births_compared,
			      v->births_compared < WITNESS_BIRTHS_ENOUGH ? ", too few to prove that it is this device's disk" : "");
}

// The offset at the contact.
static void add_clock(struct buffer *out, const struct investigation *in, const struct witness_volume *v)
{
	uint64_t host_ns, error_ns;
	int64_t offset_ns;

	if (timeline_clock_to_host(&v->clock, in->contact_ns, &host_ns, &error_ns) < 0 ||
	    !timeline_clock_at(&v->clock, host_ns, &offset_ns, &error_ns)) {
		buffer_add_string(out, "; the guest's clock is unknown, so nothing was shortened by it");
		return;
	}
	buffer_add_string(out, "; guest's clock ");
	add_seconds(out, magnitude(offset_ns));
	buffer_printf(out, " %s the recording host's (within ", offset_ns < 0 ? "ahead of" : "behind");
	buffer_printf(out, "%" PRIu64 " ms)", (error_ns + NANOTIME_MILLISECOND - 1) / NANOTIME_MILLISECOND);
}

static void add_count(struct buffer *out, const char *before, uint64_t n, const char *one, const char *many)
{
	buffer_add_string(out, before);
	text_count(out, n);
	buffer_printf(out, " %s", n == 1 ? one : many);
}

// What all disks together changed.
static void add_tightened(struct buffer *out, const struct witness *w)
{
	add_count(out, w->covered > 1 ? "; by all disks " : "; ", w->tightened.ended, "interval ended earlier", "intervals ended earlier");
	add_count(out, ", ", w->tightened.no_write_seen, "open without a write", "opens without a write");
	add_count(out, "; ", w->sliced_before, "", "");
	buffer_add_string(out, "-> ");
	text_count(out, w->sliced_after);
	buffer_add_string(out, " nodes in the slice");
}

static void add_line(struct buffer *out, const struct investigation *in, const struct witness_volume *v, bool first)
{
	add_device(out, v);
	buffer_add_string(out, " is ");
	text_terminal(out, v->name, strlen(v->name));
	if (!v->covered) {
		buffer_add_string(out, v->last_seq > 0 ? ", which does not cover the window" : ", of which nothing has been recorded yet");
		return;
	}
	add_births(out, v);
	add_clock(out, in, v);
	add_count(out, "; ", v->asked, "file asked", "files asked");
	if (first)
		add_tightened(out, &in->witness);
}

// ---- into the picture

static int copy_clock(struct picture *p, const struct timeline_clock *clock, struct picture_disk *d, struct error *err)
{
	if (clock->pieces.count == 0)
		return 0;
	d->clock = calloc(clock->pieces.count, sizeof(*d->clock));
	if (!d->clock)
		return error_set(err, "out of memory");
	for (size_t i = 0; i < clock->pieces.count; i++) {
		const struct timeline_clock_piece *piece = &clock->pieces.items[i];
		const char *source = piece->source == TIMELINE_CLOCK_AUDIT ? "audit" : "journal";

		d->clock[i] = (struct picture_clock){
			.from_ns = piece->from_ns,
			.to_ns = piece->to_ns,
			.base_ns = piece->base_ns,
			.offset_ns = piece->offset_ns,
			.drift = piece->drift,
			.error_ns = piece->error_ns,
			.source = picture_text(p, source, strlen(source)),
			.stepped = piece->stepped,
		};
	}
	d->clock_count = clock->pieces.count;
	return 0;
}

static int add_disk(struct investigation *in, const struct witness_volume *v, bool first, struct error *err)
{
	struct picture *p = in->picture;
	struct buffer device AUTO_RELEASE_BUFFER = {0}, words AUTO_RELEASE_BUFFER = {0};
	struct picture_disk d = {
		.name = picture_text(p, v->name, strlen(v->name)),
		.recorded_from_ns = v->first_ns,
		.recorded_to_ns = v->last_ns,
		.births_compared = v->births_compared,
		.births_matched = v->births_matched,
		.asked = v->asked,
	};

	add_device(&device, v);
	add_line(&words, in, v, first);
	if (buffer_check(&device, err) < 0 || buffer_check(&words, err) < 0 || copy_clock(p, &v->clock, &d, err) < 0)
		return -1;
	d.dev = picture_text(p, device.bytes, device.length);
	d.words = picture_text(p, words.bytes, words.length);
	if (!in->options->quiet)
		report_line("%s", buffer_string(&words));
	if (picture_disk_vector_append(&p->disks, d) < 0) {
		free(d.clock);
		return error_set(err, "out of memory");
	}
	return 0;
}

// ---- what is missing

static uint64_t guest_time(const struct timeline_clock_piece *p, uint64_t host_ns)
{
	double drifted = ((double)host_ns - (double)p->base_ns) * p->drift;

	return host_ns - (uint64_t)(p->offset_ns + (int64_t)drifted);
}

static int say_step(struct investigation *in, const struct witness_volume *v, const struct timeline_clock_piece *before, struct error *err)
{
	const struct timeline_clock_piece *after = before + 1;
	uint64_t was_ns = guest_time(before, after->from_ns), is_ns = guest_time(after, after->from_ns);
	struct buffer words AUTO_RELEASE_BUFFER = {0};

	buffer_printf(&words, "the guest's clock was set %s by ", is_ns < was_ns ? "back" : "forward");
	add_seconds(&words, is_ns < was_ns ? was_ns - is_ns : is_ns - was_ns);
	buffer_add_string(&words, " at ");
	nanotime_format(&words, after->from_ns, NANOTIME_FULL, in->options->zone);
	buffer_add_string(&words, " (the recording host's clock), says ");
	text_terminal(&words, v->name, strlen(v->name));
	if (is_ns < was_ns)
		buffer_add_string(&words, ": the log shows that stretch of time twice");
	return buffer_check(&words, err) < 0 ? -1 :
	       picture_add_missing(in->picture, false, is_ns < was_ns ? is_ns : was_ns, is_ns < was_ns ? was_ns : is_ns, buffer_string(&words), NULL, err);
}

static int say_steps(struct investigation *in, const struct witness_volume *v, struct error *err)
{
	size_t said = 0;

	for (size_t i = 1; i < v->clock.pieces.count && said < MAX_STEP_LINES; i++) {
		if (!v->clock.pieces.items[i].stepped)
			continue;
		said++;
		if (say_step(in, v, &v->clock.pieces.items[i - 1], err) < 0)
			return -1;
	}
	return 0;
}

static int say(struct investigation *in, const struct witness_volume *v, const char *words, struct error *err)
{
	struct buffer line AUTO_RELEASE_BUFFER = {0};

	buffer_add_string(&line, "disk ");
	text_terminal(&line, v->name, strlen(v->name));
	buffer_printf(&line, ": %s", words);
	return buffer_check(&line, err) < 0 ? -1 :
	       picture_add_missing(in->picture, false, in->from_ns, in->to_ns, buffer_string(&line), NULL, err);
}

static int say_end(struct investigation *in, const struct witness_volume *v, struct error *err)
{
	struct buffer words AUTO_RELEASE_BUFFER = {0};

	buffer_add_string(&words, "from ");
	nanotime_format(&words, v->unreadable_ns, NANOTIME_FULL, in->options->zone);
	buffer_add_string(&words, " on (host clock) its file system cannot be read, as after a wipe: it was asked up to then");
	return buffer_check(&words, err) < 0 ? -1 : say(in, v, buffer_string(&words), err);
}

// What the page has to say of this disk besides its line: each a limit of what the second witness could prove.
static int say_limits(struct investigation *in, const struct witness_volume *v, struct error *err)
{
	if (v->end_seq != 0 && say_end(in, v, err) < 0)
		return -1;
	if (v->failed)
		return say(in, v, "what it showed of the files could not be read", err);
	if (!v->covered)
		return say(in, v, "nothing of the window was recorded, so its files are not covered", err);
	if (v->births_compared < WITNESS_BIRTHS_ENOUGH &&
	    say(in, v, "that it is the disk of this device is not proven: too few births of files could be compared", err) < 0)
		return -1;
	if (v->clock.pieces.count == 0 &&
	    say(in, v, "it does not tell the guest's clock, so its states cannot be ordered against the log", err) < 0)
		return -1;
	return 0;
}

int witness_describe(struct investigation *in, struct error *err)
{
	for (size_t i = 0; i < in->witness.count; i++) {
		const struct witness_volume *v = &in->witness.volumes[i];

		if (add_disk(in, v, i == 0, err) < 0 || say_steps(in, v, err) < 0 || say_limits(in, v, err) < 0)
			return -1;
	}
	return 0;
}
