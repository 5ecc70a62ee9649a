// SPDX-License-Identifier: MIT
#include "ingest/record.h"
#include "ingest/record_type.h"
#include "tests/unit/unit.h"

#include <stdbool.h>

static const char *parse(const char *line, struct record *ret)
{
	return record_parse(line, strlen(line), ret);
}

static void check_rejected(const char *line, const char *reason)
{
	struct record r;
	const char *got = parse(line, &r);

	CHECK(got != NULL);
	if (got)
		CHECK_STRING(got, reason);
}

static void test_header(void)
{
	struct record r;

	CHECK(!parse("type=SYSCALL msg=audit(1795263326.089:51130): arch=c000003e", &r));
	CHECK(r.node == NULL);
	CHECK_EQUAL(r.time_ns, 1795263326089000000);
	CHECK_EQUAL(r.serial, 51130);
	CHECK_EQUAL(r.type_length, 7);
	CHECK_STRING(r.body, "arch=c000003e");
	CHECK(!parse("node=web01.example type=EOE msg=audit(0.000:4294967295): ", &r));
	CHECK(r.node_length == 13 && memcmp(r.node, "web01.example", 13) == 0);
	CHECK(r.serial == UINT32_MAX && r.body_length == 0 && r.time_ns == 0);
	CHECK(!parse("type=CWD msg=audit(1.004:2):  cwd=\"/\"", &r)); // double space: older kernels
	CHECK_STRING(r.body, "cwd=\"/\"");
	CHECK(!parse("type=UNKNOWN[1340] msg=audit(18446744072.999:1):x=1", &r));
	CHECK_STRING(r.body, "x=1");
}

static void test_rejected(void)
{
	check_rejected("", "empty line");
	check_rejected("Nov 21 12:00:01 host sshd[1]: x", "no type= at the start");
	check_rejected("----", "no type= at the start");
	check_rejected("node= type=CWD msg=audit(1.000:1): ", "node= without a name");
	check_rejected("node=x", "node= without a name");
	check_rejected("type= msg=audit(1.000:1): ", "type= without a name");
	check_rejected("type=CWD", "type= without a name");
	check_rejected("type=CWD audit(1.000:1): ", "no msg=audit( behind the type");
	check_rejected("type=CWD msg=audit(11/21/2026 12:00:01.000:1) : ", "time without three digits of milliseconds"); // ausearch -i
	check_rejected("type=CWD msg=audit(x.000:1): ", "time is not a number");
	check_rejected("type=CWD msg=audit(-1.000:1): ", "time is not a number");
	check_rejected("type=CWD msg=audit(18446744073.000:1): ", "time is out of range");
	check_rejected("type=CWD msg=audit(1.00:1): ", "time without three digits of milliseconds");
	check_rejected("type=CWD msg=audit(1.0000:1): ", "time without three digits of milliseconds");
	check_rejected("type=CWD msg=audit(1.000): ", "no serial number behind the time");
	check_rejected("type=CWD msg=audit(1.000:): ", "serial is not a number");
	check_rejected("type=CWD msg=audit(1.000:4294967296): ", "serial is out of range");
	check_rejected("type=CWD msg=audit(1.000:1", "stamp does not end");
	check_rejected("type=CWD msg=audit(1.000:1)x", "stamp does not end");
}

// Every beginning of a line is either rejected or a record; nothing is read beyond it (the sanitizers would see it).
static void test_cut(void)
{
	const char line[] = "node=n type=SYSCALL msg=audit(1795263326.089:51130): arch=c000003e";
	struct record r;

	for (size_t length = 0; length < sizeof(line); length++) {
		char exact[sizeof(line)];

		memcpy(exact, line, length);
		const char *reason = record_parse(exact, length, &r);

		CHECK((reason == NULL) == (length >= 52));
	}
}

static void test_raw_part(void)
{
	const char enriched[] = "key=\"k\"\x1d" "ARCH=x86_64", dos[] = "key=\"k\"\r";

	CHECK_EQUAL(record_raw_length(enriched, sizeof(enriched) - 1), 7);
	CHECK_EQUAL(record_raw_length(dos, sizeof(dos) - 1), 7);
	CHECK_EQUAL(record_raw_length("", 0), 0);
}

static void test_types(void)
{
	struct intern *strings = intern_new();
	struct record_type_table *t = record_type_table_new(strings);
	static const struct { const char *word; uint16_t number; enum record_class class; } want[] = {
		{"SYSCALL", 1300, RECORD_SYSCALL}, {"PATH", 1302, RECORD_PATH}, {"OPENAT2", 1337, RECORD_PART}, {"URINGOP", 1336, RECORD_URING},
		{"LOGIN", 1006, RECORD_LOGIN}, {"USER_LOGIN", 1112, RECORD_CLAIM}, {"DAEMON_START", 1200, RECORD_DAEMON},
		{"CONFIG_CHANGE", 1305, RECORD_CONFIG}, {"AVC", 1400, RECORD_OTHER}, {"SECCOMP", 1326, RECORD_OTHER},
		{"ANOM_ABEND", 1701, RECORD_OTHER}, {"ANOM_EXEC", 2112, RECORD_CLAIM}, {"VIRT_CONTROL", 2500, RECORD_CLAIM},
		{"DM_CTRL", 1338, RECORD_PART}, {"UNKNOWN[1340]", 1340, RECORD_PART}, {"UNKNOWN[1199]", 1199, RECORD_CLAIM},
		{"EOE", 1320, RECORD_PART}, {"NOBODY_KNOWS_IT", 0, RECORD_CLAIM},
	};
	static const char *const wrong[] = {"", "syscall", "SYS CALL", "UNKNOWN[]", "UNKNOWN[70000]", "UNKNOWN[12", "A\x1b",
					    "A_NAME_THAT_IS_MUCH_LONGER_THAN_ANY_TYPES_NAME"};

	for (int again = 0; again < 2; again++) {
		for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
			struct record_type type = {0};

			CHECK(record_type_find(t, want[i].word, strlen(want[i].word), &type));
			CHECK_EQUAL(type.number, want[i].number);
			CHECK_EQUAL(type.class, want[i].class);
			CHECK_STRING(intern_string(strings, type.name), want[i].word);
		}
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct record_type type;

		CHECK(!record_type_find(t, wrong[i], strlen(wrong[i]), &type));
	}
	record_type_table_free(t);
	intern_free(strings);
}

int main(void)
{
	test_header();
	test_rejected();
	test_cut();
	test_raw_part();
	test_types();
	return unit_end();
}
