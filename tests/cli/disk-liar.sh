#!/bin/sh
# SPDX-License-Identifier: MIT
# A reader of guest bytes that was taken over, or is of another installation: provgraph says so, ends, and leaves nothing behind.
. "$SRCDIR/tests/lib.sh"
requires python3 timeout
mkdir bin
cp "$PROVGRAPH" bin/provgraph
python3=$(command -v python3)
protocol=$(sed -n "s/^#define FSREAD_PROTOCOL \([0-9]*\).*/\1/p" "$SRCDIR/snapshots/fsread.h")
# Plays what stands in ./lie beside it; its environment is empty.
cat >bin/provgraph-fsread <<END
#!$python3
import os, signal, struct, sys, time
lie = open(os.path.join(os.path.dirname(os.path.abspath(sys.argv[0] if '/' in sys.argv[0] else '$PWD/bin/x')), 'lie')).read().strip()
out = sys.stdout.buffer
u64 = lambda v: struct.pack('<Q', v)
text = lambda b: struct.pack('<I', len(b)) + b
def frame(kind, payload=b''):
    out.write(struct.pack('<II', kind, len(payload)) + payload)
    out.flush()
def file(path=b'/f', size=4, kind=1, mode=0o100644, target=None):
    return b''.join(map(u64, (12, size, 8, 0, mode, 0, 0, 1, 0, kind, 0, 0, 0, 0, 0))) + u64(1) + text(path) + u64(target is not None) + text(target or b'')
END_, WARNING, ERROR, FILE, DATA, VERDICT = 13, 3, 2, 7, 8, 9
if lie == 'silent exit': sys.exit(3)
if lie == 'other version': frame(1, u64(99)); time.sleep(60)
if lie == 'no greeting': frame(END_); time.sleep(60)
if lie == 'text': out.write(b'hello, who is there? ' * 10); out.flush(); time.sleep(60)
frame(1, u64($protocol))
if lie == 'killed': os.kill(os.getpid(), signal.SIGKILL)
if lie == 'sandbox': os.kill(os.getpid(), signal.SIGSYS)
if lie == 'crash': os.kill(os.getpid(), signal.SIGSEGV)
if lie == 'cpu': os.kill(os.getpid(), signal.SIGXCPU)
if lie == 'huge frame': out.write(struct.pack('<II', 7, 0xFFFFFFF0)); out.flush(); time.sleep(60)
if lie == 'cut file': frame(FILE, file()[:-3]); frame(END_)
if lie == 'kind': frame(FILE, file(kind=77)); frame(END_)
if lie == 'two files': frame(FILE, file()); frame(FILE, file()); frame(END_)
if lie == 'nothing': frame(END_)
if lie == 'data first': frame(DATA, u64(0) + text(b'abcd')); frame(END_)
if lie == 'beyond': frame(FILE, file()); frame(DATA, u64(3) + text(b'abcd')); frame(END_)
if lie == 'wraps': frame(FILE, file(size=2**64 - 1)); frame(DATA, u64(2**64 - 2) + text(b'abcd')); frame(END_)
if lie == 'backwards': frame(FILE, file(size=9)); frame(DATA, u64(5) + text(b'abcd')); frame(DATA, u64(0) + text(b'abcd')); frame(END_)
if lie == 'no end': frame(FILE, file()); frame(DATA, u64(0) + text(b'abcd'))
if lie == 'after the end': frame(FILE, file()); frame(DATA, u64(0) + text(b'abcd')); frame(END_); frame(FILE, file())
if lie == 'verdict': frame(FILE, file()); frame(VERDICT, u64(9) * 7); frame(END_)
if lie == 'error': frame(ERROR, u64(1) + text(b'\x1b[2Jerase\nyour screen'))
if lie == 'descriptors':
    try: os.fstat(9); frame(ERROR, u64(1) + text(b'descriptor 9 is open'))
    except OSError: frame(ERROR, u64(1) + text(b'descriptor 9 is closed'))
if lie == 'long error': frame(ERROR, u64(77) + text(b'x' * 100000))
if lie == 'warnings':
    for i in range(20000): frame(WARNING, text(b'\x1b]0;title\x07 ' + b'w' * 100))
    frame(FILE, file()); frame(DATA, u64(0) + text(b'abcd')); frame(END_)
if lie == 'flood':
    frame(FILE, file())
    while True: frame(4, b'x' * 4000000)
