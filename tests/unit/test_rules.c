// SPDX-License-Identifier: MIT
#include "ingest/rules.h"

#include "base/fileio.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

static const struct rule_group *group_of(const char *key)
{
	for (size_t i = 0; i < rules_group_count(); i++)
		if (strcmp(rules_group(i)->key, key) == 0)
			return rules_group(i);
	return NULL;
}

static const struct rules_finding *finding(const struct rules_judgement *j, const char *key, const char *name, bool b32)
{
	for (size_t i = 0; i < j->findings.count; i++)
		if (j->findings.items[i].group == group_of(key) && strcmp(j->findings.items[i].syscall, name) == 0 &&
		    j->findings.items[i].b32 == b32)
			return &j->findings.items[i];
	return NULL;
}

static struct rules_judgement judge(const char *text)
{
	struct rules_judgement j = {0};

	CHECK(rules_judge(text, strlen(text), &j, NULL) == 0);
	return j;
}

// What `text` makes of one call of one group, for 64-bit programs.
static void check_coverage(int line, const char *text, const char *key, const char *name, enum rules_coverage want, const char *why)
{
	struct rules_judgement j = judge(text);
	const struct rules_finding *f = finding(&j, key, name, false);

	unit_checks++;
	if (!f || f->coverage != want || !strstr(f->why, why)) {
		unit_failures++;
		fprintf(stderr, "%s:%d: %s of \"%s\": %s (%s), expected %s (%s)\n", __FILE__, line, name, text,
			f ? rules_coverage_name(f->coverage) : "none", f ? f->why : "", rules_coverage_name(want), why);
	}
	rules_judgement_release(&j);
}
#define CHECK_COVERAGE(...) check_coverage(__LINE__, __VA_ARGS__)

static void test_file_is_the_table(const char *source)
{
	char path[4096];
	struct buffer file = {0}, table = {0};
	struct error err = {0};

	snprintf(path, sizeof(path), "%s/samples/provgraph.rules", source);
	CHECK(fileio_read(&file, path, 1 << 20, &err) == 0);
	CHECK_STRING(err.message, "");
	rules_write(&table);
	CHECK_EQUAL(table.length, file.length);
	CHECK_STRING(buffer_string(&table), buffer_string(&file));
	buffer_release(&file);
	buffer_release(&table);
}

static void test_lookups(void)
{
	const struct rule_group *group = NULL;

	CHECK_STRING(rules_line_for("connect", false, &group), "-a always,exit -F arch=b64 -S connect -k provgraph_connect");
	CHECK(group == group_of("provgraph_connect"));
	CHECK(strstr(rules_line_for("chown32", true, NULL), "arch=b32"));
	CHECK(!rules_line_for("chown32", false, NULL));
	CHECK(!rules_line_for("accept", true, NULL)); // i386 has none: auditctl would refuse the line
	CHECK(!rules_line_for("write", false, NULL));
	CHECK(!rules_line_for("chow", false, NULL));
	CHECK(!rules_line_for("", false, NULL));
	CHECK(strstr(rules_line_for("clone3", false, NULL), "always")); // not the never line
	CHECK(rules_group_for_op(OP_MEMFD) == group_of("provgraph_memfd"));
	CHECK(rules_group_for_op(OP_WRITE) == NULL);
	CHECK(rules_group(rules_group_count()) == NULL);

	uint64_t events[OP_COUNT] = {0};
	CHECK(!rules_group_seen(group_of("provgraph_name"), events));
	events[OP_UNLINK] = 1;
	CHECK(rules_group_seen(group_of("provgraph_name"), events));
	CHECK(!rules_group_seen(group_of("provgraph_connect"), events));
}

// The table against itself: everything is covered, and in any other order of -F and -S too.
static void test_own_rules(void)
{
	struct buffer table = {0};

	rules_write(&table);
	struct rules_judgement j = judge(buffer_string(&table));
	for (size_t i = 0; i < rules_group_count(); i++) {
		const char *why;
		CHECK_EQUAL(rules_judged(&j, rules_group(i), &why), RULES_COVERED);
		CHECK_STRING(why, "");
	}
	CHECK_EQUAL(j.not_understood, 0);
	CHECK(!j.excludes_needed_records);
	CHECK(j.findings.count > 150);
	for (size_t i = 0; i < j.findings.count; i++)
		if (j.findings.items[i].coverage != RULES_COVERED)
			fprintf(stderr, "%s %d: %s\n", j.findings.items[i].syscall, j.findings.items[i].b32, j.findings.items[i].why);
	rules_judgement_release(&j);
	buffer_release(&table);
}

