// SPDX-License-Identifier: MIT
// What the files evidence*.c share and nobody else sees.
#ifndef CMD_EVIDENCE_PARTS_H
#define CMD_EVIDENCE_PARTS_H

#include "base/buffer.h"
#include "base/fileio.h"
#include "base/vector.h"
#include "cmd/investigate.h"
#include "cmd/witness.h"
#include "snapshots/contents.h"

#include <limits.h>

#define EVIDENCE_NAME_BYTES 128u

// ---- evidence_folder.c: a folder that appears whole or not at all

struct evidence_folder {
	const char *path;
	char temporary[PATH_MAX]; // beside it; "": there is none
	int fd;
	bool force;
};
int evidence_folder_begin(struct evidence_folder *f, const char *path, bool force, struct error *err);
int evidence_folder_create(const struct evidence_folder *f, const char *name, int *ret_fd, struct error *err); // new, 0600
int evidence_folder_write(const struct evidence_folder *f, const char *name, const struct buffer *bytes, struct fileio_digest *ret_digest,
			  struct error *err); // ret_digest may be NULL
int evidence_folder_rename(const struct evidence_folder *f, const char *from, const char *to, struct error *err);
void evidence_folder_remove(const struct evidence_folder *f, const char *name);
int evidence_folder_commit(struct evidence_folder *f, struct error *err);
void evidence_folder_abort(struct evidence_folder *f); // nothing stays; after a commit it does nothing

// ---- evidence_moments.c: what is wanted; evidence_read.c: what came

enum evidence_what { EVIDENCE_BEFORE, EVIDENCE_AFTER, EVIDENCE_EXECUTED, EVIDENCE_COMPLETE };

struct evidence_content { // of one inode at one record, asked for once
	struct witness_volume *volume;
	struct contents_wish wish;
	bool answered;
	struct contents_answer answer; // its file has no path; wish is not used
	char name[EVIDENCE_NAME_BYTES]; // of the file in the folder; "" none
	size_t same_as;          // index of the content whose file holds these bytes, too; else its own
};
VECTOR_DEFINE(evidence_contents, struct evidence_content)

struct evidence_entry { // a line of the manifest
	enum evidence_what what;
	uint32_t node, file;     // of the picture, of the graph
	unsigned event;          // of the node, from 1, by time
	uint32_t edge, ops;      // the one that tells most, and a bit for each kind of edge that the event stands behind
	uint64_t serial, guest_ns, host_ns, error_ns;
	struct witness_volume *volume;
	uint64_t seq;            // with content != SIZE_MAX
	size_t content;          // SIZE_MAX: not asked for, reason tells why
	const char *reason;
	bool after_the_end;      // of the recording: what it had last
	uint64_t complete_seq;   // nearest complete state; 0: this one is, or none is known
	uint64_t later_seq;      // the guest had changed it by then, and this later state has that; 0: the disk had all
	size_t parent;           // COMPLETE: the entry that it completes
};
VECTOR_DEFINE(evidence_entries, struct evidence_entry)

struct evidence {
	const struct investigation *in;
	const struct witness *witness;
	struct evidence_folder folder;
	struct evidence_entries entries;
	struct evidence_contents contents;
	uint32_t *node_of;       // picture node of each graph node, GRAPH_NONE
	uint32_t files, uncovered; // drawn ones
};

// The moments of all files that a drawn node stands for.
int evidence_add_node(struct evidence *e, uint32_t node, struct error *err);
// The complete states beside what is not whole. Not first: of those that were added, the ones that turned out not to be complete lead on.
int evidence_add_complete(struct evidence *e, bool first, struct error *err);
// Those that still are not; parents are known by their place, so before entries are sorted.
void evidence_drop_incomplete(struct evidence *e);
// The guest had made the file by then, and the disk shows nothing of it yet.
bool evidence_is_not_yet(const struct evidence *e, const struct evidence_entry *entry);

// Asks for everything that was not asked for yet. What a disk cannot give is noted there; -1: the folder cannot be written, or we are interrupted.
int evidence_read(struct evidence *e, struct error *err);

// ---- evidence_manifest.c

int evidence_manifest(const struct evidence *e, struct buffer *out, struct error *err);
const char *evidence_verdict(const struct evidence *e, const struct evidence_entry *entry);
// "n12-03-before-20261121T100600-sshd_config.bin"
void evidence_name(const struct evidence *e, const struct evidence_entry *entry, char ret[EVIDENCE_NAME_BYTES]);

#endif
