"""The network: luma through plain convolutions, added to bicubic interpolation of the colours.

Two forms of one function. `Training` works on luma alone, with convolutions wider inside than their result (SESR: Bhardwaj et al., MLSys
2022): a 3x3 convolution to many channels and a 1x1 back are one 3x3 convolution, easier to train. `Photo`, what is exported, is the
collapsed form: RGB in, RGB out.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

CHANNELS = 16  # one AVX-512 register of float32: ONNX Runtime works on blocks of it
LAYERS = 9  # 3x3 convolutions between the first and the last
EXPANDED = 64
FIRST = 5  # side of the first kernel, and of the bicubic one: both read two pixels past the border
HALO = FIRST // 2 + LAYERS + 1  # receptive field to one side, in input pixels
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


class CollapsibleConv(nn.Module):
    def __init__(self, inputs: int, outputs: int, size: int, padding: int) -> None:
        super().__init__()
        self.expand = nn.Parameter(torch.randn(EXPANDED, inputs, size, size) * (inputs * size**2) ** -0.5)
        self.project = nn.Parameter(torch.randn(outputs, EXPANDED) * EXPANDED**-0.5 * 0.5)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.padding = padding
        identity = torch.zeros(outputs, inputs, size, size)
        if inputs == outputs:
            identity[range(outputs), range(outputs), size // 2, size // 2] = 1.0
        self.register_buffer("identity", identity, persistent=False)

    def kernel(self) -> torch.Tensor:
        return torch.einsum("oe,eixy->oixy", self.project, self.expand) + self.identity

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.conv2d(x, self.kernel(), self.bias, padding=self.padding)


class Training(nn.Module):
    """Luma of N x 1 x (H + 4) x (W + 4), two pixels of border included -> what to add to bicubic, N x 1 x sH x sW."""

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale
        middle = [CollapsibleConv(CHANNELS, CHANNELS, 3, 1) for _ in range(LAYERS)]
        self.convs = nn.ModuleList([CollapsibleConv(1, CHANNELS, FIRST, 0), *middle, CollapsibleConv(CHANNELS, scale**2, 3, 1)])
        self.slopes = nn.ParameterList(nn.Parameter(torch.tensor(0.25)) for _ in self.convs[:-1])
        self.convs[-1].project.data *= 0.1  # begins near bicubic

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for conv, slope in zip(self.convs, self.slopes):
            x = functional.prelu(conv(x), slope.view(1)).contiguous(memory_format=torch.channels_last)  # faster by a sixth on a CPU
        return functional.pixel_shuffle(self.convs[-1](x), self.scale)


def bicubic_kernel(scale: int) -> torch.Tensor:
    """Bicubic interpolation (Keys, a = -0.5: Pillow's and MATLAB's) as a convolution: scale^2 x 1 x 5 x 5, for a pixel shuffle."""

    def keys(t: np.ndarray) -> np.ndarray:
        t = np.abs(t)
        return np.where(t <= 1, 1.5 * t**3 - 2.5 * t**2 + 1, np.where(t < 2, -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2, 0.0))

    phases = (np.arange(scale) + 0.5) / scale - 0.5
    rows = keys(np.arange(-(FIRST // 2), FIRST // 2 + 1) - phases[:, None])
    return torch.from_numpy(np.einsum("ay,bx->abyx", rows, rows).reshape(scale**2, 1, FIRST, FIRST).astype(np.float32))


def with_border(x: torch.Tensor) -> torch.Tensor:
    return functional.pad(x, (FIRST // 2,) * 4, mode="replicate")


class Photo(nn.Module):
    """The collapsed network. RGB of 0..1, N x 3 x H x W -> N x 3 x sH x sW, any N, H and W.

    A change of luma alone moves R, G and B by the same amount, so the convolutions' output is added to all three and no way back from luma
    is needed. The border is the nearest pixel, repeated, for the first convolution and the bicubic one, zero for the rest.
    """

    def __init__(self, trained: Training) -> None:
        super().__init__()
        self.scale = trained.scale
        self.luma = as_conv(torch.tensor(LUMA).view(1, 3, 1, 1), None, 0)
        self.bicubic = as_conv(bicubic_kernel(self.scale).repeat(3, 1, 1, 1), None, 0, groups=3)
        self.convs = nn.ModuleList(as_conv(conv.kernel().detach(), conv.bias.detach(), conv.padding) for conv in trained.convs)
        self.slopes = [float(slope) for slope in trained.slopes]

    def forward(self, rgb: torch.Tensor) -> torch.Tensor:
        bordered = with_border(rgb)
        x = self.luma(bordered)
        for conv, slope in zip(self.convs, self.slopes):
            x = functional.leaky_relu(conv(x), slope)  # PReLU of one slope, and engines fuse it
        detail = functional.pixel_shuffle(self.convs[-1](x), self.scale)
        return (functional.pixel_shuffle(self.bicubic(bordered), self.scale) + detail).clamp(0.0, 1.0)


def as_conv(kernel: torch.Tensor, bias: torch.Tensor | None, padding: int, groups: int = 1) -> nn.Conv2d:
    outputs, inputs, size, _ = kernel.shape
    conv = nn.Conv2d(inputs * groups, outputs, size, padding=padding, groups=groups, bias=bias is not None)
    conv.weight = nn.Parameter(kernel.clone(), requires_grad=False)
    if bias is not None:
        conv.bias = nn.Parameter(bias.clone(), requires_grad=False)
    return conv
