"""Photos enlarged on the command line: what comes out, what is told, and what is left when it goes wrong."""

import os
import pathlib
import signal
import subprocess
import time
import unittest

import numpy
from PIL import Image

from case import Case, LAPSE

SCALE, HALO = 2, 2


def keys(t):
    t = numpy.abs(t)
    return numpy.where(t <= 1, 1.5 * t**3 - 2.5 * t**2 + 1, numpy.where(t < 2, -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2, 0.0))


def bicubic():
    """Bicubic interpolation, twice as large: RGB to the phases of RGB, 12 x 3 x 5 x 5."""
    phases = (numpy.arange(SCALE) + 0.5) / SCALE - 0.5
    rows = keys(numpy.arange(-HALO, HALO + 1) - phases[:, None])
    kernel = numpy.einsum("ay,bx->abyx", rows, rows).reshape(SCALE**2, 5, 5)
    weights = numpy.zeros((3, SCALE**2, 3, 5, 5), numpy.float32)
    for c in range(3):
        weights[c, :, c] = kernel
    return weights.reshape(3 * SCALE**2, 3, 5, 5)


def write_model(path, slow=0):
    from onnx import TensorProto, checker, helper, numpy_helper, save
    nodes = [helper.make_node("Pad", ["x", "pads"], ["padded"], mode="edge"), helper.make_node("Conv", ["padded", "w"], ["phases"])]
    last = "phases"
    for i in range(slow):  # nothing but work
        nodes.append(helper.make_node("MatMul", ["m", "m"] if i == 0 else [f"m{i - 1}", "m"], [f"m{i}"]))
    if slow:
        nodes += [helper.make_node("ReduceMax", [f"m{slow - 1}"], ["zero"], keepdims=0), helper.make_node("Add", ["phases", "zero"], ["sum"])]
        last = "sum"
    nodes += [helper.make_node("DepthToSpace", [last], ["large"], blocksize=SCALE, mode="CRD"), helper.make_node("Clip", ["large", "low", "high"], ["y"])]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, "h", "w"])]
    constants = {"pads": numpy.array([0, 0, HALO, HALO] * 2, numpy.int64), "w": bicubic(), "low": numpy.float32(0), "high": numpy.float32(1)}
    if slow:
        # An input, so that the engine doesn't work it out while it loads.
        nodes.insert(0, helper.make_node("ReduceMin", ["x"], ["least"], keepdims=0))
        nodes.insert(1, helper.make_node("Sub", ["least", "least"], ["nought"]))
        nodes.insert(2, helper.make_node("Add", ["zeros", "nought"], ["m"]))
        constants["zeros"] = numpy.zeros((768, 768), numpy.float32)
    graph = helper.make_graph(nodes, "bicubic", inputs, [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3, "H", "W"])],
                              [numpy_helper.from_array(numpy.asarray(value), name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    checker.check_model(model)
    save(model, str(path))
    path.with_suffix(".json").write_text('{"photo": {"scale": 2, "tile": 64, "halo": 2}, "max_batch": 4}')


def enlarged(pixels):
    """What the model makes of the whole picture."""
    padded = numpy.pad(pixels.astype(numpy.float64) / 255, ((HALO, HALO), (HALO, HALO), (0, 0)), mode="edge")
    height, width, channels = pixels.shape
    out = numpy.zeros((height, SCALE, width, SCALE, channels))
    kernel = bicubic()[: SCALE**2, 0].reshape(SCALE, SCALE, 5, 5)
    for y in range(5):
        for x in range(5):
            out += kernel[:, :, y, x].transpose(0, 1)[None, :, None, :, None] * padded[y:y + height, None, x:x + width, None]
    return (out.clip(0, 1) * 255 + 0.5).astype(numpy.uint8).reshape(height * SCALE, width * SCALE, channels)


class Upscale(Case):
    def setUp(self):
        super().setUp()
        self.model = self.folder / "model.onnx"
        write_model(self.model)
        self.photos = self.folder / "photos"
        self.photos.mkdir()

    def photo(self, name, width=150, height=90, mode="RGB", seed=0, **options):
        y, x = numpy.mgrid[:height, :width]
        noise = numpy.random.default_rng(seed).integers(0, 40, (height, width, len(mode)))
        pixels = (noise + (x + y)[:, :, None] % 200).astype(numpy.uint8)
        path = self.photos / name
        Image.fromarray(pixels.squeeze(), mode).save(path, **options)
        return path, pixels

    def upscale(self, *arguments, **options):
        return self.lapse("upscale", *arguments, "--model", self.model, **options)

    def test_one_photo_is_what_the_model_makes_of_the_whole_picture(self):
        path, pixels = self.photo("a.png", 301, 205)
        run = self.upscale(path, "-o", self.folder / "b.png")
        got = numpy.asarray(Image.open(self.folder / "b.png"))
        self.assertLessEqual(numpy.abs(got.astype(int) - enlarged(pixels)).max(), 1)
        self.assertIn("301 × 205 → 602 × 410", run.stdout)
        self.assertIn("1 of 1 photos enlarged", run.stdout)
        self.assertEqual(run.stderr, "")

    def test_the_size_of_a_tile_changes_nothing(self):
        path, _ = self.photo("a.png", 301, 205)
        for tile in (32, 100, 512):
            self.upscale(path, "-o", self.folder / f"{tile}.png", "--tile", tile, "--batch", 1 + tile % 3)
        files = [numpy.asarray(Image.open(self.folder / f"{tile}.png")) for tile in (32, 100, 512)]
        self.assertEqual(numpy.abs(files[0].astype(int) - files[1]).max(), 0)
        self.assertEqual(numpy.abs(files[0].astype(int) - files[2]).max(), 0)

    def test_a_folder_goes_into_a_folder_and_every_photo_keeps_its_format(self):
        for seed, name in enumerate(("a.jpg", "b.png", "c.webp", "d.JPEG")):
            self.photo(name, 100 + seed, 80, seed=seed)
        (self.photos / "notes.txt").write_text("no photo")
        (self.photos / ".hidden.jpg").write_text("no photo")
        out = self.folder / "made" / "for it"
        self.upscale(self.photos, "-o", out)
        self.assertEqual(sorted(path.name for path in out.iterdir()), ["a.jpg", "b.png", "c.webp", "d.jpg"])
        for seed, name in enumerate(("a.jpg", "b.png", "c.webp", "d.jpg")):
            self.assertEqual(Image.open(out / name).size, (2 * (100 + seed), 160))

    def test_the_format_is_the_one_that_is_asked_for(self):
        path, _ = self.photo("a.jpg")
        self.upscale(path, "-o", self.folder / "a.webp")
        self.assertEqual(Image.open(self.folder / "a.webp").format, "WEBP")
        self.upscale(path, "-o", f"{self.folder}/out/", "--format", "png")  # a pathlib.Path would lose the slash
        self.assertEqual(Image.open(self.folder / "out" / "a.png").format, "PNG")

    def test_transparency_is_kept_or_told(self):
        path, pixels = self.photo("a.png", mode="RGBA")
        self.upscale(path, "-o", self.folder / "b.png")
        got = numpy.asarray(Image.open(self.folder / "b.png"))
        self.assertLessEqual(numpy.abs(got.astype(int) - enlarged(pixels)).max(), 1)
        self.assertIn("transparent parts become white", self.upscale(path, "-o", self.folder / "b.jpg").stdout)
        self.assertIn("흰색", self.upscale(path, "-o", self.folder / "b.jpg", "--lang", "ko").stdout)

    def test_where_and_when_is_told_only_when_asked(self):
        exif = Image.Exif()
        exif[0x0110] = "A Camera"
        exif[0x0112] = 6
        path, _ = self.photo("a.jpg", 150, 90, exif=exif)
        self.upscale(path, "-o", self.folder / "plain.jpg")
        self.upscale(path, "-o", self.folder / "kept.jpg", "--keep-metadata")
        plain, kept = Image.open(self.folder / "plain.jpg"), Image.open(self.folder / "kept.jpg")
        self.assertEqual((plain.size, kept.size), ((180, 300), (180, 300)))
        self.assertNotIn(0x0110, plain.getexif())
        self.assertEqual(kept.getexif()[0x0110], "A Camera")
        self.assertEqual(kept.getexif().get(0x0112, 1), 1)

    def test_a_bad_photo_is_told_in_one_line_and_the_others_go_on(self):
        for seed in range(4):
            self.photo(f"{seed}.jpg", 200, 150, seed=seed)
        cut = self.photos / "1.jpg"
        cut.write_bytes(cut.read_bytes()[:2000])
        (self.photos / "2.jpg").write_bytes(b"GIF89a")
        (self.photos / "4.jpg").write_bytes(b"")
        out = self.folder / "out"
        run = self.upscale(self.photos, "-o", out, status=2)
        self.assertEqual(sorted(path.name for path in out.iterdir()), ["0.jpg", "3.jpg"])
        self.assertEqual(sorted(run.stderr.splitlines()), [
            f"lapse: {self.photos}/1.jpg: the file ends before the picture does",
            f"lapse: {self.photos}/2.jpg: the file is no JPEG, PNG, WebP, HEIC or AVIF picture (GIF)",
            f"lapse: {self.photos}/4.jpg: the file is empty"])
        self.assertIn("2 of 5 photos enlarged", run.stdout)
        run = self.upscale(self.photos, "-o", out, "--lang", "ko", status=2)
        self.assertIn("파일이 사진 중간에서 끊겼습니다", run.stderr)
        self.assertIn("사진 5장 중 2장 확대", run.stdout)

    def test_no_photo_is_written_over(self):
        path, _ = self.photo("a.jpg")
        other, _ = self.photo("a.jpeg", seed=1)
        before = path.read_bytes()
        self.assertIn("written over", self.upscale(path, "-o", self.photos, status=2).stderr)
        self.assertEqual(path.read_bytes(), before)
        self.assertIn("another photo goes to", self.upscale(path, other, "-o", self.folder / "out", status=2).stderr)

    def test_ctrl_c_leaves_no_half_photo(self):
        write_model(self.model, slow=40)
        paths = [self.photo(f"{seed}.jpg", 900, 900, seed=seed)[0] for seed in range(3)]
        out = self.folder / "out"
        process = subprocess.Popen([LAPSE, "upscale", *paths, "-o", out, "--model", self.model], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        end = time.monotonic() + 60
        while not (out.exists() and list(out.iterdir())) and time.monotonic() < end:
            time.sleep(0.02)
        self.assertTrue(list(out.iterdir()))
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
        self.assertEqual((process.returncode, stderr), (130, "lapse: interrupted\n"))
        self.assertEqual(list(out.iterdir()), [])

    def test_a_full_disk_is_told(self):
        path, _ = self.photo("a.png", 600, 600)
        run = subprocess.run(["/bin/sh", "-c", 'ulimit -f 64; trap "" XFSZ; exec "$0" "$@"', LAPSE, "upscale", path, "-o", self.folder / "b.png", "--model",
                              self.model], capture_output=True, text=True, timeout=60)
        self.assertEqual(run.returncode, 2)
        self.assertIn("b.png can't be written: File too large", run.stderr)
        self.assertEqual([path.name for path in self.folder.iterdir() if path.suffix not in (".onnx", ".json")], ["photos"])

    def test_bad_use_is_told(self):
        path, _ = self.photo("a.jpg")
        self.refused("upscale", path, status=2, says="--output is required")
        self.refused("upscale", path, "-o", "x.tiff", "--model", self.model, status=2, says="x.tiff tells no picture format")
        self.refused("upscale", path, "-o", "x.png", "--format", "jpeg", "--model", self.model, status=2, says="x.png is no name for JPEG")
        self.refused("upscale", self.folder / "nowhere", "-o", "x.png", status=2, says="no such file or folder")
        empty = self.folder / "empty"
        empty.mkdir()
        self.refused("upscale", empty, "-o", "x", status=2, says="there is no photo in this folder")
        self.refused("upscale", path, "-o", "x.png", "--model", self.folder / "m.onnx", status=2, says="m.json is not there")
        self.refused("upscale", path, "-o", "x.png", "--model", self.model, "--tile", 4, status=2, says="tiles of 4 with a halo of 2")
        self.model.with_suffix(".json").write_text('{"photo": {"scale": 3, "tile": 64, "halo": 2}}')
        run = self.lapse("upscale", path, "-o", self.folder / "x.png", "--model", self.model, status=2)
        self.assertIn("the model makes float32", run.stderr)
        self.assertFalse((self.folder / "x.png").exists())


if __name__ == "__main__":
    unittest.main()
