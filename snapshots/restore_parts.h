// SPDX-License-Identifier: MIT
// What the files restore*.c share and nobody else sees.
#ifndef SNAPSHOTS_RESTORE_PARTS_H
#define SNAPSHOTS_RESTORE_PARTS_H

#include "base/vector.h"
#include "snapshots/fs_verdict.h"
#include "snapshots/restore.h"

#include <openssl/evp.h>

// ---- restore_stream.c: content that comes in ascending pieces, onto a descriptor

struct restore_stream {
	int fd;                // not owned
	const char *name;      // for sentences
	bool seekable;         // holes become holes; else zeros are written
	bool visible;          // a terminal
	uint64_t at, size;     // next byte; all of it
	EVP_MD_CTX *digest;
	struct buffer line;    // visible: what waits for its end of line
};
int restore_stream_init(struct restore_stream *s, int fd, const char *name, uint64_t size, struct error *err);
int restore_stream_add(struct restore_stream *s, uint64_t offset, const uint8_t *bytes, size_t length, struct error *err);
// The rest of the size reads as zeros. ret_sha256: hexadecimal.
int restore_stream_finish(struct restore_stream *s, char ret_sha256[65], struct error *err);
void restore_stream_release(struct restore_stream *s);

// ---- restore_place.c: one new file that appears whole or not at all

struct restore_place {
	const char *path;
	int fd;              // -1: not open
	bool direct;         // standard output, a device, a FIFO: written to as it is
	bool force, named;   // named: the temporary file has a name
	char temporary[4096];
};
// Refuses a folder, and without force whatever exists.
int restore_place_check(const char *path, bool force, struct error *err);
int restore_place_open(struct restore_place *p, const char *path, bool force, struct error *err);
int restore_place_commit(struct restore_place *p, struct error *err);
void restore_place_abort(struct restore_place *p); // nothing stays; also after a commit, then does nothing but close

// ---- restore_tree.c: a new folder with all below

struct restore_tree;
// max_bytes: of content, all together; 0: no limit.
int restore_tree_new(const char *path, uint64_t max_bytes, struct restore_report *report, struct restore_tree **ret, struct error *err);
// FILE, DATA and WHOLE frames.
int restore_tree_frame(struct restore_tree *t, uint32_t type, const void *payload, size_t length, struct error *err);
// Puts it where it belongs.
int restore_tree_commit(struct restore_tree *t, struct error *err);
void restore_tree_free(struct restore_tree *t); // without a commit: nothing stays

// ---- restore_beneath.c: places below a folder, whatever the names are and whoever changes the tree meanwhile

// The folder of `path` (relative, checked by restore_beneath_check) and its last name. The caller closes *ret_fd.
int restore_beneath_open(int root_fd, const char *path, int *ret_fd, const char **ret_name);
// NULL: every part of the path is a plain name. Else why not.
const char *restore_beneath_check(const char *path, size_t length);

// ---- restore_manifest.c

// What a line of the manifest says beside the file itself; all may be NULL.
struct restore_line {
	const char *sha256, *hard_link_to, *skipped;
	const struct fs_verdict *verdict;
};
void restore_manifest_add(struct buffer *out, const struct fs_file *file, const struct restore_line *line);

#endif
