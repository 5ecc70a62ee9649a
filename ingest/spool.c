// SPDX-License-Identifier: MIT
// One pump for all storages: input step -> decoder -> output step -> sink.
//
// gzip files may hold several members and zstd files several frames, one after another (logrotate and pigz write such); zeros
// behind the last gzip member are padding. A file that is cut or damaged gives what could be decoded before that point.
#include "ingest/spool.h"

#include "base/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>
#include <zlib.h>
#include <zstd.h>

#define STEP_BYTES ((size_t)1 << 18)
#define ZSTD_WINDOW_LOG 25                       /* 32 MiB: more would let a log choose our memory; zstd -19 needs 8 MiB */
#define FREE_CHECK_BYTES ((uint64_t)256 << 20)   /* look at the free space that often */
#define FREE_KEEP_BYTES ((uint64_t)256 << 20)    /* and leave that much to others */

enum pump_state { PUMP_GOES_ON, PUMP_DAMAGED, PUMP_FULL };

struct pump {
	const char *name;
	enum log_storage storage;
	// where the input comes from
	int fd;
	bool positioned;                 // pread from `offset`, else read
	uint64_t offset;
	const unsigned char *head;       // bytes taken before
	size_t head_length;
	bool ended;
	unsigned char *input;
	size_t input_length, input_used;
	// decoder
	z_stream gzip;
	bool gzip_open, member_open;     // inside a gzip member or zstd frame: the end of input is damage
	ZSTD_DStream *zstd;
	// where the text goes
	int out_fd;                      // or -1
	char *memory;
	size_t memory_size;
	unsigned char *output;
	struct spool_end end;
};

enum log_storage spool_storage(const unsigned char *bytes, size_t length)
{
	// RFC 1952 2.3.1; RFC 8878 3.1.1: frame, and skippable frame 0x184D2A5?.
	if (length >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b)
		return LOG_GZIP;
	if (length >= 4 && memcmp(bytes, "\x28\xb5\x2f\xfd", 4) == 0)
		return LOG_ZSTD;
	if (length >= 4 && (bytes[0] & 0xf0) == 0x50 && memcmp(bytes + 1, "\x2a\x4d\x18", 3) == 0)
		return LOG_ZSTD;
	return LOG_PLAIN;
}

static int pump_fill(struct pump *p, struct error *err)
{
	if (p->input_used < p->input_length || p->ended)
		return 0;
	p->input_used = p->input_length = 0;
	if (p->head_length > 0) {
		size_t n = p->head_length < STEP_BYTES ? p->head_length : STEP_BYTES;

		memcpy(p->input, p->head, n);
		p->head += n;
		p->head_length -= n;
		p->input_length = n;
		return 0;
	}
	for (;;) {
		ssize_t got = p->positioned ? pread(p->fd, p->input, STEP_BYTES, (off_t)p->offset) : read(p->fd, p->input, STEP_BYTES);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set_errno(err, errno, "%s: cannot read", p->name);
		p->offset += (uint64_t)got;
		p->input_length = (size_t)got;
		p->ended = got == 0;
		return 0;
	}
}

// A disk that is filled to the last byte by a log that somebody chose would hurt more than a log that is not read.
static int check_space(struct pump *p, size_t length, struct error *err)
{
	struct statvfs space;

	if (p->end.text_bytes / FREE_CHECK_BYTES == (p->end.text_bytes + length) / FREE_CHECK_BYTES)
		return 0;
	if (fstatvfs(p->out_fd, &space) == 0 && (uint64_t)space.f_bavail * space.f_frsize < FREE_KEEP_BYTES)
		return error_set(err, "%s: its text needs more temporary space than there is (TMPDIR chooses another place)", p->name);
	return 0;
}

static int pump_put(struct pump *p, const void *bytes, size_t length, enum pump_state *state, struct error *err)
{
	if (p->out_fd >= 0) {
		if (check_space(p, length, err) < 0 || fileio_write_fd(p->out_fd, bytes, length, "temporary file", err) < 0)
			return -1;
		p->end.text_bytes += length;
		return 0;
	}
	size_t room = p->memory_size - (size_t)p->end.text_bytes;
	size_t n = length < room ? length : room;

	memcpy(p->memory + p->end.text_bytes, bytes, n);
	p->end.text_bytes += n;
	if (p->end.text_bytes == p->memory_size)
		*state = PUMP_FULL;
	return 0;
}

static int damaged(struct pump *p, const char *why, enum pump_state *state)
{
	p->end.damage = why;
	*state = PUMP_DAMAGED;
	return 0;
}

static int step_plain(struct pump *p, enum pump_state *state, struct error *err)
{
	size_t n = p->input_length - p->input_used;
	const unsigned char *bytes = p->input + p->input_used;

	p->input_used = p->input_length;
	return pump_put(p, bytes, n, state, err);
}

// Behind a member: another one begins, or zeros pad the file. Anything else is not ours to guess.
static int between_members(struct pump *p, enum pump_state *state)
{
	while (p->input_used < p->input_length && p->input[p->input_used] == 0)
		p->input_used++;
	if (p->input_used == p->input_length)
		return 0;
	if (p->input[p->input_used] != 0x1f)
		return damaged(p, "bytes that are not gzip data follow its compressed data", state);
	if (inflateReset(&p->gzip) != Z_OK)
		return damaged(p, "gzip decoder failed", state);
	p->member_open = true;
	return 0;
}

