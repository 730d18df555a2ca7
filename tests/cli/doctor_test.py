"""The machine examined, and the device's timing."""

import json
import math
import subprocess
import unittest

from case import Case, LAPSE, interrupt


class Machine(Case):
    @classmethod
    def setUpClass(cls):
        run = subprocess.run([LAPSE, "doctor", "--seconds", "5", "--json", "-"], capture_output=True, text=True, timeout=120)
        assert run.returncode == 0, run.stderr
        cls.machine = json.loads(run.stdout)

    def test_every_finding_has_a_grade_a_message_and_what_to_do_about_it(self):
        self.assertEqual(self.machine["schema"], "lapse.machine/1")
        grades = [finding["grade"] for finding in self.machine["findings"]]
        self.assertLessEqual(set(grades), {"good", "note", "bad"})
        self.assertEqual(self.machine["grade"], max(grades, key=["good", "note", "bad"].index))
        for finding in self.machine["findings"]:
            self.assertTrue(finding["message"], finding)
            self.assertNotIn("?", finding["message"], finding)
            if finding["grade"] != "good":
                self.assertTrue(finding["hint"], finding)

    def test_everything_is_looked_at(self):
        codes = {finding["code"] for finding in self.machine["findings"]}
        self.assertLessEqual({"noise_arithmetic", "clock", "interruptions", "steal", "load", "speed", "frequency", "heat", "cpus", "quota",
                              "siblings", "swap"}, codes)

    def test_the_noise_floor_can_be_recomputed_from_the_pairs(self):
        noise = self.machine["noise"]["arithmetic"]
        self.assertEqual(noise["pairs"], 6)
        ratios = noise["log_ratios"]
        mean = sum(ratios) / 6
        deviation = math.sqrt(sum((ratio - mean) ** 2 for ratio in ratios) / 5)
        half_width = 2.5705818 * deviation / math.sqrt(6)  # Student's t of 5 degrees
        self.assertAlmostEqual(noise["unseen"], math.expm1(half_width), places=7)
        self.assertGreater(noise["found"], noise["unseen"])
        self.assertAlmostEqual(noise["ratio"]["value"], math.exp(mean), places=9)

    def test_the_figures_of_the_clock_are_those_of_a_clock(self):
        clock = self.machine["clock"]
        self.assertGreater(clock["reading_ns"], 0)
        self.assertGreaterEqual(clock["resolution_ns"], 1)
        self.assertEqual(clock["backward"], 0)
        self.assertLessEqual(clock["lost_ns"], clock["watched_ns"])

    def test_without_a_gpu_it_says_why_there_is_none(self):
        if self.machine["device"] is None:
            self.assertTrue(self.machine["no_device"])
        else:
            self.assertEqual(self.machine["device"]["truth"]["schema"], "lapse.truth/1")

    def test_the_text_is_in_either_language_and_a_file_holds_the_json(self):
        saved = self.folder / "machine.json"
        english = self.lapse("doctor", "--seconds", "5", "--json", saved).stdout
        self.assertIn("is this machine fit to measure on", english)
        self.assertIn("can't be seen here in", " ".join(english.split()))
        self.assertEqual(json.loads(saved.read_text())["schema"], "lapse.machine/1")
        korean = self.lapse("--lang", "ko", "doctor", "--seconds", "5").stdout
        self.assertIn("최소 잡음", korean)

    def test_ctrl_c_ends_it_soon(self):
        run = subprocess.Popen([LAPSE, "doctor", "--seconds", "600"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        interrupt(run)
        out, err = run.communicate(timeout=60)
        self.assertEqual(run.returncode, 130, err)
        self.assertEqual(out, "")
        self.assertIn("stopped before", err)


class OneDevice(Case):
    def test_a_named_device_has_its_timing_examined_and_nothing_else(self):
        truth = json.loads(self.lapse("doctor", "--device", "sim", "--json", "-").stdout)
        self.assertEqual(truth["schema"], "lapse.truth/1")
        self.assertEqual(truth["device"]["id"], "sim")
        self.assertIn("how wrong is the timing", self.lapse("doctor", "--device", "sim:virtual").stdout)

    def test_bad_use_is_one_line_with_its_own_status(self):
        for arguments, status, says in [
            (["--seconds", "4.9"], 2, "--seconds"),
            (["--seconds", "nan"], 2, "--seconds"),
            (["--seconds", "1e9"], 2, "--seconds"),
            (["--seconds", "5", "--device", "sim"], 2, "--seconds"),
            (["--device", "cpu"], 2, "no asynchronous device"),
            (["--device", "moon"], 3, "moon"),
            (["--json", "/nowhere/machine.json"], 2, "/nowhere"),
        ]:
            with self.subTest(arguments=arguments):
                self.refused("doctor", *arguments, status=status, says=says)


if __name__ == "__main__":
    unittest.main()
