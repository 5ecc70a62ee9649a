// SPDX-License-Identifier: MIT
#include "cmd/creators.h"

#include "base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MIN_SCORE 0.05     /* a file that counts less is not followed: on recorded incidents the system's own programs lie at 0.08 and below */
#define MAX_FILES 32u      /* in one round */
#define MAX_ROUNDS 8u      /* each goes one maker further back */
#define MAX_WRITERS 16u    /* of one file, beside its maker: the newest */
#define MAX_CALLS 512u     /* of one such process */
#define MAX_EVENTS 65536u  /* in all */
#define VFORK_NS (2 * NANOTIME_SECOND) /* from a vfork to the child's execve, at most */
#define LOOK_BACK_BYTES ((uint64_t)4 << 30) /* of log text, in all: about a second and a half */

struct earlier { struct event *event; uint32_t file_epoch; bool maker; };
VECTOR_DEFINE(earlier_vector, struct earlier)

// A file that is followed, or a process that made or wrote one.
struct followed_file {
	struct creator_wanted wanted;
	unsigned writers, unlinked; // unlinked: names that were removed, and not yet met as one that was given beside another
	bool done, made;
};
VECTOR_DEFINE(followed_vector, struct followed_file)
struct followed_process {
	uint32_t host, epoch, pid, file_epoch;
	uint64_t act_ns;           // it touched the file then: the instance of the pid that is meant
	uint64_t birth_ns;         // of its fork; 0: not met
	size_t first, calls;       // where its events begin in the list of this round
	bool done;
};
VECTOR_DEFINE(process_followed_vector, struct followed_process)

struct creators {
	struct earlier_vector events;        // by time once a round is over
	struct followed_vector files;        // all that were ever asked for
	struct process_followed_vector processes;
	size_t round_files, round_processes; // where the present round begins in them
	unsigned rounds;
	uint64_t budget_bytes;
	struct creators_facts facts;
	struct investigation *in;
	struct followed_process *early;      // find_early
	uint64_t seen;
};

void creators_free(struct creators *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->events.count; i++)
		free(c->events.items[i].event);
	earlier_vector_release(&c->events);
	followed_vector_release(&c->files);
	process_followed_vector_release(&c->processes);
	free(c);
}

struct creators_facts creators_facts(const struct creators *c)
{
	return c ? c->facts : (struct creators_facts){0};
}

// ---- keeping events

static bool same_event(const struct event *a, const struct event *b)
{
	return a->host == b->host && a->epoch == b->epoch && a->serial == b->serial && a->earliest_ns == b->earliest_ns;
}

// An event can be met for several reasons: settle_events().
static int keep(struct creators *c, const struct event *event, uint32_t file_epoch, bool maker, struct error *err)
{
	if (c->events.count >= MAX_EVENTS) {
		c->facts.budget_spent = true;
		return 0;
	}
	struct earlier e = {.event = event_copy(event), .file_epoch = file_epoch, .maker = maker};

	if (!e.event || earlier_vector_append(&c->events, e) < 0) {
		free(e.event);
		return error_set(err, "out of memory");
	}
	return 0;
}

static int follow_process(struct creators *c, const struct event *event, uint32_t file_epoch, struct error *err)
{
	for (size_t i = 0; i < c->processes.count; i++) {
		const struct followed_process *p = &c->processes.items[i];

		if (p->host == event->host && p->epoch == event->epoch && p->pid == event->pid && p->act_ns == event->earliest_ns)
			return 0;
	}
	struct followed_process p = {.host = event->host, .epoch = event->epoch, .pid = event->pid, .file_epoch = file_epoch, .act_ns = event->earliest_ns};

	return process_followed_vector_append(&c->processes, p) < 0 ? error_set(err, "out of memory") : 0;
}

// ---- files, newest event first

