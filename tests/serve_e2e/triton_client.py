"""Run with tritonclient installed: everything that it can ask of a server at ADDRESS that serves sum and demo."""

import asyncio
import sys

import numpy
import tritonclient.http as triton
import tritonclient.http.aio
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

# Its own options: level 1 is the highest, time-outs are microseconds, and what a server doesn't know is none of its business.
result = client.infer("sum", inputs, model_version="1", priority=1, timeout=10_000_000, parameters={"mine": "x"})
assert numpy.array_equal(result.as_numpy("y"), a + b)
three = [triton.InferInput(name, [3, 4], "FP32").set_data_from_numpy(numpy.ones((3, 4), numpy.float32)) for name in "ab"]
before = client.get_inference_statistics("sum", "1")["model_stats"][0]
assert numpy.array_equal(client.infer("sum", three).as_numpy("y"), numpy.full((3, 4), 2, numpy.float32))
after = client.get_inference_statistics("sum", "1")["model_stats"][0]
counts = [[each["inference_count"], each["execution_count"], each["inference_stats"]["success"]["count"]] for each in (before, after)]
assert numpy.subtract(counts[1], counts[0]).tolist() == [3, 1, 1], counts


def strings():
    given = triton.InferInput("a", [1], "BYTES")
    given.set_data_from_numpy(numpy.array([b"x"], object))
    return [given, inputs[1]]


for status, model, wrong, options in (("404", "nobody", inputs, {}), ("404", "sum", inputs, {"model_version": "9"}), ("400", "sum", inputs[:1], {}),
                                      ("422", "sum", strings(), {}), ("400", "sum", inputs, {"priority": 22}),
                                      ("400", "sum", inputs, {"outputs": [triton.InferRequestedOutput("z")]}),
                                      ("422", "sum", inputs, {"outputs": [triton.InferRequestedOutput("y", class_count=1)]})):
    try:
        client.infer(model, wrong, **options)
    except InferenceServerException as error:
        assert error.status() == status and error.message() and "\n" not in error.message(), (status, error)
    else:
        sys.exit(f"{model} was not refused, and should have been with {status}")


async def asynchronously():
    async with tritonclient.http.aio.InferenceServerClient(sys.argv[1]) as other:
        assert await other.is_server_ready() and await other.is_model_ready("sum")
        answers = await asyncio.gather(*(other.infer("sum", inputs) for _ in range(4)))
        assert all(numpy.array_equal(each.as_numpy("y"), a + b) for each in answers)


asyncio.run(asynchronously())
