"""What the clients know, and whether the server holds to it.

Every fact has the time (CLOCK_MONOTONIC, as in the journal of a power cut) at which the client knew it, so that a cut in the past can take
back what was not known then. A server that lost power may have forgotten whatever was not acknowledged; it may not forget anything else.
"""

import threading
import time

FINAL = {"done", "failed", "cancelled", "expired"}


def now():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


class Entry:
    """One job that a client has named."""

    def __init__(self, id, question):
        self.id, self.question = id, question
        self.acknowledged = None  # when 202 or 200 came
        self.cancel_sent = None   # a DELETE that may have found it live
        self.delete_sent = None   # a DELETE that may have found it final
        self.deleted = None       # when that was confirmed
        self.retries = []         # when a retry was confirmed
        self.retry_sent = None
        self.final = None         # (when, state) as first seen in the job's document
        self.refused = None       # 4xx on submitting: it is not to exist


class Ledger:
    def __init__(self):
        self.entries, self.events, self.lock = {}, [], threading.Lock()
        self.complaints = []

    def complain(self, text):
        with self.lock:
            self.complaints.append(text)

    def add(self, entry):
        with self.lock:
            self.entries[entry.id] = entry

    def heard(self, sequence, type, data):
        with self.lock:
            self.events.append((now(), sequence, type, data.get("job")))

    def forget_since(self, moment):
        """The power failed at `moment`: nothing that came later was ever known."""
        for entry in self.entries.values():
            for fact in ("acknowledged", "cancel_sent", "delete_sent", "deleted", "retry_sent"):
                if (when := getattr(entry, fact)) is not None and when >= moment:
                    setattr(entry, fact, None)
            entry.retries = [when for when in entry.retries if when < moment]
            if entry.final and entry.final[0] >= moment:
                entry.final = None
        self.events = [event for event in self.events if event[0] < moment]

    def last_sequence(self):
        return max((sequence for _, sequence, _, _ in self.events), default=0)


def submit(client, ledger, entry, patience=10):
    """PUT until it is answered. True when it was accepted; Gone when the server went away before it said so."""
    body, headers = entry.question.request()
    deadline = time.monotonic() + patience
    while True:
        reply = client.ask("PUT", f"/v2/jobs/{entry.id}?model={entry.question.model}", body, headers)
        if reply.status in (200, 202):
            entry.acknowledged = entry.acknowledged or now()
            if reply.status == 202 and not entry.cancel_sent and reply.json()["id"] != entry.id:
                ledger.complain(f"{entry.id}: 202 for another job: {reply.body[:200]}")
            return True
        if reply.status == 410 and entry.delete_sent:
            return False
        if reply.status not in (429, 503) or time.monotonic() > deadline:
            ledger.complain(f"{entry.id}: PUT was answered {reply.status} {reply.body[:200]}")
            return False
        time.sleep(0.02)


class Verdict:
    def __init__(self):
        self.counts = dict.fromkeys(["acknowledged", "done", "failed", "cancelled", "deleted", "lost", "duplicated", "wrong", "unfinished", "retried"], 0)
        self.violations = []

    def violate(self, kind, text):
        if kind in self.counts:
            self.counts[kind] += 1
        self.violations.append(f"{kind}: {text}")


def wait_until_final(client, patience):
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if not any(client.ask("GET", f"/v2/jobs?state={state}&limit=1").json()["jobs"] for state in ("queued", "running")):
            return True
        time.sleep(0.01)
    return False


def verify(client, ledger, log, patience=30):
    """`log`: every event of the owner from the beginning, as (sequence, type, job). The server is at rest: wait_until_final came before."""
    verdict = Verdict()
    counts = verdict.counts
    for complaint in ledger.complaints:
        verdict.violate("complaint", complaint)
    for entry in ledger.entries.values():
        if not entry.acknowledged:
            continue
        counts["acknowledged"] += 1
        check_job(client, entry, verdict)
    check_list(client, ledger, verdict)
    check_log(ledger, log, verdict)
    return verdict


