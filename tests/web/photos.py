"""Photographs to upload, made here: no two alike, each with edges, texture and soft gradients; and files that only pretend to be some."""

import io

import numpy
from PIL import Image


def picture(seed, width, height):
    random = numpy.random.default_rng(seed)
    y, x = numpy.mgrid[0:height, 0:width]
    x, y = x / width, y / height
    sky, ground = random.integers(90, 230, 3), random.integers(20, 120, 3)
    rows = sky + (255 - sky) * y[..., None] * 0.8
    for depth in range(4):
        ridge = 0.35 + 0.15 * depth + sum(0.05 / n * numpy.sin(random.uniform(3, 9) * n * x + random.uniform(0, 6)) for n in (1, 2, 5))
        shade = ground + (sky - ground) * (3 - depth) / 5
        rows = numpy.where((y > ridge)[..., None], shade, rows)
    centre = random.uniform(0.2, 0.8, 2) * (1, 0.4)
    rows[(x - centre[0]) ** 2 + ((y - centre[1]) * height / width) ** 2 < 0.006] = (255, 246, 214)
    rows = rows + random.normal(0, 6, rows.shape)
    return Image.fromarray(rows.clip(0, 255).astype(numpy.uint8))


def save(folder, number, width=480, height=360, first=1):
    """Files photo-01.jpg …"""
    files = []
    for index in range(first, first + number):
        files.append(folder / f"photo-{index:02}.jpg")
        picture(index, width, height).save(files[-1], quality=90)
    return files


def broken(folder, seed=1000):
    """name → the start of what is said about it, (English, Korean)."""
    whole = io.BytesIO()
    picture(seed, 640, 480).save(whole, "JPEG", quality=90)
    (folder / "document.jpg").write_bytes(b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n")
    (folder / "cut.jpg").write_bytes(whole.getvalue()[:len(whole.getvalue()) // 2])
    (folder / "empty.jpg").write_bytes(b"")
    return {"document.jpg": ("The file is no JPEG", "JPEG"), "cut.jpg": ("The file ends before the picture does", "파일이 사진 중간에서"),
            "empty.jpg": ("The file is empty", "파일이 비어")}
