"""lapse sweep: points, what follows from them, going on after an end, and whatever can go wrong with one of them."""

import json
import os
import pty
import shutil
import signal
import subprocess
import unittest

from case import Case, DEMO, HAS_ONNXRUNTIME, LAPSE, children, wait_for

SIM = "sim:device=1ms,time=virtual"


class SweepCase(Case):
    def setUp(self):
        super().setUp()
        self.out = self.folder / "points"

    def sweep(self, *arguments, **options):
        return json.loads(self.lapse("sweep", *arguments, "--out", self.out, "--json", "-", **options).stdout)

    def start(self, *arguments):
        process = subprocess.Popen([LAPSE, "sweep", *map(str, arguments), "--out", str(self.out)], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        return process

    def points(self):
        return sorted(self.out.glob("point-*.json"))


class Points(SweepCase):
    def test_every_combination_is_measured_in_order(self):
        document = self.sweep(SIM, "--batch", "1..4", "--threads", "1,3", "--inflight", "1,2", "--max-runs", "40")
        self.assertEqual(document["schema"], "lapse.sweep/1")
        self.assertEqual([(p["threads"], p["inflight"], p["batch"]) for p in document["points"]],
                         [(t, f, b) for t in (1, 3) for f in (1, 2) for b in (1, 2, 4)])
        self.assertEqual({p["state"] for p in document["points"]}, {"measured"})
        self.assertEqual(len(self.points()), 12)

    def test_figures_are_those_of_the_points_own_measurements(self):
        document = self.sweep(SIM, "--batch", "1,8")
        self.assertEqual([p["throughput"]["value"] for p in document["points"]], [1000, 8000])
        self.assertEqual(document["points"][0]["throughput"], {"value": 1000, "low": 1000, "high": 1000})
        self.assertEqual([p["latency"]["median_ns"]["value"] for p in document["points"]], [1e6, 1e6])
        self.assertEqual([p["pareto"] for p in document["points"]], [False, True])
        saved = json.loads(self.points()[0].read_text())
        self.assertEqual(saved["schema"], "lapse.result/1")
        self.assertIn("latency", self.lapse("show", self.points()[0]).stdout)

    def test_in_flight_costs_latency_and_gives_throughput(self):
        document = self.sweep("sim:submit=900us,device=1ms,time=virtual", "--inflight", "1,2,4", "--max-runs", "400")
        one, two, four = document["points"]
        self.assertLess(one["throughput"]["value"], 530)
        self.assertGreater(two["throughput"]["value"], 970)
        self.assertGreater(four["latency"]["median_ns"]["value"], two["latency"]["median_ns"]["value"])
        self.assertTrue(one["pareto"] and two["pareto"])
        self.assertEqual([p["inflight"] for p in document["points"]], [1, 2, 4])

    def test_options_of_the_measurement_reach_every_point(self):
        self.sweep("null", "--batch", "1,2", "--max-runs", "50", "--warmup", "7", "--fill", "zeros", "--seed", "3", "--pin", "0", "--budget", "3s")
        for file in self.points():
            result = json.loads(file.read_text())
            self.assertEqual(result["samples"]["count"], 50)
            self.assertEqual(result["warmup"]["discarded"], 7)
            self.assertEqual(result["subject"]["inputs"][0]["source"], "zeros")
            self.assertEqual(result["environment"]["cpus_allowed"], 1)
            self.assertEqual(result["plan"]["budget_ns"], 3e9)

    def test_the_default_folder_is_named_after_the_model(self):
        run = subprocess.run([LAPSE, "sweep", SIM, "--batch", "1,2"], cwd=self.folder, capture_output=True, text=True, timeout=60)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("lapse-sweep-sim", run.stdout)
        self.assertTrue((self.folder / "lapse-sweep-sim" / "lapse-sweep.json").exists())
        if HAS_ONNXRUNTIME:   # … or after its folder, where the file is called like all others
            run = subprocess.run([LAPSE, "sweep", DEMO / "model.onnx", "--max-runs", "5", "--warmup", "0"], cwd=self.folder, capture_output=True, text=True, timeout=60)
            self.assertIn("lapse-sweep-demo", run.stdout)

    def test_text_csv_html_and_show(self):
        saved, csv, html = self.folder / "s.json", self.folder / "s.csv", self.folder / "s.html"
        run = self.lapse("sweep", SIM, "--batch", "1..4", "--out", self.out, "--json", saved, "--csv", csv, "--html", html, "--slo", "2ms")
        self.assertEqual(run.stderr, "")
        self.assertIn("Pareto front", run.stdout)
        self.assertIn("batch 4 is the largest", run.stdout)
        self.assertIn("파레토", self.lapse("--lang", "ko", "sweep", SIM, "--batch", "1..4", "--out", self.out).stdout)
        self.assertEqual(len(csv.read_text().splitlines()), 4)
        self.assertIn("lapse.sweep/1", html.read_text())
        self.assertEqual(self.lapse("show", saved).stdout, run.stdout)

    @unittest.skipUnless(HAS_ONNXRUNTIME, "no ONNX Runtime")
    def test_a_folder_is_measured_with_its_data_or_by_the_model_in_it(self):
        quick = ["--max-runs", "5", "--warmup", "0"]
        document = self.sweep(DEMO, *quick)
        self.assertEqual(document["points"][0]["batch"], 1)
        self.assertEqual(json.loads(self.points()[0].read_text())["answer"]["verdict"], "correct")
        document = self.sweep(DEMO, *quick, "--batch", "1,2", "--threads", "1")
        self.assertEqual([p["state"] for p in document["points"]], ["measured"] * 2)


class Slo(SweepCase):
    def test_the_largest_batch_within_it_is_named(self):
        document = self.sweep(SIM, "--batch", "1..8", "--slo", "2ms")
        self.assertEqual(document["slo"], {"quantile": "p99", "limit_ns": 2e6, "best": 3, "within": [0, 1, 2, 3], "over": [], "undecided": []})
        document = self.sweep(SIM, "--batch", "1..8", "--slo", "p90:0.5ms")
        self.assertEqual((document["slo"]["quantile"], document["slo"]["best"], document["slo"]["over"]), ("p90", None, [0, 1, 2, 3]))

    def test_points_run_until_they_support_its_percentile(self):
        slow = "sim:device=30ms,time=virtual"
        self.assertLess(self.sweep(slow)["points"][0]["latency"]["count"], 100)
        # The same folder: what was precise enough for the median is not for p99, and is measured anew.
        document = self.sweep(slow, "--slo", "50ms")
        self.assertGreaterEqual(document["points"][0]["latency"]["count"], 368)
        self.assertEqual((document["reused"], document["slo"]["best"]), (0, 0))

    def test_a_percentile_that_the_runs_do_not_support_decides_nothing(self):
        document = self.sweep(SIM, "--batch", "1,2", "--slo", "p99.9:2ms", "--max-runs", "100")
        self.assertEqual((document["slo"]["best"], document["slo"]["undecided"]), (None, [0, 1]))
        text = self.lapse("sweep", SIM, "--batch", "1,2", "--slo", "p99.9:2ms", "--max-runs", "100", "--out", self.out).stdout
        self.assertIn("3,688 runs", text)

    def test_what_is_over_it_for_the_median_is_over_it(self):
        self.assertEqual(self.sweep(SIM, "--slo", "p99.9:0.9ms", "--max-runs", "100")["slo"]["over"], [0])


class GoingOn(SweepCase):
    def changed_since(self, before):
        return [file.name for file in self.points() if before.get(file) != file.stat().st_mtime_ns]

    def test_a_second_run_measures_only_what_is_missing(self):
        self.sweep(SIM, "--batch", "1..8")
        gone = self.points()[1]
        gone.unlink()
        before = {file: file.stat().st_mtime_ns for file in self.points()}
        document = self.sweep(SIM, "--batch", "1..32")
        self.assertEqual(document["reused"], 3)
        self.assertEqual(len(document["points"]), 6)
        self.assertEqual(len(self.changed_since(before)), 3)
        self.assertIn(gone.name, self.changed_since(before))
        self.assertEqual(self.sweep(SIM, "--batch", "1..32")["reused"], 6)

    def test_damaged_files_are_measured_anew(self):
        self.sweep(SIM, "--batch", "1..8")
        whole = self.points()[0].read_bytes()
        self.points()[0].write_bytes(whole[:len(whole) // 2])
        self.points()[1].write_bytes(b"")
        (self.out / "point-batch77-inflight1.part.1234.part").write_bytes(whole)
        document = self.sweep(SIM, "--batch", "1..16")
        self.assertEqual(document["reused"], 2)
        self.assertEqual([p["throughput"]["value"] for p in document["points"]], [1000, 2000, 4000, 8000, 16000])
        self.assertEqual(list(self.out.glob("*.part")), [])

    def test_more_effort_measures_anew_what_is_not_good_enough(self):
        jittery = "sim:device=1ms,jitter=0.3,time=virtual"
        coarse = self.sweep(jittery, "--precision", "0.1")["points"][0]["latency"]["count"]
        finer = self.sweep(jittery, "--precision", "0.01")
        self.assertEqual(finer["reused"], 0)
        self.assertGreater(finer["points"][0]["latency"]["count"], coarse)
        self.assertEqual(self.sweep(jittery, "--precision", "0.05")["reused"], 1)
        more = self.sweep(jittery, "--min-runs", "20000")
        self.assertEqual((more["reused"], more["points"][0]["latency"]["count"] >= 20000), (0, True))
        self.assertEqual(self.sweep(jittery)["reused"], 1)

    def test_a_point_cut_short_is_measured_anew_when_it_may_run_for_longer(self):
        jittery = ["sim:device=1ms,jitter=0.3,time=virtual", "--precision", "1e-6"]
        self.assertEqual(self.sweep(*jittery, "--max-runs", "40")["points"][0]["latency"]["count"], 40)
        self.assertEqual(self.sweep(*jittery, "--max-runs", "40")["reused"], 1)
        self.assertEqual(self.sweep(*jittery, "--budget", "1s")["reused"], 0)
        self.assertEqual(self.sweep(*jittery, "--budget", "500ms")["reused"], 1)
        self.assertEqual(self.sweep(*jittery, "--budget", "2s")["reused"], 0)

    def test_other_settings_another_model_and_another_machine_are_refused(self):
        self.sweep(SIM)
        arguments = ["sweep", SIM, "--out", self.out]
        run = self.refused(*arguments, "--seed", "1", status=2, says="is of another sweep: options was '', is '--seed 1'")
        self.assertIn("--fresh", run.stderr)
        self.refused("sweep", "sim:device=2ms,time=virtual", "--out", self.out, status=2, says="model was")
        self.refused(*arguments, status=2, says="ORT_DYLIB_PATH", env={"ORT_DYLIB_PATH": "/elsewhere"})
        identity = self.out / "lapse-sweep.json"
        here = json.loads(identity.read_text())
        identity.write_text(json.dumps({**here, "CPU": "a\nsundial"}))
        self.refused(*arguments, status=2, says="CPU was")
        identity.write_text("{")
        self.refused(*arguments, status=2, says="damaged")
        self.assertEqual(self.sweep(SIM, "--fresh")["reused"], 0)
        self.assertEqual(self.sweep(SIM)["reused"], 1)
        self.assertEqual(json.loads(identity.read_text()), here)

    @unittest.skipUnless(HAS_ONNXRUNTIME, "no ONNX Runtime")
    def test_a_model_file_that_was_replaced_is_another_one(self):
        model = self.folder / "model.onnx"
        shutil.copy(DEMO / "model.onnx", model)
        quick = ["--max-runs", "5", "--warmup", "0", "--threads", "1"]
        self.sweep(model, *quick)
        self.assertEqual(self.sweep(self.folder / "." / "model.onnx", *quick)["reused"], 1)
        os.utime(model, ns=(0, model.stat().st_mtime_ns + 1_000_000))
        self.refused("sweep", model, *quick, "--out", self.out, status=2, says="model file was")

    def test_a_folder_of_other_things_is_left_alone(self):
        self.out.mkdir()
        (self.out / "thesis.txt").write_text("precious")
        self.refused("sweep", SIM, "--out", self.out, "--fresh", status=2, says="other things")
        self.assertEqual((self.out / "thesis.txt").read_text(), "precious")
        # … also where a sweep is among them.
        (self.out / "thesis.txt").unlink()
        self.sweep(SIM)
        (self.out / "thesis.txt").write_text("precious")
        self.sweep(SIM, "--fresh")
        self.assertEqual((self.out / "thesis.txt").read_text(), "precious")

    def test_two_sweeps_do_not_share_a_folder_at_once(self):
        process = self.start("sim:device=5ms", "--precision", "1e-9", "--budget", "20s")
        wait_for(lambda: self.out.exists() and list(self.out.iterdir()))
        self.refused("sweep", "sim:device=5ms", "--out", self.out, status=2, says="in use by another sweep")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        self.assertFalse(self.out.exists(), "nothing was measured, and nothing is left")


class Interrupted(SweepCase):
    def test_ctrl_c_keeps_what_is_finished_and_the_same_command_goes_on(self):
        arguments = ["sim:device=5ms", "--batch", "1..8", "--precision", "1e-9", "--budget", "700ms"]
        process = self.start(*arguments)
        wait_for(lambda: len(self.points()) >= 1)
        child = wait_for(lambda: children(process.pid))[0]
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=30)
        self.assertEqual((process.returncode, stderr), (130, ""))
        self.assertIn("INTERRUPTED", stdout)
        self.assertIn("the same command goes on", stdout)
        self.assertFalse(os.path.exists(f"/proc/{child}"))
        done = len(self.points())
        self.assertLess(done, 4)
        document = self.sweep(*arguments)
        self.assertEqual((document["reused"], len(document["points"])), (done, 4))

    def test_a_child_does_not_outlive_a_sweep_that_is_killed(self):
        process = self.start("sim:device=5ms", "--precision", "1e-9", "--budget", "60s")
        child = wait_for(lambda: children(process.pid))[0]
        process.kill()
        process.communicate(timeout=30)
        wait_for(lambda: not os.path.exists(f"/proc/{child}"), 5)

    def test_progress_is_for_a_terminal_alone(self):
        self.assertEqual(self.lapse("sweep", "sim:device=5ms", "--batch", "1,2", "--budget", "1s", "--out", self.out).stderr, "")
        leader, follower = pty.openpty()
        process = subprocess.Popen([LAPSE, "sweep", "sim:device=5ms", "--batch", "1,2", "--precision", "1e-9", "--budget", "1200ms", "--fresh", "--out", self.out],
                                   stdout=subprocess.DEVNULL, stderr=follower)
        os.close(follower)
        seen = b""
        try:
            while chunk := os.read(leader, 4096):
                seen += chunk
        except OSError:   # the terminal has lost its last writer
            pass
        self.assertEqual(process.wait(30), 0)
        self.assertIn("sweep 1 / 2 · batch 1 · at most 2 s left", seen.decode())
        self.assertIn("sweep 2 / 2 · batch 2 · about 1 s left", seen.decode())


class Trouble(SweepCase):
    def test_a_point_that_does_not_fit_into_memory_is_recorded_and_the_sweep_goes_on(self):
        document = self.sweep("null", "--batch", "1000000000000,1", "--max-runs", "50")
        self.assertEqual([p["state"] for p in document["points"]], ["out-of-memory", "measured"])
        self.assertIn("input x", document["points"][0]["reason"])
        # A fact, not to be found out again; nor does it have a latency to be within a limit.
        document = self.sweep("null", "--batch", "1000000000000,1", "--max-runs", "50", "--slo", "p50:1s")
        self.assertEqual((document["reused"], document["slo"]["best"]), (2, 1))
        self.assertEqual([p["state"] for p in document["points"]], ["out-of-memory", "measured"])
        text = self.lapse("sweep", "null", "--batch", "1000000000000,1", "--max-runs", "50", "--out", self.out).stdout
        self.assertIn("out of memory", text)

    def test_a_point_that_the_kernel_kills_is_out_of_memory(self):
        process = self.start("sim:device=5ms", "--batch", "1,2", "--precision", "1e-9", "--budget", "1500ms", "--json", self.folder / "s.json")
        os.kill(wait_for(lambda: children(process.pid))[0], signal.SIGKILL)
        stdout, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)
        first, second = json.loads((self.folder / "s.json").read_text())["points"]
        self.assertEqual((first["state"], second["state"]), ("out-of-memory", "measured"))
        self.assertIn("SIGKILL", first["reason"])

    def test_a_point_that_crashes_is_recorded_and_tried_again(self):
        arguments = ["sim:device=5ms", "--batch", "1,2", "--precision", "1e-9", "--budget", "1s"]
        process = self.start(*arguments, "--json", self.folder / "s.json")
        os.kill(wait_for(lambda: children(process.pid))[0], signal.SIGILL)   # a sanitizer has a handler for SIGSEGV
        stdout, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)
        self.assertIn("crashed: signal 4", stdout)
        self.assertEqual(json.loads((self.folder / "s.json").read_text())["points"][0]["state"], "failed")
        document = self.sweep(*arguments)
        self.assertEqual((document["reused"], [p["state"] for p in document["points"]]), (1, ["measured"] * 2))

    def test_a_point_that_fails_is_recorded_with_its_reason(self):
        document = self.sweep(SIM, "--device", "sim,tpu")
        self.assertEqual([p["state"] for p in document["points"]], ["measured", "failed"])
        self.assertIn("no device 'tpu'", document["points"][1]["reason"])

    def test_what_every_point_fails_of_is_said_once(self):
        self.refused("sweep", "null", "--batch", "1..64", "--shape", "y=1x4", "--out", self.out, status=2, says="y")
        self.refused("sweep", "sim:device=fast", "--batch", "1..64", "--out", self.out, status=2, says="device=fast")
        self.refused("sweep", SIM, "--batch", "1,2", "--device", "tpu", "--out", self.out, status=3, says="no device 'tpu'")
        self.assertFalse(self.out.exists())

    def test_a_point_that_hangs_is_ended_by_its_time_out(self):
        self.refused("sweep", "sim:device=20s", "--timeout", "300ms", "--out", self.out, status=3, says="time-out")

    def test_errors_are_json_for_a_program_that_asks(self):
        run = self.lapse("time", "null", "--batch", "1000000000000", status=2, env={"LAPSE_ERRORS": "json"})
        error = json.loads(run.stderr)
        self.assertEqual((error["code"], set(error)), ("out_of_memory", {"code", "message", "hint"}))


