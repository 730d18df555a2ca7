"""lapse's side: the program run on a model, and what its JSON says (docs/json.md)."""

import dataclasses
import json
import pathlib
import tempfile

from process import Clock, StepFailed, must

BACKLOG_KEY = "backlog_device_ns"  # in "audit"
MOST_SECONDS = 45  # of one run of it: one that hangs must not take the time of all others; the first loads gigabytes of libraries


@dataclasses.dataclass(frozen=True)
class Case:
    """A model at one batch size, as models.py wrote it."""

    name: str
    batch: int
    folder: pathlib.Path

    def label(self) -> str:
        return f"{self.name}-b{self.batch}"

    def model(self) -> str:
        return str(self.folder / "model.pt")

    def inputs(self) -> dict[str, str]:
        names = json.loads((self.folder / "model.json").read_text())["inputs"]
        return {name: str(self.folder / f"b{self.batch}" / f"input_{k}.npy") for k, name in enumerate(names)}

    def answers(self) -> list[str]:
        """The right outputs in order; only batch 1 has them."""
        found = (self.folder / f"b{self.batch}").glob("output_*.npy")
        return [str(path) for path in sorted(found)]


def find_cases(models: pathlib.Path, batches: tuple[int, ...]) -> list[Case]:
    folders = sorted(path.parent for path in models.glob("[!.]*/model.json"))
    return [Case(folder.name, batch, folder) for folder in folders for batch in batches]


class Lapse:
    """Keeps every result that it got in `raw`, under a name."""

    def __init__(self, program: pathlib.Path, device: str) -> None:
        self.program = program
        self.device = device
        self.raw: dict[str, dict] = {}

    def result(self, name: str, arguments: list[str], clock: Clock) -> dict:
        """Runs it with `--json`. Raises StepFailed when the program fails."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "result.json"
            must([str(self.program), *arguments, "--device", self.device, "--json", str(path)], clock, most=MOST_SECONDS)
            result = json.loads(path.read_text())
        self.raw[name] = result
        return result

    def time(self, name: str, case: Case, flags: list[str], budget: float, clock: Clock) -> dict:
        """A precision that is not reached: it uses its whole budget, as the other side does."""
        inputs = [word for key, path in case.inputs().items() for word in ("--input", f"{key}={path}")]
        arguments = ["time", case.model(), *inputs, "--budget", f"{budget:g}s", "--precision", "0.00001", "--min-runs", "11", *flags]
        if self.device == "cpu":
            arguments += ["--threads", "1"]  # as peers.py does: a rehearsal shares its machine with others
        return self.result(name, arguments, clock)


def median_of(result: dict, series: str) -> float:
    """Nanoseconds. "work" is the device time behind a backlog, which holds no launch gaps; where the audit had no need of one (the call is
    too short to leave gaps) it is the device time. Raises StepFailed for a series that has no median."""
    if series == "work":
        return float(result.get("audit", {}).get(BACKLOG_KEY) or median_of(result, "device"))
    value = result.get("summary", {}).get(series, {}).get("median_ns", {}).get("value")
    if not value:
        raise StepFailed(f"lapse gave no median of {series}")
    return float(value)


def summary_of(result: dict) -> dict[str, dict]:
    """Of every series that has one: the median with its interval, {"value", "low", "high"}."""
    medians = {series: summary.get("median_ns", {}) for series, summary in result.get("summary", {}).items()}
    return {series: median for series, median in medians.items() if median.get("value") is not None}
