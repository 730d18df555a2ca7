"""What the audit says of simulated engines that do each of its faults, and of one that does none."""

import json
import unittest

from case import Case

STAGED = "sim:submit=50us,device=5ms,h2d=300us,d2h=200us,time=virtual"
RULES = ["pending-on-return", "other-stream", "side-stream", "launch-gaps", "outputs-on-device", "clocks"]


def verdicts(result):
    return {rule["rule"]: rule["verdict"] for rule in result["audit"]["rules"]}


def found(result):
    return [rule for rule, verdict in verdicts(result).items() if verdict == "found"]


def codes(result):
    return {warning["code"] for warning in result["warnings"]}


class Audit(Case):
    def test_a_sound_engine_is_clean(self):
        result = self.json(STAGED)
        self.assertEqual(list(verdicts(result)), RULES)
        self.assertEqual(found(result), [])
        self.assertEqual(result["audit"]["idle_submit_ns"], 50e3)
        self.assertEqual(result["audit"]["idle_end_to_end_ns"], 5.5e6)
        self.assertGreater(result["audit"]["spent_ns"], 0)
        text = self.lapse("time", STAGED).stdout
        self.assertIn("audit         clean: right stream, streams joined, no launch gaps", text)
        self.assertNotIn("FOUND", text)
        self.assertNotIn("!!", text)

    def test_a_fault_that_makes_the_times_wrong_is_said_before_any_number(self):
        for fault, rule, code in [("pending", "pending-on-return", "pending_on_return"), ("other-stream", "other-stream", "other_stream"),
                                  ("side-stream", "side-stream", "side_stream")]:
            with self.subTest(fault):
                saved = self.folder / f"{fault}.json"
                markdown = self.folder / f"{fault}.md"
                text = self.lapse("time", f"{STAGED},fault={fault}", "--json", saved, "--markdown", markdown).stdout
                self.assertTrue(text.startswith("!! these times are wrong: "), text)
                self.assertIn("FOUND: ", text)
                self.assertNotIn("without synchronising", text)
                self.assertTrue(markdown.read_text().startswith("**these times are wrong: "))
                result = json.loads(saved.read_text())
                self.assertEqual(found(result), [rule])
                self.assertIn(code, codes(result))
                self.assertTrue(self.lapse("show", saved, "--lang", "ko").stdout.startswith("!! 이 시간은 틀린 값입니다: "))

    def test_launch_gaps_are_found_and_a_graph_closes_them(self):
        model = "sim:submit=2ms,device=1ms,kernels=50,time=virtual"
        gaps = self.json(model)
        self.assertEqual(found(gaps), ["launch-gaps"])
        self.assertEqual(gaps["audit"]["bound"], "launch")
        self.assertIn("--cuda-graph", self.lapse("time", model).stdout)
        closed = self.json(model, "--cuda-graph")
        self.assertEqual(found(closed), [])
        self.assertEqual(closed["audit"]["bound"], "device")

    def test_outputs_that_stay_on_the_device_are_found(self):
        forgotten, meant = self.json(f"{STAGED},fault=copies-outside"), self.json(STAGED, "--transfers", "none")
        self.assertEqual(found(forgotten), ["outputs-on-device"])
        self.assertEqual(found(meant), ["outputs-on-device"])
        hint = {name: next(warning["hint"] for warning in result["warnings"] if warning["code"] == "outputs_on_device")
                for name, result in {"forgotten": forgotten, "meant": meant}.items()}
        self.assertNotIn("--transfers", hint["forgotten"])
        self.assertIn("--transfers pinned", hint["meant"])

    def test_it_can_be_left_out_and_the_report_says_so(self):
        result = self.json(f"{STAGED},fault=side-stream", "--audit", "off")
        self.assertEqual(result["audit"]["rules"], [])
        self.assertEqual(result["audit"]["spent_ns"], 0)
        self.assertIn("audit         not made\n", self.lapse("time", STAGED, "--audit", "off").stdout)

    def test_a_host_has_nothing_to_audit(self):
        self.assertEqual(self.json("null", "--max-runs", "50")["audit"]["rules"], [])
        self.assertNotIn("audit", self.lapse("time", "null", "--max-runs", "50").stdout)


if __name__ == "__main__":
    unittest.main()