class BadUse(SweepCase):
    def test_every_wrong_use_is_one_line_with_status_2_before_anything_is_measured(self):
        (self.folder / "file").write_text("")
        for arguments, says in [
            (["null", "--batch", ""], "empty"),
            (["null", "--batch", "1,,2"], "--batch"),
            (["null", "--batch", "1,x"], "'x'"),
            (["null", "--batch", "0,1"], "'0'"),
            (["null", "--batch", "-1"], "'-1'"),
            (["null", "--batch", "4..2"], "'4..2'"),
            (["null", "--batch", "1.."], "'1..'"),
            (["null", "--batch", "1..2..4"], "'1..2..4'"),
            (["null", "--batch", "1,2,1"], "1 twice"),
            (["null", "--batch", "1..4,4"], "4 twice"),
            (["null", "--batch", "99999999999999999999"], "99999999999999999999"),
            (["null", "--threads", "5000"], "--threads"),
            (["null", "--inflight", "1025"], "--inflight"),
            (["null", "--engine", "onnxruntime,tensorflow"], "tensorflow"),
            (["null", "--engine", "onnxruntime,"], "empty element"),
            (["null", "--engine", "./nowhere.so"], "nowhere.so"),
            (["null", "--device", "cpu,cpu"], "cpu twice"),
            (["null", "--batch", ",".join(map(str, range(1, 102))), "--threads", ",".join(map(str, range(1, 101)))], "10100 points"),
            (["null", "--slo", "50"], "50"),
            (["null", "--slo", "0ms"], "--slo"),
            (["null", "--slo", "p42:50ms"], "p42"),
            (["null", "--slo", "p99:"], ""),
            (["null", "--budget", "soon"], "soon"),
            (["null", "--seed", "1", "--seed", "2"], "--seed"),
            (["null", "--min-runs", "9", "--max-runs", "8"], "--min-runs"),
            (["null", "--precision", "0"], "--precision"),
            (["null", "--out", self.folder / "file"], "is a file"),
            (["null", "--out", "/proc/nowhere"], "/proc/nowhere"),
            (["null", "--json", "-", "--csv", "-"], "two forms"),
            (["null", "--json", "/nowhere/s.json"], "can't be written"),
            (["/nowhere.onnx", "--batch", "1..64"], "no such file"),
            ([], "MODEL"),
        ]:
            with self.subTest(arguments=arguments):
                out = [] if "--out" in arguments else ["--out", self.out]
                self.refused("sweep", *arguments, *out, status=2, says=says)
                self.assertFalse(self.out.exists())

    def test_a_folder_that_can_not_be_written_is_said(self):
        if os.geteuid() == 0:
            self.skipTest("root may write everywhere")
        self.folder.chmod(0o500)
        self.addCleanup(self.folder.chmod, 0o700)
        self.refused("sweep", SIM, "--out", self.out, status=2, says=str(self.out))


if __name__ == "__main__":
    unittest.main()
