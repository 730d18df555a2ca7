"""Writes a trained network as a model folder: ONNX, TorchScript, how to tile it, one input and the right answer."""

import copy
import json
import pathlib
import sys

import numpy as np
import torch

import images
import network

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from model_folder import write_data_set, write_onnx, write_torchscript  # noqa: E402

SAMPLE, SEED = 24, 2601


def sample() -> torch.Tensor:
    """A made image for each of R, G and B."""
    planes = [images.made_image(np.random.default_rng((SEED, 10**6 + k)))[:SAMPLE, :SAMPLE] for k in range(3)]
    return torch.from_numpy(np.stack(planes)[None])


def write_model(folder: pathlib.Path, trained: network.Training) -> None:
    """`folder` gets the files of models/README.md, and photo.json: the scale, and the halo in input pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    net = network.Photo(trained).eval()
    axes = {"rgb": {0: "batch", 2: "height", 3: "width"}, "enlarged": {0: "batch", 2: "enlarged_height", 3: "enlarged_width"}}
    x = sample()
    with torch.no_grad():
        right = copy.deepcopy(net).double()(x.double()).float()
        write_onnx(folder / "model.onnx", net, (torch.zeros(2, 3, 40, 56),), ["rgb"], ["enlarged"], axes)
        write_torchscript(folder / "model.pt", net, (torch.zeros(2, 3, 40, 56),))
    (folder / "photo.json").write_text(json.dumps({"scale": net.scale, "halo": network.HALO}) + "\n")
    write_data_set(folder, 0, {"input": {"rgb": x.numpy()}, "output": {"enlarged": right.numpy()}})
