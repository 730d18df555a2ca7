"""Photos through the whole server with the project's own model: what comes back, what is told meanwhile, and what a bad file may do."""

import io
import os
import shutil
import signal
import struct
import subprocess
import unittest
import zlib

import numpy
from PIL import Image

from serving import LAPSE, SOURCE, Listener, ServingCase

MODEL = SOURCE / "models" / "photo-sr"


def photo(width, height, seed=1, **options):
    """A JPEG (or PNG, …) file: a gradient with some texture."""
    random = numpy.random.default_rng(seed)
    y, x = numpy.mgrid[:height, :width]
    colours = numpy.stack([x * 200 / width, y * 200 / height, (x + y) % 256], -1) + random.normal(20, 6, (height, width, 1))
    file = io.BytesIO()
    Image.fromarray(numpy.clip(colours, 0, 255).astype(numpy.uint8)).save(file, **{"format": "JPEG", "quality": 92, **options})
    return file.getvalue()


def bomb(side):
    """The head of a PNG of side x side pixels, and nothing behind it."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


class Photos(ServingCase):
    def prepare(self):
        for name in ("photo-x2", "photo-x4"):
            for kind in ("onnx", "json"):
                shutil.copy(MODEL / f"{name}.{kind}", self.folder / "models")

    def test_a_photo_is_what_the_command_line_makes_of_it(self):
        original = photo(700, 500)
        (self.folder / "a.jpg").write_bytes(original)
        for name, scale in (("photo-x2", 2), ("photo-x4", 4)):
            self.put(name, name, original, query="&format=png&label=IMG_1.jpg")
            job = self.until(name, "done", "failed")
            self.assertEqual((job["state"], job["result"]["content_type"]), ("done", "image/png"), job)
            reply = self.ask("GET", job["result"]["href"] + "?download=1")
            self.assertIn(f"IMG_1-{name}.png", reply.headers["Content-Disposition"])
            subprocess.run([LAPSE, "upscale", self.folder / "a.jpg", "-o", self.folder / "a.png", "--scale", str(scale)], check=True, capture_output=True)
            with Image.open(io.BytesIO(reply.body)) as here, Image.open(self.folder / "a.png") as there:
                self.assertEqual(here.size, (700 * scale, 500 * scale))
                self.assertTrue(numpy.array_equal(numpy.asarray(here), numpy.asarray(there)))
            for stage in ("queue", "preprocess", "forward", "postprocess", "total"):
                self.assertGreaterEqual(job["durations"][f"{stage}_seconds"], 0, stage)
            self.assertEqual(self.ask("GET", f"/v2/jobs/{name}/input").body, original)

    def test_what_is_to_be_said_of_a_photo_stands_in_its_job(self):
        layered = io.BytesIO()
        Image.fromarray(numpy.full((40, 40, 4), 128, numpy.uint8)).save(layered, format="PNG")
        self.put("a", "photo-x2", layered.getvalue(), query="&format=jpeg")
        self.assertEqual(self.until("a", "done", "failed")["notes"], ["transparent parts become white, because JPEG has no transparency"])
        self.put("b", "photo-x2", layered.getvalue())
        self.assertNotIn("notes", self.until("b", "done", "failed"))

    def test_progress_is_told_in_tiles_and_a_cancel_counts_at_the_next_one(self):
        told = []
        stream = Listener(self.server, 0, lambda sequence, kind, data: kind == "progress" and told.append(data))
        self.addCleanup(stream.close)
        self.put("large", "photo-x4", photo(4000, 3000))
        self.wait_for(lambda: told, "no progress is told")
        self.assertEqual(told[0]["total"], 18 * 13)  # tiles of 256 pixels, of which neighbours share 24
        self.assertGreater(told[0]["done"], 0)
        document = self.ask("DELETE", "/v2/jobs/large").json()
        self.assertEqual((document["state"], document["stopped"]), ("cancelled", "after the tile that was running"))
        self.put("next", "photo-x4", photo(50, 50))
        self.assertEqual(self.until("next", "done", "failed")["state"], "done")

    def test_bad_files_fail_alone_and_in_plain_words(self):
        whole = photo(600, 400)
        flat = photo(600, 400, format="PNG", quality=None)
        bad = {"cut": (whole[: len(whole) // 2], "the file ends before the picture does"), "bomb": (bomb(65_500), "the picture has too many pixels"),
               "flat": (flat[: len(flat) * 2 // 3], "the file ends before the picture does"), "head": (whole[:200], None)}
        for name, (body, _) in bad.items():
            self.put(name, "photo-x2", body)
        for name, (width, height) in {"strip": (1, 30_000), "dot": (1, 1), "good": (600, 400)}.items():
            self.put(name, "photo-x2", photo(width, height, format="PNG", quality=None))
            self.assertEqual(self.until(name, "done", "failed")["state"], "done", name)
            with Image.open(io.BytesIO(self.ask("GET", f"/v2/jobs/{name}/result").body)) as result:
                self.assertEqual(result.size, (2 * width, 2 * height))
        for name, (_, says) in bad.items():
            job = self.until(name, "done", "failed")
            self.assertEqual(job["state"], "failed", name)
            if says:
                self.assertEqual(job["error"]["message"], says, name)
            self.assertEqual(job["attempt"], 1, name)  # another one would not help
        self.assertNotIn("crashed", self.log())

    def test_one_persons_photos_do_not_hold_up_anothers(self):
        for number in range(12):
            self.put(f"many-{number}", "photo-x2", photo(2000, 1500, number))
        cookie = self.ask("POST", "/v2/session").headers["Set-Cookie"].split(";")[0]
        self.put("one", "photo-x2", photo(300, 200), Cookie=cookie)

        def state():
            return self.ask("GET", "/v2/jobs/one", Cookie=cookie).json()["state"]
        self.wait_for(lambda: state() == "done", "it is never done")
        waiting = [job["state"] for job in self.ask("GET", "/v2/jobs").json()["jobs"]].count("queued")
        self.assertGreater(waiting, 0)  # that were there before it

    def test_a_worker_killed_between_two_tiles_costs_an_attempt_and_nothing_else(self):
        self.put("large", "photo-x2", photo(1500, 1000))
        self.wait_for(lambda: self.job("large").get("progress", {}).get("done", 0) > 3, "it never begins")
        for worker in self.server.workers():
            os.kill(worker, signal.SIGKILL)
        job = self.until("large", "done", "failed")
        self.assertEqual((job["state"], job["attempt"]), ("done", 2))
        with Image.open(io.BytesIO(self.ask("GET", "/v2/jobs/large/result").body)) as result:
            self.assertEqual(result.size, (3000, 2000))


if __name__ == "__main__":
    unittest.main()
