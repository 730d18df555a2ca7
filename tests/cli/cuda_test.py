"""What is said where a CUDA device was asked for in vain. That one is measured is for the label gpu."""

import unittest

from case import Case, DEMO

MODELS = (DEMO / "model.onnx", DEMO / "model.pt")


class Cuda(Case):
    def test_a_device_that_is_not_there_is_status_3(self):
        for model in MODELS:
            for device in ("cuda:200", "cuda:", "cuda:x"):
                with self.subTest(model=model.name, device=device):
                    run = self.refused("time", model, "--shape", "x=1x1x96x96", "--device", device, status=3, says="")
                    self.assertIn("cuda", run.stderr.lower())

    def test_transfers_on_the_host_are_status_2(self):
        for model in MODELS:
            with self.subTest(model=model.name):
                self.refused("time", model, "--shape", "x=1x1x96x96", "--engine-opt", "transfers=none", status=2, says="runs on the host")


if __name__ == "__main__":
    unittest.main()
