"""Nothing that was acknowledged is lost: a few rounds of bench/serve/nothing_lost.py, after it has been shown to find what is wrong."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

SOURCE, BUILD = pathlib.Path(os.environ["LAPSE_SOURCE_DIR"]), pathlib.Path(os.environ["LAPSE_BINARY_DIR"])
FAULTY = pathlib.Path(__file__).resolve().parent / "faulty_server.py"


class NothingLost(unittest.TestCase):
    def setUp(self):
        self.out = pathlib.Path(tempfile.mkdtemp(prefix="lapse-nothing-lost-"))

    def rounds(self, program, *arguments, fault=""):
        run = subprocess.run(["/usr/bin/python3", str(SOURCE / "bench" / "serve" / "nothing_lost.py"), "--lapse", str(program), "--library",
                              str(BUILD / "bench" / "power_cut.so"), "--out", str(self.out), *arguments],
                             env={**os.environ, "FAULT": fault}, capture_output=True, text=True, timeout=1500)
        results = [json.loads(line) for line in (self.out / "rounds.jsonl").read_text().splitlines()]
        return run, results

    def finds(self, fault, kills, cuts, kinds):
        """It depends on chance whether a kill meets the fault, so there are several tries."""
        found = set()
        for _ in range(5):
            _, results = self.rounds(FAULTY, "--kills", str(kills), "--cuts", str(cuts), "--patience", "1", fault=fault)
            found |= {violation.partition(":")[0] for result in results for violation in result["violations"]}
            subprocess.run(["rm", "-rf", str(self.out)])
            if found & kinds:
                return
        self.fail(f"{fault}: {found}")

    def test_a_server_that_does_it_right_is_not_blamed(self):
        run, results = self.rounds(FAULTY, "--kills", "3", "--cuts", "4")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertGreater(sum(result["done"] for result in results), 100)
        subprocess.run(["rm", "-rf", str(self.out)])

    def test_what_only_a_power_cut_shows_is_found(self):
        for fault in ("commit", "blob", "name"):  # not fsynced: the database, a blob, its folder
            self.finds(fault, 0, 2, {"lost", "wrong", "unfinished"})

    def test_what_a_kill_shows_is_found(self):
        self.finds("early", 3, 0, {"complaint", "lost"})
        self.finds("worker", 4, 0, {"unfinished", "lost"})
        self.finds("recovery", 4, 0, {"lost", "complaint"})
        self.finds("again", 6, 0, {"duplicated"})
        self.finds("wrong", 1, 0, {"wrong"})

    @unittest.skipUnless((BUILD / "engines" / "lapse-engine-onnxruntime.so").exists(), "no ONNX Runtime engine")
    def test_the_server_loses_nothing(self):
        run, results = self.rounds(os.environ["LAPSE"], "--kills", "8", "--cuts", "8")
        self.assertEqual(run.returncode, 0, f"{run.stderr}\nkept in {self.out}")
        self.assertEqual(len(results), 16)
        self.assertGreater(sum(result["done"] for result in results), 500)
        subprocess.run(["rm", "-rf", str(self.out)])


if __name__ == "__main__":
    unittest.main()
