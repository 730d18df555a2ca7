"""The Python service's front: a photo is acknowledged when it is in a file and its task in Redis."""

import celery.result
import fastapi
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse

from celery_app import FOLDER, enlarge
from celery_app import app as tasks

app = fastapi.FastAPI()


@app.get("/health")
def health():
    return {}


def accept(id, body):
    (FOLDER / f"{id}.jpg").write_bytes(body)
    enlarge.apply_async((id,), task_id=id)


@app.put("/photos/{id}", status_code=202)
async def submit(id: str, request: fastapi.Request):
    await run_in_threadpool(accept, id, await request.body())  # blocks on the disk and on Redis
    return {"id": id}


@app.get("/photos/{id}")
def state(id: str):
    result = celery.result.AsyncResult(id, app=tasks)
    return {"state": result.state, "times": result.result if result.state == "SUCCESS" else None}


@app.get("/photos/{id}/result")
def result(id: str):
    return FileResponse(FOLDER / f"{id}-large.jpg")
