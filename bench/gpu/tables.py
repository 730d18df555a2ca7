"""The record of bench/gpu/run as goals and tables: pure, from a dictionary to text. What was not measured says so; nothing is estimated."""

import dataclasses
import textwrap
from statistics import median

from machine import describe
from plan import AUDIT_GOAL, BATCHES, DEVICE_GOAL, FAULTS, MODELS, STEPS
from ratios import MIN_ROUNDS, Ratio, paired_ratio

SCHEMA = "lapse.gpu_bench/1"
NOT_MEASURED = "not measured"
LINE_WIDTH = 130
METHODS = {"do_bench": "do_bench", "do_bench_backlog": "do_bench", "events": "two events", "timer": "Timer"}

EXTRAS = {"device_ns": "lapse device ms", "bound": "bound", "runs_per_time": "runs a block"}


@dataclasses.dataclass(frozen=True)
class Table:
    title: str
    columns: list[str]
    rows: list[list[str]]
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Goal:
    text: str
    state: str  # "met", "missed" or "not measured"
    detail: str = ""


def data_of(record: dict, step: str) -> dict:
    return record["steps"].get(step, {}).get("data") or {}


def reason_of(record: dict, step: str) -> str:
    """Why a step has no figures."""
    return record["steps"].get(step, {}).get("reason", "")


def merge(records: list[dict]) -> dict:
    """Several runs of one commit on one kind of GPU as one record: the rounds of pairs and audit are joined, of any other step the last
    one that measured something stays. Raises ValueError for records of different things."""
    same = {(record["commit"], data_of(record, "machine").get("gpu", {}).get("name", "")) for record in records}
    if len(same) > 1:
        raise ValueError(f"not of one commit on one kind of GPU: {sorted(same)}")
    merged = records[-1] | {"steps": {}, "argv": [argv for record in records for argv in record["argv"]]}
    for step in STEPS:
        entries = [record["steps"][step] for record in records if step in record["steps"]]
        measured = [entry for entry in entries if entry["status"] != NOT_MEASURED]
        if not entries:
            continue
        merged["steps"][step] = (measured or entries)[-1]
        if step in ("pairs", "audit") and len(measured) > 1:
            rows = join_rows([entry["data"].get("rows", []) for entry in measured if entry.get("data")])
            merged["steps"][step] = measured[-1] | {"data": {"rows": rows}}
    return merged


def join_rows(several: list[list[dict]]) -> list[dict]:
    """Rows of the same model, batch and method become one that has the rounds of all."""
    joined: dict[tuple, dict] = {}
    for rows in several:
        for row in rows:
            key = (row["model"], row["batch"], row.get("method"))
            before = joined.get(key, {})
            joined[key] = row | {name: before.get(name, []) + values for name, values in row.items() if name.endswith("_ns")}
            if joined[key]["ours_ns"]:
                joined[key].pop("reason", None)
    return list(joined.values())


def ratio_of(row: dict) -> Ratio | None:
    return paired_ratio(row["ours_ns"], row["theirs_ns"])


def rows_by_case(record: dict, step: str, method: str | None = None) -> dict[tuple[str, int], dict]:
    rows = data_of(record, step).get("rows", [])
    return {(row["model"], row["batch"]): row for row in rows if row.get("method") == method}


# The goals.


def goals(record: dict) -> list[Goal]:
    return [device_goal(record), audit_goal(record), faults_goal(record), tests_goal(record), doctor_goal(record)]


def judge(text: str, ratios: list[Ratio | None], met: list[bool], wanted: int) -> Goal:
    """Met only when there is a ratio with an interval for each of the `wanted`, and each is within the goal."""
    measured = [ratio for ratio in ratios if ratio is not None]
    if not measured:
        return Goal(text, NOT_MEASURED)
    detail = f"{sum(met)} of {wanted}"
    short = [ratio for ratio in measured if ratio.low is None]
    if short:
        detail += f"; {len(short)} with fewer than {MIN_ROUNDS} rounds, which is too few for an interval"
    return Goal(text, "met" if sum(met) == wanted and not short else "missed", detail)


def device_goal(record: dict) -> Goal:
    """Like with like: where launching takes longer than the work, do_bench's figure holds gaps that depend on Python; there the one with a
    backlog counts."""
    plain, backlog = rows_by_case(record, "pairs", "do_bench"), rows_by_case(record, "pairs", "do_bench_backlog")
    rows = [backlog.get(case, row) if row.get("bound") == "launch" else row for case, row in plain.items()]
    ratios = [ratio_of(row) for row in rows]
    met = [ratio is not None and abs(ratio.value - 1) <= DEVICE_GOAL for ratio in ratios]
    return judge(f"lapse's device time within {DEVICE_GOAL:.0%} of do_bench's", ratios, met, len(MODELS) * len(BATCHES))


