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
                    self.assertRegex(run.stderr, "(?i)cuda|NVIDIA")


if __name__ == "__main__":
    unittest.main()
