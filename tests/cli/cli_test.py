"""The program run for real. LAPSE names it; each failure must be one clear line and a hint, with the right exit status."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

import numpy

LAPSE = os.environ["LAPSE"]
SOURCE = pathlib.Path(os.environ["LAPSE_SOURCE_DIR"])
BUILD = pathlib.Path(os.environ["LAPSE_BINARY_DIR"])
DEMO = SOURCE / "models" / "demo"
QUICK = ["--max-runs", "5", "--warmup", "0"]


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lapse-test-"))

    def lapse(self, *arguments, env=None, status=0):
        run = subprocess.run([LAPSE, *map(str, arguments)], capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL,
                             env={**os.environ, **(env or {})})
        self.assertEqual(run.returncode, status, f"lapse {arguments}\n{run.stdout}\n{run.stderr}")
        return run

    def refused(self, *arguments, status, says, env=None):
        """One line that says what is wrong, at most one with a hint, and nothing else."""
        run = self.lapse(*arguments, status=status, env=env)
        lines = run.stderr.splitlines()
        self.assertEqual(run.stdout, "")
        self.assertIn(len(lines), (1, 2), run.stderr)
        self.assertTrue(lines[0].startswith("lapse: "), run.stderr)
        self.assertIn(says, lines[0])
        if len(lines) == 2:
            self.assertTrue(lines[1].startswith("  hint: "), run.stderr)
        self.assertLess(max(map(len, lines)), 400, run.stderr)
        return run

    def json(self, *arguments, **options):
        return json.loads(self.lapse("time", *arguments, "--json", "-", **options).stdout)

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def npy(self, name, array):
        path = self.folder / name
        numpy.save(path, array)
        return path


class Simulated(Case):
    def test_submit_device_and_end_to_end_are_exact_in_virtual_time(self):
        result = self.json("sim:submit=50us,device=5ms,time=virtual")
        summary = result["summary"]
        self.assertEqual(summary["submit"]["median_ns"], {"value": 50e3, "low": 50e3, "high": 50e3})
        self.assertEqual(summary["device"]["median_ns"]["value"], 5e6)
        self.assertEqual(summary["end_to_end"]["median_ns"]["value"], 5.05e6)
        self.assertIn("submit_is_not_latency", [warning["code"] for warning in result["warnings"]])

    def test_the_report_says_that_the_call_alone_is_wrong_and_by_which_factor(self):
        text = self.lapse("time", "sim:submit=50us,device=5ms,time=virtual").stdout
        self.assertIn("101× too small", text)

    def test_a_real_device_thread_is_measured_too(self):
        result = self.json("sim:submit=50us,device=2ms", "--max-runs", "50")
        self.assertGreaterEqual(result["summary"]["end_to_end"]["min_ns"], 2e6)
        self.assertGreaterEqual(result["summary"]["device"]["min_ns"], 2e6)
        self.assertLess(result["summary"]["submit"]["min_ns"], 2e6)

    def test_a_blocking_engine_has_three_equal_series(self):
        samples = self.json("sim:device=1ms,blocking=1,time=virtual")["samples"]
        self.assertEqual(samples["submit_ns"], samples["end_to_end_ns"])
        self.assertEqual(samples["device_ns"], samples["end_to_end_ns"])

    def test_the_cold_inference_stays_out_of_the_samples(self):
        result = self.json("sim:device=1ms,first=80ms,time=virtual")
        self.assertEqual(result["cold"]["first_ns"], 80e6)
        self.assertEqual(result["summary"]["end_to_end"]["max_ns"], 1e6)

    def test_a_percentile_that_the_sample_cannot_support_says_what_it_needs(self):
        summary = self.json("sim:device=1ms,time=virtual", "--max-runs", "40")["summary"]["end_to_end"]
        self.assertIn("value", summary["p90_ns"])
        self.assertEqual(summary["p95_ns"], {"needs": 72})
        self.assertEqual(summary["p99_ns"], {"needs": 368})
        self.assertEqual(summary["p999_ns"], {"needs": 3688})

    def test_offline_keeps_the_device_busy(self):
        single = self.json("sim:submit=900us,device=1ms,time=virtual", "--max-runs", "400")
        offline = self.json("sim:submit=900us,device=1ms,time=virtual", "--max-runs", "400", "--scenario", "offline", "--in-flight", "4")
        self.assertAlmostEqual(single["throughput_per_s"], 526, delta=1)
        self.assertGreater(offline["throughput_per_s"], 970)
        self.assertEqual(offline["subject"]["in_flight"], 4)

    def test_null_measures_lapse_itself(self):
        result = self.json("null", "--max-runs", "1000")
        self.assertEqual(result["samples"]["count"], 1000)
        self.assertEqual(result["subject"]["engine"], "null")

    def test_the_batch_multiplies_the_throughput(self):
        result = self.json("sim:device=1ms,time=virtual", "--batch", "8")
        self.assertEqual(result["subject"]["inputs"][0]["shape"], [8, 4])
        self.assertAlmostEqual(result["throughput_per_s"], 8000, delta=1)


class Output(Case):
    def test_a_saved_result_shows_the_same_report_again_in_both_languages(self):
        saved = self.folder / "result.json"
        text = self.lapse("time", "sim:device=1ms,time=virtual", "--json", saved).stdout
        self.assertEqual(self.lapse("show", saved).stdout, text)
        korean = self.lapse("show", saved, "--lang", "ko").stdout
        self.assertIn("지연 시간", korean)
        self.assertEqual(self.lapse("--lang", "ko", "show", saved).stdout, korean)
        self.assertEqual(self.lapse("show", saved, env={"LC_ALL": "ko_KR.UTF-8"}).stdout, korean)

    def test_json_has_the_keys_that_others_rely_on(self):
        result = self.json("sim:device=1ms,time=virtual", "--max-runs", "40")
        self.assertEqual(result["schema"], "lapse.result/1")
        self.assertLessEqual({"model", "engine", "engine_version", "device", "threads", "batch", "inputs"}, set(result["subject"]))
        self.assertEqual(set(result["subject"]["inputs"][0]) & {"name", "dtype", "shape"}, {"name", "dtype", "shape"})
        self.assertLessEqual({"load_ns", "first_ns"}, set(result["cold"]))
        self.assertLessEqual({"discarded", "verdict"}, set(result["warmup"]))
        for series in ("end_to_end", "submit", "device"):
            self.assertEqual(len(result["samples"][series + "_ns"]), result["samples"]["count"])
            self.assertLessEqual({"median_ns", "p90_ns", "p95_ns", "p99_ns", "p999_ns", "min_ns", "max_ns", "mean_ns"},
                                 set(result["summary"][series]))
        self.assertEqual(result["throughput_per_s"], 1000)
        self.assertIn("time", result["argv"])

    def test_csv_and_markdown(self):
        csv = self.folder / "runs.csv"
        self.lapse("time", "sim:submit=1us,device=1ms,time=virtual", "--max-runs", "3", "--csv", csv)
        self.assertEqual(csv.read_text().splitlines()[1], "1,1001000,1000,1000000")
        self.assertIn("|", self.lapse("time", "null", "--max-runs", "50", "--markdown", "-").stdout)

    def test_no_progress_when_stderr_is_no_terminal(self):
        self.assertEqual(self.lapse("time", "sim:device=1ms", "--max-runs", "300").stderr, "")

    def test_output_that_cannot_be_written_is_known_before_the_measurement(self):
        begin = time.monotonic()
        self.refused("time", "sim:device=1s", "--json", "/nowhere/result.json", status=2, says="can't be written")
        self.refused("time", "sim:device=1s", "--csv", self.folder, status=2, says="it is a folder")
        self.refused("time", "null", "--json", "-", "--csv", "-", status=2, says="two forms")
        both = self.folder / "both"
        self.refused("time", "null", "--json", both, "--csv", self.folder / "." / "both", status=2, says="two forms")
        self.assertLess(time.monotonic() - begin, 5)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_form_that_cannot_be_saved_costs_no_other(self):
        csv = self.folder / "runs.csv"
        run = self.lapse("time", "null", "--max-runs", "50", "--json", "/dev/full", "--csv", csv, status=2)
        self.assertIn("latency", run.stdout)
        self.assertIn("/dev/full can't be written", run.stderr)
        self.assertEqual(len(csv.read_text().splitlines()), 51)

    def test_a_full_stdout_is_an_error(self):
        for arguments in (["time", "null", "--max-runs", "50"], ["engines"]):
            with open("/dev/full", "w") as full:
                run = subprocess.run([LAPSE, *arguments], stdout=full, stderr=subprocess.PIPE, text=True)
            self.assertEqual(run.returncode, 2)
            self.assertIn("stdout can't be written", run.stderr)

    def test_a_failed_measurement_leaves_no_file_behind(self):
        self.refused("time", "sim:nonsense", "--json", self.folder / "result.json", status=2, says="nonsense")
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_show_refuses_what_is_no_result(self):
        self.refused("show", self.file("a.json", b""), status=2, says="a.json")
        self.refused("show", self.file("b.json", b'{"schema": "other/1"}'), status=2, says="schema")
        self.refused("show", self.file("c.json", b"[" * 100000), status=2, says="c.json")
        self.refused("show", "/nowhere.json", status=2, says="can't be read")
        self.refused("show", self.folder, status=2, says="can't be read")
        self.refused("show", "/dev/zero", status=2, says="can't be read")

    def test_engines_are_listed_with_version_or_with_reason_and_remedy(self):
        text = self.lapse("engines").stdout
        for engine in ("onnxruntime", "torch", "null", "sim"):
            self.assertIn(engine, text)
        broken = self.lapse("engines", "--engine-lib", "/nowhere.so").stdout
        if (BUILD / "engines" / "lapse-engine-onnxruntime.so").exists():
            self.assertIn("not usable: ", broken)
            self.assertIn("→", broken)


class BadUse(Case):
    def test_every_wrong_use_is_one_line_with_status_2(self):
        for arguments, says in [
            (["time"], "MODEL"),
            (["tim", "null"], "tim"),
            (["time", "null", "--frobnicate"], "frobnicate"),
            (["time", "null", "--batch", "-1"], "--batch"),
            (["time", "null", "--batch", "0"], "--batch"),
            (["time", "null", "--threads", "0"], "--threads"),
            (["time", "null", "--precision", "0"], "--precision"),
            (["time", "null", "--precision", "nan"], "--precision"),
            (["time", "null", "--budget", "soon"], "soon"),
            (["time", "null", "--budget", "-3s"], "-3s"),
            (["time", "null", "--max-runs", "0"], "--max-runs"),
            (["time", "null", "--min-runs", "9", "--max-runs", "8"], "--min-runs"),
            (["time", "null", "--scenario", "server"], "--scenario"),
            (["time", "null", "--in-flight", "2"], "--in-flight"),
            (["time", "null", "--shape", "1x4"], "--shape"),
            (["time", "null", "--shape", "x=1x-4"], "1x-4"),
            (["time", "null", "--shape", "x=99999999999999999999x4"], "99999999999999999999x4"),
            (["time", "null", "--shape", "y=1x4"], "y"),
            (["time", "null", "--shape", "x:int64=1x4"], "float32"),
            (["time", "null", "--shape", "x=1x4", "--shape", "x=2x4"], "twice"),
            (["time", "null", "--dim", "depth=4"], "depth"),
            (["time", "null", "--fill", "ones"], "ones"),
            (["time", "null", "--fill", "ints:9..1"], "ints:9..1"),
            (["time", "null", "--input", "x=/nowhere.npy"], "/nowhere.npy"),
            (["time", "null", "--engine-opt", "fast"], "--engine-opt"),
            (["time", "null", "--engine-opt", "fast=1"], "fast"),
            (["time", "null", "--pin", "99999"], "99999"),
            (["time", "null", "--pin", "a-b"], "a-b"),
            (["time", "null", "--lang", "fr"], "fr"),
            (["time", "null:x"], "takes no model"),
            (["time", "sim:device=fast"], "device=fast"),
            (["time", "null", "--engine", "onnxruntime"], "an engine of its own"),
            (["time", "null", "--batch", "2", "--shape", "x=3x4"], "--batch 2 contradicts"),
            (["time", "null", "--expect", "nosuch=/nowhere.npy"], "nosuch"),
            (["time", "sim:device=25h"], "device=25h"),
            (["--frobnicate"], "--frobnicate"),
            (["time", "model.docx"], "no such file"),
            (["time", SOURCE / "README.md"], "no engine is known"),
            (["time", SOURCE / "cli"], "model.onnx"),
            (["time", SOURCE / "README.md", "--engine", "tensorflow"], "tensorflow"),
            (["check", "/nowhere"], "/nowhere"),
            (["check", SOURCE / "cli"], "no case"),
        ]:
            with self.subTest(arguments=arguments):
                self.refused(*arguments, status=2, says=says)

    def test_a_plug_in_that_cannot_be_used_is_status_3(self):
        readme = SOURCE / "README.md"
        self.refused("time", readme, "--engine", BUILD / "tests" / "plugin_of_another_abi.so", status=3, says="speaks version 2")
        self.refused("time", readme, "--engine", BUILD / "tests" / "plugin_without_entry.so", status=3, says="not an engine plug-in")
        self.refused("time", readme, "--engine", readme, status=3, says="can't be loaded")
        self.refused("time", "null", "--device", "cuda", status=3, says="cuda")

    def test_a_damaged_plug_in_is_status_3(self):
        whole = (BUILD / "tests" / "plugin_without_entry.so").read_bytes()
        self.refused("time", SOURCE / "README.md", "--engine", self.file("half.so", whole[:len(whole) // 2]), status=3, says="its end is missing")

    def test_threads_that_the_machine_does_not_give_are_no_crash(self):
        command = f"ulimit -d 150000; exec '{LAPSE}' time null --scenario offline --in-flight 1024 --threads 1"
        run = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
        if "AddressSanitizer" in run.stderr or "ThreadSanitizer" in run.stderr:
            self.skipTest("a sanitizer needs more memory itself")
        self.assertEqual(run.returncode, 2, run.stderr)
        self.assertIn("of 1024 threads", run.stderr)

    def test_an_input_larger_than_the_machine_is_refused(self):
        self.refused("time", "null", "--batch", str(10**12), status=2, says="input x")

    def test_help_and_version(self):
        self.assertIn("lapse time", self.lapse("time", "--help").stdout)
        self.assertRegex(self.lapse("--version").stdout, r"^lapse \d+\.\d+\.\d+")
        self.assertEqual(subprocess.run([LAPSE], capture_output=True).returncode, 2)


class Cuda(Case):
    """What is said where a CUDA device was asked for in vain. That they measure is for the label gpu."""

    def test_a_device_that_is_not_there_is_status_3(self):
        for model in (DEMO / "model.onnx", DEMO / "model.pt"):
            for device in ("cuda:200", "cuda:", "cuda:x"):
                with self.subTest(model=model.name, device=device):
                    run = self.refused("time", model, "--shape", "x=1,1,96,96", "--device", device, status=3, says="")
                    self.assertIn("cuda", run.stderr.lower())

    def test_transfers_on_the_host_are_status_2(self):
        for model in (DEMO / "model.onnx", DEMO / "model.pt"):
            with self.subTest(model=model.name):
                self.refused("time", model, "--shape", "x=1,1,96,96", "--engine-opt", "transfers=none", status=2, says="runs on the host")


class Interrupt(Case):
    def interrupt(self, *arguments, after):
        process = subprocess.Popen([LAPSE, "time", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(after)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
        return process.returncode, stdout, stderr

    def test_ctrl_c_prints_and_saves_what_there_is(self):
        saved = self.folder / "result.json"
        status, stdout, stderr = self.interrupt("sim:device=5ms", "--precision", "1e-6", "--json", saved, after=2)
        self.assertEqual((status, stderr), (130, ""))
        self.assertIn("interrupted", stdout.lower())
        result = json.loads(saved.read_text())
        self.assertTrue(result["interrupted"])
        self.assertGreater(result["samples"]["count"], 10)
        self.assertIn("interrupted", self.lapse("show", saved).stdout.lower())

    def test_ctrl_c_while_warming_up_still_reports_the_cold_start(self):
        status, stdout, _ = self.interrupt("sim:device=20ms", "--warmup", "100000", after=1)
        self.assertEqual(status, 130)
        self.assertIn("interrupted", stdout.lower())


    def test_ctrl_c_before_anything_is_measured_ends_at_once(self):
        process = subprocess.Popen([LAPSE, "time", "null", "--rotate", "100000", "--batch", "1000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
        self.assertEqual(process.returncode, -signal.SIGINT)   # which a shell shows as 130


class Onnx(Case):
    def test_the_demo_folder_is_checked_and_measured(self):
        result = self.json(DEMO, "--max-runs", "20")
        self.assertEqual(result["answer"]["verdict"], "correct")
        self.assertEqual(result["subject"]["engine"], "onnxruntime")
        self.assertGreater(result["memory"]["peak_bytes"], 0)
        self.assertEqual(result["samples"]["submit_ns"], result["samples"]["end_to_end_ns"])

    def test_threads_and_seed_and_rotation_are_passed_on(self):
        result = self.json(DEMO / "model.onnx", "--threads", "1", "--rotate", "3", "--seed", "7", *QUICK)
        self.assertEqual(result["subject"]["threads"], 1)
        self.assertEqual(result["subject"]["input_sets"], 3)

    def test_offline_runs_blocking_inferences_in_parallel(self):
        result = self.json(DEMO / "model.onnx", "--scenario", "offline", "--in-flight", "2", "--max-runs", "60")
        self.assertGreaterEqual(result["samples"]["count"], 40)
        self.assertGreater(result["throughput_per_s"], 0)

    def test_an_expected_output_is_compared_before_anything_is_timed(self):
        data = DEMO / "test_data_set_0"
        right, wrong = self.demo_output(), self.demo_output()
        wrong[0, 0, 0, 0] += 1
        x = self.npy("x.npy", self.demo_input())
        self.assertTrue(data.exists())
        good = self.json(DEMO / "model.onnx", "--input", f"x={x}", "--expect", f"y={self.npy('y.npy', right)}", *QUICK)
        self.assertEqual(good["answer"]["verdict"], "correct")
        self.refused("time", DEMO / "model.onnx", "--input", f"x={x}", "--expect", f"y={self.npy('n.npy', wrong)}", status=4, says="wrong answer")
        self.refused("time", DEMO / "model.onnx", "--input", f"x={x}", "--expect", f"0={self.npy('z.npy', right[:, :, :9])}", status=4, says="shape")
        self.refused("time", DEMO / "model.onnx", "--input", f"x={x}", "--expect", f"z={self.npy('y.npy', right)}", status=2, says="--expect z")

    @staticmethod
    def demo_tensor(name):
        import onnx
        from onnx import numpy_helper
        tensor = onnx.TensorProto()
        tensor.ParseFromString((DEMO / "test_data_set_0" / name).read_bytes())
        return numpy_helper.to_array(tensor).copy()

    def demo_input(self):
        return self.demo_tensor("input_0.pb")

    def demo_output(self):
        return self.demo_tensor("output_0.pb")

    def test_a_folder_brings_its_own_inputs(self):
        self.refused("time", DEMO, "--batch", "4", status=2, says="inputs of its own")

    def test_check_does_not_count_as_passed_what_expects_nothing(self):
        (self.folder / "test_data_set_0").mkdir()
        (self.folder / "model.onnx").write_bytes((DEMO / "model.onnx").read_bytes())
        (self.folder / "test_data_set_0" / "input_0.pb").write_bytes((DEMO / "test_data_set_0" / "input_0.pb").read_bytes())
        self.assertIn("0 run (0 passed", self.lapse("check", self.folder).stdout)
        self.refused("check", self.folder, "--engine", "nosuch", status=2, says="nosuch")

    def test_check_counts_the_cases(self):
        run = self.lapse("check", SOURCE / "models" / "demo")
        self.assertIn("1 cases: 1 run (1 passed, 0 failed", run.stdout)

    def test_data_dependent_output_shapes_are_reported_as_they_come(self):
        import onnx
        from onnx import TensorProto, helper
        graph = helper.make_graph([helper.make_node("NonZero", ["x"], ["y"])], "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4, 5])],
                                  [helper.make_tensor_value_info("y", TensorProto.INT64, [2, None])])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        path = self.folder / "nonzero.onnx"
        onnx.save(model, str(path))
        result = self.json(path, *QUICK)
        self.assertEqual(result["subject"]["outputs"], [{"name": "y", "dtype": "int64", "shape": [2, 20]}])

    def test_a_model_that_is_random_by_design_is_named_not_failed(self):
        import onnx
        from onnx import TensorProto, helper
        graph = helper.make_graph([helper.make_node("RandomNormalLike", ["x"], ["y"])], "g",
                                  [helper.make_tensor_value_info("x", TensorProto.FLOAT, [64])],
                                  [helper.make_tensor_value_info("y", TensorProto.FLOAT, [64])])
        path = self.folder / "random.onnx"
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), str(path))
        result = self.json(path, "--expect", f"y={self.npy('y.npy', numpy.zeros(64, numpy.float32))}", *QUICK)
        self.assertEqual(result["answer"]["verdict"], "random")
        self.assertIn("random_model", [warning["code"] for warning in result["warnings"]])


class BadOnnx(Case):
    def test_what_is_no_model_is_status_2(self):
        whole = (DEMO / "model.onnx").read_bytes()
        for name, content in [("empty", b""), ("random", os.urandom(4096)), ("text", b"hello"), ("truncated", whole[:len(whole) // 2]),
                              ("header", whole[:20])]:
            with self.subTest(name):
                run = self.refused("time", self.file(name + ".onnx", content), status=2, says=name + ".onnx")
                self.assertIn("hint: ", run.stderr)
        self.refused("time", "/nowhere.onnx", status=2, says="no such file")
        os.mkfifo(self.folder / "pipe.onnx")
        self.refused("time", self.folder / "pipe.onnx", status=2, says="not a file")

    def test_a_model_that_cannot_be_read_is_status_2(self):
        path = self.file("secret.onnx", (DEMO / "model.onnx").read_bytes())
        path.chmod(0)
        if os.access(path, os.R_OK):
            self.skipTest("root reads everything")
        self.refused("time", path, status=2, says="secret.onnx")

    def test_an_operator_that_the_engine_lacks_is_named(self):
        import onnx
        from onnx import TensorProto, helper
        value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
        graph = helper.make_graph([helper.make_node("Frobnicate", ["x"], ["y"], domain="acme")], "g", value[:1], value[1:])
        path = self.folder / "strange.onnx"
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13), helper.make_opsetid("acme", 1)]), str(path))
        self.refused("time", path, status=3, says="Frobnicate")

    def test_wrong_inputs_are_told_with_the_right_ones(self):
        model = DEMO / "model.onnx"
        self.refused("time", model, "--shape", "x=1x96x96", status=2, says="x")
        self.refused("time", model, "--shape", "x=1x2x96x96", status=2, says="x")
        self.refused("time", model, "--shape", "image=1x1x96x96", status=2, says="image")
        self.refused("time", model, "--fill", "ints:0..9", "--shape", "x:int8=1x1x96x96", status=2, says="float32")
        self.refused("time", model, "--input", f"x={self.npy('d.npy', numpy.zeros((1, 1, 96, 96)))}", status=2, says="float64")
        self.refused("time", model, "--input", f"x={self.file('t.npy', b'no npy')}", status=2, says="t.npy")

    def test_memory_that_is_not_there_is_refused(self):
        self.refused("time", DEMO / "model.onnx", "--batch", "100000000", status=2, says="input x")

    def test_an_engine_library_that_cannot_be_used_is_status_3(self):
        model = DEMO / "model.onnx"
        self.refused("time", model, "--engine-lib", "/nowhere.so", status=3, says="/nowhere.so")
        self.refused("time", model, "--engine-lib", model, status=3, says="model.onnx")
        self.refused("time", model, "--engine-lib", BUILD / "tests" / "plugin_without_entry.so", status=3, says="plugin_without_entry.so")
        self.refused("time", model, "--engine-lib", BUILD / "tests" / "ort_of_another_version.so", status=3, says="0.5.0")
        self.refused("time", model, env={"ORT_DYLIB_PATH": "/nowhere.so"}, status=3, says="/nowhere.so")

    def test_the_wrong_answer_of_a_folder_is_status_4(self):
        (self.folder / "test_data_set_0").mkdir()
        (self.folder / "model.onnx").write_bytes((DEMO / "model.onnx").read_bytes())
        source = DEMO / "test_data_set_0"
        (self.folder / "test_data_set_0" / "input_0.pb").write_bytes((source / "input_0.pb").read_bytes())
        (self.folder / "test_data_set_0" / "output_0.pb").write_bytes((source / "input_0.pb").read_bytes())
        self.refused("time", self.folder, status=4, says="wrong answer")
        self.lapse("check", self.folder, status=4)
        (self.folder / "test_data_set_0" / "input_0.pb").write_bytes(b"\xff\xff\xff")
        self.refused("time", self.folder, status=2, says="input_0.pb")
        (self.folder / "test_data_set_0" / "input_0.pb").unlink()
        self.refused("time", self.folder, status=2, says="holds 0 inputs")


class TorchScript(Case):
    def test_the_shape_is_asked_for(self):
        run = self.refused("time", DEMO / "model.pt", status=2, says="does not tell the shape of its input 'x'")
        self.assertIn("--shape x=", run.stderr)

    def test_a_torchscript_model_is_measured(self):
        result = self.json(DEMO / "model.pt", "--shape", "x=1x1x96x96", *QUICK)
        self.assertEqual(result["subject"]["engine"], "torch")
        self.assertEqual(result["subject"]["outputs"][0]["shape"], [1, 1, 192, 192])

    def test_freezing_gives_the_same_answer(self):
        demo = Onnx()
        x, y = self.npy("x.npy", demo.demo_input()), self.npy("y.npy", demo.demo_output())
        for freeze in ("0", "1"):
            result = self.json(DEMO / "model.pt", "--input", f"x={x}", "--expect", f"0={y}", "--engine-opt", f"freeze={freeze}", *QUICK)
            self.assertEqual(result["answer"]["verdict"], "correct")

    def test_what_is_no_torchscript_is_status_2(self):
        import torch
        whole = (DEMO / "model.pt").read_bytes()
        for name, content in [("empty", b""), ("random", os.urandom(4096)), ("truncated", whole[:len(whole) // 2])]:
            with self.subTest(name):
                self.refused("time", self.file(name + ".pt", content), "--shape", "x=1x1x96x96", status=2, says=name + ".pt")
        weights = self.folder / "weights.pt"
        torch.save({"w": torch.zeros(3)}, weights)
        run = self.refused("time", weights, "--shape", "x=1x1x96x96", status=2, says="weights.pt")
        self.assertIn("torch.jit", run.stderr)

    def test_a_model_that_writes_into_its_input_is_refused(self):
        import torch

        class InPlace(torch.nn.Module):
            def forward(self, x):
                return x.add_(1)

        path = self.folder / "inplace.pt"
        torch.jit.script(InPlace()).save(str(path))
        self.refused("time", path, "--shape", "x=1x4", status=2, says="writes into its own input")

    def test_a_wrong_shape_is_one_line(self):
        self.refused("time", DEMO / "model.pt", "--shape", "x=1x7x96x96", status=2, says="")


if __name__ == "__main__":
    unittest.main()