if lie == 'more': frame(FILE, file(size=2**62)); frame(DATA, u64(0) + text(b'abcd')); time.sleep(60)
# Lines of a log: frames 17. Samples of a clock: 15.
words = lambda *values: b''.join(map(u64, values))
line = lambda seq, word: frame(17, words(1, seq, 0, 12, 1) + text(word))
if lie == 'line': line(0, b'a line'); frame(END_)
if lie == 'line cut': frame(17, words(1, 0, 0, 12, 1) + text(b'a line')[:-1]); frame(END_)
if lie == 'line late': line(1, b'a line'); frame(END_)
if lie == 'line NUL': line(0, b'a\\0line'); frame(END_)
if lie == 'line newline': line(0, b'a\\nline'); frame(END_)
if lie == 'line empty': line(0, b''); frame(END_)
if lie == 'line long': line(0, b'x' * 65537); frame(END_)
if lie == 'line unknown': frame(17, words(9, 0)); frame(END_)
if lie == 'line gone never': line(0, b'a line'); frame(17, words(2, 1, 0, 0, 8)); frame(END_)
if lie == 'line gone late': line(0, b'a line'); frame(17, words(2, 0, 7, 0, 8)); frame(END_)
if lie == 'line anew': frame(17, words(3)); frame(17, words(3)); frame(END_)
if lie == 'line file': frame(FILE, file()); frame(END_)
sample = lambda *values: (frame(15, words(0)), frame(15, words(1, *values)), frame(END_))
if lie == 'sample': sample(10**18, 10**18 - 10**6, 10**18, 0)
if lie == 'sample backwards': sample(10**18, 10**18 + 1, 10**18, 0)
if lie == 'sample late': sample(2**63, 0, 10**18, 0)
if lie == 'sample guest': sample(10**18, 0, 2**62, 0)
if lie == 'sample cut': sample(10**18, 0)
if lie == 'sample epoch': sample(10**18, 0, 10**18, 1)
if lie == 'sample epochs': sample(10**18, 0, 10**18, 0, 10**18, 0, 10**18, 2**32 - 1)
if lie == 'sample source': frame(15, words(4)); frame(END_)
if lie == 'sample file': frame(FILE, file()); frame(END_)
if lie == 'sample times':
    frame(15, words(0, 2**64 - 1, 0, 2**63)); frame(15, words(3, 2**64 - 1, 0))
    frame(15, words(1, 10**18, 0, 10**18, 0, 1, 0, 2**62 - 1, 1, 2**62 - 1, 0, 1, 1, 5, 5, 5, 2)); frame(END_)
if lie == 'hangs after the end': frame(FILE, file()); frame(DATA, u64(0) + text(b'abcd')); frame(END_); out.close(); os.close(1); time.sleep(60)
END
chmod +x bin/provgraph-fsread
"$PROVGRAPH" disk init h --size 1M 2>log || fail "$(cat log)"

lie() { # STATUS LIE WORDS
	echo "$2" >bin/lie
	status=0
	timeout 50 bin/provgraph disk cat h seq:0 /f -o out.file --max-bytes 8M >out 2>err || status=$?
	[ $status -eq "$1" ] || fail "$2: status $status: $(head -c 300 err)"
	[ -z "$3" ] || contains err "$3"
	if LC_ALL=C grep -q "$(printf '[\001-\010\013-\037\177]')" err; then fail "$2: control characters in a message"; fi
	[ "$(wc -c <err)" -lt 200000 ] || fail "$2: $(wc -c <err) bytes of messages"
	[ "$1" -eq 0 ] || no_files out.file .prov*
	rm -f out.file
}
lie 2 'silent exit' 'without a whole answer'
lie 2 'other version' 'not of one installation'
lie 2 'no greeting' 'does not speak as it should'
lie 2 'text' 'no frame'
lie 2 'killed' 'was killed'
lie 2 'sandbox' 'sandbox'
lie 2 'crash' 'died of signal 11'
lie 2 'cpu' 'CPU time'
lie 2 'huge frame' 'no frame'
lie 2 'cut file' 'cut or out of bounds'
lie 2 'kind' 'out of bounds'
lie 2 'two files' 'two files'
lie 2 'nothing' 'no file'
lie 2 'data first' 'without a file'
lie 2 'beyond' 'beyond the end'
lie 2 'wraps' ''
lie 2 'backwards' 'out of order'
lie 2 'no end' 'without a whole answer'
lie 2 'after the end' 'last word'
lie 2 'verdict' ''
lie 2 'error' 'erase'
lie 2 'long error' ''
lie 0 'warnings' ''
lie 2 'flood' 'larger than the limit'
lie 2 'more' '--max-bytes'
lie 0 'hangs after the end' ''
lie_about() { # STATUS LIE WORDS VERB [PATH]
	echo "$2" >bin/lie
	wanted=$1 words=$3 lie=$2
	shift 3
	status=0
	verb=$1
	shift
	timeout 50 bin/provgraph disk "$verb" h "$@" >out 2>err || status=$?
	[ $status -eq "$wanted" ] || fail "$lie: status $status: $(head -c 300 err)"
	[ -z "$words" ] || contains err "$words"
}
lie_about 0 'line' '' lost /log
for lie in 'line late' 'line NUL' 'line newline' 'line empty' 'line long' 'line gone late'; do
	lie_about 2 "$lie" 'that cannot be' lost /log
done
lie_about 2 'line cut' 'out of bounds' lost /log
lie_about 2 'line unknown' 'nobody asked for' lost /log
lie_about 2 'line gone never' 'never sent' lost /log
lie_about 2 'line anew' 'a third time' lost /log
lie_about 2 'line file' 'nobody asked for' lost /log
lie_about 0 'sample' '' clock
for lie in 'sample backwards' 'sample late' 'sample guest' 'sample epoch' 'sample epochs'; do
	lie_about 2 "$lie" 'that cannot be' clock
done
lie_about 2 'sample cut' 'out of bounds' clock
lie_about 2 'sample source' 'nobody asked for' clock
lie_about 2 'sample file' 'nobody asked for' clock
lie_about 0 'sample times' '' clock # nonsense that is none of ours to judge; it ends
# Nothing that we inherited is handed on.
exec 9>inherited
lie 2 'descriptors' 'descriptor 9 is closed'
exec 9>&-
# Not there at all.
rm bin/provgraph-fsread
status=0
PATH=/usr/bin:/bin bin/provgraph disk cat h seq:0 /f -o out.file >out 2>err || status=$?
[ $status -eq 2 ] || fail "no reader: status $status"
