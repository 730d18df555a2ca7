"""Run with tritonclient installed: everything that it can ask of a server at ADDRESS that serves sum and demo."""

import sys

import numpy
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

client = triton.InferenceServerClient(sys.argv[1])
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("sum")
assert not client.is_model_ready("nobody")
assert client.get_server_metadata()["name"] == "lapse"
assert [each["name"] for each in client.get_model_metadata("sum")["inputs"]] == ["a", "b"]
assert client.get_model_config("sum")["name"] == "sum"
assert client.get_inference_statistics("sum")["model_stats"][0]["name"] == "sum"
assert client.get_inference_statistics()["model_stats"]

a, b = numpy.arange(4, dtype=numpy.float32).reshape(1, 4), numpy.full((1, 4), 0.5, numpy.float32)
for as_bytes in (True, False):
    inputs = [triton.InferInput(name, value.shape, "FP32") for name, value in (("a", a), ("b", b))]
    inputs[0].set_data_from_numpy(a, binary_data=as_bytes)
    inputs[1].set_data_from_numpy(b, binary_data=as_bytes)
    for outputs in (None, [triton.InferRequestedOutput("y", binary_data=as_bytes)]):
        result = client.infer("sum", inputs, outputs=outputs, request_id="7")
        assert numpy.array_equal(result.as_numpy("y"), a + b), result.get_response()
        assert result.get_response()["id"] == "7"
waiting = [client.async_infer("sum", inputs) for _ in range(4)]
assert all(numpy.array_equal(each.get_result().as_numpy("y"), a + b) for each in waiting)

image = triton.InferInput("x", [1, 1, 96, 96], "FP32")
image.set_data_from_numpy(numpy.zeros((1, 1, 96, 96), numpy.float32))
assert client.infer("demo", [image]).as_numpy("y").shape == (1, 1, 192, 192)

for model, wrong in (("nobody", inputs), ("sum", inputs[:1])):
    try:
        client.infer(model, wrong)
    except InferenceServerException as error:
        assert error.message(), error
    else:
        sys.exit(f"{model} was not refused")
