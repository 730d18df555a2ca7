"""The steps of bench/gpu/run. Each takes the bench and its clock, fills `data` as it goes (what is there when it fails is kept), and raises
NotMeasured or StepFailed."""

import collections.abc
import dataclasses
import json
import os
import pathlib
import re
import shutil
import tarfile

import machine as machine_facts
import pairs as turns
from lapse import Case, Lapse, find_cases, summary_of
from plan import BATCHES, ROUNDS, SECONDS
from process import Clock, NotMeasured, StepFailed, last_lines, must, run

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# In TF32, which PyTorch uses for convolutions, numbers have 10 bits behind the point.
ANSWER_TOLERANCE = ("--rtol", "0.02", "--atol", "0.02")


@dataclasses.dataclass
class Bench:
    """What the steps share."""

    python: str
    build: pathlib.Path
    lapse: Lapse
    quick: bool
    save: collections.abc.Callable[[], None]
    stale: bool = False  # the program is there, but of another state of the tree

    def cuda(self) -> bool:
        return self.lapse.device != "cpu"

    def rounds(self, step: str) -> int:
        return ROUNDS[step][self.quick]

    def seconds(self) -> float:
        return SECONDS[self.quick]

    def models(self) -> pathlib.Path:
        return self.build / ("models" if self.cuda() else "small-models")

    def cases(self) -> list[Case]:
        found = find_cases(self.models(), BATCHES)
        if not found:
            raise NotMeasured("there are no models")
        return found

    def need_program(self) -> None:
        if self.stale or not self.lapse.program.exists():
            raise NotMeasured("lapse is not built")


def machine(bench: Bench, clock: Clock, data: dict) -> None:
    data |= machine_facts.facts(bench.python, clock)
    for line in [machine_facts.describe(data), *(f"  {key}: {value}" for key, value in data.items())]:
        print(line, flush=True)


def torch_folder(python: str, clock: Clock) -> str:
    """The CMake package of a pip-installed PyTorch; "" for a distribution's, which CMake finds by itself."""
    code = "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])"
    folder = pathlib.Path(must([python, "-c", code], clock).out.strip().splitlines()[-1]) / "share/cmake/Torch"
    return str(folder) if folder.exists() else ""


def unpack(build: pathlib.Path) -> list[str]:
    """The pack of bench/gpu/pack, where there is one, laid beside what is built; what CMake is to be told of it."""
    archive, pack = ROOT / ".gpu-pack/pack.tar.gz", build / "pack"
    if not archive.exists():
        return []
    if not pack.exists() or pack.stat().st_mtime < archive.stat().st_mtime:
        shutil.rmtree(pack, ignore_errors=True)
        with tarfile.open(archive) as tar:
            tar.extractall(build, filter="tar") if hasattr(tarfile, "tar_filter") else tar.extractall(build)
        os.utime(pack)
    return ["-C", str(pack / "cache.cmake")]


def build(bench: Bench, clock: Clock, data: dict) -> None:
    bench.build.mkdir(exist_ok=True)
    bench.stale = True
    cuda = "ON" if bench.cuda() else "OFF"
    options = {"CMAKE_BUILD_TYPE": "Release", "LAPSE_TESTS": "ON", "LAPSE_WITH_TORCH": "ON", "LAPSE_WITH_CUDA": cuda}
    if folder := torch_folder(bench.python, clock):
        options["Torch_DIR"] = folder
    environment = {"PATH": f"{os.environ['PATH']}:{os.path.dirname(machine_facts.nvcc())}"}
    configure = ["cmake", "-G", "Ninja", "-S", str(ROOT), "-B", str(bench.build), *unpack(bench.build)]
    done = must([*configure, *(f"-D{key}={value}" for key, value in options.items())], clock, environment)
    data["configure_seconds"] = round(done.seconds, 1)
    data["engines"] = [line[3:] for line in done.out.splitlines() if line.startswith("-- Engine") or line.startswith("-- CUDA")]
    jobs = str(len(os.sched_getaffinity(0)))
    done = must(["cmake", "--build", str(bench.build), "-j", jobs, "--target", "product"], clock, environment)
    data["product_seconds"] = round(done.seconds, 1)
    bench.stale = False
    # A test that does not compile must not keep the rest from being measured.
    done = run(["cmake", "--build", str(bench.build), "-j", jobs, "--", "-k", "0"], clock, environment)
    data["tests_seconds"] = round(done.seconds, 1)
    print(
        f"  configured in {data['configure_seconds']} s, lapse in {data['product_seconds']} s, tests in {data['tests_seconds']} s",
        flush=True,
    )
    if done.status != 0:
        errors = [line for line in done.out.splitlines() if "error" in line or line.startswith("FAILED")]
        raise StepFailed("not everything could be built", last_lines("\n".join(errors)))


def models(bench: Bench, clock: Clock, data: dict) -> None:
    bench.models().mkdir(parents=True, exist_ok=True)
    must([bench.python, str(HERE / "models.py"), str(bench.models()), *([] if bench.cuda() else ["small"])], clock)
    data["names"] = sorted({case.name for case in bench.cases()})


