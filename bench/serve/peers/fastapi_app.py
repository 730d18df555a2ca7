"""The Celery side's front: accepts a job under the client's id, tells its state and its result."""

import celery.result
import fastapi
from fastapi.concurrency import run_in_threadpool

from celery_app import app as tasks
from celery_app import infer

app = fastapi.FastAPI()


@app.get("/health")
def health():
    return {}


@app.put("/jobs/{id}", status_code=202)
async def submit(id: str, request: fastapi.Request):
    arguments = (await request.body(), int(request.headers["inference-header-content-length"]))
    await run_in_threadpool(infer.apply_async, arguments, task_id=id)  # blocks on Redis
    return {"id": id}


@app.get("/jobs/{id}")
def state(id: str):
    return {"state": celery.result.AsyncResult(id, app=tasks).state}


@app.get("/jobs/{id}/result")
def result(id: str):
    return celery.result.AsyncResult(id, app=tasks).result