static int step_gzip(struct pump *p, enum pump_state *state, struct error *err)
{
	if (!p->member_open) {
		if (between_members(p, state) < 0 || !p->member_open)
			return 0;
	}
	int result;

	p->gzip.next_in = p->input + p->input_used;
	p->gzip.avail_in = (uInt)(p->input_length - p->input_used);
	do { // until the decoder holds nothing back: the input may be at its end
		p->gzip.next_out = p->output;
		p->gzip.avail_out = (uInt)STEP_BYTES;
		result = inflate(&p->gzip, Z_NO_FLUSH);
		if (pump_put(p, p->output, STEP_BYTES - p->gzip.avail_out, state, err) < 0)
			return -1;
	} while (result == Z_OK && p->gzip.avail_out == 0 && *state == PUMP_GOES_ON);
	p->input_used = p->input_length - p->gzip.avail_in;
	if (*state == PUMP_FULL)
		return 0;
	if (result == Z_STREAM_END)
		p->member_open = false;
	else if (result == Z_MEM_ERROR)
		return error_set(err, "out of memory");
	else if (result != Z_OK && result != Z_BUF_ERROR)
		return damaged(p, "damaged gzip data", state);
	return 0;
}

static int step_zstd(struct pump *p, enum pump_state *state, struct error *err)
{
	ZSTD_inBuffer in = { p->input, p->input_length, p->input_used };
	size_t result;
	bool full;

	do { // as above
		ZSTD_outBuffer out = { p->output, STEP_BYTES, 0 };

		result = ZSTD_decompressStream(p->zstd, &out, &in);
		if (pump_put(p, p->output, out.pos, state, err) < 0)
			return -1;
		full = out.pos == out.size;
	} while (full && !ZSTD_isError(result) && *state == PUMP_GOES_ON);
	p->input_used = in.pos;
	if (*state == PUMP_FULL)
		return 0;
	// The library's texts are constants: "Data corruption detected", "Frame requires too much memory for decoding".
	if (ZSTD_isError(result))
		return damaged(p, ZSTD_getErrorName(result), state);
	p->member_open = result != 0;
	return 0;
}

static int pump_open(struct pump *p, struct error *err)
{
	p->input = malloc(STEP_BYTES);
	p->output = p->storage == LOG_PLAIN ? NULL : malloc(STEP_BYTES);
	if (!p->input || (p->storage != LOG_PLAIN && !p->output))
		return error_set(err, "out of memory");
	if (p->storage == LOG_GZIP) {
		// 15 + 16: the largest window, gzip header and trailer (zlib.h, inflateInit2).
		if (inflateInit2(&p->gzip, 15 + 16) != Z_OK)
			return error_set(err, "out of memory");
		p->gzip_open = true;
		p->member_open = true;
	}
	if (p->storage == LOG_ZSTD) {
		p->zstd = ZSTD_createDStream();
		if (!p->zstd || ZSTD_isError(ZSTD_DCtx_setParameter(p->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG)))
			return error_set(err, "out of memory");
		p->member_open = true;
	}
	return 0;
}

static void pump_close(struct pump *p)
{
	if (p->gzip_open)
		(void)inflateEnd(&p->gzip);
	(void)ZSTD_freeDStream(p->zstd);
	free(p->input);
	free(p->output);
}

static int pump_run(struct pump *p, struct error *err)
{
	enum pump_state state = PUMP_GOES_ON;

	while (state == PUMP_GOES_ON) {
		if (pump_fill(p, err) < 0)
			return -1;
		if (p->ended)
			break;
		int result = p->storage == LOG_GZIP ? step_gzip(p, &state, err) :
			     p->storage == LOG_ZSTD ? step_zstd(p, &state, err) : step_plain(p, &state, err);

		if (result < 0)
			return -1;
	}
	// What the decoder still holds when the input is at its end comes out with empty input; a frame that is still open was cut.
	if (state == PUMP_GOES_ON && p->storage != LOG_PLAIN && p->member_open)
		p->end.damage = "compressed data ends early";
	return 0;
}

int spool_head(int fd, enum log_storage storage, const char *name, char *bytes, size_t size, size_t *ret_length, struct error *err)
{
	struct pump p = { .name = name, .storage = storage, .fd = fd, .positioned = true,
			  .out_fd = -1, .memory = bytes, .memory_size = size };
	int result = pump_open(&p, err);

	if (result == 0)
		result = pump_run(&p, err);
	pump_close(&p);
	if (result == 0)
		*ret_length = (size_t)p.end.text_bytes;
	return result;
}

int spool_copy(int fd, const unsigned char *head, size_t head_length, enum log_storage storage, const char *name, int out_fd,
	       struct spool_end *ret, struct error *err)
{
	struct pump p = { .name = name, .storage = storage, .fd = fd, .head = head, .head_length = head_length, .out_fd = out_fd };
	int result = pump_open(&p, err);

	if (result == 0)
		result = pump_run(&p, err);
	pump_close(&p);
	if (result == 0)
		*ret = p.end;
	return result;
}
