#!/bin/sh
# The status page of web01: tells whether a host answers. It trusts its query string, which is the hole.
printf 'Content-Type: text/plain\r\n\r\n'
host=$(printf '%s' "$QUERY_STRING" | sed 's/^host=//; s/%20/ /g; s/%7C/|/g; s/%3B/;/g')
eval "getent hosts $host"
echo "look-up finished"