def onnxruntime_for_cuda(bench: Bench, clock: Clock) -> pathlib.Path | None:
    """A library with the CUDA provider beside it: that of ORT_DYLIB_PATH, or of Python's onnxruntime."""
    code = "import importlib.util as u; s = u.find_spec('onnxruntime'); print(s.submodule_search_locations[0] if s else '')"
    lines = run([bench.python, "-c", code], clock).out.strip().splitlines()
    folders = [pathlib.Path(lines[-1]) / "capi"] if lines and lines[-1] else []
    if named := os.environ.get("ORT_DYLIB_PATH"):
        folders.insert(0, pathlib.Path(named).resolve().parent)
    for folder in folders:
        libraries = sorted(folder.glob("libonnxruntime.so*"))
        if libraries and (folder / "libonnxruntime_providers_cuda.so").exists():
            return libraries[0]
    return None


def gpu_tests(listed: dict) -> dict[str, tuple[list[str], dict[str, str]]]:
    """What `ctest --show-only=json-v1` lists, by program: GoogleTest's names of its cases, and the environment that they want."""
    programs: dict[str, tuple[list[str], dict[str, str]]] = {}
    for test in listed["tests"]:
        properties = {each["name"]: each["value"] for each in test.get("properties", [])}
        command = test.get("command", [])
        case = next((word.partition("=")[2] for word in command if word.startswith("--gtest_filter=")), None)
        if case is not None and "gpu" in properties.get("LABELS", []):
            environment = dict(pair.split("=", 1) for pair in properties.get("ENVIRONMENT", []))
            programs.setdefault(command[0], ([], environment))[0].append(case)
    return programs


def read_states(path: pathlib.Path) -> dict[str, str]:
    """GoogleTest's own results: name of a case -> "passed", "failed" or "skipped"."""
    states = {}
    for suite in json.loads(path.read_text())["testsuites"] if path.exists() else []:
        for case in suite["testsuite"]:
            state = "failed" if case.get("failures") else "skipped" if case.get("result") == "SKIPPED" else "passed"
            states[f"{suite['name']}.{case['name']}"] = state
    return states


def read_faults(out: str) -> dict[str, list[int]]:
    """What the test of the seeded faults says: name of the fault -> [found in, of]."""
    lines = re.findall(r"^(\S+): (?:a fault )?found in (\d+) of (\d+)$", out, re.MULTILINE)
    return {name: [int(found), int(of)] for name, found, of in lines}


def tests(bench: Bench, clock: Clock, data: dict) -> None:
    """A process a program: one a case, as ctest does it, would load gigabytes of CUDA libraries again for every case."""
    bench.need_program()
    if not bench.cuda():
        raise NotMeasured("no GPU")
    listed = must(["ctest", "--test-dir", str(bench.build), "-L", "gpu", "--show-only=json-v1"], clock).out
    programs = gpu_tests(json.loads(listed[listed.index("{") :]))
    if not programs:
        raise StepFailed("there is no test with the label gpu")
    states = data["cases"] = {}
    faults = data["faults"] = {}
    problems = []
    library = onnxruntime_for_cuda(bench, clock)
    for program, (all_cases, environment) in programs.items():
        cases = [case for case in all_cases if library is not None or "onnxruntime" not in case]
        data["left_out"] = data.get("left_out", 0) + len(all_cases) - len(cases)  # there is no CUDA provider to test
        if not cases:
            continue
        results = bench.build / f"{pathlib.Path(program).name}.json"
        results.unlink(missing_ok=True)
        command = [program, f"--gtest_filter={':'.join(cases)}", f"--gtest_output=json:{results}", "--gtest_brief=1"]
        try:
            out = run(command, clock, environment | {"LAPSE_TEST_GPU": "1"} | ({"ORT_DYLIB_PATH": str(library)} if library else {})).out
        except StepFailed as failure:
            out = "\n".join(failure.tail)
            problems.append(str(failure))
        states |= dict.fromkeys(cases, "failed") | read_states(results)  # a program that died has no results
        faults |= read_faults(out)
        problems += [line for line in out.splitlines() if ": Failure" in line or line.startswith("[  FAILED  ]")]
    if "failed" in states.values():
        raise StepFailed("there are failed tests", problems[-40:])


def doctor(bench: Bench, clock: Clock, data: dict) -> None:
    bench.need_program()
    if not bench.cuda():
        raise NotMeasured("no GPU")
    path = bench.build / "doctor.json"
    path.unlink(missing_ok=True)
    outcome = run([str(bench.lapse.program), "doctor", "--device", bench.lapse.device, "--json", str(path)], clock,
                  machine_facts.with_cupti(bench.python))
    if outcome.status != 0 or not path.exists():
        raise StepFailed(f"lapse doctor ended with {outcome.status}", last_lines(outcome.out))
    data["result"] = json.loads(path.read_text())


