"""lapse compare: saved results, folders, baselines; what can't be compared; exit statuses."""

import copy
import json
import unittest

from case import Case


class CompareCase(Case):
    def setUp(self):
        super().setUp()
        self.base = self.json("sim:device=5ms,time=virtual", "--max-runs", "50")

    def saved(self, name, factors, runs=200, change=None):
        """A result of a process a factor: times round 5 ms, spread by 2 %, times the factor."""
        result = copy.deepcopy(self.base)
        times = [round(5e6 * factor * (0.98 + 0.04 * ((i * 83) % runs) / runs)) for factor in factors for i in range(runs)]
        result["samples"] = {"count": len(times), "end_to_end_ns": times, "submit_ns": times, "device_ns": times}
        if len(factors) > 1:
            result["processes"] = [{"count": runs, "discarded": 3, "verdict": "flat", "load_ns": 1000, "first_ns": 2000} for _ in factors]
        else:
            result.pop("processes", None)
        if change:
            change(result)
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(result))
        return path

    def compare(self, *arguments, status=0):
        return json.loads(self.lapse("compare", *arguments, "--json", "-", status=status).stdout)


SPREAD = [0.99, 1.0, 1.01, 1.0, 1.005, 0.995]


def slower(by):
    return [factor * (1 + by) for factor in SPREAD]


class Verdicts(CompareCase):
    def test_a_slowdown_is_a_regression_and_the_other_way_round_it_is_none(self):
        a, b = self.saved("a.json", SPREAD), self.saved("b.json", slower(0.05))
        found = self.compare(a, b, status=1)
        self.assertTrue(found["regression"])
        median, tail = found["models"][0]["metrics"]
        self.assertEqual((median["metric"], median["verdict"], median["basis"]), ("median", "slower", "processes"))
        self.assertAlmostEqual(median["ratio"], 1.05, places=5)
        self.assertLess(median["low"], 1.05)
        self.assertEqual(tail["metric"], "p99")
        self.assertEqual(self.compare(b, a)["models"][0]["metrics"][0]["verdict"], "faster")
        text = self.lapse("compare", a, b, status=1).stdout
        self.assertIn("REGRESSION, B is slower: median, p99", text)
        self.assertLessEqual(max(map(len, text.splitlines())), 80)

    def test_the_same_file_twice_is_equivalent_within_a_margin_that_its_processes_keep(self):
        a = self.saved("a.json", SPREAD)
        found = self.compare(a, a, "--margin", "0.02", "--strict")
        self.assertEqual({metric["verdict"] for metric in found["models"][0]["metrics"]}, {"equivalent"})

    def test_undecided_is_5_when_strict_and_0_otherwise(self):
        a, b = self.saved("a.json", [0.9, 1, 1.1, 1, 1.05]), self.saved("b.json", [0.9, 1, 1.12, 1, 1.05])
        self.assertTrue(self.compare(a, b)["undecided"])
        self.assertTrue(self.compare(a, b, "--strict", status=5)["undecided"])
        self.assertGreater(self.compare(a, b)["models"][0]["metrics"][0]["processes_needed"], 5)

    def test_one_process_a_side_is_undecided_and_says_so(self):
        a, b = self.saved("a.json", [1]), self.saved("b.json", [1.5])
        self.assertEqual(self.compare(a, b, "--strict", status=5)["models"][0]["metrics"][0]["basis"], "this-process")
        self.assertIn("this process only", self.lapse("compare", a, b).stdout)
        self.assertIn("이 프로세스만", self.lapse("--lang", "ko", "compare", a, b).stdout)

    def test_a_noise_that_is_told_decides_of_one_process_a_side(self):
        a, b = self.saved("a.json", [1]), self.saved("b.json", [1.5])
        found = self.compare(a, b, "--noise", "0.05", status=1)
        self.assertEqual(found["models"][0]["metrics"][0]["basis"], "given-noise")
        self.compare(a, b, "--noise", "0.5")

    def test_four_processes_a_side_are_too_few_and_five_are_enough(self):
        for count, status, verdict in ((4, 0, "undecided"), (5, 1, "slower")):
            a, b = self.saved("a.json", SPREAD[:count]), self.saved("b.json", slower(0.1)[:count])
            self.assertEqual(self.compare(a, b, status=status)["models"][0]["metrics"][0]["verdict"], verdict)