def audit_goal(record: dict) -> Goal:
    rows = rows_by_case(record, "audit")
    ratios = [ratio_of(row) for row in rows.values()]
    met = [ratio is not None and ratio.value <= AUDIT_GOAL for ratio in ratios]
    return judge(f"the audit costs at most {AUDIT_GOAL - 1:.0%}", ratios, met, max(1, len(rows)))


def faults_goal(record: dict) -> Goal:
    counts = data_of(record, "tests").get("faults", {})
    text = "every seeded fault found on real streams, none in clean runs"
    if not counts:
        return Goal(text, NOT_MEASURED)
    found = [counts[name][0] == counts[name][1] for name in FAULTS if name in counts]
    clean = counts.get("clean", [None])[0] == 0
    detail = f"{sum(found)} of {len(FAULTS)} always found, {'none' if clean else 'some'} in clean runs"
    return Goal(text, "met" if sum(found) == len(FAULTS) and clean else "missed", detail)


def tests_goal(record: dict) -> Goal:
    text = "every test that needs a GPU passes"
    states = list(data_of(record, "tests").get("cases", {}).values())
    if not states:
        return Goal(text, NOT_MEASURED)
    counts = ", ".join(f"{states.count(state)} {state}" for state in ("passed", "failed", "skipped"))
    return Goal(text, "met" if states.count("passed") == len(states) else "missed", counts)


def doctor_goal(record: dict) -> Goal:
    text = "events behind a backlog within 1 % or 2 us of work of known length"
    rows = data_of(record, "doctor").get("result", {}).get("rows", [])
    if not rows:
        return Goal(text, NOT_MEASURED)
    within = [bool(row["within_goal"]) for row in rows]
    return Goal(text, "met" if all(within) else "missed", f"{sum(within)} of {len(within)} lengths")


# The tables.


def tables(record: dict) -> list[Table]:
    return [
        pair_table(
            record,
            "do_bench",
            "Device time beside triton.testing.do_bench",
            "Both flush the L2 cache before each run, leave transfers out and time one run between two events. lapse: --transfers none "
            "--cold-cache; its work is the device time behind a backlog, without launch gaps, and is what is compared; its device time "
            "(shown) is that of a run which finds the device idle. do_bench queues runs up without waiting, so it has a backlog as long as "
            "launching is quicker than the work. Where it is not (bound: launch), do_bench holds gaps and the goal goes by the next table.",
            ("device_ns", "bound"),
        ),
        pair_table(
            record,
            "do_bench_backlog",
            "The same, with a backlog on both sides",
            "do_bench with torch.cuda._sleep behind its flush, longer than launching takes: no gaps on either side.",
        ),
        pair_table(
            record,
            "events",
            "Device time beside two torch.cuda.Events and a wait",
            "Both: warm cache, no transfers, one run at a time (lapse: --transfers none).",
        ),
        pair_table(
            record,
            "timer",
            "End to end beside torch.utils.benchmark.Timer.blocked_autorange",
            "Host's clock, warm cache, no transfers. Timer synchronises round a block: where a block has more than one run (last column), "
            "its figure is a mean of runs that overlap launch and work, and lapse's, of single runs, is rightly longer.",
            ("runs_per_time",),
        ),
        transfers_table(record),
        doctor_table(record),
        faults_table(record),
        audit_table(record),
        onnxruntime_table(record),
        overlap_table(record),
        steps_table(record),
    ]


def milliseconds(ns: float | None) -> str:
    return "-" if ns is None else f"{ns / 1e6:.4g}"


def interval(ratio: Ratio) -> str:
    return "-" if ratio.low is None else f"[{ratio.low:.4f}, {ratio.high:.4f}]"


def every_case() -> list[tuple[str, int]]:
    return [(model, batch) for model in MODELS for batch in BATCHES]


def missing(reason: str) -> str:
    return f"{NOT_MEASURED}: {reason}" if reason else NOT_MEASURED


def pair_table(record: dict, method: str, title: str, note: str, extras: tuple[str, ...] = ()) -> Table:
    """`extras`: keys of the rows that get columns of their own."""
    found = rows_by_case(record, "pairs", method)
    tried = bool(data_of(record, "pairs"))  # then a row tells its own reason, and one that is not there was not asked for
    rows = []
    for model, batch in every_case():
        row = found.get((model, batch), {})
        ratio = ratio_of(row) if row else None
        if ratio is None:
            rows.append([model, str(batch), missing(row.get("reason", "") if tried else reason_of(record, "pairs"))])
            continue
        cells = [milliseconds(median(row["ours_ns"])), milliseconds(median(row["theirs_ns"])), f"{ratio.value:.4f}", interval(ratio)]
        rows.append([model, str(batch), *cells, str(ratio.rounds), *(extra_cell(row.get(key)) for key in extras)])
    ours = "lapse work ms" if method.startswith("do_bench") else "lapse ms"
    return Table(
        title,
        ["model", "batch", ours, METHODS[method] + " ms", "ratio", "95 % interval", "rounds", *(EXTRAS[key] for key in extras)],
        rows,
        note,
    )


