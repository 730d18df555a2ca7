"""What the tests of the server share: it is run for real, on models whose answers are known."""

import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import numpy

SOURCE = pathlib.Path(os.environ["LAPSE_SOURCE_DIR"])
BUILD = pathlib.Path(os.environ["LAPSE_BINARY_DIR"])
LAPSE = os.environ["LAPSE"]
sys.path.insert(0, str(SOURCE / "bench" / "serve"))
from server import Client, Listener, Server  # noqa: E402

PATIENCE = 30  # seconds for what should take none
X = [1.0, 2.0, 3.0, 4.0]
SMALL = json.dumps({"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": X}]})


def write_sum(file):
    """y = a + b, of any number of rows."""
    import onnx
    from onnx import TensorProto, helper
    described = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", 4]) for name in "aby"]
    graph = helper.make_graph([helper.make_node("Add", ["a", "b"], ["y"])], "sum", described[:2], described[2:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.save(model, str(file))


def binary(**tensors):
    """(body, headers) of a request with binary tensors, that asks for binary ones."""
    described = [{"name": name, "shape": list(value.shape), "datatype": "FP32", "parameters": {"binary_data_size": value.nbytes}}
                 for name, value in tensors.items()]
    header = json.dumps({"inputs": described, "parameters": {"binary_data_output": True}}).encode()
    return header + b"".join(value.tobytes() for value in tensors.values()), {"Inference-Header-Content-Length": str(len(header))}


def hold_port(cleanup):
    """A port of 127.0.0.1 where nobody listens. Nobody is given it by chance; who asks for it, with SO_REUSEADDR as servers do, gets it."""
    holder = socket.socket()
    cleanup(holder.close)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder.getsockname()[1]


class ServingCase(unittest.TestCase):
    """Each test has a server of its own, with `echo` (y = x at once) and `slow` (a second) on the simulated device."""

    options = ()
    models = {"echo": {"model": "sim:device=1ms"}, "slow": {"model": "sim:device=1s"}}

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lapse-serve-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        (self.folder / "models").mkdir()
        for name, settings in self.models.items():
            (self.folder / "models" / f"{name}.json").write_text(json.dumps(settings))
        self.prepare()
        self.server = self.new_server(*self.options)
        self.addCleanup(self.end)
        self.server.start()
        self.client = Client(self.server)

    def prepare(self):
        """Before the first start."""

    def new_server(self, *options, data="data"):
        command = [LAPSE, "serve", "--models", str(self.folder / "models"), "--data", str(self.folder / data), "--listen", "127.0.0.1:0",
                   *map(str, options)]
        return Server(command, self.folder / "log")

    def end(self):
        if self.server.alive():
            self.server.kill_front()
        if self.server.process:
            self.server.process.stdout.close()

    def restart(self):
        """As a crash of the program leaves it."""
        self.server.kill_front()
        self.server.process.stdout.close()
        self.server.start()

    def ask(self, method, path, body=None, status=200, **headers):
        reply = self.client.ask(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        self.assertEqual(reply.status, status, f"{method} {path}: {reply.body[:500]}")
        return reply

    def refused(self, method, path, body=None, *, status, says, **headers):
        reply = self.ask(method, path, body, status, **headers)
        document = reply.json()
        self.assertIn(says, document["error"])
        self.assertNotIn("\n", document["error"])
        return reply

    def put(self, job, model="echo", body=SMALL, status=202, query="", **headers):
        return self.ask("PUT", f"/v2/jobs/{job}?model={model}{query}", body, status, **headers).json()

    def job(self, job):
        return self.ask("GET", f"/v2/jobs/{job}").json()

    def wait_for(self, true, what):
        """Polls the server, which is another process; the test does not depend on how long it takes."""
        deadline = time.monotonic() + PATIENCE
        while not true():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.005)

    def until(self, job, *states):
        self.wait_for(lambda: self.job(job)["state"] in states, f"{job} is never {states}")
        return self.job(job)

    def log(self):
        return (self.folder / "log").read_text()

    def values(self, reply):
        output = reply.json()["outputs"][0]
        return numpy.array(output["data"], numpy.float32).reshape(output["shape"])
