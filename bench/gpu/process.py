"""Commands and the time they may take: a step of bench/gpu/run has a clock, and what outlasts it is killed with all its children."""

import contextlib
import dataclasses
import os
import re
import signal
import subprocess
import time

TAIL_LINES = 12


class NotMeasured(Exception):
    """There is nothing to measure here; the text is the reason."""


class StepFailed(Exception):
    """Something broke; `tail` holds the last lines that it said."""

    def __init__(self, reason: str, tail: list[str] | None = None) -> None:
        super().__init__(reason)
        self.tail = tail or []

    def brief(self) -> str:
        return ": ".join([str(self), " ".join(line.strip() for line in self.tail[-2:])] if self.tail else [str(self)])


class Clock:
    """Counts down from a number of seconds; a part of it never outlasts the whole."""

    def __init__(self, seconds: float, whole: "Clock | None" = None) -> None:
        self.seconds = seconds
        self.started = time.monotonic()
        self.end = self.started + seconds if whole is None else min(self.started + seconds, whole.end)

    def left(self) -> float:
        return max(0.0, self.end - time.monotonic())

    def spent(self) -> float:
        return time.monotonic() - self.started


@dataclasses.dataclass(frozen=True)
class Outcome:
    status: int
    out: str
    seconds: float


def spell(command: list[str], most: int | None = None) -> str:
    """As a record may show it: programs and files of this machine by their names alone, and the first `most` words of it."""
    return " ".join(re.sub(r"[^ =]*/([^/ ]+)", r"\1", str(word)) for word in command[:most])


def last_lines(text: str, count: int = TAIL_LINES) -> list[str]:
    return [line[:400] for line in text.splitlines() if line.strip()][-count:]


def kill_group(process: subprocess.Popen) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def run(command: list[str], clock: Clock, environment: dict[str, str] | None = None, most: float = float("inf")) -> Outcome:
    """stdout and stderr together. Raises StepFailed when the clock (or `most` seconds) is over or the program can't be started."""
    limit = min(clock.left(), most)
    name = spell(command, 2)
    if limit <= 0:
        raise StepFailed(f"no time left for {name}")
    started = time.monotonic()
    try:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            env=os.environ | (environment or {}),
        )
    except OSError as error:
        raise StepFailed(f"can't start {command[0]}: {error.strerror}") from None
    try:
        out, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        kill_group(process)
        out, _ = process.communicate()
        raise StepFailed(f"{name} took longer than {limit:.0f} s", [spell(command), *last_lines(out)]) from None
    except BaseException:
        kill_group(process)
        raise
    return Outcome(process.returncode, out, time.monotonic() - started)


def must(command: list[str], clock: Clock, environment: dict[str, str] | None = None, most: float = float("inf")) -> Outcome:
    """The same, and another exit status than 0 is a StepFailed."""
    outcome = run(command, clock, environment, most)
    if outcome.status != 0:
        raise StepFailed(f"{spell(command, 2)} ended with {outcome.status}", [spell(command), *last_lines(outcome.out)])
    return outcome
