// SPDX-License-Identifier: MIT
// Which files a disk is asked for, and what its answer makes of them.
#include "graph/annotate.h"

#include "graph/annotate_work.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// ---- where a file lies

static uint64_t first_edge(const struct graph *g, const struct u32_vector *starts, const struct u32_vector *list, uint32_t node)
{
	// edges of a node are in order of start
	return starts->items[node] < starts->items[node + 1] ? g->edges.items[list->items[starts->items[node]]].start_ns : NANOTIME_NONE;
}

// The first that the log tells of a file.
static uint64_t first_of(const struct graph *g, const struct file *f)
{
	uint64_t first = f->created_seen ? f->created_ns : NANOTIME_NONE;

	for (size_t i = 0; i < f->versions.count; i++) {
		uint64_t in = first_edge(g, &g->in_start, &g->in_edges, f->versions.items[i]);
		uint64_t out = first_edge(g, &g->out_start, &g->out_edges, f->versions.items[i]);
		first = in < first ? in : first;
		first = out < first ? out : first;
	}
	return first;
}

// What is no disk's: memory files, and the kernel's own.
static bool is_on_disk(const struct file *f)
{
	return f->kind != FILE_MEMFD && !f->sink && f->inode != 0;
}

// Nothing is recorded of the file's time: it was over before the recording begins, or begins after its end.
static bool is_outside(const struct annotate_volume *v, const struct file *f, uint64_t first_ns)
{
	uint64_t earliest, latest;

	if (v->from_ns > v->to_ns)
		return true;
	if (first_ns != NANOTIME_NONE && annotate_to_host(v, first_ns, &earliest, &latest) && earliest > v->to_ns)
		return true;
	return f->deleted_ns != NANOTIME_NONE && annotate_to_host(v, f->deleted_ns, &earliest, &latest) &&
	       annotate_add(latest, ANNOTATE_PATIENCE_NS) < v->from_ns;
}

// Of several disks with this number one that was recorded in the file's time, else the first; of these rather one that is named for the host.
static uint32_t choose_volume(const struct annotation *a, const struct file *f, uint64_t first_ns, bool *ret_outside)
{
	uint32_t best = GRAPH_NONE;
	int best_worth = -1;

	for (uint32_t i = 0; i < a->volume_count && is_on_disk(f); i++) {
		const struct annotate_volume *v = &a->volumes[i];
		if (v->dev != f->dev || (v->host && v->host != f->host))
			continue;
		bool outside = is_outside(v, f, first_ns);
		int worth = 2 * !outside + (v->host != 0);
		if (worth <= best_worth)
			continue;
		best = i;
		best_worth = worth;
		*ret_outside = outside;
	}
	return best;
}

static void answer_begin(const struct annotation *a, uint32_t file)
{
	const struct file *f = &a->g->files.items[file];
	struct annotate_answer *answer = &a->answers[file];
	bool outside = true;

	*answer = (struct annotate_answer){.verdict = ANNOTATE_NOT_COVERED, .crtime_ns = NANOTIME_NONE};
	answer->volume = choose_volume(a, f, first_of(a->g, f), &outside);
	if (answer->volume != GRAPH_NONE && !outside)
		answer->verdict = ANNOTATE_NOT_ASKED;
}

static int copy_volumes(struct annotation *a, const struct annotate_volume *volumes, size_t count)
{
	a->volumes = calloc(count + 1, sizeof(*a->volumes));
	a->doubts = calloc(count + 1, sizeof(*a->doubts));
	if (!a->volumes || !a->doubts)
		return -1;
	for (; a->volume_count < count; a->volume_count++) {
		struct annotate_volume *v = &a->volumes[a->volume_count];
		*v = volumes[a->volume_count];
		v->name = strdup(v->name ? v->name : "");
		if (!v->name)
			return -1;
	}
	return 0;
}

// ---- who had a number when

