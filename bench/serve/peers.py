#!/usr/bin/python3
"""`lapse serve` beside what people use today: FastAPI + Celery + Redis, and BentoML's tasks; in one run, on the same two cores.

All serve the same ONNX model of 5 ms a row with the same ONNX Runtime on one thread, one row at a time, and are sent the same bytes by the
same client. Three experiments a side, the sides in turns within each round:

burst       a burst of jobs by 8 clients, each the next as soon as the last was acknowledged: how long an acknowledgement takes, and how many
            jobs a second are through, from the first submission until the last has ended
worker      a third of the acknowledged jobs are through: kill -9 of the worker, which is started again
everything  the same with every process of the side, the broker too

A job is lost when it was acknowledged and no end of it can be seen, after nothing has ended for a while (--patience), and is not held back
for a redelivery either (Celery's visibility timeout, an hour unless set). It ended twice when the side itself says so: two final events
(lapse), two lines in its log (the others).

Celery in three forms: with its defaults, with late acknowledgements (peers/celery_app.py), and with a Redis that fsyncs as well, the one that
promises what lapse does: an acknowledged job is on the disk. Redis's default persistence is a snapshot now and then, a minute apart at the
least: these experiments are shorter, so all that it had is gone with it. LitServe has no tasks: nothing of it could be compared.

    bench/serve/peers.py [--quick]
"""

import contextlib
import pathlib
import random
import signal
import sys
import time

import numpy

import bench_models
import figures
from server import Client, Gone

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "peers"))
import sides

SHAPE = "1,3,48,48"
CLIENTS = 8
WARM_UP = 16  # jobs
KILLS = ("worker", "everything")
COUNTS = ("lost", "held", "failed", "ended_twice")
LIMIT_SECONDS = 600  # of one experiment of one side


@contextlib.contextmanager
def bounded(what):
    def over(*_):
        sys.exit(f"after {LIMIT_SECONDS} s still not over: {what}")
    signal.signal(signal.SIGALRM, over)
    signal.alarm(LIMIT_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)


def submit(parsed, side, count, folder, *options, clients=CLIENTS):
    """The load client's figures, and the acknowledged jobs by the side's own ids."""
    answers = folder / "answers.tsv"
    result = figures.load(parsed, side, "submit", *side.submit, "--accepted", side.accepted, "--shape", SHAPE, "--clients", clients, "--count", count,
                          "--answers", answers, *options, pin=figures.pinned())
    rows = [line.split("\t", 2) for line in answers.read_text().splitlines()]
    return result, [side.id(asked, text) for asked, status, text in rows if int(status) == side.accepted]


def state(side, client, id):
    try:
        return side.state(client, id)
    except (Gone, ValueError):  # not up yet
        return None


def wait_for_ends(side, ids, patience):
    """How each job ended that did, and when the last was known to have. Gives up when none ended for `patience` seconds. To ask takes the
    server's time: asks for the newest and any other, and for all when the newest has ended or nothing was seen to for two seconds."""
    client, waiting, ended = Client(side), dict.fromkeys(ids), {}
    chance = random.Random(0)
    changed = swept = time.monotonic()
    while waiting and time.monotonic() - changed < patience:
        asked = time.monotonic()
        newest = next(reversed(waiting))
        all_of_them = state(side, client, newest) or asked - max(changed, swept) > 2
        found = {id: how for id in (list(waiting) if all_of_them else [chance.choice(list(waiting))]) if (how := state(side, client, id))}
        if all_of_them:
            swept = time.monotonic()
        ended.update(found)
        for id in found:
            del waiting[id]
        changed = asked if found else changed
        time.sleep(0.1)
    return ended, changed


def warm_up(parsed, side, folder):
    """Returns the answer to one input, which has to be the same on all sides."""
    _, ids = submit(parsed, side, WARM_UP, folder, "--prefix", "warm", "--seed", 7, clients=1)
    ended, _ = wait_for_ends(side, ids, 60)
    if list(ended.values()).count("done") != WARM_UP:
        sys.exit(f"{side.name} does not work: {ended}")
    return side.result(Client(side), ids[0])


def burst(parsed, side, folder):
    began = time.monotonic()
    result, ids = submit(parsed, side, parsed.count, folder)
    ended, last = wait_for_ends(side, ids, parsed.patience)
    return {**result, "ended": len(ended), "failed": list(ended.values()).count("failed"), "jobs_per_second": len(ended) / (last - began)}