class Folders(CompareCase):
    def test_files_of_the_same_name_are_compared_and_judged_together(self):
        for name in ("one.json", "two.json", "three.json"):
            self.saved(f"main/{name}", SPREAD, runs=10)
            self.saved(f"branch/{name}", slower(0.05 if name == "two.json" else 0), runs=10)
        self.saved("main/gone.json", SPREAD)
        (self.folder / "branch" / "sweep.json").write_text('{"schema": "lapse.sweep/1"}')
        (self.folder / "branch" / "folder.json").mkdir()
        found = self.compare(self.folder / "main", self.folder / "branch", status=1)
        self.assertEqual({model["name"]: model["metrics"][0]["verdict"] == "slower" for model in found["models"]},
                         {"one": False, "three": False, "two": True})
        self.assertEqual(found["only_a"], ["gone.json"])
        self.assertEqual(found["only_b"], [])
        self.assertAlmostEqual(max(model["metrics"][0]["confidence"] for model in found["models"]), 1 - 0.05 / 3)
        self.assertEqual([model["tail_needs"] for model in found["models"]], [20, 20, 20])
        text = self.lapse("compare", self.folder / "main", self.folder / "branch", status=1).stdout
        self.assertIn("only in A, not compared: gone.json", text)
        self.assertIn("B is slower: two median", text)

    def test_a_folder_with_a_file_and_folders_with_nothing_in_common_are_refused(self):
        a = self.saved("main/one.json", SPREAD)
        self.saved("branch/two.json", SPREAD)
        self.refused("compare", self.folder / "main", a, status=2, says="is a folder")
        self.refused("compare", self.folder / "main", self.folder / "branch", status=2, says="no result is in both")

    def test_a_damaged_file_in_a_folder_is_not_passed_over(self):
        self.saved("main/one.json", SPREAD)
        self.saved("branch/one.json", SPREAD).write_text('{"schema": "lapse.result/1", "sam')
        self.refused("compare", self.folder / "main", self.folder / "branch", status=2, says="one.json: not a result of lapse: not JSON")


class Baselines(CompareCase):
    def test_the_first_result_becomes_the_baseline_and_later_ones_are_compared_with_it(self):
        baseline, first = self.folder / "baseline.json", self.saved("first.json", SPREAD)
        run = self.lapse("compare", "--baseline", baseline, first, "--save-baseline")
        self.assertIn("there was no baseline", run.stderr)
        self.assertEqual(baseline.read_bytes(), first.read_bytes())
        second = self.saved("second.json", slower(0.05))
        self.lapse("compare", "--baseline", baseline, second, "--save-baseline", status=1)
        self.assertEqual(baseline.read_bytes(), first.read_bytes())

    def test_a_baseline_that_is_not_there_is_an_error_unless_it_is_to_be_saved(self):
        self.refused("compare", "--baseline", self.folder / "none.json", self.saved("b.json", SPREAD), status=2, says="none.json can't be read")

    def test_what_is_not_sound_does_not_become_the_baseline(self):
        def interrupt(result):
            result["plan"]["stop"] = "interrupted"
        baseline = self.folder / "baseline.json"
        self.refused("compare", "--baseline", baseline, self.saved("b.json", SPREAD, change=interrupt), "--save-baseline", status=2,
                     says="was interrupted")
        self.assertFalse(baseline.exists())


class Refusals(CompareCase):
    def refuses(self, says, change):
        a, b = self.saved("a.json", SPREAD), self.saved("b.json", SPREAD, change=change)
        run = self.refused("compare", a, b, status=2, says=says)
        self.assertIn("--force", run.stderr)
        text = self.lapse("compare", a, b, "--force").stdout
        self.assertTrue(text.startswith("!! compared all the same"), text)
        self.assertEqual(len(self.compare(a, b, "--force")["models"][0]["forced"]), 1)

    def test_another_machine(self):
        self.refuses("different machines: cpu", lambda result: result["environment"].update(cpu="Another"))

    def test_another_number_of_cpus(self):
        self.refuses("different machines: cpus_online", lambda result: result["environment"].update(cpus_online=77))

    def test_another_device(self):
        self.refuses("different devices: device", lambda result: result["subject"].update(device="cuda"))

    def test_another_batch(self):
        self.refuses("different work: batch", lambda result: result["subject"].update(batch=8))

    def test_another_shape(self):
        self.refuses("different work: inputs", lambda result: result["subject"]["inputs"].append({"name": "y", "dtype": "int64", "shape": [1]}))

    def test_an_interrupted_one(self):
        self.refuses("B was interrupted", lambda result: result["plan"].update(stop="interrupted"))

    def test_a_failed_answer(self):
        def wrong(result):
            result["plan"]["stop"] = "failed"
            result["failure"] = {"code": "wrong_answer", "message": "output y: 3 of 10 values differ", "hint": ""}
        self.refuses("B failed: output y: 3 of 10 values differ", wrong)

    def test_wrong_times(self):
        self.refuses("times of B are wrong",
                     lambda result: result["audit"].update(rules=[{"rule": "other-stream", "verdict": "found", "reason": ""}]))


