"""The variety of a day's traffic: visitors who come, use every part of the interface, look whether the server keeps its word, and go for
good. Each has a session (an owner) of its own, an event stream that breaks now and then, and a handful of jobs.
"""

import collections
import hashlib
import hmac
import http.server
import json
import os
import random
import shutil
import threading
import time

from questions import Question
from server import Client, Gone, Listener

FINAL = {"done", "failed", "cancelled", "expired"}
PATIENCE = 60   # seconds for anything
MARGIN = 5      # seconds by which the server may be late in forgetting
STAY = 12       # deeds of a visitor


class Town:
    """What all visitors share: the server, what they have done, and what they have to complain of."""

    def __init__(self, server, retention, tombstone):
        self.server, self.retention, self.tombstone = server, retention, tombstone
        self.counts, self.complaints, self.lock = collections.Counter(), [], threading.Lock()
        self.forgotten, self.unknown = collections.deque(), collections.deque()  # (when it should be, headers, job)
        self.stopping = threading.Event()
        self.receiver = Receiver(self)

    def count(self, what):
        with self.lock:
            self.counts[what] += 1

    def complain(self, text):
        with self.lock:
            self.complaints.append(text)

    def visit_for_ever(self, seed):
        chance = random.Random(seed)
        while not self.stopping.is_set():
            try:
                Visitor(self, f"v{seed}-{chance.getrandbits(40):x}", chance).stay()
                self.look_back()
            except (Gone, OSError, ValueError, KeyError) as error:  # a fault of either side must not look like silence
                if not self.stopping.is_set():
                    self.complain(f"a visit broke: {error!r}")
                    self.stopping.wait(1)

    def look_back(self):
        """Jobs of earlier visitors: 410 once their retention has ended, 404 after the tombstone's time."""
        for queue, status, following in ((self.forgotten, 410, self.unknown), (self.unknown, 404, None)):
            with self.lock:
                if not queue or queue[0][0] > time.monotonic():
                    continue
                due, headers, job = queue.popleft()
            client = Client(self.server)
            found = client.ask("GET", f"/v2/jobs/{job}", headers=headers).status
            client.close()
            late = time.monotonic() - due
            if found != status and not (status == 410 and found == 404 and late > self.tombstone - MARGIN):
                self.complain(f"{job}: {found} instead of {status}, {late:.1f} s after it was due")
            self.count(f"looked back: {found}")
            if following is not None:
                following.append((due + self.tombstone + MARGIN, headers, job))


