# SPDX-License-Identifier: MIT
# Makes a manual page: cmd/provgraph.1.in with @SYNOPSIS@ and @OPTIONS@ taken from cmd/synopsis.txt, which --help prints too; in the
# same way provgraph-disk.1, which has @VERBS@ besides.
#     awk -v version=V -v date=D -v datadir=DIR -f cmd/manual.awk cmd/synopsis.txt cmd/provgraph.1.in
function escaped(s) {
	gsub(/\\/, "\\e", s)
	gsub(/-/, "\\-", s)
	sub(/^[.']/, "\\\\\\&&", s)
	return s
}
FNR == 1 { file++ }
file == 1 && /^Usage: / { usage = 1; sub(/^Usage: /, "       ") }
file == 1 && usage && /^       provgraph/ {
	sub(/^ +provgraph +/, "")
	synopsis = synopsis ".SY provgraph\n" escaped($0) "\n.YS\n"
	next
}
file == 1 { usage = 0 }
# A heading of options, an option, a line that goes on with its description; nothing else.
file == 1 && /^[A-Z][a-z]+:$/ {
	heading = $0
	sub(/:$/, "", heading)
	inside = heading !~ /^(Usage|Examples)$/
	verb_part = heading == "Verbs"
	if (inside && !verb_part)
		options = options ".SS " heading "\n"
	next
}
# A description may begin on the next line.
file == 1 && inside && (/^  (-.,|   ) --/ || (verb_part && /^  [a-z]+  /)) {
	line = substr($0, 3)
	sub(/^ +/, "", line)
	at = match(line, /  +/)
	item = ".TP\n.B " escaped(at ? substr(line, 1, at - 1) : line) "\n"
	if (at)
		item = item escaped(substr(line, at + RLENGTH)) "\n"
	if (verb_part)
		verbs = verbs item
	else
		options = options item
	next
}
file == 1 && inside && /^          / {
	line = $0
	sub(/^ +/, "", line)
	if (verb_part)
		verbs = verbs escaped(line) "\n"
	else
		options = options escaped(line) "\n"
	next
}
file == 1 && !/^ *$/ { inside = 0 }
file == 2 && /^@SYNOPSIS@$/ { printf "%s", synopsis; next }
file == 2 && /^@OPTIONS@$/ { printf "%s", options; next }
file == 2 && /^@VERBS@$/ { printf "%s", verbs; next }
file == 2 { gsub(/@VERSION@/, version); gsub(/@DATE@/, date); gsub(/@DATADIR@/, datadir); print }
