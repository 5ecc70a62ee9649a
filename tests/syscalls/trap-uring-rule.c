// SPDX-License-Identifier: MIT
// Loads (or, with an argument, removes) the rule `-a always,io_uring -S openat,unlinkat`, which auditctl 3.0.9 refuses as a bad keyword,
// through netlink. Run by record-traps.sh around io-uring; without the rule io_uring leaves no record.
#include "truth.h"

#include <linux/audit.h>
#include <linux/io_uring.h>
#include <linux/netlink.h>

#ifndef AUDIT_FILTER_URING_EXIT
#define AUDIT_FILTER_URING_EXIT 0x07 /* linux/audit.h since 5.16 */
#endif

int main(int argc, char **argv)
{
	struct {
		struct nlmsghdr header;
		struct audit_rule_data rule;
	} message = {
		.header = {
			.nlmsg_len = NLMSG_LENGTH(sizeof(struct audit_rule_data)),
			.nlmsg_type = argc > 1 ? AUDIT_DEL_RULE : AUDIT_ADD_RULE,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		},
		.rule = {
			.flags = AUDIT_FILTER_URING_EXIT,
			.action = AUDIT_ALWAYS,
		},
	};
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[4096];
	} answer;
	int fd = TRY(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT));

	(void)argv;
	message.rule.mask[AUDIT_WORD(IORING_OP_OPENAT)] |= AUDIT_BIT(IORING_OP_OPENAT);
	message.rule.mask[AUDIT_WORD(IORING_OP_UNLINKAT)] |= AUDIT_BIT(IORING_OP_UNLINKAT);
	TRY(sendto(fd, &message, message.header.nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel)));
	TRY(recv(fd, &answer, sizeof(answer), 0));
	errno = -answer.error.error;
	if (errno)
		skip("this kernel takes no io_uring rule");
	return 0;
}
