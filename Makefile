# provgraph: one non-recursive Makefile. `make help` lists the targets.
# SPDX-License-Identifier: MIT
#
# CFLAGS, CPPFLAGS, LDFLAGS and LDLIBS are left to you and to packagers; the
# project's own flags are in OWN_*. Nothing here needs the network but `deps`.

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBEXECDIR ?= $(PREFIX)/libexec/provgraph
DATADIR ?= $(PREFIX)/share/provgraph
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/provgraph
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR ?= $(PREFIX)/share/zsh/site-functions
DESTDIR ?=
PKG_CONFIG ?= pkg-config
AR ?= ar
CLANG ?= clang
CFLAGS ?= -g -O2
SANITIZE ?=
DEVELOPER ?=
LTO ?=
V ?=

# A build folder per mode, so that switching never mixes objects.
empty :=
space := $(empty) $(empty)
comma := ,
BUILD ?= build$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-6s %s\n' $(1) $(2))

# Libraries of the main command; each has one home in the sources (ARCHITECTURE.md).
MAIN_PACKAGES := igraph json-c libzstd liblz4 zlib libcrypto
LAYOUT_PACKAGES := libcgraph libgvc
FSREAD_PACKAGES := ext2fs com_err libseccomp
# Third-party headers come through -isystem, so that our warnings stay ours.
isystem = $(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags $(1) 2>/dev/null))
MAIN_CFLAGS := $(call isystem,$(MAIN_PACKAGES))
LAYOUT_CFLAGS := $(call isystem,$(LAYOUT_PACKAGES))
FSREAD_CFLAGS := $(call isystem,$(FSREAD_PACKAGES))
MAIN_LIBS = $(shell $(PKG_CONFIG) --libs $(MAIN_PACKAGES)) -laudit -lm -pthread
LAYOUT_LIBS = $(shell $(PKG_CONFIG) --libs $(LAYOUT_PACKAGES))
# What base/ and snapshots/ need, and nothing else: for the disk plugin and the reader of file systems.
DISK_LIBS = $(shell $(PKG_CONFIG) --libs libzstd liblz4 zlib libcrypto) -pthread
FSREAD_LIBS = $(shell $(PKG_CONFIG) --libs $(FSREAD_PACKAGES)) $(DISK_LIBS)

OWN_CPPFLAGS := -I. -D_GNU_SOURCE
OWN_CFLAGS := -std=gnu11 -Wall -Wextra -Wshadow -Wvla -Wundef -Wconversion \
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wpointer-arith -Wwrite-strings -Wformat=2 -fno-common \
	-fPIC -pthread -ffile-prefix-map=$(CURDIR)=. $(if $(DEVELOPER),-Werror) $(if $(LTO),-flto=auto)
OWN_LDFLAGS :=
ifneq ($(SANITIZE),)
OWN_CFLAGS += -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
OWN_LDFLAGS += -fsanitize=$(SANITIZE)
endif
COMPILE = $(CC) $(OWN_CPPFLAGS) $(CPPFLAGS) $(OWN_CFLAGS) $(CFLAGS)

