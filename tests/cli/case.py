"""What the tests of the program share: it is run for real. LAPSE names it."""

import json
import os
import pathlib
import re
import shutil
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
HAS_ONNXRUNTIME = (BUILD / "engines" / "lapse-engine-onnxruntime.so").exists()
QUICK = ["--max-runs", "5", "--warmup", "0"]


def demo_tensor(name):
    import onnx
    from onnx import numpy_helper
    tensor = onnx.TensorProto()
    tensor.ParseFromString((DEMO / "test_data_set_0" / name).read_bytes())
    return numpy_helper.to_array(tensor).copy()


def demo_input():
    return demo_tensor("input_0.pb")


def demo_output():
    return demo_tensor("output_0.pb")


def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_for(condition, seconds=60):
    """What the condition says as soon as it says something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError("it did not happen")


def handles_interrupts(pid):
    """Until then Ctrl-C just ends it."""
    caught = re.search(r"^SigCgt:\s*([0-9a-f]+)$", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)[1]
    return int(caught, 16) >> (signal.SIGINT - 1) & 1


def interrupt(process, after=0):
    """Ctrl-C, as soon as it has something to lose; or so many seconds later, in which it makes some runs."""
    wait_for(lambda: handles_interrupts(process.pid))
    time.sleep(after)
    process.send_signal(signal.SIGINT)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lapse-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

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
