#!/bin/sh
# SPDX-License-Identifier: MIT
# bash completes options (as the program names them), formats, subcommands and the paths of --log; zsh can read its file.
. "$SRCDIR/tests/lib.sh"
requires bash
touch audit.log audit.log.1
cat >try.bash <<'END'
source "$SRCDIR/cmd/completion/provgraph.bash"
complete_words() { # the last word is the one being typed
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	_provgraph 2>/dev/null
	printf '%s\n' "${COMPREPLY[@]}"
}
complete_words "$PROVGRAPH" --al >options
complete_words "$PROVGRAPH" --format s >formats
complete_words "$PROVGRAPH" ru >commands
complete_words "$PROVGRAPH" --log audit.log aud >paths
complete_words "$PROVGRAPH" --log audit.log --qui >after
complete_words "$PROVGRAPH" --window a >windows
complete_words "$PROVGRAPH" --disk fe : 10 = aud >mapped
complete_words "$PROVGRAPH" --disk fe : 10 = >mapped_all
complete_words "$PROVGRAPH" disk se >verbs
complete_words "$PROVGRAPH" disk serve web.history --so >verb_options
complete_words "$PROVGRAPH" disk serve web.history --sync d >modes
complete_words "$PROVGRAPH" disk export aud >histories
END
bash try.bash || fail "bash: status $?"
for option in --alert --alert-ip --alert-port --alert-time --alert-id; do contains options $option; done
contains formats svg
contains commands rules
contains paths audit.log.1
contains after --quiet
contains windows all
contains mapped audit.log
contains mapped_all audit.log.1
contains verbs serve
for option in --socket --socket-group; do contains verb_options $option; done
lacks verb_options --size
contains modes direct
contains histories audit.log
if command -v zsh >/dev/null; then
	zsh -n "$SRCDIR/cmd/completion/_provgraph" || fail "zsh does not read its file"
fi
