#!/usr/bin/python3
"""Writes real architectures with seeded random weights, for tests and benchmarks: each as ONNX and as TorchScript, with inputs and the
answers that PyTorch itself gives. A model that is already there and up to date is left alone.

Needs Debian 12's python3-torch, python3-torchvision and python3-onnx.
"""

import argparse
import fcntl
import hashlib
import pathlib
import shutil
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
NAMES = ("espcn", "mobilenet_v2", "resnet18", "resnet50", "encoder", "decoder")


def stamp() -> str:
    """Of everything that decides what is written."""
    digest = hashlib.sha256()
    for source in ("make_zoo.py", "zoo_models.py", "model_folder.py", "nets.py"):
        digest.update((HERE / source).read_bytes())
    return digest.hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "zoo", metavar="DIR")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="NAME", help=" ".join(NAMES))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)

    with open(arguments.out / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a second make_zoo.py waits, and then finds everything done
        current = stamp()
        for name in arguments.only:
            folder = arguments.out / name
            written = folder / "stamp"
            if written.exists() and written.read_text() == current:
                continue
            print(f"{name} …", end=" ", flush=True)
            started = time.monotonic()
            partial = arguments.out / f".{name}.partial"  # renamed when complete: a folder that exists is whole
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            write_model(name, partial)
            (partial / "stamp").write_text(current)
            shutil.rmtree(folder, ignore_errors=True)
            partial.rename(folder)
            megabytes = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
            print(f"{time.monotonic() - started:.1f} s, {megabytes:.1f} MB", flush=True)


def write_model(name: str, folder: pathlib.Path) -> None:
    from zoo_models import make  # PyTorch takes a second to import: not when there is nothing to do

    make(name, folder)


if __name__ == "__main__":
    main()
