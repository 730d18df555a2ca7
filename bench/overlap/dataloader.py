#!/usr/bin/python3
"""What PyTorch's users do where `lapse pipeline` overlaps: a DataLoader over the same photos (Pillow; Resize(256), CenterCrop(224), ToTensor,
Normalize) feeding the same network, with the photos prepared between the batches (0 workers) or meanwhile, in processes of their own (1 or more).

The ways take turns within each round; a round is all photos once, begun when its workers wait already; one round of each before them to warm up.
The network runs in ONNX Runtime where its Python package is found (here, or in the environment that bench-serve's peers have), else in
PyTorch from the model.pt beside the model.onnx. Its answers have to be the same whichever way the photos came.

    bench/overlap/dataloader.py FOLDER models/zoo/resnet18/model.onnx [--batch 8] [--workers 0 1] [--rounds 5] [--threads 1] [--draft] [--out FILE.json]

--draft lets Pillow decode a JPEG at 1/2, 1/4 or 1/8 where twice the size needed is left, as lapse does; the recipe alone doesn't.
Prints JSON: of every number of workers the photos a second (the median of the rounds) and each round's photos and nanoseconds.
"""

import argparse
import json
import pathlib
import statistics
import sys
import time

import numpy
import PIL
import torch
import torchvision
from PIL import Image
from torchvision import transforms

PEERS = pathlib.Path(__file__).resolve().parents[2] / ".deps" / "peers-venv"
SHORTER, SIDE = 256, 224
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Photos(torch.utils.data.Dataset):
    def __init__(self, folder, draft):
        self.files = sorted(file for file in folder.iterdir() if file.suffix.lower() in (".jpg", ".jpeg"))
        self.draft = draft
        self.recipe = transforms.Compose(
            [transforms.Resize(SHORTER), transforms.CenterCrop(SIDE), transforms.ToTensor(), transforms.Normalize(MEAN, DEVIATION)])

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        photo = Image.open(self.files[index])
        if self.draft:
            photo.draft("RGB", (2 * SHORTER, 2 * SHORTER))
        return self.recipe(photo.convert("RGB"))


def onnx_runtime():
    """The package, or None."""
    sys.path += map(str, PEERS.glob("lib/python3*/site-packages"))  # behind everything else: it has another NumPy, too
    try:
        import onnxruntime
    except ImportError:
        return None
    return onnxruntime


def network(model, threads):
    """(a batch -> its answers, the engine's name and version)"""
    runtime = onnx_runtime()
    if runtime:
        options = runtime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        session = runtime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return lambda batch: session.run(None, {name: batch.numpy()})[0], f"ONNX Runtime {runtime.__version__}"
    script = torch.jit.load(str(model.with_suffix(".pt"))).eval()
    return lambda batch: script(batch).numpy(), f"PyTorch {torch.__version__}"


@torch.inference_mode()
def a_round(loader, infer):
    batches = iter(loader)
    begin = time.perf_counter_ns()
    answers = [infer(batch) for batch in batches]
    duration = time.perf_counter_ns() - begin
    answers = numpy.concatenate(answers)
    return {"items": len(answers), "duration_ns": duration}, answers


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1, help="of the network")
    parser.add_argument("--draft", action="store_true")
    parser.add_argument("--out", type=pathlib.Path, metavar="FILE")
    parsed = parser.parse_args()

    torch.set_num_threads(parsed.threads)
    photos = Photos(parsed.folder, parsed.draft)
    if not photos:
        parser.error(f"no JPEG files in {parsed.folder}")
    infer, engine = network(parsed.model, parsed.threads)
    loaders = {workers: torch.utils.data.DataLoader(photos, parsed.batch, num_workers=workers, persistent_workers=workers > 0) for workers in parsed.workers}
    rounds, reference = {workers: [] for workers in loaders}, None
    for number in range(-1, parsed.rounds):
        for workers, loader in loaders.items() if number % 2 == 0 else reversed(loaders.items()):
            figures, answers = a_round(loader, infer)
            reference = answers if reference is None else reference
            if not numpy.array_equal(answers, reference):
                sys.exit(f"with {workers} workers the answers are others")
            if number >= 0:
                rounds[workers].append(figures)
    result = {
        "argv": sys.argv[1:], "engine": engine, "torch": torch.__version__, "torchvision": torchvision.__version__, "pillow": PIL.__version__,
        "photos": len(photos), "batch": parsed.batch, "threads": parsed.threads, "draft": parsed.draft,
        "workers": {workers: {"throughput_per_s": statistics.median(each["items"] * 1e9 / each["duration_ns"] for each in taken), "rounds": taken}
                    for workers, taken in rounds.items()},
    }
    text = json.dumps(result, indent=1)
    print(text)
    if parsed.out:
        parsed.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
