#!/usr/bin/python3
"""The model beside bicubic interpolation on scikit-image's photographs, which training never saw: a table of luma PSNR.

    models/photo-sr/evaluate.py              prints the tables of the model card

As in the literature on super-resolution: the photo is reduced by antialiased bicubic (Keys, a = -0.5: what MATLAB's imresize does, and
Pillow's BICUBIC), rounded to 8 bits, enlarged, rounded to 8 bits; PSNR, peak 255, is of the luma of ITU-R BT.601 (MATLAB's rgb2ycbcr, 16
to 235), without a border of `scale` pixels. The bicubic beside it is Pillow's. "JPEG q" compresses the reduced photo (Pillow, 4:2:0) and
compares with the photo as it was.

The photos come with scikit-image's wheel from PyPI, into build/photo-sr; nothing of them is kept in the repository. Needs Debian 12's
python3-torch, python3-pil and python3-pip.
"""

import argparse
import io
import pathlib
import subprocess
import sys

import numpy as np
import torch
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
SCIKIT_IMAGE = "scikit-image==0.26.0"
# The recipe was chosen with an eye on the first six; the rest were first looked at when training had ended.
PHOTOS = (
    "astronaut.png chelsea.png coffee.png brick.png camera.png coins.png "
    "rocket.jpg motorcycle_left.png grass.png gravel.png moon.png retina.jpg "
    "ihc.png hubble_deep_field.jpg cell.png clock_motion.png page.png text.png"
).split()


def photo_folder() -> pathlib.Path:
    target = HERE.parents[1] / "build" / "photo-sr" / "scikit-image"
    folder = target / "skimage" / "data"
    if not folder.exists():
        pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*pip, "--target", target, SCIKIT_IMAGE], check=True)
    return folder


def opened(file: pathlib.Path) -> Image.Image:
    photo = Image.open(file).convert("RGB")
    if file.name == "moon.png":  # a picture of 256 x 256 with every pixel doubled: reduced by two it would say who doubles pixels best
        photo = photo.resize((photo.width // 2, photo.height // 2), Image.Resampling.BOX)
    return photo


def luma(image: Image.Image) -> np.ndarray:
    return 16.0 + np.asarray(image, np.float64) @ (65.481, 128.553, 24.966) / 255.0


def psnr(image: Image.Image, right: Image.Image, border: int) -> float:
    inner = slice(border, -border)
    return float(10 * np.log10(255.0**2 / np.square(luma(image) - luma(right))[inner, inner].mean()))


def compressed(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def enlarged(net: torch.jit.ScriptModule, image: Image.Image) -> Image.Image:
    rgb = torch.from_numpy(np.asarray(image, np.float32) / 255.0).permute(2, 0, 1)[None]
    with torch.no_grad():
        made = net(rgb)[0].permute(1, 2, 0).numpy()
    return Image.fromarray(np.round(made * 255.0).astype(np.uint8))


def compare(net: torch.jit.ScriptModule, scale: int, photo: Image.Image, quality: int | None) -> tuple[float, float]:
    """PSNR of bicubic and of the model."""
    small_size = (photo.width // scale, photo.height // scale)
    right = photo.crop((0, 0, small_size[0] * scale, small_size[1] * scale))
    small = right.resize(small_size, Image.Resampling.BICUBIC)
    if quality:
        small = compressed(small, quality)
    return psnr(small.resize(right.size, Image.Resampling.BICUBIC), right, scale), psnr(enlarged(net, small), right, scale)


Nets = dict[int, torch.jit.ScriptModule]  # by scale


def print_table(title: str, quality: int | None, photos: dict[str, Image.Image], nets: Nets) -> None:
    print(f"\n{title}\n\n| Photo |" + "".join(f" ×{scale} bicubic | model | gain |" for scale in nets))
    print("|---|" + "---:|---:|---:|" * len(nets))
    rows = []
    for name, photo in photos.items():
        pairs = [compare(net, scale, photo, quality) for scale, net in nets.items()]
        rows.append(pairs)
        print(f"| {name} |" + "".join(f" {before:.2f} | {after:.2f} | {after - before:+.2f} |" for before, after in pairs), flush=True)
    table = np.array(rows)
    print("| mean |" + "".join(f" {before:.2f} | {after:.2f} | {after - before:+.2f} |" for before, after in table.mean(0)))
    print("| least gain |" + "".join(f" | | {gain:+.2f} |" for gain in (table[..., 1] - table[..., 0]).min(0)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=pathlib.Path, default=HERE, metavar="DIR", help="where torchscript/photo-xS.pt are")
    parser.add_argument("--photos", type=pathlib.Path, metavar="DIR", help="scikit-image's folder of data, where it is already")
    options = parser.parse_args()
    folder = options.photos or photo_folder()
    photos = {pathlib.Path(name).stem: opened(folder / name) for name in PHOTOS}
    nets = {scale: torch.jit.load(options.models / "torchscript" / f"photo-x{scale}.pt") for scale in (2, 4)}
    print_table("Reduced alone", None, photos, nets)
    for quality in (90, 75):
        print_table(f"Reduced, then JPEG {quality}", quality, photos, nets)


if __name__ == "__main__":
    main()
