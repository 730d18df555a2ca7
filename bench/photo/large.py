#!/usr/bin/python3
"""The most memory that a photo of 100 megapixels takes on its way from file to enlarged file, and how long that is.

build/tests/large_photo, whose model repeats pixels, for JPEG and PNG, twice and four times as large; and `lapse upscale` with the real model
on the same JPEG file, twice as large, given up after --patience. The photo is noise over a gradient, which compresses badly.

Goal: at most 600 MB, everything in the process counted (resident, at its peak).

    bench/photo/large.py [--quick]
"""

import os
import subprocess
import time

import camera  # noqa: F401, it finds figures
import figures

GOAL_BYTES = 600_000_000


def measured(command, patience):
    """Exit status (None: it was given up), seconds, and the peak of resident memory in bytes, as the kernel counts it for the process."""
    begin = time.monotonic()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
    while True:
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        if time.monotonic() - begin > patience:
            process.kill()
            _, _, usage = os.wait4(process.pid, 0)
            status = None
            break
        time.sleep(0.05)
    process.returncode = 0  # it has been waited for
    return {"status": None if status is None else os.waitstatus_to_exitcode(status), "seconds": time.monotonic() - begin,
            "peak_bytes": usage.ru_maxrss * 1024}


def one_round(parsed, folder):
    program, rows = parsed.build / "tests" / "large_photo", {}
    for suffix in ("jpg", "png"):
        photo, out = folder / f"photo.{suffix}", folder / f"out.{suffix}"
        if not photo.exists():
            subprocess.run([program, str(parsed.megapixels), "1", photo, out], check=True, stdout=subprocess.DEVNULL)  # makes it
        for scale in (2, 4):
            rows[f"large_photo {suffix} x{scale}"] = {**measured([program, parsed.megapixels, scale, photo, out], parsed.patience),
                                                      "out_bytes": out.stat().st_size if out.exists() else 0}
            out.unlink(missing_ok=True)
    model, out = camera.MODELS / "photo-x2.onnx", folder / "upscaled.jpg"
    rows["lapse upscale jpg x2"] = {**measured([parsed.lapse, "upscale", folder / "photo.jpg", "-o", out, "--model", model, "--threads", "1"], parsed.patience),
                                    "out_bytes": out.stat().st_size if out.exists() else 0}
    out.unlink(missing_ok=True)
    return rows


def main():
    parser = figures.arguments(__doc__, rounds=1, area="photo")
    parser.add_argument("--megapixels", type=float, default=100)
    parser.add_argument("--patience", type=float, default=180, help="seconds of one program")
    parsed = figures.parse(parser)
    if parsed.quick:
        parsed.megapixels = 4
    rounds, bad = [], False
    with figures.folder(parsed) as folder:
        for _ in range(parsed.rounds):
            rounds.append(one_round(parsed, folder))
        sizes = {file.name: file.stat().st_size for file in folder.iterdir() if file.stem == "photo"}
    file = figures.write(parsed, "large", rounds, megapixels=parsed.megapixels, patience_seconds=parsed.patience, photo_bytes=sizes)
    print(f"a photo of {parsed.megapixels:g} megapixels: " + ", ".join(f"{name} {size / 1e6:.0f} MB" for name, size in sizes.items()))
    for name in rounds[0]:
        peak, seconds = (max(each[name][key] for each in rounds) for key in ("peak_bytes", "seconds"))
        how = {each[name]["status"] for each in rounds}
        wrong = how - {0}
        said = "" if not wrong else f"  given up after {parsed.patience:g} s" if wrong == {None} else f"  exit status {wrong}"
        print(f"  {name:22} peak {peak / 1e6:6.0f} MB  {seconds:6.1f} s  {parsed.megapixels / seconds:6.2f} megapixels/s{said}")
        bad = bad or peak > GOAL_BYTES or bool(wrong - {None})
    print(f"goal: at most {GOAL_BYTES / 1e6:.0f} MB, {'missed' if bad else 'met'}; the largest of {len(rounds)} rounds; everything in {file}")


if __name__ == "__main__":
    main()
