#!/usr/bin/python3
"""Megapixels (of the photos, not of what they become) a second: the photo app beside the bare engine on the same tiles, and beside a Python
service that does the same job.

bare      `lapse time` on the same model: one thread, batches of as many tiles as the app takes. A tile counts for the pixels that the tiling
          keeps of it, so that what the halos cost is on both sides.
jpeg png  `lapse serve`, one engine thread, decoding and encoding on whatever else there is; results asked for in that format
python    FastAPI, Celery, Redis, Pillow, ONNX Runtime on one thread (peers/): one worker process, the same tiles, results in JPEG

A batch of distinct photos is uploaded one after the other by one client; the time is from the first one's `claimed` to the last one's `stored`.
Then, with photos being worked on, more are uploaded one by one: how long each waits from the first byte to its acknowledgement, which means
durable with lapse, and in a file that is not fsynced and in Redis's memory with the Python service. Everything is pinned to the same two cores;
the sides take turns within each round, every time on fresh data and after a small photo to warm up. Every side's first result is compared
with the others'.

Goal: jpeg / bare at least 0.90.

    bench/photo/throughput.py [--quick]
"""

import contextlib
import datetime
import io
import json
import math
import os
import subprocess
import sys
import time

import camera
import figures
import numpy
import sides
from PIL import Image
from server import Client

NAME = "photo-x2"
MODEL = camera.MODELS / f"{NAME}.onnx"
SETTINGS = {**json.loads(MODEL.with_suffix(".json").read_text()), "threads": 1}
LOOK_SECONDS = 0.25  # between two looks at how far a job is: looking takes the processor's time
LIMIT_SECONDS = 600  # of a batch
SAME_DB = 35         # PSNR of two sides' results; what is left is JPEG's


def tiles(width, height):
    """As many as lapse/image/tiles.hpp makes."""
    tile, core = SETTINGS["photo"]["tile"], SETTINGS["photo"]["tile"] - 2 * SETTINGS["photo"]["halo"]
    across, down = (1 + max(0, math.ceil((size - tile) / core)) for size in (width, height))
    return across * down


class Lapse:
    def __init__(self, server, format):
        self.server, self.format = server, format

    @classmethod
    @contextlib.contextmanager
    def running(cls, parsed, folder, format):
        with figures.serving(parsed, folder, {NAME: MODEL}, settings={NAME: SETTINGS}) as server:
            yield cls(server, format)

    address = property(lambda self: self.server.address)
    process = property(lambda self: self.server.process)

    def put(self, client, id, file):
        return client.ask("PUT", f"/v2/jobs/{id}?model={NAME}&format={self.format}", file)

    def look(self, client, id):
        """The job's state, (claimed, stored) when it is done, and how many tiles it has while that is known."""
        job = client.ask("GET", f"/v2/jobs/{id}").json()
        times = [datetime.datetime.fromisoformat(job["times"][mark]).timestamp() for mark in ("claimed", "stored") if mark in job["times"]]
        return job["state"], times, job.get("progress", {}).get("total", 0)

    def result(self, client, id):
        return client.ask("GET", f"/v2/jobs/{id}/result").body


class Python(sides.Celery):
    home = camera.ROOT / "bench" / "photo" / "peers"

    def start(self):
        self.environment["PEERS_FOLDER"] = str(self.folder)
        super().start()

    def put(self, client, id, file):
        return client.ask("PUT", f"/photos/{id}", file)

    def look(self, client, id):
        answer = client.ask("GET", f"/photos/{id}").json()
        times = [answer["times"][mark] for mark in ("claimed", "stored")] if answer["times"] else []
        return {"SUCCESS": "done", "FAILURE": "failed"}.get(answer["state"], "running"), times, 0

    def result(self, client, id):
        return client.ask("GET", f"/photos/{id}/result").body


def upload(side, client, id, file):
    """Seconds to the acknowledgement."""
    begin = time.perf_counter()
    reply = side.put(client, id, file)
    if reply.status != 202:
        sys.exit(f"{id} was refused: {reply.status} {reply.body[:300]}")
    return time.perf_counter() - begin


def wait_for(side, client, id, count):
    deadline = time.monotonic() + LIMIT_SECONDS
    while True:
        state, times, told = side.look(client, id)
        if told > 1 and told != count:
            sys.exit(f"{id} has {told} tiles, and not {count}: the bare engine would be counted wrongly")
        if state == "done":
            return times
        if state not in ("queued", "running") or time.monotonic() > deadline:
            sys.exit(f"{id} is {state}, and should be done by now")
        time.sleep(LOOK_SECONDS)


def one_batch(parsed, side, files):
    """Its figures, and its first result."""
    client = Client(side)
    upload(side, client, "warm", parsed.small)
    wait_for(side, client, "warm", tiles(*parsed.small_size))
    ids = [f"photo-{number}" for number in range(len(files))]
    for id, file in zip(ids, files):
        upload(side, client, id, file)
    times = [wait_for(side, client, id, parsed.tiles) for id in ids]
    seconds = max(stored for _, stored in times) - min(claimed for claimed, _ in times)
    result = side.result(client, ids[0])
    acknowledged = []
    for number in range(parsed.uploads):
        acknowledged.append(upload(side, client, f"more-{number}", camera.marked(files[0], str(number))))
        time.sleep(parsed.pause)
    if side.look(client, f"more-{parsed.uploads - 1}")[0] not in ("queued", "running"):
        sys.exit("every photo is done already: the acknowledgements were not taken while photos were being worked on")
    return {"megapixels_per_second": len(files) * parsed.megapixels / seconds, "seconds": seconds,
            "acknowledgement": {"p50_seconds": figures.percentile(acknowledged, 0.5), "p95_seconds": figures.percentile(acknowledged, 0.95),
                                "samples_seconds": acknowledged}}, result


