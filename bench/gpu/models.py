"""Writes the models that bench/gpu/run measures, as TorchScript with seeded random weights, with inputs for each batch and the right
answers (PyTorch on the CPU) for batch 1. They are the networks of models/nets.py and torchvision at the size that people use.

    python3 bench/gpu/models.py OUT-DIR [small]      (small: for a rehearsal on a CPU)
    OUT-DIR/NAME/model.pt, model.json (the inputs' names), bN/input_K.npy, b1/output_K.npy

A model that is there is left alone. Needs PyTorch, torchvision, NumPy and onnx (which the writers in models/ import).
"""

import collections.abc
import json
import os
import pathlib
import shutil
import sys

import numpy as np
import torch
import torchvision

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "models"))
from model_folder import write_torchscript  # noqa: E402
from nets import Encoder, Espcn  # noqa: E402
from zoo_models import SEED, Tensors, answers, classifier, images, scale_answers, texts  # noqa: E402

BATCHES = (1, 32)


def networks(small: bool) -> dict[str, tuple]:
    """Name -> (what makes the network, what makes inputs of a batch)."""
    encoder = {} if small else {"layers": 12, "width": 768, "heads": 12}
    length, image, plane = (16, 32, 64) if small else (128, 224, 512)
    return {
        "resnet50": (lambda: classifier(torchvision.models.resnet50), lambda batch: (images(batch, image),)),
        "bert_base": (lambda: Encoder(**encoder), lambda batch: texts(batch, length)),
        "espcn": (lambda: scale_answers(Espcn(factor=2), images(1, 64, channels=1)), lambda batch: (images(batch, plane, channels=1),)),
    }


def save(folder: pathlib.Path, role: str, tensors: Tensors) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for k, tensor in enumerate(tensors):
        np.save(folder / f"{role}_{k}.npy", tensor.contiguous().numpy())


@torch.no_grad()
def write(make_net: collections.abc.Callable, make_inputs: collections.abc.Callable, folder: pathlib.Path) -> None:
    torch.manual_seed(SEED)
    net = make_net().eval()
    folder.mkdir(parents=True)
    write_torchscript(folder / "model.pt", net, make_inputs(2))
    script = torch.jit.load(str(folder / "model.pt"))
    names = [argument.name for argument in script.forward.schema.arguments[1:]]  # without self
    (folder / "model.json").write_text(json.dumps({"inputs": names}))
    for batch in BATCHES:
        inputs = make_inputs(batch)
        save(folder / f"b{batch}", "input", inputs)
        if batch == 1:
            save(folder / "b1", "output", answers(net, inputs))


def main() -> None:
    out = pathlib.Path(sys.argv[1])
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    for name, (make_net, make_inputs) in networks(small=sys.argv[2:] == ["small"]).items():
        if (out / name).exists():
            continue
        partial = out / f".{name}.partial"  # renamed when complete: a folder that exists is whole
        shutil.rmtree(partial, ignore_errors=True)
        write(make_net, make_inputs, partial)
        partial.rename(out / name)
        print(name, flush=True)


if __name__ == "__main__":
    main()
