// SPDX-License-Identifier: MIT
// Any bytes as an EVE file: lines add up, and what is taken as an alert has both ends, a time and a signature in valid UTF-8.
#include "base/buffer.h"
#include "base/text_unicode.h"
#include "ingest/alert.h"
#include "ingest/ingest.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void require_text(const char *text, size_t size)
{
	size_t length = strnlen(text, size);

	require(length < size);
	for (size_t at = 0; at < length;) {
		uint32_t code;
		size_t used = unicode_decode((const unsigned char *)text + at, length - at, &code);

		require(used > 0);
		at += used;
	}
}

static void require_address(const struct event_address *a)
{
	struct event_address again;
	struct buffer text = { 0 };

	require(a->kind == ADDRESS_IPV4 || a->kind == ADDRESS_IPV6);
	address_format(&text, a, NULL, false);
	require(address_parse(buffer_string(&text), &again, NULL) == 0);
	require(address_same_host(a, &again));
	buffer_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct alert_vector alerts = { 0 };
	struct alert_report report = { 0 };

	require(alert_parse_eve((const char *)data, size, &alerts, &report, NULL) == 0);
	require(report.alerts == alerts.count);
	require(report.alerts + report.other + report.rejected <= report.lines);
	require((report.rejected > 0) == (report.first_reason != NULL));
	for (size_t i = 0; i < alerts.count; i++) {
		const struct alert *a = &alerts.items[i];

		require(a->line >= 1 && a->line <= report.lines);
		require_address(&a->source);
		require_address(&a->destination);
		require_text(a->protocol, sizeof(a->protocol));
		require_text(a->signature, sizeof(a->signature));
	}
	alert_vector_release(&alerts);
	return 0;
}
