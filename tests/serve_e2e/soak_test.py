"""A soaked server stays flat and loses nothing: the judgement of bench/serve/soak.py on series that are known, and its quick form."""

import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

SOURCE, BUILD = pathlib.Path(os.environ["LAPSE_SOURCE_DIR"]), pathlib.Path(os.environ["LAPSE_BINARY_DIR"])
sys.path.insert(0, str(SOURCE / "bench" / "serve"))
import figures  # noqa: E402
import soak  # noqa: E402


class Soak(unittest.TestCase):
    def judged(self, value, name="front_resident_bytes"):
        """Of a day of 900 s, whose first 100 s don't count."""
        noise = random.Random(2)
        rows = [{"seconds": float(second), name: value(second) + noise.gauss(0, 1)} for second in range(900)]
        return soak.trends(rows, 100, 900)[name]

    def test_a_trend_is_the_median_slope_with_sens_interval(self):
        self.assertEqual(figures.trend([(x, 3 * x) for x in range(10)]), (3, 3, 3))
        # The six slopes are -2, -1/2, 1, 4/3, 3/2 and 5: of so few the interval is all.
        self.assertEqual(figures.trend([(0, 0), (1, 1), (2, -1), (3, 4)]), ((1 + 4 / 3) / 2, -2, 5))

    def test_noise_around_a_level_is_flat(self):
        trend = self.judged(lambda second: 1000)
        self.assertEqual(trend["verdict"], "flat")
        self.assertAlmostEqual(trend["bound"], 50, delta=0.1)
        self.assertLess(trend["growth"][1], 0)
        self.assertGreater(trend["growth"][2], 0)
        self.assertAlmostEqual(trend["level"], 1000, delta=1)

    def test_what_comes_before_the_steady_state_does_not_count(self):
        self.assertEqual(self.judged(lambda second: 10 * min(second, 100))["verdict"], "flat")

    def test_a_leak_and_a_staircase_grow(self):
        for value in (lambda second: 1000 + second / 9, lambda second: 1000 + 20 * (second // 150)):
            self.assertEqual(self.judged(value)["verdict"], "GROWS")

    def test_what_swings_too_much_is_not_called_flat(self):
        self.assertEqual(self.judged(lambda second: 1000 + random.Random(second // 30).uniform(-500, 500))["verdict"], "too uneven to tell")

    def test_one_thread_more_is_nothing_and_three_are(self):
        self.assertEqual(self.judged(lambda second: 10 + 0.1 * second / 900, "front_threads")["verdict"], "flat")
        self.assertEqual(self.judged(lambda second: 10 + 3 * second / 900, "front_threads")["verdict"], "GROWS")

    def test_too_short_a_series_is_not_judged(self):
        self.assertEqual(soak.trends([{"seconds": float(second), "x": 1} for second in range(15)], 0, 900), {})

    @unittest.skipUnless((BUILD / "engines" / "lapse-engine-onnxruntime.so").exists(), "no ONNX Runtime engine")
    def test_the_server_loses_nothing_and_forgets_everything(self):
        with tempfile.TemporaryDirectory() as out:
            run = subprocess.run(["/usr/bin/python3", str(SOURCE / "bench" / "serve" / "soak.py"), "--quick", "--build", str(BUILD), "--out", out],
                                 capture_output=True, text=True, timeout=300)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertIn("lost: 0, complaints: 0, left at the end: nothing", run.stdout)


if __name__ == "__main__":
    unittest.main()
