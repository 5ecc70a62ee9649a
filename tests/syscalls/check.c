// SPDX-License-Identifier: MIT
// check LOG TRUTH: builds the graph of a recording and verifies every line of its truth (grammar: truth.h). Says what is not true.
// check LOG ABOUT: the same for the counts of an .about file: records N, events N, daemon N, lost N, partial yes|no.
#include "base/fileio.h"
#include "base/nanotime.h"
#include "graph/graph.h"
#include "ingest/ingest.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 64

static struct graph *graph;
static struct intern *strings;
static unsigned failures, lines;
static const char *truth_name;
static unsigned line_number;

static void fail(const char *line, const char *why)
{
	failures++;
	printf("%s:%u: %s: %s\n", truth_name, line_number, why, line);
}

static struct completeness completeness;
static struct u64_vector serials; // of kernel events, as delivered
static uint64_t daemon_events;

static int on_event(void *context, const struct event *e, struct error *err)
{
	(void)context;
	if (e->kind == EVENT_DAEMON)
		daemon_events++;
	else if (e->kind != EVENT_GAP && u64_vector_append(&serials, e->serial) < 0)
		return error_set(err, "out of memory");
	return graph_add_event(graph, e, err);
}

// --- entities: does node n stand for this word?

static size_t unescape(const char *text, char *out)
{
	size_t length = 0;
	for (; *text; text++) {
		unsigned byte;
		if (text[0] == '\\' && text[1] == 'x' && sscanf(text + 2, "%2x", &byte) == 1) {
			out[length++] = (char)byte;
			text += 3;
		} else {
			out[length++] = *text;
		}
	}
	out[length] = '\0';
	return length;
}

static bool process_matches(const struct process *p, const char *word)
{
	unsigned pid = 0, instance = 0;
	if (sscanf(word, "process:%u/%u", &pid, &instance) == 2 && p->instance != instance)
		return false;
	return sscanf(word, "process:%u", &pid) == 1 && p->pid == pid;
}

static bool segment_matches(uint32_t node, const char *word)
{
	const char *hash = strchr(word, '#');
	const struct graph_node *n = &graph->nodes.items[node];
	return n->kind == NODE_PROCESS && process_matches(&graph->processes.items[n->entity], word) &&
	       (!hash || n->part == (uint32_t)atoi(hash + 1));
}

static bool file_matches(const struct file *f, const char *word)
{
	unsigned major, minor, generation;
	unsigned long long inode;
	int fields = sscanf(word, "file:%x:%x:%llu/%u", &major, &minor, &inode, &generation);
	return fields >= 3 && f->dev == (major << 20 | minor) && f->inode == inode && (fields < 4 || f->generation == generation);
}

static bool memfd_matches(uint32_t file, const char *word)
{
	char name[256], want[300];
	unsigned pid;
	const struct file *f = &graph->files.items[file];
	if (f->kind != FILE_MEMFD || sscanf(word, "memfd:%u:%255s", &pid, name) != 2)
		return false;
	strcpy(want, "/memfd:");
	unescape(name, want + strlen(want));
	bool named = false, made = false;
	for (size_t i = 0; i < f->names.count; i++)
		named |= strncmp(intern_string(strings, f->names.items[i].name), want, strlen(want)) == 0;
	for (size_t i = 0; i < graph->edges.count; i++) {
		const struct flow_edge *e = &graph->edges.items[i];
		made |= e->op == FLOW_CREATE && graph->nodes.items[e->to].kind == NODE_FILE && graph->nodes.items[e->to].entity == file &&
			graph->processes.items[graph->nodes.items[e->from].entity].pid == pid;
	}
	return named && made;
}

static bool address_matches(const struct connection *c, const char *word)
{
	char ip[64];
	unsigned port;
	struct event_address want;
	const char *colon = strrchr(word, ':');
	snprintf(ip, sizeof(ip), "%.*s", (int)(colon - word - 8), word + 8);
	port = (unsigned)atoi(colon + 1);
	return address_parse(ip, &want, NULL) == 0 && address_same_host(&c->address, &want) && c->address.port == port;
}

