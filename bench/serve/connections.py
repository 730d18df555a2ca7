#!/usr/bin/python3
"""5,000 open event streams and 2,000 idle keep-alive connections, held while jobs flow: what each costs the front, and whether one drops.

Two rows: every stream with a session of its own (5,000 owners; each job is told to one stream), and a hundred streams of each owner, as many
as one may have (50 owners; each job is told to 100 streams). Memory is the front's resident memory, before and after; what the kernel keeps for sockets is told apart.

    bench/serve/connections.py [--quick]
"""

import bench_models
import figures


def one_row(parsed, model, owners, jobs):
    with figures.folder(parsed) as folder, figures.serving(parsed, folder, {"light": model}) as server:
        return figures.load(parsed, server, "hold", "--path", "/v2/jobs/{id}?model=light", "--shape", "1,3,48,48", "--streams", parsed.streams, "--owners",
                            owners, "--idle", parsed.idle, "--seconds", parsed.seconds, "--jobs", jobs, "--process", server.process.pid)


def main():
    parser = figures.arguments(__doc__, rounds=3)
    parser.add_argument("--streams", type=int, default=5000)
    parser.add_argument("--idle", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=60)
    parsed = figures.parse(parser)
    if parsed.quick:
        parsed.streams, parsed.idle, parsed.seconds = 100, 40, 2
    rows = {"an owner each": (parsed.streams, 50), "a hundred each": (max(1, parsed.streams // 100), 20)}
    with figures.folder(parsed) as folder:
        model = folder / "light.onnx"
        bench_models.make_light(parsed.lapse, model)
        rounds = []
        for _ in range(parsed.rounds):
            rounds.append({row: one_row(parsed, model, *values) for row, values in rows.items()})
            figures.write(parsed, "connections", rounds)
            for row in rows:
                got = rounds[-1][row]
                print(f"{row}: {got['streams']['opened']} streams and {got['idle']['opened']} idle connections held for {got['held_seconds']:g} s, "
                      f"dropped {got['streams']['dropped']} and {got['idle']['dropped']}, not opened {got['failed_to_open']}\n"
                      f"  front's memory: {got['front_bytes_per_stream'] / 1024:.1f} KiB a stream, {got['front_bytes_per_idle_connection'] / 1024:.1f} KiB an idle "
                      f"connection, {got['memory']['empty']['front_resident_bytes'] / 2**20:.1f} MiB empty, {got['memory']['at_end']['front_resident_bytes'] / 2**20:.1f} MiB "
                      f"at the end\n"
                      f"  {got['jobs']['acknowledged']} jobs ({got['jobs']['statuses']}), ends told: {got['ends_heard']} of {got['ends_expected']}, "
                      f"p99 {got['heard_after'].get('p99_seconds', float('nan')) * 1e3:.0f} ms after submission", flush=True)


if __name__ == "__main__":
    main()