# graph/layout_dot.c is the separate program provgraph-layout: the only user of Graphviz.
LAYOUT_SOURCES := graph/layout_dot.c
# Loaded by nbdkit: the live disk, and views of the past.
PLUGIN_SOURCES := $(wildcard snapshots/nbdkit_plugin.c)
# The separate program provgraph-fsread: the only one that interprets bytes of a guest.
FSREAD_SOURCES := $(wildcard snapshots/fsread_main.c)
LIB_SOURCES := $(sort $(filter-out $(LAYOUT_SOURCES) $(PLUGIN_SOURCES) $(FSREAD_SOURCES), \
	$(wildcard base/*.c ingest/*.c snapshots/*.c graph/*.c)))
CMD_SOURCES := $(sort $(wildcard cmd/*.c))
HEADERS := $(sort $(wildcard base/*.h ingest/*.h snapshots/*.h graph/*.h cmd/*.h))
UNIT_SOURCES := $(sort $(wildcard tests/unit/test_*.c))
FUZZ_SOURCES := $(sort $(wildcard tests/fuzz/fuzz_*.c))
BENCH_SOURCES := $(sort $(wildcard tests/bench/*.c))
ALL_SOURCES := $(LIB_SOURCES) $(LAYOUT_SOURCES) $(PLUGIN_SOURCES) $(FSREAD_SOURCES) $(CMD_SOURCES) $(UNIT_SOURCES) $(FUZZ_SOURCES) $(BENCH_SOURCES)

LIB := $(BUILD)/libprovgraph.a
PROGRAMS := $(BUILD)/provgraph $(BUILD)/provgraph-layout $(FSREAD_SOURCES:%.c=$(BUILD)/provgraph-fsread) \
	$(PLUGIN_SOURCES:%.c=$(BUILD)/nbdkit-provgraph-plugin.so)
UNIT_PROGRAMS := $(UNIT_SOURCES:%.c=$(BUILD)/%)
REPLAY_PROGRAMS := $(FUZZ_SOURCES:tests/fuzz/%.c=$(BUILD)/tests/fuzz/replay_%)
BENCH_PROGRAMS := $(BENCH_SOURCES:%.c=$(BUILD)/%)

.PHONY: all
all: $(PROGRAMS)

-include Makefile.dev

# The one place that knows where private programs are installed.
$(BUILD)/base/child.o: OWN_CPPFLAGS += -DPROVGRAPH_LIBEXECDIR='"$(LIBEXECDIR)"'

# For --version: libraries that are linked elsewhere and tell their version only to the compiler.
$(BUILD)/cmd/main.o: OWN_CPPFLAGS += -DPROVGRAPH_IGRAPH_VERSION='"$(shell $(PKG_CONFIG) --modversion igraph)"' \
	-DPROVGRAPH_GRAPHVIZ_VERSION='"$(shell $(PKG_CONFIG) --modversion libgvc)"'

$(BUILD)/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(COMPILE) $(if $(filter $(LAYOUT_SOURCES),$<),$(LAYOUT_CFLAGS),$(MAIN_CFLAGS) $(FSREAD_CFLAGS)) -MMD -MP -c -o $@ $<

$(LIB): $(LIB_SOURCES:%.c=$(BUILD)/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcsD $@ $^

# The case page's style and script are ordinary files, compiled in without indentation and lines of comment; the script's are put into
# one function, in the order in which they use each other.
PAGE_SCRIPTS := graph/page.js graph/page_state.js graph/page_bar.js graph/page_disk.js graph/page_details.js graph/page_input.js
EMBED := sed 's/^[ 	]*//; /^\/\//d; /^$$/d; s/[\\"]/\\&/g; s/^/"/; s/$$/\\n"/'
$(LIB): $(BUILD)/graph/page_text.o
$(BUILD)/graph/page_text.c: graph/page.css $(PAGE_SCRIPTS) Makefile
	$(Q)mkdir -p $(@D)
	$(Q){ echo '#include "graph/svg.h"'; echo 'const char page_css[] ='; $(EMBED) graph/page.css; echo ';'; \
		echo 'const char page_js[] ='; { echo "(function () { 'use strict';"; cat $(PAGE_SCRIPTS); echo '}());'; } | $(EMBED); echo ';'; } > $@
$(BUILD)/graph/page_text.o: $(BUILD)/graph/page_text.c graph/svg.h
	$(Q)$(COMPILE) -c -o $@ $<

# --help, the parser and completion read this text; the manual page is made from it (Makefile.dev).
SYNOPSES := $(BUILD)/cmd/synopsis_text $(BUILD)/cmd/disk_synopsis_text
$(BUILD)/cmd/%_text.c: cmd/%.txt Makefile
	$(Q)mkdir -p $(@D)
	$(Q){ echo '#include "cmd/synopsis.h"'; echo 'const char $*_text[] ='; \
		sed 's/[\\"]/\\&/g; s/^/"/; s/$$/\\n"/' $<; echo ';'; } > $@
$(SYNOPSES:=.o): %.o: %.c cmd/synopsis.h
	$(Q)$(COMPILE) -c -o $@ $<

$(BUILD)/provgraph: $(CMD_SOURCES:%.c=$(BUILD)/%.o) $(SYNOPSES:=.o) $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(OWN_CFLAGS) $(CFLAGS) $(OWN_LDFLAGS) $(LDFLAGS) -o $@ $^ $(MAIN_LIBS) $(LDLIBS)

$(BUILD)/provgraph-layout: $(LAYOUT_SOURCES:%.c=$(BUILD)/%.o)
	$(call say,LD,$@)
	$(Q)$(CC) $(OWN_CFLAGS) $(CFLAGS) $(OWN_LDFLAGS) $(LDFLAGS) -o $@ $^ $(LAYOUT_LIBS) $(LDLIBS)

$(BUILD)/provgraph-fsread: $(FSREAD_SOURCES:%.c=$(BUILD)/%.o) $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(OWN_CFLAGS) $(CFLAGS) $(OWN_LDFLAGS) $(LDFLAGS) -o $@ $^ $(FSREAD_LIBS) $(LDLIBS)

# Exports plugin_init and nothing else, so that no name of ours meets one of nbdkit's.
$(BUILD)/nbdkit-provgraph-plugin.so: $(PLUGIN_SOURCES:%.c=$(BUILD)/%.o) $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) -shared $(OWN_CFLAGS) $(CFLAGS) $(OWN_LDFLAGS) $(LDFLAGS) -Wl,--exclude-libs,ALL -o $@ $^ $(DISK_LIBS) $(LDLIBS)

$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(OWN_CFLAGS) $(CFLAGS) $(OWN_LDFLAGS) $(LDFLAGS) -o $@ $^ $(EXTRA_TEST_LIBS) $(MAIN_LIBS) $(FSREAD_LIBS) $(LDLIBS)

# The differential test is the only user of libauparse.
$(BUILD)/tests/unit/test_auparse: EXTRA_TEST_LIBS := -lauparse
# The DOT file is read back with the library that it is for.
$(BUILD)/tests/unit/test_dot: EXTRA_TEST_LIBS := -lcgraph

$(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(OWN_CFLAGS) $(CFLAGS) $(OWN_LDFLAGS) $(LDFLAGS) -o $@ $^ $(MAIN_LIBS) $(FSREAD_LIBS) -lauparse $(LDLIBS)

# Corpus replay needs no fuzzer: replay.h's main() feeds each file to the target.
$(BUILD)/tests/fuzz/replay_fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/replay.o $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(OWN_CFLAGS) $(CFLAGS) $(OWN_LDFLAGS) $(LDFLAGS) -o $@ $^ $(MAIN_LIBS) $(FSREAD_LIBS) $(LDLIBS)

.PHONY: clean
clean:
	rm -rf $(BUILD)

.PRECIOUS: $(BUILD)/%.o
-include $(ALL_SOURCES:%.c=$(BUILD)/%.d)
