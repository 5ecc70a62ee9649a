// SPDX-License-Identifier: MIT
#include "cmd/investigate.h"

#include "base/child.h"
#include "base/memory.h"
#include "base/text.h"
#include "cmd/creators.h"
#include "cmd/evidence.h"
#include "cmd/output.h"
#include "cmd/version.h"
#include "graph/rank.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// ---- reading

// Whoever removes records may remove them all. With a recorded disk at hand that is no end of the matter.
static bool logs_are_empty(const struct options *o)
{
	struct stat st;

	for (size_t i = 0; i < o->logs.count; i++)
		if (stat(o->logs.items[i], &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > 0)
			return false;
	return o->logs.count > 0;
}

static int open_log(struct investigation *in, struct error *err)
{
	const struct options *o = in->options;
	const char *const fallback[] = {DEFAULT_LOG};
	struct source_options options = {.host = o->host, .strict = o->strict};

	in->strings = intern_new();
	if (!in->strings)
		return error_set(err, "out of memory");
	bool emptied = o->disks.count > 0 && logs_are_empty(o);

	if (emptied)
		report_line("%s: is empty; what recorded disks held of the log is read instead", o->logs.items[0]);
	if (o->logs.count > 0 && !emptied && !(in->source = source_open_files(o->logs.items, o->logs.count, options, in->strings, err)))
		return -1;
	// Without a log at hand, what a recorded disk holds of it is one.
	if (witness_open(in, err) < 0 || recovered_logs_open(in, err) < 0)
		return -1;
	if (!in->source && !(in->source = emptied ? source_open_files(o->logs.items, o->logs.count, options, in->strings, err) :
						   source_open_files(fallback, 1, options, in->strings, err)))
		return -1;
	return source_span(in->source, &in->log_first_ns, &in->log_last_ns, err);
}

static int on_event(void *context, const struct event *event, struct error *err)
{
	struct investigation *in = context;

	progress_step(&in->progress, "reading: events", in->graph->events);
	return graph_add_event(in->graph, event, err);
}

// What the reader noticed about the logs themselves: one that is cut short, one that was left out.
static void report_notes(const struct investigation *in)
{
	const char *note;

	for (size_t i = 0; (note = source_note(in->source, i)); i++)
		report_line("%s", note);
}

// The first time completeness is counted; built again, the window's events are the same ones.
static int build_graph(struct investigation *in, struct completeness *completeness, struct error *err)
{
	in->graph = graph_new(in->strings);
	if (!in->graph)
		return error_set(err, "out of memory");
	if (creators_feed(in, err) < 0 || source_scan(in->source, in->from_ns, in->to_ns, on_event, in, completeness, err) < 0)
		return -1;
	if (completeness)
		report_notes(in);
	in->ancestors_unknown = 0;
	if (ancestors_look_up(in, err) < 0)
		return -1;
	return graph_finish(in->graph, err);
}

struct baseline_reader {
	struct graph *graph;
	struct progress *progress;
};

static int on_baseline_event(void *context, const struct event *event, struct error *err)
{
	struct baseline_reader *reader = context;

	progress_step(reader->progress, "reading the baseline: events", reader->graph->events);
	return graph_add_event(reader->graph, event, err);
}

// How common things are in a log that the user names. It has strings of its own: the case's ids must not depend on it.
static int read_baseline(struct investigation *in, struct error *err)
{
	const char *path = in->options->baseline;

	if (!path)
		return 0;
	struct intern *strings = intern_new();
	struct graph *graph = strings ? graph_new(strings) : NULL;
	struct source *source = graph ? source_open_files(&path, 1, (struct source_options){0}, strings, err) : NULL;
	struct baseline_reader reader = {.graph = graph, .progress = &in->progress};
	int result = source ? 0 : graph ? -1 : error_set(err, "out of memory");

	if (result == 0)
		result = source_scan(source, 0, NANOTIME_NONE, on_baseline_event, &reader, NULL, err);
	if (result == 0)
		result = graph_finish(graph, err);
	if (result == 0) {
		in->baseline = baseline_new(graph, err);
		result = in->baseline ? 0 : -1;
	}
	source_free(source);
	graph_free(graph);
	intern_free(strings);
	return result;
}

// ---- linking

// The connection that the search found, among those of the graph: the same event, else the latest not after it. The time of one that
// came in is when accept had returned, which the search and the scan may see some records apart.
static uint32_t main_contact(const struct investigation *in, const struct u32_vector *contacts)
{
	uint32_t best = contacts->items[0];

	for (size_t i = 0; i < contacts->count; i++) {
		const struct connection *c = &in->graph->connections.items[contacts->items[i]];

		bool same_time = c->time_ns == in->contact_ns || c->direction == CONNECTION_IN;

		if (same_time && c->serial == in->contact_serial && c->host == in->contact_host)
			return contacts->items[i];
		if (c->time_ns <= in->contact_ns)
			best = contacts->items[i];
	}
	return best;
}

int investigation_rank(struct investigation *in, struct error *err)
{
	struct u32_vector contacts = {0};
	struct trace_options options = {.baseline = in->baseline};

	if (in->traced)
		trace_release(&in->trace);
	in->traced = false;
	int result = contacts_find(in->graph, &in->address, in->port, &contacts, err);

	if (result == 0 && contacts.count == 0)
		result = error_set(err, "the connection of serial %" PRIu64 " was found but could not be linked", in->contact_serial);
	if (result == 0)
		result = trace_run(in->graph, contacts.items, contacts.count, main_contact(in, &contacts), options, &in->trace, err);
	in->traced = result == 0;
	u32_vector_release(&contacts);
	return result;
}

// Files that count and were made before the window: their makers come into the graph, and it is ranked anew, as long as that finds more.
static int follow_creators(struct investigation *in, struct error *err)
{
	for (bool found = true;;) {
		if (creators_look_up(in, &found, err) < 0)
			return -1;
		if (!found)
			return 0;
		graph_free(in->graph);
		if (build_graph(in, NULL, err) < 0 || investigation_rank(in, err) < 0)
			return -1;
	}
}

// ---- the picture

// A note about contacts before the window, with the command that shows them.
static int note_earlier(struct investigation *in, const char *command, struct error *err)
{
	struct buffer words = {0};

	if (in->earlier_count == 0)
		return 0;
	text_count(&words, in->earlier_count);
	buffer_add_string(&words, in->earlier_count == 1 ? " earlier contact lies before the window; to see it: " :
							   " earlier contacts lie before the window; to see the latest: ");
	// The same command, with the moment of that contact as the alert's time.
	const char *time_option = strstr(command, " --alert-time ");
	size_t head = time_option ? (size_t)(time_option - command) : strlen(command);

	buffer_add(&words, command, head);
	if (time_option) {
		time_option += strlen(" --alert-time ");
		buffer_add_string(&words, time_option + strcspn(time_option, " "));
	}
	buffer_printf(&words, " --alert-time @%" PRIu64 ".%09u", in->earlier_ns / NANOTIME_SECOND, (unsigned)(in->earlier_ns % NANOTIME_SECOND));
	struct picture_note note = {
		.kind = NOTE_OTHER_CONTACT,
		.time_ns = in->earlier_ns,
		.words = picture_text(in->picture, words.bytes, words.length),
		.node = GRAPH_NONE,
	};
	int result = buffer_check(&words, err);

	if (result == 0 && picture_note_vector_append(&in->picture->notes, note) < 0)
		result = error_set(err, "out of memory");
	buffer_release(&words);
	return result;
}

// For the command of a note: how this address would be asked for without an alert file.
static void plain_command(const struct investigation *in, struct buffer *out)
{
	struct options plain = *in->options;
	struct buffer address = {0};

	address_format(&address, &in->address, in->strings, false);
	plain.alert_file = NULL;
	plain.alert_id = 0;
	plain.alert_ip = buffer_string(&address);
	plain.alert_port = in->port;
	plain.alert_ns = NANOTIME_NONE;
	plain.from_ns = plain.to_ns = NANOTIME_NONE;
	options_command(&plain, out);
	buffer_release(&address);
}

static int draw(struct investigation *in, struct error *err)
{
	struct buffer command = {0}, plain = {0};

	options_command(in->options, &command);
	plain_command(in, &plain);
	struct picture_options options = {
		.zone = in->options->zone,
		.alert_address = in->address,
		.alert_port = in->port,
		.alert_ns = in->alert_ns,
		.alert_signature = in->signature[0] ? in->signature : NULL,
		.from_ns = in->from_ns,
		.to_ns = in->to_ns,
		.command = buffer_string(&command),
		.version = PROVGRAPH_VERSION,
		.linear_time = in->options->linear_time,
		.annotation = in->witness.annotation,
	};
	int result = 0;

	in->picture = picture_build(in->graph, &in->trace, &options, err);
	if (!in->picture || note_earlier(in, buffer_string(&plain), err) < 0 || witness_describe(in, err) < 0 || recovered_logs_tell(in, err) < 0 ||
	    missing_describe(in, err) < 0)
		result = -1;
	buffer_release(&command);
	buffer_release(&plain);
	return result;
}

static int lay_out(struct investigation *in, struct error *err)
{
	char program[PATH_MAX];
	struct error reason;
	struct layout_options options = {0};

	if (child_find_program("provgraph-layout", program, sizeof(program), &reason) == 0)
		options.program = program;
	else
		report_line("%s; laying out without it", reason.message);
	return layout_run(in->picture, options, err);
}

static int write_format(struct investigation *in, enum output_format format, bool to_terminal, struct buffer *out, struct error *err)
{
	const struct options *o = in->options;
	struct write_text_options text = {
		.color = to_terminal && output_wants_color(o),
		.columns = to_terminal ? output_columns() : 0,
	};

	switch (format) {
	case FORMAT_SVG:
	case FORMAT_HTML:
		if (witness_recover(in, err) < 0 || lay_out(in, err) < 0 || records_bring(in, err) < 0)
			return -1;
		return format == FORMAT_SVG ? write_svg(in->picture, out, err) : write_html(in->picture, out, err);
	case FORMAT_DOT:
		return write_dot(in->picture, out, err);
	case FORMAT_JSON:
		return witness_recover(in, err) < 0 ? -1 : write_json(in->picture, out, err);
	case FORMAT_CSV:
		return write_csv(in->picture, o->csv_raw, out, err);
	case FORMAT_GRAPHML:
		return write_graphml(in->picture, out, err);
	case FORMAT_TEXT:
	case FORMAT_NONE:
		break;
	}
	return witness_recover(in, err) < 0 ? -1 : write_text(in->picture, text, out, err);
}

// ---- results

// provgraph-10.0.0.5-20261120T100600.svg: the alert's time, or the contact's when no time was named.
static void default_name(const struct investigation *in, const char *extension, struct buffer *out)
{
	struct buffer address = {0};

	address_format(&address, &in->address, in->strings, false);
	for (size_t i = 0; i < address.length; i++)
		if (!strchr("0123456789abcdefABCDEF.", address.bytes[i]))
			address.bytes[i] = '-';
	buffer_printf(out, "provgraph-%s-", buffer_string(&address));
	nanotime_format(out, in->alert_ns != NANOTIME_NONE ? in->alert_ns : in->contact_ns, NANOTIME_COMPACT, in->options->zone);
	buffer_printf(out, ".%s", extension);
	buffer_release(&address);
}

static int write_one(struct investigation *in, const char *path, enum output_format format, struct error *err)
{
	struct buffer bytes = {0};
	bool to_terminal = strcmp(path, "-") == 0;
	int result = write_format(in, format, to_terminal, &bytes, err);

	if (result == 0)
		result = output_file(in->options, path, format, &bytes, err);
	buffer_release(&bytes);
	return result;
}

// Picture and table first: the story is the last thing on the terminal, and nothing is printed when the files cannot be written.
static int write_default(struct investigation *in, const char *svg, const char *csv, struct error *err)
{
	if (write_one(in, svg, FORMAT_SVG, err) < 0)
		return -1;
	bool table = write_one(in, csv, FORMAT_CSV, err) == 0;

	if (table && write_one(in, "-", FORMAT_TEXT, err) == 0)
		return 0;
	// All or none: a lone picture would only stand in the way of the next run. With --force something stood there before.
	if (!in->options->force) {
		(void)unlink(svg);
		if (table)
			(void)unlink(csv);
	}
	return -1;
}

static void summarise(const struct investigation *in, bool loss, const char *svg, const char *csv)
{
	struct buffer line = {0};

	if (in->options->quiet)
		return;
	text_count(&line, in->picture->events);
	buffer_printf(&line, " events reduced to %zu nodes and %zu links", in->picture->nodes.count, in->picture->edges.count);
	if (loss)
		buffer_add_string(&line, "; evidence was lost inside the window, see what is missing");
	if (in->picture->layout_fell_back)
		buffer_add_string(&line, "; Graphviz gave no layout in time, so this one is provgraph's own");
	if (svg)
		buffer_printf(&line, "\nwrote %s and %s", svg, csv);
	else if (in->options->output && strcmp(in->options->output, "-") != 0)
		buffer_printf(&line, "\nwrote %s", in->options->output);
	report_line("%s", buffer_string(&line));
	buffer_release(&line);
}

static int answer_why(struct investigation *in, struct error *err)
{
	struct buffer answer = {0};
	int result = picture_why(in->picture, in->graph, &in->trace, in->options->why, &answer, err);

	if (result == 0)
		result = output_file(in->options, in->options->output ? in->options->output : "-", FORMAT_TEXT, &answer, err);
	else if (result == 1)
		report_line("%s: no such node in the log's window; the picture's ids are n1, n2 ...", in->options->why);
	buffer_release(&answer);
	return result;
}

// Everything after the contact is known. Returns the exit status, or -1 with err.
static int investigate_contact(struct investigation *in, struct error *err)
{
	const struct options *o = in->options;
	struct buffer svg AUTO_RELEASE_BUFFER = {0}, csv AUTO_RELEASE_BUFFER = {0};
	bool defaults = !o->output && o->format == FORMAT_NONE && !o->why;

	default_name(in, "svg", &svg);
	default_name(in, "csv", &csv);
	if (defaults && (output_check(o, buffer_string(&svg), err) < 0 || output_check(o, buffer_string(&csv), err) < 0))
		return -1;
	if (contact_find_earlier(in, err) < 0 || witness_look(in, err) < 0 || build_graph(in, &in->completeness, err) < 0 ||
	    read_baseline(in, err) < 0 || investigation_rank(in, err) < 0 || follow_creators(in, err) < 0 || witness_ask(in, err) < 0 ||
	    draw(in, err) < 0)
		return -1;
	progress_end(&in->progress);

	bool loss = completeness_loss_in(&in->completeness, in->from_ns, in->to_ns);
	if (o->why) {
		int known = answer_why(in, err);

		return known < 0 ? -1 : known == 1 ? STATUS_NO_MATCH : loss ? STATUS_LOSS : STATUS_WRITTEN;
	}
	if (o->evidence && evidence_write(in, &in->witness, o->evidence, o->force, err) < 0)
		return -1;
	if (defaults ? write_default(in, buffer_string(&svg), buffer_string(&csv), err) < 0 :
		       write_one(in, o->output ? o->output : "-", o->format, err) < 0)
		return -1;
	summarise(in, loss, defaults ? buffer_string(&svg) : NULL, buffer_string(&csv));
	return loss || in->picture->layout_fell_back ? STATUS_LOSS : STATUS_WRITTEN;
}

static void investigation_release(struct investigation *in)
{
	progress_end(&in->progress);
	picture_free(in->picture);
	witness_release(&in->witness);
	recovered_logs_release(&in->recovered);
	if (in->traced)
		trace_release(&in->trace);
	baseline_free(in->baseline);
	graph_free(in->graph);
	creators_free(in->creators);
	completeness_release(&in->completeness);
	source_free(in->source);
	intern_free(in->strings);
}

int investigate(const struct options *o)
{
	struct investigation in = {.options = o, .alert_ns = NANOTIME_NONE};
	struct error err = {{0}};
	int status = -1;

	progress_begin(&in.progress, o->quiet);
	if ((o->output && output_check(o, o->output, &err) < 0) || (o->evidence && evidence_check(o->evidence, o->force, &err) < 0)) {
		// said below
	} else if (!o->why && (o->format == FORMAT_SVG || o->format == FORMAT_HTML) && (!o->output || strcmp(o->output, "-") == 0) && isatty(STDOUT_FILENO)) {
		(void)error_set(&err, "a picture does not belong onto a terminal; add -o FILE.svg");
	} else if (open_log(&in, &err) == 0 && contact_find(&in, &err) == 0) {
		if (in.found) {
			status = investigate_contact(&in, &err);
		} else {
			nomatch_report(&in);
			status = STATUS_NO_MATCH;
		}
	}
	progress_end(&in.progress);
	if (status < 0) {
		report_error(&err);
		status = STATUS_ERROR;
	}
	investigation_release(&in);
	return status;
}
