#!/usr/bin/python3
"""One round of torch.utils.benchmark on a TorchScript file, printed as one line of JSON (times in nanoseconds).

The documented way: eval, inference mode, Timer.blocked_autorange() with its defaults, again and again until the budget is spent. Start
of Python, load and warm-up lie outside. The defaults ask for blocks of 0.2 ms: for a model of 1 ms or more a raw time is one forward
pass (runs_per_time is 1); for a faster one it is the mean of several.
"""

import argparse
import json
import sys
import time

import numpy as np
import torch
import torch.utils.benchmark

TYPES = {
    "bool": torch.bool,
    "int32": torch.int32,
    "int64": torch.int64,
    "float16": torch.float16,
    "float32": torch.float32,
    "float64": torch.float64,
}


def shaped(text: str) -> tuple[str, torch.Tensor]:
    """NAME[:TYPE]=1x3x224x224, with the kind of data that lapse fills in: normal, or 0 and 1 for integers."""
    key, _, sizes = text.partition("=")
    name, _, type_name = key.partition(":")
    dtype = TYPES[type_name or "float32"]
    shape = [int(size) for size in sizes.split("x")]
    values = torch.randn(shape) if dtype.is_floating_point else torch.randint(0, 2, shape)
    return name, values.to(dtype)


def from_file(text: str) -> tuple[str, torch.Tensor]:
    name, _, path = text.partition("=")
    return name, torch.from_numpy(np.load(path))


def timed(model: torch.jit.ScriptModule, inputs: list[torch.Tensor], threads: int, budget: float) -> tuple[list[int], int]:
    """Raw times in ns, and the largest number of runs that one of them is the mean of."""
    timer = torch.utils.benchmark.Timer(
        stmt="model(*inputs)", globals={"model": model, "inputs": inputs}, num_threads=threads  # Timer's own default is 1 thread
    )
    times: list[int] = []
    runs_per_time = 1
    with torch.inference_mode():
        timer.timeit(10)  # TorchScript profiles and optimises in its first runs
        end = time.monotonic() + budget
        while time.monotonic() < end:
            measured = timer.blocked_autorange()
            times += [round(seconds * 1e9) for seconds in measured.times]
            runs_per_time = max(runs_per_time, measured.number_per_run)
    return times, runs_per_time


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a TorchScript file")
    parser.add_argument("--shape", type=shaped, action="append", default=[], metavar="NAME[:TYPE]=1x3x224x224")
    parser.add_argument("--input", type=from_file, action="append", default=[], metavar="NAME=FILE.npy")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--budget", type=float, default=5.0, metavar="SECONDS")
    arguments = parser.parse_args()

    torch.manual_seed(0)
    given = dict(arguments.shape + arguments.input)
    model = torch.jit.load(arguments.model).eval()
    names = [argument.name for argument in model.forward.schema.arguments[1:]]  # without self
    if sorted(names) != sorted(given):
        sys.exit(f"the model's inputs are {', '.join(names)}; given: {', '.join(given) or 'none'}")

    times, runs_per_time = timed(model, [given[name] for name in names], arguments.threads, arguments.budget)
    print(
        json.dumps(
            {
                "median_ns": float(np.median(times)),
                "times_ns": times,
                "runs_per_time": runs_per_time,
                "threads": arguments.threads,
                "torch": torch.__version__,
            }
        )
    )


if __name__ == "__main__":
    main()