static int compare_numbers(const struct file *x, const struct file *y)
{
	if (x->host != y->host)
		return x->host < y->host ? -1 : 1;
	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

static int compare_made(const void *a, const void *b, void *context)
{
	const struct graph *g = context;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	const struct file *x = &g->files.items[i], *y = &g->files.items[k];
	int order = compare_numbers(x, y);
	if (order != 0)
		return order;
	if (x->created_ns != y->created_ns)
		return x->created_ns < y->created_ns ? -1 : 1;
	return i < k ? -1 : i > k;
}

static int list_made(struct annotation *a)
{
	for (uint32_t i = 0; i < a->g->files.count; i++)
		if (a->g->files.items[i].created_seen && a->answers[i].volume != GRAPH_NONE && u32_vector_append(&a->made, i) < 0)
			return -1;
	if (a->made.count)
		qsort_r(a->made.items, a->made.count, sizeof(*a->made.items), compare_made, (void *)(uintptr_t)a->g);
	return 0;
}

static struct annotate_claim claim_of(const struct annotation *a, const struct annotate_asked *asked)
{
	const struct file *f = &a->g->files.items[asked->file];
	struct annotate_claim claim = {.f = f, .first_ns = asked->first_ns, .before_ns = NANOTIME_NONE, .after_ns = NANOTIME_NONE};
	uint64_t since_ns = f->created_seen ? f->created_ns : asked->first_ns;
	size_t low = 0, high = a->made.count;

	while (low < high) { // behind the file's own place
		size_t middle = low + (high - low) / 2;
		const struct file *other = &a->g->files.items[a->made.items[middle]];
		int order = compare_numbers(other, f);
		if (order < 0 || (order == 0 && other->created_ns <= since_ns))
			low = middle + 1;
		else
			high = middle;
	}
	if (low < a->made.count && compare_numbers(&a->g->files.items[a->made.items[low]], f) == 0)
		claim.after_ns = a->g->files.items[a->made.items[low]].created_ns;
	low -= f->created_seen && low > 0;
	if (low > 0 && compare_numbers(&a->g->files.items[a->made.items[low - 1]], f) == 0)
		claim.before_ns = a->g->files.items[a->made.items[low - 1]].created_ns;
	return claim;
}

// ---- an annotation

struct annotation *annotation_new(const struct graph *g, const struct annotate_volume *volumes, size_t count, struct error *err)
{
	struct annotation *a = calloc(1, sizeof(*a));

	if (a) {
		a->g = g;
		a->from_ns = g->first_ns;
		a->to_ns = g->last_ns;
		a->answers = calloc(g->files.count + 1, sizeof(*a->answers));
	}
	if (!a || !a->answers || copy_volumes(a, volumes, count) < 0) {
		annotation_free(a);
		error_set(err, "annotating %zu files: out of memory", g->files.count);
		return NULL;
	}
	for (uint32_t i = 0; i < g->files.count; i++)
		answer_begin(a, i);
	if (list_made(a) < 0) {
		annotation_free(a);
		error_set(err, "annotating %zu files: out of memory", g->files.count);
		return NULL;
	}
	return a;
}

void annotation_free(struct annotation *a)
{
	if (!a)
		return;
	for (size_t i = 0; a->answers && i < a->g->files.count; i++)
		annotate_states_release(&a->answers[i].states);
	for (size_t i = 0; i < a->volume_count; i++)
		free((char *)a->volumes[i].name);
	annotate_asked_vector_release(&a->asked);
	u32_vector_release(&a->made);
	free(a->volumes);
	free(a->doubts);
	free(a->answers);
	free(a);
}

void annotation_set_window(struct annotation *a, uint64_t from_ns, uint64_t to_ns)
{
	a->from_ns = from_ns > a->g->first_ns ? from_ns : a->g->first_ns;
	a->to_ns = to_ns < a->g->last_ns ? to_ns : a->g->last_ns;
}

// ---- wishes

static int add_wish(struct annotation *a, uint32_t file, bool birth_only, struct annotate_wishes *ret)
{
	const struct file *f = &a->g->files.items[file];
	struct annotate_wish wish = {.file = file, .volume = a->answers[file].volume, .inode = f->inode, .birth_only = birth_only};
	struct annotate_asked asked = {.file = file, .volume = wish.volume, .first_ns = first_of(a->g, f), .gone_ns = NANOTIME_NONE, .birth_only = birth_only};

	if (annotate_wishes_append(ret, wish) < 0)
		return -1;
	return annotate_asked_vector_append(&a->asked, asked);
}

// A birth that a disk can be asked about: what went within seconds may never have reached it.
static bool tells_birth(const struct annotation *a, uint32_t file)
{
	const struct file *f = &a->g->files.items[file];

	return a->answers[file].verdict == ANNOTATE_NOT_ASKED && f->created_ns >= a->from_ns && f->created_ns <= a->to_ns &&
	       (f->deleted_ns == NANOTIME_NONE || annotate_subtract(f->deleted_ns, f->created_ns) >= ANNOTATE_PATIENCE_NS);
}

static int add_births(struct annotation *a, uint32_t volume, const bool *wished, struct annotate_wishes *ret)
{
	uint32_t births = 0, others = 0;
	int result = 0;

	for (size_t i = 0; i < a->made.count; i++) {
		uint32_t file = a->made.items[i];
		if (a->answers[file].volume != volume)
			continue;
		births += wished[file];
		others += !wished[file] && tells_birth(a, file);
	}
	uint32_t missing = births < ANNOTATE_BIRTHS ? ANNOTATE_BIRTHS - births : 0, at = 0, added = 0;
	for (size_t i = 0; result == 0 && i < a->made.count && added < missing; i++) { // evenly over the numbers
		uint32_t file = a->made.items[i];
		if (a->answers[file].volume != volume || wished[file] || !tells_birth(a, file))
			continue;
		if ((uint64_t)at++ * missing < (uint64_t)added * others)
			continue;
		result = add_wish(a, file, true, ret);
		added++;
	}
	return result;
}

int annotation_wishes(struct annotation *a, const struct trace *t, size_t limit, struct annotate_wishes *ret, struct error *err)
{
	bool *wished = calloc(a->g->files.count + 1, sizeof(*wished));
	int result = wished ? 0 : -1;

	a->asked.count = 0;
	ret->count = 0;
	for (size_t i = 0; result == 0 && i < t->order.count && ret->count < limit; i++) {
		const struct graph_node *n = &a->g->nodes.items[t->order.items[i]];
		if (n->kind != NODE_FILE || wished[n->entity] || a->answers[n->entity].verdict != ANNOTATE_NOT_ASKED)
			continue;
		wished[n->entity] = true;
		result = add_wish(a, n->entity, false, ret);
	}
	for (uint32_t v = 0; result == 0 && v < a->volume_count; v++)
		result = add_births(a, v, wished, ret);
	free(wished);
	return result == 0 ? 0 : error_set(err, "asking for the best files: out of memory");
}

// ---- answers

// One inode's states within the answer of a volume.
struct group { uint64_t inode; size_t from, to; };
VECTOR_DEFINE(group_vector, struct group)

static int compare_groups(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	return x->from < y->from ? -1 : x->from > y->from;
}

static int find_groups(const struct timeline_states *states, struct group_vector *ret)
{
	for (size_t i = 0; i < states->count; i++) {
		if (i && states->items[i].inode == states->items[i - 1].inode) {
			ret->items[ret->count - 1].to = i + 1;
			continue;
		}
		if (group_vector_append(ret, (struct group){states->items[i].inode, i, i + 1}) < 0)
			return -1;
	}
	if (ret->count)
		qsort(ret->items, ret->count, sizeof(*ret->items), compare_groups);
	return 0;
}

static struct group group_of(const struct group_vector *groups, uint64_t inode)
{
	struct group key = {.inode = inode}, none = {.inode = inode};
	size_t low = 0, high = groups->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare_groups(&groups->items[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < groups->count && groups->items[low].inode == inode ? groups->items[low] : none;
}

static uint64_t guest_arrival(const struct annotate_volume *v, const struct timeline_state *s)
{
	uint64_t earliest, latest;

	if (s->arrival_ns == 0 || !annotate_to_guest(v, s->arrival_ns, &earliest, &latest))
		return NANOTIME_NONE;
	return earliest + (latest - earliest) / 2;
}

// mtime, or ctime where only that moved. What is told of a file that went are the times that it had.
static uint64_t inode_time(const struct timeline_state *s, const struct timeline_state *before)
{
	if (s->change & TIMELINE_DELETED)
		return NANOTIME_NONE;
	return before && before->mtime_ns == s->mtime_ns && before->ctime_ns != s->ctime_ns ? s->ctime_ns : s->mtime_ns;
}

static int take_state(struct annotate_answer *answer, const struct annotate_volume *v, struct timeline_state s)
{
	size_t count = answer->states.count;
	struct annotate_state state = {.verdict = ANNOTATE_STATE_BEFORE, .syscall_ns = NANOTIME_NONE, .edge = GRAPH_NONE};

	if ((s.change & TIMELINE_APPEARED) && (s.change & TIMELINE_DELETED))
		s.change &= ~(unsigned)TIMELINE_DELETED; // that was the life before
	state.guest_ns = guest_arrival(v, &s);
	state.inode_ns = inode_time(&s, count ? &answer->states.items[count - 1].disk : NULL);
	state.disk = s;
	return annotate_states_append(&answer->states, state);
}

// The end of a life that no state tells of: its number had gone to another file.
static struct timeline_state replaced_state(struct timeline_state last, const struct timeline_state *next)
{
	last.change = TIMELINE_DELETED;
	last.seq = next->seq;
	last.arrival_ns = next->arrival_ns;
	last.from_journal = next->from_journal;
	last.tid = next->tid;
	last.links = 0;
	last.pending_bytes = last.changed_from = 0;
	last.changed_to = last.size_bytes;
	return last;
}

static int take_life(struct annotation *a, struct annotate_asked *asked, const struct annotate_life *life, const struct timeline_state *states)
{
	struct annotate_answer *answer = &a->answers[asked->file];
	const struct annotate_volume *v = &a->volumes[asked->volume];
	int result = 0;

	answer->generation = life->generation;
	answer->crtime_ns = life->crtime_ns;
	answer->verdict = ANNOTATE_SHOWN;
	asked->gone_ns = life->gone_ns;
	for (size_t i = life->from; result == 0 && i < life->to; i++)
		result = take_state(answer, v, states[i]);
	if (result == 0 && life->replaced_by != SIZE_MAX)
		result = take_state(answer, v, replaced_state(states[life->to - 1], &states[life->replaced_by]));
	return result;
}

// Made without a name (O_TMPFILE) and never given one. The disk's states are those of files with names, so they do not tell.
static bool is_unnamed(const struct graph *g, const struct file *f)
{
	static const char words[] = "(unnamed in "; // graph/build_open.c
	uint32_t name = f->names.count == 1 && !f->names.items[0].absolute ? f->names.items[0].name : 0;

	return f->created_seen && name && intern_length(g->strings, name) >= sizeof(words) - 1 &&
	       memcmp(intern_string(g->strings, name), words, sizeof(words) - 1) == 0;
}

// Nothing on the disk is this file. That it never reached it can be said where the recording went on for long enough, or until the log
// has the file deleted again.
static enum annotate_verdict absent_verdict(const struct graph *g, const struct annotate_volume *v, const struct file *f, uint64_t first_ns)
{
	uint64_t earliest, latest, gone_earliest, gone_latest;

	if (is_unnamed(g, f) || !annotate_to_host(v, first_ns, &earliest, &latest) || latest < v->from_ns)
		return ANNOTATE_NOT_COVERED;
	uint64_t until = annotate_add(latest, ANNOTATE_PATIENCE_NS);
	if (f->deleted_ns != NANOTIME_NONE && annotate_to_host(v, f->deleted_ns, &gone_earliest, &gone_latest) && gone_latest < until)
		until = gone_latest;
	return until <= v->to_ns && !annotate_interrupted(v, earliest, until) ? ANNOTATE_NEVER_REACHED : ANNOTATE_NOT_COVERED;
}

static int take_file(struct annotation *a, struct annotate_asked *asked, const struct timeline_state *states, size_t count, struct error *err)
{
	const struct file *f = &a->g->files.items[asked->file];
	const struct annotate_volume *v = &a->volumes[asked->volume];
	const struct annotate_claim claim = claim_of(a, asked);
	struct annotate_lives lives = {0};
	int result = annotate_lives_find(states, count, &lives, err);

	asked->taken = true;
	annotate_states_release(&a->answers[asked->file].states);
	if (result == 0)
		asked->birth = annotate_birth_compare(&lives, &claim, v);
	if (result == 0 && !asked->birth_only) {
		size_t life = annotate_life_of(&lives, &claim, v, &asked->sure);
		if (life == SIZE_MAX)
			a->answers[asked->file].verdict =
				a->doubts[asked->volume] & ANNOTATE_INCOMPLETE ? ANNOTATE_NOT_COVERED : absent_verdict(a->g, v, f, asked->first_ns);
		else if (take_life(a, asked, &lives.items[life], states) < 0)
			result = error_set(err, "states of inode %" PRIu64 ": out of memory", f->inode);
	}
	annotate_lives_release(&lives);
	return result < 0 ? -1 : asked->birth_only ? 0 : annotate_match(a, asked->file, err);
}

// Content that came more than patience after its inode's last change: this guest writes back later than anybody should expect, and its
// silence proves nothing. (An inode's ctime cannot be set; mtime can.)
static bool is_late(const struct annotate_volume *v, const struct timeline_state *s)
{
	const unsigned content = TIMELINE_GREW | TIMELINE_CUT | TIMELINE_REWRITTEN | TIMELINE_ARRIVED;
	uint64_t earliest, latest;

	if (!(s->change & content) || (s->change & TIMELINE_DELETED) || s->arrival_ns == 0 || s->ctime_ns == NANOTIME_NONE ||
	    !annotate_to_host(v, s->ctime_ns, &earliest, &latest))
		return false;
	return s->arrival_ns > annotate_add(latest, ANNOTATE_PATIENCE_NS) && !annotate_stepped(v, earliest, s->arrival_ns) &&
	       !annotate_interrupted(v, earliest, s->arrival_ns);
}

void annotation_doubt(struct annotation *a, uint32_t volume)
{
	a->doubts[volume] |= ANNOTATE_INCOMPLETE;
}

int annotation_take(struct annotation *a, uint32_t volume, const struct timeline_states *states, struct error *err)
{
	struct group_vector groups = {0};
	int result = find_groups(states, &groups) < 0 ? error_set(err, "%s: out of memory", a->volumes[volume].name) : 0;

	for (size_t i = 0; i < states->count; i++)
		if (is_late(&a->volumes[volume], &states->items[i]))
			a->doubts[volume] |= ANNOTATE_LATE;
	for (size_t i = 0; result == 0 && i < a->asked.count; i++) {
		struct annotate_asked *asked = &a->asked.items[i];
		if (asked->volume != volume)
			continue;
		struct group g = group_of(&groups, a->g->files.items[asked->file].inode);
		result = take_file(a, asked, states->items ? states->items + g.from : NULL, g.to - g.from, err);
	}
	group_vector_release(&groups);
	return result;
}
