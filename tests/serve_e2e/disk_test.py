"""Disks that are full, read-only or damaged: said at once, met without loss, and left behind when they are well again."""

import ctypes
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from serving import LAPSE, SMALL, ServingCase

ROOT = os.geteuid() == 0
MIB = 1 << 20


def big(number):
    """A request of 256 KiB, each another."""
    rows = 256 * 1024 // 16
    header = json.dumps({"inputs": [{"name": "x", "shape": [rows, 4], "datatype": "FP32", "parameters": {"binary_data_size": rows * 16}}],
                         "parameters": {"binary_data_output": True}}).encode()
    return header + number.to_bytes(4, "little") * rows * 4, {"Inference-Header-Content-Length": str(len(header))}


class DiskCase(ServingCase):
    def refused_start(self):
        """Its only line and what helps, as an administrator sees them."""
        run = subprocess.run(self.server.command, capture_output=True, text=True, timeout=60)
        self.assertEqual(run.returncode, 70, run.stderr)
        self.assertEqual(run.stdout, "")
        line, hint = run.stderr.splitlines()
        self.assertTrue(hint.startswith("  hint: "), hint)
        return line

    def reasons(self):
        reply = self.client.ask("GET", "/v2/health/ready")
        document = reply.json()
        self.assertEqual(reply.status, 200 if document["ready"] else 503)
        return " ".join(document["reasons"])

    def fill(self, folder):
        """To the last byte; the file that did it."""
        file = pathlib.Path(folder) / "others"
        with open(file, "wb", buffering=0) as out:
            try:
                while out.write(bytes(4096)):
                    pass
            except OSError:
                pass
        return file


@unittest.skipUnless(ROOT, "only root may mount a file system of a few megabytes")
class FullDisk(DiskCase):
    models = {"echo": {"model": "sim:device=1ms"}, "slow": {"model": "sim:device=300ms"}}
    options = ("--min-free", "9MiB", "--max-attempts", "2", "--blob-grace", "0s")

    def prepare(self):
        data = self.folder / "data"
        data.mkdir()
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"none", str(data).encode(), b"tmpfs", 0, b"size=32m") != 0:
            self.skipTest(f"no file system can be mounted here: {os.strerror(ctypes.get_errno())}")
        self.addCleanup(libc.umount2, str(data).encode(), 2)

    def put_big(self, number):
        body, headers = big(number)
        return self.client.ask("PUT", f"/v2/jobs/big{number}?model=slow", body, headers)

    def test_nothing_acknowledged_is_lost_while_it_is_full_nor_blamed_on_the_job(self):
        for number in range(100):
            self.put(f"small{number}")  # so that the database has room in its log, and only the results have none
        accepted = [number for number in range(6) if self.put_big(number).status == 202]
        self.assertEqual(len(accepted), 6)
        others = self.fill(self.folder / "data")
        self.wait_for(lambda: "nearly full" in self.reasons(), "it is ready although its disk is full")
        refused = self.refused("PUT", "/v2/jobs/new?model=echo", SMALL, status=503, says="nearly full")
        self.assertTrue(refused.headers["Retry-After"])
        self.ask("POST", "/v2/models/echo/infer", SMALL)  # needs no disk
        self.wait_for(lambda: "disk is full" in self.log(), "the log does not say that the disk is full")
        self.ask("GET", "/v2/jobs/small0/result")
        others.unlink()
        for number in accepted:
            done = self.until(f"big{number}", "done", "failed")
            self.assertEqual(done["state"], "done", done)
            body, headers = big(number)
            result = self.ask("GET", done["result"]["href"])
            self.assertEqual(result.body[result.header_length():], body[int(headers["Inference-Header-Content-Length"]):])
        self.wait_for(lambda: not self.reasons(), "it is never ready again")
        self.put("new")

    def test_a_disk_that_jobs_have_filled_is_emptied_by_deleting_jobs(self):
        count = 0
        while self.put_big(count).status == 202:
            count += 1
        self.assertGreater(count, 20)
        self.wait_for(lambda: "which are the database's" in self.log(), "nothing says that there is no room for results")
        few = count // 3  # whose results have room when the others are gone
        for number in range(few, count):
            self.ask("DELETE", f"/v2/jobs/big{number}")
            self.until(f"big{number}", "done", "cancelled")
            self.assertEqual(self.ask("DELETE", f"/v2/jobs/big{number}").json()["deleted"], f"big{number}")
        for number in range(few):
            done = self.until(f"big{number}", "done", "failed")
            self.assertEqual(done["state"], "done", done)

    def test_a_start_on_a_full_disk_is_refused_and_changes_nothing(self):
        self.put("one")
        self.until("one", "done")
        self.assertEqual(self.server.stop(), 0)
        others = self.fill(self.folder / "data")
        self.assertRegex(self.refused_start(), "No space left|disk is full")
        others.unlink()
        self.server.process.stdout.close()
        self.server.start()
        self.assertEqual(self.job("one")["state"], "done")


