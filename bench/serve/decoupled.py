#!/usr/bin/python3
"""How long a client waits for its acknowledgement while the engine is busy with something else.

The queue is saturated: one engine thread works on a model of 2 s, and 20,000 distinct requests of 256 KiB pile up behind it, sent by 8
clients, each the next as soon as the last was acknowledged. Every acknowledgement (202) means durable: blob and job are on the disk. A
health check runs every 10 ms meanwhile, on a connection and thread of its own. Two rows, in turns: server, worker and client together on
two cores, and not pinned. Beside them what a durable 256 KiB file costs on this disk with nothing else running.

Goals, pinned: acknowledgement p99 at most 10 ms (better 5), at least 1,200 a second; health at most 5 ms.

    bench/serve/decoupled.py [--quick]
"""

import contextlib

import bench_models
import figures
from server import Client

GOALS = {"p99_seconds": 0.010, "per_second": 1200, "health_seconds": 0.005}


def one_round(parsed, model, pin, name, folder):
    disk = figures.fsync_times(folder)
    with figures.serving(parsed, folder, {"busy": model}, pin) as server:
        common = ["--path", "/v2/jobs/{id}?model=busy", "--shape", "1,65536"]
        figures.load(parsed, server, "submit", *common, "--count", 8)  # the engine has work from now on
        figures.wait_until(lambda: figures.ask(server, "/v2/jobs?state=running&limit=1")["jobs"], 30, "a job is running")
        samples = parsed.out / f"decoupled-{name}.csv"
        result = figures.load(parsed, server, "submit", *common, "--count", parsed.count, "--clients", 8, "--health", "/v2/health/live",
                              "--samples", samples, "--health-samples", parsed.out / f"decoupled-health-{name}.csv", pin=pin)
        newest = figures.ask(server, "/v2/jobs?state=queued&limit=1")["jobs"][0]
        position = Client(server).ask("GET", f"/v2/jobs/{newest['id']}").json().get("queue", {}).get("position")
        ready = figures.ask(server, "/v2/health/ready")
    lines = [line.split(",") for line in samples.read_text().splitlines()[1:]]
    last = [float(took) for _, took, status in lines[-len(lines) // 4:] if status == "202"]
    return {**result, "queued_behind": position, "ready": ready, "last_quarter_p99_seconds": figures.percentile(last, 0.99), "disk": disk}


def main():
    parser = figures.arguments(__doc__, rounds=6)
    parser.add_argument("--count", type=int, default=20_000)
    parsed = figures.parse(parser)
    if parsed.quick:
        parsed.count = 300
    with contextlib.ExitStack() as stack:
        # All folders go at the end: a file system that has just lost 20,000 files is slower at making new ones (ext4 does not reuse their
        # inodes for a while, and looks for others).
        def folder():
            return stack.enter_context(figures.folder(parsed))

        model = folder() / "busy.onnx"
        seconds = bench_models.make_busy(parsed.lapse, model, 0.3 if parsed.quick else 2)
        print(f"a model of {seconds:.2f} s on one thread, {parsed.count} requests of 256 KiB, 8 clients, {parsed.rounds} rounds")
        rows = {"two cores": figures.pinned(), "not pinned": []}
        rounds = []
        for number in range(parsed.rounds):
            order = list(rows) if number % 2 == 0 else list(reversed(rows))
            rounds.append({row: one_round(parsed, model, rows[row], f"{row.replace(' ', '-')}-{number}", folder()) for row in order})
            for row in rows:
                got = rounds[-1][row]
                print(f"  round {number + 1}, {row}: {got['accepted_per_second']:.0f}/s, p50 {got['acknowledgement']['p50_seconds'] * 1e3:.2f} ms, "
                      f"p99 {got['acknowledgement']['p99_seconds'] * 1e3:.2f} ms, {got['statuses']}, {got['queued_behind']} before the newest", flush=True)
            figures.write(parsed, "decoupled", rounds, model_seconds=seconds, count=parsed.count)

    for row in rows:
        def figure(*path):
            def of(a_round):
                value = a_round[row]
                for key in path:
                    value = value[key]
                return value
            return figures.median_of(rounds, of)
        print(f"{row}")
        rate = figure("accepted_per_second")
        print(f"  acknowledged a second   {rate[0]:8.0f}  [{rate[1]:.0f}, {rate[2]:.0f}]   goal ≥ {GOALS['per_second']}")
        for label, path, goal in (
            ("acknowledgement p50", ("acknowledgement", "p50_seconds"), ""), ("acknowledgement p99", ("acknowledgement", "p99_seconds"), "goal ≤ 10, better 5"),
            ("  of the last quarter", ("last_quarter_p99_seconds",), ""), ("acknowledgement p99.9", ("acknowledgement", "p999_seconds"), ""),
            ("acknowledgement max", ("acknowledgement", "max_seconds"), ""),
            ("health p50", ("health", "p50_seconds"), ""), ("health p99", ("health", "p99_seconds"), "goal ≤ 5"), ("health max", ("health", "max_seconds"), ""),
            ("disk alone p50", ("disk", "p50_seconds"), ""), ("disk alone p99", ("disk", "p99_seconds"), "")):
            value = figure(*path)
            print(f"  {label:22}  {value[0] * 1e3:8.2f}  [{value[1] * 1e3:.2f}, {value[2] * 1e3:.2f}] ms  {goal}")
        bad = sum(count for each in rounds for status, count in each[row]["statuses"].items() if status != "202")
        print(f"  not acknowledged        {bad:8d}")
    print(f"median of the rounds, with 95 % intervals over {len(rounds)} rounds; samples in {parsed.out}")


if __name__ == "__main__":
    main()
