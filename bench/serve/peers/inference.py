"""What the peers' programs share: the body that the load client sends, and the model on one thread."""

import json
import os

import numpy
import onnxruntime


def tensor(body, header_length):
    """The FP32 tensor in an infer request of the Open Inference Protocol with binary data."""
    described = json.loads(body[:header_length])["inputs"][0]
    return numpy.frombuffer(body, numpy.float32, offset=header_length).reshape(described["shape"])


def session():
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(os.environ["PEERS_MODEL"], options, providers=["CPUExecutionProvider"])