def extra_cell(value: list[float] | str | int | None) -> str:
    if isinstance(value, list):
        return milliseconds(median(value)) if value else "-"
    return str(value or "-")


def transfers_table(record: dict) -> Table:
    found = {(row["model"], row["batch"], row["variant"]): row for row in data_of(record, "transfers").get("rows", [])}
    series = ("submit", "h2d", "device", "d2h", "end_to_end")
    rows = []
    for model, batch, variant in [*((*case, "pinned") for case in every_case()), *(key for key in found if key[2] != "pinned")]:
        row = found.get((model, batch, variant), {})
        if "summary" not in row:
            rows.append([model, str(batch), variant, missing(row.get("reason") or reason_of(record, "transfers"))])
            continue
        cells = [milliseconds(row["summary"].get(name, {}).get("value")) for name in series]
        peak = row.get("device_peak_bytes")
        rows.append([model, str(batch), variant, *cells, "-" if not peak else f"{peak / 2**20:.0f}"])
    columns = ["model", "batch", "", *(f"{name} ms" for name in series), "peak MiB"]
    note = "lapse alone, medians. pinned, pageable: the host memory that is copied from and to. graph: pinned, and --cuda-graph."
    return Table("One inference with its transfers, and the most device memory in use", columns, rows, note)


def with_interval(summary: dict | None) -> str:
    if summary is None:
        return "-"
    text = milliseconds(summary["value"])
    if summary.get("low") is None or summary.get("high") is None:
        return text
    return f"{text} [{milliseconds(summary['low'])}, {milliseconds(summary['high'])}]"


def doctor_table(record: dict) -> Table:
    result = data_of(record, "doctor").get("result", {})
    methods = ("events", "events_behind_backlog", "synchronised", "call", "witness")
    rows = [
        [
            microseconds(row["truth_ns"]),
            str(row["runs"]),
            *(error_of(row[method]) for method in methods),
            "yes" if row["within_goal"] else "no",
        ]
        for row in result.get("rows", [])
    ]
    columns = ["known us", "runs", "events", "with backlog", "host, waiting", "call alone", result.get("witness") or "CUPTI", "backlog within goal"]
    pair, empty = microseconds(result.get("empty_pair_ns")), microseconds(result.get("empty_work_ns"))
    note = f"Median error, and the worst, in us. Two marks with nothing between them read {pair} us, round an empty kernel {empty} us; "
    note += f"never subtracted. {result.get('witness_error', '')}"
    title = "lapse doctor: work of known length, timed by each method"
    return Table(title, columns, rows, note) if rows else Table(title, columns, [["5 to 50000", missing(reason_of(record, "doctor"))]])


def microseconds(ns: float | None) -> str:
    return "-" if ns is None else f"{ns / 1e3:.5g}"


def error_of(error: dict | None) -> str:
    return "-" if error is None else f"{error['median_ns'] / 1e3:+.4g} ({error['worst_ns'] / 1e3:+.4g})"


def faults_table(record: dict) -> Table:
    counts = data_of(record, "tests").get("faults", {})
    absent = missing("" if counts else reason_of(record, "tests"))
    rows = [[name, f"{counts[name][0]} of {counts[name][1]}" if name in counts else absent] for name in (*FAULTS, "clean")]
    return Table("Seeded faults on real streams", ["fault", "found in"], rows)


def audit_table(record: dict) -> Table:
    rows = []
    for (model, batch), row in rows_by_case(record, "audit").items():
        ratio = ratio_of(row)
        if ratio is not None:
            on, off = milliseconds(median(row["ours_ns"])), milliseconds(median(row["theirs_ns"]))
            rows.append([model, str(batch), on, off, f"{ratio.value:.4f}", interval(ratio), str(ratio.rounds)])
    columns = ["model", "batch", "on ms", "off ms", "ratio", "95 % interval", "rounds"]
    return Table("What the audit costs, end to end", columns, rows or [["any", "-", missing(reason_of(record, "audit"))]])