class ReadOnly(DiskCase):
    def test_a_folder_that_cannot_be_written_is_said(self):
        self.put("one")
        self.until("one", "done")
        self.assertEqual(self.server.stop(), 0)
        data = self.folder / "data"
        if ROOT:  # root may write everywhere but where it has given up the right to
            self.server.command[:0] = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
        for folder, said in ((data, "lock"), (data / "blobs", "blobs")):
            modes = {path: path.stat().st_mode for path in (folder, *folder.iterdir())}
            for path in modes:
                path.chmod(0o500 if path.is_dir() else 0o400)
            line = self.refused_start()
            self.assertIn("Permission denied", line)
            self.assertIn(said, line)
            for path, mode in modes.items():
                path.chmod(mode)
        self.server.process.stdout.close()
        self.server.start()
        self.assertEqual(self.job("one")["state"], "done")

    def test_the_data_of_jobs_is_for_the_servers_user_alone(self):
        self.put("one")
        self.until("one", "done")
        data = self.folder / "data"
        data.chmod(0o755)
        readable = [path for path in data.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
        self.assertEqual(readable, [])


class Damaged(DiskCase):
    def test_a_page_that_is_damaged_is_said_once_it_is_met(self):
        for number in range(200):
            self.put(f"job{number}")
        self.until("job199", "done")
        self.assertEqual(self.server.stop(), 0)
        self.server.process.stdout.close()
        database = self.folder / "data" / "jobs.sqlite"
        page = 4096
        healthy = database.read_bytes()
        leaf = 13  # of a table: https://www.sqlite.org/fileformat.html, section 1.6
        start = next(at for at in range(page, len(healthy), page)
                     if healthy[at] == leaf and b"job100" in healthy[at:at + page] and b"application/json" in healthy[at:at + page])
        database.write_bytes(healthy[:start] + b"\x5a" * page + healthy[start + page:])
        self.server.start()
        for number in range(200):
            self.client.ask("GET", f"/v2/jobs/job{number}")
        self.client.ask("GET", "/v2/jobs?limit=1000")
        self.wait_for(lambda: "jobs.sqlite is damaged" in self.reasons(), "it is ready although its database is damaged")
        self.refused("PUT", "/v2/jobs/new?model=echo", SMALL, status=503, says="damaged")
        self.ask("GET", "/v2/health/live")


class DamagedTokens(DiskCase):
    options = ("--auth", "token")

    def test_a_token_file_that_is_damaged_is_said_to_everybody_and_lets_nobody_in(self):
        made = subprocess.run([LAPSE, "token", "create", "--data", str(self.folder / "data"), "--owner", "ann"], capture_output=True, text=True)
        headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
        self.wait_for(lambda: self.client.ask("GET", "/v2/jobs", headers=headers).status == 200, "a new token is never known")
        file = self.folder / "data" / "tokens.json"
        sound = file.read_bytes()
        file.write_bytes(sound[:-5])
        self.wait_for(lambda: "tokens.json is damaged" in self.reasons(), "it is ready although nobody can get in")
        self.assertNotEqual(self.client.ask("GET", "/v2/jobs", headers=headers).status, 200)
        file.write_bytes(sound)
        self.wait_for(lambda: not self.reasons(), "it is never ready again")
        self.assertEqual(self.client.ask("GET", "/v2/jobs", headers=headers).status, 200)


if __name__ == "__main__":
    unittest.main()
