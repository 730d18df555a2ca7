"""What make_zoo.py writes: each network, the sizes it is traced with, and its test data (which are of other sizes)."""

import collections.abc
import dataclasses
import os
import pathlib

import torch
import torchvision
from torch import nn

from model_folder import Axes, write_data_set, write_onnx, write_torchscript
from nets import Decoder, Encoder, Espcn

Tensors = tuple[torch.Tensor, ...]
Inputs = collections.abc.Callable[[int, int], Tensors]  # batch, size -> seeded inputs; the size is a length or a width


@dataclasses.dataclass(frozen=True)
class Model:
    net: collections.abc.Callable[[], nn.Module]
    inputs: Inputs
    input_names: list[str]
    output_names: list[str]
    dynamic: dict[int, str]  # of every input
    dynamic_outputs: Axes
    size: int  # of the test data, whose batch is 1
    traced: tuple[int, int]  # batch and size


def images(batch: int, size: int, channels: int = 3) -> torch.Tensor:
    """Mean 0, variance near 1, with large shapes in them: white noise all looks alike to a network that averages over the image."""
    shapes = nn.functional.interpolate(torch.randn(batch, channels, 6, 6), size=size, mode="bicubic", align_corners=False)
    return shapes + 0.2 * torch.randn(batch, channels, size, size)


def texts(batch: int, length: int) -> Tensors:
    """The last quarter of the last text is padding, and the second half of every text is its second sentence."""
    input_ids = torch.randint(0, 1000, (batch, length))
    attention_mask = torch.ones(batch, length, dtype=torch.int64)
    attention_mask[-1, length - length // 4 :] = 0
    token_type_ids = (torch.arange(length) >= length // 2).to(torch.int64).expand(batch, length).contiguous()
    return input_ids, attention_mask, token_type_ids


def scale_answers(net: nn.Module, inputs: torch.Tensor) -> nn.Module:
    """Divides the last layer's weights so that the answers have a standard deviation near 0.5."""
    last = [module for module in net.modules() if isinstance(module, (nn.Linear, nn.Conv2d))][-1]
    last.weight *= 0.5 / net.eval()(inputs).std()
    return net


def classifier(make: collections.abc.Callable[..., nn.Module]) -> nn.Module:
    """A torchvision network whose activations are of the size that training gives them.

    A fresh batch norm holds mean 0 and variance 1, and the signal grows or dies from layer to layer: one pass over seeded images in
    training mode puts in what it really sees. The shift of 0.5 keeps most values on the straight side of ReLU: with 0, rounding alone
    grows from layer to layer until two right engines differ by 4e-5 (for answers of size 1; 6e-6 with it).
    """
    net = make(weights=None).train()
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
        norm.bias.fill_(0.5)
    net(images(4, 112))
    for norm in norms:
        norm.momentum = 0.1
    return scale_answers(net, images(4, 112))


SEED = 2016

BATCH = {0: "batch"}
SEQUENCE = {0: "batch", 1: "sequence"}
PLANE = {0: "batch", 2: "height", 3: "width"}


def image_classifier(make: collections.abc.Callable[..., nn.Module]) -> Model:
    return Model(
        net=lambda: classifier(make),
        inputs=lambda batch, size: (images(batch, size),),
        input_names=["input"],
        output_names=["logits"],
        dynamic=BATCH,
        dynamic_outputs={"logits": BATCH},
        size=224,
        traced=(1, 224),
    )


MODELS = {
    "espcn": Model(
        net=lambda: scale_answers(Espcn(factor=2), images(1, 64, channels=1)),
        inputs=lambda batch, size: (images(batch, size, channels=1),),
        input_names=["x"],
        output_names=["y"],
        dynamic=PLANE,
        dynamic_outputs={"y": PLANE},
        size=128,
        traced=(2, 40),
    ),
    "mobilenet_v2": image_classifier(torchvision.models.mobilenet_v2),
    "resnet18": image_classifier(torchvision.models.resnet18),
    "resnet50": image_classifier(torchvision.models.resnet50),
    "encoder": Model(
        net=Encoder,
        inputs=texts,
        input_names=["input_ids", "attention_mask", "token_type_ids"],
        output_names=["last_hidden_state", "pooled"],
        dynamic=SEQUENCE,
        dynamic_outputs={"last_hidden_state": SEQUENCE, "pooled": BATCH},
        size=128,
        traced=(2, 12),
    ),
    "decoder": Model(
        net=Decoder,
        inputs=lambda batch, size: (torch.randint(0, 1000, (batch, size)),),
        input_names=["tokens"],
        output_names=["logits"],
        dynamic=SEQUENCE,
        dynamic_outputs={"logits": SEQUENCE},
        size=64,
        traced=(2, 12),
    ),
}


def answers(net: nn.Module, inputs: Tensors) -> Tensors:
    got = net(*inputs)
    return got if isinstance(got, tuple) else (got,)


def check(name: str, got: Tensors, wanted: Tensors) -> None:
    for a, b in zip(got, wanted, strict=True):
        if a.shape != b.shape or not torch.allclose(a, b, rtol=1e-4, atol=1e-5):
            raise RuntimeError(f"{name}: the TorchScript file disagrees with the network at shape {[*b.shape]}")


def check_fitness(name: str, wanted: Tensors, others: Tensors) -> None:
    """Answers that tell a right engine from a wrong one are neither tiny nor huge, and another input has another answer."""
    for a, b in zip(wanted, others, strict=True):
        if not 0.1 < a.std() < 10 or not (a - b).std() > 0.05 * a.std():
            raise RuntimeError(f"{name}: the answers hardly depend on the inputs, or are too large or too small")


@torch.no_grad()
def make(name: str, folder: pathlib.Path) -> None:
    model = MODELS[name]
    # With one thread PyTorch 1.13 doesn't use oneDNN, and a convolution takes ten times as long: two even where there is one core.
    torch.set_num_threads(max(2, len(os.sched_getaffinity(0))))
    torch.manual_seed(SEED)
    net = model.net().eval()
    example = model.inputs(*model.traced)
    dynamic = {input_name: model.dynamic for input_name in model.input_names} | model.dynamic_outputs
    write_onnx(folder / "model.onnx", net, example, model.input_names, model.output_names, dynamic)
    write_torchscript(folder / "model.pt", net, example)

    script = torch.jit.load(str(folder / "model.pt"))
    batch = model.inputs(3, model.size // 2)
    check(name, answers(script, batch), answers(net, batch))
    data_sets = [model.inputs(1, model.size) for _ in range(2)]
    wanted = [answers(net, inputs) for inputs in data_sets]
    check(name, answers(script, data_sets[0]), wanted[0])
    check_fitness(name, *wanted)
    for number, (inputs, outputs) in enumerate(zip(data_sets, wanted)):
        tensors = {
            "input": {key: tensor.numpy() for key, tensor in zip(model.input_names, inputs)},
            "output": {key: tensor.numpy() for key, tensor in zip(model.output_names, outputs)},
        }
        write_data_set(folder, number, tensors)
