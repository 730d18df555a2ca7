#!/usr/bin/python3
"""lapse beside torch.utils.benchmark on the same TorchScript file: is the median that lapse reports the one PyTorch's own tool reports?

Every run is a fresh process on the same inputs, with as many threads and as much time as the other side's, in the order A B B A …, so
that a machine which slows down or speeds up does so for both. Printed: both medians (over the rounds, of each round's median) and the
ratio lapse / torch with a 95 % interval: a bootstrap over the rounds, each of which stays whole.

    bench/torch_pair.py models/demo/model.pt --input x=models/demo/test_data_set_0/input_0.npy --out pair.json
"""

import argparse
import collections.abc
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BOOTSTRAP_SAMPLES = 10_000
MIN_ROUNDS = 10  # with fewer the bootstrap's interval is too narrow to be believed

Round = dict[str, dict]  # "lapse" and "torch" -> that side's result, with median_ns and times_ns


def call(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\nfailed with exit status {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def run_lapse(lapse: str, shared: list[str], budget: float) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "result.json"
        # A precision that is not reached: both sides use their whole budget.
        call([lapse, "time", *shared, "--budget", f"{budget}s", "--precision", "0.00001", "--json", str(path)])
        result = json.loads(path.read_text())
    return {
        "median_ns": result["summary"]["end_to_end"]["median_ns"]["value"],
        "times_ns": result["samples"]["end_to_end_ns"],
        "subject": result["subject"],
    }


def run_torch(shared: list[str], budget: float) -> dict:
    return json.loads(call([sys.executable, str(HERE / "torch_benchmark.py"), *shared, "--budget", str(budget)]))


def measure(sides: dict[str, collections.abc.Callable[[], dict]], rounds: int) -> collections.abc.Iterator[Round]:
    for number in range(rounds):
        order = list(sides) if number % 2 == 0 else list(reversed(sides))
        results = {side: sides[side]() for side in order}
        print(f"round {number + 1}/{rounds}: " + "  ".join(f"{side} {milliseconds(results[side])}" for side in sides), file=sys.stderr)
        yield {"order": order, **results}


def milliseconds(result: dict) -> str:
    return f"{result['median_ns'] / 1e6:.4f} ms"


def median_of(side: str, rounds: list[Round]) -> float:
    return statistics.median(a_round[side]["median_ns"] for a_round in rounds)


def ratio(rounds: list[Round]) -> float:
    return median_of("lapse", rounds) / median_of("torch", rounds)


def interval(rounds: list[Round]) -> tuple[float, float]:
    """95 %, by the percentile bootstrap (Efron 1979); seeded, so that the same file gives the same interval."""
    seeded = random.Random(0)
    ratios = sorted(ratio(seeded.choices(rounds, k=len(rounds))) for _ in range(BOOTSTRAP_SAMPLES))
    return ratios[int(0.025 * BOOTSTRAP_SAMPLES)], ratios[int(0.975 * BOOTSTRAP_SAMPLES)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a TorchScript file")
    parser.add_argument("--shape", action="append", default=[], metavar="NAME[:TYPE]=1x3x224x224", help="handed to both sides")
    parser.add_argument("--input", action="append", default=[], metavar="NAME=FILE.npy", help="handed to both sides: the same numbers")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=MIN_ROUNDS)
    parser.add_argument("--budget", type=float, default=5.0, metavar="SECONDS", help="of one round of one side")
    parser.add_argument("--lapse", default=str(HERE.parent / "build" / "lapse"), metavar="PROGRAM")
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="FILE", help="raw times of every round, as JSON")
    arguments = parser.parse_args()
    if arguments.rounds < MIN_ROUNDS:
        parser.error(f"--rounds: at least {MIN_ROUNDS}")

    shared = [arguments.model, "--threads", str(arguments.threads)]
    for flag in ("shape", "input"):
        for value in getattr(arguments, flag):
            shared += [f"--{flag}", value]
    sides = {
        "lapse": lambda: run_lapse(arguments.lapse, shared, arguments.budget),
        "torch": lambda: run_torch(shared, arguments.budget),
    }

    try:
        arguments.out.open("a").close()
    except OSError as error:  # known before the measurement, not after
        parser.error(f"--out: {error}")
    rounds: list[Round] = []
    for a_round in measure(sides, arguments.rounds):
        rounds.append(a_round)
        arguments.out.write_text(json.dumps({"schema": "lapse.torch_pair/1", "argv": sys.argv[1:], "rounds": rounds}))

    low, high = interval(rounds)
    summary = {side: median_of(side, rounds) for side in sides}
    print(f"{arguments.model}, {arguments.threads} threads, {len(rounds)} rounds of {arguments.budget:g} s a side")
    print(f"lapse                  {summary['lapse'] / 1e6:.4f} ms")
    print(f"torch.utils.benchmark  {summary['torch'] / 1e6:.4f} ms")
    print(f"lapse / torch          {ratio(rounds):.4f}  (95 % interval {low:.4f} … {high:.4f})")
    runs_per_time = max(a_round["torch"]["runs_per_time"] for a_round in rounds)
    if runs_per_time > 1:
        print(f"torch timed blocks of up to {runs_per_time} runs: its median is one of means, lapse's one of single runs")


if __name__ == "__main__":
    main()
