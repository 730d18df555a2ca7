#!/usr/bin/python3
"""As much of a job server as nothing_lost.py talks to, in a page, right or with one known FAULT: what the program must find."""

import hashlib
import http.server
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.parse

FAULT = os.environ.get("FAULT", "")

def infer(model, body, length):
    import numpy
    tensor = json.loads(body[:length] if length else body)["inputs"][0]
    x = numpy.array(tensor["data"], numpy.float32) if "data" in tensor else numpy.frombuffer(body, numpy.float32, offset=length)
    x = x.reshape(tensor["shape"])
    y = {"affine": 3 * x + 7, "slow": x, "demo": x + 1}[model]
    return json.dumps({"outputs": [{"name": "y", "datatype": "FP32", "shape": y.shape, "data": y.ravel().tolist()}]}).encode()


def be_worker():
    for line in sys.stdin.buffer:
        model, path, length = json.loads(line)
        sys.stdout.buffer.write(infer(model, pathlib.Path(path).read_bytes(), length) + b"\n")
        sys.stdout.buffer.flush()


class Store:
    def __init__(self, data):
        self.blobs = data / "blobs"
        fresh = not data.exists()
        self.blobs.mkdir(parents=True, exist_ok=True)
        if fresh and FAULT != "folder":
            sync(data.parent), sync(data)
        self.lock, self.changed = threading.RLock(), threading.Condition()
        self.db = sqlite3.connect(data / "db", check_same_thread=False, isolation_level=None)
        self.db.execute("pragma journal_mode=wal")
        self.db.execute(f"pragma synchronous={'off' if FAULT == 'commit' else 'full'}")
        self.db.execute("create table if not exists jobs(n integer primary key, id text unique, model text, state text, attempt int, digest text, "
                        "input text, length int, result text, bytes int)")
        self.db.execute("create table if not exists events(n integer primary key, type text, job text)")
        if FAULT == "recovery":
            self.db.execute("delete from jobs where state = 'running'")
        if FAULT == "again":
            self.db.execute("update jobs set state = 'queued' where state = 'done' and n % 5 = 0")
        self.db.execute("update jobs set state = 'queued' where state = 'running'")

    def put(self, content):
        path = self.blobs / hashlib.sha256(content).hexdigest()
        temporary = path.with_suffix(f".{threading.get_ident()}")
        with open(temporary, "wb", buffering=0) as file:
            file.write(content)
            if FAULT != "blob":
                os.fsync(file.fileno())
        os.rename(temporary, path)
        if FAULT != "name":
            sync(self.blobs)
        return path.name

    def change(self, *statements):
        with self.lock:
            self.db.execute("begin immediate")
            for statement, *values in statements:
                self.db.execute(statement, values)
            self.db.execute("commit")
        with self.changed:
            self.changed.notify_all()

    def rows(self, query, *values):
        with self.lock:
            return self.db.execute(query, values).fetchall()


def sync(folder):
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(file)
    os.close(file)


