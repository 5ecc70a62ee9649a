// SPDX-License-Identifier: MIT
// Ways into the kernel: a BPF program, a mount in a namespace of its own.
#include "truth.h"

#include <linux/bpf.h>
#include <sys/mount.h>

int main(void)
{
	static const struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
		.insns = (uintptr_t)program,
		.insn_cnt = 2,
		.license = (uintptr_t)"GPL",
	};
	pid_t loader = TRY(fork());
	if (loader == 0) {
		TRY(syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load)));
		_exit(0);
	}
	wait_for(loader);
	pid_t mounter = TRY(fork());
	if (mounter == 0) {
		TRY(unshare(CLONE_NEWNS));
		TRY(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
		TRY(mkdir("here", 0755));
		TRY(mount("none", "here", "tmpfs", 0, NULL));
		_exit(0);
	}
	wait_for(mounter);
	truth("edge kernel %s kernel observed", process(loader));
	truth("edge kernel %s kernel observed", process(mounter));
	return 0;
}
