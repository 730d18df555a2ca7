"""What the programs of this folder share: the server and the load client side by side, rounds, intervals, and where results go."""

import argparse
import contextlib
import json
import math
import os
import pathlib
import platform
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from server import Client, Server

ROOT = pathlib.Path(__file__).resolve().parents[2]
BOOTSTRAP_SAMPLES = 10_000
CORES = "0,1"  # of the pinned rows: the project's goals are for a machine of two cores


def arguments(description, rounds=6, area="serve"):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.set_defaults(area=area)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", metavar="FOLDER", help="with lapse and bench/load in it")
    parser.add_argument("--out", type=pathlib.Path, metavar="FOLDER", help=f"of results and raw samples (default: bench/{area} in the build folder)")
    parser.add_argument("--quick", action="store_true", help="one small round: does it run at all")
    parser.add_argument("--rounds", type=int, default=rounds)
    return parser


def parse(parser):
    parsed = parser.parse_args()
    parsed.out = parsed.out or parsed.build / "bench" / parsed.area
    parsed.out.mkdir(parents=True, exist_ok=True)
    parsed.lapse, parsed.load = str(parsed.build / "lapse"), str(parsed.build / "bench" / "load")
    if parsed.quick:
        parsed.rounds = 1
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)  # thousands of connections, on both ends
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return parsed


def pinned(cores=CORES):
    return ["taskset", "-c", cores] if cores else []


def machine():
    model = [line.partition(":")[2].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return {"cpu": model[0] if model else platform.machine(), "cpus": os.cpu_count(), "kernel": platform.release(), "load_average": os.getloadavg()}


@contextlib.contextmanager
def folder(parsed):
    """On the disk that results are on (a temporary folder may be memory), gone at the end."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=parsed.out))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def serving(parsed, folder, models, pin=(), options=(), settings=None):
    """`lapse serve` with these models (name -> file) on fresh data; killed at the end, as what is queued would keep it."""
    (folder / "models").mkdir()
    for name, file in models.items():
        shutil.copy(file, folder / "models" / f"{name}.onnx")
    for name, values in (settings or {}).items():
        (folder / "models" / f"{name}.json").write_text(json.dumps(values))
    server = Server([*pin, parsed.lapse, "serve", "--models", str(folder / "models"), "--data", str(folder / "data"), "--listen", "127.0.0.1:0", *options],
                    parsed.out / "server.log")
    try:
        server.start()
        yield server
    finally:
        if server.alive():
            server.kill_front()


def load(parsed, server, mode, *options, pin=()):
    address = "{}:{}".format(*server.address)
    done = subprocess.run([*pin, parsed.load, mode, "--address", address, *map(str, options)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"load {mode} failed: {done.stderr}")
    if done.stderr:
        print(done.stderr.strip(), file=sys.stderr)
    return json.loads(done.stdout)


def ask(server, path):
    return Client(server).ask("GET", path).json()


def wait_until(true, seconds, what):
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            sys.exit(f"after {seconds:g} s still not so: {what}")
        time.sleep(0.01)


def interval(rounds, of):
    """Value and 95 % interval of of(rounds): percentile bootstrap over whole rounds (Efron 1979), seeded. Too narrow below ten rounds."""
    seeded = random.Random(0)
    values = sorted(of(seeded.choices(rounds, k=len(rounds))) for _ in range(BOOTSTRAP_SAMPLES))
    return of(rounds), values[int(0.025 * BOOTSTRAP_SAMPLES)], values[int(0.975 * BOOTSTRAP_SAMPLES)]


def median_of(rounds, key):
    return interval(rounds, lambda some: statistics.median(key(each) for each in some))


def percentile(values, share):
    """Nearest rank."""
    values = sorted(values)
    return values[max(1, math.ceil(share * len(values))) - 1] if values else float("nan")


def trend(points):
    """(slope, lower, upper) of (x, y) points: the median of all pairs' slopes with its 95 % interval (Theil 1950, Sen 1968, no ties). The
    points are to be independent: of samples that come thick and fast, take medians of blocks."""
    slopes = sorted((later[1] - earlier[1]) / (later[0] - earlier[0]) for number, earlier in enumerate(points) for later in points[number + 1:])
    count = len(points)
    off = round(1.96 * math.sqrt(count * (count - 1) * (2 * count + 5) / 18))  # of Kendall's S
    lower = max(0, (len(slopes) - off) // 2 - 1)
    return statistics.median(slopes), slopes[lower], slopes[-1 - lower]


def fsync_times(folder, count=200, size=256 * 1024):
    """Seconds of what a durable file costs on this disk, alone: write, fsync, rename, fsync of the folder."""
    times = []
    where = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    content = os.urandom(size)
    for number in range(count):
        begin = time.perf_counter()
        name = folder / f"fsync-{number}"
        file = os.open(f"{name}.part", os.O_WRONLY | os.O_CREAT)
        os.write(file, content)
        os.fsync(file)
        os.close(file)
        os.rename(f"{name}.part", name)
        os.fsync(where)
        times.append(time.perf_counter() - begin)
        name.unlink()
    os.close(where)
    return {"p50_seconds": percentile(times, 0.5), "p99_seconds": percentile(times, 0.99)}


def write(parsed, name, rounds, **more):
    file = parsed.out / f"{name}.json"
    file.write_text(json.dumps({"schema": f"lapse.{parsed.area}.{name}/1", "argv": sys.argv[1:], "machine": machine(), **more, "rounds": rounds}, indent=1))
    return file
