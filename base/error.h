// SPDX-License-Identifier: MIT
// A failure, told in one complete sentence.
//
// Library folders never print and never exit: they return -1 (or NULL) and fill
// the caller's struct error. The message names the thing, what happened and, where
// there is one, the system's reason: "audit.log: cannot read: Permission denied".
// It is untouched on success, so calls chain:
//     if (a(x, err) < 0 || b(x, err) < 0) return -1;
// The message may hold bytes that an attacker chose (a file's name): cmd/ passes
// it through text_visible() before a terminal sees it.
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

struct error {
	char message[1024];
};

// Always returns -1. err may be NULL. Messages are cut at the struct's size.
int error_set(struct error *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

// As error_set, and appends ": " and the text of `errno_value`.
int error_set_errno(struct error *err, int errno_value, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
