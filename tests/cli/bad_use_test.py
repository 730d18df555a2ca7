"""Each failure is one clear line and a hint, with the right exit status."""

import subprocess
import unittest

from case import BUILD, Case, LAPSE, SOURCE


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
        self.refused("time", "null", "--device", "tpu", status=3, says="no device 'tpu'")

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


if __name__ == "__main__":
    unittest.main()