static int take_file_event(struct creators *c, struct followed_file *f, const struct event *event, struct error *err)
{
	const struct creator_wanted *w = &f->wanted;

	if (event->host != w->host || (event->epoch != w->epoch && w->dev >> 20 == 0)) // what lies in memory does not outlive a boot
		return 0;
	enum earlier_call call = earlier_call_of(event, c->in->strings, w->dev, w->inode);

	f->unlinked += call == EARLIER_GONE;
	if (call == EARLIER_MAKES && f->unlinked > 0) {
		f->done = true; // the last of its names went: the number had another file before
		return 0;
	}
	if (call == EARLIER_LINKS && f->unlinked > 0) {
		f->unlinked--; // a name that came and went
		return 0;
	}
	// What may be of another file waits for that.
	if (call == EARLIER_OTHER || call == EARLIER_GONE || (call != EARLIER_MAKES && (f->unlinked > 0 || ++f->writers > MAX_WRITERS)))
		return 0;
	f->made = f->done = call == EARLIER_MAKES;
	if (keep(c, event, w->epoch, true, err) < 0)
		return -1;
	return follow_process(c, event, w->epoch, err);
}

static int on_file_event(void *context, const struct event *event, struct error *err)
{
	struct creators *c = context;
	size_t open = 0;

	progress_step(&c->in->progress, "looking for who made the files: records", ++c->seen);
	if (event->kind != EVENT_SYSCALL)
		return 0;
	for (size_t i = c->round_files; i < c->files.count; i++) {
		if (!c->files.items[i].done && take_file_event(c, &c->files.items[i], event, err) < 0)
			return -1;
		open += !c->files.items[i].done;
	}
	return open == 0;
}

static void spend(struct creators *c, const struct find_report *report)
{
	c->budget_bytes -= report->bytes < c->budget_bytes ? report->bytes : c->budget_bytes;
	c->facts.budget_spent |= c->budget_bytes == 0;
}

static int find(struct creators *c, const struct find_keys *keys, event_callback *callback, struct error *err)
{
	struct find_report report = {0};
	struct find_limit limit = {.max_bytes = c->budget_bytes};

	if (c->budget_bytes == 0)
		return 0;
	if (source_find(c->in->source, keys, c->in->from_ns - 1, limit, callback, c, &report, err) < 0)
		return -1;
	spend(c, &report);
	if (report.reached_ns != 0 && (c->facts.reached_ns == 0 || report.reached_ns < c->facts.reached_ns))
		c->facts.reached_ns = report.reached_ns;
	return 0;
}

static int find_files(struct creators *c, struct error *err)
{
	size_t count = c->files.count - c->round_files;
	struct find_inode *inodes AUTO_FREE = calloc(count, sizeof(*inodes));

	if (!inodes)
		return error_set(err, "out of memory");
	for (size_t i = 0; i < count; i++) {
		const struct creator_wanted *w = &c->files.items[c->round_files + i].wanted;

		inodes[i] = (struct find_inode){.dev = w->dev, .inode = w->inode};
	}
	struct find_keys keys = {.inodes = inodes, .inode_count = count};

	if (find(c, &keys, on_file_event, err) < 0)
		return -1;
	for (size_t i = c->round_files; i < c->files.count; i++) {
		c->facts.made += c->files.items[i].made;
		c->facts.unknown += !c->files.items[i].made;
	}
	return 0;
}

// ---- what their makers did, newest event first

// Of an instance that touched a file later: it is followed for itself.
static bool is_followed_for(const struct creators *c, const struct followed_process *p, const struct event *event)
{
	for (size_t i = c->round_processes; i < c->processes.count; i++) {
		const struct followed_process *other = &c->processes.items[i];

		if (other->pid == p->pid && other->host == p->host && other->epoch == p->epoch && other->act_ns > p->act_ns &&
		    event->earliest_ns <= other->act_ns && event->earliest_ns >= other->birth_ns)
			return true;
	}
	return false;
}

