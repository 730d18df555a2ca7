"""Latency against the pause before each inference: lapse time --idle."""

import csv
import json
import subprocess
import time
import unittest

from case import Case, LAPSE, interrupt

SLEEPY = "sim:device=1ms,sleep=5ms,wake=2ms"  # after 5 ms without work it takes 3 ms


class Idle(Case):
    def test_in_virtual_time_the_curve_is_exact(self):
        result = self.json(SLEEPY + ",time=virtual", "--idle", "100ms,0,1ms,10ms")
        self.assertEqual([gap["gap_ns"] for gap in result["idle"]], [0, 1e6, 10e6, 100e6])
        self.assertEqual([gap["slept_ns"] for gap in result["idle"]], [0, 1e6, 10e6, 100e6])
        for gap, ratio in zip(result["idle"], (1, 1, 3, 3)):
            self.assertEqual({key: round(value, 9) for key, value in gap["ratio"].items() if key != "effective"}, {"value": ratio, "low": ratio, "high": ratio})
        for gap, expected in zip(result["idle"], (1e6, 1e6, 3e6, 3e6)):
            self.assertEqual(set(gap["samples"]["end_to_end_ns"]), {expected})
            median = gap["summary"]["end_to_end"]["median_ns"]
            self.assertEqual((median["value"], median["low"], median["high"]), (expected, expected, expected))
            self.assertEqual(sum(gap["samples"]["blocks"]), gap["samples"]["count"])
            self.assertIn("value", gap["summary"]["end_to_end"]["p90_ns"])
        # They are in no other figure.
        self.assertEqual(result["summary"]["end_to_end"]["max_ns"], 1e6)

    def test_on_a_real_clock_a_pause_is_at_least_as_long_as_asked_for(self):
        result = self.json(SLEEPY, "--idle", "0,8ms", "--max-runs", "40")
        short, long = result["idle"]
        self.assertEqual((short["samples"]["count"], long["samples"]["count"]), (40, 40))
        self.assertGreaterEqual(long["slept_ns"], 8e6)
        self.assertGreaterEqual(min(long["samples"]["device_ns"]), 3e6)
        self.assertLess(short["slept_ns"], 8e6)
        self.assertLess(min(short["samples"]["device_ns"]), 3e6)

    def test_every_form_has_it_and_a_saved_result_says_the_same(self):
        saved, table = self.folder / "result.json", self.folder / "runs.csv"
        text = self.lapse("time", SLEEPY + ",time=virtual", "--idle", "0,10ms", "--max-runs", "120", "--json", saved, "--csv", table).stdout
        self.assertRegex(text, r"latency after a pause \(120 runs after each, at least\)\n +pause +median.*\n +0 +1\.000 ms.* 1×.*\n +10 ms +3\.000 ms.* 3\.000×")
        self.assertEqual(self.lapse("show", saved).stdout, text)
        self.assertIn("쉬었다가", self.lapse("show", saved, "--lang", "ko").stdout)
        self.assertIn("| 10 ms | 3.000 ms |", self.lapse("show", saved, "--markdown", "-").stdout)
        with open(table) as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["gap_ns"] for row in rows], [""] * 120 + ["0"] * 120 + ["10000000"] * 120)
        self.assertEqual(rows[-1]["end_to_end_ns"], "3000000")

    def test_without_it_there_is_no_curve(self):
        result = self.json(SLEEPY + ",time=virtual", "--max-runs", "5")
        self.assertNotIn("idle", result)

    def test_ctrl_c_during_a_pause_saves_what_there_is(self):
        saved = self.folder / "result.json"
        process = subprocess.Popen([LAPSE, "time", "sim:device=1ms", "--max-runs", "20", "--warmup", "0", "--idle", "30s", "--json", saved],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        interrupt(process, after=2)
        begin = time.monotonic()
        process.communicate(timeout=20)  # a pause is 30 s
        self.assertLess(time.monotonic() - begin, 20)
        self.assertEqual(process.returncode, 130)
        result = json.loads(saved.read_text())
        self.assertTrue(result["interrupted"])
        self.assertEqual(result["samples"]["count"], 20)
        self.assertEqual(result["idle"][0]["samples"]["count"], 0)
        self.assertIn("interrupted", self.lapse("show", saved).stdout.lower())

    def test_refuses_what_makes_no_curve(self):
        for gaps in ("0,0", "1ms,1ms", "2min", ",".join(f"{n}ms" for n in range(17))):
            self.refused("time", "null", "--idle", gaps, status=2, says="different pauses")
        for gaps in ("0,", "1", "-1ms", "x", "0,,1ms"):
            self.refused("time", "null", "--idle", gaps, status=2, says="")
        self.refused("time", "null", "--idle", "0,1ms", "--scenario", "offline", "--in-flight", "2", status=2, says="one inference at a time")
        self.refused("time", "null", "--idle", "0,1ms", "--cold-cache", status=2, says="one inference at a time")
        self.refused("time", "null", "--idle", "0,1ms", "--processes", "2", status=2, says="one process")


if __name__ == "__main__":
    unittest.main()
