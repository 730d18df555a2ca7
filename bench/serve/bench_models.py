"""The two ONNX models that the server's figures are taken with, made to take a given time on one thread of the machine at hand.

busy    FP32 x[1, 65536] (256 KiB) -> y[1, 1]: a loop of matrix products, about 2 s
light   FP32 x[N, 3, 48, 48] -> y[N, 16]: convolutions, about 5 ms a row, whatever N
"""

import json
import pathlib
import subprocess

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 15
SIDE = 256
CHANNELS = 16


def constant(name, values):
    return numpy_helper.from_array(numpy.asarray(values), name)


def save(path, graph):
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="lapse")
    model.ir_version = 8
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())


def write_busy(path, products):
    """x as a matrix, `products` times multiplied by one orthogonal matrix, so that no value grows or fades."""
    orthogonal, _ = numpy.linalg.qr(numpy.random.default_rng(0).standard_normal((SIDE, SIDE)))
    body = helper.make_graph(
        [helper.make_node("MatMul", ["state", "turn"], ["next"]), helper.make_node("Identity", ["go"], ["still"])], "body",
        [helper.make_tensor_value_info("i", TensorProto.INT64, []), helper.make_tensor_value_info("go", TensorProto.BOOL, []),
         helper.make_tensor_value_info("state", TensorProto.FLOAT, [SIDE, SIDE])],
        [helper.make_tensor_value_info("still", TensorProto.BOOL, []), helper.make_tensor_value_info("next", TensorProto.FLOAT, [SIDE, SIDE])])
    save(path, helper.make_graph(
        [helper.make_node("Reshape", ["x", "square"], ["first"]), helper.make_node("Loop", ["count", "yes", "first"], ["last"], body=body),
         helper.make_node("ReduceMean", ["last"], ["mean"], keepdims=1), helper.make_node("Reshape", ["mean", "one"], ["y"])], "busy",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, SIDE * SIDE])], [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1])],
        [constant("turn", orthogonal.astype(numpy.float32)), constant("square", [SIDE, SIDE]), constant("one", [1, 1]),
         constant("count", numpy.int64(products)), constant("yes", True)]))


def write_light(path, layers):
    random = numpy.random.default_rng(0)
    nodes, weights, last = [], [], "x"
    for layer in range(layers):
        inputs = 3 if layer == 0 else CHANNELS
        kernel = random.standard_normal((CHANNELS, inputs, 3, 3)) / (3 * inputs**0.5)
        weights.append(constant(f"w{layer}", kernel.astype(numpy.float32)))
        nodes += [helper.make_node("Conv", [last, f"w{layer}"], [f"c{layer}"], pads=[1, 1, 1, 1]), helper.make_node("Relu", [f"c{layer}"], [f"r{layer}"])]
        last = f"r{layer}"
    nodes += [helper.make_node("GlobalAveragePool", [last], ["pooled"]), helper.make_node("Flatten", ["pooled"], ["y"])]
    save(path, helper.make_graph(nodes, "light", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 48, 48])],
                                 [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", CHANNELS])], weights))


def time_once(lapse, path, runs, pin=()):
    """Seconds of an inference on one thread: the fastest, as what disturbs only adds."""
    out = subprocess.run([*pin, lapse, "time", str(path), "--threads", "1", "--max-runs", str(runs), "--warmup", "1", "--json", "-"], check=True,
                         capture_output=True, text=True).stdout
    return min(json.loads(out)["samples"]["end_to_end_ns"]) / 1e9


def make(lapse, write, path, target, size, runs):
    """Writes the model with as many layers or products as take `target` seconds, by proportion from a trial of `size`; returns its time."""
    path = pathlib.Path(path)
    for _ in range(2):
        write(path, size)
        size = max(1, round(size * target / time_once(lapse, path, runs)))
    write(path, size)
    return time_once(lapse, path, runs)


def make_busy(lapse, path, seconds=2.0):
    return make(lapse, write_busy, path, seconds, 200, 2)


def make_light(lapse, path, seconds=0.005):
    return make(lapse, write_light, path, seconds, 20, 40)
