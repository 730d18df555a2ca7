"""Writes a trained network for `lapse serve --models models/photo-sr`:

    photo-xS.onnx, photo-xS.json             the network, and how to cut a photo into tiles for it
    torchscript/photo-xS.pt                  the same network
"""

import json
import pathlib
import sys

import torch

import network

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from model_folder import write_onnx, write_torchscript  # noqa: E402

TILE = 256  # side in input pixels, both halos included: 82 % of its pixels are kept, of a tile of 128 66 %
MAX_BATCH = 4


def write_model(folder: pathlib.Path, trained: network.Training) -> None:
    net = network.Photo(trained).eval()
    name, example = f"photo-x{net.scale}", (torch.zeros(2, 3, 40, 56),)
    axes = {"x": {0: "batch", 2: "height", 3: "width"}, "y": {0: "batch", 2: "enlarged_height", 3: "enlarged_width"}}
    (folder / "torchscript").mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        write_onnx(folder / f"{name}.onnx", net, example, ["x"], ["y"], axes)
        write_torchscript(folder / "torchscript" / f"{name}.pt", net, example)
    settings = {"photo": {"scale": net.scale, "halo": network.HALO, "tile": TILE}, "max_batch": MAX_BATCH}
    (folder / f"{name}.json").write_text(json.dumps(settings) + "\n")