def check_job(client, entry, verdict):
    counts = verdict.counts
    reply = client.ask("GET", f"/v2/jobs/{entry.id}")
    if reply.status == 410:
        counts["deleted"] += 1
        if not entry.delete_sent:
            verdict.violate("lost", f"{entry.id} is gone and nobody has deleted it")
        return
    if reply.status != 200:
        verdict.violate("lost", f"{entry.id}: {reply.status} {reply.body[:200]}")
        return
    job = reply.json()
    state = job["state"]
    if entry.deleted:
        verdict.violate("complaint", f"{entry.id} was deleted and is back as {state}")
    counts["retried"] += max(0, job["attempt"] - 1)
    if state not in FINAL:
        verdict.violate("unfinished", f"{entry.id} is {state}")
        return
    if state == "expired" or (state == "cancelled" and not entry.cancel_sent):
        verdict.violate("complaint", f"{entry.id} is {state}, which nobody asked for")
    if state in counts:
        counts[state] += 1
    if state == "failed" and job["attempt"] < job["max_attempts"]:
        verdict.violate("complaint", f"{entry.id} failed with attempts left: {job.get('error')}")
    if entry.final and entry.final[1] != state and not entry.retry_sent:
        verdict.violate("duplicated", f"{entry.id} was {entry.final[1]} and is {state}")
    if state == "done":
        check_result(client, entry, job, verdict)


def check_result(client, entry, job, verdict):
    result = client.ask("GET", f"/v2/jobs/{entry.id}/result")
    if result.status != 200:
        verdict.violate("lost", f"the result of {entry.id}: {result.status} {result.body[:200]}")
        return
    if len(result.body) != job["result"]["bytes"]:
        verdict.violate("wrong", f"{entry.id}: {len(result.body)} bytes instead of {job['result']['bytes']}")
    if wrong := entry.question.wrong(result.body, result.header_length()):
        verdict.violate("wrong", f"{entry.id} ({entry.question.model}, seed {entry.question.seed}): {wrong}")


def check_list(client, ledger, verdict):
    """Every job stands once in the list, and none that was never asked for."""
    seen, before = [], ""
    while True:
        page = client.ask("GET", f"/v2/jobs?limit=100{before}").json()
        seen += [job["id"] for job in page["jobs"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    for id in {id for id in seen if seen.count(id) > 1}:
        verdict.violate("duplicated", f"{id} stands more than once in the list")
    for id in set(seen) - ledger.entries.keys():
        verdict.violate("complaint", f"{id} is in the list and nobody has submitted it")
    for entry in ledger.entries.values():
        if entry.acknowledged and not entry.delete_sent and entry.id not in seen:
            verdict.violate("lost", f"{entry.id} is not in the list")


def check_log(ledger, log, verdict):
    """Sequences without a gap, one final event a queueing, and what was heard before is still what was said."""
    if [sequence for sequence, _, _ in log] != list(range(1, len(log) + 1)):
        verdict.violate("complaint", f"the sequences of the log have gaps: {[sequence for sequence, _, _ in log][:20]}…")
    said = {sequence: (type, job) for sequence, type, job in log}
    heard = {}
    for _, sequence, type, job in ledger.events:
        if type == "reset":
            verdict.violate("complaint", "the stream was reset, though nothing was to be forgotten")
        elif heard.setdefault(sequence, (type, job)) != (type, job):
            verdict.violate("duplicated", f"event {sequence} was {heard[sequence]} and then {(type, job)}")
        if type != "reset" and said.get(sequence) != (type, job):
            verdict.violate("lost", f"event {sequence} was {(type, job)} and is {said.get(sequence)}")
    story = {}
    for sequence, type, job in log:
        story.setdefault(job, []).append(type)
    for entry in ledger.entries.values():
        types = story.get(entry.id, [])
        finals = [type for type in types if type in FINAL]
        wanted = 1 + len(entry.retries)
        possible = wanted + (1 if entry.retry_sent and not entry.retries else 0)
        if entry.acknowledged and not wanted <= len(finals) <= possible:
            verdict.violate("duplicated" if len(finals) > possible else "lost", f"{entry.id} has {len(finals)} final events: {types}")
        for earlier, later in zip(types, types[1:]):
            if earlier in FINAL and later != "deleted" and not (later == "queued" and entry.retry_sent):
                verdict.violate("duplicated", f"{entry.id}: {later} after {earlier}")
            if earlier == "deleted":
                verdict.violate("complaint", f"{entry.id}: {later} after it was deleted")
