// SPDX-License-Identifier: MIT
// Content comes in ascending pieces with holes between them. It is hashed as it would be read: holes as zeros.
#include "snapshots/restore_parts.h"

#include "base/fileio.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_BYTES 65536u // a longer line is shown in pieces

static const uint8_t zeros[65536];

int restore_stream_init(struct restore_stream *s, int fd, const char *name, uint64_t size, struct error *err)
{
	struct stat status;

	*s = (struct restore_stream){.fd = fd, .name = name, .size = size};
	// Standard output may be a file that others write to, too: only an empty file that is not appended to can have holes.
	s->seekable = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0 && lseek(fd, 0, SEEK_CUR) == 0 &&
		      (fcntl(fd, F_GETFL) & O_APPEND) == 0;
	s->digest = EVP_MD_CTX_new();
	if (!s->digest || EVP_DigestInit_ex(s->digest, EVP_sha256(), NULL) != 1) {
		restore_stream_release(s);
		return error_set(err, "out of memory");
	}
	return 0;
}

void restore_stream_release(struct restore_stream *s)
{
	EVP_MD_CTX_free(s->digest);
	buffer_release(&s->line);
	*s = (struct restore_stream){.fd = -1};
}

// Lines go out through base/text; the ends of lines and tabs stay what they are.
static int show(struct restore_stream *s, bool all, struct error *err)
{
	struct buffer out AUTO_RELEASE_BUFFER = {0};
	size_t at = 0;

	while (at < s->line.length) {
		const char *from = s->line.bytes + at;
		size_t left = s->line.length - at, length = 0;

		while (length < left && from[length] != '\n' && from[length] != '\t')
			length++;
		if (length == left && !all && left < LINE_BYTES)
			break;
		text_terminal(&out, from, length);
		if (length < left)
			buffer_add_byte(&out, from[length++]);
		at += length;
	}
	s->line.length -= at;
	memmove(s->line.bytes, s->line.bytes + at, s->line.length);
	if (buffer_check(&out, err) < 0)
		return -1;
	return fileio_write_fd(s->fd, buffer_string(&out), out.length, s->name, err);
}

static int put(struct restore_stream *s, const uint8_t *bytes, size_t length, struct error *err)
{
	if (s->visible) {
		buffer_add(&s->line, bytes, length);
		return buffer_check(&s->line, err) < 0 ? -1 : show(s, false, err);
	}
	return fileio_write_fd(s->fd, bytes, length, s->name, err);
}

static int hash(struct restore_stream *s, const uint8_t *bytes, size_t length, struct error *err)
{
	return EVP_DigestUpdate(s->digest, bytes, length) == 1 ? 0 : error_set(err, "%s: cannot compute the digest", s->name);
}

// Zeros up to `to`: a hole where that is possible.
static int fill(struct restore_stream *s, uint64_t to, struct error *err)
{
	if (s->seekable && to > s->at && lseek(s->fd, (off_t)to, SEEK_SET) < 0)
		return error_set_errno(err, errno, "%s: cannot reach byte %" PRIu64, s->name, to);
	while (s->at < to) {
		size_t step = to - s->at < sizeof(zeros) ? (size_t)(to - s->at) : sizeof(zeros);

		if (hash(s, zeros, step, err) < 0 || (!s->seekable && put(s, zeros, step, err) < 0))
			return -1;
		s->at += step;
	}
	return 0;
}

int restore_stream_add(struct restore_stream *s, uint64_t offset, const uint8_t *bytes, size_t length, struct error *err)
{
	if (offset < s->at || offset > s->size || length > s->size - offset)
		return error_set(err, "%s: the answer has content out of order or beyond the end of the file", s->name);
	if (s->size > INT64_MAX)
		return error_set(err, "%s: %" PRIu64 " bytes are more than a file can have", s->name, s->size);
	if (fill(s, offset, err) < 0 || hash(s, bytes, length, err) < 0 || put(s, bytes, length, err) < 0)
		return -1;
	s->at += length;
	return 0;
}

int restore_stream_finish(struct restore_stream *s, char ret_sha256[65], struct error *err)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned digest_length = 0;

	if (s->size > INT64_MAX)
		return error_set(err, "%s: %" PRIu64 " bytes are more than a file can have", s->name, s->size);
	if (fill(s, s->size, err) < 0 || (s->visible && show(s, true, err) < 0))
		return -1;
	if (s->seekable && (ftruncate(s->fd, (off_t)s->size) < 0 || lseek(s->fd, 0, SEEK_END) < 0))
		return error_set_errno(err, errno, "%s: cannot make it %" PRIu64 " bytes long", s->name, s->size);
	if (EVP_DigestFinal_ex(s->digest, digest, &digest_length) != 1 || digest_length != 32)
		return error_set(err, "%s: cannot compute the digest", s->name);
	for (unsigned i = 0; i < digest_length; i++)
		(void)snprintf(ret_sha256 + 2 * i, 3, "%02x", digest[i]);
	return 0;
}
