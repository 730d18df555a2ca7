"""Files that are no ONNX models, and models that ONNX Runtime refuses."""

import os
import unittest

import numpy

from case import BUILD, Case, DEMO


class BadOnnx(Case):
    def test_what_is_no_model_is_status_2(self):
        whole = (DEMO / "model.onnx").read_bytes()
        for name, content in [("empty", b""), ("random", os.urandom(4096)), ("text", b"hello"), ("truncated", whole[:len(whole) // 2]),
                              ("header", whole[:20])]:
            with self.subTest(name):
                run = self.refused("time", self.file(name + ".onnx", content), status=2, says=name + ".onnx")
                self.assertIn("hint: ", run.stderr)
        self.refused("time", "/nowhere.onnx", status=2, says="no such file")
        os.mkfifo(self.folder / "pipe.onnx")
        self.refused("time", self.folder / "pipe.onnx", status=2, says="not a file")

    def test_a_model_that_cannot_be_read_is_status_2(self):
        path = self.file("secret.onnx", (DEMO / "model.onnx").read_bytes())
        path.chmod(0)
        if os.access(path, os.R_OK):
            self.skipTest("root reads everything")
        self.refused("time", path, status=2, says="secret.onnx")

    def test_an_operator_that_the_engine_lacks_is_named(self):
        import onnx
        from onnx import TensorProto, helper
        value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
        graph = helper.make_graph([helper.make_node("Frobnicate", ["x"], ["y"], domain="acme")], "g", value[:1], value[1:])
        path = self.folder / "strange.onnx"
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13), helper.make_opsetid("acme", 1)]), str(path))
        self.refused("time", path, status=3, says="Frobnicate")

    def test_wrong_inputs_are_told_with_the_right_ones(self):
        model = DEMO / "model.onnx"
        self.refused("time", model, "--shape", "x=1x96x96", status=2, says="x")
        self.refused("time", model, "--shape", "x=1x2x96x96", status=2, says="x")
        self.refused("time", model, "--shape", "image=1x1x96x96", status=2, says="image")
        self.refused("time", model, "--fill", "ints:0..9", "--shape", "x:int8=1x1x96x96", status=2, says="float32")
        self.refused("time", model, "--input", f"x={self.npy('d.npy', numpy.zeros((1, 1, 96, 96)))}", status=2, says="float64")
        self.refused("time", model, "--input", f"x={self.file('t.npy', b'no npy')}", status=2, says="t.npy")

    def test_memory_that_is_not_there_is_refused(self):
        self.refused("time", DEMO / "model.onnx", "--batch", "100000000", status=2, says="input x")

    def test_an_engine_library_that_cannot_be_used_is_status_3(self):
        model = DEMO / "model.onnx"
        self.refused("time", model, "--engine-lib", "/nowhere.so", status=3, says="/nowhere.so")
        self.refused("time", model, "--engine-lib", model, status=3, says="model.onnx")
        self.refused("time", model, "--engine-lib", BUILD / "tests" / "plugin_without_entry.so", status=3, says="plugin_without_entry.so")
        self.refused("time", model, "--engine-lib", BUILD / "tests" / "ort_of_another_version.so", status=3, says="0.5.0")
        self.refused("time", model, env={"ORT_DYLIB_PATH": "/nowhere.so"}, status=3, says="/nowhere.so")

    def test_the_wrong_answer_of_a_folder_is_status_4(self):
        (self.folder / "test_data_set_0").mkdir()
        (self.folder / "model.onnx").write_bytes((DEMO / "model.onnx").read_bytes())
        source = DEMO / "test_data_set_0"
        (self.folder / "test_data_set_0" / "input_0.pb").write_bytes((source / "input_0.pb").read_bytes())
        (self.folder / "test_data_set_0" / "output_0.pb").write_bytes((source / "input_0.pb").read_bytes())
        self.refused("time", self.folder, status=4, says="wrong answer")
        self.lapse("check", self.folder, status=4)
        (self.folder / "test_data_set_0" / "input_0.pb").write_bytes(b"\xff\xff\xff")
        self.refused("time", self.folder, status=2, says="input_0.pb")
        (self.folder / "test_data_set_0" / "input_0.pb").unlink()
        self.refused("time", self.folder, status=2, says="holds 0 inputs")


if __name__ == "__main__":
    unittest.main()
