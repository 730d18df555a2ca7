"""The Celery side's worker: one task, the model loaded once a process."""

import os

import celery
import celery.signals

import inference

app = celery.Celery("peers", broker=os.environ["PEERS_REDIS"], backend=os.environ["PEERS_REDIS"])
# The serializer that Celery's documentation names for binary arguments without pickle's risk.
app.conf.update(task_serializer="msgpack", result_serializer="msgpack", accept_content=["msgpack"])
if os.environ.get("PEERS_ACKS_LATE"):
    # As the documentation advises for tasks that may run twice and must not be lost: acknowledged after the result is stored, one in reserve,
    # and on Redis a visibility timeout that fits the task (the default is an hour) with a sweep that is as quick.
    app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True, worker_prefetch_multiplier=1,
                    broker_transport_options={"visibility_timeout": 5, "unacked_restore_interval": 1, "unacked_restore_throttle": 1})

session = None


@celery.signals.worker_process_init.connect
def load_model(**_):
    global session
    session = inference.session()


@app.task(name="infer")
def infer(body, header_length):
    return session.run(None, {"x": inference.tensor(body, header_length)})[0].ravel().tolist()
