"""Models whose right answers are known, and requests to them."""

import json
import pathlib
import shutil
import struct

import numpy

DEMO = pathlib.Path(__file__).resolve().parents[2] / "models" / "demo"
DEMO_INPUTS = 8


def write_models(folder):
    """affine: y = 3x + 7 on ONNX Runtime, in batches. slow: y = x on the simulated device. demo: the project's own model."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    folder.mkdir(parents=True, exist_ok=True)
    constants = [numpy_helper.from_array(numpy.array(value, numpy.float32), name) for name, value in (("three", 3), ("seven", 7))]
    graph = helper.make_graph([helper.make_node("Mul", ["x", "three"], ["t"]), helper.make_node("Add", ["t", "seven"], ["y"])], "affine",
                              [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 64])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 64])], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.save(model, str(folder / "affine.onnx"))
    (folder / "affine.json").write_text(json.dumps({"max_batch": 8, "max_delay_ms": 5}))
    (folder / "slow.json").write_text(json.dumps({"model": "sim:device=20ms"}))
    shutil.copy(DEMO / "model.onnx", folder / "demo.onnx")


class Question:
    """One request: `model`, and a seed from which its input follows."""

    demo_answers = {}  # input number → what a fresh server answered to it directly

    def __init__(self, model, seed):
        self.model, self.seed = model, seed

    def input(self):
        chance = numpy.random.default_rng(self.seed)
        if self.model == "affine":  # integers below 2^24: exact in float32
            return chance.integers(-100000, 100000, (int(chance.integers(1, 5)), 64)).astype(numpy.float32)
        if self.model == "slow":
            return chance.integers(-100000, 100000, (1, 4)).astype(numpy.float32)
        return numpy.random.default_rng(self.seed % DEMO_INPUTS).random((1, 1, 96, 96)).astype(numpy.float32)

    def request(self):
        """(body, headers)"""
        x = self.input()
        described = {"name": "x", "shape": list(x.shape), "datatype": "FP32"}
        whole = {"inputs": [described]}
        if self.model != "demo" and self.seed % 2:
            described["data"] = x.ravel().tolist()
            return json.dumps(whole).encode(), {"Content-Type": "application/json"}
        described["parameters"] = {"binary_data_size": x.nbytes}
        whole["parameters"] = {"binary_data_output": True}
        header = json.dumps(whole).encode()
        return header + x.tobytes(), {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(header))}

    def wrong(self, body, header_length):
        """What is wrong with this answer; nothing when it is right."""
        try:
            y = answer(body, header_length)
        except (ValueError, KeyError, IndexError, struct.error) as error:
            return f"can't be read: {error}"
        x = self.input()
        right = {"affine": lambda: 3 * x + 7, "slow": lambda: x, "demo": lambda: self.demo_answers[self.seed % DEMO_INPUTS]}[self.model]()
        if y.shape != right.shape:
            return f"shape {y.shape} instead of {right.shape}"
        same = numpy.array_equal(y, right) if self.model != "demo" else numpy.allclose(y, right, rtol=1e-5, atol=1e-6)
        return None if same else f"{int((y != right).sum())} of {y.size} values"


def answer(body, header_length):
    described = json.loads(body[:header_length] if header_length else body)["outputs"][0]
    if "data" in described:
        return numpy.array(described["data"], numpy.float32).reshape(described["shape"])
    if len(body) - header_length != described["parameters"]["binary_data_size"]:
        raise ValueError("its length")
    return numpy.frombuffer(body, numpy.float32, offset=header_length).reshape(described["shape"])
