#!/usr/bin/python3
"""A folder of made-up camera photos, each another one and the same every time: gradients, edges and noise in half a byte a pixel, which is what
cameras write and what decoding takes its time for (bench/photo/camera.py). Photos that are there are left alone.

    bench/overlap/pictures.py FOLDER [--count 200] [--width 1600] [--height 1200]
"""

import argparse
import pathlib
import sys

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1] / "photo"))
import camera  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--width", type=int, default=1600)
    parser.add_argument("--height", type=int, default=1200)
    parsed = parser.parse_args()
    parsed.folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, parsed.count + 1):
        file = parsed.folder / f"{parsed.width}x{parsed.height}-{number:04}.jpg"
        if file.exists():
            continue
        part = file.with_suffix(".part")
        part.write_bytes(camera.jpeg(number, parsed.width, parsed.height))
        part.rename(file)
    files = sorted(parsed.folder.glob("*.jpg"))
    print(f"{len(files)} photos, {sum(file.stat().st_size for file in files) / 1e6:.1f} MB, in {parsed.folder}")


if __name__ == "__main__":
    main()
