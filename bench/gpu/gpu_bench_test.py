#!/usr/bin/python3
"""What bench/gpu makes of figures, without a GPU and without PyTorch."""

import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import lapse  # noqa: E402
import machine  # noqa: E402
import pairs  # noqa: E402
import process  # noqa: E402
import ratios  # noqa: E402
import steps  # noqa: E402
import tables  # noqa: E402
from plan import BATCHES, FAULTS, MODELS, STEPS  # noqa: E402

GPU = {field: "" for field in machine.GPU_FIELDS} | {"name": "NVIDIA X", "driver_version": "580", "memory.total": "80 GiB"}


def pair_row(model: str, batch: int, ratio: float, method: str = "do_bench", rounds: int = 6, bound: str = "device") -> dict:
    ours = [2e6 * ratio] * rounds
    row = {"model": model, "batch": batch, "method": method, "series": "work", "ours_ns": ours, "theirs_ns": [2e6] * rounds}
    return row | {"device_ns": ours, "runs_per_time": 1, "bound": bound}


def record_of(**data: dict) -> dict:
    measured = {step: {"status": "ok", "seconds": 1.0, "limit": 2, "data": value} for step, value in data.items()}
    measured.setdefault("machine", {"status": "ok", "seconds": 1.0, "limit": 2, "data": {"gpu": GPU, "cpus": 2, "cpu": "CPU"}})
    other = {step: {"status": "not measured", "reason": "no GPU", "limit": 1, "data": {}} for step in STEPS if step not in measured}
    return {"schema": tables.SCHEMA, "created": "2026-01-02T03:04:05+00:00", "argv": ["run"], "commit": "abc", "steps": measured | other}


def all_pairs(ratio: float, **more: object) -> dict:
    return {"rows": [pair_row(model, batch, ratio, **more) for model in MODELS for batch in BATCHES]}


def state_of(record: dict, text: str) -> str:
    return next(goal.state for goal in tables.goals(record) if text in goal.text)


def doctor_row(truth_ns: int) -> dict:
    error = {"median_ns": 1, "worst_ns": 2}
    methods = ("events", "events_behind_backlog", "synchronised", "call", "witness")
    return {"truth_ns": truth_ns, "runs": 9, "within_goal": True} | dict.fromkeys(methods, error)


class Ratios(unittest.TestCase):
    def test_six_values_are_the_fewest_that_have_an_interval(self) -> None:
        self.assertIsNone(ratios.median_interval([]))
        self.assertIsNone(ratios.median_interval([1.0] * 5))
        self.assertEqual(ratios.median_interval([6.0, 1.0, 5.0, 2.0, 4.0, 3.0]), (1.0, 6.0))

    def test_the_interval_is_the_one_of_the_tables_of_the_binomial_distribution(self) -> None:
        self.assertEqual(ratios.median_interval([float(n) for n in range(1, 13)]), (3.0, 10.0))  # 96.1 %
        self.assertEqual(ratios.median_interval([float(n) for n in range(1, 21)]), (6.0, 15.0))  # 95.9 %

    def test_a_ratio_is_the_median_of_the_rounds_ratios_and_not_the_ratio_of_the_medians(self) -> None:
        ratio = ratios.paired_ratio([1.0, 20.0, 90.0], [1.0, 40.0, 30.0])
        self.assertEqual((ratio.value, ratio.low, ratio.high, ratio.rounds), (1.0, None, None, 3))
        self.assertIsNone(ratios.paired_ratio([], []))
        with self.assertRaises(ValueError):
            ratios.paired_ratio([1.0], [])


