#!/usr/bin/python3
"""What a disk holds after a power cut, from the journal that power_cut.so wrote.

    disk.py begin JOURNAL ROOT                 starts a journal: what is in the folder now, all of it durable
    disk.py show  JOURNAL                      lists it
    disk.py check JOURNAL ROOT                 is everything that happened to the folder in the journal? (the folder must be at rest)
    disk.py cut   JOURNAL OUT [--at N] [--random SEED] [--unit BYTES]
                                               the folder after a power cut behind record N (the end)

The model. Without --random, only what was fsynced survives:
  - of a file, what was written before its last completed fsync or fdatasync began; its size too;
  - of a folder, the names created, removed or renamed in it before its last completed fsync began; a new folder is a name in its parent;
  - a file whose name does not survive is lost, fsynced or not; a rename whose folder was not fsynced has not happened, and where its two
    folders differ each side is judged by its own folder.
With --random SEED, what was not fsynced survives or not by chance, as on a disk that was writing at that moment:
  - a file is torn at borders of --unit bytes (4096): each piece has the content of some moment since its last fsync, its neighbours another;
    its size is that of some moment, and where data did not arrive there are zeros;
  - a name operation survives by a coin (how fair, is drawn too), but never without the earlier ones on the same name; a rename is one
    operation unless one of its folders was fsynced.
Limits: times, owners and permissions are not modelled; a piece of --unit bytes is written whole; nothing that was fsynced is ever damaged.
"""

import argparse
import mmap
import pathlib
import random
import struct
import sys

MAGIC = 0x5453414C
HEADER = struct.Struct("<IIIIQQQQQII")
OPEN, WRITE, TRUNCATE, ZERO, EXTEND, SYNC_BEGIN, SYNC_END, RENAME, LINK, UNLINK, MKDIR, RMDIR, NOTE, UNKNOWN = range(1, 15)
NAMES = "? open write truncate zero extend sync-begin sync-end rename link unlink mkdir rmdir note UNKNOWN".split()
CREATED, TRUNCATED = 1, 2


class BadJournal(Exception):
    pass


class Record:
    __slots__ = ("kind", "process", "flags", "time", "inode", "token", "offset", "length", "source", "target", "data")

    def __str__(self):
        parts = [f"{self.time / 1e9:.6f}", str(self.process), NAMES[self.kind]]
        parts += [text for text in (self.source, self.target) if text]
        parts += [f"{name}={getattr(self, name)}" for name in ("inode", "flags", "token", "offset", "length") if getattr(self, name)]
        if self.kind == NOTE:
            parts.append(bytes(self.data).decode())
        return " ".join(parts)


def encode(kind, inode=0, offset=0, data=b"", source="", flags=0, token=0, time=0):
    path = source.encode()
    return HEADER.pack(MAGIC, kind, 0, flags, time, inode, token, offset, len(data), len(path), 0) + path + data


