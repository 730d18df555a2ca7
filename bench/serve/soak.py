#!/usr/bin/python3
"""A day of traffic in a quarter of an hour: do memory and disk stay flat, and is nothing lost.

Time is compressed: the traffic of --hours is sent within --seconds, and the server's own times (retention, tombstone, blob grace, lease) are
divided by the same factor, so that jobs are forgotten, and blobs collected, as many times as in a day. Most jobs come at an even rate from the
load client (submitted, waited for, result fetched); the rest from visitors (visitors.py) who cancel, delete, retry, repeat, fail, expire,
reconnect, infer and want webhooks, each with a session of its own; a model has a new version every simulated hour, another a new file. Not
compressed: the server's rounds of a second, a webhook's back-off, a lease below a second.

What is sampled every second: memory, descriptors and threads of the front and of those workers that live all along; every fifth second, the
database, its log, the blobs, and the rows of every table. From when the first tombstones went, the medians of 30 blocks give a trend (Theil
and Sen) for 24 simulated hours. Flat: its 95 % interval ends below 5 % of the level. The database's file keeps the size of its fullest
moment, as SQLite gives no page back: what is flat or not are the pages in use, and the file may be 10 % larger than they ever were. When the
traffic has ended, everything has to be forgotten.

    bench/serve/soak.py [--quick]
"""

import concurrent.futures
import csv
import os
import pathlib
import signal
import sqlite3
import statistics
import sys
import threading
import time

import figures
import numpy
import onnx
import visitors
from onnx import TensorProto, helper, numpy_helper
from questions import write_models
from server import Client, Gone

TIMES = {"retention": 1800, "tombstone": 3600, "blob-grace": 300, "lease": 30}  # seconds, of the day that is simulated
LEAST = {"retention": 2, "tombstone": 2, "blob-grace": 2, "lease": 1}           # seconds, really
QUICK = {"retention": 3, "tombstone": 3, "blob-grace": 10, "lease": 5}
VISITORS, VISITS_RATE = 6, 30  # threads, and about how many jobs a second they bring
DISK_EVERY = 5  # samples
BLOCKS, LEAST_BLOCKS = 30, 8
FLAT = 0.05                                       # of the level, in 24 hours
HIGH_WATER = 1.1                                  # of the most pages that were seen in use, every fifth second
NOTHING = {"files": 1, "threads": 1, "rows": 100}  # in 24 hours, whatever the level
TABLES = ("jobs", "tombstones", "blob_uses", "events", "owners", "turns", "notices", "queues", "depths", "counters", "probe")
KEPT = {"queues", "depths", "counters", "probe"}  # a row for a model, or one for ever