// Another process had the pid after the one that is meant: what was kept of it goes again.
static void forget_later(struct creators *c, struct followed_process *p)
{
	size_t kept = p->first;

	for (size_t i = p->first; i < c->events.count; i++) {
		struct earlier *e = &c->events.items[i];
		bool later = e->event->host == p->host && e->event->epoch == p->epoch && e->event->earliest_ns > p->act_ns && !e->maker &&
			     (e->event->pid == p->pid || earlier_forks(e->event, p->pid)) && !is_followed_for(c, p, e->event);

		if (later)
			free(e->event);
		else
			c->events.items[kept++] = *e;
	}
	c->events.count = kept;
}

static int take_process_event(struct creators *c, struct followed_process *p, const struct event *event, struct error *err)
{
	if (event->host != p->host || event->epoch != p->epoch)
		return 0;
	bool before = event->earliest_ns <= p->act_ns;

	if (earlier_forks(event, p->pid)) { // its birth, or that of a later one with its number
		if (!before) {
			forget_later(c, p);
			return 0;
		}
		p->done = true;
		p->birth_ns = event->earliest_ns;
		return keep(c, event, p->file_epoch, false, err);
	}
	if (event->pid != p->pid)
		return 0;
	if (event->op == OP_EXIT && before && event->earliest_ns < p->act_ns) {
		p->done = true; // an older process with this number ended here
		return 0;
	}
	if (event->op == OP_EXIT)
		forget_later(c, p);
	else if (event->op != OP_EXEC && (!before || ++p->calls > MAX_CALLS))
		return 0; // what it did later is no cause of the file; what it became, and that it ended, is worth knowing
	return keep(c, event, p->file_epoch, false, err);
}

static int on_process_event(void *context, const struct event *event, struct error *err)
{
	struct creators *c = context;
	size_t open = 0;

	progress_step(&c->in->progress, "looking for who made the files: records", ++c->seen);
	if (event->kind != EVENT_SYSCALL || !(event->present & EVENT_HAS_PID))
		return 0;
	for (size_t i = c->round_processes; i < c->processes.count; i++) {
		struct followed_process *p = &c->processes.items[i];

		if (!p->done && take_process_event(c, p, event, err) < 0)
			return -1;
		open += !p->done;
	}
	return open == 0;
}

// A vfork returns when its child has executed: what the child did first may stand before its birth in the log.
static int on_early_event(void *context, const struct event *event, struct error *err)
{
	struct creators *c = context;
	struct followed_process *p = c->early;

	if (event->kind != EVENT_SYSCALL || !(event->present & EVENT_HAS_PID) || event->host != p->host || event->epoch != p->epoch ||
	    event->pid != p->pid || event->earliest_ns < p->birth_ns || event->earliest_ns > p->act_ns || event->op == OP_EXIT)
		return 0;
	return keep(c, event, p->file_epoch, false, err);
}

static int find_early(struct creators *c, struct followed_process *p, struct error *err)
{
	struct find_keys keys = {.host = p->host, .pids = &p->pid, .pid_count = 1};
	struct find_limit limit = {.not_before_ns = p->birth_ns, .max_bytes = c->budget_bytes};
	struct find_report report = {0};
	uint64_t before_ns = p->birth_ns + VFORK_NS < p->act_ns ? p->birth_ns + VFORK_NS : p->act_ns;

	c->early = p;
	if (c->budget_bytes == 0)
		return 0;
	if (source_find(c->in->source, &keys, before_ns, limit, on_early_event, c, &report, err) < 0)
		return -1;
	spend(c, &report);
	return 0;
}

static int find_processes(struct creators *c, struct error *err)
{
	size_t count = c->processes.count - c->round_processes;
	uint32_t *pids AUTO_FREE = calloc(count ? count : 1, sizeof(*pids));

	if (!pids)
		return error_set(err, "out of memory");
	if (count == 0)
		return 0;
	for (size_t i = 0; i < count; i++) {
		pids[i] = c->processes.items[c->round_processes + i].pid;
		c->processes.items[c->round_processes + i].first = c->events.count;
	}
	struct find_keys keys = {.pids = pids, .pid_count = count};

	if (find(c, &keys, on_process_event, err) < 0)
		return -1;
	for (size_t i = c->round_processes; i < c->processes.count; i++)
		if (c->processes.items[i].birth_ns != 0 && find_early(c, &c->processes.items[i], err) < 0)
			return -1;
	return 0;
}