class BadInput(CompareCase):
    def refused_file(self, says, name, content):
        path = self.folder / name
        path.write_text(content)
        for files in ((path, self.saved("a.json", SPREAD)), (self.saved("a.json", SPREAD), path)):
            for force in ((), ("--force",)):
                run = self.refused("compare", *files, *force, status=2, says=says)
                self.assertIn("hint:", run.stderr)
                self.assertIn(name, run.stderr)

    def test_another_schema_version(self):
        self.refused_file("lapse.result/1", "new.json", json.dumps({**self.base, "schema": "lapse.result/2"}))

    def test_a_file_that_is_cut_off(self):
        whole = self.saved("whole.json", SPREAD).read_text()
        for length in (0, 1, 100, len(whole) // 2, len(whole) - 1):
            self.refused_file("not JSON", "cut.json", whole[:length])

    def test_no_samples(self):
        def empty(result):
            result["samples"] = {"count": 0, "end_to_end_ns": [], "submit_ns": [], "device_ns": []}
        b = self.saved("b.json", [1], change=empty)
        for force in ((), ("--force",)):
            run = self.refused("compare", self.saved("a.json", [1]), b, *force, status=2, says="no samples")
            self.assertIn("hint:", run.stderr)

    def test_times_of_nothing(self):
        def zero(result):
            for key in ("end_to_end_ns", "submit_ns", "device_ns"):
                result["samples"][key] = [0] * result["samples"]["count"]
        self.refused("compare", self.saved("a.json", [1], change=zero), self.saved("b.json", [1]), status=2, says="0 ns")

    def test_what_is_no_file(self):
        a = self.saved("a.json", SPREAD)
        self.refused("compare", a, self.folder / "none.json", status=2, says="none.json can't be read")
        self.refused("compare", a, "/dev/null", status=2, says="/dev/null can't be read")

    def test_a_command_line_without_two_sides(self):
        a = self.saved("a.json", SPREAD)
        self.refused("compare", status=2, says="A and B")
        self.refused("compare", a, status=2, says="A and B")
        self.refused("compare", a, a, "--baseline", a, status=2, says="one file")
        self.refused("compare", a, a, "--save-baseline", status=2, says="--save-baseline")
        self.refused("compare", a, "--save-baseline", status=2, says="A and B")
        self.refused("compare", "--a", "null", "--b", "null", a, "--save-baseline", "--baseline", self.folder / "new.json", status=2,
                     says="--a and --b")
        self.refused("compare", "--a", "null", status=2, says="--a and --b")
        self.refused("compare", "--a", "null", "--b", "null", a, status=2, says="--a and --b")
        self.refused("compare", a, a, "--save-a", self.folder / "x.json", status=2, says="--save-a")
        for bad in ("-0.1", "1", "nan"):
            self.refused("compare", a, a, "--margin", bad, status=2, says="--margin")


class Outputs(CompareCase):
    def test_markdown_and_json_are_files_beside_the_text(self):
        a, b = self.saved("a.json", SPREAD), self.saved("b.json", slower(0.05))
        run = self.lapse("compare", a, b, "--markdown", self.folder / "c.md", "--json", self.folder / "c.json", status=1)
        self.assertIn("verdict", run.stdout)
        self.assertIn("| median |", (self.folder / "c.md").read_text())
        document = json.loads((self.folder / "c.json").read_text())
        self.assertEqual(document["schema"], "lapse.comparison/1")
        self.assertEqual(document["argv"][1], "compare")

    def test_a_saved_comparison_is_shown_again(self):
        a, b = self.saved("a.json", SPREAD), self.saved("b.json", slower(0.05))
        saved, korean = self.folder / "c.json", self.folder / "c.md"
        text = self.lapse("compare", a, b, "--json", saved, "--markdown", korean, "--lang", "ko", status=1).stdout
        self.assertEqual(self.lapse("show", saved, "--lang", "ko").stdout, text)
        self.assertEqual(self.lapse("show", saved, "--lang", "ko", "--markdown", "-").stdout, korean.read_text())
        self.assertIn("REGRESSION", self.lapse("show", saved).stdout)
        self.refused("show", saved, "--html", self.folder / "c.html", status=2, says="--html")
        saved.write_text(saved.read_text().replace('"slower"', '"worse"'))
        self.refused("show", saved, status=2, says="verdict")


if __name__ == "__main__":
    unittest.main()
