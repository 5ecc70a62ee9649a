// SPDX-License-Identifier: MIT
// provgraph: argv -> one of its jobs -> an exit status.
#include "base/fileio.h"
#include "base/memory.h"
#include "base/text.h"
#include "cmd/config.h"
#include "cmd/disk.h"
#include "cmd/investigate.h"
#include "cmd/restore_at.h"
#include "cmd/rules.h"
#include "cmd/synopsis.h"
#include "cmd/version.h"

#include <json-c/json.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

// The Makefile gives both; editors and checkers that compile this file alone need not know them.
#ifndef PROVGRAPH_IGRAPH_VERSION
#define PROVGRAPH_IGRAPH_VERSION "of an unknown version"
#endif
#ifndef PROVGRAPH_GRAPHVIZ_VERSION
#define PROVGRAPH_GRAPHVIZ_VERSION "of an unknown version"
#endif

// Ctrl-C: nothing half-written is left (fileio_write blocks the signal meanwhile), and scripts see 130.
static void on_interrupt(int signal_number)
{
	(void)signal_number;
	_exit(STATUS_INTERRUPTED);
}

static int print(const struct buffer *text)
{
	struct error err;

	if (fileio_write_fd(STDOUT_FILENO, buffer_string(text), text->length, "standard output", &err) < 0) {
		report_error(&err);
		return STATUS_ERROR;
	}
	return STATUS_WRITTEN;
}

static int print_help(void)
{
	struct buffer text AUTO_RELEASE_BUFFER = {0};

	buffer_add_string(&text, synopsis_text);
	return print(&text);
}

static int print_long_options(void)
{
	struct buffer text AUTO_RELEASE_BUFFER = {0};

	synopsis_long_options(synopsis_text, &text);
	return print(&text);
}

static int print_version(void)
{
	struct buffer text AUTO_RELEASE_BUFFER = {0};

	buffer_add_string(&text, "provgraph " PROVGRAPH_VERSION "\n"
				 "Sources: MIT licence. This linked program: GPL version 3, because of igraph.\n");
	buffer_printf(&text, "Built with igraph %s, json-c %s, zstd %s, zlib %s, %s.\n", PROVGRAPH_IGRAPH_VERSION, json_c_version(),
		      ZSTD_versionString(), zlibVersion(), OpenSSL_version(OPENSSL_VERSION));
	buffer_add_string(&text, "Layout by provgraph-layout (Graphviz " PROVGRAPH_GRAPHVIZ_VERSION ").\n");
	return print(&text);
}

static int print_config(const struct options *o)
{
	struct buffer text AUTO_RELEASE_BUFFER = {0};

	config_print(o, &text);
	return print(&text);
}

static int print_first_steps(void)
{
	static const char steps[] =
		"provgraph links what led to a connection, and what followed from it, out of\n"
		"Linux audit logs.\n"
		"\n"
		"An alert names 10.0.0.5; what happened on this host around it?\n"
		"  provgraph --alert-ip 10.0.0.5\n"
		"The same from collected logs and an IDS alert file, into one picture:\n"
		"  provgraph --log evidence/audit --alert eve.json -o case.svg\n"
		"\n"
		"  provgraph --help       all options; man provgraph: the manual\n"
		"  provgraph rules        the audit rules that make the picture complete\n"
		"  provgraph disk --help  the history of a virtual disk\n"
		"An alert is needed: --alert-ip ADDR or --alert FILE.\n";

	(void)fileio_write_fd(STDERR_FILENO, steps, sizeof(steps) - 1, "standard error", NULL);
	return STATUS_ERROR;
}

static int run(const struct options *o)
{
	switch (o->command) {
	case COMMAND_HELP:
		return print_help();
	case COMMAND_VERSION:
		return print_version();
	case COMMAND_LONG_OPTIONS:
		return print_long_options();
	case COMMAND_PRINT_CONFIG:
		return print_config(o);
	case COMMAND_NOTHING:
		return print_first_steps();
	case COMMAND_RULES:
		return rules_command(o);
	case COMMAND_INVESTIGATE:
		break;
	}
	return investigate(o);
}

int main(int argc, char **argv)
{
	struct options options;
	struct error err;
	int status = STATUS_ERROR;
	struct sigaction interrupt = {.sa_handler = on_interrupt};

	(void)sigaction(SIGINT, &interrupt, NULL);
	if (argc > 1 && strcmp(argv[1], "disk") == 0)
		return disk_main(argc - 1, argv + 1, nanotime_now());
	if (restore_at_asked(argc, argv))
		return restore_at_main(argc, argv, nanotime_now());
	if (options_parse(argc, argv, nanotime_now(), &options, &err) < 0) {
		report_error(&err);
		report_line("provgraph --help lists all options");
	} else {
		if (options.warnings.length > 0 && !options.quiet)
			report_line("%s", buffer_string(&options.warnings));
		status = run(&options);
	}
	options_release(&options);
	return status;
}
