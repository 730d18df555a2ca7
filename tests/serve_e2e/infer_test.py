"""Inference at once: the Open Inference Protocol, by hand and by its most used client."""

import json
import os
import pathlib
import shutil
import struct
import subprocess
import unittest

import numpy

from serving import SMALL, SOURCE, X, ServingCase, binary, write_sum

TRITON = SOURCE / ".deps" / "venv-test" / "bin" / "python"
HAS_ONNXRUNTIME = (pathlib.Path(os.environ["LAPSE_BINARY_DIR"]) / "engines" / "lapse-engine-onnxruntime.so").exists()


class Protocol(ServingCase):
    def test_the_server_says_what_it_is_and_that_it_is_well(self):
        self.assertEqual(self.ask("GET", "/v2").json()["name"], "lapse")
        self.assertIn("binary_tensor_data", self.ask("GET", "/v2").json()["extensions"])
        self.ask("GET", "/v2/health/live")
        self.assertEqual(self.ask("GET", "/v2/health/ready").json(), {"ready": True, "reasons": []})

    def test_a_model_says_what_it_takes_and_gives(self):
        metadata = self.ask("GET", "/v2/models/echo").json()
        self.assertEqual((metadata["name"], metadata["versions"]), ("echo", ["1"]))
        self.assertEqual(metadata["inputs"][0]["name"], "x")
        self.assertEqual(self.ask("GET", "/v2/models/echo/versions/1").json(), metadata)
        self.assertTrue(self.ask("GET", "/v2/models/echo/ready").json()["ready"])
        self.assertEqual(self.ask("GET", "/v2/models/echo/config").json()["input"][0]["data_type"], "TYPE_FP32")

    def test_json_goes_in_and_json_comes_out(self):
        self.assertEqual(self.values(self.ask("POST", "/v2/models/echo/infer", SMALL)).ravel().tolist(), X)
        self.assertEqual(self.values(self.ask("POST", "/v2/models/echo/versions/1/infer", SMALL)).ravel().tolist(), X)

    def test_bytes_go_in_and_bytes_come_out(self):
        x = numpy.array([X], numpy.float32)
        body, headers = binary(x=x)
        reply = self.client.ask("POST", "/v2/models/echo/infer", body, headers)
        self.assertEqual(reply.status, 200, reply.body[:300])
        self.assertEqual(reply.headers["Content-Type"], "application/octet-stream")
        self.assertEqual(reply.body[reply.header_length():], x.tobytes())

    def test_inferences_are_counted(self):
        for _ in range(3):
            self.ask("POST", "/v2/models/echo/infer", SMALL)
        counted = self.ask("GET", "/v2/models/echo/stats").json()["model_stats"][0]
        self.assertEqual(counted["inference_count"], 3)
        self.assertEqual(counted["inference_stats"]["success"]["count"], 3)
        self.assertIn("lapse_http_requests_total", self.ask("GET", "/metrics").body.decode())

    def test_what_is_wrong_is_refused_with_one_line_that_says_where(self):
        def inputs(**changes):
            return json.dumps({"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": X, **changes}]})
        path = "/v2/models/echo/infer"
        self.refused("POST", path, "{", status=400, says="JSON")
        self.refused("POST", path, inputs(name="z"), status=400, says="z")
        self.refused("POST", path, inputs(shape=[1, 5]), status=400, says="x")
        self.refused("POST", path, inputs(shape=[-1, 4]), status=400, says="x")
        self.refused("POST", path, inputs(shape=[2**62, 2**62]), status=400, says="x")
        self.refused("POST", path, inputs(datatype="FP64"), status=400, says="x")
        self.refused("POST", path, inputs(datatype="BYTES", data=["a"]), status=422, says="BYTES")
        self.refused("POST", path, "[" * 100000, status=400, says="")
        self.refused("POST", path, SMALL, status=400, says="Inference-Header-Content-Length", Inference_Header_Content_Length="-1")
        self.refused("POST", path, SMALL, status=400, says="", Inference_Header_Content_Length=str(2**40))
        self.refused("POST", "/v2/models/nobody/infer", SMALL, status=404, says="nobody")
        self.refused("POST", "/v2/models/echo/versions/7/infer", SMALL, status=404, says="7")
        self.ask("GET", "/v2/models/%2e%2e%2fpasswd", status=404)
        self.ask("POST", "/v2/models/echo/infer", SMALL)

    def test_models_come_change_and_go_while_the_server_works(self):
        new = self.folder / "models" / "new.json"
        new.write_text(json.dumps({"model": "sim:device=1ms"}))
        self.wait_for(lambda: self.client.ask("GET", "/v2/models/new/ready").status == 200, "the new model is never ready")
        self.ask("POST", "/v2/models/new/infer", SMALL)
        new.unlink()
        self.wait_for(lambda: self.client.ask("GET", "/v2/models/new").status == 404, "the model never goes")

    def test_a_model_that_can_not_be_loaded_says_why_and_harms_no_other(self):
        (self.folder / "models" / "broken.onnx").write_bytes(b"not a model")
        self.wait_for(lambda: any(m["state"] == "unavailable" for m in self.ask("GET", "/v2/models").json()["models"]), "never unavailable")
        ready = self.client.ask("GET", "/v2/health/ready")
        self.assertEqual(ready.status, 503)
        self.assertIn("broken", ready.json()["reasons"][0])
        self.refused("POST", "/v2/models/broken/infer", SMALL, status=503, says="broken")
        self.ask("POST", "/v2/models/echo/infer", SMALL)


@unittest.skipUnless(HAS_ONNXRUNTIME, "built without ONNX Runtime")
class OnnxModels(ServingCase):
    def prepare(self):
        write_sum(self.folder / "models" / "sum.onnx")
        (self.folder / "models" / "sum.json").write_text(json.dumps({"max_batch": 4}))
        shutil.copy(SOURCE / "models" / "demo" / "model.onnx", self.folder / "models" / "demo.onnx")

    def test_several_inputs_by_hand(self):
        a, b = numpy.arange(8, dtype=numpy.float32).reshape(2, 4), numpy.full((2, 4), 10, numpy.float32)
        body, headers = binary(a=a, b=b)
        reply = self.client.ask("POST", "/v2/models/sum/infer", body, headers)
        self.assertEqual(reply.body[reply.header_length():], (a + b).tobytes())

    @unittest.skipUnless(TRITON.exists(), "tools/setup test has not made the environment with tritonclient")
    def test_tritonclient_works_unmodified(self):
        script = pathlib.Path(__file__).with_name("triton_client.py")
        run = subprocess.run([TRITON, script, "{}:{}".format(*self.server.address)], capture_output=True, text=True, timeout=60)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)


if __name__ == "__main__":
    unittest.main()
