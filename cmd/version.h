// SPDX-License-Identifier: MIT
#ifndef CMD_VERSION_H
#define CMD_VERSION_H

#define PROVGRAPH_VERSION "0.1.0"
#define PROVGRAPH_DATE "2026-11-21" /* of the manual page */

#endif
