// SPDX-License-Identifier: MIT
// Settings that a site or a person wants always: /etc/provgraph.conf, then $XDG_CONFIG_HOME/provgraph/config. The command line wins.
//
//     # a comment
//     tz = Asia/Tokyo
//     window = 2h
//     log = /var/log/audit        (once for each path)
//
// Names are those of options. Only options that shape every run may stand there: an alert or an output file may not.
#ifndef CMD_CONFIG_H
#define CMD_CONFIG_H

#include "base/buffer.h"
#include "base/error.h"
#include "cmd/options.h"

// Reads both files as far as they exist. -1 and err ("FILE:LINE: ...") on the first line that is not understood.
int config_load(struct options *o, struct error *err);
// Index of a setting that may stand in a file, or -1.
int config_setting(const char *name);
// "window = 20m  # default", a line for each setting.
void config_print(const struct options *o, struct buffer *out);

#endif