def write_picky(path):
    """y = table[x]: an index outside of the table is the model's own failure."""
    table = numpy_helper.from_array(numpy.arange(8, dtype=numpy.float32), "table")
    graph = helper.make_graph([helper.make_node("Gather", ["table", "x"], ["y"])], "picky", [helper.make_tensor_value_info("x", TensorProto.INT64, ["n"])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n"])], [table])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.save(model, str(path))
    return path


class Samples:
    """Taken in the background until told to stop, each written to the file at once."""

    def __init__(self, server, data, file):
        self.server, self.blobs, self.file = server, data / "blobs", file
        self.database, self.log = data / "jobs.sqlite", data / "jobs.sqlite-wal"
        self.connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, check_same_thread=False)
        self.workers = server.workers()  # those of today; who comes later may go again
        self.rows, self.began = [], time.monotonic()
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        due = time.monotonic()
        with open(self.file, "w", newline="") as out:
            while not self.stopping.is_set():
                try:
                    self.rows.append(self.take(disk=len(self.rows) % DISK_EVERY == 0))
                    if len(self.rows) == 1:
                        table = csv.DictWriter(out, self.rows[0])
                        table.writeheader()
                    table.writerow(self.rows[-1])
                    out.flush()
                except (OSError, Gone, KeyError) as error:
                    print(f"no sample: {error!r}", file=sys.stderr)
                due += 1
                self.stopping.wait(max(0, due - time.monotonic()))

    def close(self):
        self.stopping.set()
        self.thread.join()
        self.connection.close()

    def take(self, disk):
        row = {"seconds": round(time.monotonic() - self.began, 3), **process("front", [self.server.process.pid]),
               **process("workers", [worker for worker in self.workers if pathlib.Path(f"/proc/{worker}").exists()])}
        if disk:
            row |= {"database_bytes": self.pages(), "database_file_bytes": self.database.stat().st_size, "log_bytes": self.log.stat().st_size, **self.files(), **self.tables()}
            row["metrics_bytes"] = len(Client(self.server).ask("GET", "/metrics").body)
        return row

    def pages(self):
        """In use, in bytes."""
        count, free, size = (self.connection.execute(f"PRAGMA {what}").fetchone()[0] for what in ("page_count", "freelist_count", "page_size"))
        return (count - free) * size

    def files(self):
        count = size = 0
        for shelf in os.scandir(self.blobs):
            for blob in os.scandir(shelf) if shelf.is_dir() else ():
                if blob.is_dir():  # a tray for what is coming in
                    continue
                try:
                    size += blob.stat().st_size
                    count += 1
                except FileNotFoundError:
                    pass
        return {"blobs": count, "blob_bytes": size}

    def tables(self):
        return {f"rows_{table}": self.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}


def process(who, ids):
    resident = threads = files = 0
    for id in ids:
        status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{id}/status").read_text().splitlines())
        resident += int(status["VmRSS"].split()[0]) * 1024
        threads += int(status["Threads"])
        files += len(os.listdir(f"/proc/{id}/fd"))
    return {f"{who}_resident_bytes": resident, f"{who}_threads": threads, f"{who}_files": files}


def trends(rows, steady, day):
    """name -> level, growth in `day` seconds with its interval, and how much of it is still flat; of what was sampled from `steady` on."""
    found = {}
    for name in rows[0]:
        points = [(row["seconds"], row[name]) for row in rows if name in row and row["seconds"] >= steady]
        count = min(BLOCKS, len(points) // 2)
        if name in ("seconds", "database_file_bytes") or count < LEAST_BLOCKS:
            continue
        edges = [round(number * len(points) / count) for number in range(count + 1)]
        blocks = [points[begin:end] for begin, end in zip(edges, edges[1:])]
        level = statistics.median(value for _, value in points)
        growth = [each * day for each in figures.trend([tuple(map(statistics.median, zip(*block))) for block in blocks])]
        bound = max(FLAT * level, *(least for word, least in NOTHING.items() if word in name.split("_")), 0)
        found[name] = {"level": level, "growth": growth, "bound": bound,
                       "verdict": "flat" if growth[2] <= bound else "GROWS" if growth[1] > 0 else "too uneven to tell"}
    return found


def told(name, trend):
    unit, digits = (2**20, 2) if name.endswith("_bytes") else (1, 0)
    value, lower, upper = (f"{each / unit:+.{digits}f}" for each in trend["growth"])
    return (f"  {name:24} {trend['level'] / unit:9.{digits}f}{' MiB' if unit > 1 else '':4}  {value:>8} [{lower}, {upper}], "
            f"at most {trend['bound'] / unit:.{digits}f}: {trend['verdict']}")


def traffic(parsed, server, town, models, files):
    """Until its time is over. Returns what the load client says."""
    releases = visitors.Releases(town, models, files / "affine.onnx")
    hour = 3600 / parsed.factor
    with concurrent.futures.ThreadPoolExecutor(VISITORS + 2) as threads:
        bulk = threads.submit(figures.load, parsed, server, "through", "--path", "/v2/jobs/{id}?model=affine", "--shape", "1,64", "--outstanding", 64,
                              "--rate", parsed.rate * parsed.factor - VISITS_RATE, "--warmup", 0, "--seconds", parsed.seconds)
        try:
            threads.submit(releases.renew_every, hour)
            for seed in range(VISITORS):
                threads.submit(town.visit_for_ever, seed)
            return bulk.result(parsed.seconds + visitors.PATIENCE)
        except concurrent.futures.TimeoutError:
            town.complain(f"the load client still waits for ends, {visitors.PATIENCE} s after the last submission")
            return {"submitted": 0, "refused": 0, "ends": {"never": 1}}
        finally:
            town.stopping.set()
            if not bulk.done():
                server.kill_front()  # which ends the load client


def all_forgotten(parsed, town, samples):
    """What should be there when everybody has gone: nothing. Returns what is."""
    def left():
        found = samples.tables() | ({"blobs": samples.files()["blobs"]} if not parsed.quick else {})
        return {name: count for name, count in found.items() if count and name.removeprefix("rows_") not in KEPT}
    deadline = time.monotonic() + parsed.times["retention"] + parsed.times["tombstone"] + 10 * parsed.times["blob-grace"] + visitors.PATIENCE
    while left() and time.monotonic() < deadline:
        time.sleep(0.5)
    if town.receiver.owed:
        town.complain(f"{len(town.receiver.owed)} webhooks never came, such as {next(iter(town.receiver.owed))}'s")
    return left()


def soak(parsed, folder):
    write_models(folder / "files")
    files = {"affine": folder / "files" / "affine.onnx", "picky": write_picky(folder / "files" / "picky.onnx")}
    options = ["--allow-private-webhooks"]
    for name, seconds in parsed.times.items():
        options += [f"--{name}", f"{seconds:.3f}s"]
    settings = {"affine": {"max_batch": 8, "max_delay_ms": 2}, "slow": {"model": "sim:device=20ms"}}
    with figures.serving(parsed, folder, files, options=options, settings=settings) as server:
        town = visitors.Town(server, parsed.times["retention"], parsed.times["tombstone"])
        samples = Samples(server, folder / "data", parsed.out / "soak.csv")
        try:
            bulk = traffic(parsed, server, town, folder / "models", folder / "files")
            ended = time.monotonic() - samples.began
            print(f"  {ended:.0f} s of traffic; now everything is to be forgotten", flush=True)
            left = all_forgotten(parsed, town, samples) if server.alive() else {"everything": 1}
            samples.close()
            status = server.stop()
        finally:
            town.stopping.set()
            samples.close()
            town.receiver.close()
    if status != 0:
        town.complain(f"SIGTERM ended the server with status {status}")
    return {"bulk": bulk, "visits": dict(town.counts), "complaints": town.complaints, "left": left, "traffic_seconds": ended, "samples": samples.rows}


def judge(parsed, result):
    """Prints the verdict. True: all is well."""
    bulk, visits, jobs = result["bulk"], result["visits"], result["bulk"]["submitted"] + result["visits"].get("jobs", 0)
    print(f"{jobs} jobs, as {jobs / 3600 / parsed.hours:.2f} a second for {parsed.hours:g} hours ({jobs / result['traffic_seconds']:.0f} a second really)\n"
          f"  from the load client: {bulk['ends']}, refused {bulk['refused']}\n  from visitors: {dict(sorted(visits.items()))}")
    lost = sum(count for how, count in bulk["ends"].items() if how != "done") + visits.get("lost", 0)
    print(f"  lost: {lost}, complaints: {len(result['complaints'])}, left at the end: {result['left'] or 'nothing'}")
    for complaint in result["complaints"][:20]:
        print(f"    {complaint}")
    steady = parsed.times["retention"] + parsed.times["tombstone"] + visitors.MARGIN
    found = trends([row for row in result["samples"] if row["seconds"] < result["traffic_seconds"]], steady, 86400 / parsed.factor)
    result["trends"] = found
    print(f"level, and growth in 24 simulated hours with its 95 % interval, seen from second {steady:.0f} to {result['traffic_seconds']:.0f}:"
          if found else "too short for a trend")
    for name, trend in found.items():
        print(told(name, trend))
    flat = all(trend["verdict"] == "flat" for trend in found.values())
    if found:
        used, file = (max(row[name] for row in result["samples"] if name in row) for name in ("database_bytes", "database_file_bytes"))
        print(f"  the database's file: {file / 2**20:.2f} MiB, {file / used:.3f} of the most in use, at most {HIGH_WATER}")
        flat = flat and file <= HIGH_WATER * used
    return not lost and not result["complaints"] and not result["left"] and flat


def main():
    parser = figures.arguments(__doc__, rounds=1)
    parser.add_argument("--hours", type=float, default=24, help="that are simulated")
    parser.add_argument("--seconds", type=float, default=900, help="that they take")
    parser.add_argument("--rate", type=float, default=5, help="jobs a second of the simulated time")
    parsed = figures.parse(parser)
    if parsed.quick:
        parsed.hours, parsed.seconds = 0.1, 4
    parsed.factor = parsed.hours * 3600 / parsed.seconds
    parsed.times = QUICK if parsed.quick else {name: max(LEAST[name], seconds / parsed.factor) for name, seconds in TIMES.items()}
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the server goes too
    print(f"{parsed.hours:g} hours in {parsed.seconds:g} s (1:{parsed.factor:g}), {parsed.rate * parsed.factor:.0f} jobs a second; "
          + ", ".join(f"{name} {seconds:.3g} s" for name, seconds in parsed.times.items()), flush=True)
    with figures.folder(parsed) as folder:
        result = soak(parsed, folder)
    well = judge(parsed, result)
    figures.write(parsed, "soak", [result], times=parsed.times, factor=parsed.factor)
    print(f"samples in {parsed.out / 'soak.csv'}, everything in {parsed.out / 'soak.json'}")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
