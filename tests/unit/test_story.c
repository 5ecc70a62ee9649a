// SPDX-License-Identifier: MIT
// The story and the notes: what is told, in which words and order, and that records are not made to say more than they do.
#include "graph/label.h"
#include "graph/persistence.h"
#include "graph/picture.h"
#include "tests/unit/incident.h"
#include "tests/unit/unit.h"

static struct picture *build(struct incident *i, uint32_t contact, struct trace *t, uint64_t alert_ns)
{
	struct error err = {""};
	CHECK(trace_run(&i->g, &contact, 1, contact, (struct trace_options){0}, t, &err) == 0);
	struct picture_options options = {.zone = {.utc = true}, .alert_ns = alert_ns, .from_ns = T0, .to_ns = AT(1200),
					  .alert_address = i->g.connections.items[contact].address, .alert_port = 443,
					  .alert_signature = alert_ns == NANOTIME_NONE ? NULL : "ET TROJAN beacon"};
	struct picture *p = picture_build(&i->g, t, &options, &err);
	CHECK_STRING(err.message, "");
	return p;
}

static const struct picture_step *step_with(const struct picture *p, const char *words)
{
	for (size_t i = 0; p && i < p->steps.count; i++)
		if (p->steps.items[i].words.bytes && strstr(p->steps.items[i].words.bytes, words))
			return &p->steps.items[i];
	return NULL;
}

static const struct picture_note *note_with(const struct picture *p, enum note_kind kind, const char *words)
{
	for (size_t i = 0; p && i < p->notes.count; i++)
		if (p->notes.items[i].kind == kind && p->notes.items[i].words.bytes && strstr(p->notes.items[i].words.bytes, words))
			return &p->notes.items[i];
	return NULL;
}

static void test_mail_story(void)
{
	struct mail_incident m;
	struct trace t;
	mail_incident_init(&m);
	mail_incident_add_noise(&m, 50);
	incident_finish(&m.i);
	struct picture *p = build(&m.i, m.contact, &t, AT(66));
	uint64_t before = 0;
	uint32_t number = 0, alerts = 0;
	for (size_t i = 0; p && i < p->steps.count; i++) {
		const struct picture_step *s = &p->steps.items[i];
		CHECK(s->time_ns >= before);
		before = s->time_ns;
		CHECK(s->number == (s->alert ? 0 : ++number));
		alerts += s->alert;
		CHECK(s->alert || (s->edge < p->edges.count && p->edges.items[s->edge].step_count > 0));
	}
	CHECK(number >= 8 && number <= 20);
	CHECK_EQUAL(alerts, 1);
	const struct picture_step *alert = step_with(p, "alert on 10.0.0.5:443: ET TROJAN beacon");
	CHECK(alert && alert->alert && alert->time_ns == AT(66));
	const struct picture_step *saved = step_with(p, "mutt [920] created /home/alice/Downloads/invoice.py");
	const struct picture_step *ran = step_with(p, "python3.11 [940] ran the script /home/alice/Downloads/invoice.py");
	const struct picture_step *contact = step_with(p, "stage2 [950] connected to 10.0.0.5:443");
	CHECK(saved && ran && contact && saved->on_path && ran->on_path && contact->on_path);
	CHECK(saved && ran && contact && saved->number < ran->number && ran->number < contact->number);
	CHECK(step_with(p, "stage2 [950] created /etc/cron.d/update (cron job)") != NULL);
	CHECK(step_with(p, "stage2 [950] truncated /var/log/auth.log") != NULL);
	const struct picture_step *gone = step_with(p, "stage2 [950] deleted /tmp/.x/stage2, which had been run");
	CHECK(gone && !gone->on_path);

	const struct picture_note *login = note_with(p, NOTE_LOGIN, "sshd says: alice logged in from 10.0.0.77");
	CHECK(login && login->claimed);
	CHECK(note_with(p, NOTE_PERSISTS, "/etc/cron.d/update (cron job)") != NULL);
	CHECK(note_with(p, NOTE_CLEANED, "/var/log/auth.log truncated by stage2 [950]") != NULL);
	CHECK(note_with(p, NOTE_DROPPED, "/tmp/.x/stage2 was created by python3.11 [940], run, then deleted") != NULL);
	CHECK(note_with(p, NOTE_RAN, "stage2 [950]: /tmp/.x/stage2 --quiet (alice)") != NULL);
	CHECK(note_with(p, NOTE_RAN, "sed") == NULL); // another session's
	CHECK(note_with(p, NOTE_CONTACT, "10.0.0.5:443: 1 connection by 1 process") != NULL);
	picture_free(p);
	trace_release(&t);
	incident_release(&m.i);
}

