#!/bin/sh
# SPDX-License-Identifier: MIT
# make install puts everything where DESTDIR and PREFIX say, the installed command finds its private program, and make uninstall
# takes it all away again.
. "$SRCDIR/tests/lib.sh"
requires make
case ${SANITIZE:-} in ?*) skip "once is enough" ;; esac
stage=$PWD/stage
${MAKE:-make} -s -C "$SRCDIR" install BUILD="$BUILD" DESTDIR="$stage" PREFIX=/opt/provgraph >make.out 2>&1 || { cat make.out; fail "make install"; }
(cd stage && find . -type f | LC_ALL=C sort) >got
cat >want <<'END'
./opt/provgraph/bin/provgraph
./opt/provgraph/libexec/provgraph/nbdkit-provgraph-plugin.so
./opt/provgraph/libexec/provgraph/provgraph-fsread
./opt/provgraph/libexec/provgraph/provgraph-layout
./opt/provgraph/share/bash-completion/completions/provgraph
./opt/provgraph/share/doc/provgraph/ARCHITECTURE.md
./opt/provgraph/share/doc/provgraph/LICENSE
./opt/provgraph/share/doc/provgraph/NEWS.md
./opt/provgraph/share/doc/provgraph/README.md
./opt/provgraph/share/man/man1/provgraph-disk.1
./opt/provgraph/share/man/man1/provgraph.1
./opt/provgraph/share/provgraph/provgraph.rules
./opt/provgraph/share/zsh/site-functions/_provgraph
END
same want got
expect_status 0 stage/opt/provgraph/bin/provgraph --version
expect_status 0 stage/opt/provgraph/bin/provgraph --log "$SRCDIR/tests/cli/data/small.log" --alert-ip 10.0.0.5 -o case.svg
lacks err 'laying out without it'
${MAKE:-make} -s -C "$SRCDIR" uninstall BUILD="$BUILD" DESTDIR="$stage" PREFIX=/opt/provgraph >make.out 2>&1 || fail "make uninstall"
[ -z "$(find stage -type f)" ] || fail "left behind: $(find stage -type f)"