static bool socket_matches(const struct unix_socket *s, const char *word)
{
	unsigned major, minor;
	unsigned long long inode;
	char name[256];
	if (word[5] == '@') {
		size_t length = unescape(word + 6, name);
		return s->abstract && intern_length(strings, s->path) == length && memcmp(intern_string(strings, s->path), name, length) == 0;
	}
	return sscanf(word, "unix:%x:%x:%llu", &major, &minor, &inode) == 3 && s->dev == (major << 20 | minor) && s->inode == inode;
}

static bool matches(uint32_t node, const char *word)
{
	const struct graph_node *n = &graph->nodes.items[node];
	if (strncmp(word, "process:", 8) == 0)
		return segment_matches(node, word);
	switch ((enum node_kind)n->kind) {
	case NODE_FILE:
		return strncmp(word, "memfd:", 6) == 0 ? memfd_matches(n->entity, word) : file_matches(&graph->files.items[n->entity], word);
	case NODE_CONNECTION:
		return strncmp(word, "address:", 8) == 0 && address_matches(&graph->connections.items[n->entity], word);
	case NODE_PIPE:
		return strncmp(word, "pipe:", 5) == 0 &&
		       graph->processes.items[graph->pipes.items[n->entity].process].pid == (uint32_t)atoi(word + 5);
	case NODE_UNIX_SOCKET:
		return strncmp(word, "unix:", 5) == 0 && socket_matches(&graph->sockets.items[n->entity], word);
	case NODE_KERNEL:
		return strcmp(word, "kernel") == 0;
	case NODE_PROCESS:
		break;
	}
	return false;
}

// --- truths

// op may be "A|B" or "*"
static bool op_in(enum flow_op op, const char *list)
{
	size_t length = strlen(flow_op_name(op));
	if (strcmp(list, "*") == 0)
		return true;
	for (const char *at = list, *bar; at; bar = strchr(at, '|'), at = bar ? bar + 1 : NULL)
		if (strncmp(at, flow_op_name(op), length) == 0 && (at[length] == '\0' || at[length] == '|'))
			return true;
	return false;
}

static bool has_edge(char **words, size_t count)
{
	for (size_t i = 0; i < graph->edges.count; i++) {
		const struct flow_edge *e = &graph->edges.items[i];
		bool fits = op_in(e->op, words[1]) && matches(e->from, words[2]) && matches(e->to, words[3]);
		for (size_t w = 4; w < count; w++)
			fits = fits && (strcmp(words[w], "failed") == 0 ? e->failed : strcmp(words[w], flow_class_name(e->class)) == 0);
		if (fits)
			return true;
	}
	return false;
}

static const struct process *find_process(const char *word)
{
	for (size_t i = 0; i < graph->processes.count; i++)
		if (process_matches(&graph->processes.items[i], word))
			return &graph->processes.items[i];
	return NULL;
}

static const struct segment *segment_at(const struct process *p, size_t i)
{
	return &graph->segments.items[p->segments.items[i]];
}

static bool parent_is(const char *child, const char *parent)
{
	const struct process *p = find_process(child);
	return p && p->parent != GRAPH_NONE && process_matches(&graph->processes.items[p->parent], parent);
}

static bool segments_are(char **words, size_t count)
{
	const struct process *p = find_process(words[1]);
	if (!p || p->segments.count != count - 2)
		return false;
	for (size_t i = 2; i < count; i++) {
		char want[4096];
		unescape(words[i], want);
		if (strcmp(intern_string(strings, segment_at(p, i - 2)->exe), want) != 0)
			return false;
	}
	return true;
}

static bool arguments_are(char **words)
{
	const struct process *p = find_process(words[1]);
	const char *hash = strchr(words[1], '#');
	size_t bytes = 0, segment = hash ? (size_t)atoi(hash + 1) : 0;
	if (!p || segment >= p->segments.count)
		return false;
	const struct segment *s = segment_at(p, segment);
	for (uint32_t i = 0; i < s->argv_count; i++)
		bytes += intern_length(strings, graph->arguments.items[s->argv + i]);
	return s->argv_count == strtoul(words[2], NULL, 10) && bytes == strtoul(words[3], NULL, 10);
}

