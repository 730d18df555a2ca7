"""Are photos preprocessed as torchvision's recipe for classifiers does it? Resize(256, bilinear, antialias) and CenterCrop(224) on the same files,
the mean difference in steps of 0..255."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy
from PIL import Image

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1] / "web"))
import photos  # noqa: E402

PROGRAM = os.environ["PREPROCESS_FILE"]
SHORTER, SIDE = 256, 224


def ours(file):
    done = subprocess.run([PROGRAM, str(file), str(SHORTER), str(SIDE), str(SIDE)], capture_output=True, check=True)
    return numpy.frombuffer(done.stdout, numpy.float32).reshape(3, SIDE, SIDE)


def theirs(file):
    from torchvision import transforms
    recipe = transforms.Compose([transforms.Resize(SHORTER), transforms.CenterCrop(SIDE)])  # a PIL image is always antialiased
    return numpy.asarray(recipe(Image.open(file).convert("RGB")), numpy.float32).transpose(2, 0, 1)


class Recipe(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def difference(self, width, height, name):
        file = self.folder / name
        photos.picture(7, width, height).save(file, **({"quality": 90} if file.suffix == ".jpg" else {}))
        difference = numpy.abs(ours(file) - theirs(file))
        print(f"{width} x {height} {file.suffix[1:]}: mean {difference.mean():.3f}, largest {difference.max():.0f}")
        return difference

    def test_what_is_decoded_whole_differs_by_rounding(self):
        for width, height in ((1600, 1200), (901, 1203), (300, 260), (120, 90)):
            difference = self.difference(width, height, "a.png")
            self.assertLess(difference.mean(), 0.25)
            self.assertLessEqual(difference.max(), 2)
        difference = self.difference(900, 1000, "a.jpg")
        self.assertLess(difference.mean(), 0.25)

    def test_what_is_decoded_smaller_differs_little(self):
        for width, height in ((1600, 1200), (1601, 1203), (2800, 2100)):
            self.assertLess(self.difference(width, height, "a.jpg").mean(), 0.5)


if __name__ == "__main__":
    unittest.main()
