"""What lies in the models' folder is what is served: ONNX and TorchScript, in versions, replaced while somebody asks."""

import json
import pathlib
import shutil
import threading
import unittest

import numpy

from serving import BUILD, SOURCE, Client, ServingCase, binary, write_sum

DEMO = SOURCE / "models" / "demo"
HAS_ENGINES = all((BUILD / "engines" / f"lapse-engine-{engine}.so").exists() for engine in ("onnxruntime", "torch"))
SUM = json.dumps({"inputs": [{"name": name, "shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3, 4]} for name in "ab"]})


def write_difference(file):
    """y = a − b, under the same names."""
    import onnx
    write_sum(file)
    model = onnx.load(str(file))
    model.graph.node[0].op_type = "Sub"
    onnx.save(model, str(file))


@unittest.skipUnless(HAS_ENGINES, "built without one of the engines")
class Models(ServingCase):
    models = {}

    def prepare(self):
        folder = self.folder / "models"
        for version in ("1", "3"):
            (folder / "two" / version).mkdir(parents=True)
        shutil.copy(DEMO / "model.onnx", folder / "two" / "1")
        shutil.copy(DEMO / "model.pt", folder / "two" / "3")
        write_sum(folder / "sum.onnx")
        (folder / "sum.json").write_text(json.dumps({"max_batch": 8, "max_delay_ms": 0.5}))
        shutil.copy(DEMO / "model.pt", folder / "script.pt")
        (folder / "script.json").write_text(json.dumps({"inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 1, 96, 96]}],
                                                        "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1, 1, 192, 192]}]}))

    def infer(self, path, x):
        body, headers = binary(x=x)
        reply = self.client.ask("POST", f"/v2/models/{path}/infer", body, headers)
        self.assertEqual(reply.status, 200, reply.body[:300])
        output = json.loads(reply.body[:reply.header_length()])["outputs"][0]
        return output["name"], numpy.frombuffer(reply.body[reply.header_length():], numpy.float32).reshape(output["shape"])

    def test_onnx_and_torchscript_are_versions_of_one_model_and_give_the_same_answer(self):
        self.assertEqual(self.ask("GET", "/v2/models/two").json()["versions"], ["1", "3"])
        self.assertEqual(self.ask("GET", "/v2/models/two").json()["platform"], "torch")
        self.assertEqual(self.ask("GET", "/v2/models/two/versions/1").json()["platform"], "onnxruntime")
        x = numpy.random.default_rng(0).random((1, 1, 96, 96), numpy.float32)
        answers = [self.infer(path, x)[1] for path in ("two", "two/versions/1", "two/versions/3")]
        self.assertTrue(numpy.array_equal(answers[0], answers[2]), "without a version it is the newest")
        numpy.testing.assert_allclose(answers[0], answers[1], rtol=1e-4, atol=1e-5)

    def test_a_version_that_goes_leaves_the_one_below_it(self):
        shutil.rmtree(self.folder / "models" / "two" / "3")
        self.wait_for(lambda: self.ask("GET", "/v2/models/two").json()["platform"] == "onnxruntime", "the old version is never the newest")
        self.refused("GET", "/v2/models/two/versions/3", status=404, says="3")
        self.infer("two", numpy.zeros((1, 1, 96, 96), numpy.float32))

    def test_what_torchscript_does_not_tell_is_said_so_or_declared(self):
        undeclared = self.ask("GET", "/v2/models/two/versions/3").json()["inputs"]
        self.assertEqual(undeclared, [{"name": "x", "datatype": "", "shape": [-1]}])
        self.assertEqual(self.ask("GET", "/v2/models/two/versions/3/config").json()["input"][0]["data_type"], "TYPE_INVALID")
        declared = self.ask("GET", "/v2/models/script").json()
        self.assertEqual(declared["inputs"], [{"name": "x", "datatype": "FP32", "shape": [-1, 1, 96, 96]}])
        self.assertEqual(declared["outputs"], [{"name": "y", "datatype": "FP32", "shape": [-1, 1, 192, 192]}])
        self.assertEqual(self.infer("script", numpy.zeros((2, 1, 96, 96), numpy.float32))[0], "y")
        wrong, headers = binary(x=numpy.zeros((1, 3, 96, 96), numpy.float32))
        refused = self.client.ask("POST", "/v2/models/script/infer", wrong, headers)
        self.assertEqual((refused.status, "1x3x96x96" in refused.json()["error"]), (400, True))

    def test_the_configuration_is_that_of_the_settings(self):
        config = self.ask("GET", "/v2/models/sum/config").json()
        self.assertEqual((config["max_batch_size"], config["version_policy"]), (8, {"all": {}}))
        self.assertEqual(config["input"][0], {"name": "a", "data_type": "TYPE_FP32", "dims": [4]})
        self.assertEqual(config["dynamic_batching"], {"max_queue_delay_microseconds": 500, "priority_levels": 21, "default_priority_level": 11})

    def test_a_model_is_replaced_while_it_is_asked_and_nobody_is_refused(self):
        answers, stop = [], threading.Event()

        def ask():
            client = Client(self.server)
            while not stop.is_set():
                answers.append(client.ask("POST", "/v2/models/sum/infer", SUM))
        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            write_difference(self.folder / "models" / "other")
            shutil.copyfile(self.folder / "models" / "other", self.folder / "models" / "sum.onnx")  # in place, as cp does it
            self.wait_for(lambda: answers and answers[-1].status == 200 and answers[-1].json()["outputs"][0]["data"] == [0, 0, 0, 0],
                          "the other model never answers")
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual({answer.status for answer in answers}, {200})
        self.assertEqual({tuple(answer.json()["outputs"][0]["data"]) for answer in answers}, {(2, 4, 6, 8), (0, 0, 0, 0)})

    def test_settings_that_are_wrong_are_said_by_name_and_the_old_ones_stay(self):
        (self.folder / "models" / "sum.json").write_text('{"max_bach": 8}')
        self.wait_for(lambda: "max_bach" in self.log(), "nobody says it")
        self.ask("POST", "/v2/models/sum/infer", SUM)
        listed = {model["name"]: model for model in self.ask("GET", "/v2/models").json()["models"]}
        self.assertEqual(listed["sum"]["state"], "ready")
        self.assertIn("max_bach", listed["sum"]["reason"])


if __name__ == "__main__":
    unittest.main()