class Goals(unittest.TestCase):
    def test_a_goal_without_figures_is_not_measured(self) -> None:
        self.assertEqual({goal.state for goal in tables.goals(record_of())}, {"not measured"})

    def test_device_time_within_one_per_cent_of_every_case_is_met(self) -> None:
        self.assertEqual(state_of(record_of(pairs=all_pairs(0.991)), "do_bench"), "met")
        self.assertEqual(state_of(record_of(pairs=all_pairs(1.011)), "do_bench"), "missed")

    def test_five_rounds_are_too_few_for_a_goal(self) -> None:
        self.assertEqual(state_of(record_of(pairs=all_pairs(1.0, rounds=5)), "do_bench"), "missed")

    def test_a_case_that_is_missing_is_missed(self) -> None:
        rows = all_pairs(1.0)["rows"][1:]
        self.assertEqual(state_of(record_of(pairs={"rows": rows}), "do_bench"), "missed")

    def test_a_case_that_launching_bounds_goes_by_the_comparison_with_a_backlog(self) -> None:
        rows = all_pairs(1.0)["rows"]
        rows[0] = pair_row(rows[0]["model"], rows[0]["batch"], 0.5, bound="launch")
        self.assertEqual(state_of(record_of(pairs={"rows": rows}), "do_bench"), "missed")
        rows.append(pair_row(rows[0]["model"], rows[0]["batch"], 1.0, method="do_bench_backlog", bound="launch"))
        self.assertEqual(state_of(record_of(pairs={"rows": rows}), "do_bench"), "met")

    def test_the_audit_may_cost_one_per_cent(self) -> None:
        for ratio, state in ((0.98, "met"), (1.01, "met"), (1.011, "missed")):
            row = {"model": "espcn", "batch": 1, "ours_ns": [ratio] * 6, "theirs_ns": [1.0] * 6}
            self.assertEqual(state_of(record_of(audit={"rows": [row]}), "audit"), state)

    def test_every_seeded_fault_has_to_be_found_every_time_and_none_in_clean_runs(self) -> None:
        faults = {name: [20, 20] for name in FAULTS} | {"clean": [0, 20]}
        for change, state in (({}, "met"), ({FAULTS[2]: [19, 20]}, "missed"), ({"clean": [1, 20]}, "missed")):
            self.assertEqual(state_of(record_of(tests={"cases": {}, "faults": faults | change}), "seeded"), state)
        del faults[FAULTS[0]]
        self.assertEqual(state_of(record_of(tests={"cases": {}, "faults": faults}), "seeded"), "missed")

    def test_the_doctor_has_to_be_content_with_every_length(self) -> None:
        row = doctor_row(5000)
        for last, state in ((True, "met"), (False, "missed")):
            rows = [row, row | {"within_goal": last}]
            self.assertEqual(state_of(record_of(doctor={"result": {"rows": rows}}), "known length"), state)

    def test_a_test_that_skipped_itself_has_not_passed(self) -> None:
        self.assertEqual(state_of(record_of(tests={"cases": {"Cuda.a": "passed", "Cuda.b": "skipped"}}), "every test"), "missed")
        self.assertEqual(state_of(record_of(tests={"cases": {"Cuda.a": "passed"}}), "every test"), "met")


class Tables(unittest.TestCase):
    def test_without_a_gpu_every_row_says_not_measured_and_why(self) -> None:
        record = record_of()
        for table in tables.tables(record)[:-1]:
            for row in table.rows:
                self.assertEqual(row[-1], "not measured: no GPU", table.title)

    def test_the_summary_is_ascii_and_fits_a_hundred_lines(self) -> None:
        length = doctor_row(5000)
        variants = [
            {"model": model, "batch": 1, "variant": kind, "summary": {}} for model in MODELS for kind in ("pinned", "pageable", "graph")
        ]
        full = record_of(
            **{step: {} for step in STEPS}
            | {"pairs": all_pairs(1.0), "doctor": {"result": {"rows": [length] * 13}}, "transfers": {"rows": variants}}
        )
        for record in (record_of(), full):
            lines = tables.summary(record)
            self.assertLess(len(lines), 100)
            self.assertTrue("\n".join(lines).isascii())

    def test_overlap_tells_speed_up_and_bound_with_their_intervals(self) -> None:
        ways = {name: {"throughput_per_s": rate} for name, rate in (("synchronous", 1000.0), ("asynchronous", 1950.0))}
        data = {"model": "resnet50", "batch": 32, "ways": ways, "speedup": {"value": 1.95, "low": 1.94, "high": 1.96},
                "bound": {"stage": "forward", "throughput_per_s": 2000.0, "efficiency": {"value": 0.975, "low": None, "high": None}},
                "answer": {"verdict": "equal"}}
        table = next(table for table in tables.tables(record_of(overlap=data)) if "Synchronous" in table.title)
        self.assertEqual(table.rows, [["resnet50", "32", "1000", "1950", "1.950 [1.940, 1.960]", "2000 (forward)", "0.975", "equal"]])

    def test_a_row_with_a_reason_tells_that_one(self) -> None:
        rows = all_pairs(1.0)["rows"]
        rows[0] |= {"ours_ns": [], "theirs_ns": [], "device_ns": [], "reason": "it broke"}
        self.assertEqual(tables.tables(record_of(pairs={"rows": rows}))[0].rows[0][-1], "not measured: it broke")

    def test_a_figure_stands_in_its_column(self) -> None:
        table = tables.tables(record_of(pairs=all_pairs(1.005)))[0]
        first = dict(zip(table.columns, table.rows[0]))
        self.assertEqual(first["lapse work ms"], "2.01")
        self.assertEqual(first["do_bench ms"], "2")
        self.assertEqual(first["ratio"], "1.0050")
        self.assertEqual(first["95 % interval"], "[1.0050, 1.0050]")

    def test_a_page_has_a_markdown_row_for_every_row(self) -> None:
        record = record_of(pairs=all_pairs(1.0))
        page = tables.page(record, "x/record.json")
        self.assertTrue(page.startswith("# 2026-01-02: lapse on a GPU\n"))
        for table in tables.tables(record):
            for row in table.rows:
                self.assertIn("| " + " | ".join(row), page)


