"""The weights that are committed: better than bicubic on images that training never saw, and the same in both file formats."""

import json
import os
import pathlib
import sys
import unittest

import numpy
import torch
from PIL import Image

from case import QUICK, Case

MODELS = pathlib.Path(os.environ["LAPSE_SOURCE_DIR"]) / "models" / "photo-sr"
sys.path.insert(0, str(MODELS))
import images  # noqa: E402
import network  # noqa: E402
import train  # noqa: E402


def psnr(made, right):
    return -10 * numpy.log10(numpy.square(made - right)[8:-8, 8:-8].mean())


class PhotoModel(Case):
    def setUp(self):
        super().setUp()
        torch.set_num_threads(1)

    def test_gains_on_images_that_training_never_saw(self):
        for scale, least in ((2, 2.0), (4, 1.0)):
            model = torch.jit.load(str(MODELS / "torchscript" / f"photo-x{scale}.pt"))
            gains = []
            for number in range(train.IMAGES, train.IMAGES + 8):  # the ones that are held out
                right = numpy.round(images.made_image(numpy.random.default_rng((train.SEED, number))) * 255).astype(numpy.uint8)
                small = train.reduced(right, scale)
                with torch.no_grad():
                    made = model(torch.from_numpy(small.astype(numpy.float32) / 255).expand(1, 3, -1, -1))[0, 1].numpy()
                bicubic = numpy.asarray(Image.fromarray(small).resize(right.shape[::-1], Image.Resampling.BICUBIC)) / 255
                gains.append(psnr(made, right / 255) - psnr(bicubic, right / 255))
            self.assertGreater(numpy.mean(gains), least, gains)
            self.assertGreater(min(gains), 0, gains)

    def test_is_the_same_in_both_formats_and_its_settings_are_the_networks(self):
        x = numpy.random.default_rng(1).random((2, 3, 61, 67), dtype=numpy.float32)
        numpy.save(self.folder / "x.npy", x)
        for scale in (2, 4):
            with torch.no_grad():
                y = torch.jit.load(str(MODELS / "torchscript" / f"photo-x{scale}.pt"))(torch.from_numpy(x)).numpy()
            self.assertEqual(y.shape, (2, 3, 61 * scale, 67 * scale))
            numpy.save(self.folder / "y.npy", y)
            self.lapse("time", MODELS / f"photo-x{scale}.onnx", "--input", f"x={self.folder}/x.npy", "--expect", f"y={self.folder}/y.npy",
                       *QUICK, "--rtol", "1e-5", "--atol", "1e-5")
            settings = json.loads((MODELS / f"photo-x{scale}.json").read_text())["photo"]
            self.assertEqual((settings["scale"], settings["halo"]), (scale, network.HALO))

    def test_tiles_of_any_size_make_the_whole_picture(self):
        pixels = numpy.random.default_rng(3).integers(0, 256, (300, 411, 3), dtype=numpy.uint8)
        Image.fromarray(pixels).save(self.folder / "x.png")
        for scale in (2, 4):
            made = {}
            for tile in (96, 128, 1024):  # the last is the picture itself
                self.lapse("upscale", self.folder / "x.png", "-o", self.folder / "y.png", "--scale", scale, "--tile", tile)
                with Image.open(self.folder / "y.png") as picture:
                    made[tile] = numpy.asarray(picture)
            self.assertEqual(made[1024].shape, (300 * scale, 411 * scale, 3))
            for tile in (96, 128):
                self.assertTrue(numpy.array_equal(made[tile], made[1024]), (scale, tile))

    def test_no_output_pixel_depends_on_what_is_beyond_the_halo(self):
        random = numpy.random.default_rng(2)
        x = random.random((1, 3, 61, 67), dtype=numpy.float32)
        moved = x.copy()
        moved[:, :, 30, 33] = 1 - moved[:, :, 30, 33]
        for scale in (2, 4):
            model = torch.jit.load(str(MODELS / "torchscript" / f"photo-x{scale}.pt"))
            with torch.no_grad():
                rows, columns = numpy.where((model(torch.from_numpy(x)) != model(torch.from_numpy(moved)))[0].any(0).numpy())
            self.assertEqual((30 - rows.min() // scale, rows.max() // scale - 30), (network.HALO, network.HALO))
            self.assertEqual((33 - columns.min() // scale, columns.max() // scale - 33), (network.HALO, network.HALO))


if __name__ == "__main__":
    unittest.main()