// As `auditctl -l` of 3.0.9 prints them: other order of calls, hexadecimal values, -F key=, -1, names for numbers.
static void test_loaded_form(void)
{
	CHECK_COVERAGE("-a always,exit -F arch=b64 -S chmod,fchmod,chown,452 -F success=1 -F key=x", "provgraph_attribute", "fchmodat2",
		       RULES_COVERED, "");
	CHECK_COVERAGE("-a always,exit -F arch=b64 -S 59 -S 322", "provgraph_exec", "execve", RULES_COVERED, "");
	CHECK_COVERAGE("-a always,exit -F arch=b64 -S bpf -F a0=0x5 -F key=x", "provgraph_kernel", "bpf", RULES_COVERED, "");
	CHECK_COVERAGE("-a always,exit -F arch=b64 -S kill -F a1!=0x0 -F success!=0", "provgraph_signal", "kill", RULES_COVERED, "");
	CHECK_COVERAGE("-a exit,always -S execve", "provgraph_exec", "execve", RULES_COVERED, "");
	CHECK_COVERAGE("-A always,exit -S all", "provgraph_mount", "mount", RULES_COVERED, "");
	CHECK_COVERAGE("-a always,exit", "provgraph_mount", "mount", RULES_COVERED, "");
	CHECK_COVERAGE("No rules\n", "provgraph_exec", "execve", RULES_BLIND, "no rule for execve");
	struct rules_judgement j = judge("-a always,exit -F arch=b32 -S init_module,sys_kexec_load -F key=x\n");
	CHECK_EQUAL(finding(&j, "provgraph_kernel", "kexec_load", true)->coverage, RULES_COVERED);
	CHECK_EQUAL(finding(&j, "provgraph_kernel", "kexec_load", false)->coverage, RULES_BLIND);
	rules_judgement_release(&j);
}

static void test_filters(void)
{
	CHECK_COVERAGE("-a always,exit -F arch=b64 -S execve -F auid>=1000 -F auid!=unset -k e", "provgraph_exec", "execve", RULES_PARTLY,
		       "auid>=1000");
	CHECK_COVERAGE("-a always,exit -F arch=b64 -S connect -F success=1", "provgraph_connect", "connect", RULES_PARTLY, "EINPROGRESS");
	CHECK_COVERAGE("-a always,exit -F arch=b64 -S connect -F exe=/usr/bin/curl", "provgraph_connect", "connect", RULES_PARTLY, "curl");
	CHECK_COVERAGE("-a always,exit -F arch=b64 -S connect -C auid!=obj_uid", "provgraph_connect", "connect", RULES_PARTLY, "auid!=obj_uid");
	CHECK_COVERAGE("-a always,exit -F arch=b64 -S execve -F success=1", "provgraph_exec", "execve", RULES_COVERED, "");
	// Rules for refused opens, as many baselines have them, record no open that worked.
	CHECK_COVERAGE("-a always,exit -F arch=b64 -S openat -F exit=-EACCES -k access\n-a always,exit -F arch=b64 -S openat -F exit=-EPERM",
		       "provgraph_read", "openat", RULES_BLIND, "no rule for openat");
	CHECK_COVERAGE("-a always,exit -F arch=b64 -S openat -F a2&0x243 -F success=1", "provgraph_write", "openat", RULES_COVERED, "");
	CHECK_COVERAGE("-a always,exit -F arch=b64 -S openat -F a2&0x243 -F success=1", "provgraph_read", "openat", RULES_PARTLY, "a2&0x243");
	CHECK_COVERAGE("-a always,exit -F arch=b64 -S openat", "provgraph_read", "openat", RULES_COVERED, "");
	CHECK_COVERAGE("-a always,exit -F arch=b64 -S openat -F a2&0x3", "provgraph_write", "openat", RULES_PARTLY, "a2&0x3");
	CHECK_COVERAGE("-a always,exit -F arch=b32 -S openat", "provgraph_write", "openat", RULES_BLIND, "no rule");
	CHECK_COVERAGE("-w /etc/passwd -p wa -k identity", "provgraph_write", "openat", RULES_PARTLY, "/etc/passwd");
	CHECK_COVERAGE("-w /etc/passwd -p wa -k identity", "provgraph_read", "openat", RULES_BLIND, "no rule");
	CHECK_COVERAGE("-w /etc/passwd", "provgraph_read", "openat", RULES_PARTLY, "/etc/passwd");
	CHECK_COVERAGE("-w /etc/passwd", "provgraph_connect", "connect", RULES_BLIND, "no rule");
	CHECK_COVERAGE("-a always,exit -S all -F path=/etc/shadow -F perm=r -F key=x", "provgraph_read", "open", RULES_PARTLY, "/etc/shadow");
}