class Merging(unittest.TestCase):
    def test_rounds_of_two_runs_are_joined(self) -> None:
        merged = tables.merge([record_of(pairs=all_pairs(1.0, rounds=4)), record_of(pairs=all_pairs(1.0, rounds=3))])
        row = tables.rows_by_case(merged, "pairs", "do_bench")[(MODELS[0], BATCHES[0])]
        self.assertEqual([len(row[name]) for name in ("ours_ns", "theirs_ns", "device_ns")], [7, 7, 7])
        self.assertEqual(state_of(merged, "do_bench"), "met")

    def test_what_was_measured_once_is_not_lost_to_a_later_run_without_it(self) -> None:
        measured = record_of(tests={"cases": {"Cuda.a": "passed"}})
        self.assertEqual(tables.merge([measured, record_of()])["steps"]["tests"], measured["steps"]["tests"])
        self.assertEqual(tables.merge([record_of(), measured])["steps"]["tests"], measured["steps"]["tests"])

    def test_a_reason_goes_when_another_run_has_figures(self) -> None:
        broken = {"rows": [row | {"ours_ns": [], "theirs_ns": [], "device_ns": [], "reason": "late"} for row in all_pairs(1.0)["rows"]]}
        merged = tables.merge([record_of(pairs=all_pairs(1.0)), record_of(pairs=broken)])
        self.assertNotIn("reason", tables.rows_by_case(merged, "pairs", "do_bench")[(MODELS[0], BATCHES[0])])

    def test_records_of_different_commits_are_refused(self) -> None:
        with self.assertRaises(ValueError):
            tables.merge([record_of(), record_of() | {"commit": "def"}])


class Results(unittest.TestCase):
    def test_work_is_the_device_time_behind_a_backlog_where_there_is_one(self) -> None:
        result = {"summary": {"device": {"median_ns": {"value": 5.0, "low": 4.0, "high": 6.0}}}, "audit": {}}
        self.assertEqual(lapse.median_of(result, "work"), 5.0)
        self.assertEqual(lapse.median_of(result | {"audit": {lapse.BACKLOG_KEY: 3.0}}, "work"), 3.0)

    def test_a_series_without_a_median_is_a_failure(self) -> None:
        with self.assertRaises(process.StepFailed):
            lapse.median_of({"summary": {"device": {"median_ns": {"needs": 6}}}}, "device")

    def test_results_of_googletest_are_read_as_what_they_are(self) -> None:
        cases = [
            {"name": "a", "result": "COMPLETED"},
            {"name": "b", "result": "COMPLETED", "failures": [{}]},
            {"name": "c", "result": "SKIPPED"},
        ]
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "tests.json"
            path.write_text(json.dumps({"testsuites": [{"name": "A", "testsuite": cases}]}))
            self.assertEqual(steps.read_states(path), {"A.a": "passed", "A.b": "failed", "A.c": "skipped"})
            self.assertEqual(steps.read_states(path.with_name("none.json")), {})

    def test_cases_with_the_label_gpu_are_gathered_by_program(self) -> None:
        def test(program: str, case: str, label: str) -> dict:
            properties = [{"name": "LABELS", "value": [label]}, {"name": "ENVIRONMENT", "value": ["A=b=c"]}]
            return {"command": [program, f"--gtest_filter={case}"], "properties": properties}

        listed = {"tests": [test("x", "S.a", "gpu"), test("y", "S.b", "unit"), test("x", "S.c", "gpu"), {"name": "not built"}]}
        self.assertEqual(steps.gpu_tests(listed), {"x": (["S.a", "S.c"], {"A": "b=c"})})

    def test_what_the_seeded_faults_say_is_read(self) -> None:
        out = "other-stream: found in 19 of 20\n  also: clocks\nclean: a fault found in 0 of 20\n"
        self.assertEqual(steps.read_faults(out), {"other-stream": [19, 20], "clean": [0, 20]})


