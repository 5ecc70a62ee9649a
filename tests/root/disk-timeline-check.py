# SPDX-License-Identifier: MIT
# disk-timeline-check.py PROVGRAPH HISTORY TRUTH JOURNALED VIEWS: what `disk log`, `tamper`, `diff` and `files` tell of tests/root/disk-timeline.py's
# work, against what that saw (TRUTH) and against views at single moments. JOURNALED: 1 when data goes through the journal (data=journal).
# VIEWS: states of each file that are held against views (three each).
import json
import random
import subprocess
import sys

provgraph, history, truth_file = sys.argv[1:4]
journaled = sys.argv[4] == '1'
wanted_views = int(sys.argv[5])
truth = [json.loads(line) for line in open(truth_file)]
steps = {t['step']: t for t in truth if t['step'] != 'append'}
rng = random.Random(1)
wrong = []


def check(holds, *what):
    if not holds:
        wrong.append(' '.join(str(w) for w in what))


def run(*arguments):
    done = subprocess.run([provgraph, 'disk', *arguments, '--quiet'], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stdout, done.stderr


def objects(verb, *arguments, want=0):
    status, out, err = run(verb, history, *arguments, '--json')
    check(status == want, verb, arguments, 'status', status, err)
    return [json.loads(line) for line in out.splitlines()]


def at(ns):
    return '@%d.%09d' % divmod(ns, 10**9)


def cat(moment, name):
    status, out, err = run('cat', history, moment, '/log/' + name)
    check(status in (0, 1), 'cat', moment, name, err)
    return out if status == 0 else None


views = {}
FACTS = 'inode', 'generation', 'size', 'mode', 'uid', 'gid', 'links', 'modified', 'changed'


def view(seq, name):  # facts and content of a file at one moment; None: not there
    if (seq, name) not in views:
        status, out, _ = run('ls', history, 'seq:%d' % seq, '/log/' + name, '--json')
        facts = json.loads(out) if status == 0 else None
        views[seq, name] = facts and ({k: facts[k] for k in FACTS}, cat('seq:%d' % seq, name))
    return views[seq, name]


def is_gone(state):
    return 'deleted' in state['change'] and 'appeared' not in state['change']


# ---- each state against the views right before it, at it, and right before the next one

def check_state(name, state, before, here, later):
    where = '%s seq:%d %s:' % (name, state['seq'], state['change'])
    change = state['change']
    if is_gone(state):
        check(here is None, where, 'is still there')
        return
    if here is None:
        check(False, where, 'is not there')
        return
    for key in FACTS:
        check(here[0][key] == state[key], where, key, here[0][key], state[key])
    check(here == later, where, 'is another before the next state begins')
    check(before != here, where, 'nothing changed')
    check(('appeared' in change) == (before is None), where, 'was it there before?')
    if before is None or 'replaced' in change:
        return
    old, new = before[1], here[1]
    common, first, last = min(len(old), len(new)), state['changed_from'], state['changed_to']
    check(old[:min(first, common)] == new[:min(first, common)] and old[last:] == new[last:], where, 'differs outside', first, last)
    check(('rewritten' in change or 'arrived' in change) != (old[:common] == new[:common]), where, 'content?')
    check('arrived' not in change or all(a == b or a == 0 for a, b in zip(old, new)), where, 'came in over bytes that were there')
    check(('grew' in change) == (len(new) > len(old)), where, 'grew?')
    check(('cut' in change) == (len(new) < len(old)), where, 'cut?')


last_seq = json.loads(run('info', '--json', history)[1])['last_seq']
states = {}
for name in 'auth', 'kept', 'inplace', 'edited', 'cut', 'again', 'over', 'rotated', 'copied', 'emptied', 'pending', 'brief':
    states[name] = found = objects('log', '/log/' + name)
    chosen = range(len(found)) if len(found) <= wanted_views else sorted(rng.sample(range(len(found)), wanted_views))
    for i in chosen:
        end = found[i + 1]['seq'] - 1 if i + 1 < len(found) else last_seq
        check_state(name, found[i], view(found[i]['seq'] - 1, name), view(found[i]['seq'], name), view(end, name))
    for _ in range(wanted_views // 3):  # and what is in force at any moment
        seq = rng.randint(1, last_seq)
        force = [s for s in found if s['seq'] <= seq]
        there = bool(force) and not is_gone(force[-1])
        check((view(seq, name) is not None) == there, name, 'seq:%d' % seq, 'is it there?')
        if there and view(seq, name):
            check(view(seq, name)[0]['modified'] == force[-1]['modified'], name, 'seq:%d' % seq, 'is in another state')

# ---- appends: a state for each, in time

appends = [t for t in truth if t['step'] == 'append']
created, grown = states['auth'][0], states['auth'][1:]
check(created['size'] == 0 and created['change'] == ['appeared'], 'auth begins with', created)
check(len(grown) == len(appends), len(appends), 'appends gave', len(grown), 'states behind the first')
for t, s in zip(appends, grown):
    check((s['size'], s['modified_ns'], s['change']) == (t['size'], t['mtime'], ['grew']), 'append', t, s)
    check(t['begin'] <= s['arrival_ns'] <= t['end'], 'append arrived', s['arrival_ns'], 'between', t['begin'], t['end'])
check(len(appends) < 200 or sum(s['from_journal'] for s in grown) > len(appends) / 2, 'most states should be in the journal only')

# ---- what was durable at the end of a step is what a view shows then

for t in truth:
    if t['step'] not in ('append', 'pending_written', 'pending_committed', 'end', 'never'):
        content = cat(at(t['end']), t['name'])
        check((content.decode() if content is not None else None) == t.get('text'), t['step'], 'shows', content)

# ---- what changed, in words

def changes(name):  # without states in which only metadata differ
    return [sorted(s['change']) for s in states[name] if s['change'] != ['metadata']]


check(changes('kept') == [['appeared']], 'kept', changes('kept'))
check(changes('inplace') == [['appeared'], ['rewritten'], ['grew']], 'inplace', changes('inplace'))
check(changes('again') == [['appeared'], ['deleted'], ['appeared']], 'again', changes('again'))
check(changes('over')[:2] == [['appeared'], ['replaced']], 'over', changes('over'))
check(changes('rotated') == [['appeared'], ['renamed', 'replaced'], ['grew']], 'rotated', changes('rotated'))
check(changes('brief') == [['appeared'], ['deleted']], 'brief', changes('brief'))
check('cut' in sum(changes('cut'), []) and states['cut'][-1]['size'] == 1000, 'cut', changes('cut'))
check(run('log', history, '/log/never')[0] == 1, 'a file that never reached the disk is told')
pending = states['pending']
if journaled:
    check(changes('pending') == [['appeared'], ['grew']] and pending[-1]['pending_bytes'] == 0, 'pending', pending)
else:
    check(changes('pending') == [['appeared'], ['grew'], ['arrived']], 'pending', changes('pending'))
    check([s['pending_bytes'] for s in pending[-2:]] == [33, 0], 'pending', pending)
    check(steps['pending_committed']['begin'] <= pending[-1]['arrival_ns'] <= steps['pending_arrived']['end'], 'pending arrived', pending[-1])
    # A restore in between says so, and when it is there.
    done = subprocess.run([provgraph, 'disk', 'cat', history, 'seq:%d' % pending[-2]['seq'], '/log/pending'], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    check(done.returncode == 0 and done.stdout[-33:] == bytes(33), 'pending, restored', done.stdout[-40:])
    check(b'content pending: 33 bytes' in done.stderr and b'never reached' not in done.stderr, 'pending, restored', done.stderr)
    # Asked while it is on its way, the answer looks ahead.
    early = objects('log', '/log/pending', '--to', 'seq:%d' % (pending[-1]['seq'] - 1))
    check(early[-1]['pending_bytes'] == 33, 'pending, asked early', early[-1])
by_inode = objects('log', '--inode', str(steps['inplace']['inode']))
check([s['seq'] for s in by_inode] == [s['seq'] for s in states['inplace']], 'inplace by inode', by_inode)
rest = objects('log', '/log/inplace', '--from', 'seq:%d' % states['inplace'][1]['seq'])
check(rest[0]['change'] == [] and [s['seq'] for s in rest[1:]] == [s['seq'] for s in states['inplace'][2:]], 'inplace from its second state', rest)

# ---- tampering

for name in 'auth', 'kept', 'pending', 'rotated':
    check(objects('tamper', '/log/' + name) == [], name, 'is told as tampered with')


def tampered(name, act, line, removed, added, before, after):
    found = objects('tamper', '/log/' + name, want=1)
    check(len(found) == 1, name, found)
    for f in found[:1]:
        check(act in f['change'], name, f['change'])
        got = f['line'], f['lines_removed'], f['lines_added'], f['before'], f['after']
        check(got == (line, removed, added, before, after), name, got)
        check(cat('seq:%d' % f['before_seq'], name) != cat('seq:%d' % f['seq'], name), name, 'is the same before')


def line(n):
    return 'line %03d of the log\n' % n


tampered('inplace', 'rewritten', 19, 1, 1, line(18), 'LINE 018 of the log\n')
tampered('edited', 'replaced', 201, 1, 0, 'line EVIL of the log\n', '')
tampered('cut', 'cut', 51, 150, 0, ''.join(line(i) for i in range(50, 200))[:4096], '')
tampered('over', 'replaced', 101, 1, 0, line(100), '')
tampered('copied', 'replaced', 51, 10, 0, ''.join(line(i) for i in range(50, 60)), '')
tampered('emptied', 'rewritten' if changes('emptied')[1] != ['cut'] else 'cut', 21, 1, 0, line(20), '')
tampered('again', 'deleted', 1, 200, 0, ''.join(line(i) for i in range(200))[:4096], '')

# ---- two moments, and the span between them

base, end = at(steps['base']['end']), at(steps['end']['end'])
differences = {d['path']: (d['what'], d['size_before'], d['size_after']) for d in objects('diff', base, end, want=1)}
want = {'/log/' + name: ('size', 4000, steps[step]['size']) for name, step in (
    ('inplace', 'inplace_grows'), ('edited', 'edited_clean'), ('cut', 'cut'), ('again', 'again_new'), ('over', 'over'), ('rotated', 'rotated_grows'),
    ('copied', 'copied'), ('emptied', 'emptied'), ('pending', 'pending_arrived'))}
want['/log/rotated.1'] = want['/log/copied.old'] = ('added', 0, 4000)
check(differences == want, 'diff', differences)
check(objects('diff', end, end) == [], 'a moment differs from itself')
files = {}
for f in objects('files', base, end):
    files.setdefault(f.get('path'), []).append(f)
want_files = set(want) | {'/log/brief'}
check(set(files) - {None} == want_files, 'files', sorted(set(files) ^ want_files, key=str))
check([f['what'] for f in files.get('/log/brief', [])] == ['came-and-went'], 'brief', files.get('/log/brief'))
for name, step in ('inplace', 'inplace_grows'), ('cut', 'cut'), ('brief', 'brief_gone'), ('rotated', 'rotated_grows'):
    f = files.get('/log/' + name, [{'changed_ns': 0}])[0]
    check(steps[step]['begin'] <= f['changed_ns'] <= steps[step]['end'], name, 'last changed', f['changed_ns'], steps[step])

for w in wrong[:20]:
    print(w)
print('%d states, %d views, %d wrong' % (sum(len(s) for s in states.values()), len(views), len(wrong)))
sys.exit(1 if wrong else 0)
