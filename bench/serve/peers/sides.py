"""The servers that are compared, behind one face: an address for load and client, submit options, the state and the result of a job, how often
each was reported as ended, and the two blows: kill -9 of the worker, and of everything there is, both followed by a start."""

import collections
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

import figures
import questions
from server import Client, Gone, Listener, kill, lives

HERE = pathlib.Path(__file__).resolve().parent
VENV = figures.ROOT / ".deps" / "peers-venv"
START_SECONDS = 60


def install():
    """The peers' Python packages in an environment of their own, at the versions in requirements.txt; made once."""
    if not shutil.which("redis-server"):
        sys.exit("peers: redis-server is missing; tools/setup bench-serve installs it")
    wanted, stamp = (HERE / "requirements.txt").read_text(), VENV / "installed.txt"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"installing the peers' Python packages into {VENV}", flush=True)
    make = ["/usr/bin/python3", "-m", "venv", "--clear", VENV]
    fill = [VENV / "bin" / "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "-r", HERE / "requirements.txt"]
    for command in (make, fill):
        if subprocess.run(command).returncode != 0:
            sys.exit(f"peers: can't be compared, as its packages can't be installed: {' '.join(map(str, command))}")
    stamp.write_text(wanted)


def free_ports(count):
    with contextlib.ExitStack() as open_together:  # or one may be given twice
        listening = [open_together.enter_context(socket.socket()) for _ in range(count)]
        for each in listening:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in listening]


def family(process):
    """Process ids of `process` and all that descend from it, parents first."""
    children = collections.defaultdict(list)
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                children[int((entry / "stat").read_text().rpartition(")")[2].split()[1])].append(int(entry.name))
    found = [process]
    for each in found:
        found += children[each]
    return found


class Lapse:
    promise = "on the disk"  # where an acknowledged job is
    accepted, submit = 202, ["--path", "/v2/jobs/{id}?model=light"]

    def __init__(self, server):
        self.server = server

    @classmethod
    @contextlib.contextmanager
    def running(cls, parsed, folder, model):
        # In batches of one, as the peers do.
        with figures.serving(parsed, folder, {"light": model}, figures.pinned(), settings={"light": {"threads": 1, "max_batch": 1}}) as server:
            yield cls(server)

    address = property(lambda self: self.server.address)
    process = property(lambda self: self.server.process)

    @staticmethod
    def id(asked, answer):
        return asked

    def state(self, client, id):
        return {"done": "done", "failed": "failed"}.get(client.ask("GET", f"/v2/jobs/{id}").json().get("state"))

    def result(self, client, id):
        reply = client.ask("GET", f"/v2/jobs/{id}/result")
        return questions.answer(reply.body, reply.header_length()).ravel().tolist()

    def ends(self, ids):
        told, missing, all_told = collections.Counter(), set(ids), threading.Event()

        def heard(_, type, data):
            if type in ("done", "failed"):
                told[data["job"]] += 1
                missing.discard(data["job"])
                if not missing:
                    all_told.set()
        listener = Listener(self.server, 0, heard)
        all_told.wait(5)
        time.sleep(0.5)  # for what is told twice
        listener.close()
        return told

    def held(self, ids):
        return []

    def kill_worker(self):
        for worker in self.server.workers():
            kill(worker)

    def kill_everything(self):
        workers = self.server.workers()
        self.server.kill_front()
        for worker in workers:
            kill(worker)
        self.server.start()


class Peer:
    """Processes by name, each with a log, all on the pinned cores."""

    home = HERE        # of the programs
    ended_line = None  # in a log, when a job has ended

    def __init__(self, parsed, folder, model):
        self.folder, self.log = folder, parsed.out / f"peers-{type(self).__name__.lower()}.log"
        self.log.write_bytes(b"")
        port, self.redis_port = free_ports(2)
        self.address, self.processes = ("127.0.0.1", port), {}
        self.environment = {**os.environ, "PEERS_MODEL": str(model), "PYTHONUNBUFFERED": "1"}

    @classmethod
    @contextlib.contextmanager
    def running(cls, parsed, folder, model):
        side = cls(parsed, folder, model)
        try:
            side.start()
            yield side
        finally:
            side.kill_processes()

    def spawn(self, name, program, *options):
        own = VENV / "bin" / program
        command = [*figures.pinned(), str(own) if own.exists() else program, *map(str, options)]
        with open(self.log, "ab") as log:  # in a session of its own: what ends it is kill_processes(), also after Ctrl-C
            self.processes[name] = subprocess.Popen(command, cwd=self.home, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                    start_new_session=True)

    def kill_processes(self, *names):
        for name in names or list(self.processes):
            process = self.processes.pop(name)
            members = family(process.pid)
            for member in members:
                kill(member)
            process.wait()
            figures.wait_until(lambda: not any(map(lives, members)), 10, f"{name} is dead")

    def wait_for(self, ready):
        def so():
            for name, process in self.processes.items():
                if process.poll() is not None:
                    sys.exit(f"peers: {name} has ended with status {process.returncode}; its log: {self.log}")
            with contextlib.suppress(Gone):
                return ready()
        figures.wait_until(so, START_SECONDS, f"{type(self).__name__} has started; its log: {self.log}")

    def kill_everything(self):
        self.kill_processes()
        self.start()

    def answers(self, path):
        return lambda: Client(self).ask("GET", path).status == 200

    def held(self, ids):
        """Those that were not lost, but wait for a redelivery that is still to come."""
        return []

    def ends(self, _):
        return collections.Counter(re.findall(self.ended_line, self.log.read_text()))


