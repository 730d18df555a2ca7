#!/usr/bin/env python3
"""Does the audit find what is wrong, and nothing else, in real time? And what does it cost?

bench/audit_on_sim.py [--lapse build/lapse] [--runs 100] [--pairs 20] [--out FILE.json]

Measures the simulated device with each fault seeded `runs` times, and as often without one; its thread works in real time on whatever machine
this is, so interruptions are part of it. Then measures with the audit on and off, taking turns. No GPU is involved: for that see bench/gpu.
"""
import argparse
import json
import math
import random
import statistics
import subprocess
import time

CASES = {  # what is seeded, the rule that has to find it
    "none": (None, ""),
    "a: pending on return": ("pending-on-return", ",fault=pending"),
    "b: other stream": ("other-stream", ",fault=other-stream"),
    "c: side stream": ("side-stream", ",fault=side-stream"),
    "d: launch gaps": ("launch-gaps", None),
    "e: outputs on the device": ("outputs-on-device", ",fault=copies-outside"),
}


def settings(draw, fault):
    device = round(math.exp(draw.uniform(math.log(300e3), math.log(5e6))))  # ns
    if fault is None:  # the host takes longer for each of many pieces than the device does
        return f"sim:device={device}ns,submit={round(device * draw.uniform(1.5, 3))}ns,kernels={draw.randint(10, 40)}", device
    text = f"sim:device={device}ns,submit={round(draw.uniform(5e3, 0.5 * device))}ns"
    if "copies" in fault:
        text += f",d2h={round(max(60e3, device / draw.randint(2, 10)))}ns"
    return text + fault, device


def measure(lapse, *arguments):
    run = subprocess.run([lapse, "time", *arguments, "--json", "-"], capture_output=True, text=True, timeout=300, check=True)
    return json.loads(run.stdout)


def seed_faults(lapse, runs, draw):
    rows = {}
    for name, (rule, fault) in CASES.items():
        found = others = 0
        errors = []
        for _ in range(runs):
            text, device = settings(draw, fault)
            result = measure(lapse, text, "--budget", "300ms", "--precision", "1e-9")
            for finding in result["audit"]["rules"]:
                if finding["verdict"] == "found":
                    found += finding["rule"] == rule
                    others += finding["rule"] != rule
            if rule is None:
                errors.append(result["summary"]["device"]["median_ns"]["value"] / device - 1)
        rows[name] = {"runs": runs, "found": found, "others": others}
        if errors:
            rows[name]["largest_device_error"] = max(map(abs, errors))
        print(f"{name:28} {f'found {found:3} of {runs}' if rule else '':20} others found: {others}", flush=True)
    return rows


def interval_of_median(values):
    """95 %, of order statistics: nothing is assumed of the distribution."""
    values = sorted(values)
    n, low = len(values), 0
    while sum(math.comb(n, k) for k in range(low + 1)) / 2**n <= 0.025:
        low += 1
    return values[low - 1], values[n - low]


def cost(lapse, pairs, draw):
    arguments = ["sim:device=1ms,submit=300us", "--warmup", "100", "--max-runs", "5000", "--precision", "1e-9", "--budget", "60s"]
    ratios, shares = [], []
    for _ in range(pairs):
        seconds = {}
        for audit in draw.sample(["on", "off"], 2):
            begin = time.perf_counter()
            result = measure(lapse, *arguments, "--audit", audit)
            seconds[audit] = time.perf_counter() - begin
            if audit == "on":
                shares.append(result["audit"]["spent_ns"] / 1e9 / seconds["on"])
        ratios.append(seconds["on"] / seconds["off"])
    low, high = interval_of_median(ratios)
    out = {"pairs": pairs, "wall_time_on_over_off": statistics.median(ratios), "low": low, "high": high,
           "share_by_its_own_count": statistics.median(shares), "ratios": ratios}
    print(f"wall time with the audit / without: {out['wall_time_on_over_off']:.4f} [{low:.4f}, {high:.4f}]; "
          f"by its own count {100 * out['share_by_its_own_count']:.2f} % of the time")
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lapse", default="build/lapse")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--out")
    options = parser.parse_args()
    draw = random.Random(1)
    record = {"faults": seed_faults(options.lapse, options.runs, draw), "cost": cost(options.lapse, options.pairs, draw)}
    clean = record["faults"]["none"]
    print(f"device time of the {clean['runs']} clean runs: off by {100 * clean['largest_device_error']:.3f} % at the most")
    if options.out:
        with open(options.out, "w", encoding="utf-8") as file:
            json.dump(record, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
