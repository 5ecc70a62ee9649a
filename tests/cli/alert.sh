#!/bin/sh
# SPDX-License-Identifier: MIT
# --alert: Suricata's EVE lines give address, port and time.
. "$SRCDIR/tests/lib.sh"
requires jq
log=$SRCDIR/tests/cli/data/small.log
eve() { # TIME SRC SPORT DST DPORT DIRECTION SEVERITY SIGNATURE
	printf '{"timestamp":"%s","event_type":"alert","src_ip":"%s","src_port":%s,"dest_ip":"%s","dest_port":%s,"proto":"TCP","direction":"%s","alert":{"signature_id":7,"severity":%s,"signature":"%s"}}\n' "$@"
}
{
	printf '{"timestamp":"2025-11-20T00:59:00.000000+0000","event_type":"dns"}\n'
	eve 2025-11-20T10:01:05.000000+0900 192.0.2.10 40000 10.0.0.5 443 to_server 2 'first'
	eve 2025-11-20T04:00:02.000000+0000 192.0.2.10 40001 10.0.0.5 443 to_server 1 'second <b>'
	printf 'not json\n'
} >eve.json

# Several alerts: the latest of the most severe, and the list says so.
expect_status 0 "$PROVGRAPH" --log "$log" --alert eve.json --utc --json
contains err 'taking number 2'
contains err 'first'
contains err 'eve.json:4'
jq -e 'any(.nodes[]; .name == "stage2")' out >jq.out || fail "the wrong contact"
contains out 'second'

# By number; the offset of its time counts.
expect_status 0 "$PROVGRAPH" --log "$log" --alert eve.json --alert-id 1 --utc --json
lacks err 'taking number'
jq -e 'any(.nodes[]; .name == "curl")' out >jq.out || fail "alert 1 is curl's"
expect_status 2 "$PROVGRAPH" --log "$log" --alert eve.json --alert-id 3
contains err 'has 2 alerts'
# Standard input.
expect_status 0 sh -c '"$0" --log "$1" --alert - --utc --json <eve.json' "$PROVGRAPH" "$log"
jq -e 'any(.nodes[]; .name == "stage2")' out >jq.out || fail "standard input"
# The reply's direction: the foreign end is the source.
eve 2025-11-20T04:00:02.000000+0000 10.0.0.5 443 192.0.2.10 40001 to_client 1 reply >reply.json
expect_status 0 "$PROVGRAPH" --log "$log" --alert reply.json --utc --json
jq -e 'any(.nodes[]; .name == "stage2")' out >jq.out || fail "to_client"
# An address that never occurs, and files without an alert.
eve 2025-11-20T04:00:02.000000+0000 192.0.2.10 1 203.0.113.9 443 to_server 1 stranger >stranger.json
expect_status 1 "$PROVGRAPH" --log "$log" --alert stranger.json --utc
contains err 203.0.113.9
: >empty.json
expect_status 2 "$PROVGRAPH" --log "$log" --alert empty.json
contains err 'holds no alert'
head -c 100 /dev/zero >zeros.json
expect_status 2 "$PROVGRAPH" --log "$log" --alert zeros.json
contains err 'holds no alert'