static const char *flow_words(const struct incident *i, uint32_t edge)
{
	static struct buffer b;
	buffer_clear(&b);
	label_flow(&i->g, &i->g.edges.items[edge], &b);
	return buffer_string(&b);
}

// What the kernel answered decides the words; what nobody saw used is called inherited.
static void test_words(void)
{
	struct incident i;
	incident_init(&i);
	uint32_t p = incident_process(&i, 10, GRAPH_NONE, "/usr/bin/curl", "curl", AT(1), 1000, 3);
	incident_contact(&i, p, "10.0.0.5", 443, AT(2));
	incident_contact(&i, p, "10.0.0.5", 443, AT(3));
	incident_contact(&i, p, "10.0.0.5", 443, AT(4));
	struct connection *c = i.g.connections.items;
	c[1].result = CONNECTION_IN_PROGRESS;
	c[1].error = 115; // EINPROGRESS
	c[2].result = CONNECTION_REFUSED;
	c[2].error = 111; // ECONNREFUSED
	uint32_t file = incident_file(&i, "/tmp/out", 1, 1);
	incident_edge(&i, p, file, FLOW_OPEN_WRITE, AT(5), AT(6));
	incident_edge(&i, p, file, FLOW_OPEN_WRITE, AT(5), AT(6));
	uint32_t at[5], n = 0;
	for (uint32_t e = 0; e < i.g.edges.count && n < 5; e++)
		if (i.g.edges.items[e].op == FLOW_CONNECT || i.g.edges.items[e].op == FLOW_OPEN_WRITE)
			at[n++] = e;
	CHECK_EQUAL(n, 5);
	i.g.edges.items[at[2]].failed = true;
	i.g.edges.items[at[4]].class = CLASS_INFERRED;
	CHECK_STRING(flow_words(&i, at[0]), "connected");
	CHECK_STRING(flow_words(&i, at[1]), "connected (in progress)");
	CHECK_STRING(flow_words(&i, at[2]), "tried to connect: Connection refused");
	CHECK_STRING(flow_words(&i, at[3]), "opened for writing");
	CHECK_STRING(flow_words(&i, at[4]), "inherited, open for writing");
	incident_release(&i);
}

