"""Libraries of the user's own (lapse time ./FILE.so:SYMBOL), run for real: what is printed, and with which exit status."""

import json
import os
import re
import shutil
import subprocess
import unittest

from case import BUILD, Case, HAS_ONNXRUNTIME, LAPSE, QUICK, SOURCE

SUBJECTS = BUILD / "tests" / "subjects.so"
EXAMPLES = BUILD / "examples" / "subjects"
CAN_TIME_OUT = "--timeout" in subprocess.run([LAPSE, "time", "--help"], capture_output=True, text=True).stdout


class Subjects(Case):
    def test_an_asynchronous_one_is_measured_on_its_device(self):
        result = self.json(f"{SUBJECTS}:good", *QUICK)
        self.assertEqual(result["subject"]["engine"], "subject")
        self.assertEqual(result["subject"]["device"], "sim:virtual")
        self.assertEqual(result["subject"]["inputs"], [])
        self.assertEqual(result["summary"]["submit"]["min_ns"], 10e3)
        self.assertEqual(result["summary"]["device"]["min_ns"], 200e3)
        self.assertEqual(result["summary"]["end_to_end"]["min_ns"], 210e3)

    def test_a_blocking_one_is_measured_on_the_host(self):
        result = self.json(f"{EXAMPLES / 'busy_cpu.so'}:busy:300", *QUICK)
        self.assertGreaterEqual(result["summary"]["end_to_end"]["min_ns"], 300e3)
        self.assertEqual(result["samples"]["submit_ns"], result["samples"]["end_to_end_ns"])

    def test_several_are_in_flight_offline(self):
        for model in (f"{SUBJECTS}:good", f"{EXAMPLES / 'busy_cpu.so'}:busy:300"):
            result = self.json(model, *QUICK, "--scenario", "offline", "--in-flight", "3")
            self.assertEqual(result["subject"]["in_flight"], 3)

    def test_a_path_may_be_relative_and_may_hold_a_colon(self):
        odd = self.folder / "odd.so:folder"
        odd.mkdir()
        shutil.copy(EXAMPLES / "busy_cpu.so", odd / "lib.so.1.2")
        self.lapse("time", f"{odd / 'lib.so.1.2'}:busy:10", *QUICK)
        relative = os.path.relpath(EXAMPLES / "busy_cpu.so")
        self.lapse("time", f"{relative}:busy:10", *QUICK)

    def test_a_file_whose_name_looks_like_one_is_still_a_file(self):
        self.refused("time", self.file("lib.so:gemm", b"no model"), status=2, says="no engine is known for files")
        model = self.folder / "lib.so:model.onnx"
        shutil.copy(SOURCE / "models" / "demo" / "model.onnx", model)
        if HAS_ONNXRUNTIME:
            self.assertEqual(self.json(model, *QUICK)["subject"]["engine"], "onnxruntime")

    def test_the_example_of_the_documentation_works_as_printed(self):
        source = self.file("mine.c", re.search(r"```c\n(.*?)```", (SOURCE / "docs" / "subjects.md").read_text(), re.S)[1].encode())
        library = self.folder / "libmine.so"
        compiler = os.environ.get("CC", "cc")
        subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", f"-I{SOURCE}", source, "-o", library], check=True)
        self.assertIn("with the subject: add_one_to_all", self.refused("time", library, status=2, says="libmine.so").stderr)
        self.lapse("time", f"{library}:add_one_to_all", *QUICK)

    def test_engines_names_it_with_its_syntax(self):
        self.assertRegex(self.lapse("engines").stdout, r"(?s)subject .*FILE\.so:SYMBOL")


