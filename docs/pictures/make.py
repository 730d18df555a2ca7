#!/usr/bin/python3
"""The before-and-after pictures of the README: three scenes that this script draws, because the repository holds nobody's photographs.

    docs/pictures/make.py [--lapse build/lapse] [--photos DIR]

A scene is drawn large, reduced to half by bicubic (Pillow), stored as JPEG of quality 95 as a camera would, and enlarged by `lapse upscale`.
A picture has two parts: before, what a viewer makes of the small file (bicubic), and after, what lapse makes of it; a part of both, each pixel
doubled, so that a page shows them as they are. --photos DIR does the same with your own photographs, and writes into that folder.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image, ImageDraw, ImageFont

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "models" / "photo-sr"))
import images  # noqa: E402

SIDE = 480          # of a scene
PART = (150, 150)   # of the enlarged picture, shown doubled
FINER = 2           # drawn so much finer, and averaged
FONTS = "/usr/share/fonts/truetype/dejavu/DejaVuSerif-Bold.ttf"


def drawn(colours: np.ndarray) -> Image.Image:
    return Image.fromarray((np.clip(colours, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8))


def sky(random: np.random.Generator, size: int) -> np.ndarray:
    clouds = np.clip(0.5 + 0.25 * images.spectrum_noise(random, size, 1.6, 2.0), 0, 1)[..., None]
    return clouds * np.array([0.85, 0.86, 0.88]) + (1 - clouds) * np.array([0.16, 0.36, 0.72])


def spheres(random: np.random.Generator) -> tuple[Image.Image, tuple[int, int]]:
    """Three balls on a chequered floor under a cloudy sky: a ray each, mirrored once."""
    size = SIDE * FINER
    y, x = (np.mgrid[:size, :size].astype(np.float64) + 0.5) / size
    rays = np.stack([x - 0.5, 0.42 - y, np.ones_like(x) * 0.9], -1)
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    balls = [((-0.95, 0.55, 3.3), 0.55, (0.75, 0.12, 0.10)), ((0.35, 0.75, 4.0), 0.75, (0.80, 0.80, 0.80)), ((0.9, 0.3, 2.6), 0.3, (0.10, 0.35, 0.65))]
    above, sun = sky(random, size), np.array([0.5, 0.75, -0.43])

    def nearest(start, way):
        depth, which = np.full(way.shape[:2], np.inf), np.full(way.shape[:2], -1)
        for number, (middle, radius, _) in enumerate(balls):
            from_middle = start - np.array(middle)
            along = (from_middle * way).sum(-1)
            inside = along**2 - (from_middle**2).sum(-1) + radius**2
            hit = -along - np.sqrt(np.maximum(inside, 0))
            closer = (inside > 0) & (hit > 1e-3) & (hit < depth)
            depth, which = np.where(closer, hit, depth), np.where(closer, number, which)
        floor = np.where(way[..., 1] < -1e-6, -start[..., 1] / np.minimum(way[..., 1], -1e-6), np.inf)
        on_floor = (floor > 1e-3) & (floor < depth)
        return np.where(on_floor, floor, depth), np.where(on_floor, len(balls), which)

    def look(start, way, bounces):
        depth, which = nearest(start, way)
        colour = above[(np.clip(0.5 - way[..., 1], 0, 1) * (size - 1)).astype(int), (np.clip(0.5 + way[..., 0] / 2, 0, 1) * (size - 1)).astype(int)]
        place = start + way * np.where(np.isfinite(depth), depth, 0)[..., None]
        for number in range(len(balls) + 1):
            mask = which == number
            if number < len(balls):
                middle, radius, own = balls[number]
                normal, own = (place - np.array(middle)) / radius, np.array(own)
            else:
                squares = (np.floor(place[..., 0] * 2) + np.floor(place[..., 2] * 2)) % 2
                normal, own = np.zeros_like(place) + [0, 1, 0], np.where(squares[..., None] > 0, [0.75, 0.72, 0.66], [0.10, 0.10, 0.12])
            shadow = np.where(nearest(place + normal * 1e-3, np.zeros_like(way) + sun)[1] >= 0, 0.25, 1.0)[..., None]
            light = own * (0.25 + 0.75 * np.maximum((normal * sun).sum(-1, keepdims=True), 0) * shadow)
            if bounces:
                mirrored = way - 2 * (way * normal).sum(-1, keepdims=True) * normal
                share = 0.35 if number == 1 else 0.10
                light = (1 - share) * light + share * look(place + normal * 1e-3, mirrored, bounces - 1)
            colour = np.where(mask[..., None], light, colour)
        return colour

    return drawn(look(np.zeros_like(rays) + [0, 0.9, 0], rays, 1)), (250, 215)


def wall(random: np.random.Generator) -> tuple[Image.Image, tuple[int, int]]:
    """A plate with writing on a wall of bricks."""
    size = SIDE * FINER
    y, x = np.mgrid[:size, :size] // FINER
    row = y // 26
    shifted = x + (row % 2) * 32
    tones = random.uniform(0.6, 1.0, (64, 64))[row % 64, (shifted // 64) % 64]
    joint = ((y % 26) < 3) | ((shifted % 64) < 3)
    rough = 0.06 * images.spectrum_noise(random, size, 0.8) + 0.05 * images.spectrum_noise(random, size, 1.5)
    colours = np.where(joint[..., None], [0.55, 0.53, 0.50], tones[..., None] * [0.48, 0.20, 0.13]) * (1 + rough[..., None])
    picture = drawn(colours)
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((220, 300, 740, 640), 24, fill=(24, 44, 84), outline=(225, 225, 220), width=6)
    draw.text((480, 390), "LAPSE", fill=(240, 238, 228), font=ImageFont.truetype(FONTS, 88), anchor="mm")
    for line, text in enumerate(("uploaded at once · enlarged behind", "nothing acknowledged is ever lost", "no. 2601, opened every day 0–24 h")):
        draw.text((480, 486 + 44 * line), text, fill=(240, 238, 228), font=ImageFont.truetype(FONTS, 24), anchor="mm")
    return picture, (115, 185)


def hills(random: np.random.Generator) -> tuple[Image.Image, tuple[int, int]]:
    """Ridges one behind the other, with grass in front and wires before the sky."""
    size = SIDE * FINER
    colours = sky(random, size)
    y, x = np.mgrid[:size, :size] / size
    for depth in range(6):
        ridge = 0.30 + 0.11 * depth + (0.07 - 0.008 * depth) * images.spectrum_noise(random, size, 1.9)[0]
        texture = images.spectrum_noise(random, size, 0.9 - 0.05 * depth, 1 + depth, 1.4)
        near = (depth + 1) / 6
        green = near * np.array([0.10, 0.22, 0.05]) + (1 - near) * np.array([0.40, 0.50, 0.62])
        shaded = green * (1 + near * 0.35 * texture)[..., None]
        colours = np.where((y > ridge[None, :])[..., None], shaded, colours)
    picture = drawn(colours)
    draw = ImageDraw.Draw(picture)
    draw.line((600, 120, 600, 840), fill=(40, 36, 34), width=8)
    for arm in (160, 200, 240):
        draw.line((536, arm, 664, arm), fill=(40, 36, 34), width=6)
        for end in (540, 660):
            draw.line([(end + t * 12, arm + 36 * (t / 40) * (1 - t / 80) * 2) for t in range(-80, 81)], fill=(30, 30, 32), width=3)
    return picture, (230, 50)


def show(small: Image.Image, enlarged: Image.Image, corner: tuple[int, int]) -> Image.Image:
    before = small.resize(enlarged.size, Image.Resampling.BICUBIC)
    box = (*corner, corner[0] + PART[0], corner[1] + PART[1])
    width, height = PART[0] * 2, PART[1] * 2
    shown = Image.new("RGB", (2 * width + 6, height), "white")
    for number, picture in enumerate((before, enlarged)):
        shown.paste(picture.crop(box).resize((width, height), Image.Resampling.NEAREST), (number * (width + 6), 0))
    return shown


def make(lapse: pathlib.Path, scene: Image.Image, corner: tuple[int, int], target: pathlib.Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        small_file, large_file = pathlib.Path(folder) / "small.jpg", pathlib.Path(folder) / "large.png"
        scene.resize((scene.width // 2, scene.height // 2), Image.Resampling.BICUBIC).save(small_file, quality=95, subsampling=0)
        subprocess.run([lapse, "upscale", small_file, "-o", large_file], check=True, stdout=subprocess.DEVNULL)
        show(Image.open(small_file).convert("RGB"), Image.open(large_file).convert("RGB"), corner).save(target, optimize=True)
    print(f"{target} {target.stat().st_size // 1024} KB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lapse", type=pathlib.Path, default=ROOT / "build" / "lapse")
    parser.add_argument("--photos", type=pathlib.Path, help="a folder with photographs instead")
    options = parser.parse_args()
    if options.photos:
        for file in sorted(options.photos.iterdir()):
            if file.suffix.lower() in (".jpg", ".jpeg", ".png") and not file.stem.endswith("-shown"):
                photo = Image.open(file).convert("RGB")
                middle = (photo.width // 2 - PART[0] // 2, photo.height // 2 - PART[1] // 2)
                make(options.lapse, photo.crop((0, 0, photo.width & ~1, photo.height & ~1)), middle, options.photos / f"{file.stem}-shown.png")
        return
    for number, scene in enumerate((spheres, wall, hills)):
        fine, corner = scene(np.random.default_rng((2601, number)))
        picture = fine.resize((SIDE, SIDE), Image.Resampling.BOX)
        make(options.lapse, picture, corner, HERE / f"{scene.__name__}.png")


if __name__ == "__main__":
    main()