def fail_with_reasons(rows: list[dict], kind: str) -> None:
    """Raises StepFailed when a row has a reason why it is not there; each reason is told once."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if "reason" in row:
            reasons.setdefault(row["reason"], []).append(f"{row['model']} b{row['batch']} {row[kind]}")
    if reasons:
        failed = sum(len(names) for names in reasons.values())
        raise StepFailed(
            f"{failed} of {len(rows)} could not be measured", [f"{', '.join(names)}: {reason}" for reason, names in reasons.items()]
        )


VARIANTS = {
    "pinned": ["--transfers", "pinned"],
    "pageable": ["--transfers", "pageable"],
    "graph": ["--transfers", "pinned", "--cuda-graph"],
}


def transfers(bench: Bench, clock: Clock, data: dict) -> None:
    """Each model as a user would time it: submit, stages, device and end to end, and the memory that it takes on the device."""
    bench.need_program()
    rows = data["rows"] = []
    variants = VARIANTS if bench.cuda() else {"pinned": []}
    asked = [(case, "pinned") for case in bench.cases()]
    asked += [(case, variant) for variant in variants if variant != "pinned" for case in bench.cases() if case.batch == 1]
    for case, variant in asked:
        expected = [word for k, path in enumerate(case.answers()) for word in ("--expect", f"{k}={path}")]
        flags = [*variants[variant], *expected, *(ANSWER_TOLERANCE if expected else ())]
        row = {"model": case.name, "batch": case.batch, "variant": variant}
        rows.append(row)
        try:
            result = bench.lapse.time(f"{case.label()}-{variant}", case, flags, bench.seconds(), clock)
        except StepFailed as failure:
            row["reason"] = failure.brief()
            continue
        row["summary"] = summary_of(result)
        row["device_peak_bytes"] = result.get("memory", {}).get("device_peak_bytes")
        row["answer"] = result.get("answer", {}).get("verdict")
        row["audit"] = result.get("audit")
        row["warnings"] = [warning["code"] for warning in result.get("warnings", [])]
    fail_with_reasons(rows, "variant")


def onnxruntime(bench: Bench, clock: Clock, data: dict) -> None:
    bench.need_program()
    if not bench.cuda():
        raise NotMeasured("no GPU")
    library = onnxruntime_for_cuda(bench, clock)
    if library is None:
        raise NotMeasured("no ONNX Runtime with a CUDA provider here")
    data["library"] = library.name
    arguments = ["time", str(ROOT / "models/demo"), "--engine-lib", str(library), "--budget", f"{2 * bench.seconds():g}s"]
    data["summary"] = summary_of(bench.lapse.result("onnxruntime-demo", arguments, clock))


def overlap(bench: Bench, clock: Clock, data: dict) -> None:
    """ResNet-50 at the largest batch, synchronously and asynchronously, with a CPU stage as long as the device's: the best case."""
    bench.need_program()
    case = max((case for case in bench.cases() if case.name == "resnet50"), key=lambda case: case.batch)
    inputs = [word for key, path in case.inputs().items() for word in ("--input", f"{key}={path}")]
    items = ["--synthetic", str(case.batch * (10 if bench.quick else 50))]
    command = ["pipeline", case.model(), *inputs, *items]
    alone = bench.lapse.result("overlap-alone", [*command, "--rounds", "1"], clock)
    busy = dict(zip((stage["name"] for stage in alone["stages"]), alone["ways"]["synchronous"]["busy_ns"]))
    data["cpu_time_ns"] = round(max(busy["forward"], busy.get("h2d", 0), busy.get("d2h", 0)) - busy["preprocess"])
    rest = ["--cpu-time", f"{max(data['cpu_time_ns'], 0)}ns", "--rounds", str(bench.rounds("overlap"))]
    result = bench.lapse.result("overlap", [*command, *rest], clock)
    data |= {"model": case.name, "batch": case.batch} | {key: result[key] for key in ("speedup", "bound", "answer", "stages")}
    data["ways"] = {name: {key: way[key] for key in ("throughput_per_s", "busy_ns", "utilisation", "latency")} for name, way in result["ways"].items()}


def audit(bench: Bench, clock: Clock, data: dict) -> None:
    """On the fastest inference, where a fixed cost shows most."""
    bench.need_program()
    rows = data["rows"] = []
    cases = [case for case in bench.cases() if (case.name, case.batch) == ("espcn", 1)]
    turns.audit_turns(cases, bench.lapse, bench.seconds(), bench.rounds("audit"), clock, rows, bench.save)


def pairs(bench: Bench, clock: Clock, data: dict) -> None:
    bench.need_program()
    cases = bench.cases()
    matches = turns.CUDA_MATCHES if bench.cuda() else turns.CPU_MATCHES
    rows = data["rows"] = turns.rows_of(cases, matches)
    peers = turns.Peers(bench.python, bench.lapse.device)
    try:
        turns.take_turns(cases, matches, bench.lapse, peers, bench.seconds(), bench.rounds("pairs"), clock, rows, bench.save)
    finally:
        peers.stop()
    for row in rows:
        if not row["ours_ns"]:
            row.setdefault("reason", "no time left")
    fail_with_reasons(rows, "method")


STEPS = {
    "machine": machine,
    "build": build,
    "models": models,
    "tests": tests,
    "doctor": doctor,
    "transfers": transfers,
    "onnxruntime": onnxruntime,
    "overlap": overlap,
    "audit": audit,
    "pairs": pairs,
}
