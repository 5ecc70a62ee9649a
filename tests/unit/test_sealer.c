// SPDX-License-Identifier: MIT
// The sealing thread from end to end: footers, tables, merges, compression; what a crash leaves; trouble that ends.
#include "snapshots/sealer.h"
#include "snapshots/segment_compress.h"
#include "snapshots/table_cover.h"
#include "tests/unit/make_segments.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <unistd.h>

#define DISK (UINT64_C(1) << 24)
static uint64_t state = 88172645463325252u;
static atomic_uint replaced, compressed, warned, failed;
static char last_warning[1024];

static uint64_t draw(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

static void on_replaced(void *context, const struct segment *segment)
{
	(void)context;
	atomic_fetch_add(segment->compressed ? &compressed : &replaced, 1);
}

static void on_warn(void *context, const char *message)
{
	(void)context;
	(void)snprintf(last_warning, sizeof(last_warning), "%s", message);
	atomic_fetch_add(&warned, 1);
}

static void on_failed(void *context, const struct error *why)
{
	(void)context;
	(void)why;
	atomic_fetch_add(&failed, 1);
}

static const struct sealer_hooks hooks = {.replaced = on_replaced, .warn = on_warn, .failed = on_failed};

// Contents of every kind: text that repeats, noise, zeros at the end, nothing but zeros, shorter than a sector, and one over a chunk.
static void add_records(struct maker *m, struct live *l, unsigned count)
{
	static uint8_t bytes[400000];
	struct error err = {{0}};

	for (unsigned i = 0; i < count; i++) {
		uint32_t length = (uint32_t)(i == 5 ? sizeof(bytes) : draw(4) == 0 ? 1 + draw(600) : 4096 * (1 + draw(8)));
		enum record_type type = i % 11 == 3 ? RECORD_TRIM : i % 11 == 5 && i != 5 ? RECORD_ZERO : i % 11 == 7 ? RECORD_FLUSH : RECORD_WRITE;
		uint32_t kind = (uint32_t)draw(3);
		for (uint32_t j = 0; j < length; j++)
			bytes[j] = (uint8_t)(kind == 0 ? draw(256) : kind == 1 ? (uint64_t)"the same words "[j % 15] : 0);
		memset(bytes + length - length / 5, 0, length / 5);
		bool touches = type != RECORD_FLUSH;
		uint64_t offset = draw(DISK - length);
		uint64_t seq = maker_add(m, type, touches ? offset : 0, touches ? length : 0, type == RECORD_WRITE ? bytes : NULL);
		if (touches && l)
			CHECK(live_note(l, m->segment.number, seq, (uint8_t)type, offset, length, &err) == 0);
	}
}

static void segment_path(char *path, size_t size, uint64_t number)
{
	(void)snprintf(path, size, "h/segments/%08llu.segment", (unsigned long long)number);
}

static struct segment opened(uint64_t number)
{
	struct error err = {{0}};
	struct segment s = {.fd = -1};
	char path[128];

	segment_path(path, sizeof(path), number);
	int fd = open(path, O_RDONLY);
	CHECK(fd >= 0);
	if (segment_open(&s, fd, path, &err) < 0)
		maker_fail(path, &err);
	return s;
}

// What somebody who signs a segment would hash: identity and uncompressed content of each record.
static void hash_segment(uint64_t number, unsigned char digest[32])
{
	static uint8_t bytes[400000];
	struct segment s = opened(number);
	struct error err = {{0}};
	EVP_MD_CTX *hash = EVP_MD_CTX_new();

	CHECK(EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1);
	for (uint64_t i = 0; i < s.record_count; i++) {
		struct segment_row row;
		struct record r;
		uint8_t identity[RECORD_IDENTITY_BYTES];
		CHECK(segment_read_rows(&s, i, 1, &row, "s", &err) == 0);
		CHECK(segment_read_record(&s, &row, &r, "s", &err) == 0);
		record_identity(&r, identity);
		CHECK(EVP_DigestUpdate(hash, identity, sizeof(identity)) == 1);
		if (r.type == RECORD_WRITE) {
			CHECK(segment_read_content(&s, &row, 0, bytes, (size_t)r.length_bytes, "s", &err) == 0);
			CHECK(EVP_DigestUpdate(hash, bytes, (size_t)r.length_bytes) == 1);
		}
	}
	CHECK(EVP_DigestFinal_ex(hash, digest, NULL) == 1);
	EVP_MD_CTX_free(hash);
	segment_release(&s);
}

static bool is_sound(uint64_t number, bool should_be_compressed)
{
	struct segment s = opened(number);
	struct segment_verdict verdict = {0};
	struct error err = {{0}};

	CHECK(segment_verify(&s, "s", &verdict, &err) == 0);
	bool sound = !verdict.damaged && s.sealed && s.compressed == should_be_compressed;
	if (verdict.damaged)
		fprintf(stderr, "%s\n", verdict.damage.message);
	segment_release(&s);
	return sound;
}

static off_t size_of(uint64_t number)
{
	struct stat status;
	char path[128];

	segment_path(path, sizeof(path), number);
	CHECK(stat(path, &status) == 0);
	return status.st_size;
}

static unsigned tables(void)
{
	DIR *folder = opendir("h/index");
	unsigned count = 0;

	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		unsigned level;
		uint64_t first;
		bool table = table_parse_name(entry->d_name, &level, &first);
		CHECK(table || entry->d_name[0] == '.');
		CHECK(strncmp(entry->d_name, TABLE_TEMPORARY_PREFIX, strlen(TABLE_TEMPORARY_PREFIX)) != 0);
		count += table;
	}
	if (folder)
		(void)closedir(folder);
	return count;
}

