// SPDX-License-Identifier: MIT
// The drawing of graph/write_svg.c inside a page that carries a policy: nothing runs but our script, nothing is fetched, and no style
// counts but our sheet. Both are constants of the program, named by their SHA-256.
#include "graph/write.h"

#include "base/text.h"
#include "graph/svg.h"

#include <openssl/evp.h>
#include <string.h>

static void add_hash(struct buffer *out, const char *constant)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	if (EVP_Digest(constant, strlen(constant), digest, &length, EVP_sha256(), NULL) != 1) {
		out->failed = true;
		return;
	}
	buffer_add_string(out, "'sha256-");
	text_base64(out, digest, length);
	buffer_add_byte(out, '\'');
}

static void add_head(struct buffer *out, const struct picture *p)
{
	buffer_add_string(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
			       "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; base-uri 'none'; form-action 'none'; style-src ");
	add_hash(out, page_css);
	buffer_add_string(out, "; script-src ");
	add_hash(out, page_js);
	buffer_add_string(out, "\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
			       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
	text_xml(out, p->title.bytes, p->title.length);
	buffer_add_string(out, "</title>\n");
	svg_style(out);
	buffer_add_string(out, "</head>\n<body>\n");
}

int write_html(const struct picture *p, struct buffer *out, struct error *err)
{
	add_head(out, p);
	svg_sheet(out, p, false);
	buffer_add_string(out, "<script>");
	buffer_add_string(out, page_js);
	buffer_add_string(out, "</script>\n</body>\n</html>\n");
	return buffer_check(out, err);
}