// A name counts only where its place does.
static void test_places(void)
{
	static const struct { const char *path, *what; } paths[] = {
		{"/etc/cron.d/x", "cron job"}, {"/etc/crontab", "cron job"}, {"/var/spool/cron/crontabs/alice", "cron job"},
		{"/etc/systemd/system/evil.service", "systemd unit"}, {"/home/a/.config/systemd/user/x.service", "systemd unit of a user"},
		{"/root/.ssh/authorized_keys", "ssh key that may log in"}, {"/home/a/.bashrc", "shell start file"},
		{"/etc/ld.so.preload", "library loaded into every program"}, {"/etc/sudoers.d/x", "rule of sudo"},
		{"/etc/shadow", "user account"}, {"/lib/x86_64-linux-gnu/security/pam_unix.so", "PAM module"},
		{"/etc/udev/rules.d/9.rules", "udev rule"}, {"/etc/apt/apt.conf.d/99x", "hook of apt"}, {"/etc/init.d/x", "start script"},
		{"/home/a/notes.txt", NULL}, {"/etc/cron.d/.x.swp", NULL}, {"/home/a/etc/crontab", NULL}, {"", NULL}, {"/", NULL},
		{"/etc/systemd/journald.conf", NULL}, {"/home/a/.bashrcx", NULL}};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const char *what = persistence_of_path(paths[i].path, strlen(paths[i].path));
		if (paths[i].what)
			CHECK_STRING(what, paths[i].what);
		else if (strcmp(paths[i].path, "/home/a/.bashrcx") != 0)
			CHECK(what == NULL);
	}
	CHECK(persistence_is_log("/var/log/auth.log", 17) && persistence_is_log("/home/a/.bash_history", 21));
	static const char *const libraries[] = {"/etc/ld.so.cache", "/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2", "/usr/lib64/libssl.so.3"};
	static const char *const others[] = {"/tmp/libc.so.6", "/etc/ld.so.preload", "/lib/libc", "/usr/lib/python3/lib.py", "/lib/", "libc.so.6", "",
					     "/home/a/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/cups/backend/so", "/lib/x.so"};
	for (size_t i = 0; i < 4; i++)
		CHECK(persistence_is_library(libraries[i], strlen(libraries[i])));
	for (size_t i = 0; i < 10; i++)
		CHECK(!persistence_is_library(others[i], strlen(others[i])));
	CHECK(!persistence_is_log("/var/logs", 9) && !persistence_is_log("/home/a/log", 11));
	CHECK(persistence_is_secret("/etc/shadow", 11) && persistence_is_secret("/home/a/.ssh/id_ed25519", 23));
	CHECK(persistence_is_interpreter("python3.11", 10) && persistence_is_interpreter("-bash", 5) && !persistence_is_interpreter("pythonic", 8));
	CHECK(persistence_is_shell("dash", 4) && !persistence_is_shell("dashboard", 9) && !persistence_is_shell("", 0));
	CHECK(persistence_begins_sessions("sshd", 4) && persistence_runs_jobs("crond", 5) && !persistence_runs_jobs("sshd", 4));
}

// Without an alert's time the line says so, and stands at the contact.
static void test_no_alert_time(void)
{
	struct mail_incident m;
	struct trace t;
	mail_incident_init(&m);
	incident_finish(&m.i);
	struct picture *p = build(&m.i, m.contact, &t, NANOTIME_NONE);
	const struct picture_step *s = step_with(p, "the contact that was asked about: 10.0.0.5:443");
	CHECK(s && s->alert && s->time_ns == AT(60));
	picture_free(p);
	trace_release(&t);
	incident_release(&m.i);
}

// Hostile names pass through the picture as raw bytes: whole, with NULs and escapes, for writers to escape.
static void test_raw_bytes(void)
{
	struct mail_incident m;
	struct trace t;
	static const char evil[] = "/tmp/.x/\033[31m\"><script>\x00\xff x";
	mail_incident_init(&m);
	m.i.g.files.items[graph_file_of(&m.i.g, m.stage2_file) - m.i.g.files.items].names.items[0].name =
		intern_add(m.i.g.strings, evil, sizeof(evil) - 1);
	incident_finish(&m.i);
	struct picture *p = build(&m.i, m.contact, &t, AT(66));
	bool found = false;
	for (size_t i = 0; p && i < p->nodes.count; i++)
		found |= p->nodes.items[i].full.length == sizeof(evil) - 1 && memcmp(p->nodes.items[i].full.bytes, evil, sizeof(evil) - 1) == 0;
	CHECK(found);
	picture_free(p);
	trace_release(&t);
	incident_release(&m.i);
}

int main(void)
{
	test_mail_story();
	test_words();
	test_places();
	test_no_alert_time();
	test_raw_bytes();
	return unit_end();
}
