"""The other side of every comparison: PyTorch's and Triton's own ways of timing a TorchScript file, in one process that stays.

It reads a request a line from stdin and answers a line on stdout, both JSON, and does nothing in between, so that lapse has the device to
itself when it is its turn. Its models stay loaded; start, load and warm-up lie outside of what is timed.

    {"model": "…/model.pt", "inputs": ["….npy"], "device": "cuda:0", "method": "do_bench", "seconds": 0.5}
    {"times_ns": […], "runs_per_time": 1}          or {"error": "…"}
"""

import collections.abc
import functools
import json
import os
import sys
import time

import numpy as np
import torch
import torch.utils.benchmark

WARM_UP_SECONDS = 0.2
# The backlog has to outlast the call: longer by half and 0.2 ms. At a lower clock than this the cycles only take longer.
BACKLOG_FACTOR = 1.5
CYCLES_PER_SECOND = 2e9
BACKLOG_SLACK_CYCLES = 400_000
Times = tuple[list[float], int]  # nanoseconds, and the number of runs that one of them is the mean of
Run = collections.abc.Callable[[], object]


@functools.lru_cache(maxsize=None)
def prepared(model: str, inputs: tuple[str, ...], device: str) -> Run:
    module = torch.jit.load(model, map_location=device).eval()
    tensors = [torch.from_numpy(np.load(path)).to(device) for path in inputs]
    return lambda: module(*tensors)


def settle(run: Run, device: str) -> None:
    """TorchScript profiles and optimises in its first runs, and the device raises its clock."""
    end = time.monotonic() + WARM_UP_SECONDS
    while time.monotonic() < end:
        run()
        if device != "cpu":
            torch.cuda.synchronize(device)


def do_bench(run: Run, device: str, seconds: float) -> Times:
    """triton.testing.do_bench as documented: events round each run, the L2 cache flushed before it, runs queued up without waiting."""
    import triton.testing

    times = triton.testing.do_bench(run, warmup=int(WARM_UP_SECONDS * 1000), rep=int(seconds * 1000), return_mode="all")
    return [milliseconds * 1e6 for milliseconds in times], 1


def do_bench_backlog(run: Run, device: str, seconds: float) -> Times:
    """The same with device work behind the flush that outlasts the launch, so that no gap is left between two kernels."""
    import triton

    cycles = int(BACKLOG_FACTOR * host_seconds(run, device) * CYCLES_PER_SECOND) + BACKLOG_SLACK_CYCLES
    driver = triton.runtime.driver.active
    flush = driver.clear_cache

    def flush_and_spin(cache: object) -> None:
        flush(cache)
        torch.cuda._sleep(cycles)

    driver.clear_cache = flush_and_spin  # what do_bench calls before each run
    try:
        return do_bench(run, device, seconds)
    finally:
        driver.clear_cache = flush


def host_seconds(run: Run, device: str) -> float:
    """How long the call takes on an idle device."""
    times = []
    for _ in range(5):
        torch.cuda.synchronize(device)
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return sorted(times)[2]


def events(run: Run, device: str, seconds: float) -> Times:
    """What people write by hand: two events round a run, wait for the second, read the time between. The cache stays warm."""
    start, stop = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    times = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        start.record()
        run()
        stop.record()
        stop.synchronize()
        times.append(start.elapsed_time(stop) * 1e6)
    return times, 1


def timer(run: Run, device: str, seconds: float) -> Times:
    """torch.utils.benchmark: the host's clock, synchronised before and after a block of runs."""
    measured = torch.utils.benchmark.Timer(stmt="run()", globals={"run": run}, num_threads=torch.get_num_threads()).blocked_autorange(
        min_run_time=seconds
    )
    return [second * 1e9 for second in measured.times], measured.number_per_run


METHODS = {"do_bench": do_bench, "do_bench_backlog": do_bench_backlog, "events": events, "timer": timer}


def answer(request: dict) -> dict:
    try:
        with torch.inference_mode():
            run = prepared(request["model"], tuple(request["inputs"]), request["device"])
            settle(run, request["device"])
            times, runs_per_time = METHODS[request["method"]](run, request["device"], request["seconds"])
        return {"times_ns": [round(ns, 1) for ns in times], "runs_per_time": runs_per_time}
    except Exception as error:  # whatever it is, the next request may do better
        return {"error": f"{type(error).__name__}: {error}"}


def main() -> None:
    # The answers have a stream of their own: what a library prints must not end up between them.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    if not torch.cuda.is_available():
        torch.set_num_threads(1)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