static bool privilege_changed(char **words)
{
	const struct process *p = find_process(words[1]);
	for (size_t i = 1; p && i < p->identities.count; i++)
		if (p->identities.items[i - 1].ids.euid == strtoul(words[2], NULL, 10) && p->identities.items[i].ids.euid == strtoul(words[3], NULL, 10))
			return true;
	return false;
}

static bool claimed(char **words)
{
	for (size_t i = 0; i < graph->claims.count; i++)
		if (graph->claims.items[i].type == strtoul(words[1], NULL, 10) && graph->claims.items[i].pid == strtoul(words[2] + 8, NULL, 10))
			return true;
	return false;
}

static const struct file *find_file(const char *word, size_t from, size_t *ret_at)
{
	for (size_t i = from; i < graph->files.count; i++)
		if (file_matches(&graph->files.items[i], word)) {
			*ret_at = i;
			return &graph->files.items[i];
		}
	return NULL;
}

static bool named(char **words)
{
	char want[4096];
	size_t length = unescape(words[2], want), at = 0;
	for (const struct file *f; (f = find_file(words[1], at, &at)); at++)
		for (size_t i = 0; i < f->names.count; i++)
			if (intern_length(strings, f->names.items[i].name) == length && memcmp(intern_string(strings, f->names.items[i].name), want, length) == 0)
				return true;
	return false;
}

static bool is_there(const char *word)
{
	for (uint32_t n = 0; n < graph->nodes.count; n++)
		if (matches(n, word))
			return true;
	return false;
}

// A truth that something is not there must be about something that is.
static bool has_no_edge(char **words, size_t count)
{
	return (is_there(words[2]) || is_there(words[3])) && !has_edge(words, count);
}

// Whether information can have got from one entity to another: earliest arrival over the edges' intervals, written without any
// cleverness, as a second opinion on what graph/trace.c relies on. Refused attempts, mere effects and sinks carry nothing on.
static bool flows(const char *from, const char *to)
{
	uint64_t *arrival = malloc(graph->nodes.count * sizeof(*arrival));
	bool changed = true, reached = false;

	for (uint32_t n = 0; arrival && n < graph->nodes.count; n++)
		arrival[n] = matches(n, from) ? 0 : NANOTIME_NONE;
	while (arrival && changed) {
		changed = false;
		for (size_t i = 0; i < graph->edges.count; i++) {
			const struct flow_edge *e = &graph->edges.items[i];
			const struct file *passed = graph_file_of(graph, e->from);
			uint64_t at = arrival[e->from] > e->start_ns ? arrival[e->from] : e->start_ns;

			if (arrival[e->from] == NANOTIME_NONE || e->failed || flow_is_effect_only(e->op) || (passed && passed->sink) ||
			    e->end_ns < at || arrival[e->to] <= at)
				continue;
			arrival[e->to] = at;
			changed = true;
		}
	}
	for (uint32_t n = 0; arrival && n < graph->nodes.count; n++)
		reached |= arrival[n] != NANOTIME_NONE && matches(n, to);
	free(arrival);
	return reached;
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
	return left < right ? -1 : left > right;
}

// A LOGIN or CONFIG_CHANGE and its SYSCALL share a serial and may be delivered as two; an event that was torn apart comes twice too.
static uint64_t distinct_serials(void)
{
	uint64_t count = 0;
	qsort(serials.items, serials.count, sizeof(serials.items[0]), compare_u64);
	for (size_t i = 0; i < serials.count; i++)
		count += i == 0 || serials.items[i] != serials.items[i - 1];
	return count;
}

static bool count_holds(const char *name, const char *value, bool *ret_known)
{
	uint64_t want = strtoull(value, NULL, 10);
	if (strcmp(name, "records") == 0) // of the kernel; the daemon's stand in a line of their own
		return completeness.records == want + daemon_events;
	if (strcmp(name, "events") == 0)
		return distinct_serials() == want;
	if (strcmp(name, "daemon") == 0)
		return daemon_events == want;
	if (strcmp(name, "lost") == 0)
		return completeness.kernel_lost == want && completeness.loss_ledger;
	if (strcmp(name, "other") == 0)
		return completeness.rejected == want;
	if (strcmp(name, "io-uring-setups") == 0)
		return completeness.io_uring_setups == want;
	if (strcmp(name, "partial") == 0)
		return (completeness.partial > 0) == (strcmp(value, "yes") == 0);
	*ret_known = strcmp(name, "interleaved") == 0 || strcmp(name, "widest") == 0; // how hard it was: for the reader
	return *ret_known;
}

