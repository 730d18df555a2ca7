"""`lapse stats`: durations that somebody else recorded."""

import json
import math
import os
import subprocess
import sys
import unittest

import numpy

from case import Case, LAPSE

# The largest that a process was (VmHWM), told by its parent, which is small itself: a child begins as large as who starts it.
LAUNCHER = """
import os, sys
_, status, usage = os.wait4(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ), 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss, usage.ru_utime + usage.ru_stime, file=sys.stderr)
"""


def steady(count, level=5e6, seed=0):
    return numpy.random.default_rng(seed).normal(level, level / 100, count)


class Stats(Case):
    def times(self, values, name="times.txt", unit="ns"):
        return self.file(name, "".join(f"{value:.0f}{unit}\n" for value in values).encode())

    def stats(self, *arguments, **options):
        return json.loads(self.lapse("stats", *arguments, "--json", "-", **options).stdout)

    def test_a_result_has_the_same_figures_as_its_measurement_in_every_form(self):
        saved, csv = self.folder / "result.json", self.folder / "runs.csv"
        self.lapse("time", "sim:device=1ms,jitter=0.1,time=virtual", "--max-runs", "500", "--min-runs", "500", "--json", saved, "--csv", csv)
        result = json.loads(saved.read_text())
        lines = self.times(result["samples"]["end_to_end_ns"])
        for arguments in ([saved], [csv, "--column", "end_to_end_ns"], [csv, "--column", "2"], [lines]):
            found = self.stats(*arguments)
            self.assertEqual(found["schema"], "lapse.stats/1")
            self.assertEqual(found["count"], 500)
            self.assertEqual(found["course"]["verdict"], "flat", found["course"])
            self.assertEqual(found["summary"]["duration"], result["summary"]["end_to_end"])
        self.assertEqual(self.stats(saved, "--column", "submit_ns")["summary"]["duration"], result["summary"]["submit"])

    def test_the_report_says_it_in_both_languages(self):
        file = self.times(steady(812))
        text = self.lapse("stats", file).stdout
        for words in (f"{file} · 812 runs", "flat", "duration (812 runs)", "95 % interval", "median", "needs ≥ 3,688 runs", "independent", "█"):
            self.assertIn(words, text)
        korean = self.lapse("stats", file, "--lang", "ko").stdout
        for words in ("812회 실행", "평탄", "소요 시간", "95 % 신뢰구간", "중앙값"):
            self.assertIn(words, korean)
        self.assertTrue(self.lapse("stats", file, env={"LC_ALL": "C"}).stdout.isascii())

    def test_a_warm_up_is_left_out_of_the_figures(self):
        values = numpy.concatenate([steady(60, 8e6), steady(940)])
        file = self.times(values)
        found = self.stats(file, "--strict")
        self.assertEqual(found["course"]["verdict"], "warm-up")
        self.assertAlmostEqual(found["course"]["discarded"], 60, delta=5)
        self.assertEqual(found["count"], 1000)
        kept = numpy.rint(values[found["course"]["discarded"]:])
        self.assertAlmostEqual(found["summary"]["duration"]["median_ns"]["value"], float(numpy.median(kept)))
        self.assertEqual(found["summary"]["duration"]["max_ns"], kept.max())
        self.assertIn("warm-up", self.lapse("stats", file).stdout)

    def test_what_is_not_steady_is_said_and_told_by_the_status_with_strict(self):
        slower = numpy.concatenate([steady(600), steady(400, 6e6)])
        cycles = steady(1000) * (1 + 0.1 * numpy.sin(numpy.arange(1000) / 50 * 2 * math.pi))
        for values, verdict, words in ((slower, "slowdown", "it slowed down"), (cycles, "no-steady-state", "NO STEADY STATE"),
                                       (steady(5), "too-short", "too few runs")):
            file = self.times(values)
            found = self.stats(file)
            self.assertEqual((found["course"]["verdict"], found["course"]["discarded"]), (verdict, 0))
            self.assertEqual(found["summary"]["duration"]["min_ns"], numpy.rint(values).min())
            self.assertIn(words, self.lapse("stats", file, "--strict", status=5).stdout)
            strict = self.stats(file, "--strict", status=5)
            self.assertEqual({**strict, "created": found["created"]}, found)
        self.assertAlmostEqual(self.stats(self.times(cycles))["course"]["cycle_runs"], 50, delta=5)
        self.lapse("stats", self.times(steady(500)), "--strict")

    def test_runs_that_resemble_their_neighbours_are_worth_fewer(self):
        noise = numpy.random.default_rng(1).normal(0, 1, 5000)
        for i in range(1, len(noise)):
            noise[i] += 0.9 * noise[i - 1]
        alike = self.stats(self.times(5e6 + 2e4 * noise))["summary"]["duration"]["median_ns"]
        apart = self.stats(self.times(numpy.random.default_rng(2).permutation(5e6 + 2e4 * noise)))["summary"]["duration"]["median_ns"]
        self.assertGreater(alike["high"] - alike["low"], 2 * (apart["high"] - apart["low"]))
        self.assertLess(alike["effective"], 1000)  # 5,000 / 11.9 = 420 in theory
        self.assertGreater(apart["effective"], 3000)

    def test_one_value_is_no_error(self):
        found = self.stats(self.file("one.txt", b"12.5ms\n"))
        self.assertEqual((found["count"], found["course"]["verdict"]), (1, "too-short"))
        self.assertEqual(found["summary"]["duration"]["median_ns"], {"needs": 6})
        self.assertEqual(found["summary"]["duration"]["mean_ns"], 12.5e6)
        self.assertIn("needs ≥ 6 runs", self.lapse("stats", self.file("one.txt", b"12.5ms\n")).stdout)

    def test_durations_come_from_stdin(self):
        run = subprocess.run([LAPSE, "stats", "-", "--unit", "ms"], input="1\n2\n", capture_output=True, text=True, timeout=60)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertIn("stdin · 2 runs · numbers without a unit are ms", run.stdout)
        self.assertIn("1.500 ms", run.stdout)

    def test_bad_input_is_one_line_with_its_number_and_a_hint(self):
        def refused(content, says, *options):
            run = self.refused("stats", self.file("bad.txt", content), *options, status=2, says="bad.txt: " + says)
            self.assertIn("\n  hint: ", run.stderr)

        refused(b"", "there is no duration in it")
        refused(b"# nothing\n\n", "there is no duration in it")
        refused(b"1ms\nfast\n", "line 2: 'fast' is not a duration")
        refused(b"1ms\n-1ms\n", "line 2: '-1ms' is negative")
        refused(b"nan\n", "line 1: 'nan' is not a number")
        refused(b"1ms\n\ninf\n", "line 3: 'inf' is out of range")
        refused(b"1ms\n2\n", "line 2: '2' has no unit")
        refused(b"1,2ms\n", "line 1: '1,2ms' is not a duration")
        refused(b"a,b\n1,2\n", "line 1: there is no column 'c'", "--column", "c")
        refused(b"a,b\n1,2\n1\n", "line 3: there is no column 2", "--column", "b")
        refused(b'{"schema": "lapse.result/2"}', "not a result of lapse: schema")
        refused(b'{"schema": "lapse.res', "not a result of lapse: not JSON")
        refused(b"\xff\xfe1\0m\0s\0", "line 1: ")
        refused(bytes(range(256)) * 40, "line 1: ")
        self.refused("stats", self.file("times.txt", b"1\n"), "--unit", "parsec", status=2, says="parsec")
        self.refused("stats", "/nowhere.txt", status=2, says="/nowhere.txt: it can't be read")
        self.refused("stats", self.folder, status=2, says="it can't be read")
        self.refused("stats", "/dev/zero", status=2, says="/dev/zero: line 1: longer than 1 MiB")

    def test_ten_million_lines_take_sixteen_bytes_each_and_less_than_ten_seconds(self):
        count = 10_000_000
        file = self.folder / "many.txt"
        random = numpy.random.default_rng(0)
        with open(file, "wb") as out:
            for _ in range(10):
                values = random.normal(5e6, 1e5, count // 10).astype(numpy.int64)  # seven digits each
                digits = numpy.full((len(values), 8), ord("\n"), numpy.uint8)
                for place in range(7):
                    digits[:, place] = values // 10 ** (6 - place) % 10 + ord("0")
                out.write(digits.tobytes())
        run = subprocess.run([sys.executable, "-c", LAUNCHER, LAPSE, "stats", file, "--unit", "ns", "--json", "-"], capture_output=True, text=True, timeout=300)
        status, peak_kib, cpu_seconds = run.stderr.split()
        self.assertEqual(status, "0", run.stderr)
        found = json.loads(run.stdout)
        self.assertEqual((found["count"], found["course"]["verdict"]), (count, "flat"))
        self.assertAlmostEqual(found["summary"]["duration"]["median_ns"]["value"], 5e6, delta=200)
        print(f"{count:,} lines: {int(peak_kib) / 1024:.0f} MiB at the most, {cpu_seconds} s", file=sys.stderr)
        self.assertLessEqual(int(peak_kib) * 1024, 16 * count)
        self.assertLess(float(cpu_seconds), 10)


if __name__ == "__main__":
    unittest.main()
