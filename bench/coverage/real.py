#!/usr/bin/python3
"""False alarms and power of `lapse compare` on this machine, with ResNet-18: A against A, and against a B that does 3 % more work.

    bench/coverage/real.py [--same 200] [--slower 50] [--budget 10s] [--slower-budget 30s] [--options '--threads 1'] [--out FOLDER] [--lapse build/lapse]

Needs build/lapse and models/zoo (make build; models/make_zoo.py). Each comparison is one line of FOLDER/pairs.jsonl as soon as it is done: started
again, this goes on where it was stopped. Both kinds take turns, so that whatever the machine does it does to both. B has a convolution more, whose
outputs are multiplied by 0: the same answers for 3.2 % more multiplications. How much longer it really takes is what all its pairs say together.
"""

import argparse
import json
import math
import pathlib
import shlex
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "zoo" / "resnet18" / "model.onnx"
FALSE_ALARMS, POWER = 0.05, 0.90  # goals: at most, at least


def slower_model(folder):
    """ResNet-18 with 32 of the 64 channels of a first-stage convolution once more."""
    path = folder / "resnet18-slower" / "model.onnx"
    if path.exists():
        return path
    import numpy
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(str(MODEL))
    graph = model.graph
    pooled = next(node for node in graph.node if node.op_type == "MaxPool").output[0]
    logits = graph.output[0].name
    last = next(node for node in graph.node if logits in node.output)
    classes = numpy_helper.to_array(next(each for each in graph.initializer if each.name == last.input[1])).shape[0]
    last.output[list(last.output).index(logits)] = "logits_alone"
    kernels = numpy.random.default_rng(1).standard_normal((32, 64, 3, 3)).astype(numpy.float32)
    graph.initializer.extend([numpy_helper.from_array(kernels, "more.kernels"),
                              numpy_helper.from_array(numpy.zeros((32, classes), numpy.float32), "more.nothing")])
    graph.node.extend([helper.make_node("Conv", [pooled, "more.kernels"], ["more"], pads=[1, 1, 1, 1]),
                       helper.make_node("GlobalAveragePool", ["more"], ["more.mean"]),
                       helper.make_node("Flatten", ["more.mean"], ["more.flat"]),
                       helper.make_node("MatMul", ["more.flat", "more.nothing"], ["more.zero"]),
                       helper.make_node("Add", ["logits_alone", "more.zero"], [logits])])
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    for data in MODEL.parent.glob("test_data_set_*"):
        (path.parent / data.name).symlink_to(data)
    onnx.save(model, str(path))
    return path


def compare(lapse, a, b, options, budget):
    begin = time.monotonic()
    run = subprocess.run([lapse, "compare", "--a", f"{shlex.quote(str(a))} {options}", "--b", f"{shlex.quote(str(b))} {options}", "--budget", budget,
                          "--json", "-"], capture_output=True, text=True)
    if run.returncode not in (0, 1):
        sys.exit(f"lapse compare ended with {run.returncode}: {run.stderr.strip()}")
    found = json.loads(run.stdout)
    model = found["models"][0]
    return {"created": found["created"], "lapse": found["lapse"], "took_s": round(time.monotonic() - begin, 2),
            "sides": {side: {key: model[side][key] for key in ("processes", "runs", "no_steady_state")} for side in ("a", "b")},
            "metrics": {each["metric"]: {key: each[key] for key in ("a_ns", "b_ns", "ratio", "low", "high", "verdict")} for each in model["metrics"]}}


def read(journal):
    """The pairs so far. A line that a kill cut short is dropped, in the file, too."""
    if not journal.exists():
        return []
    text = journal.read_text()
    whole = text[:text.rfind("\n") + 1]
    if whole != text:
        journal.write_text(whole)
    return [json.loads(line) for line in whole.splitlines()]


