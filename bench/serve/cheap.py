#!/usr/bin/python3
"""What the asynchronous path costs: requests a second through all of it, beside the bare engine loop on the same cores.

The bare loop is `lapse time`'s own over the same .onnx with the same threads. The path is submission over HTTP (a body of its own each
time, made durable), queue, worker, result made durable, event, result fetched: 32 jobs outstanding (batched: 64). Both sides are pinned to
the same two cores and use one engine thread; the front, the load client and the disk have what is left. A model of 5 ms a row; unbatched,
and batched with at most 8 rows on both sides. The sides take turns within each round.

Goal: path / bare at least 0.90, better 0.95.

    bench/serve/cheap.py [--quick]
"""

import json
import subprocess

import bench_models
import figures

MODES = {"unbatched": 1, "batched": 8}
SHAPE = "1,3,48,48"


def bare(parsed, model, batch):
    """Requests a second of the loop: rows over the time that its iterations took."""
    out = subprocess.run([*figures.pinned(), parsed.lapse, "time", str(model), "--threads", "1", "--batch", str(batch), "--budget", f"{parsed.seconds}s",
                          "--precision", "0.00001", "--json", "-"], check=True, capture_output=True, text=True).stdout
    times = json.loads(out)["samples"]["end_to_end_ns"]
    return {"per_second": batch * len(times) * 1e9 / sum(times), "iterations": len(times)}


def path(parsed, model, batch):
    settings = {"threads": 1, "max_batch": batch, "max_delay_ms": 5 if batch > 1 else 0}
    with figures.folder(parsed) as folder:
        with figures.serving(parsed, folder, {"light": model}, figures.pinned(), settings={"light": settings}) as server:
            result = figures.load(parsed, server, "through", "--path", "/v2/jobs/{id}?model=light", "--shape", SHAPE, "--outstanding",
                                  32 if batch == 1 else 64, "--warmup", 2, "--seconds", parsed.seconds, pin=figures.pinned())
            newest = figures.ask(server, "/v2/jobs?state=done&limit=100")["jobs"]
    result["batch_size"] = sum(job["batch_size"] for job in newest) / max(1, len(newest))
    return {"per_second": result["completed_per_second"], **result}


def main():
    parser = figures.arguments(__doc__, rounds=10)
    parser.add_argument("--seconds", type=float, default=10, help="of one side of one round")
    parsed = figures.parse(parser)
    if parsed.quick:
        parsed.seconds = 1
    with figures.folder(parsed) as folder:
        model = folder / "light.onnx"
        seconds = bench_models.make_light(parsed.lapse, model)
        print(f"a model of {seconds * 1e3:.2f} ms a row on one thread, {parsed.rounds} rounds of {parsed.seconds:g} s a side, on cores {figures.CORES}")
        rounds = []
        for number in range(parsed.rounds):
            sides = [(mode, side) for mode in MODES for side in (bare, path)]
            a_round = {mode: {} for mode in MODES}
            for mode, side in sides if number % 2 == 0 else reversed(sides):
                a_round[mode][side.__name__] = side(parsed, model, MODES[mode])
            rounds.append(a_round)
            print(f"  round {number + 1}: " + ", ".join(
                f"{mode} {a_round[mode]['path']['per_second']:.1f} of {a_round[mode]['bare']['per_second']:.1f}/s" for mode in MODES), flush=True)
            figures.write(parsed, "cheap", rounds, model_seconds=seconds)

    for mode in MODES:
        rate = {side: figures.median_of(rounds, lambda each: each[mode][side]["per_second"]) for side in ("bare", "path")}
        ratio = figures.median_of(rounds, lambda each: each[mode]["path"]["per_second"] / each[mode]["bare"]["per_second"])
        sizes = sorted(each[mode]["path"]["batch_size"] for each in rounds)
        print(f"{mode:10} bare {rate['bare'][0]:7.1f}/s  path {rate['path'][0]:7.1f}/s  ratio {ratio[0]:.3f} [{ratio[1]:.3f}, {ratio[2]:.3f}]  "
              f"goal ≥ 0.90, better 0.95; batches of {sizes[len(sizes) // 2]:.1f}")
        lost = [(how, count) for each in rounds for how, count in each[mode]["path"]["ends"].items() if how != "done"]
        if lost or any(each[mode]["path"]["refused"] for each in rounds):
            print(f"{'':10} not done: {lost}, refused: {sum(each[mode]['path']['refused'] for each in rounds)}")
    print(f"medians of the rounds' figures, with 95 % intervals over {len(rounds)} rounds; everything in {parsed.out / 'cheap.json'}")


if __name__ == "__main__":
    main()
