#!/usr/bin/python3
"""How near to the bound overlap comes where every length is known: a CPU stage and a simulated device.

    bench/overlap/sim.py [--out FILE] [--lapse build/lapse]

Goals: equal stages, 200 batches a round: asynchronous ≥ 1.95 × synchronous and ≥ 0.97 of the bound; unequal stages: ≥ 0.97 of the slower one's bound.
Each line: what `lapse pipeline` measured in interleaved rounds, the median of the pairs with its 95 % interval, and where that interval lies.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BATCHES = 200
CASES = [  # name, device, CPU stage, further settings, goal of the speed-up
    ("equal", "sim:device=5ms", "5ms", [], 1.95),
    ("equal, depth 1", "sim:device=5ms", "5ms", ["--depth", "1"], 1.95),
    ("equal, depth 8", "sim:device=5ms", "5ms", ["--depth", "8"], 1.95),
    ("slower CPU", "sim:device=3ms", "6ms", [], None),
    ("slower device", "sim:device=6ms", "3ms", [], None),
    ("copies beside", "sim:device=5ms,h2d=2ms,d2h=1ms", "5ms", [], None),
    ("short", "sim:device=1ms", "1ms", [], None),
]


def measure(lapse, model, cpu, options):
    run = subprocess.run([lapse, "pipeline", model, "--cpu-time", cpu, "--synthetic", str(BATCHES), "--rounds", "6", "--json", "-", *options],
                         capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out")
    parser.add_argument("--lapse", default=str(ROOT / "build" / "lapse"))
    arguments = parser.parse_args()
    rows, missed = [], 0
    for name, model, cpu, options, goal in CASES:
        document = measure(arguments.lapse, model, cpu, options)
        speedup, efficiency = document["speedup"], document["bound"]["efficiency"]
        reached = efficiency["high"] >= 0.97 and (goal is None or speedup["high"] >= goal)
        missed += not reached
        rows.append({"case": name, "model": model, "cpu": cpu, "options": options, "speedup": speedup, "efficiency": efficiency,
                     "bound": document["bound"]["stage"], "answer": document["answer"],
                     "rounds": {way: document["ways"][way]["rounds"] for way in ("synchronous", "asynchronous")}})
        print(f"{name:16} speed-up {speedup['value']:.3f} [{speedup['low']:.3f}, {speedup['high']:.3f}]  of the bound ({document['bound']['stage']}) "
              f"{efficiency['value']:.3f} [{efficiency['low']:.3f}, {efficiency['high']:.3f}]{'' if reached else '  MISSED'}", flush=True)
    if arguments.out:
        record = {"date": time.strftime("%Y-%m-%d"), "command": "bench/overlap/sim.py", "cpus": os.cpu_count(), "batches": BATCHES, "cases": rows}
        pathlib.Path(arguments.out).write_text(json.dumps(record, indent=1) + "\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