def blow(parsed, side, folder, what):
    _, ids = submit(parsed, side, parsed.kill_count, folder)
    client = Client(side)
    figures.wait_until(lambda: state(side, client, ids[len(ids) // 3]), 60, f"a third of the jobs has ended ({side.name})")
    getattr(side, f"kill_{what}")()
    began = time.monotonic()
    ended, last = wait_for_ends(side, ids, parsed.patience)
    told, missing = side.ends(ids), [id for id in ids if id not in ended]
    held = len(side.held(missing))
    return {"acknowledged": len(ids), "lost": len(missing) - held, "held": held, "failed": list(ended.values()).count("failed"),
            "ended_twice": sum(told[id] > 1 for id in ids), "over_after_seconds": last - began}


def one_side(parsed, name, model, reference):
    got = {}
    for what in ("burst", *KILLS):
        with bounded(f"{what}, {name}"), figures.folder(parsed) as folder, sides.SIDES[name].running(parsed, folder, model) as side:
            side.name = name
            answer = warm_up(parsed, side, folder)
            reference = reference or answer
            if not numpy.allclose(answer, reference, rtol=1e-3, atol=0):
                sys.exit(f"{name} does not answer as the others do: {answer} instead of {reference}")
            got[what] = burst(parsed, side, folder) if what == "burst" else blow(parsed, side, folder, what)
    return got, reference


def line(name, got):
    acknowledgement = got["burst"]["acknowledgement"]
    killed = "; ".join(f"{what} killed: " + ", ".join(f"{got[what][key]} {key}" for key in COUNTS) for what in KILLS)
    return (f"{name:18} p50 {acknowledgement['p50_seconds'] * 1e3:.1f} ms, p99 {acknowledgement['p99_seconds'] * 1e3:.1f} ms, "
            f"{got['burst']['accepted_per_second']:.0f} accepted/s, {got['burst']['jobs_per_second']:.0f} jobs/s; {killed}")


def table(rounds):
    print(f"{'':18} {'acknowledged p50, ms':>22} {'p99, ms':>22} {'a second':>22} {'jobs a second':>22}  an acknowledged job is")
    for name, side in sides.SIDES.items():
        def cell(of, digits=0):
            value = figures.median_of(rounds, lambda each: of(each[name]["burst"]))
            return f"{value[0]:.{digits}f} [{value[1]:.{digits}f}, {value[2]:.{digits}f}]"
        cells = (cell(lambda b: b["acknowledgement"]["p50_seconds"] * 1e3, 2), cell(lambda b: b["acknowledgement"]["p99_seconds"] * 1e3, 2),
                 cell(lambda b: b["accepted_per_second"]), cell(lambda b: b["jobs_per_second"]))
        print(f"{name:18} " + " ".join(f"{each:>22}" for each in cells) + f"  {side.promise}")
        missing = sum(each[name]["burst"]["requests"] - each[name]["burst"]["ended"] + each[name]["burst"]["failed"] for each in rounds)
        if missing:
            print(f"{'':18} {missing} requests of the bursts were refused, failed or never ended")
    for what in KILLS:
        print(f"kill -9 of {'the worker' if what == 'worker' else what}")
        for name in sides.SIDES:
            total = {key: sum(each[name][what][key] for each in rounds) for key in ("acknowledged", *COUNTS)}
            print(f"  {name:18} of {total['acknowledged']} acknowledged: {total['lost']} lost, {total['held']} held back for an hour, "
                  f"{total['failed']} failed, {total['ended_twice']} ended twice")
    print(f"medians of the rounds' figures, with 95 % intervals over {len(rounds)} rounds; of the kills, sums")


def interrupted(number, _):
    """Unwinds, so that what was started is ended, too; a second Ctrl-C does not get in the way of that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(f"peers: ended by {signal.Signals(number).name}")


def main():
    parser = figures.arguments(__doc__, rounds=6)
    parser.add_argument("--count", type=int, default=2000, help="jobs of a burst")
    parser.add_argument("--kill-count", type=int, default=1000, help="jobs acknowledged before a kill")
    parser.add_argument("--patience", type=float, default=30, help="seconds without an end after which what has not ended is lost")
    parsed = figures.parse(parser)
    if parsed.quick:
        parsed.count, parsed.kill_count, parsed.patience = 200, 200, 15
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGINT, interrupted)
    sides.install()
    with figures.folder(parsed) as folder:
        model = folder / "light.onnx"
        seconds = bench_models.make_light(parsed.lapse, model)
        print(f"a model of {seconds * 1e3:.2f} ms on one thread, {parsed.count} jobs a burst, {parsed.kill_count} before a kill, {parsed.rounds} rounds, "
              f"on cores {figures.CORES}")
        rounds, reference = [], None
        for number in range(parsed.rounds):
            print(f"round {number + 1}", flush=True)
            a_round = {}
            for name in list(sides.SIDES) if number % 2 == 0 else reversed(sides.SIDES):
                a_round[name], reference = one_side(parsed, name, model, reference)
                print(f"  {line(name, a_round[name])}", flush=True)
            rounds.append(a_round)
            figures.write(parsed, "peers", rounds, model_seconds=seconds, count=parsed.count, kill_count=parsed.kill_count, patience_seconds=parsed.patience)
    table(rounds)
    print(f"everything in {parsed.out / 'peers.json'}")


if __name__ == "__main__":
    main()