def records(journal):
    """Every record, in order. A record that was cut short by the end of its writer ends the journal."""
    if journal.stat().st_size == 0:
        return
    with open(journal, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        at = 0
        while at + HEADER.size <= len(text):
            record = Record()
            magic, record.kind, record.process, record.flags, record.time, record.inode, record.token, record.offset, record.length, source, target = (
                HEADER.unpack_from(text, at))
            if magic != MAGIC:
                raise BadJournal(f"{journal}: no record at byte {at}")
            at += HEADER.size
            record.source, record.target = text[at : at + source].decode(), text[at + source : at + source + target].decode()
            at += source + target
            size = record.length if record.kind in (WRITE, NOTE) else 0
            if at + size > len(text):
                return
            record.data = text[at : at + size]
            at += size
            if record.kind == UNKNOWN:
                raise BadJournal(f"the program did what is not modelled: {record.source}")
            yield record


def begin(journal, root):
    """Writes the folder as it is into a new journal, as durable."""
    root = root.resolve(strict=True)
    with open(journal, "wb") as out:
        out.write(encode(MKDIR, root.stat().st_ino, source=str(root)))
        for path in sorted(root.rglob("*")):
            status = path.stat()
            if path.is_dir():
                out.write(encode(MKDIR, status.st_ino, source=str(path)))
            else:
                out.write(encode(OPEN, status.st_ino, source=str(path), flags=CREATED))
                out.write(encode(WRITE, status.st_ino, data=path.read_bytes()))
        out.write(encode(SYNC_BEGIN) + encode(SYNC_END))


class File:
    def __init__(self):
        self.durable = bytearray()
        self.pending = []  # (sequence, kind, offset, data or size)


class Folder:
    def __init__(self):
        self.durable = {}
        self.names = {}
        self.pending = []  # (sequence, name, node or None)


def apply(content, kind, offset, value):
    if kind == WRITE:
        if len(content) < offset:
            content.extend(bytes(offset - len(content)))
        content[offset : offset + len(value)] = value
    elif kind == TRUNCATE:
        del content[offset:]
        content.extend(bytes(offset - len(content)))
    elif kind == ZERO:
        end = min(offset + value, len(content))
        content[offset:end] = bytes(max(0, end - offset))
    elif kind == EXTEND:
        content.extend(bytes(max(0, offset - len(content))))


class Disk:
    """The folder as programs see it, and what of it is durable."""

    def __init__(self):
        self.root = None
        self.top = Folder()
        self.nodes = {}  # inode → node; a number that is used again belongs to the newest
        self.syncs = {}  # (process, token) → sequence at which it began
        self.sequence = 0

    def folder(self, path):
        """(folder, name) of a path below the root."""
        parts = pathlib.PurePosixPath(path).relative_to(self.root).parts
        at = self.top
        for part in parts[:-1]:
            at = at.names[part]
        return at, parts[-1]

    def enter(self, path, node):
        folder, name = self.folder(path)
        if node is None:
            folder.names.pop(name, None)
        else:
            folder.names[name] = node
        folder.pending.append((self.sequence, name, node))

    def settle(self, node, until):
        """What was pending before `until` is durable."""
        done = 0
        for done, (sequence, *what) in enumerate(node.pending, 1):
            if sequence >= until:
                done -= 1
                break
            if isinstance(node, File):
                apply(node.durable, *what)
            elif what[1] is None:
                node.durable.pop(what[0], None)
            else:
                node.durable[what[0]] = what[1]
        del node.pending[:done]

    def everything(self):
        seen, left = {}, [self.top]
        while left:
            node = left.pop()
            if id(node) not in seen:
                seen[id(node)] = node
                if isinstance(node, Folder):
                    left += [*node.names.values(), *node.durable.values()]
        return seen.values()

    def do(self, record):
        self.sequence += 1
        kind = record.kind
        if kind in (WRITE, TRUNCATE, ZERO, EXTEND):
            value = record.data if kind == WRITE else record.length
            self.nodes[record.inode].pending.append((self.sequence, kind, record.offset, value))
        elif kind == SYNC_BEGIN:
            self.syncs[record.process, record.token] = self.sequence
        elif kind == SYNC_END:
            until = self.syncs.pop((record.process, record.token))
            for node in [self.nodes[record.inode]] if record.inode else self.everything():
                self.settle(node, until)
        elif kind == OPEN and record.flags & CREATED:
            self.nodes[record.inode] = File()
            if record.source:
                self.enter(record.source, self.nodes[record.inode])
        elif kind == OPEN:
            self.nodes[record.inode].pending.append((self.sequence, TRUNCATE, 0, 0))
        elif kind == MKDIR and self.root is None:
            self.root, self.nodes[record.inode] = record.source, self.top
        elif kind == MKDIR:
            self.nodes[record.inode] = Folder()
            self.enter(record.source, self.nodes[record.inode])
        elif kind == LINK:
            self.enter(record.source, self.nodes[record.inode])
        elif kind in (UNLINK, RMDIR):
            self.enter(record.source, None)
        elif kind == RENAME:
            folder, name = self.folder(record.source)
            node = folder.names[name]
            self.enter(record.source, None)
            self.enter(record.target, node)

    def now(self):
        """The folder as programs see it: path → bytes, or None for a folder."""
        def content(file):
            whole = bytearray(file.durable)
            for _, *what in file.pending:
                apply(whole, *what)
            return whole
        return tree(self.top, lambda folder: folder.names, content)

    def fsynced(self):
        return tree(self.top, lambda folder: folder.durable, lambda file: file.durable)

    def torn(self, seed, unit=4096):
        chance = random.Random(seed)
        names = self.surviving_names(chance)
        contents = {}
        def content(file):
            if id(file) not in contents:
                contents[id(file)] = torn_file(file, chance, unit)
            return contents[id(file)]
        return tree(self.top, lambda folder: names.get(id(folder), folder.durable), content)

    def surviving_names(self, chance):
        fair = chance.choice([0.1, 0.5, 0.9])
        operations = {}  # sequence → [(folder, name, node)]
        folders = [node for node in self.everything() if isinstance(node, Folder)]
        for folder in folders:
            for sequence, name, node in folder.pending:
                operations.setdefault(sequence, []).append((folder, name, node))
        names, lost = {id(folder): dict(folder.durable) for folder in folders}, set()
        for sequence in sorted(operations):
            touched = {(id(folder), name) for folder, name, _ in operations[sequence]}
            if touched & lost or chance.random() >= fair:
                lost |= touched
                continue
            for folder, name, node in operations[sequence]:
                if node is None:
                    names[id(folder)].pop(name, None)
                else:
                    names[id(folder)][name] = node
        return names


def torn_file(file, chance, unit):
    if not file.pending:
        return file.durable
    moments = len(file.pending)
    favour = chance.choice([0, moments, None])  # nearly nothing, nearly everything, anything
    def moment():
        return favour if favour is not None and chance.random() < 0.7 else chance.randint(0, moments)
    whole, sizes, chosen = bytearray(file.durable), [len(file.durable)], {}
    pieces = {}  # piece → its content at its moment
    def note(first, last, number):  # pieces that the operation before moment `number` touched are taken as they are if that is their moment
        for piece in range(first // unit, -(-last // unit)):
            if piece not in chosen:
                chosen[piece] = moment()
                pieces[piece] = bytes(file.durable[piece * unit : (piece + 1) * unit])
            if number <= chosen[piece]:
                pieces[piece] = bytes(whole[piece * unit : (piece + 1) * unit])
    for number, (_, kind, offset, value) in enumerate(file.pending, 1):
        before = len(whole)
        apply(whole, kind, offset, value)
        sizes.append(len(whole))
        if kind == TRUNCATE:
            note(min(offset, before), max(offset, before), number)
        elif kind in (WRITE, ZERO):
            note(offset, offset + (len(value) if kind == WRITE else value), number)
    size = sizes[moment()]
    result = bytearray(size)
    kept = bytes(file.durable[:size])
    result[: len(kept)] = kept
    for piece, content in pieces.items():
        start = piece * unit
        if start < size:
            content = content.ljust(unit, b"\0")[: size - start]
            result[start : start + len(content)] = content
    return result


def tree(top, names, content):
    found = {}
    def walk(folder, path):
        for name, node in names(folder).items():
            if isinstance(node, Folder):
                found[f"{path}{name}"] = None
                walk(node, f"{path}{name}/")
            else:
                found[f"{path}{name}"] = content(node)
    walk(top, "")
    return found


def replay(journal, at=None):
    disk = Disk()
    for number, record in enumerate(records(journal), 1):
        disk.do(record)
        if number == at:
            break
    return disk


def write(found, out):
    out.mkdir(parents=True)
    for path in sorted(found):
        if found[path] is None:
            (out / path).mkdir()
        else:
            (out / path).write_bytes(found[path])


def differences(found, root):
    """Where the journal and the folder disagree; SQLite's index of its log apart, which is written through memory."""
    here = {str(path.relative_to(root)): None if path.is_dir() else path.read_bytes() for path in root.rglob("*")}
    for path in sorted(here.keys() | found.keys()):
        if path not in here:
            yield f"{path}: in the journal, not in the folder"
        elif path not in found:
            yield f"{path}: in the folder, not in the journal"
        elif here[path] != found[path] and not path.endswith("-shm"):
            yield f"{path}: differs"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["begin", "show", "check", "cut"])
    parser.add_argument("journal", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path, nargs="?")
    parser.add_argument("--at", type=int)
    parser.add_argument("--random", metavar="SEED")
    parser.add_argument("--unit", type=int, default=4096)
    asked = parser.parse_args()
    if asked.what == "begin":
        begin(asked.journal, asked.folder)
    elif asked.what == "show":
        for number, record in enumerate(records(asked.journal), 1):
            print(number, record)
    elif asked.what == "check":
        found = list(differences(replay(asked.journal).now(), asked.folder))
        print("\n".join(found) or "nothing was missed")
        return 1 if found else 0
    else:
        disk = replay(asked.journal, asked.at)
        write(disk.fsynced() if asked.random is None else disk.torn(asked.random, asked.unit), asked.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
