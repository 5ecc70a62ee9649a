// SPDX-License-Identifier: MIT
#include "ingest/record_type.h"

#include "base/memory.h"
#include "ingest/fields.h"

#include <libaudit.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_ENTRIES 256u /* power of two; libaudit knows 190 names */
#define NAME_BYTES 40u

struct type_entry {
	size_t length; // 0: free
	char word[NAME_BYTES];
	struct record_type type;
};

struct record_type_table {
	struct intern *strings;
	struct type_entry entries[TABLE_ENTRIES];
};

struct record_type_table *record_type_table_new(struct intern *strings)
{
	struct record_type_table *t = calloc(1, sizeof(*t));

	if (t)
		t->strings = strings;
	return t;
}

void record_type_table_free(struct record_type_table *t)
{
	free(t);
}

// include/uapi/linux/audit.h of Linux 6.18; libaudit 3.0.9 ends at 1337.
static const struct { const char *name; uint16_t number; } new_types[] = {
	{"DM_CTRL", 1338}, {"DM_EVENT", 1339}, {"IPE_ACCESS", 1420}, {"IPE_CONFIG_CHANGE", 1421}, {"IPE_POLICY_LOAD", 1422},
	{"LANDLOCK_ACCESS", 1423}, {"LANDLOCK_DOMAIN", 1424}, {"MAC_TASK_CONTEXTS", 1425}, {"MAC_OBJ_CONTEXTS", 1426},
};

// "UNKNOWN[1340]"
static uint16_t unknown_number(const char *word, size_t length)
{
	uint32_t number;

	if (length < 10 || memcmp(word, "UNKNOWN[", 8) != 0 || word[length - 1] != ']' ||
	    !number_decimal32(word + 8, length - 9, &number) || number > UINT16_MAX)
		return 0;
	return (uint16_t)number;
}

static uint16_t number_of(const char *word, size_t length)
{
	char name[NAME_BYTES];

	memcpy(name, word, length);
	name[length] = '\0';
	int known = audit_name_to_msg_type(name);

	if (known > 0 && known <= UINT16_MAX)
		return (uint16_t)known;
	for (size_t i = 0; i < ARRAY_LENGTH(new_types); i++)
		if (strcmp(new_types[i].name, name) == 0)
			return new_types[i].number;
	return unknown_number(word, length);
}

static enum record_class call_part_class(uint16_t number)
{
	switch (number) {
	case AUDIT_SYSCALL:
		return RECORD_SYSCALL;
	case AUDIT_PATH:
		return RECORD_PATH;
	case AUDIT_CWD:
		return RECORD_CWD;
	case AUDIT_PROCTITLE:
		return RECORD_TITLE;
	case AUDIT_EXECVE:
		return RECORD_EXECVE;
	case AUDIT_SOCKADDR:
		return RECORD_SOCKADDR;
	case AUDIT_URINGOP:
		return RECORD_URING;
	case AUDIT_CONFIG_CHANGE:
		return RECORD_CONFIG;
	case AUDIT_SECCOMP:
	case AUDIT_NETFILTER_CFG:
	case AUDIT_NETFILTER_PKT:
	case AUDIT_FEATURE_CHANGE:
	case AUDIT_TTY:
	case AUDIT_EVENT_LISTENER:
	case 1339: /* AUDIT_DM_EVENT, linux/audit.h since 5.16 */
		return RECORD_OTHER; // also without a SYSCALL
	default:
		return RECORD_PART;
	}
}

// Numbers by sender: 1005, 1100-1199 and 2100-2999 are what the kernel takes from programs (audit_receive_msg, kernel/audit.c);
// 1200-1299 never pass the kernel. A name without a number is nobody's, so it is a claim.
static enum record_class class_of(uint16_t number)
{
	if (number == AUDIT_LOGIN)
		return RECORD_LOGIN;
	if (number >= AUDIT_FIRST_DAEMON && number <= AUDIT_LAST_DAEMON)
		return RECORD_DAEMON;
	if (number >= AUDIT_FIRST_EVENT && number <= AUDIT_LAST_EVENT)
		return call_part_class(number);
	if ((number > AUDIT_LAST_EVENT && number < AUDIT_FIRST_USER_MSG2) || number == AUDIT_EOE)
		return RECORD_OTHER;
	return RECORD_CLAIM;
}

static bool is_word(const char *word, size_t length)
{
	if (length == 0 || length >= NAME_BYTES)
		return false;
	for (size_t i = 0; i < length; i++)
		if (!((word[i] >= 'A' && word[i] <= 'Z') || (word[i] >= '0' && word[i] <= '9') || word[i] == '_'))
			return unknown_number(word, length) != 0;
	return true;
}

bool record_type_find(struct record_type_table *t, const char *word, size_t length, struct record_type *ret)
{
	if (!is_word(word, length))
		return false;
	size_t hash = length * 31 + (unsigned char)word[0] * 7u + (unsigned char)word[length - 1] * 13u + (unsigned char)word[length / 2];
	struct type_entry *e = &t->entries[hash & (TABLE_ENTRIES - 1)];

	if (e->length == length && memcmp(e->word, word, length) == 0) {
		*ret = e->type;
		return true;
	}
	uint16_t number = number_of(word, length);

	e->length = length;
	memcpy(e->word, word, length);
	e->type = (struct record_type){.number = number, .class = (uint16_t)class_of(number), .name = intern_add(t->strings, word, length)};
	*ret = e->type;
	return true;
}