def onnxruntime_table(record: dict) -> Table:
    data = data_of(record, "onnxruntime")
    columns = ["model", "device ms", "end_to_end ms"]
    title = "ONNX Runtime's CUDA provider"
    if "summary" not in data:
        return Table(title, columns, [["models/demo", missing(reason_of(record, "onnxruntime"))]])
    return Table(title, columns, [["models/demo", *(with_interval(data["summary"].get(name)) for name in ("device", "end_to_end"))]])


def overlap_table(record: dict) -> Table:
    data = data_of(record, "overlap")
    columns = ["model", "batch", "synchronous /s", "asynchronous /s", "speed-up", "bound /s", "of the bound", "answers"]
    title = "Synchronous and asynchronous: lapse pipeline with a CPU stage as long as the device's slowest"
    if "ways" not in data:
        return Table(title, columns, [["resnet50", str(max(BATCHES)), missing(reason_of(record, "overlap"))]])
    throughput = [f"{data['ways'][way]['throughput_per_s']:.4g}" for way in ("synchronous", "asynchronous")]
    bound = data["bound"]
    row = [data["model"], str(data["batch"]), *throughput, ratio_cell(data["speedup"]), f"{bound['throughput_per_s']:.4g} ({bound['stage']})",
           ratio_cell(bound["efficiency"]), data["answer"]["verdict"]]
    return Table(title, columns, [row])


def ratio_cell(ratio: dict) -> str:
    text = f"{ratio['value']:.3f}"
    return text if ratio["low"] is None else f"{text} [{ratio['low']:.3f}, {ratio['high']:.3f}]"


def steps_table(record: dict) -> Table:
    rows = []
    for step in STEPS:
        entry = record["steps"].get(step, {"status": NOT_MEASURED, "reason": "not asked for"})
        seconds = f"{entry['seconds']:.0f}" if "seconds" in entry else "-"
        rows.append([step, entry["status"], seconds, f"{entry['limit']:.0f}" if "limit" in entry else "-", entry.get("reason", "")])
    return Table("Steps", ["step", "status", "seconds", "limit", "reason"], rows)


# As text.


def shorten(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."


def as_ascii(table: Table, widest_cell: int = 90) -> list[str]:
    """A row that is shorter than the columns says something instead of them: its last cell may reach over."""
    cells = [[shorten(cell.encode("ascii", "replace").decode(), widest_cell) for cell in row] for row in [table.columns, *table.rows]]
    widths = [
        max(len(row[k]) for row in cells if k + 1 < len(row) or k + 1 == len(table.columns) == len(row)) for k in range(len(table.columns))
    ]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row[:-1], widths)) + "  " * (len(row) > 1) + row[-1] for row in cells]
    note = textwrap.wrap(table.note.encode("ascii", "replace").decode(), LINE_WIDTH, initial_indent="   ", subsequent_indent="   ")
    return [f"== {table.title}", *note, *(line.rstrip() for line in lines)]


def as_markdown(table: Table) -> list[str]:
    def line(row: list[str]) -> str:
        padded = [*row, *[""] * (len(table.columns) - len(row))]
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in padded) + " |"

    head = [f"## {table.title}", "", *([table.note, ""] if table.note else [])]
    return [*head, line(table.columns), "|" + "---|" * len(table.columns), *(line(row) for row in table.rows), ""]


def summary(record: dict) -> list[str]:
    """What `run` prints last: under a hundred lines, ASCII."""
    lines = [f"lapse {record['commit'][:12]} on {describe(data_of(record, 'machine'))}".encode("ascii", "replace").decode()]
    *measured, steps = tables(record)
    for table in (*measured, dataclasses.replace(steps, rows=[row for row in steps.rows if row[1] != "ok"])):
        lines += as_ascii(table) if table.rows else []
    lines.append("== Goals")
    return lines + [f"{goal.state:13} {goal.text}{f' ({goal.detail})' if goal.detail else ''}" for goal in goals(record)]


def page(record: dict, raw: str) -> str:
    """The Markdown page of docs/measurements."""
    rows = [[goal.text, goal.state, goal.detail] for goal in goals(record)]
    lines = [
        f"# {record['created'][:10]}: lapse on a GPU",
        "",
        f"**Machine.** {describe(data_of(record, 'machine'))}.",
        f"**Command.** {', then '.join(f'`{argv}`' for argv in record['argv'])} at commit {record['commit'][:12]}; figures of every round "
        f"are in [{raw}]({raw}). Both sides of a comparison take turns, round by round; a ratio is the median of the rounds' ratios, with "
        f"its 95 % interval by order statistics, which needs {MIN_ROUNDS} rounds. Models have seeded random weights.",
        "",
        *as_markdown(Table("Goals", ["goal", "state", "detail"], rows)),
    ]
    for table in tables(record):
        lines += as_markdown(table)
    return "\n".join(lines).rstrip() + "\n"
