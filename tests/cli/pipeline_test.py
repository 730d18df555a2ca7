"""`lapse pipeline`: the same batches synchronously and asynchronously, on the simulated device and on ONNX Runtime with real pictures."""

import json
import os
import struct
import subprocess
import unittest
import zlib

import numpy
from PIL import Image

from case import BUILD, Case, HAS_ONNXRUNTIME, LAPSE, interrupt

SIM = "sim:device=200us,h2d=50us,d2h=50us"
QUICK = ["--rounds", "2", "--synthetic", "10"]


def write_classifier(path):
    """N x 3 x H x W → N x 4: means of channels and of the brightest, enough to tell pictures apart."""
    from onnx import TensorProto, checker, helper, numpy_helper, save
    weights = numpy.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], numpy.float32).T.copy()
    nodes = [helper.make_node("ReduceMean", ["x"], ["means"], axes=[2, 3], keepdims=0), helper.make_node("MatMul", ["means", "w"], ["y"])]
    graph = helper.make_graph(nodes, "means", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 32, 32])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4])], [numpy_helper.from_array(weights, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    checker.check_model(model)
    save(model, str(path))
    return path


def png_of(width, height):
    """A whole file that says how large its picture is, and holds a few bytes of it."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


class OnTheSimulatedDevice(Case):
    def test_the_text_says_what_was_gained_and_what_it_cost(self):
        text = self.lapse("pipeline", SIM, *QUICK, "--cpu-time", "200us", "--lang", "en").stdout
        for words in ("synchronous", "asynchronous", "throughput", "speed-up", "bound", "forward", "latency", "preprocess", "H2D", "the same in both ways",
                      "an interval needs 6 rounds"):
            self.assertIn(words, text)
        self.assertLessEqual(max(map(len, text.splitlines())), 80)

    def test_it_speaks_korean(self):
        text = self.lapse("pipeline", SIM, *QUICK, "--lang", "ko", env={"LC_ALL": "C.UTF-8"}).stdout
        for words in ("동기", "비동기", "처리량", "속도 향상", "두 방식이 비트까지 같음"):
            self.assertIn(words, text)

    def test_on_a_terminal_without_unicode_it_is_ascii(self):
        text = self.lapse("pipeline", SIM, *QUICK, "--lang", "ko", env={"LC_ALL": "C"}).stdout
        self.assertTrue(text.isascii(), text)

    def test_the_document_holds_every_batch_of_both_ways(self):
        document = json.loads(self.lapse("pipeline", SIM, *QUICK, "--json", "-").stdout)
        self.assertEqual(document["schema"], "lapse.pipeline/1")
        self.assertEqual([stage["name"] for stage in document["stages"]], ["preprocess", "h2d", "forward", "d2h", "postprocess"])
        self.assertEqual([stage["where"] for stage in document["stages"]], ["host", "device", "device", "device", "host"])
        self.assertEqual(document["answer"], {"verdict": "equal", "items": 10, "different": 0, "random": 0})
        for way in document["ways"].values():
            self.assertEqual(len(way["rounds"]), 2)
            self.assertEqual(way["warmup"], 10)
            self.assertEqual(len(way["latency_ns"]), 30)
            self.assertEqual(len(way["spans"]), 50)
            forward = [duration for stage, _, _, duration in way["spans"] if stage == 2]
            self.assertEqual(len(forward), 10)
            self.assertGreaterEqual(min(forward), 200_000)  # and what gap a slow host left in it
        self.assertEqual(document["skipped"], {"count": 0, "files": []})

    def test_the_last_batch_lacks_what_there_is_no_more_of(self):
        document = json.loads(self.lapse("pipeline", "sim:device=10us", "--batch", "4", "--synthetic", "10", "--rounds", "1", "--json", "-").stdout)
        self.assertEqual(document["subject"]["batches"], 3)
        self.assertEqual(document["subject"]["items"], 10)

    def test_the_trace_has_both_ways_and_all_lanes_on_one_clock(self):
        trace = self.folder / "trace.json"
        self.lapse("pipeline", SIM, *QUICK, "--trace", trace)
        events = json.loads(trace.read_text())["traceEvents"]
        names = {(event["pid"], event["args"]["name"]) for event in events if event["ph"] == "M"}
        for way in (1, 2):
            for lane in ("device: h2d", "device: forward", "device: d2h", "host: postprocess", "host: preprocess 0"):
                self.assertIn((way, lane), names)
        spans = [event for event in events if event["ph"] == "X"]
        self.assertEqual(len(spans), 2 * 3 * 10 * 5)
        for batch in range(10):  # of the last asynchronous round: one after the other, whatever clock each was read on
            of_it = [event for event in spans if event["pid"] == 2 and event["args"]["batch"] == batch and event["args"]["round"] == 2]
            order = sorted(of_it, key=lambda event: event["ts"])
            self.assertEqual([event["name"] for event in order], ["preprocess", "h2d", "forward", "d2h", "postprocess"])
            for one, other in zip(order, order[1:]):
                self.assertLessEqual(one["ts"] + one["dur"], other["ts"] + 1)  # microseconds: what the two clocks may differ by

    def test_bad_use_is_refused_in_one_line(self):
        self.refused("pipeline", "absent.onnx", status=2, says="absent.onnx")
        self.refused("pipeline", "sim", "--images", self.folder, status=2, says="no photo")
        self.refused("pipeline", "sim", "--images", self.folder, "--synthetic", "3", status=2, says="made-up")
        self.refused("pipeline", "sim", "--cpu-time", "5", status=2, says="5")
        self.refused("pipeline", "sim:time=virtual", status=2, says="virtual time")
        self.refused("pipeline", "sim", "--trace", "/nowhere/x.json", status=2, says="/nowhere/x.json")
        self.refused("pipeline", "sim", "--trace", "-", "--json", "-", status=2, says="two forms")

    def test_ctrl_c_keeps_the_rounds_that_are_whole(self):
        saved = self.folder / "saved.json"
        run = subprocess.Popen([LAPSE, "pipeline", "sim:device=1ms", "--synthetic", "5", "--rounds", "1000", "--json", str(saved)],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        interrupt(run, after=2)
        out, err = run.communicate(timeout=30)
        self.assertEqual(run.returncode, 130, err)
        self.assertIn("interrupted", err)
        document = json.loads(saved.read_text())
        self.assertEqual(document["failure"]["code"], "interrupted")
        self.assertGreaterEqual(len(document["ways"]["asynchronous"]["rounds"]), 1)
        self.assertEqual(len(document["ways"]["asynchronous"]["rounds"]), len(document["ways"]["synchronous"]["rounds"]))


@unittest.skipUnless(HAS_ONNXRUNTIME and (BUILD / "engines" / "lapse-codec-vips.so").exists(), "ONNX Runtime or libvips is not in this build")
class WithPictures(Case):
    def setUp(self):
        super().setUp()
        self.model = write_classifier(self.folder / "means.onnx")
        self.pictures = self.folder / "pictures"
        self.pictures.mkdir()
        for i in range(10):
            Image.new("RGB", (60 + i, 50), (20 * i, 100, 255 - 20 * i)).save(self.pictures / f"{i:02}.jpg", quality=95)

    def document(self, *arguments, status=0):
        saved = self.folder / "saved.json"
        run = self.lapse("pipeline", self.model, "--images", self.pictures, "--batch", "4", "--threads", "1", "--rounds", "1", "--resize", "32",
                         "--json", saved, *arguments, status=status)
        return json.loads(saved.read_text()), run

    def test_every_picture_is_an_item_and_the_last_batch_may_lack_some(self):
        document, _ = self.document("--workers", "2")
        self.assertEqual(document["subject"]["source"], "images")
        self.assertEqual(document["subject"]["items"], 10)
        self.assertEqual(document["subject"]["batches"], 3)
        self.assertEqual(document["answer"]["verdict"], "equal")
        self.assertEqual(document["answer"]["items"], 10)

    def test_bad_pictures_among_good_ones_are_skipped_and_counted(self):
        (self.pictures / "03-broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 this is no picture")
        whole = (self.pictures / "05.jpg").read_bytes()
        (self.pictures / "05-cut.jpg").write_bytes(whole[:len(whole) // 2])
        (self.pictures / "06-gigantic.png").write_bytes(png_of(65500, 65500))
        document, run = self.document()
        self.assertEqual(document["skipped"]["count"], 3)
        self.assertEqual([os.path.basename(row["file"]) for row in document["skipped"]["files"]], ["03-broken.jpg", "05-cut.jpg", "06-gigantic.png"])
        self.assertTrue(all(row["reason"] for row in document["skipped"]["files"]))
        self.assertEqual(document["answer"]["items"], 10)
        self.assertIn("03-broken.jpg", run.stdout)

    def test_strict_ends_at_the_first_one_and_names_it(self):
        (self.pictures / "03-broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 this is no picture")
        self.refused("pipeline", self.model, "--images", self.pictures, "--batch", "4", "--resize", "32", "--strict", status=2, says="03-broken.jpg")

    def test_a_model_that_takes_no_pictures_says_so(self):
        self.refused("pipeline", "null", "--images", self.pictures, status=2, says="does not take pictures")


if __name__ == "__main__":
    unittest.main()
