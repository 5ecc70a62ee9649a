// SPDX-License-Identifier: MIT
// Colours and type of the page. Light colours are plain class rules, so that programs without media queries or CSS variables
// (rsvg-convert, many viewers) show them; the dark ones follow as later rules, for a dark screen and for data-theme="dark".
// Meaning never rests on colour alone: shapes, line styles, glyphs and words carry it too.
#include "graph/svg.h"

#include "base/memory.h"

#define SANS "Inter,'Segoe UI',system-ui,'DejaVu Sans',sans-serif"
#define MONO "'DejaVu Sans Mono',Consolas,Menlo,'Liberation Mono',monospace"

static const char form[] =
	"text{font-family:" SANS ";fill:#1f2328}"
	".h1{font-size:18px;font-weight:700}.h2{font-size:13px;font-weight:700}.h3{font-size:10px;font-weight:700;letter-spacing:.04em}"
	".t12{font-size:12px}.t11{font-size:11px}.t10{font-size:10px}.t9{font-size:9px;font-weight:700}"
	".strong{font-weight:700}.mono{font-family:" MONO "}"
	".name{font:700 12px " MONO "}.pid{font:400 12px " MONO "}.detail{font:400 10px " MONO "}"
	".shape{stroke-width:1.2}.fold .shape{stroke-dasharray:4 2.5}.gap .shape{stroke-dasharray:7 3}.onpath .shape{stroke-width:2.6}"
	".node:hover .shape{stroke-width:3.5}"
	".line{fill:none;stroke-width:1.3}.read{stroke-dasharray:5 3}.connect{stroke-dasharray:10 3}.cut{stroke-dasharray:2 3}"
	".unsure{stroke-dasharray:9 3 2 3}.same{stroke-dasharray:1 4;stroke-linecap:round}.onpath .line{stroke-width:3}"
	".edge:hover .line{stroke-width:3.5}"
	".mark{fill:none;stroke-width:1.6}.hollow{stroke-width:1.2}.onpath .mark{stroke-width:2.4}"
	".halo{font-size:10px;paint-order:stroke;stroke-width:3px;stroke-linejoin:round}"
	"@media print{@page{size:A3 landscape;margin:8mm}:root{width:100%;height:auto;max-height:100vh}}";

static const char *const light[] = {
	".bg{fill:#ffffff}", ".panel{fill:#ffffff;stroke:#d1d9e0}", ".rule{stroke:#d1d9e0}", ".muted,.pid,.detail{fill:#59636e}",
	".bad{fill:#b00f1b}", ".lossbox{fill:#fdecec;stroke:#c1121f}",
	".process .shape{fill:#e8f1fb;stroke:#1f6fb5}", ".file .shape{fill:#fff6dc;stroke:#8a6100}",
	".address .shape{fill:#f1e8fb;stroke:#7239ab}", ".fold .shape{fill:#f3f4f6;stroke:#6e7781}",
	".channel .shape{fill:#ffffff;stroke:#59636e}", ".kernel .shape{fill:#f6f8fa;stroke:#1f2328}",
	".alert .shape{fill:#fdecec;stroke:#c1121f}", ".line{stroke:#7d8590}", ".head{fill:#7d8590;stroke:#7d8590}", ".mark{stroke:#424a53}",
	".onpath .line,.onpath .mark{stroke:#b5460f}", ".onpath .head{fill:#b5460f;stroke:#b5460f}", ".hollow,.onpath .hollow{fill:#ffffff}",
	".halo{fill:#424a53;stroke:#ffffff}", ".chip .back{fill:#1f2328}", ".chip text,.pill text{fill:#ffffff}",
	".chip.pathchip .back,.pill.root .back{fill:#b5460f}", ".pill .back{fill:#59636e}", ".pill.alarm .back{fill:#c1121f}",
};

static const char *const dark[] = {
	"text{fill:#f0f6fc}", ".bg{fill:#0d1117}", ".panel{fill:#0d1117;stroke:#3d444d}", ".rule{stroke:#3d444d}",
	".muted,.pid,.detail{fill:#a5adb7}", ".bad{fill:#ff8a85}", ".lossbox{fill:#3d1418;stroke:#ff6b6b}",
	".process .shape{fill:#10263f;stroke:#58a6ff}", ".file .shape{fill:#2b2208;stroke:#d9a53a}",
	".address .shape{fill:#241537;stroke:#c297ff}", ".fold .shape{fill:#21262d;stroke:#8b949e}",
	".channel .shape{fill:#0d1117;stroke:#a5adb7}", ".kernel .shape{fill:#151b23;stroke:#f0f6fc}",
	".alert .shape{fill:#3d1418;stroke:#ff6b6b}", ".line{stroke:#8b949e}", ".head{fill:#8b949e;stroke:#8b949e}", ".mark{stroke:#d1d7e0}",
	".onpath .line,.onpath .mark{stroke:#ff9a4d}", ".onpath .head{fill:#ff9a4d;stroke:#ff9a4d}", ".hollow,.onpath .hollow{fill:#0d1117}",
	".halo{fill:#d1d7e0;stroke:#0d1117}", ".chip .back{fill:#f0f6fc}", ".chip text{fill:#0d1117}",
	".chip.pathchip .back,.pill.root .back{fill:#ff9a4d}", ".chip.pathchip text,.pill.root text,.pill.alarm text,.pill text{fill:#0d1117}",
	".pill .back{fill:#a5adb7}", ".pill.alarm .back{fill:#ff6b6b}",
};

// Puts `scope` in front of every selector of "a,b{...}".
static void scoped(struct buffer *out, const char *scope, const char *rule)
{
	buffer_add_string(out, scope);
	for (; *rule && *rule != '{'; rule++) {
		buffer_add_byte(out, *rule);
		if (*rule == ',')
			buffer_add_string(out, scope);
	}
	buffer_add_string(out, rule);
}

void svg_style(struct buffer *out)
{
	buffer_add_string(out, "<style>");
	buffer_add_string(out, form);
	for (size_t i = 0; i < ARRAY_LENGTH(light); i++)
		buffer_add_string(out, light[i]);
	buffer_add_string(out, "@media screen and (prefers-color-scheme:dark){");
	for (size_t i = 0; i < ARRAY_LENGTH(dark); i++)
		scoped(out, "svg:not([data-theme=light]) ", dark[i]);
	buffer_add_string(out, "}");
	for (size_t i = 0; i < ARRAY_LENGTH(dark); i++)
		scoped(out, "svg[data-theme=dark] ", dark[i]);
	buffer_add_string(out, "</style>\n");
}
