"""lapse time --processes: fresh processes, one after the other, and what they say together."""

import json
import os
import pathlib
import signal
import statistics
import subprocess
import unittest

from case import Case, LAPSE, children, handles_interrupts, interrupt, wait_for

SIM = "sim:device=1ms,jitter=0.05,time=virtual"


class Processes(Case):
    def start(self, *arguments):
        process = subprocess.Popen([LAPSE, "time", *map(str, arguments), "--json", self.folder / "r.json"], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        return process

    def saved(self):
        return json.loads((self.folder / "r.json").read_text())

    def nth_child(self, process, n):
        """The child of the n-th process, counted as they come."""
        seen = []

        def found():
            for child in children(process.pid):
                if child not in seen:
                    seen.append(child)
            return seen[n - 1] if len(seen) >= n else None
        return wait_for(found)


class Measured(Processes):
    def test_children_are_waited_for_where_whoever_started_lapse_ignores_their_end(self):
        run = subprocess.run([LAPSE, "time", SIM, "--processes", "2", "--max-runs", "50"], capture_output=True, timeout=60,
                             preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        self.assertEqual(run.returncode, 0, run.stderr)

    def test_each_process_has_its_runs_and_the_estimate_is_the_mean_of_their_medians(self):
        document = self.json(SIM, "--processes", "3", "--max-runs", "100", "--seed", "5")
        self.assertEqual(document["schema"], "lapse.result/1")
        self.assertEqual([p["count"] for p in document["processes"]], [100] * 3)
        times = document["samples"]["end_to_end_ns"]
        self.assertEqual(len(times), 300)
        medians = [statistics.median(times[i:i + 100]) for i in (0, 100, 200)]
        self.assertEqual([p["median_ns"] for p in document["processes"]], medians)
        self.assertAlmostEqual(document["summary"]["end_to_end"]["median_ns"]["value"], statistics.mean(medians), delta=1)
        self.assertEqual(document["summary"]["end_to_end"]["p99_ns"], {"needs": 200})
        self.assertEqual(document["plan"]["stop"], "processes")
        self.assertEqual(document["argv"][-4:-2], ["--seed", "5"])

    def test_the_text_says_how_many_they_were_and_a_saved_result_says_it_again(self):
        text = self.lapse("time", SIM, "--processes", "3", "--max-runs", "100", "--json", self.folder / "r.json").stdout
        self.assertIn("3 fresh ones, 100 runs each", text)
        self.assertIn("all processes are done", text)
        self.assertEqual(self.lapse("show", self.folder / "r.json").stdout, text)
        self.assertIn("새 프로세스 3개", self.lapse("--lang", "ko", "show", self.folder / "r.json").stdout)

    def test_every_option_reaches_them(self):
        document = self.json("null", "--processes", "2", "--max-runs", "50", "--warmup", "7", "--fill", "zeros", "--batch", "3",
                             "--pin", "0", "--rotate", "2", "--scenario", "offline", "--in-flight", "2", "--cold-cache=false")
        self.assertEqual([(p["count"], p["discarded"]) for p in document["processes"]], [(50, 7)] * 2)
        subject = document["subject"]
        self.assertEqual((subject["batch"], subject["scenario"], subject["in_flight"], subject["input_sets"]), (3, "offline", 2, 2))
        self.assertEqual(subject["inputs"][0]["source"], "zeros")
        self.assertEqual(document["environment"]["cpus_allowed"], 1)

    def test_they_share_the_budget(self):
        document = self.json("null", "--processes", "4", "--budget", "2s", "--warmup", "0", "--min-runs", "5", "--max-runs", "5")
        self.assertEqual(document["plan"]["budget_ns"], 2e9)
        document = self.json("sim:device=2ms,jitter=0.3,time=virtual", "--processes", "4", "--budget", "400ms", "--precision", "1e-9")
        for process in document["processes"]:
            self.assertAlmostEqual(2e-3 * (process["count"] + process["discarded"]), 0.1, delta=0.02)

    def test_auto_ends_where_they_agree_three_times_in_a_row(self):
        document = self.json(SIM, "--processes", "auto", "--max-runs", "100")
        self.assertEqual((len(document["processes"]), document["plan"]["stop"]), (8, "precision"))
        self.assertIsNotNone(document["plan"]["cheapest"])

    def test_auto_makes_five_whatever_the_budget_says(self):
        document = self.json("sim:device=2ms", "--processes", "auto", "--precision", "1e-9", "--budget", "100ms")
        self.assertEqual((len(document["processes"]), document["plan"]["stop"]), (5, "budget"))

    def test_one_process_is_a_measurement_like_any_other(self):
        document = self.json(SIM, "--processes", "1", "--max-runs", "100")
        self.assertEqual((document["processes"], document["plan"]["stop"]), ([], "max-runs"))


class Trouble(Processes):
    def test_ctrl_c_keeps_the_processes_that_are_complete(self):
        process = self.start("sim:device=5ms", "--processes", "5", "--precision", "1e-9", "--budget", "10s")
        self.nth_child(process, 3)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
        self.assertEqual((process.returncode, stderr), (130, ""))
        self.assertIn("INTERRUPTED", stdout)
        self.assertEqual(len(self.saved()["processes"]), 2)

    def test_ctrl_c_during_the_first_one_keeps_what_it_has(self):
        process = self.start("sim:device=5ms", "--processes", "5", "--precision", "1e-9", "--budget", "30s", "--warmup", "0")
        child = self.nth_child(process, 1)
        # Between fork and exec it has its parent's handler.
        wait_for(lambda: b"--child=once" in pathlib.Path(f"/proc/{child}/cmdline").read_bytes() and handles_interrupts(child))
        interrupt(process, after=1)
        stdout, stderr = process.communicate(timeout=60)
        self.assertEqual((process.returncode, stderr), (130, ""))
        self.assertIn("INTERRUPTED", stdout)
        self.assertGreater(self.saved()["samples"]["count"], 0)

    def test_one_that_crashes_ends_it_and_the_complete_ones_are_kept(self):
        process = self.start("sim:device=5ms", "--processes", "5", "--precision", "1e-9", "--budget", "10s")
        os.kill(self.nth_child(process, 2), signal.SIGILL)
        stdout, stderr = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 70)
        self.assertIn("process 2: crashed: signal 4", stderr)
        self.assertEqual(len(stderr.splitlines()), 1)
        self.assertIn("FAILED", stdout)
        document = self.saved()
        self.assertEqual((len(document["processes"]), document["plan"]["stop"]), (1, "failed"))
        self.assertIn("crashed", document["failure"]["message"])

    def test_what_the_first_one_says_is_said(self):
        self.refused("time", "nothing.onnx", "--processes", "3", status=2, says="nothing.onnx: no such file")
        self.refused("time", "null", "--processes", "3", "--shape", "y=1x4", status=2, says="y")
        self.refused("time", "sim:device=20s", "--processes", "3", "--timeout", "300ms", status=3, says="time-out")

    def test_they_do_not_outlive_a_parent_that_is_killed(self):
        process = self.start("sim:device=5ms", "--processes", "5", "--precision", "1e-9", "--budget", "60s")
        child = self.nth_child(process, 1)
        process.kill()
        process.communicate(timeout=30)
        wait_for(lambda: not os.path.exists(f"/proc/{child}"), 5)

    def test_a_number_of_processes_is_a_number(self):
        for bad in ("0", "-1", "many", "1.5", "100000", ""):
            self.refused("time", "null", f"--processes={bad}", status=2, says="--processes")


if __name__ == "__main__":
    unittest.main()
