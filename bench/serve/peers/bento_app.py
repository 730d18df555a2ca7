"""The BentoML side: one task (submit, status, get) of one service; a sync method runs in a thread, one at a time."""

import pathlib

import bentoml

import inference


@bentoml.service(workers=1, threads=1)
class Light:
    def __init__(self):
        self.session = inference.session()

    @bentoml.task
    def infer(self, body: pathlib.Path, /, ctx: bentoml.Context) -> list[float]:
        header_length = int(ctx.request.headers["inference-header-content-length"])
        return self.session.run(None, {"x": inference.tensor(body.read_bytes(), header_length)})[0].ravel().tolist()
