"""Models by LibTorch."""

import os
import unittest

from case import Case, DEMO, QUICK, demo_input, demo_output


class TorchScript(Case):
    def test_the_shape_is_asked_for(self):
        run = self.refused("time", DEMO / "model.pt", status=2, says="does not tell the shape of its input 'x'")
        self.assertIn("--shape x=", run.stderr)

    def test_a_torchscript_model_is_measured(self):
        result = self.json(DEMO / "model.pt", "--shape", "x=1x1x96x96", *QUICK)
        self.assertEqual(result["subject"]["engine"], "torch")
        self.assertEqual(result["subject"]["outputs"][0]["shape"], [1, 1, 192, 192])

    def test_freezing_gives_the_same_answer(self):
        x, y = self.npy("x.npy", demo_input()), self.npy("y.npy", demo_output())
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
