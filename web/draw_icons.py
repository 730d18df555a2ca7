#!/usr/bin/python3
"""Draws the page's icons beside itself: a landscape, its left half in coarse pixels, its right half sharp. Full to the edge, so that a
system may cut it into its own shape."""

import pathlib
import struct
import zlib

import numpy


def landscape(x, y):
    """RGB at points from 0 to 1: a sky, a sun, two hills."""
    def mix(a, b, share):
        return a + (b - a) * share[..., None]

    def colour(code):
        return numpy.array([int(code[i:i + 2], 16) for i in (0, 2, 4)], float)

    picture = mix(colour("3b55d9"), colour("a9b8ff"), y)
    for inside, code in (((x - .66) ** 2 + (y - .33) ** 2 < .105 ** 2, "fff3c9"),
                         (y > .60 + .16 * numpy.cos(4.2 * x - .6), "1f2f8f"),
                         (y > .80 - .13 * numpy.sin(4.6 * x + .3), "0f1a4d")):
        picture[inside] = colour(code)
    return picture


def icon(size, finer=4, blocks=8):
    """Averages finer × finer points a pixel, so that edges are smooth."""
    at = (numpy.arange(size * finer) + .5) / (size * finer)
    x, y = numpy.meshgrid(at, at)
    sharp = landscape(x, y)
    coarse = landscape((numpy.floor(x * blocks) + .5) / blocks, (numpy.floor(y * blocks) + .5) / blocks)
    picture = numpy.where((x < .5)[..., None], coarse, sharp)
    picture[numpy.abs(x - .5) < .011] = 255
    return picture.reshape(size, finer, size, finer, 3).mean((1, 3)).round().astype(numpy.uint8)


def png(picture):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, _ = picture.shape
    rows = b"".join(b"\0" + row.tobytes() for row in picture)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


if __name__ == "__main__":
    for size in (192, 512):
        (pathlib.Path(__file__).parent / f"icon-{size}.png").write_bytes(png(icon(size)))
