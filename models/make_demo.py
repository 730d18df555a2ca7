#!/usr/bin/python3
"""Writes models/demo: a small ESPCN with seeded weights, one input, and the right answer to it.

Needs Debian 12's python3-torch and python3-onnx. The same bytes on every run: weights and input use exact arithmetic only, and the
answer is computed in float64 and rounded once.
"""

import argparse
import copy
import pathlib

import numpy as np
import torch

from model_folder import write_data_set, write_onnx, write_torchscript
from nets import Espcn

SEED = 2016
SIZE = 96  # a forward pass of 0.39 GFLOP: a few milliseconds on two cores


def seeded_espcn(random: np.random.Generator) -> Espcn:
    net = Espcn(factor=2)
    for parameter in net.parameters():
        fan_in = parameter[0].numel()
        bound = (6.0 / fan_in) ** 0.5 if parameter.dim() > 1 else 0.1  # He et al. 2015: the signal keeps its size through ReLU
        values = (random.random(parameter.shape) * 2.0 - 1.0) * bound
        parameter.data = torch.from_numpy(values.astype(np.float32))
    return net.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent / "demo", metavar="DIR")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)

    random = np.random.default_rng(SEED)
    net = seeded_espcn(random)
    x = torch.from_numpy(random.random((1, 1, SIZE, SIZE)).astype(np.float32))
    with torch.no_grad():
        y = copy.deepcopy(net).double()(x.double()).float()

        example = (torch.zeros(2, 1, SIZE, SIZE),)
        write_onnx(out / "model.onnx", net, example, ["x"], ["y"], {"x": {0: "batch"}, "y": {0: "batch"}})
        write_torchscript(out / "model.pt", net, example)
    write_data_set(out, 0, {"input": {"x": x.numpy()}, "output": {"y": y.numpy()}})


if __name__ == "__main__":
    main()
