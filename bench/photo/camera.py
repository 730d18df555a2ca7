"""Photos of a camera's kind, made here: gradients, edges and noise, as JPEG files of half a byte a pixel. And the way to the modules of
bench/serve and tests/web, which this folder shares."""

import io
import pathlib
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[1:1] = map(str, (ROOT / "bench" / "serve", ROOT / "bench" / "serve" / "peers", ROOT / "tests" / "web"))
import photos  # noqa: E402

MODELS = ROOT / "models" / "photo-sr"
BYTES_PER_PIXEL = 0.5  # what cameras write in good quality: 12 megapixels in 6 MB


def encoded(picture, quality):
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return file.getvalue()


def jpeg(seed, width, height):
    """The file, at the lowest quality that has the bytes."""
    picture = photos.picture(seed, width, height)
    low, high = 30, 98
    while low < high:
        quality = (low + high) // 2
        if len(encoded(picture, quality)) < BYTES_PER_PIXEL * width * height:
            low = quality + 1
        else:
            high = quality
    return encoded(picture, low)


def marked(file, text):
    """Another file of the same picture: with a comment (JPEG's COM segment), as the server keeps equal files once."""
    comment = text.encode()
    return file[:2] + b"\xff\xfe" + struct.pack(">H", 2 + len(comment)) + comment + file[2:]