static bool holds(char **words, size_t count, bool *ret_known)
{
	size_t at = 0;
	*ret_known = true;
	if (strcmp(words[0], "edge") == 0 && count >= 4)
		return has_edge(words, count);
	if (strcmp(words[0], "no-edge") == 0 && count == 4)
		return has_no_edge(words, count);
	if (strcmp(words[0], "flow") == 0 && count == 3)
		return flows(words[1], words[2]);
	if (strcmp(words[0], "no-flow") == 0 && count == 3)
		return is_there(words[1]) && is_there(words[2]) && !flows(words[1], words[2]);
	if (strcmp(words[0], "parent") == 0 && count == 3)
		return parent_is(words[1], words[2]);
	if (strcmp(words[0], "segments") == 0 && count >= 3)
		return segments_are(words, count);
	if (strcmp(words[0], "argv") == 0 && count == 4)
		return arguments_are(words);
	if (strcmp(words[0], "privilege") == 0 && count == 4)
		return privilege_changed(words);
	if (strcmp(words[0], "claim") == 0 && count == 3)
		return claimed(words);
	if (strcmp(words[0], "name") == 0 && count == 3)
		return named(words);
	if (strcmp(words[0], "sink") == 0 && count == 2) {
		const struct file *f = find_file(words[1], 0, &at);
		return f && f->sink;
	}
	if (strcmp(words[0], "versions") == 0 && count == 3) {
		const struct file *f = find_file(words[1], 0, &at);
		return f && f->versions.count >= strtoul(words[2], NULL, 10);
	}
	if ((strcmp(words[0], "thread") == 0 || strcmp(words[0], "no-process") == 0) && count == 2) {
		char word[64];
		snprintf(word, sizeof(word), "process:%s", words[1]);
		return !find_process(word);
	}
	if (count == 2)
		return count_holds(words[0], words[1], ret_known);
	*ret_known = false;
	return false;
}

static void check_line(char *line)
{
	char copy[65536], *words[WORDS_MAX], *save = NULL;
	size_t count = 0;
	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok_r(line, " ", &save); word && count < WORDS_MAX; word = strtok_r(NULL, " ", &save))
		words[count++] = word;
	if (count == 0 || words[0][0] == '#')
		return;
	bool known, true_ = holds(words, count, &known);
	lines++;
	if (!known)
		fail(copy, "not understood");
	else if (!true_)
		fail(copy, "not in the graph");
}

static int build(const char *log, struct error *err)
{
	strings = intern_new();
	graph = strings ? graph_new(strings) : NULL;
	struct source *source = graph ? source_open_files(&log, 1, (struct source_options){0}, strings, err) : NULL;
	if (!source)
		return -1;
	int result = source_scan(source, 0, NANOTIME_NONE, on_event, NULL, &completeness, err);
	if (result >= 0)
		result = graph_finish(graph, err);
	source_free(source);
	return result;
}

int main(int argc, char **argv)
{
	struct error err = {""};
	struct buffer text = {0};
	if (argc != 3) {
		fprintf(stderr, "usage: check LOG TRUTH\n");
		return 2;
	}
	truth_name = argv[2];
	if (build(argv[1], &err) < 0 || fileio_read(&text, argv[2], 1 << 24, &err) < 0) {
		fprintf(stderr, "check: %s\n", err.message);
		return 2;
	}
	char *save = NULL;
	for (char *line = strtok_r(text.bytes, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		line_number++;
		check_line(line);
	}
	printf("%s: %u of %u truths hold\n", truth_name, lines - failures, lines);
	buffer_release(&text);
	u64_vector_release(&serials);
	completeness_release(&completeness);
	graph_free(graph);
	intern_free(strings);
	return failures || lines == 0;
}