def rate(hits, count, least, most):
    """"3 of 200: 1.5 % [0.5, 4.3]", Wilson's interval; and whether it excludes the goal."""
    if count == 0:
        return "none yet", True
    z, p = 1.959964, hits / count
    centre, half = p + z * z / (2 * count), z * math.sqrt((p * (1 - p) + z * z / (4 * count)) / count)
    low, high = (max(0.0, (centre + side * half) / (1 + z * z / count)) for side in (-1, 1))
    reached = high >= least and low <= most
    return f"{hits} of {count}: {100 * p:.1f} % [{100 * low:.1f}, {100 * high:.1f}]{'' if reached else '  MISSED'}", reached


def summarise(pairs):
    same = [pair for pair in pairs if pair["kind"] == "same"]
    slower = [pair for pair in pairs if pair["kind"] == "slower"]
    verdicts = lambda pair: [metric["verdict"] for metric in pair["metrics"].values()]
    alarms, few_alarms = rate(sum("slower" in verdicts(each) or "faster" in verdicts(each) for each in same), len(same), 0.0, FALSE_ALARMS)
    found, powerful = rate(sum("slower" in verdicts(each) for each in slower), len(slower), POWER, 1.0)
    print(f"A against A, called faster or slower (goal: at most {100 * FALSE_ALARMS:.0f} %): {alarms}")
    print(f"B slower, called slower (goal: at least {100 * POWER:.0f} %): {found}")
    for name, kind in (("A against A", same), ("B slower", slower)):
        logs = [math.log(each["metrics"]["median"]["ratio"]) for each in kind]
        if len(logs) < 2:
            continue
        error = 1.96 * statistics.stdev(logs) / math.sqrt(len(logs))
        widths = statistics.mean(each["metrics"]["median"]["high"] - each["metrics"]["median"]["low"] for each in kind)
        decided = {verdict: sum(each["metrics"]["median"]["verdict"] == verdict for each in kind) for verdict in ("equivalent", "undecided", "slower", "faster")}
        print(f"{name}: B / A {math.exp(statistics.mean(logs)):.4f} ± {error:.4f}, spread of one comparison {statistics.stdev(logs):.4f}, mean width "
              f"{widths:.4f}; of the median " + ", ".join(f"{verdict} {count}" for verdict, count in decided.items()))
    return few_alarms and powerful


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--same", type=int, default=200)
    parser.add_argument("--slower", type=int, default=50)
    parser.add_argument("--budget", default="10s", help="of A against A")
    parser.add_argument("--slower-budget", default="30s", help="of A against the slower B: the default of lapse compare")
    parser.add_argument("--options", default="--threads 1", help="of both sides")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build" / "bench" / "coverage" / "real")
    parser.add_argument("--lapse", default=str(ROOT / "build" / "lapse"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    models = {"same": MODEL, "slower": slower_model(arguments.out)}
    budgets = {"same": arguments.budget, "slower": arguments.slower_budget}
    settings = {"budgets": budgets, "options": arguments.options}
    journal = arguments.out / "pairs.jsonl"
    pairs = read(journal)
    if any(pair["settings"] != settings for pair in pairs):
        sys.exit(f"{journal} was made with other settings: choose another --out")
    wanted = {"same": arguments.same, "slower": arguments.slower}
    done = {kind: sum(pair["kind"] == kind for pair in pairs) for kind in wanted}
    while any(done[kind] < wanted[kind] for kind in wanted):
        kind = min((kind for kind in wanted if wanted[kind]), key=lambda kind: done[kind] / wanted[kind])  # the one that is further behind
        pair = {"kind": kind, "settings": settings, **compare(arguments.lapse, MODEL, models[kind], arguments.options, budgets[kind])}
        with journal.open("a") as file:
            file.write(json.dumps(pair) + "\n")
        pairs.append(pair)
        done[kind] += 1
        print(f"{kind:6} {done[kind]:3} of {wanted[kind]}: " + ", ".join(
            f"{name} {metric['ratio']:.4f} [{metric['low']:.4f}, {metric['high']:.4f}] {metric['verdict']}" for name, metric in pair["metrics"].items()), flush=True)
    return 0 if summarise(pairs) else 1


if __name__ == "__main__":
    sys.exit(main())