def work(store):
    worker = None
    while True:
        job = store.rows("select n, id, model, input, length, attempt from jobs where state = 'queued' order by n limit 1")
        if not job:
            time.sleep(0.002)
            continue
        n, id, model, blob, length, attempt = job[0]
        with store.lock:
            if store.rows("select state from jobs where n = ?", n) != [("queued",)]:
                continue
            store.change(("update jobs set state = 'running', attempt = ? where n = ?", attempt + 1, n), ("insert into events(type, job) values('running', ?)", id))
        if worker is None or worker.poll() is not None:
            worker = subprocess.Popen([sys.executable, __file__, "work"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            worker.stdin.write(json.dumps([model, str(store.blobs / blob), length]).encode() + b"\n")
            worker.stdin.flush()
            answer = worker.stdout.readline()
        except BrokenPipeError:
            answer = b""
        if not answer:
            if FAULT != "worker":
                store.change(("update jobs set state = 'queued' where n = ?", n), ("insert into events(type, job) values('queued', ?)", id))
            continue
        if FAULT == "wrong" and n % 50 == 0:
            answer = answer.replace(b"1", b"2")
        result = store.put(answer)
        store.change(("update jobs set state = 'done', result = ?, bytes = ? where n = ?", result, len(answer), n),
                     ("insert into events(type, job) values('done', ?)", id))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize, disable_nagle_algorithm = -1, True

    def log_message(self, *_):
        pass

    def reply(self, status, body):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def job(self, id):
        found = store.rows("select id, state, attempt, bytes, digest, result from jobs where id = ?", id)
        return found and {"id": id, "state": found[0][1], "attempt": found[0][2], "max_attempts": 5, "result": {"bytes": found[0][3]}, "digest": found[0][4],
                          "blob": found[0][5]}

    def do_PUT(self):
        url = urllib.parse.urlsplit(self.path)
        id, model = url.path.rsplit("/", 1)[1], urllib.parse.parse_qs(url.query)["model"][0]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        digest = hashlib.sha256(body).hexdigest()
        if there := self.job(id):
            return self.reply(202 if there["digest"] == digest else 409, there)
        def keep():
            store.change(("insert or ignore into jobs(id, model, state, attempt, digest, input, length) values(?, ?, 'queued', 0, ?, ?, ?)", id, model, digest,
                          store.put(body), int(self.headers.get("Inference-Header-Content-Length", 0))), ("insert into events(type, job) values('queued', ?)", id))
        if FAULT == "early":
            threading.Timer(0.02, keep).start()
        else:
            keep()
        self.reply(202, {"id": id})

    def do_POST(self):
        body, parts = self.rfile.read(int(self.headers.get("Content-Length", 0))), self.path.split("/")
        if parts[2] == "models":
            self.reply(200, infer(parts[3], body, int(self.headers.get("Inference-Header-Content-Length", 0))))
        else:
            store.change(("update jobs set state = 'queued' where id = ?", parts[3]), ("insert into events(type, job) values('queued', ?)", parts[3]))
            self.reply(202, {})

    def do_DELETE(self):
        id = self.path.rsplit("/", 1)[1]
        with store.lock:
            if self.job(id) and self.job(id)["state"] == "queued":
                store.change(("update jobs set state = 'cancelled' where id = ?", id), ("insert into events(type, job) values('cancelled', ?)", id))
        job = self.job(id)
        self.reply(404 if not job else 202 if job["state"] in ("queued", "running") else 200, job or {})

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        asked = urllib.parse.parse_qs(url.query)
        parts = url.path.split("/")
        if url.path == "/v2/health/ready":
            self.reply(200, {})
        elif url.path == "/v2/events":
            self.events(int(asked.get("after", ["0"])[0]))
        elif url.path == "/v2/jobs":
            states = asked.get("state", ["queued", "running", "done", "cancelled"])
            rows = store.rows(f"select id from jobs where state in ({','.join('?' * len(states))})", *states)
            self.reply(200, {"jobs": [{"id": id} for id, in rows], "next": None})
        elif not (job := self.job(parts[3])):
            self.reply(404, {})
        elif len(parts) == 4:
            self.reply(200, job)
        else:
            try:
                self.reply(200, (store.blobs / job["blob"]).read_bytes())
            except OSError:
                self.reply(500, {})

    def events(self, after):
        self.close_connection = True
        self.send_response(200)
        self.end_headers()
        while True:
            for n, type, job in store.rows("select n, type, job from events where n > ? order by n", after):
                self.wfile.write(f"id: {n}\nevent: {type}\ndata: {json.dumps({'job': job})}\n\n".encode())
                after = n
            self.wfile.flush()
            with store.changed:
                store.changed.wait(0.01)


if __name__ == "__main__":
    if sys.argv[1] == "work":
        sys.exit(be_worker())
    store = Store(pathlib.Path(sys.argv[sys.argv.index("--data") + 1]))
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=work, args=(store,), daemon=True).start()
    print(f"listening on http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()
