// SPDX-License-Identifier: MIT
// JSON, written front to back. Commas are kept track of; keys are ours, texts anybody's.
//
//     json_begin(&j, NULL, '{'); json_string(&j, "name", t); json_end(&j, '}');
#ifndef GRAPH_JSON_EMIT_H
#define GRAPH_JSON_EMIT_H

#include "base/buffer.h"
#include "base/nanotime.h"
#include "graph/picture.h"

#include <stdbool.h>
#include <stdint.h>

struct json {
	struct buffer *out;
	bool needs_comma;
};

void json_begin(struct json *j, const char *key, char bracket); // key NULL: inside an array
void json_end(struct json *j, char bracket);
void json_line(struct json *j); // a line break where the next value starts: an entry per line reads and compares better
// key: the text; and key_b64 with the exact bytes when they are no valid UTF-8. An element of an array (key NULL) that is lossy
// becomes {"text": ..., "b64": ...}.
void json_text(struct json *j, const char *key, struct text t);
void json_words(struct json *j, const char *key, const char *words); // ours
void json_bool(struct json *j, const char *key, bool value);
void json_number(struct json *j, const char *key, uint64_t value);
void json_number_or_null(struct json *j, const char *key, uint64_t value, uint64_t none);
void json_wide(struct json *j, const char *key, uint64_t value); // 64 bits as a string: many readers have 53
void json_seconds(struct json *j, const char *key, int64_t ns);  // a number with nine decimals: -4020.874000000
void json_score(struct json *j, const char *key, double value);  // six decimals
// "KEY": ISO 8601 with offset, "KEY_ns": nanoseconds since 1970 as a string; null for no time.
void json_time(struct json *j, const char *key, uint64_t ns, struct timezone_choice zone);

#endif