static struct live *open_live(void)
{
	struct error err = {{0}};
	struct live *l = NULL;

	if (live_open("h", DISK, &l, &err) < 0)
		maker_fail("live", &err);
	return l;
}

static struct sealer *start(struct live *l, enum writer_compress compress)
{
	struct error err = {{0}};
	struct sealer *s = NULL;

	if (sealer_start("h", made_uuid, l, compress, &hooks, &s, &err) < 0)
		maker_fail("sealer", &err);
	return s;
}

static void push(struct maker *m, struct sealer *s)
{
	struct error err = {{0}};

	maker_flush(m);
	struct segment full = m->segment;
	CHECK(sealer_push(s, &full, &err) == 0);
}

static void run_all(void)
{
	struct maker m = {.folder = "h"};
	unsigned char before[18][32], after[32];
	uint64_t compressed_at_first = 0;

	maker_folder("h");
	struct live *l = open_live();
	struct sealer *s = start(l, WRITER_COMPRESS_COLD);
	for (uint64_t n = 1; n <= 17; n++) {
		maker_begin(&m, n);
		add_records(&m, l, n == 4 ? 0 : 40);
		sealer_note_activity(s);
		push(&m, s);
	}
	CHECK(sealer_wait(s, 60000));
	CHECK_EQUAL(live_waiting(l), 0);
	CHECK_EQUAL(live_sealed_count(l), 17);
	CHECK_EQUAL(atomic_load(&replaced), 17);
	CHECK_EQUAL(atomic_load(&compressed), 9); // with eight newer ones sealed; no calm yet
	CHECK_EQUAL(tables(), 17 + 4 + 1);
	for (uint64_t n = 1; n <= 17; n++) {
		CHECK(is_sound(n, n <= 9));
		hash_segment(n, before[n]);
		compressed_at_first += n <= 9 ? (uint64_t)size_of(n) : 0;
	}
	sealer_stop(s);
	live_free(l);

	// The same bytes again, without compression, have the same identities.
	CHECK(rename("h", "compressed") == 0);
	maker_folder("h");
	struct maker again = {.folder = "h"};
	state = 88172645463325252u;
	uint64_t raw = 0;
	for (uint64_t n = 1; n <= 17; n++) {
		maker_begin(&again, n);
		add_records(&again, NULL, n == 4 ? 0 : 40);
		maker_seal(&again);
		hash_segment(n, after);
		CHECK(memcmp(before[n], after, 32) == 0);
		raw += n <= 9 ? (uint64_t)size_of(n) : 0;
	}
	CHECK(compressed_at_first < raw * 3 / 4);
	// A history that was never indexed, with the remains of a crash: all at once, and all compressed.
	int fd = open("h/index/" TABLE_TEMPORARY_PREFIX "abcdef", O_CREAT | O_WRONLY, 0600);
	CHECK(fd >= 0 && close(fd) == 0);
	l = open_live();
	s = start(l, WRITER_COMPRESS_NOW);
	CHECK(sealer_wait(s, 60000));
	CHECK_EQUAL(tables(), 17 + 4 + 1);
	for (uint64_t n = 1; n <= 17; n++) {
		CHECK(is_sound(n, true));
		hash_segment(n, after);
		CHECK(memcmp(before[n], after, 32) == 0);
	}
	sealer_stop(s);
	live_free(l);
	buffer_release(&m.output);
	buffer_release(&again.output);
}