// ---- rounds

static bool was_asked(const struct creators *c, const struct creator_wanted *w)
{
	for (size_t i = 0; i < c->files.count; i++) {
		const struct creator_wanted *known = &c->files.items[i].wanted;

		if (known->host == w->host && known->epoch == w->epoch && known->dev == w->dev && known->inode == w->inode)
			return true;
	}
	return false;
}

static int choose_files(struct creators *c, struct error *err)
{
	struct creator_vector wanted = {0};
	size_t known = c->files.count; // those whose maker nobody told must not stand before the others
	int result = graph_missing_creators(c->in->graph, &c->in->trace, MIN_SCORE, known + MAX_FILES, &wanted, err);

	for (size_t i = 0; i < wanted.count && c->files.count < known + MAX_FILES && result == 0; i++) {
		if (!was_asked(c, &wanted.items[i]) && followed_vector_append(&c->files, (struct followed_file){.wanted = wanted.items[i]}) < 0)
			result = error_set(err, "out of memory");
	}
	creator_vector_release(&wanted);
	return result;
}

static int compare_events(const void *a, const void *b)
{
	const struct earlier *one = a, *other = b;
	const struct event *x = one->event, *y = other->event;

	if (x->earliest_ns != y->earliest_ns)
		return x->earliest_ns < y->earliest_ns ? -1 : 1;
	if (x->serial != y->serial)
		return x->serial < y->serial ? -1 : 1;
	if (x->host != y->host)
		return x->host < y->host ? -1 : 1;
	if (x->epoch != y->epoch)
		return x->epoch < y->epoch ? -1 : 1;
	if (one->maker != other->maker)
		return one->maker ? -1 : 1;
	return one->file_epoch < other->file_epoch ? -1 : one->file_epoch > other->file_epoch;
}

// In order of time, each once.
static void settle_events(struct creators *c)
{
	size_t kept = 0;

	if (c->events.count > 0)
		qsort(c->events.items, c->events.count, sizeof(*c->events.items), compare_events);
	for (size_t i = 0; i < c->events.count; i++) {
		if (kept > 0 && same_event(c->events.items[kept - 1].event, c->events.items[i].event))
			free(c->events.items[i].event);
		else
			c->events.items[kept++] = c->events.items[i];
	}
	c->events.count = kept;
}

static struct creators *creators_of(struct investigation *in)
{
	if (!in->creators) {
		in->creators = calloc(1, sizeof(*in->creators));
		if (in->creators) {
			in->creators->in = in;
			in->creators->budget_bytes = LOOK_BACK_BYTES;
		}
	}
	return in->creators;
}

int creators_look_up(struct investigation *in, bool *ret_found, struct error *err)
{
	struct creators *c = creators_of(in);

	*ret_found = false;
	if (!c)
		return error_set(err, "out of memory");
	if (c->rounds++ >= MAX_ROUNDS || in->from_ns <= in->log_first_ns)
		return 0;
	c->round_files = c->files.count;
	c->round_processes = c->processes.count;
	if (choose_files(c, err) < 0)
		return -1;
	size_t before = c->events.count;

	if (c->files.count == c->round_files)
		return 0;
	c->facts.asked = c->files.count;
	if (find_files(c, err) < 0 || find_processes(c, err) < 0)
		return -1;
	settle_events(c);
	*ret_found = c->events.count > before;
	return 0;
}

int creators_feed(struct investigation *in, struct error *err)
{
	struct creators *c = in->creators;

	for (size_t i = 0; c && i < c->events.count; i++) {
		const struct earlier *e = &c->events.items[i];

		if (graph_add_earlier_event(in->graph, e->event, e->file_epoch, e->maker, err) < 0)
			return -1;
	}
	return 0;
}
