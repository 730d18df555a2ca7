"""lapse and the others take turns on the same models: round by round, who goes first changes with every round."""

import collections.abc
import dataclasses
import json
import pathlib
import queue
import statistics
import subprocess
import sys
import threading

from lapse import Case, Lapse, median_of
from process import Clock, StepFailed, kill_group

HERE = pathlib.Path(__file__).resolve().parent
ANSWER_SECONDS = 60  # the first answer loads CUDA and the model

Rows = list[dict]
Save = collections.abc.Callable[[], None]


@dataclasses.dataclass(frozen=True)
class Match:
    """One run of lapse, and the methods that measure the same thing."""

    name: str
    flags: tuple[str, ...]
    peers: dict[str, str]  # the method of peers.py -> the series of lapse that is compared with it
    every: int = 1  # rounds


# With --transfers none the inputs lie on the device and the outputs stay there, as they do on the other side.
CUDA_MATCHES = (
    Match("cold", ("--transfers", "none", "--cold-cache"), {"do_bench": "work", "do_bench_backlog": "work"}),
    Match("warm", ("--transfers", "none"), {"events": "device", "timer": "end_to_end"}, every=3),
)
CPU_MATCHES = (Match("warm", (), {"timer": "end_to_end"}),)


def forward(stream: collections.abc.Iterable[str], lines: queue.Queue) -> None:
    """So that a line can be waited for with a time limit; an empty one says that there will be no more."""
    for line in stream:
        lines.put(line)
    lines.put("")


class Peers:
    """The process of peers.py; it is started at the first request, and anew after one that took too long."""

    def __init__(self, python: str, device: str) -> None:
        self.python, self.device = python, device
        self.process: subprocess.Popen | None = None
        self.lines: queue.Queue[str] = queue.Queue()

    def start(self) -> None:
        command = [self.python, str(HERE / "peers.py")]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True, stderr=sys.stderr
        )
        self.lines = queue.Queue()
        threading.Thread(target=forward, args=(self.process.stdout, self.lines), daemon=True).start()

    def times(self, case: Case, method: str, seconds: float, clock: Clock) -> dict:
        if self.process is None or self.process.poll() is not None:
            self.start()
        request = {"model": case.model(), "inputs": list(case.inputs().values()), "device": self.device}
        try:
            print(json.dumps(request | {"method": method, "seconds": seconds}), file=self.process.stdin, flush=True)
            line = self.lines.get(timeout=max(0.1, min(ANSWER_SECONDS, clock.left())))
        except (queue.Empty, OSError):
            self.stop()
            raise StepFailed(f"{method} gave no answer") from None
        reply = json.loads(line) if line else {"error": "the process of peers.py ended"}
        if "error" in reply:
            raise StepFailed(f"{method}: {reply['error']}")
        return reply

    def stop(self) -> None:
        if self.process is not None:
            kill_group(self.process)
            self.process.wait()
            self.process = None


def in_turn(number: int, first: collections.abc.Callable, second: collections.abc.Callable) -> tuple:
    """(first's result, second's result), measured in this order in even rounds and the other way round in odd ones."""
    if number % 2 == 0:
        ours = first()
        return ours, second()
    theirs = second()
    return first(), theirs


def rows_of(cases: list[Case], matches: tuple[Match, ...]) -> Rows:
    return [
        {"model": case.name, "batch": case.batch, "method": method, "series": series, "ours_ns": [], "theirs_ns": [], "device_ns": []}
        for match in matches
        for case in cases
        for method, series in match.peers.items()
    ]


def one_round(number: int, match: Match, case: Case, rows: Rows, lapse: Lapse, peers: Peers, seconds: float, clock: Clock) -> None:
    """Adds one figure a side to the rows of this match and case; a row that has a reason why it can't be measured is left out."""
    mine = {row["method"]: row for row in rows if (row["model"], row["batch"]) == (case.name, case.batch) and "reason" not in row}
    wanted = [method for method in match.peers if method in mine]
    if not wanted:
        return

    def ours() -> dict:
        return lapse.time(f"{case.label()}-{match.name}-{number}", case, list(match.flags), seconds, clock)

    def theirs() -> dict[str, dict]:
        replies = {}
        for method in wanted:
            try:
                replies[method] = peers.times(case, method, seconds / 2, clock)
            except StepFailed as failure:
                if clock.left() > 0:
                    mine[method]["reason"] = str(failure)
        return replies

    try:
        result, replies = in_turn(number, ours, theirs)
        medians = {method: median_of(result, match.peers[method]) for method in replies}
    except StepFailed as failure:
        if clock.left() > 0:
            for method in wanted:
                mine[method].setdefault("reason", failure.brief())
        return
    for method, reply in replies.items():
        row = mine[method]
        row["ours_ns"].append(medians[method])
        row["device_ns"].append(median_of(result, "device"))
        row["theirs_ns"].append(statistics.median(reply["times_ns"]))
        row["bound"] = result.get("audit", {}).get("bound", "")
        row["runs_per_time"] = max(reply["runs_per_time"], row.get("runs_per_time", 1))


def take_turns(
    cases: list[Case],
    matches: tuple[Match, ...],
    lapse: Lapse,
    peers: Peers,
    seconds: float,
    most: int,
    clock: Clock,
    rows: Rows,
    save: Save,
) -> None:
    """As many rounds as the clock allows, `most` at the most. A round that is cut short adds nothing."""
    period = max(match.every for match in matches)
    lengths: dict[int, float] = {}  # of the last round at this place in the period
    for number in range(most):
        if clock.left() < lengths.get(number % period, lengths.get(0, 0.0)):
            break
        began = clock.spent()
        for match in matches:
            for case in cases if number % match.every == 0 else []:
                one_round(number, match, case, rows, lapse, peers, seconds, clock)
        lengths[number % period] = clock.spent() - began
        save()


def audit_turns(cases: list[Case], lapse: Lapse, seconds: float, most: int, clock: Clock, rows: Rows, save: Save) -> None:
    """The same measurement with the audit and without it: end to end, on and off taking turns."""
    for number in range(most):
        began = clock.spent()
        for case in cases:
            row = next((row for row in rows if (row["model"], row["batch"]) == (case.name, case.batch)), None)
            if row is None:
                row = {"model": case.name, "batch": case.batch, "ours_ns": [], "theirs_ns": []}
                rows.append(row)

            def median(setting: str) -> float:
                name = f"{case.label()}-audit_{setting}-{number}"
                return median_of(lapse.time(name, case, ["--audit", setting], seconds, clock), "end_to_end")

            try:
                on, off = in_turn(number, lambda: median("on"), lambda: median("off"))
            except StepFailed:
                if clock.left() > 0 or not row["ours_ns"]:
                    raise
                return
            row["ours_ns"].append(on)
            row["theirs_ns"].append(off)
        save()
        if clock.left() < clock.spent() - began:
            break