class Visitor:
    def __init__(self, town, name, chance):
        self.town, self.name, self.chance = town, name, chance
        self.client, self.headers = Client(town.server), {}
        self.headers = {"Cookie": self.ask("POST", "/v2/session").headers["Set-Cookie"].partition(";")[0]}
        self.jobs, self.position, self.listener = 0, 0, None
        self.types, self.changed = collections.defaultdict(list), threading.Condition()

    def stay(self):
        deeds = [self.work] * 6 + [self.repeat, self.conflict, self.infer, self.cancel, self.delete, self.fail, self.expire, self.be_told, self.look,
                                   self.use_release]
        try:
            self.connect()
            for _ in range(STAY):
                if self.town.stopping.wait(self.chance.uniform(0, 0.2)):
                    break
                self.chance.choice(deeds)()
                if self.chance.random() < 0.2:
                    self.connect()
            self.town.count("visits")
        finally:
            if self.listener:
                self.listener.close()
            self.client.close()

    def ask(self, method, path, body=None, headers=None):
        return self.client.ask(method, path, body, {**self.headers, **(headers or {})})

    def complain(self, text):
        self.town.complain(f"{self.name}: {text}")

    def expect(self, reply, statuses, what):
        if reply.status not in statuses:
            self.complain(f"{what} was answered {reply.status} {reply.body[:200]}")
        return reply.status in statuses

    # --- events ---

    def connect(self):
        """A new stream in the place of the old one, from where that ended."""
        if self.listener:
            self.listener.close()
            self.town.count("streams reconnected")
            if self.listener.refused:
                self.complain(f"/v2/events was answered {self.listener.refused}")
        self.listener = Listener(self.town.server, self.position, self.heard, self.headers)

    def heard(self, sequence, type, data):
        with self.changed:
            if type == "reset":
                self.town.count("resets")
            elif self.position not in (0, sequence - 1):  # a first event may have any number
                self.complain(f"event {sequence} came after event {self.position}")
            self.position = sequence
            if type != "reset":
                self.types[data["job"]].append(type)
            self.changed.notify_all()

    def end_of(self, job, queueings=1):
        """State in which its n-th queueing ended, by its event; by its document where the events of it were forgotten meanwhile."""
        begin = time.monotonic()
        while time.monotonic() < begin + PATIENCE:
            with self.changed:
                ends = [type for type in self.types[job] if type in FINAL]
                if len(ends) >= queueings:
                    return ends[queueings - 1]
                if self.changed.wait(1):
                    continue
            reply = self.ask("GET", f"/v2/jobs/{job}")
            if reply.status == 200 and reply.json()["state"] in FINAL:
                return reply.json()["state"]
            if reply.status == 410 and time.monotonic() > begin + self.town.retention:
                return "forgotten"
            self.expect(reply, {200}, f"GET of {job}")
        self.town.count("lost")
        self.complain(f"{job} has not ended after {PATIENCE} s: {self.types[job]}")
        return "never"

    # --- submitting ---

    def submit(self, model="affine", question=None, body=None, query=""):
        """Its id, once it was acknowledged."""
        self.jobs += 1
        job = f"{self.name}-{self.jobs}"
        headers = {}
        if question:
            body, headers = question.request()
        for _ in range(PATIENCE):
            reply = self.ask("PUT", f"/v2/jobs/{job}?model={model}{query}", body, headers)
            if reply.status not in (429, 503):
                break
            self.town.count(f"put off: {reply.status}")
            self.town.stopping.wait(1)
        if reply.status != 202:
            raise ValueError(f"PUT of {job} was answered {reply.status} {reply.body[:200]}")
        self.town.count("jobs")
        return job

    def ends_as(self, job, states, queueings=1):
        state = self.end_of(job, queueings)
        self.town.count(f"ended: {state}")
        if state not in states and state not in ("forgotten", "never"):
            self.complain(f"{job} is {state}")
        return state

    def question(self):
        return Question("affine", self.chance.getrandbits(31))

    def check_result(self, job, question):
        reply = self.ask("GET", f"/v2/jobs/{job}/result")
        if reply.status != 410 and self.expect(reply, {200}, f"the result of {job}"):
            if wrong := question.wrong(reply.body, reply.header_length()):
                self.complain(f"the result of {job} is wrong: {wrong}")

    # --- deeds ---

    def work(self, model="affine", query=""):
        question = self.question()
        job = self.submit(model, question, query=query)
        if self.ends_as(job, {"done"}) == "done":
            self.check_result(job, question)
        return job, question

    def use_release(self):
        self.work("release")

    def repeat(self):
        job, question = self.work()
        body, headers = question.request()
        self.expect(self.ask("PUT", f"/v2/jobs/{job}?model=affine", body, headers), {200, 202, 410}, f"the second PUT of {job}")

    def conflict(self):
        job, _ = self.work()
        body, headers = self.question().request()
        self.expect(self.ask("PUT", f"/v2/jobs/{job}?model=affine", body, headers), {409, 410}, f"another PUT of {job}")

    def infer(self):
        question = self.question()
        body, headers = question.request()
        reply = self.ask("POST", "/v2/models/affine/infer", body, headers)
        if self.expect(reply, {200}, "infer") and (wrong := question.wrong(reply.body, reply.header_length())):
            self.complain(f"an answer is wrong: {wrong}")
        self.town.count("infers")

    def cancel(self):
        job = self.submit("slow", Question("slow", self.chance.getrandbits(31)))
        reply = self.ask("DELETE", f"/v2/jobs/{job}")
        self.expect(reply, {200, 202}, f"DELETE of {job}")
        if "deleted" in reply.json():  # it was done already
            return
        if self.ends_as(job, {"cancelled", "done"}) == "cancelled" and self.chance.random() < 0.5:
            if self.expect(self.ask("POST", f"/v2/jobs/{job}/retry"), {202, 410}, f"retry of {job}"):
                self.ends_as(job, {"done"}, 2)

    def delete(self):
        job, question = self.work()
        if self.expect(self.ask("DELETE", f"/v2/jobs/{job}"), {200, 410}, f"DELETE of {job}"):
            body, headers = question.request()
            self.expect(self.ask("PUT", f"/v2/jobs/{job}?model=affine", body, headers), {410}, f"PUT of {job}, which was deleted,")
            self.town.count("deleted")

    def fail(self):
        body = json.dumps({"inputs": [{"name": "x", "shape": [1], "datatype": "INT64", "data": [self.chance.randint(8, 10**9)]}]})
        job = self.submit("picky", body=body)
        if self.ends_as(job, {"failed"}) == "failed" and self.expect(self.ask("POST", f"/v2/jobs/{job}/retry"), {202, 410}, f"retry of {job}"):
            self.ends_as(job, {"failed"}, 2)

    def expire(self):
        self.ends_as(self.submit("slow", Question("slow", self.chance.getrandbits(31)), query="&deadline_seconds=0"), {"expired"})

    def be_told(self):
        secret = self.ask("GET", "/v2/webhook-secret").json()["secret"]
        url = self.town.receiver.expect(f"{self.name}-{self.jobs + 1}", secret)
        self.work(query=f"&webhook={url}")

    def look(self):
        job, _ = self.work()
        whole = self.ask("GET", f"/v2/jobs/{job}/result")
        if whole.status == 200:
            self.expect(self.ask("GET", f"/v2/jobs/{job}/result", headers={"Range": "bytes=0-9"}), {206, 410}, "a range")
            self.expect(self.ask("GET", f"/v2/jobs/{job}/result", headers={"If-None-Match": whole.headers["ETag"]}), {304, 410}, "a known tag")
        self.expect(self.ask("GET", "/v2/jobs?limit=3"), {200}, "the list")
        self.expect(self.ask("GET", f"/v2/jobs/{self.name}-0"), {404}, "an unknown job")
        self.town.forgotten.append((time.monotonic() + self.town.retention + MARGIN, self.headers, job))


