// SPDX-License-Identifier: MIT
// Numbers, strings and key=value pairs of audit text. Pure functions on (bytes, length).
//
// The kernel writes a string that it did not choose as "text" when every byte is 0x21..0x7e and not a quote, else as bare
// upper-case hex (audit_log_n_untrustedstring in kernel/audit.c). So the quote decides, never "looks like hex": "DEADBEEF" in
// quotes is a name, DEADBEEF without is four bytes. Private to ingest/.
#ifndef INGEST_FIELDS_H
#define INGEST_FIELDS_H

#include "base/buffer.h"
#include "base/intern.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct field {
	const char *key, *value;
	size_t key_length, value_length; // the value without its quotes
	bool quoted;
};

// The next pair at *cursor; moves *cursor behind it. Words without '=' (the rest of a label with spaces) are skipped. False: no more.
bool field_next(const char **cursor, const char *end, struct field *ret);
bool field_is(const struct field *f, const char *key);

// The whole of `bytes` must be one number without sign (or with '-' for number_signed); false leaves *ret alone.
bool number_decimal(const char *bytes, size_t length, uint64_t *ret);
bool number_signed(const char *bytes, size_t length, int64_t *ret);
bool number_hex(const char *bytes, size_t length, uint64_t *ret);   // with or without 0x
bool number_octal(const char *bytes, size_t length, uint64_t *ret); // leading zeros are fine
// As above, into 32 bits: false also when it does not fit.
bool number_decimal32(const char *bytes, size_t length, uint32_t *ret);

// Pairs of hex digits to bytes. False (and nothing usable in `out`) when the length is odd, or a byte is no hex digit.
// `out` must hold length / 2 bytes.
bool hex_decode(const char *hex, size_t length, uint8_t *out);

// What an untrusted string of the kernel stands for: quoted text as it is, bare hex decoded into `scratch`. (null), (none) and
// ? without quotes are "absent": false. Anything else that is not hex stays as it is (user space does not always encode).
bool field_string(const char *value, size_t length, bool quoted, struct buffer *scratch, const char **ret_bytes, size_t *ret_length);
// The same, interned. 0 when absent.
uint32_t field_intern(struct intern *strings, struct buffer *scratch, const char *value, size_t length, bool quoted, bool *ret_present);

#endif
