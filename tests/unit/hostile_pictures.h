// SPDX-License-Identifier: MIT
// A small picture whose text can be replaced, place by place, with anything.
#ifndef TESTS_UNIT_HOSTILE_PICTURES_H
#define TESTS_UNIT_HOSTILE_PICTURES_H

#include "tests/unit/hostile_strings.h"
#include "tests/unit/pictures.h"

enum place {
	PLACE_TITLE, PLACE_HOST, PLACE_SIGNATURE, PLACE_COMMAND, PLACE_VERSION, PLACE_PROCESS_NAME, PLACE_PROCESS_COMMAND, PLACE_PROCESS_FULL,
	PLACE_USER, PLACE_EXE, PLACE_COMM, PLACE_CWD, PLACE_TTY, PLACE_ARGV, PLACE_FILE_NAME, PLACE_FOLDER, PLACE_PATH, PLACE_OTHER_NAME, PLACE_STATE,
	PLACE_REASON, PLACE_ADDRESS_NAME, PLACE_PROTOCOL, PLACE_CHANNEL, PLACE_EDGE_LABEL, PLACE_UNCERTAIN_LABEL, PLACE_FOLD_NAME, PLACE_FOLD_PREFIX, PLACE_FOLD_RULE,
	PLACE_MEMBER, PLACE_STEP, PLACE_ALERT_STEP, PLACE_NOTE, PLACE_MISSING, PLACE_LOSS, PLACE_RULE, PLACE_INPUT, PLACE_SHA256,
	PLACE_EXPLANATION, PLACE_RECORD, PLACE_RECOVERY, PLACE_RESTORE, PLACE_VERDICT,
	PLACE_NODE_VERDICT, PLACE_DISK_DEV, PLACE_DISK_NAME, PLACE_DISK_MOUNT, PLACE_DISK_WORDS, PLACE_CLOCK_SOURCE, PLACE_FINDING_LOG, PLACE_FINDING_WAS,
	PLACE_FINDING_IS, PLACE_RESTORE_AFTER, PLACE_CONTENT, PLACE_BEFORE_HASH, PLACE_AFTER_HASH, PLACE_EXECUTED_HASH, PLACE_PREVIEW, PLACE_COUNT
};

// The nodes and edges of hostile_picture().
enum { HOSTILE_PROCESS, HOSTILE_FILE, HOSTILE_ADDRESS, HOSTILE_FOLD, HOSTILE_CHANNEL, HOSTILE_KERNEL, HOSTILE_DISK_FILE };
enum { HOSTILE_WRITE, HOSTILE_CONNECT, HOSTILE_READ, HOSTILE_UNIX };

static struct text *place_of(struct picture *p, enum place place)
{
	struct picture_node *process = &p->nodes.items[HOSTILE_PROCESS], *file = &p->nodes.items[HOSTILE_FILE];
	struct picture_disk *disk = &p->disks.items[0];
	struct picture_recovery *recovery = &p->recoveries.items[0];
	struct text *const places[] = {
		[PLACE_TITLE] = &p->title, [PLACE_HOST] = &p->host, [PLACE_SIGNATURE] = &p->alert_signature, [PLACE_COMMAND] = &p->command,
		[PLACE_VERSION] = &p->version, [PLACE_PROCESS_NAME] = &process->name, [PLACE_PROCESS_COMMAND] = &process->detail,
		[PLACE_PROCESS_FULL] = &process->full, [PLACE_USER] = &process->user, [PLACE_EXE] = &process->exe, [PLACE_COMM] = &process->comm,
		[PLACE_CWD] = &process->cwd, [PLACE_TTY] = &process->tty, [PLACE_ARGV] = &process->argv[1], [PLACE_FILE_NAME] = &file->name,
		[PLACE_FOLDER] = &file->detail, [PLACE_PATH] = &file->full, [PLACE_OTHER_NAME] = &file->names[1], [PLACE_STATE] = &file->states[0].words,
		[PLACE_REASON] = &file->reason, [PLACE_ADDRESS_NAME] = &p->nodes.items[HOSTILE_ADDRESS].name,
		[PLACE_PROTOCOL] = &p->nodes.items[HOSTILE_ADDRESS].protocol, [PLACE_CHANNEL] = &p->nodes.items[HOSTILE_CHANNEL].name,
		[PLACE_EDGE_LABEL] = &p->edges.items[HOSTILE_WRITE].label, [PLACE_UNCERTAIN_LABEL] = &p->edges.items[HOSTILE_UNIX].label,
		[PLACE_FOLD_NAME] = &p->nodes.items[HOSTILE_FOLD].name, [PLACE_FOLD_PREFIX] = &p->nodes.items[HOSTILE_FOLD].detail,
		[PLACE_FOLD_RULE] = &p->folds.items[0].rule, [PLACE_MEMBER] = &p->folds.items[0].members[0].name, [PLACE_STEP] = &p->steps.items[0].words,
		[PLACE_ALERT_STEP] = &p->steps.items[1].words, [PLACE_NOTE] = &p->notes.items[0].words, [PLACE_MISSING] = &p->missing.items[0].words,
		[PLACE_LOSS] = &p->missing.items[1].words, [PLACE_RULE] = &p->missing.items[0].rule, [PLACE_INPUT] = &p->inputs.items[0].name,
		[PLACE_SHA256] = &p->inputs.items[0].sha256, [PLACE_EXPLANATION] = &process->explanation, [PLACE_RECORD] = &p->records.items[0].lines,
		[PLACE_RECOVERY] = &p->recoveries.items[0].words, [PLACE_RESTORE] = &p->recoveries.items[0].command,
		[PLACE_NODE_VERDICT] = &file->disk_verdict, [PLACE_DISK_DEV] = &disk->dev, [PLACE_DISK_NAME] = &disk->name,
		[PLACE_DISK_MOUNT] = &disk->mount, [PLACE_DISK_WORDS] = &disk->words, [PLACE_CLOCK_SOURCE] = &disk->clock[0].source,
		[PLACE_FINDING_LOG] = &p->log_findings.items[0].log, [PLACE_FINDING_WAS] = &p->log_findings.items[0].was,
		[PLACE_FINDING_IS] = &p->log_findings.items[0].is, [PLACE_RESTORE_AFTER] = &recovery->command_after,
		[PLACE_CONTENT] = &recovery->verdict, [PLACE_BEFORE_HASH] = &recovery->before_sha256, [PLACE_AFTER_HASH] = &recovery->after_sha256,
		[PLACE_EXECUTED_HASH] = &recovery->executed_sha256, [PLACE_PREVIEW] = &recovery->preview,
		[PLACE_VERDICT] = &p->nodes.items[HOSTILE_DISK_FILE].disk_states[0].verdict,
	};

