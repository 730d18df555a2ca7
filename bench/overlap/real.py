#!/usr/bin/python3
"""Overlap where it matters: ResNet-18 on ONNX Runtime with one thread, decoding and resizing camera photos on the other core.

`lapse pipeline` (synchronous and asynchronous) and a PyTorch DataLoader (0 workers and 1, dataloader.py) do the same work on the same files, in
turns: JPEG decoded at a reduced size where that suffices, Resize(256), CenterCrop(224), normalised, batches of 8, the same model file.
Everything is pinned to the same two CPUs. A repeat is a process of each; the ratios are those of each repeat, and of them the median with its
95 % interval, which six repeats give.

    bench/overlap/real.py [--repeats 6] [--photos 160] [--out FILE] [--lapse build/lapse]
"""

import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MODEL = ROOT / "models" / "zoo" / "resnet18" / "model.onnx"
BATCH = 8
PINNED = ["taskset", "-c", "0,1"]


def interval(values):
    """Of the median: [smallest, largest] of six, by the ranks of the binomial distribution otherwise (lapse/stats/quantile.hpp)."""
    values, n = sorted(values), len(values)
    rank, tail = 0, 0.5**n
    while tail <= 0.025:
        rank += 1
        tail += 0.5**n * math.comb(n, rank)
    return {"value": statistics.median(values), **({"low": values[rank - 1], "high": values[n - rank]} if rank else {"low": None, "high": None})}


def by_lapse(lapse, folder):
    run = subprocess.run([*PINNED, lapse, "pipeline", str(MODEL), "--images", str(folder), "--batch", str(BATCH), "--threads", "1", "--rounds", "1",
                          "--json", "-"], capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def by_torch(folder):
    run = subprocess.run([*PINNED, sys.executable, str(HERE / "dataloader.py"), str(folder), str(MODEL), "--batch", str(BATCH), "--rounds", "1",
                          "--workers", "0", "1", "--draft"], capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def rate(rounds):
    return sum(each["items"] for each in rounds) * 1e9 / sum(each["duration_ns"] for each in rounds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=6)
    parser.add_argument("--photos", type=int, default=160)
    parser.add_argument("--out")
    parser.add_argument("--lapse", default=str(ROOT / "build" / "lapse"))
    arguments = parser.parse_args()
    repeats, engine = [], None
    with tempfile.TemporaryDirectory(prefix="lapse-overlap-") as folder:
        subprocess.run([sys.executable, str(HERE / "pictures.py"), folder, "--count", str(arguments.photos)], check=True, stdout=subprocess.DEVNULL)
        for number in range(arguments.repeats):
            sides = {}
            for side in ("lapse", "torch") if number % 2 == 0 else ("torch", "lapse"):
                sides[side] = by_lapse(arguments.lapse, folder) if side == "lapse" else by_torch(folder)
            ours, theirs = sides["lapse"], sides["torch"]
            engine = theirs["engine"]
            if ours["answer"]["verdict"] != "equal":
                sys.exit(f"the two ways of lapse differ: {ours['answer']}")
            row = {"synchronous": rate(ours["ways"]["synchronous"]["rounds"]), "asynchronous": rate(ours["ways"]["asynchronous"]["rounds"]),
                   "bound": ours["bound"]["throughput_per_s"], "bound_stage": ours["bound"]["stage"], "efficiency": ours["bound"]["efficiency"]["value"],
                   "busy_ns": {way: ours["ways"][way]["busy_ns"] for way in ("synchronous", "asynchronous")},
                   "latency_ns": {way: ours["ways"][way]["latency"]["median_ns"] for way in ("synchronous", "asynchronous")},
                   **{f"dataloader {workers}": rate(theirs["workers"][str(workers)]["rounds"]) for workers in (0, 1)}}
            repeats.append(row)
            print("  ".join(f"{name} {row[name]:.1f}" for name in ("synchronous", "asynchronous", "bound", "dataloader 0", "dataloader 1")), flush=True)
    ratios = {name: interval([row[one] / row[other] for row in repeats]) for name, one, other in (
        ("asynchronous / synchronous", "asynchronous", "synchronous"), ("asynchronous / bound", "asynchronous", "bound"),
        ("asynchronous / DataLoader with 1 worker", "asynchronous", "dataloader 1"), ("synchronous / DataLoader with 0 workers", "synchronous", "dataloader 0"),
        ("DataLoader 1 / 0", "dataloader 1", "dataloader 0"))}
    for name, ratio in ratios.items():
        print(f"{name}: {ratio['value']:.3f}" + (f" [{ratio['low']:.3f}, {ratio['high']:.3f}]" if ratio["low"] else ""))
    if arguments.out:
        record = {"date": time.strftime("%Y-%m-%d"), "command": "bench/overlap/real.py", "cpus": os.cpu_count(), "photos": arguments.photos, "batch": BATCH,
                  "dataloader_engine": engine, "ratios": ratios, "repeats": repeats}
        pathlib.Path(arguments.out).write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
