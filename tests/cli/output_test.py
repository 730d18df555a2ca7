"""Where results go and in which forms, and what can go wrong on the way."""

import json
import subprocess
import time
import unittest

from case import Case, HAS_ONNXRUNTIME, LAPSE


class Output(Case):
    def test_a_saved_result_shows_the_same_report_again_in_both_languages(self):
        saved = self.folder / "result.json"
        text = self.lapse("time", "sim:device=1ms,time=virtual", "--json", saved).stdout
        self.assertEqual(self.lapse("show", saved).stdout, text)
        korean = self.lapse("show", saved, "--lang", "ko").stdout
        self.assertIn("지연 시간", korean)
        self.assertEqual(self.lapse("--lang", "ko", "show", saved).stdout, korean)
        self.assertEqual(self.lapse("show", saved, env={"LC_ALL": "ko_KR.UTF-8"}).stdout, korean)

    def test_an_output_never_takes_the_place_of_what_is_read(self):
        saved, times = self.folder / "r.json", self.file("t.txt", b"1ms\n2ms\n")
        self.lapse("time", "sim:device=1ms,time=virtual", "--json", saved)
        model = self.file("m.onnx", b"no model")
        for arguments in (("show", saved, "--csv", saved), ("stats", times, "--json", times), ("time", model, "--json", model),
                          ("compare", saved, saved, "--json", self.folder / "." / "r.json"), ("sweep", model, "--json", model)):
            with self.subTest(arguments=arguments):
                self.refused(*arguments, status=2, says="would overwrite what is read")
        self.assertEqual(times.read_bytes(), b"1ms\n2ms\n")

    def test_a_stream_that_is_closed_or_full_changes_no_exit_status(self):
        for shell, status in (("stats /nowhere 2>/dev/full", 2), ("stats /nowhere 2>&-", 2), ("stats /nowhere >&- 2>&-", 2),
                              ("time sim:device=1ms,time=virtual --max-runs 50 >&-", 2), ("time sim:device=1ms,time=virtual --max-runs 50 2>&-", 0)):
            with self.subTest(shell=shell):
                self.assertEqual(subprocess.run(f"exec {LAPSE} {shell}", shell=True, capture_output=True).returncode, status)

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
        self.assertEqual(csv.read_text().splitlines()[1], "1,1001000,1000,1000000,")
        self.assertIn("|", self.lapse("time", "null", "--max-runs", "50", "--markdown", "-").stdout)

    def test_a_page_is_a_function_of_what_was_saved(self):
        saved, page = self.folder / "saved.json", self.folder / "page.html"
        for arguments, forms in ((["time", "sim:device=1ms,time=virtual"], []),
                                 (["pipeline", "sim:device=1ms", "--synthetic", "40", "--rounds", "1"], ["--json", "--csv", "--markdown"]),
                                 (["sweep", "sim:device=1ms,time=virtual", "--batch", "1,2", "--max-runs", "40", "--out", self.folder / "points"], ["--markdown"])):
            self.lapse(*arguments, "--json", saved, "--html", page)
            self.assertIn(json.loads(saved.read_text())["schema"], page.read_text())
            self.assertEqual(self.lapse("show", saved, "--html", "-").stdout, page.read_text(), arguments[0])
            for form in forms:
                self.refused("show", saved, form, self.folder / "other", status=2, says=f"there is no {form} of a")
                self.assertFalse((self.folder / "other").exists())

    def test_no_progress_when_stderr_is_no_terminal(self):
        self.assertEqual(self.lapse("time", "sim:device=1ms", "--max-runs", "300").stderr, "")

    def test_output_that_cannot_be_written_is_known_before_the_measurement(self):
        begin = time.monotonic()
        self.refused("time", "sim:device=1s", "--json", "/nowhere/result.json", status=2, says="can't be written")
        self.refused("time", "sim:device=1s", "--csv", self.folder, status=2, says="it is a folder")
        self.refused("time", "null", "--json", "-", "--csv", "-", status=2, says="two forms")
        both = self.folder / "both"
        self.refused("time", "null", "--json", both, "--csv", self.folder / "." / "both", status=2, says="two forms")
        self.assertLess(time.monotonic() - begin, 20)
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
        if HAS_ONNXRUNTIME:
            self.assertIn("not usable: ", broken)
            self.assertIn("→", broken)


if __name__ == "__main__":
    unittest.main()
