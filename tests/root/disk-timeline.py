# SPDX-License-Identifier: MIT
# What happens to logs, for tests/root/disk-timeline.sh:  disk-timeline.py FOLDER APPENDS  writes what was done and when, a JSON object a line.
# Every step is made durable by fsync of its file and its folder: sync(1) would write everything home and hide what only the journal shows.
import ctypes
import json
import os
import subprocess
import sys
import time

root, appends = sys.argv[1], int(sys.argv[2])
libc = ctypes.CDLL(None, use_errno=True)
SYNC_FILE_RANGE_ALL = 7  # wait before, write, wait after: linux/fs.h


def tell(step, name, begin):
    path = os.path.join(root, 'log', name)
    said = {'step': step, 'name': name, 'begin': begin, 'end': time.time_ns()}
    if os.path.lexists(path):
        s = os.stat(path)
        said.update(inode=s.st_ino, size=s.st_size, mtime=s.st_mtime_ns)
        with open(path, 'rb') as f:
            said['text'] = f.read().decode()
    print(json.dumps(said), flush=True)


def sync_folder():
    fd = os.open(os.path.join(root, 'log'), os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


def write(name, text, flags=os.O_APPEND | os.O_CREAT, at=None, sync=True):
    fd = os.open(os.path.join(root, 'log', name), os.O_WRONLY | flags, 0o640)
    if at is None:
        os.write(fd, text)
    else:
        os.pwrite(fd, text, at)
    if sync:
        os.fsync(fd)
    os.close(fd)


def lines(first, last, word='line'):
    return b''.join(b'%s %03d of the log\n' % (word.encode(), i) for i in range(first, last))


def path(name):
    return os.path.join(root, 'log', name)


def step(name):
    def run(work):
        begin = time.time_ns()
        work()
        tell(work.__name__, name, begin)
    return run


os.mkdir(os.path.join(root, 'log'))
begin = time.time_ns()
write('auth', b'')
sync_folder()
tell('created', 'auth', begin)
fd = os.open(path('auth'), os.O_WRONLY | os.O_APPEND)
for i in range(appends):
    begin = time.time_ns()
    os.write(fd, b'sshd[%d]: Failed password for root from 192.0.2.%d\n' % (i, i % 250))
    os.fsync(fd)
    s = os.fstat(fd)
    print(json.dumps({'step': 'append', 'name': 'auth', 'begin': begin, 'end': time.time_ns(), 'size': s.st_size, 'mtime': s.st_mtime_ns}))
os.close(fd)
for name in 'kept', 'inplace', 'edited', 'cut', 'again', 'over', 'rotated', 'copied', 'emptied', 'pending':
    write(name, lines(0, 200))
sync_folder()
tell('base', 'kept', begin)
time.sleep(0.3)


@step('inplace')
def inplace():
    write('inplace', b'LINE', 0, at=20 * 18)


@step('inplace')
def inplace_grows():
    write('inplace', lines(200, 210))


@step('edited')
def edited_evil():
    write('edited', b'line EVIL of the log\n')
    write('edited', lines(200, 205))


@step('edited')
def edited_clean():
    subprocess.run(['sed', '-i', '/EVIL/d', path('edited')], check=True)
    sync_folder()
    write('edited', b'', 0)


@step('cut')
def cut():
    os.truncate(path('cut'), 20 * 50)
    write('cut', b'', 0)


@step('again')
def again_gone():
    os.remove(path('again'))
    sync_folder()


@step('again')
def again_new():
    write('again', lines(0, 3, 'new'))
    sync_folder()


@step('over')
def over():
    write('over.new', lines(0, 100) + lines(101, 200))
    os.rename(path('over.new'), path('over'))
    sync_folder()


@step('rotated')
def rotated():
    os.rename(path('rotated'), path('rotated.1'))
    write('rotated', b'')
    sync_folder()


@step('rotated')
def rotated_grows():
    write('rotated', lines(200, 230))


@step('copied')
def copied():
    os.rename(path('copied'), path('copied.old'))
    write('copied', lines(0, 50) + lines(60, 200))
    sync_folder()


@step('emptied')
def emptied():
    write('emptied', lines(0, 20) + lines(21, 200), os.O_TRUNC)


@step('never')
def never():
    write('never', lines(0, 5), sync=False)
    os.remove(path('never'))


@step('brief')
def brief():
    write('brief', lines(0, 5))
    sync_folder()


@step('brief')
def brief_gone():
    os.remove(path('brief'))
    sync_folder()


# The size is committed within a second (commit=1), the data not yet; then the data alone.
begin = time.time_ns()
fd = os.open(path('pending'), os.O_WRONLY | os.O_APPEND)
os.write(fd, b'33 bytes that are on their way..\n')
tell('pending_written', 'pending', begin)
time.sleep(2.5)
begin = time.time_ns()
tell('pending_committed', 'pending', begin)
libc.sync_file_range(fd, ctypes.c_int64(0), ctypes.c_int64(0), SYNC_FILE_RANGE_ALL)
tell('pending_arrived', 'pending', begin)
os.close(fd)
time.sleep(0.2)
tell('end', 'kept', begin)
