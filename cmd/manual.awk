# SPDX-License-Identifier: MIT
# Makes the manual page: cmd/provgraph.1.in with @SYNOPSIS@ and @OPTIONS@ taken from cmd/synopsis.txt, which --help prints too.
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
	if (inside)
		options = options ".SS " heading "\n"
	next
}
file == 1 && inside && /^  (-.,|   ) --/ {
	line = substr($0, 3)
	sub(/^ +/, "", line)
	at = match(line, /  +/)
	options = options ".TP\n.B " escaped(substr(line, 1, at - 1)) "\n" escaped(substr(line, at + RLENGTH)) "\n"
	next
}
file == 1 && inside && /^          / {
	line = $0
	sub(/^ +/, "", line)
	options = options escaped(line) "\n"
	next
}
file == 1 && !/^ *$/ { inside = 0 }
file == 2 && /^@SYNOPSIS@$/ { printf "%s", synopsis; next }
file == 2 && /^@OPTIONS@$/ { printf "%s", options; next }
file == 2 { gsub(/@VERSION@/, version); gsub(/@DATE@/, date); gsub(/@DATADIR@/, datadir); print }