class BadSubjects(Case):
    def test_what_is_wrong_with_a_library_or_a_symbol_is_one_line(self):
        half = self.file("half.so", SUBJECTS.read_bytes()[:-1])
        for model, status, says in [
            ("/nowhere/lib.so:gemm", 2, "no such file"),
            ("/nowhere/lib.so", 2, "no such file"),
            (f"{self.folder}/.so:gemm", 2, "no such file"),
            (self.file("text.so", b"text\n"), 2, "is not a shared library"),
            (f"{half}:good", 2, "its end is missing"),
            (SUBJECTS, 2, "with the subjects: blocking, "),
            (f"{SUBJECTS}:", 2, "with the subjects: "),
            (f"{SUBJECTS}:gemm", 2, "has no symbol 'gemm'"),
            (f"{SUBJECTS}:a_function", 2, "is a function"),
            (f"{SUBJECTS}:a_number", 2, "it has 4 bytes"),
            (f"{SUBJECTS}:without_enqueue", 2, "its table has no enqueue"),
            (f"{SUBJECTS}:of_another_abi", 3, "speaks version 2"),
            (f"{SUBJECTS}:on_abacus", 3, "'abacus'"),
            (f"{BUILD / 'tests' / 'subject_that_lacks.so'}:any", 3, "no_such_function"),
        ]:
            with self.subTest(model=model):
                self.refused("time", model, status=status, says=says)

    def test_what_a_subject_says_or_throws_is_one_line(self):
        for model, status, says in [
            ("create_fails:n=-1", 2, ":create_fails: create failed: no memory for [1ma matrix"),
            ("create_fails_silently", 2, "gives no reason"),
            ("create_throws", 70, "create threw std::runtime_error: no such kernel"),
            ("fifth_fails", 70, "enqueue failed: the queue is full"),
            ("error_throws", 70, "error threw std::logic_error: no idea"),
            ("enqueue_throws", 70, "enqueue threw std::runtime_error: illegal address"),
            ("enqueue_throws_a_number", 70, "enqueue threw an exception of type int"),
        ]:
            with self.subTest(model=model):
                self.refused("time", f"{SUBJECTS}:{model}", status=status, says=says)
        self.refused("time", f"{EXAMPLES / 'busy_cpu.so'}:busy:soon", status=2, says="wanted: busy:MICROSECONDS")

    def test_an_exception_out_of_destroy_costs_no_result(self):
        self.assertEqual(self.json(f"{SUBJECTS}:destroy_throws", *QUICK)["samples"]["count"], 5)

    def test_options_that_do_not_fit_are_refused(self):
        self.refused("time", f"{SUBJECTS}:blocking", "--device", "sim", status=3, says="has no device 'sim'")
        self.refused("time", f"{SUBJECTS}:blocking", "--engine", "onnxruntime", status=2, says="not a model for onnxruntime")
        self.refused("time", f"{SUBJECTS}:blocking", "--engine-opt", "fast=1", status=2, says="fast")
        self.refused("time", f"{SUBJECTS}:blocking", "--shape", "x=1x4", status=2, says="x")
        self.refused("time", f"{SUBJECTS}:blocking", "--batch", "8", status=2, says="has no inputs")
        self.refused("time", f"{SUBJECTS}:blocking", "--expect", "y=/nowhere.npy", status=2, says="y")
        self.lapse("time", f"{SUBJECTS}:blocking", "--engine", "subject", "--threads", "2", "--device", "cpu", *QUICK)

    def test_a_gpu_that_is_not_there_is_status_3(self):
        run = self.refused("time", f"{SUBJECTS}:on_cuda", "--device", "cuda:63", status=3, says="")
        self.assertRegex(run.stderr, "no cuda:63|NVIDIA driver|built without CUDA")  # by what this machine has


@unittest.skipUnless(CAN_TIME_OUT, "this lapse has no --timeout yet")
class HangingSubjects(Case):
    LIMIT = ["--timeout", "2500ms"]  # no step before the one that hangs takes as long, also on a busy machine

    def test_a_step_that_never_ends_ends_the_program_with_one_line(self):
        self.refused("time", f"{SUBJECTS}:create_hangs", "--timeout", "500ms", status=3,
                     says=f"time-out: loading {SUBJECTS}:create_hangs has not ended for 500 ms")
        for model, says in [("sim:first=1h", "time-out in the first inference: the device has not finished the work of sim:first=1h"),
                            ("sim:first=1h,blocking=1", "time-out in the first inference: submit of sim:first=1h,blocking=1 has not returned")]:
            with self.subTest(model=model):
                self.refused("time", model, *self.LIMIT, status=3, says=says)

    def test_what_was_measured_before_is_reported_and_saved(self):
        for subject, says in [("enqueue_hangs", "time-out in the timed runs: enqueue of "),
                              ("device_hangs", "time-out in the timed runs: the device has not finished the work of ")]:
            with self.subTest(subject=subject):
                saved = self.folder / f"{subject}.json"
                run = self.lapse("time", f"{SUBJECTS}:{subject}", *self.LIMIT, "--precision", "1e-9", "--warmup", "20", "--json", saved, status=3)
                self.assertTrue(run.stdout.startswith("!! FAILED: "), run.stdout)
                self.assertIn("stopped       failed: time-out in the timed runs", run.stdout)
                self.assertIn(says, run.stderr)
                self.assertIn(f"{SUBJECTS}:{subject}", run.stderr)
                result = json.loads(saved.read_text())
                self.assertGreater(result["samples"]["count"], 10)
                self.assertEqual(result["plan"]["stop"], "failed")
                self.assertIn(says, result["failure"]["message"])
                self.assertTrue(self.lapse("show", saved, "--lang", "ko").stdout.startswith("!! 실패: "))

    def test_threads_of_the_offline_scenario_are_watched_too(self):
        run = self.lapse("time", f"{SUBJECTS}:enqueue_hangs", *self.LIMIT, "--scenario", "offline", "--in-flight", "3", status=3)
        self.assertIn("enqueue of ", run.stderr)

    def test_zero_waits_for_ever(self):
        self.lapse("time", "sim:first=1s", "--timeout", "0", *QUICK)


if __name__ == "__main__":
    unittest.main()
