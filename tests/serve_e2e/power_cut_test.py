"""The simulated power cut, proved on programs whose faults are known: a tool that is blind would find nothing in the server either."""

import os
import pathlib
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import unittest

SOURCE = pathlib.Path(os.environ["LAPSE_SOURCE_DIR"])
sys.path.insert(0, str(SOURCE / "bench" / "serve" / "power_cut"))
import disk

LIBRARY = pathlib.Path(os.environ["LAPSE_BINARY_DIR"]) / "bench" / "power_cut.so"

PRELUDE = f"""
import os, sys, sqlite3, threading, mmap
sys.path.insert(0, {str(disk.__file__).rpartition('/')[0]!r})
def put(path, data, sync=True):
    file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    os.write(file, data)
    if sync: os.fsync(file)
    os.close(file)
def sync_folder(path):
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(folder)
    os.close(folder)
def told(text):
    print(text, flush=True)
"""


class PowerCut(unittest.TestCase):
    def setUp(self):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="lapse-power-cut-"))
        self.addCleanup(subprocess.run, ["rm", "-rf", str(self.work)])
        self.root, self.journal = self.work / "root", self.work / "journal"
        self.root.mkdir()
        self.rounds = 0

    def start(self, program, *arguments):
        disk.begin(self.journal, self.root)
        environment = {**os.environ, "LD_PRELOAD": str(LIBRARY), "LAPSE_POWER_CUT_ROOT": str(self.root), "LAPSE_POWER_CUT_JOURNAL": str(self.journal)}
        return subprocess.Popen(["/usr/bin/python3", "-c", PRELUDE + textwrap.dedent(program), *map(str, arguments)], cwd=self.root, env=environment,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run_whole(self, program):
        process = self.start(program)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, err)
        self.assertEqual(list(disk.differences(disk.replay(self.journal).now(), self.root)), [])
        return disk.replay(self.journal)

    def test_what_was_written_and_not_fsynced_is_gone(self):
        found = self.run_whole("put('a', b'x' * 10, sync=False); sync_folder('.')").fsynced()
        self.assertEqual(found, {"a": b""})

    def test_a_file_that_was_fsynced_is_lost_with_its_name(self):
        self.assertEqual(self.run_whole("put('a', b'x')").fsynced(), {})

    def test_a_rename_without_a_sync_of_its_folder_has_not_happened(self):
        found = self.run_whole("put('a', b'old'); sync_folder('.'); put('b', b'new'); os.rename('b', 'a')").fsynced()
        self.assertEqual(found, {"a": b"old"})

    def test_a_rename_before_the_fsync_of_what_is_renamed_leaves_an_empty_file(self):
        found = self.run_whole("put('b', b'new', sync=False); os.rename('b', 'a'); sync_folder('.')").fsynced()
        self.assertEqual(found, {"a": b""})

    def test_a_file_with_a_made_up_name_is_a_file_like_any_other(self):
        found = self.run_whole("""
            import ctypes
            name = ctypes.create_string_buffer(b"aXXXXXX")
            file = ctypes.CDLL(None).mkostemp(name, os.O_CLOEXEC)
            os.write(file, b"x")
            os.fsync(file)
            os.rename(name.value, "a")
            sync_folder(".")
            """).fsynced()
        self.assertEqual(found, {"a": b"x"})

    def test_a_new_folder_needs_a_sync_of_its_parent(self):
        self.assertEqual(self.run_whole("os.mkdir('d'); put('d/a', b'x'); sync_folder('d')").fsynced(), {})

    def test_who_does_it_right_loses_nothing(self):
        disk_after = self.run_whole("""
            os.mkdir('d'); sync_folder('.')
            put('d/tmp', b'x' * 9000); os.rename('d/tmp', 'd/a'); sync_folder('d')
            os.unlink('d/a'); put('d/b', b'y')
            """)
        self.assertEqual(disk_after.fsynced(), {"d": None, "d/a": b"x" * 9000})
        for seed in range(20):
            survived = disk_after.torn(seed)
            self.assertIn("d", survived)
            self.assertIn(survived.get("d/a"), (None, b"x" * 9000))

    def test_an_unlink_that_was_not_synced_comes_back(self):
        found = self.run_whole("put('a', b'x'); sync_folder('.'); os.unlink('a'); put('b', b'y')").fsynced()
        self.assertEqual(found, {"a": b"x"})

    def test_writes_that_come_while_an_fsync_is_on_are_not_made_durable_by_it(self):
        writer = [disk.encode(disk.MKDIR, 1, source="/r"), disk.encode(disk.OPEN, 2, source="/r/a", flags=disk.CREATED),
                  disk.encode(disk.SYNC_BEGIN, 1, token=1), disk.encode(disk.SYNC_END, 1, token=1),
                  disk.encode(disk.WRITE, 2, 0, b"one"), disk.encode(disk.SYNC_BEGIN, 2, token=2), disk.encode(disk.WRITE, 2, 3, b"two"),
                  disk.encode(disk.SYNC_END, 2, token=2)]
        self.journal.write_bytes(b"".join(writer))
        self.assertEqual(disk.replay(self.journal).fsynced(), {"a": b"one"})
        self.assertEqual(disk.replay(self.journal, 7).fsynced(), {"a": b""})

    def test_a_file_is_torn_where_it_was_not_fsynced_and_nowhere_else(self):
        disk_after = self.run_whole("""
            file = os.open('a', os.O_CREAT | os.O_RDWR); sync_folder('.')
            os.pwrite(file, b'1' * 16384, 0); os.fsync(file)
            for value in b'234': os.pwrite(file, bytes([value]) * 8192, 4096)
            """)
        pieces = set()
        for seed in range(200):
            content = bytes(disk_after.torn(seed)["a"])
            self.assertEqual((content[:4096], content[12288:]), (b"1" * 4096, b"1" * 4096))
            self.assertEqual(content, bytes(disk_after.torn(seed)["a"]))
            pieces.add((content[4096:8192], content[8192:12288]))
        self.assertTrue(all(len(set(piece)) == 1 for pair in pieces for piece in pair))
        self.assertEqual(len(pieces), 16)

    def test_threads_and_processes_are_in_one_order(self):
        self.run_whole("""
            def work(name):
                for i in range(100):
                    put(f'{name}.tmp', os.urandom(i * 50)); os.rename(f'{name}.tmp', f'{i % 7}')
                    with open('log', 'ab') as log: log.write(b'x' * i)
            children = [os.fork() for _ in range(2)]
            threads = [threading.Thread(target=work, args=(f'{os.getpid()}-{i}',)) for i in range(4)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            if all(children):
                for child in children: os.waitpid(child, 0)
            else:
                os._exit(0)
            """)

    def test_what_is_not_modelled_ends_the_program_loudly(self):
        for program in ("os.symlink('a', 'b')", "put('a', b'x' * 4096); mmap.mmap(os.open('a', os.O_RDWR), 4096)"):
            process = self.start(program)
            _, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, -signal.SIGABRT)
            self.assertIn("power_cut: ", err)
            with self.assertRaises(disk.BadJournal):
                disk.replay(self.journal)

    def test_what_passes_unseen_is_found_by_comparing(self):
        process = self.start("import ctypes; libc = ctypes.CDLL(None); put('a', b''); f = os.open('a', os.O_WRONLY); libc.syscall(1, f, b'unseen', 6)")
        process.communicate(timeout=60)
        self.assertEqual(list(disk.differences(disk.replay(self.journal).now(), self.root)), ["a: differs"])

    def cut_sqlite(self, synchronous, cuts, survivor):
        """Rows that were said to be committed before a power cut at a random place and are gone behind it, and databases that are broken."""
        subprocess.run(["rm", "-rf", str(self.root)])
        self.root.mkdir()
        process = self.start("""
            import disk
            journal = os.open(os.environ['LAPSE_POWER_CUT_JOURNAL'], os.O_WRONLY | os.O_APPEND)
            db = sqlite3.connect('db', isolation_level=None)
            db.execute('pragma journal_mode=wal'); db.execute(f'pragma synchronous={sys.argv[1]}'); db.execute('pragma wal_autocheckpoint=20')
            db.execute('create table t(n integer primary key, b blob)')
            n = 0
            while True:
                db.execute('insert into t values(?, randomblob(?))', (n, n % 17 * 300))
                os.write(journal, disk.encode(disk.NOTE, data=str(n).encode()))
                n += 1
                if n == 300: told('enough')
            """, synchronous)
        process.stdout.readline()
        process.kill()
        process.communicate()
        history = list(disk.records(self.journal))
        chance = random.Random(synchronous)
        acknowledged = lost = broken = 0
        for cut in range(cuts):
            at = chance.randrange(len(history) // 20, len(history))
            rows = {int(record.data) for record in history[:at] if record.kind == disk.NOTE}
            out = self.work / f"{synchronous}-{survivor.__name__}-{cut}"
            disk.write(survivor(disk.replay(self.journal, at), cut), out)
            try:
                db = sqlite3.connect(out / "db")
                there = {row[0] for row in db.execute("select n from t")}
                broken += db.execute("pragma integrity_check").fetchone()[0] != "ok"
            except sqlite3.DatabaseError:
                there, broken = set(), broken + 1
            acknowledged += len(rows)
            lost += len(rows - there)
        return acknowledged, lost, broken

    def fsynced(self, found, seed):
        return found.fsynced()

    def torn(self, found, seed):
        return found.torn(seed)

    def test_sqlite_that_syncs_each_commit_loses_no_row(self):
        for survivor in (self.fsynced, self.torn):
            acknowledged, lost, broken = self.cut_sqlite("full", 40, survivor)
            self.assertGreater(acknowledged, 1000)
            self.assertEqual((lost, broken), (0, 0), survivor.__name__)

    def test_sqlite_that_does_not_sync_loses_rows(self):
        for survivor in (self.fsynced, self.torn):
            _, lost, _ = self.cut_sqlite("off", 10, survivor)
            self.assertGreater(lost, 0, survivor.__name__)


if __name__ == "__main__":
    unittest.main()