static void test_order(void)
{
	CHECK_COVERAGE("-a never,exit -F arch=b64 -S connect\n-a always,exit -F arch=b64 -S connect", "provgraph_connect", "connect",
		       RULES_BLIND, "never");
	CHECK_COVERAGE("-a always,exit -F arch=b64 -S connect\n-a never,exit -F arch=b64 -S connect", "provgraph_connect", "connect",
		       RULES_COVERED, "");
	CHECK_COVERAGE("-a never,exit -F auid=unset\n-a always,exit -F arch=b64 -S connect", "provgraph_connect", "connect", RULES_PARTLY,
		       "not where auid=unset");
	CHECK_COVERAGE("-a always,exit -F arch=b64 -S connect\n-D\n", "provgraph_connect", "connect", RULES_BLIND, "no rule");
	CHECK_COVERAGE("-a always,exit -F arch=b64 -S connect\n-a never,task\n", "provgraph_connect", "connect", RULES_BLIND, "never,task");
	CHECK_COVERAGE("-a never,exit -F arch=b64 -S clone -F a0&0x10000\n-a always,exit -F arch=b64 -S clone", "provgraph_fork", "clone",
		       RULES_COVERED, "");
	CHECK_COVERAGE("-a never,exit -S clone\n-a always,exit -F arch=b64 -S clone", "provgraph_fork", "clone", RULES_BLIND, "never");
}

static void test_whole_groups(void)
{
	struct rules_judgement j = judge("-a always,exit -F arch=b64 -S execve -k exec\n-a always,exit -F arch=b64 -S connect -k net\n");
	const char *why;

	CHECK_EQUAL(rules_judged(&j, group_of("provgraph_exec"), &why), RULES_PARTLY);
	CHECK_STRING(why, "no rule for execveat");
	CHECK_EQUAL(rules_judged(&j, group_of("provgraph_connect"), &why), RULES_PARTLY);
	CHECK_STRING(why, "no rule for connect of 32-bit programs");
	CHECK_EQUAL(rules_judged(&j, group_of("provgraph_read"), NULL), RULES_BLIND);
	CHECK_EQUAL(j.rules, 2);
	rules_judgement_release(&j);
}

static void test_other_lists(void)
{
	struct rules_judgement j = judge("-a always,exclude -F msgtype=PROCTITLE\n-a never,user -F uid=1\n");
	CHECK(!j.excludes_needed_records);
	rules_judgement_release(&j);
	j = judge("-a always,exclude -F msgtype=CWD\n");
	CHECK(j.excludes_needed_records);
	rules_judgement_release(&j);
	j = judge("-a never,exclude -F msgtype=1302\n");
	CHECK(j.excludes_needed_records);
	rules_judgement_release(&j);
	j = judge("-a always,exclude -F exe=/usr/sbin/sshd\n");
	CHECK(j.excludes_needed_records);
	rules_judgement_release(&j);
}

// Text that is no rules file, and lines made to hurt.
static void test_bad_text(void)
{
	struct rules_judgement j = judge("# comment\n\n-b 8192\n--backlog_wait_time 1\nhello\n-a\n-a always\n-a always,exit -S\n-a always,exit -F\n"
					 "-a always,exit -F =\n-a always,exit -Z x\n-w\n\x01\xff\n");
	CHECK_EQUAL(j.not_understood, 9);
	CHECK_EQUAL(j.first_not_understood, 5);
	CHECK_EQUAL(j.rules, 0);
	rules_judgement_release(&j);

	size_t length = 1 << 20;
	char *big = malloc(length);
	CHECK(big != NULL);
	for (size_t i = 0; i < length; i++)
		big[i] = ",-F S=a"[i % 7];
	CHECK(rules_judge(big, length, &j, NULL) == 0);
	CHECK_EQUAL(j.not_understood, 1);
	rules_judgement_release(&j);
	memcpy(big, "-a always,exit -S ", 18);
	memset(big + 18, ',', length - 18);
	CHECK(rules_judge(big, length, &j, NULL) == 0);
	CHECK_EQUAL(j.rules, 1);
	rules_judgement_release(&j);
	for (size_t i = 18; i + 2 <= length; i += 2)
		memcpy(big + i, "a,", 2);
	CHECK(rules_judge(big, length, &j, NULL) == 0);
	CHECK_EQUAL(j.not_understood, 1); // more calls than there can be
	rules_judgement_release(&j);
	free(big);
}

int main(void)
{
	const char *source = getenv("SRCDIR");

	test_file_is_the_table(source ? source : ".");
	test_lookups();
	test_own_rules();
	test_loaded_form();
	test_filters();
	test_order();
	test_whole_groups();
	test_other_lists();
	test_bad_text();
	return unit_end();
}