class FakeLapse:
    def __init__(self, failing: set[int] = frozenset()) -> None:
        self.failing, self.calls = failing, 0

    def time(self, name: str, *_: object) -> dict:
        self.calls += 1
        if self.calls in self.failing:
            raise process.StepFailed("lapse broke")
        return {"summary": {"device": {"median_ns": {"value": 100.0 + self.calls}}}, "audit": {"bound": "device"}}


class FakePeers:
    def __init__(self, broken: str = "") -> None:
        self.broken = broken

    def times(self, case: lapse.Case, method: str, *_: object) -> dict:
        if method == self.broken:
            raise process.StepFailed(f"{method} broke")
        return {"times_ns": [3.0, 1.0, 2.0], "runs_per_time": 1}


class Turns(unittest.TestCase):
    CASE = lapse.Case("espcn", 1, pathlib.Path())
    MATCH = pairs.Match("cold", (), {"do_bench": "device", "do_bench_backlog": "device"})

    def rows_after(self, rounds: int, ours: FakeLapse, theirs: FakePeers) -> dict[str, dict]:
        rows = pairs.rows_of([self.CASE], (self.MATCH,))
        pairs.take_turns([self.CASE], (self.MATCH,), ours, theirs, 0.1, rounds, process.Clock(60), rows, lambda: None)
        return {row["method"]: row for row in rows}

    def test_a_round_adds_one_figure_to_either_side_and_lapse_runs_once_for_all_methods(self) -> None:
        ours = FakeLapse()
        rows = self.rows_after(3, ours, FakePeers())
        self.assertEqual(ours.calls, 3)
        self.assertEqual((rows["do_bench"]["ours_ns"], rows["do_bench"]["theirs_ns"]), ([101.0, 102.0, 103.0], [2.0, 2.0, 2.0]))

    def test_a_method_that_fails_leaves_the_other_one_alone(self) -> None:
        rows = self.rows_after(2, FakeLapse(), FakePeers(broken="do_bench"))
        self.assertEqual((rows["do_bench"]["reason"], rows["do_bench"]["ours_ns"]), ("do_bench broke", []))
        self.assertEqual(len(rows["do_bench_backlog"]["ours_ns"]), 2)

    def test_a_round_that_lapse_fails_adds_nothing_to_the_other_side(self) -> None:
        row = self.rows_after(3, FakeLapse(failing={2}), FakePeers())["do_bench"]
        self.assertEqual((row["ours_ns"], row["theirs_ns"], row["reason"]), ([101.0], [2.0], "lapse broke"))

    def test_the_first_to_go_changes_with_every_round(self) -> None:
        order = []
        for number in range(2):
            results = pairs.in_turn(number, lambda: order.append("ours") or 1, lambda: order.append("theirs") or 2)
            self.assertEqual(results, (1, 2))
        self.assertEqual(order, ["ours", "theirs", "theirs", "ours"])


class Processes(unittest.TestCase):
    def test_a_command_that_takes_too_long_ends_with_all_its_children(self) -> None:
        with self.assertRaises(process.StepFailed):  # a child that lived on would keep the pipe open, and this test waiting
            process.run(["sh", "-c", "sleep 600 & sleep 600"], process.Clock(0.2))

    def test_a_failure_brings_the_last_lines(self) -> None:
        with self.assertRaises(process.StepFailed) as caught:
            process.must(["sh", "-c", "echo broken; exit 3"], process.Clock(10))
        self.assertEqual(caught.exception.tail[-1], "broken")

    def test_a_record_names_no_folder_of_the_machine(self) -> None:
        self.assertEqual(process.spell(["/a/b/lapse", "x=/c/d.npy", "--out", "/tmp/e"]), "lapse x=d.npy --out e")

    def test_a_part_of_a_clock_does_not_outlast_the_whole(self) -> None:
        self.assertLessEqual(process.Clock(100, process.Clock(1)).left(), 1)


if __name__ == "__main__":
    unittest.main()
