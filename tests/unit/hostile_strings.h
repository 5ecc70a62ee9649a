// SPDX-License-Identifier: MIT
// Names that an attacker may give a file: each one breaks, or broke, some program that shows it.
#ifndef TESTS_UNIT_HOSTILE_STRINGS_H
#define TESTS_UNIT_HOSTILE_STRINGS_H

#include <stddef.h>

struct hostile_string {
	const char *bytes;
	size_t length;
};

#define HOSTILE(literal) {literal, sizeof(literal) - 1}

static const struct hostile_string hostile_strings[] = {
	HOSTILE("<script>alert(1)</script>"),
	HOSTILE("\"><script>alert(1)</script><a x=\""),
	HOSTILE("' onload='alert(1)"),
	HOSTILE("javascript:alert(1)"),
	HOSTILE("]]>"),
	HOSTILE("<!-- -->"),
	HOSTILE("--><svg onload=alert(1)>"),
	HOSTILE("&amp;&lt;b&gt;&#60;"),
	HOSTILE("<?xml version='1.0'?><!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>"),
	HOSTILE("\x01\x02\x08"),
	HOSTILE("with\0nul"),
	HOSTILE("\x1b[31mred\x1b]0;title\x07"),
	HOSTILE("line\nbreak\r\ttab"),
	HOSTILE("\x7f"),
	HOSTILE("\xc2\x85\xc2\x9b"
		"31m"),                            // C1: NEL and CSI
	HOSTILE("\xff\xfe invalid"),
	HOSTILE("cut \xe3\x81"),
	HOSTILE("\xc0\xaf overlong \xe0\x80\xaf"),
	HOSTILE("\xed\xa0\x80 surrogate"),
	HOSTILE("\xf4\x90\x80\x80 beyond"),
	HOSTILE("\xef\xbf\xbe\xef\xbf\xbf non-characters"),
	HOSTILE("evil\xe2\x80\xae"
		"gpj.exe"),                        // right-to-left override
	HOSTILE("zero\xe2\x80\x8bwidth\xe2\x80\x8d\xef\xbb\xbf"),
	HOSTILE("\xe2\x80\xa8line\xe2\x80\xa9paragraph"),
	HOSTILE("\xf3\xa0\x81\x81 tag"),
	HOSTILE("\xf0\x9f\x98\x80 \xe3\x83\x95\xe3\x82\xa1\xe3\x82\xa4\xe3\x83\xab caf\xc3\xa9"),
	HOSTILE("=cmd|' /C calc'!A0"),
	HOSTILE("+1+1"),
	HOSTILE("-1+1"),
	HOSTILE("@SUM(1)"),
	HOSTILE("\t=1"),
	HOSTILE("a,b;\"c\"\"d\""),
	HOSTILE(" leading and trailing "),
	HOSTILE("\\N\\G\\E\\n\\"),
	HOSTILE("{ | } < > record"),
	HOSTILE("$(id) `id` ; rm -rf '"),
	HOSTILE("../../etc/passwd"),
	HOSTILE("%s%n%08x"),
	HOSTILE("DEADBEEF"),
	HOSTILE("(null)"),
	HOSTILE(""),
};

#endif