def bare(parsed, _):
    tile, batch = SETTINGS["photo"]["tile"], SETTINGS["max_batch"]
    out = subprocess.run([parsed.lapse, "time", str(MODEL), "--threads", "1", "--shape", f"x={batch}x3x{tile}x{tile}", "--budget", f"{parsed.seconds}s",
                          "--precision", "0.00001", "--json", "-"], check=True, capture_output=True, text=True).stdout
    passes = json.loads(out)["samples"]["end_to_end_ns"]
    kept = batch * parsed.megapixels / parsed.tiles  # megapixels a pass
    return {"megapixels_per_second": kept * len(passes) * 1e9 / sum(passes), "passes": len(passes), "mean_seconds": sum(passes) / len(passes) / 1e9}, None


def through(running, what):
    def one(parsed, files):
        with figures.folder(parsed) as folder, running(parsed, folder, what) as side:
            return one_batch(parsed, side, files)
    return one


SIDES = {"bare": bare, "jpeg": through(Lapse.running, "jpeg"), "png": through(Lapse.running, "png"), "python": through(Python.running, MODEL)}


def likeness(one, other):
    """PSNR, over all colours."""
    pixels = [numpy.asarray(Image.open(io.BytesIO(file)), numpy.float32) for file in (one, other)]
    if pixels[0].shape != pixels[1].shape:
        sys.exit(f"one result is {pixels[0].shape}, another {pixels[1].shape}")
    return float(10 * numpy.log10(255**2 / max(numpy.square(pixels[0] - pixels[1]).mean(), 1e-9)))


def compare(name, result, reference):
    found = likeness(result, reference)
    if found < SAME_DB:
        sys.exit(f"{name} does not make of a photo what the others do: {found:.1f} dB")
    return found


def table(rounds):
    def cell(of, digits):
        return "{:.{digits}f} [{:.{digits}f}, {:.{digits}f}]".format(*figures.median_of(rounds, of), digits=digits)

    def ratio(above, below):
        return cell(lambda each: each[above]["megapixels_per_second"] / each[below]["megapixels_per_second"], 3)
    print(f"{'':8} {'megapixels a second':>24} {'/ bare':>24} {'acknowledged p50, ms':>24} {'p95, ms':>24}")
    for name in SIDES:
        cells = [cell(lambda each: each[name]["megapixels_per_second"], 2), ratio(name, "bare")]
        if name != "bare":
            cells += [cell(lambda each: each[name]["acknowledgement"][key] * 1e3, 1) for key in ("p50_seconds", "p95_seconds")]
        print(f"{name:8} " + " ".join(f"{each:>24}" for each in cells) + ("  goal ≥ 0.90" if name == "jpeg" else ""))
    print(f"jpeg / python {ratio('jpeg', 'python')}")
    print(f"medians of the rounds' figures, with 95 % intervals over {len(rounds)} rounds")


def main():
    parser = figures.arguments(__doc__, rounds=6, area="photo")
    parser.add_argument("--photos", type=int, default=8, help="of a batch")
    parser.add_argument("--width", type=int, default=3000)
    parser.add_argument("--height", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=20, help="of the bare engine, a round")
    parser.add_argument("--uploads", type=int, default=60, help="while photos are being worked on")
    parser.add_argument("--pause", type=float, default=0.1, help="seconds between those")
    parsed = figures.parse(parser)
    if parsed.quick:
        parsed.photos, parsed.width, parsed.height, parsed.seconds, parsed.uploads = 3, 900, 600, 1, 12
    os.sched_setaffinity(0, map(int, figures.CORES.split(",")))  # for all that is started, too
    sides.install()
    parsed.megapixels, parsed.tiles = parsed.width * parsed.height / 1e6, tiles(parsed.width, parsed.height)
    parsed.small_size = (600, 400)
    parsed.small = camera.jpeg(0, *parsed.small_size)
    files = [camera.jpeg(seed, parsed.width, parsed.height) for seed in range(1, parsed.photos + 1)]
    print(f"{parsed.photos} photos of {parsed.megapixels:g} megapixels, {sum(map(len, files)) / len(files) / 1e6:.2f} MB and {parsed.tiles} tiles each, "
          f"{parsed.rounds} rounds, on cores {figures.CORES}", flush=True)
    rounds, reference = [], None
    for number in range(parsed.rounds):
        a_round = {}
        for name in list(SIDES) if number % 2 == 0 else reversed(SIDES):
            a_round[name], result = SIDES[name](parsed, files)
            if result:
                reference = reference or result
                a_round[name]["likeness_db"] = compare(name, result, reference)
        rounds.append(a_round)
        print(f"  round {number + 1}: " + ", ".join(f"{name} {a_round[name]['megapixels_per_second']:.2f}" for name in SIDES) + " megapixels a second", flush=True)
        file = figures.write(parsed, "throughput", rounds, photos=parsed.photos, megapixels=parsed.megapixels, tiles=parsed.tiles, settings=SETTINGS,
                             bytes=[len(file) for file in files])
    table(rounds)
    print(f"everything in {file}")


if __name__ == "__main__":
    main()
