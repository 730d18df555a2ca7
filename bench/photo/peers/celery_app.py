"""The Python service's worker: one task. A photo is read by Pillow, cut into the same tiles as lapse's, enlarged in the same batches by the
same ONNX Runtime on one thread, and written as a JPEG file of the same quality; one step after the other, nothing fsynced."""

import json
import os
import pathlib
import time

import celery
import celery.signals
import numpy
import onnxruntime
from PIL import Image, ImageOps

FOLDER, MODEL = pathlib.Path(os.environ["PEERS_FOLDER"]), pathlib.Path(os.environ["PEERS_MODEL"])
SETTINGS = json.loads(MODEL.with_suffix(".json").read_text())
SCALE, TILE, HALO, BATCH = *(SETTINGS["photo"][key] for key in ("scale", "tile", "halo")), SETTINGS["max_batch"]
QUALITY, SUBSAMPLING = 92, 0  # lapse's: 4:4:4

app = celery.Celery("photos", broker=os.environ["PEERS_REDIS"], backend=os.environ["PEERS_REDIS"])
session = None


@celery.signals.worker_process_init.connect
def load_model(**_):
    global session
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(MODEL), options, providers=["CPUExecutionProvider"])


def axis(size):
    """(start of the tile, begin and end of what is its own) of each tile; as lapse/image/tiles.hpp."""
    core = TILE - 2 * HALO
    count = 1 + max(0, -(-(size - TILE) // core))
    begins = [0, *(i * core + HALO for i in range(1, count)), size]
    return [(max(0, min(i * core, size - TILE)), begins[i], begins[i + 1]) for i in range(count)]


def enlarged(pixels):
    height, width, _ = pixels.shape
    whole = numpy.empty((height * SCALE, width * SCALE, 3), numpy.uint8)
    places = [(row, column) for row in axis(height) for column in axis(width)]
    for first in range(0, len(places), BATCH):
        batch = places[first:first + BATCH]
        tiles = numpy.stack([pixels[top:top + TILE, left:left + TILE] for (top, *_), (left, *_) in batch])
        x = tiles.transpose(0, 3, 1, 2).astype(numpy.float32, order="C") / 255
        y = (session.run(None, {"x": x})[0].clip(0, 1) * 255 + 0.5).astype(numpy.uint8).transpose(0, 2, 3, 1)
        for output, ((top, above, below), (left, before, after)) in zip(y, batch):
            own = output[(above - top) * SCALE:(below - top) * SCALE, (before - left) * SCALE:(after - left) * SCALE]
            whole[above * SCALE:below * SCALE, before * SCALE:after * SCALE] = own
    return whole


@app.task(name="enlarge")
def enlarge(id):
    claimed = time.time()
    with Image.open(FOLDER / f"{id}.jpg") as photo:
        pixels = numpy.asarray(ImageOps.exif_transpose(photo).convert("RGB"))
    part = FOLDER / f"{id}.part"
    Image.fromarray(enlarged(pixels)).save(part, "JPEG", quality=QUALITY, subsampling=SUBSAMPLING)
    part.rename(FOLDER / f"{id}-large.jpg")
    return {"claimed": claimed, "stored": time.time()}
