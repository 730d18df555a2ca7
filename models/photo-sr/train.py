#!/usr/bin/python3
"""Trains the network on images made from a seed, and exports it. Run again after Ctrl-C: it goes on where it stopped.

    models/photo-sr/train.py --scale 2       build/photo-sr/x2.ckpt while it trains, models/photo-sr/photo-x2.* at the end
    models/photo-sr/train.py --scale 4       the same, beginning with the body of x2.ckpt

Needs Debian 12's python3-torch, python3-onnx and python3-pil. Every step draws from its own seed, so a run that was interrupted and one
that was not see the same batches.
"""

import argparse
import io
import math
import os
import pathlib
import signal
import sys
import time

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

import export
import images
import network

HERE = pathlib.Path(__file__).resolve().parent
SEED = 2601
IMAGES, HELD_OUT = 640, 24
STEPS = {2: 17_000, 4: 10_000}  # by scale
BATCH, PATCH = 16, 36  # patches, and the side of one before enlargement
RATE = 2e-3
SPOILT = 0.35  # share of patches with JPEG in what the network is given
REPORT = 500  # steps from one checkpoint to the next
SOFT = 4e-3  # RMSE below which a patch counts less and less


def made_images(folder: pathlib.Path) -> np.ndarray:
    """uint8, the held-out ones last. Kept in a file: a minute's work."""
    kept = folder / f"images-{SEED}-{IMAGES + HELD_OUT}.npy"
    if not kept.exists():
        made = []
        for k in range(IMAGES + HELD_OUT):
            made.append(np.round(images.made_image(np.random.default_rng((SEED, k))) * 255).astype(np.uint8))
            if (k + 1) % 100 == 0:
                print(f"made {k + 1} of {IMAGES + HELD_OUT} images")
        np.save(kept, np.stack(made))
    return np.load(kept)


