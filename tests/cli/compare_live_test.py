"""lapse compare --a … --b …: two sides measured now, in pairs of processes that take turns."""

import json
import os
import pathlib
import signal
import subprocess
import time
import unittest

import numpy

from case import Case, LAPSE, SOURCE, children, wait_for

# In virtual time a hundredth of a second is over at once: what is measured is known, and no machine can disturb it.
SIM = "sim:device=1ms,jitter=0.05,time=virtual"
SLOWER = "sim:device=1030us,jitter=0.05,time=virtual"


def cpu_ticks(pid):
    try:
        return sum(map(int, pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]))
    except OSError:
        return None


class Live(Case):
    def compare(self, a, b, *arguments, **options):
        run = self.lapse("compare", "--a", a, "--b", b, *arguments, "--json", "-", **options)
        return json.loads(run.stdout)

    def start(self, a, b, *arguments):
        process = subprocess.Popen([LAPSE, "compare", "--a", a, "--b", b, *map(str, arguments)], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        return process

    def median(self, document):
        return document["models"][0]["metrics"][0]


class Verdicts(Live):
    def test_the_same_on_both_sides_is_equivalent(self):
        document = self.compare(SIM, SIM, "--budget", "6s")
        self.assertEqual(document["schema"], "lapse.comparison/1")
        median = self.median(document)
        self.assertEqual((median["metric"], median["verdict"], median["ratio"]), ("median", "equivalent", 1))
        self.assertTrue(document["models"][0]["turns"])
        self.assertEqual(document["models"][0]["a"]["processes"], 6)

    def test_three_percent_are_found_and_the_exit_status_tells(self):
        document = self.compare(SIM, SLOWER, "--budget", "6s", "--margin", "0.005", status=1)
        median = self.median(document)
        self.assertEqual(median["verdict"], "slower")
        self.assertAlmostEqual(median["ratio"], 1.03, delta=0.003)
        self.assertTrue(document["regression"])
        document = self.compare(SLOWER, SIM, "--budget", "6s", "--margin", "0.005")
        self.assertEqual(self.median(document)["verdict"], "faster")

    def test_the_text_names_both_sides(self):
        text = self.lapse("compare", "--a", SIM, "--b", SLOWER, "--budget", "3s", status=1).stdout
        self.assertIn("device=1030us", text)
        self.assertIn("slower", text)

    def test_fewer_than_five_pairs_decide_nothing(self):
        document = self.compare(SIM, SLOWER, "--budget", "2s", "--processes", "3")
        self.assertEqual(self.median(document)["verdict"], "undecided")
        self.compare(SIM, SLOWER, "--budget", "2s", "--processes", "3", "--strict", status=5)


class Turns(Live):
    def sides(self, *arguments, **options):
        files = self.folder / "a.json", self.folder / "b.json"
        self.compare(*arguments, "--save-a", files[0], "--save-b", files[1], **options)
        return [json.loads(file.read_text()) for file in files]

    def test_both_sides_are_saved_as_measurements_of_as_many_processes_and_blocks(self):
        a, b = self.sides(SIM, SLOWER, "--budget", "4s", "--processes", "5", status=1)
        for side in (a, b):
            self.assertEqual((side["schema"], len(side["processes"])), ("lapse.result/1", 5))
            self.assertEqual(sum(side["samples"]["blocks"]), side["samples"]["count"])
            self.assertEqual(sum(p["count"] for p in side["processes"]), side["samples"]["count"])
            self.assertTrue(all(p["discarded"] > 0 for p in side["processes"]))
        self.assertEqual(len(a["samples"]["blocks"]), len(b["samples"]["blocks"]))
        self.assertAlmostEqual(a["summary"]["end_to_end"]["median_ns"]["value"], 1e6, delta=1e4)
        self.assertAlmostEqual(b["summary"]["end_to_end"]["median_ns"]["value"], 1.03e6, delta=1e4)
        for name in ("a.json", "b.json"):
            self.assertIn("taking turns with the other side", self.lapse("show", self.folder / name).stdout)
        # Saved, they are measurements like others: compared one with the other.
        self.lapse("compare", self.folder / "a.json", self.folder / "b.json", status=1)

    def test_the_budget_is_shared_by_all_of_them(self):
        a, b = self.sides("sim:device=1s,time=virtual", "sim:device=1s,time=virtual", "--budget", "240s", "--processes", "6")
        # 40 s a pair: warm-up of two runs each, and rounds of two runs. To come to rest takes real time, but no more than 0.3 s a turn.
        rounds = len(a["samples"]["blocks"]) / 6
        self.assertGreater(rounds, 12)
        self.assertLessEqual(rounds, 18)
        self.assertEqual(len(b["samples"]["blocks"]), len(a["samples"]["blocks"]))

    def test_the_first_run_of_a_block_is_not_counted(self):
        a, _ = self.sides("sim:device=10ms,time=virtual", "sim:device=10ms,time=virtual", "--budget", "1s", "--processes", "2")
        self.assertEqual(set(a["samples"]["blocks"]), {5})  # of 50 ms

    def test_a_slow_one_has_at_least_two_rounds(self):
        a, _ = self.sides("sim:device=3s,time=virtual", "sim:device=3s,time=virtual", "--budget", "1s", "--processes", "2")
        self.assertEqual(a["samples"]["blocks"], [1] * 4)

    def test_never_are_both_at_work(self):
        """Each side notes when its calls begin and end, by the clock that all processes share."""
        source = self.file("noting.c", br"""
#include <lapse/engine/subject.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
static long long now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1000000000LL + t.tv_nsec; }
static int make(const char* arguments, int device, void** handle) {
  (void)device;
  char name[4096];
  snprintf(name, sizeof name, "%s/%ld", arguments, (long)getpid());
  *handle = fopen(name, "w");
  return *handle == NULL;
}
static int run(void* handle, void* stream) {
  (void)stream;
  const long long begin = now();
  puts("chatter that belongs to nobody");
  while (now() - begin < 2000000) {}
  fprintf(handle, "%lld %lld\n", begin, now());
  fflush(handle);
  return 0;
}
static const char* why(void* handle) { (void)handle; return NULL; }
static void destroy(void* handle) { fclose(handle); }
LAPSE_SUBJECT(noting) = {LAPSE_SUBJECT_HEAD, "cpu", 1, make, run, why, destroy};
""")
        library = self.folder / "libnoting.so"
        subprocess.run([os.environ.get("CC", "cc"), "-O2", "-shared", "-fPIC", f"-I{SOURCE}", source, "-o", library], check=True)
        notes = self.folder / "notes of both"
        notes.mkdir()
        side = f"'{library}:noting:{notes}'"
        self.compare(side, side, "--budget", "2s", "--processes", "2", "--margin", "0.5")
        calls = []
        files = list(notes.iterdir())
        self.assertEqual(len(files), 4)
        for file in files:
            calls += [(*map(int, line.split()), file.name) for line in file.read_text().splitlines()]
        calls.sort()
        self.assertGreater(len(calls), 100)
        changes = 0
        for (_, end, one), (begin, _, other) in zip(calls, calls[1:]):
            self.assertLessEqual(end, begin, "two calls at the same time")
            changes += one != other
        self.assertGreater(changes, 8, "they took turns")


class Sides(Live):
    def test_options_and_quotes_are_those_of_a_shell(self):
        folder = self.folder / "with blank"
        folder.mkdir()
        (folder / "x.npy").write_bytes(self.npy("x.npy", numpy.zeros((1, 4), "float32")).read_bytes())
        for side in (f"null --fill zeros --input 'x={folder}/x.npy'", f'null --fill "zeros" --input "x={folder}/x.npy"',
                     f"null --fill ze\\ro's' --input x={str(folder).replace(' ', chr(92) + ' ')}/x.npy"):
            self.compare(side, side, "--budget", "200ms", "--processes", "2", "--margin", "0.9")

    def test_a_side_that_is_written_wrongly_is_named(self):
        for a, b, says in (("'null", SIM, "side A: the quotation in 'null has no end"), (SIM, "  ", "side B: it is empty"),
                           (SIM, "null --thread 1", "side B: "), (SIM, "--threads 1", "side B: MODEL is required"),
                           ("nothing.onnx", SIM, "side A: nothing.onnx: no such file"),
                           (SIM, "null --threads x", "side B: "), ("--help", SIM, "side A: --help and --version measure nothing")):
            with self.subTest(a=a, b=b):
                self.refused("compare", "--a", a, "--b", b, "--budget", "1s", status=2, says=says)

    def test_how_long_is_for_both_to_say(self):
        for option in ("--budget 1s", "--precision 0.1", "--max-runs 5", "--warmup 3", "--json x.json", "--processes 3"):
            self.refused("compare", "--a", SIM, "--b", f"{SIM} {option}", status=2,
                         says=f"side B: {option.split()[0]} is for the whole comparison")
        self.assertFalse(pathlib.Path("x.json").exists())

    def test_both_sides_are_needed_and_no_files_besides(self):
        self.refused("compare", "--a", SIM, status=2, says="--b")
        self.refused("compare", "--b", SIM, status=2, says="--a")
        self.refused("compare", "--a", SIM, "--b", SIM, "x.json", status=2, says="nothing that was saved")

    def test_what_can_not_be_compared_is_refused(self):
        saved = self.folder / "refused.json"
        self.refused("compare", "--a", SIM, "--b", f"{SIM} --batch 2", "--budget", "500ms", "--processes", "3", "--save-a", saved,
                     status=2, says="batch")
        self.assertEqual(len(json.loads(saved.read_text()).get("processes", [1])), 1, "more pairs were measured than it takes to refuse")
        self.compare(SIM, f"{SIM} --batch 2", "--budget", "500ms", "--processes", "2", "--force")


class Trouble(Live):
    def test_ctrl_c_keeps_the_pairs_that_are_complete(self):
        process = self.start("sim:device=5ms", "sim:device=5ms", "--budget", "9s", "--save-a", self.folder / "a.json")
        seen = set()

        def third_pair():
            seen.update(children(process.pid))
            return len(seen) > 4
        wait_for(third_pair)
        left = children(process.pid)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, stderr)
        self.assertEqual(stderr, "lapse: interrupted after 2 of 6 pairs of processes\n")
        self.assertIn("undecided", stdout)
        self.assertTrue(stdout.startswith("!! INTERRUPTED"), stdout)
        self.assertEqual(len(json.loads((self.folder / "a.json").read_text())["processes"]), 2)
        self.assertFalse(any(os.path.exists(f"/proc/{child}") for child in left))

    def test_ctrl_c_before_the_first_pair_is_complete_leaves_nothing(self):
        process = self.start("sim:device=5ms,first=30s", "sim:device=5ms", "--budget", "60s")
        wait_for(lambda: children(process.pid))
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
        self.assertEqual((process.returncode, stdout), (130, ""))
        self.assertIn("interrupted before the first pair", stderr)

    def test_a_side_that_crashes_is_named(self):
        process = self.start("sim:device=5ms", "sim:device=5ms", "--budget", "60s")
        pair = wait_for(lambda: len(children(process.pid)) == 2 and children(process.pid))
        time.sleep(0.5)
        os.kill(pair[1], signal.SIGILL)   # a sanitizer has a handler for SIGSEGV
        stdout, stderr = process.communicate(timeout=60)
        self.assertEqual((process.returncode, stdout), (70, ""))
        self.assertRegex(stderr, r"side [AB]: crashed: signal 4")
        self.assertFalse(os.path.exists(f"/proc/{pair[0]}"), "the other one is gone, too")

    def test_a_side_that_fails_on_the_way_is_named(self):
        self.refused("compare", "--a", SIM, "--b", "null --shape y=1x4", "--budget", "1s", status=2, says="side B: ")
        self.refused("compare", "--a", SIM, "--b", "sim:device=20s --timeout 300ms", "--budget", "1s", status=3, says="side B: time-out")

    def test_they_do_not_outlive_a_parent_that_is_killed(self):
        process = self.start("sim:device=5ms", "sim:device=5ms", "--budget", "60s")
        pair = wait_for(lambda: len(children(process.pid)) == 2 and children(process.pid))
        process.kill()
        process.communicate(timeout=30)
        wait_for(lambda: not any(os.path.exists(f"/proc/{child}") for child in pair), 5)

    def test_between_its_turns_a_side_uses_no_cpu(self):
        """Both are idle when the parent stands still."""
        process = self.start("sim:device=5ms", "sim:device=5ms", "--budget", "60s")
        pair = wait_for(lambda: len(children(process.pid)) == 2 and children(process.pid))
        time.sleep(1)
        process.send_signal(signal.SIGSTOP)
        time.sleep(1)   # a turn that was under way is over
        before = [cpu_ticks(child) for child in pair]
        time.sleep(1)
        self.assertEqual([cpu_ticks(child) for child in pair], before)
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.communicate(timeout=30)


if __name__ == "__main__":
    unittest.main()
