// SPDX-License-Identifier: MIT
// io_uring: a file is created and removed, and no audit rule of a system call sees it. The truth is that nothing is seen; the
// set-up of the ring is, and completeness counts it.
#include "truth.h"

#include <linux/io_uring.h>
#include <sys/mman.h>

struct ring {
	int fd;
	struct io_uring_params params;
	char *submission;
	struct io_uring_sqe *entries;
	char *completion;
};

static void ring_open(struct ring *r)
{
	memset(r, 0, sizeof(*r));
	r->fd = (int)syscall(SYS_io_uring_setup, 4, &r->params);
	if (r->fd < 0)
		skip("io_uring_setup");
	size_t length = r->params.sq_off.array + r->params.sq_entries * sizeof(uint32_t);
	r->submission = TRY(mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_SQ_RING));
	r->entries = TRY(mmap(NULL, r->params.sq_entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE, MAP_SHARED, r->fd,
			      IORING_OFF_SQES));
	length = r->params.cq_off.cqes + r->params.cq_entries * sizeof(struct io_uring_cqe);
	r->completion = TRY(mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_CQ_RING));
}

// One request, and its result.
static int ring_do(struct ring *r, struct io_uring_sqe entry)
{
	uint32_t *tail = (uint32_t *)(void *)(r->submission + r->params.sq_off.tail);
	uint32_t *array = (uint32_t *)(void *)(r->submission + r->params.sq_off.array);
	uint32_t *head = (uint32_t *)(void *)(r->completion + r->params.cq_off.head);
	struct io_uring_cqe *done = (struct io_uring_cqe *)(void *)(r->completion + r->params.cq_off.cqes);
	uint32_t slot = *tail & (r->params.sq_entries - 1);

	r->entries[slot] = entry;
	array[slot] = slot;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	TRY(syscall(SYS_io_uring_enter, r->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0));
	int result = done[*head & (r->params.cq_entries - 1)].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	errno = result < 0 ? -result : 0;
	return result < 0 ? -1 : result;
}

int main(void)
{
	struct ring ring;

	ring_open(&ring);
	int fd = TRY(ring_do(&ring, (struct io_uring_sqe){
		.opcode = IORING_OP_OPENAT,
		.fd = AT_FDCWD,
		.addr = (uintptr_t)"unseen",
		.len = 0644,
		.open_flags = O_WRONLY | O_CREAT,
	}));
	truth("no-edge * %s %s", self(), file_fd(fd));
	TRY(ring_do(&ring, (struct io_uring_sqe){ .opcode = IORING_OP_UNLINKAT, .fd = AT_FDCWD, .addr = (uintptr_t)"unseen" }));
	truth("io-uring-setups 1");
	int seen = make_file("seen", "x");
	truth("edge create %s %s observed", self(), file_fd(seen));
	return 0;
}
