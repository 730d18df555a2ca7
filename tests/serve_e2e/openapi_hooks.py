"""What schemathesis can't know of this server; read by it (SCHEMATHESIS_HOOKS), not by the tests."""

import os

import schemathesis

REQUEST = {"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": [1.0, 2.0, 3.0, 4.0]}]}


def without(given, name):
    return {each: value for each, value in given.items() if each != name} if given else given


@schemathesis.hook
def map_query(context, query):
    if os.environ["LAPSE_REQUESTS"] == "sound":
        for name in ("format", "keep_metadata", "only"):  # no model here enlarges photos; and a DELETE that deletes nothing is taken for a fault
            query = without(query, name)
    return without(query, "webhook")  # which would knock at real doors


if os.environ["LAPSE_REQUESTS"] == "sound":

    @schemathesis.hook
    def map_headers(context, headers):
        return without(headers, "Inference-Header-Content-Length")

    @schemathesis.hook
    def map_body(context, body):
        if not isinstance(body, dict) or "inputs" not in body:
            return body
        return {**REQUEST, "id": body["id"]} if isinstance(body.get("id"), str) else REQUEST
