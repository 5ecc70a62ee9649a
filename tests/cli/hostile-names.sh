#!/bin/sh
# SPDX-License-Identifier: MIT
# A file whose name holds an escape sequence, markup and a direction override: no output obeys it, every output shows it.
. "$SRCDIR/tests/lib.sh"
requires python3 xmllint jq
log=$SRCDIR/tests/cli/data/small.log
for format in text svg html dot csv graphml json; do
	expect_status 0 "$PROVGRAPH" --log "$log" --alert-ip 10.0.0.5 --utc --quiet --format $format
	mv out "case.$format"
done
python3 - <<'END' || exit 1
import re
for format in "text svg html dot csv graphml json".split():
    data = open("case." + format, "rb").read()
    text = data.decode("utf-8")
    bad = [c for c in text if (ord(c) < 32 and c != "\n" and not (format == "csv" and c == "\r")) or 0x7f <= ord(c) < 0xa0 or 0x202a <= ord(c) <= 0x202e]
    assert not bad, (format, bad)
    assert "gpj.exe" in text, format
    if format in ("svg", "html", "graphml"):
        if format != "graphml":  # ours, which a browser test watches (hostile-browser.sh)
            text, scripts = re.subn(r"<script>.*?</script>", "", text, flags=re.S)
            assert scripts == 1, format
        assert "<b>" not in text, format
        assert not re.search(r"<script|javascript:|\son\w+=", text), format
END
contains case.text '\x1b[31m<b>"&'
contains case.text '\u202egpj.exe'
xmllint --noout case.svg case.graphml || exit 1
jq -e '[.. | strings | select(test("\u001b\\[31m<b>"))] | length > 0' case.json >jq.out || fail "json changed the name"