def reduced(image: np.ndarray, scale: int) -> np.ndarray:
    height, width = image.shape
    return np.asarray(Image.fromarray(image).resize((width // scale, height // scale), Image.Resampling.BICUBIC))


def spoilt(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """As a camera writes it: noise of less than one level, then JPEG."""
    noisy = np.clip(np.round(image + random.normal(0, random.random(), image.shape)), 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(noisy).save(file, "JPEG", quality=int(random.integers(65, 96)))
    return np.asarray(Image.open(file))


class Pairs:
    """Made images with their reductions, clean and spoilt."""

    def __init__(self, made: np.ndarray, scale: int) -> None:
        self.scale, self.large = scale, made
        self.small = np.stack([reduced(image, scale) for image in made])
        self.spoilt = np.stack([spoilt(image, np.random.default_rng((SEED, k))) for k, image in enumerate(self.small)])

    def batch(self, random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        small, large = [], []
        for _ in range(BATCH):
            k = random.integers(len(self.large))
            y, x = random.integers(self.small.shape[1] - PATCH + 1, size=2)
            source = self.spoilt if random.random() < SPOILT else self.small
            turn, mirror = random.integers(4), random.integers(2)
            for image, factor, into in ((source[k], 1, small), (self.large[k], self.scale, large)):
                patch = np.rot90(image[y * factor : (y + PATCH) * factor, x * factor : (x + PATCH) * factor], turn)
                into.append(patch[:, ::-1] if mirror else patch)
        return as_tensor(np.stack(small)), as_tensor(np.stack(large))


def as_tensor(stack: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(stack[:, None].astype(np.float32) / 255.0)


def enlarged(net: network.Training, bicubic: torch.Tensor, small: torch.Tensor) -> torch.Tensor:
    bordered = network.with_border(small)
    return net(bordered) + functional.pixel_shuffle(functional.conv2d(bordered, bicubic), net.scale)


def loss_of(made: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Logarithm of each patch's error: a decibel counts the same in a soft patch as in a sharp one, so neither is given up."""
    return ((made - right).square().mean((1, 2, 3)) + SOFT**2).log().mean() * (10 / math.log(10))


def gain_on(pairs: Pairs, net: network.Training, bicubic: torch.Tensor) -> float:
    """Mean decibels above bicubic on held-out made images."""
    device = bicubic.device
    small, large = as_tensor(pairs.small).to(device), as_tensor(pairs.large).to(device)
    with torch.no_grad():
        error = (enlarged(net, bicubic, small).clamp(0, 1) - large).square().mean((1, 2, 3))
        plain = functional.pixel_shuffle(functional.conv2d(network.with_border(small), bicubic), net.scale)
        before = (plain.clamp(0, 1) - large).square().mean((1, 2, 3))
    return float((10 * torch.log10(before / error)).mean())


def rate_at(step: int, steps: int) -> float:
    warm = min(1.0, (step + 1) / 200)
    return RATE * warm * (0.5 + 0.5 * math.cos(math.pi * step / steps)) + 1e-6


def begin(scale: int, work: pathlib.Path, device: str) -> tuple[network.Training, torch.optim.Optimizer, int]:
    """The network, its optimiser and the steps already done."""
    torch.manual_seed(SEED)
    net = network.Training(scale).to(device)
    optimizer = torch.optim.Adam(net.parameters(), lr=RATE, betas=(0.9, 0.99))
    checkpoint, smaller = work / f"x{scale}.ckpt", work / "x2.ckpt"
    if checkpoint.exists():
        saved = torch.load(checkpoint, map_location=device)
        net.load_state_dict(saved["net"])
        optimizer.load_state_dict(saved["optimizer"])
        print(f"going on after step {saved['step']} of {checkpoint}")
        return net, optimizer, saved["step"]
    if scale == 4 and smaller.exists():
        trained, last = torch.load(smaller, map_location=device)["net"], f"convs.{network.LAYERS + 1}."
        net.load_state_dict({name: value for name, value in trained.items() if not name.startswith(last)}, strict=False)
        print(f"beginning with the body of {smaller}")
    return net, optimizer, 0


def save(checkpoint: pathlib.Path, net: network.Training, optimizer: torch.optim.Optimizer, step: int) -> None:
    unfinished = checkpoint.with_suffix(".part")
    torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict(), "step": step}, unfinished)
    os.replace(unfinished, checkpoint)


def train(scale: int, steps: int, work: pathlib.Path, device: str) -> network.Training:
    net, optimizer, first = begin(scale, work, device)
    bicubic = network.bicubic_kernel(scale).to(device)
    made = made_images(work)
    pairs, held_out = Pairs(made[:IMAGES], scale), Pairs(made[IMAGES:], scale)
    stop = []  # a signal ends the step first: the checkpoint is whole
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.append(True))
    started, losses = time.monotonic(), []
    for step in range(first, steps):
        small, large = (part.to(device) for part in pairs.batch(np.random.default_rng((SEED, scale, step))))
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, steps)
        loss = loss_of(enlarged(net, bicubic, small), large)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        losses.append(loss.item())
        done = step + 1
        if done % REPORT == 0 or done == steps or stop:
            save(work / f"x{scale}.ckpt", net, optimizer, done)
            left = (time.monotonic() - started) / (done - first) * (steps - done) / 60
            gain = gain_on(held_out, net, bicubic)
            print(f"×{scale} step {done} of {steps}: loss {np.mean(losses):.3f} dB, held-out images {gain:+.3f} dB, {left:.1f} min left")
            losses.clear()
        if stop:
            sys.exit("stopped; run again to go on")
    return net


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=int, choices=(2, 4), required=True)
    parser.add_argument("--steps", type=int, help="default: 17000 for ×2, 10000 for ×4")
    work = HERE.parents[1] / "build" / "photo-sr"
    parser.add_argument("--work", type=pathlib.Path, default=work, metavar="DIR", help="for images and checkpoints")
    parser.add_argument("--out", type=pathlib.Path, default=HERE, metavar="DIR", help="where the trained model goes")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    net = train(options.scale, options.steps or STEPS[options.scale], options.work, "cuda" if torch.cuda.is_available() else "cpu")
    export.write_model(options.out, net.cpu())


if __name__ == "__main__":
    main()