class Receiver:
    """Where webhooks go: checks each signature, and refuses one first delivery of eight."""

    def __init__(self, town):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(receiver.take(self.path[1:], self.headers, body))
                self.end_headers()

            def log_message(self, *_):
                pass

        self.town, self.owed, self.refused = town, {}, set()
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def expect(self, job, secret):
        self.owed[job] = secret
        return f"http://127.0.0.1:{self.http.server_port}/{job}"

    def take(self, job, headers, body):
        secret = self.owed.get(job)
        if secret is None:
            self.town.count("webhooks again")
            return 200
        signed = f"{headers['Lapse-Delivery']}.{headers['Lapse-Timestamp']}.".encode() + body
        signature = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        if headers["Lapse-Signature"] != f"v1={signature}":
            self.town.complain(f"{job}: a webhook's signature is wrong")
        if int(headers["Lapse-Delivery"]) % 8 == 0 and job not in self.refused:
            self.refused.add(job)
            self.town.count("webhooks refused")
            return 500
        notice = json.loads(body)
        if notice["event"] != "done" or notice["job"]["id"] != job:
            self.town.complain(f"{job}: its webhook says {notice['event']} of {notice['job']['id']}")
        self.refused.discard(job)
        del self.owed[job]
        self.town.count("webhooks")
        return 200

    def close(self):
        self.http.shutdown()
        self.http.server_close()


class Releases:
    """A model that gets a new version now and then, and loses the old one; and another whose file is replaced."""

    def __init__(self, town, models, file):
        self.town, self.models, self.file, self.version = town, models, file, 0
        self.add()

    def add(self):
        """True: the new version is ready."""
        self.version += 1
        fresh = self.models / "release" / f"new-{self.version}"
        fresh.mkdir(parents=True)
        shutil.copy(self.file, fresh / "model.onnx")
        fresh.rename(self.models / "release" / str(self.version))
        client, deadline = Client(self.town.server), time.monotonic() + PATIENCE
        while (ready := client.ask("GET", f"/v2/models/release/versions/{self.version}/ready").status == 200) is False:
            if time.monotonic() > deadline or self.town.stopping.wait(0.1):
                break
        client.close()
        return ready

    def renew(self):
        if self.add():
            shutil.rmtree(self.models / "release" / str(self.version - 1))
            self.town.count("releases")
        settings = self.models / "slow.json"
        shutil.copy(settings, self.models / ".slow")
        os.replace(self.models / ".slow", settings)

    def renew_every(self, seconds):
        while not self.town.stopping.wait(seconds):
            self.renew()