// A damaged record is told, and never gets a new checksum by being compressed.
static void run_damage(void)
{
	struct maker m = {.folder = "h"};
	struct segment ret;
	struct error err = {{0}};
	char path[128];
	uint8_t byte;

	CHECK(system("rm -rf h") == 0);
	maker_folder("h");
	maker_begin(&m, 1);
	add_records(&m, NULL, 40);
	maker_seal(&m);
	segment_path(path, sizeof(path), 1);
	int fd = open(path, O_RDWR);
	CHECK(pread(fd, &byte, 1, 5000) == 1);
	byte ^= 1;
	CHECK(pwrite(fd, &byte, 1, 5000) == 1);
	CHECK(segment_compress("h", 1, NULL, NULL, &ret, &err) == -1);
	CHECK(strstr(err.message, "byte ") != NULL);
	CHECK_EQUAL(tables(), 0); // and nothing half-made is left
	byte ^= 1;
	CHECK(pwrite(fd, &byte, 1, 5000) == 1);
	CHECK(close(fd) == 0);
	CHECK(segment_compress("h", 1, NULL, NULL, &ret, &err) == 0);
	segment_release(&ret);
	CHECK(is_sound(1, true));
	CHECK(segment_compress("h", 1, NULL, NULL, &ret, &err) == 1); // once is enough
	CHECK(segment_compress("h", 2, NULL, NULL, &ret, &err) == -1);
	buffer_release(&m.output);
}

// No footer can be written for a while (a limit on the size of files stands for a full disk).
static void run_full(void)
{
	struct maker m = {.folder = "h"};
	struct rlimit before, small;

	CHECK(system("rm -rf h") == 0);
	maker_folder("h");
	struct live *l = open_live();
	struct sealer *s = start(l, WRITER_COMPRESS_NEVER);
	maker_begin(&m, 1);
	add_records(&m, l, 20);
	maker_flush(&m);
	(void)signal(SIGXFSZ, SIG_IGN);
	CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
	small = before;
	small.rlim_cur = (rlim_t)m.segment.records_end + 100; // a part of the request table
	CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
	atomic_store(&warned, 0);
	push(&m, s);
	for (unsigned i = 0; i < 300 && atomic_load(&warned) == 0; i++)
		(void)usleep(10000);
	(void)usleep(400000); // another try
	CHECK_EQUAL(atomic_load(&warned), 1);
	CHECK(strstr(last_warning, "a full segment cannot be sealed yet: ") != NULL);
	CHECK_EQUAL(live_sealed_count(l), 0);
	CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
	for (unsigned i = 0; i < 600 && live_waiting(l) > 0; i++)
		(void)usleep(10000);
	CHECK_EQUAL(live_waiting(l), 0);
	CHECK_EQUAL(atomic_load(&warned), 1);
	CHECK_EQUAL(atomic_load(&failed), 0);
	CHECK(is_sound(1, false));
	sealer_stop(s);
	live_free(l);
	buffer_release(&m.output);
}

// The index cannot be written for a while: told once, and it is there in the end.
static void run_trouble(void)
{
	struct maker m = {.folder = "h"};

	CHECK(system("rm -rf h") == 0);
	maker_folder("h");
	struct live *l = open_live();
	struct sealer *s = start(l, WRITER_COMPRESS_NEVER);
	CHECK(rmdir("h/index") == 0);
	int fd = open("h/index", O_CREAT | O_WRONLY, 0600); // a file where a folder belongs
	CHECK(fd >= 0 && close(fd) == 0);
	atomic_store(&warned, 0);
	for (uint64_t n = 1; n <= 3; n++) {
		maker_begin(&m, n);
		add_records(&m, l, 20);
		push(&m, s);
	}
	CHECK(sealer_wait(s, 60000));
	CHECK_EQUAL(atomic_load(&warned), 1);
	CHECK(strstr(last_warning, "the index cannot be written yet: ") != NULL);
	CHECK(live_waiting(l) >= 3);
	CHECK(unlink("h/index") == 0);
	for (unsigned i = 0; i < 200 && live_waiting(l) > 0; i++)
		(void)usleep(100000);
	CHECK_EQUAL(live_waiting(l), 0);
	CHECK_EQUAL(atomic_load(&warned), 1);
	CHECK_EQUAL(tables(), 3);

	// Ends soon, also with work in the queue; what was not sealed is whole all the same.
	for (uint64_t n = 4; n <= 9; n++) {
		maker_begin(&m, n);
		add_records(&m, l, 20);
		push(&m, s);
	}
	sealer_stop(s);
	sealer_stop(NULL);
	live_free(l);
	for (uint64_t n = 4; n <= 9; n++) {
		struct segment segment = opened(n);
		enum segment_end end;
		struct error err = {{0}};
		if (!segment.sealed) {
			CHECK(segment_scan(&segment, "s", &end, NULL, &err) == 0);
			CHECK_EQUAL(end, SEGMENT_END_CLEAN);
		}
		CHECK_EQUAL(segment.record_count, 20);
		segment_release(&segment);
	}
	CHECK_EQUAL(atomic_load(&failed), 0);
	buffer_release(&m.output);
}

int main(void)
{
	run_all();
	run_damage();
	run_full();
	run_trouble();
	return unit_end();
}
