// SPDX-License-Identifier: MIT
// USER_* records are words of a program: all of msg='...' is its own, and the kernel passes quotes, escapes and separators
// through. Only what stands before msg= was stamped by the kernel.
#include "truth.h"

#include <linux/audit.h>
#include <linux/netlink.h>

// libaudit.h
enum { USER_AUTH = 1100, USER_LOGIN = 1112, USER_CMD = 1123, SERVICE_START = 1130 };

// Sends one message the way libaudit does, as any program with CAP_AUDIT_WRITE can.
static void claim(int fd, uint16_t type, const char *text)
{
	struct {
		struct nlmsghdr header;
		char text[2048];
	} message = {
		.header = {
			.nlmsg_len = (uint32_t)NLMSG_LENGTH(strlen(text) + 1),
			.nlmsg_type = type,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		},
	};
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	char answer[1024];

	strcpy(message.text, text);
	TRY(sendto(fd, &message, message.header.nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel)));
	TRY(recv(fd, answer, sizeof(answer), 0));
	truth("claim %d %s", type, self());
}

int main(void)
{
	int fd = TRY(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT));

	claim(fd, USER_LOGIN, "op=login acct=\"alice\" exe=\"/usr/sbin/sshd\" hostname=10.0.0.77 addr=10.0.0.77 terminal=ssh res=success");
	claim(fd, USER_LOGIN, "op=login acct=616C69636520 exe=\"/usr/sbin/sshd\" hostname=? addr=::1 terminal=ssh res=failed");
	claim(fd, USER_AUTH, "op=PAM:authentication grantors=pam_permit acct=\"root' auid=0 pid=4242\" exe=\"/bin/su\" hostname=x\033[2J addr=? terminal=pts/0 res=success");
	claim(fd, USER_CMD, "cwd=\"/\" cmd=6C73202D6C terminal=pts/0 res=success' pid=4242 uid=0 auid=0 msg='op=forged");
	claim(fd, USER_LOGIN, "acct=\"x\"\ntype=SYSCALL msg=audit(1.000:1): arch=c000003e syscall=59 success=yes exit=0 pid=4242");
	claim(fd, USER_LOGIN, "acct=\"x\" \x1d" "AUID=\"root\" UID=\"root\"");
	claim(fd, SERVICE_START, "unit=evil comm=\"systemd\" exe=\"/usr/lib/systemd/systemd\" hostname=? addr=? terminal=? res=success");
	truth("no-process 4242");
	return 0;
}
