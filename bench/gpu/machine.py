"""What machine this is: read once, printed first, kept in the record."""

import json
import os
import pathlib
import shutil

from process import Clock, StepFailed, run

GPU_FIELDS = (
    "name",
    "driver_version",
    "memory.total",
    "compute_cap",
    "pstate",
    "temperature.gpu",
    "power.draw",
    "power.limit",
    "clocks.sm",
    "clocks.max.sm",
    "clocks.mem",
    "persistence_mode",
    "ecc.mode.current",
    "mig.mode.current",
)

PYTHON = """
import importlib.metadata, json, sys
facts = {"python": sys.version.split()[0]}
for name in ("torch", "torchvision", "triton", "numpy", "onnx", "onnxruntime"):
    try:
        facts[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        facts[name] = ""
try:
    import torch
    facts["torch"] = torch.__version__
    facts["torch_cuda"] = torch.version.cuda or ""
    facts["torch_sees_gpu"] = torch.cuda.is_available()
    facts["cudnn"] = str(torch.backends.cudnn.version() or "")
    facts["allow_tf32"] = {"conv": torch.backends.cudnn.allow_tf32, "matmul": torch.backends.cuda.matmul.allow_tf32}
except Exception:
    pass
print(json.dumps(facts))
"""


def said(command: list[str], clock: Clock) -> str:
    """What a program says, or nothing where it is not there or fails."""
    try:
        outcome = run(command, clock, most=60)
    except StepFailed:
        return ""
    return outcome.out.strip() if outcome.status == 0 else ""


def last_line(text: str) -> str:
    return text.splitlines()[-1].strip() if text else ""


def first_line(text: str) -> str:
    return text.splitlines()[0].strip() if text else ""


def nvcc() -> str:
    """Path of the CUDA compiler, "" where there is none."""
    usual = "/usr/local/cuda/bin/nvcc"
    return shutil.which("nvcc") or (usual if os.access(usual, os.X_OK) else "")


def with_cupti(python: str) -> dict[str, str]:
    """The environment in which CUPTI is found: beside nvcc's toolkit, or where pip puts it beside PyTorch."""
    toolkit = pathlib.Path(nvcc() or "/usr/local/cuda/bin/nvcc").resolve().parent.parent
    folders = [toolkit / "lib64", toolkit / "lib", toolkit / "extras/CUPTI/lib64"]
    prefix = pathlib.Path(python).absolute().parent.parent
    folders += prefix.glob("lib/python*/site-packages/nvidia/*/lib")
    found = [str(folder) for folder in folders if any(folder.glob("libcupti.so.*"))]
    return {"LD_LIBRARY_PATH": ":".join([*found, *filter(None, [os.environ.get("LD_LIBRARY_PATH")])])} if found else {}


def gpu(clock: Clock) -> dict[str, str]:
    """Of the first GPU; empty where there is none."""
    line = first_line(said(["nvidia-smi", f"--query-gpu={','.join(GPU_FIELDS)}", "--format=csv,noheader"], clock))
    values = [value.strip() for value in line.split(",")]
    return dict(zip(GPU_FIELDS, values)) if len(values) == len(GPU_FIELDS) else {}


def cpu_name() -> str:
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return ""


def facts(python: str, clock: Clock) -> dict:
    read = said([python, "-c", PYTHON], clock)
    compiler = nvcc()
    return {
        "gpu": gpu(clock),
        "cpu": cpu_name(),
        "cpus": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "kernel": os.uname().release,
        "os": said(["sh", "-c", ". /etc/os-release; echo $PRETTY_NAME"], clock),
        "nvcc": last_line(said([compiler, "--version"], clock)) if compiler else "",
        "compiler": first_line(said(["g++", "--version"], clock)),
        "cmake": first_line(said(["cmake", "--version"], clock)),
        "python": json.loads(last_line(read)) if read else {},
    }


def describe(machine: dict) -> str:
    """One line."""
    python, card = machine.get("python", {}), machine.get("gpu", {})
    parts = [
        f"{card['name']} (driver {card['driver_version']}, {card['memory.total']})" if card else "no GPU",
        f"{machine.get('cpus')} CPUs of {machine.get('cpu')}",
        machine.get("os", ""),
        f"PyTorch {python.get('torch', '')}" if python.get("torch") else "no PyTorch",
        f"Triton {python['triton']}" if python.get("triton") else "",
        machine.get("nvcc", ""),
    ]
    return ", ".join(part for part in parts if part)
