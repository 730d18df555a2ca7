"""Ctrl-C at every moment."""

import json
import signal
import subprocess
import time
import unittest

from case import Case, LAPSE, interrupt


class Interrupt(Case):
    def interrupt(self, *arguments, after):
        process = subprocess.Popen([LAPSE, "time", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        interrupt(process, after)
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
        process = subprocess.Popen([LAPSE, "time", "null", "--rotate", "100000", "--batch", "1000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # it may have been born deaf
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
        self.assertEqual(process.returncode, -signal.SIGINT)   # which a shell shows as 130


if __name__ == "__main__":
    unittest.main()