	return places[place];
}

static struct picture *hostile_picture(void)
{
	struct picture *p = made_picture();
	uint32_t process = made_process(p, "sh", 11, 10, "sh -c x", "alice", at(10, 0, 0, 0), at(10, 0, 9, 0));
	uint32_t file = made_file(p, "/tmp/", "x", 5, at(10, 0, 1, 0));
	uint32_t host = made_address(p, "10.0.0.5", 443, at(10, 0, 2, 0));
	uint32_t fold = made_fold(p, "2 files", "/usr/lib", "opened for reading by sh [11]", 2, at(10, 0, 3, 0));
	uint32_t channel = (uint32_t)(made_node(p, PICTURE_CHANNEL, made_text("/run/x.sock"), made_text("unix socket"), at(10, 0, 4, 0)) - p->nodes.items);

	(void)made_node(p, PICTURE_KERNEL, made_text("kernel"), made_text("module"), at(10, 0, 5, 0));
	p->title = made_text("sh contacted 10.0.0.5:443");
	p->alert_signature = made_text("signature");
	p->nodes.items[host].alert = true;
	p->nodes.items[process].tty = made_text("pts0");
	struct picture_node *f = &p->nodes.items[file];
	f->names = made(2 * sizeof(*f->names));
	f->names[0] = f->full;
	f->names[1] = made_text("/tmp/y");
	f->name_count = 2;
	made_state(p, file, '+', at(10, 0, 1, 0), "created");
	uint32_t write = made_edge(p, process, file, FLOW_CREATE, at(10, 0, 1, 0), 1, "created");
	(void)made_edge(p, process, host, FLOW_CONNECT, at(10, 0, 2, 0), 1, "connected");
	(void)made_edge(p, fold, process, FLOW_OPEN_READ, at(10, 0, 3, 0), 2, "opened for reading x2");
	p->edges.items[made_edge(p, process, channel, FLOW_UNIX, at(10, 0, 4, 0), 1, "connected")].class = CLASS_UNCERTAIN;
	made_step(p, write, at(10, 0, 1, 0), true, "sh [11] created /tmp/x");
	made_alert_step(p, "alert");
	made_note(p, NOTE_DROPPED, at(10, 0, 1, 0), file, true, "/tmp/x");
	made_missing(p, false, NANOTIME_NONE, NANOTIME_NONE, "accept was never audited", "-S accept");
	made_missing(p, true, at(10, 0, 1, 0), at(10, 0, 2, 0), "2 serials never came", "");
	made_input(p, "audit.log", "00ff", 100);
	uint32_t seen = made_file(p, "/srv/", "z", 6, at(10, 0, 6, 0));
	made_disk_state(p, seen, '~', at(10, 0, 6, 0), 100, "written here");
	p->nodes.items[process].explanation = made_text("sh [11]: cause, score 0.5, rank 1 of 9\n  sh [11] -> /tmp/x: 0.50 = create 0.95");
	made_record(p, write, 100, at(10, 0, 1, 0), "type=SYSCALL msg=audit(1795136401.000:100): arch=c000003e");
	made_recovery(p, file, at(10, 0, 1, 0), "before it was deleted", "provgraph --restore-at x --disk HISTORY --inode 5");
	struct picture_recovery *recovery = &p->recoveries.items[0];
	recovery->command_after = made_text("provgraph --restore-at y --disk web01.history --inode 5");
	recovery->verdict = made_text("complete");
	recovery->before_sha256 = recovery->after_sha256 = recovery->executed_sha256 = made_text("00ff");
	recovery->preview = made_text("@ 1 line gone, 1 line new (2 B before, 2 B after)\n@ line 1 before, 1 after\n- a\n+ b");
	p->nodes.items[file].disk_verdict = made_text("never reached the disk");
	p->nodes.items[file].recovered = p->edges.items[write].recovered = p->edges.items[write].no_write_seen = true;
	made_disk(p, "fe:00", "web01.history", "fe:00 is web01.history: 3 of 3 births match");
	p->disks.items[0].clock[1].stepped = true;
	made_log_finding(p, at(10, 0, 1, 0), at(10, 0, 2, 0), write, "type=SYSCALL msg=audit(1795136401.000:100): uid=1000",
			 "type=SYSCALL msg=audit(1795136401.000:100): uid=0");
	return p;
}

#endif