class Celery(Peer):
    """FastAPI on uvicorn, Redis with its default persistence, and a worker with Celery's defaults and one process."""

    promise = "in Redis's memory"
    accepted, submit = 202, ["--path", "/jobs/{id}"]
    ended_line = r"Task infer\[(\S+)\] succeeded"
    acks_late, redis_options = False, []
    id = staticmethod(lambda asked, answer: asked)

    def start(self):
        self.environment.update({"PEERS_REDIS": f"redis://127.0.0.1:{self.redis_port}/0"}, **({"PEERS_ACKS_LATE": "1"} if self.acks_late else {}))
        self.spawn("redis", "redis-server", "--bind", "127.0.0.1", "--port", self.redis_port, "--dir", self.folder, *self.redis_options)
        self.wait_for(lambda: self.redis("PING") == "PONG")
        self.spawn("front", "uvicorn", "fastapi_app:app", "--host", "127.0.0.1", "--port", self.address[1], "--no-access-log")
        self.start_worker()
        self.wait_for(self.answers("/health"))

    def start_worker(self):
        self.spawn("worker", "celery", "-A", "celery_app", "worker", "--loglevel", "INFO", "--concurrency", 1)

    process = property(lambda self: self.processes.get("front"))

    def redis(self, *command):
        return subprocess.run(["redis-cli", "-p", str(self.redis_port), *command], capture_output=True, text=True).stdout.strip()

    def state(self, client, id):
        return {"SUCCESS": "done", "FAILURE": "failed"}.get(client.ask("GET", f"/jobs/{id}").json()["state"])

    def result(self, client, id):
        return client.ask("GET", f"/jobs/{id}/result").json()

    def held(self, ids):
        """Delivered to the worker that died: Redis hands them out again after the visibility timeout, an hour unless set."""
        kept = self.redis("HVALS", "unacked") + self.redis("LRANGE", "celery", "0", "-1")
        return [id for id in ids if f'"id": "{id}"' in kept]

    def kill_worker(self):
        self.kill_processes("worker")
        self.start_worker()


class CeleryLate(Celery):
    """The same with acks_late and what belongs to it (celery_app.py)."""

    acks_late = True


class CeleryLateAof(CeleryLate):
    """And with a Redis that has written and fsynced before it answers: as durable as it can be made."""

    promise = "on the disk"
    redis_options = ["--appendonly", "yes", "--appendfsync", "always"]


class BentoMl(Peer):
    promise = "on the disk until the next start, which deletes it"
    accepted, submit = 200, ["--method", "POST", "--path", "/infer/submit"]
    ended_line = r"Task\(infer\) (\S+) is completed"
    id = staticmethod(lambda asked, answer: json.loads(answer)["task_id"])

    def start(self):
        self.environment.update(BENTOML_HOME=str(self.folder / "bentoml"), BENTOML_DO_NOT_TRACK="true", TMPDIR=str(self.folder))
        self.spawn("server", "bentoml", "serve", "bento_app:Light", "--host", self.address[0], "--port", self.address[1])
        self.wait_for(self.answers("/readyz"))

    process = property(lambda self: self.processes.get("server"))

    def state(self, client, id):
        return {"completed": "done", "failed": "failed"}.get(client.ask("GET", f"/infer/status?task_id={id}").json().get("status"))

    def result(self, client, id):
        return client.ask("GET", f"/infer/get?task_id={id}").json()

    def kill_worker(self):
        """The service's process; BentoML starts it again."""
        for member in family(self.process.pid)[1:]:
            kill(member)


SIDES = {"lapse": Lapse, "Celery, defaults": Celery, "Celery, acks late": CeleryLate, "Celery, late, AOF": CeleryLateAof, "BentoML tasks": BentoMl}
