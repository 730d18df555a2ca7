#!/usr/bin/python3
"""Is anything lost that was acknowledged? Rounds of load that end in kill -9 of front, worker or both, and in power cuts.

    nothing_lost.py --lapse build/lapse --out build/bench/serve [--kills 200] [--cuts 200] [--seed 1]
    nothing_lost.py … --only kill:17              one round of that kind and seed once more (its load is the same, the moment nearly)
    nothing_lost.py … --again OUT/kept/cut-17     exactly the disk that a failed power cut left: the server is started on it and judged again

A round: a server on an empty folder; clients submit jobs under ids of their own, repeat some, cancel some, delete some; the blow falls at a
random moment; the server is started again; what was not answered is submitted again; when all is final, everything that the clients know is
compared with what the server says (ledger.py). A kill -9 tests processes: the page cache survives. A power cut tests fsync: the folder is
rebuilt as a disk would hold it (power_cut/disk.py), half of them with only what was fsynced, half with the rest torn at random; half of them
at the moment when all processes died, half at a random record before it.

Results: OUT/rounds.jsonl, OUT/nothing_lost.md; the folder, journal and log of a round that failed in OUT/kept/KIND-SEED.
"""

import argparse
import collections
import fcntl
import json
import pathlib
import pickle
import random
import shutil
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "power_cut"))

import disk
import ledger as books
from questions import DEMO_INPUTS, Question, answer, write_models
from server import Client, Gone, Listener, Server, kill, lives

CLIENTS = 6
SLOW_JOBS, DEMO_JOBS = 15, 10  # of a round: so that it ends in time


class Load:
    """Clients that submit, repeat, look, cancel, delete and retry until they are told to stop, or the server is gone for good."""

    def __init__(self, server, ledger, name, chance):
        self.server, self.ledger, self.stopping = server, ledger, False
        self.left = {"slow": SLOW_JOBS, "demo": DEMO_JOBS}
        self.lock = threading.Lock()
        seeds = [chance.getrandbits(32) for _ in range(CLIENTS)]
        self.threads = [threading.Thread(target=self.run, args=(f"{name}-{number}", random.Random(seed))) for number, seed in enumerate(seeds)]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.stopping = True
        for thread in self.threads:
            thread.join()

    def run(self, name, chance):
        client, mine = Client(self.server), []
        while not self.stopping:
            try:
                self.act(client, name, mine, chance)
            except Gone:
                time.sleep(0.005)
            except Exception as error:  # a fault of this program must not look like silence
                self.ledger.complain(f"a client broke: {error!r}")
                return
        client.close()

    def act(self, client, name, mine, chance):
        dice = chance.random()
        if dice < 0.7 or not mine:
            entry = books.Entry(f"{name}-{len(mine)}", Question(self.model(chance), chance.getrandbits(31)))
            mine.append(entry)
            self.ledger.add(entry)
            books.submit(client, self.ledger, entry)
        elif dice < 0.8:
            books.submit(client, self.ledger, chance.choice(mine[-20:]))
        elif dice < 0.83:
            self.conflict(client, chance.choice(mine))
        elif dice < 0.93:
            self.look(client, chance.choice(mine))
        elif dice < 0.99:
            self.delete(client, chance.choice(mine))
        else:
            self.retry(client, chance.choice(mine))

    def model(self, chance):
        model = chance.choices(["affine", "slow", "demo"], [8, 1, 1])[0]
        with self.lock:
            if model != "affine" and self.left[model] == 0:
                return "affine"
            if model != "affine":
                self.left[model] -= 1
        return model

    def conflict(self, client, entry):
        body, headers = Question(entry.question.model, entry.question.seed + 2).request()
        if not entry.acknowledged or entry.delete_sent:
            return
        reply = client.ask("PUT", f"/v2/jobs/{entry.id}?model={entry.question.model}", body, headers)
        if reply.status not in (409, 503) and entry.question.model != "demo":  # 503: after a restart, until the model is there
            self.ledger.complain(f"{entry.id}: another body was answered {reply.status} {reply.body[:200]}")

    def look(self, client, entry):
        reply = client.ask("GET", f"/v2/jobs/{entry.id}")
        if reply.status == 200:
            state = reply.json()["state"]
            if state in books.FINAL and not entry.final and not entry.retry_sent:
                entry.final = (books.now(), state)
        elif entry.acknowledged and not (reply.status == 410 and entry.delete_sent):
            self.ledger.complain(f"{entry.id}: GET was answered {reply.status} {reply.body[:200]}")

    def delete(self, client, entry):
        entry.cancel_sent = entry.cancel_sent or books.now()
        entry.delete_sent = entry.delete_sent or books.now()
        reply = client.ask("DELETE", f"/v2/jobs/{entry.id}")
        if reply.status == 200 and "deleted" in reply.json():
            entry.deleted = entry.deleted or books.now()
        elif reply.status == 200 and reply.json()["state"] in books.FINAL:
            if not entry.retry_sent:
                entry.final = entry.final or (books.now(), reply.json()["state"])
        elif reply.status not in (202, 404, 410) or (reply.status == 404 and entry.acknowledged):
            self.ledger.complain(f"{entry.id}: DELETE was answered {reply.status} {reply.body[:200]}")

    def retry(self, client, entry):
        if not (entry.final and entry.final[1] == "cancelled") or entry.retry_sent:
            return
        entry.retry_sent, entry.final = books.now(), None
        reply = client.ask("POST", f"/v2/jobs/{entry.id}/retry")
        if reply.status == 202:
            entry.retries.append(books.now())
        elif not (reply.status == 410 and entry.deleted):
            self.ledger.complain(f"{entry.id}: retry was answered {reply.status} {reply.body[:200]}")


class Round:
    def __init__(self, asked, kind, seed):
        self.asked, self.kind, self.seed = asked, kind, seed
        self.chance = random.Random(f"{kind}:{seed}")
        self.work = asked.out / "work" / f"{kind}-{seed}"
        shutil.rmtree(self.work, ignore_errors=True)
        self.root = self.work / "disk"
        self.root.mkdir(parents=True)
        self.journal, self.log = self.work / "journal", self.work / "log"
        self.ledger = books.Ledger()
        self.facts = collections.Counter()
        self.blows, self.violations = [], []
        self.server = Server(command(asked, self.root), self.log, watched(asked, self.root, self.journal) if kind == "cut" else None)

    def run(self):
        began = time.monotonic()
        verdict = books.Verdict()
        try:
            if self.kind == "cut":
                disk.begin(self.journal, self.root)
            self.server.start()
            self.listener = Listener(self.server, 0, self.ledger.heard)
            self.load = Load(self.server, self.ledger, str(self.seed), self.chance)
            self.kills() if self.kind == "kill" else self.power_cut()
            self.settle()
            verdict = judge(self.server, self.ledger, self.asked.patience)
            status = self.server.stop()
            if status != 0:
                self.violations.append(f"complaint: SIGTERM ended with status {status}")
        except Exception as error:
            self.violations.append(f"broken: {error!r}")
        finally:
            if hasattr(self, "load"):
                self.load.stop()
            for worker in self.server.workers() if self.server.alive() else []:
                kill(worker)
            if self.server.alive():
                self.server.kill_front()
        self.violations += verdict.violations
        return {"kind": self.kind, "seed": self.seed, "blows": self.blows, "submitted": len(self.ledger.entries), **verdict.counts, **self.facts,
                "violations": self.violations, "seconds": round(time.monotonic() - began, 3)}

    # --- kill -9 ---

    def kills(self):
        for _ in range(self.chance.choice([1, 1, 2, 3])):
            time.sleep(self.chance.uniform(0.02, 0.5))
            target = self.chance.choice(["front", "worker", "both"])
            workers = self.server.workers()
            if target != "front" and workers:
                for worker in self.chance.sample(workers, self.chance.randint(1, len(workers))):
                    kill(worker)
                    self.facts["workers_killed"] += 1
            if target != "worker":
                self.server.kill_front()
                self.facts["fronts_killed"] += 1
                self.again(workers)
            self.blows.append(target)
        time.sleep(self.chance.uniform(0, 0.2))

    def again(self, workers):
        """The front once more. Its workers of before have to end by themselves."""
        self.listener.join()
        deadline = time.monotonic() + 5
        while any(map(lives, workers)) and time.monotonic() < deadline:
            time.sleep(0.002)
        if any(map(lives, workers)):
            self.violations.append("complaint: a worker outlived its front by 5 s")
        self.restart()

    def restart(self):
        began = time.monotonic()
        self.server.start()
        self.facts["restart_ms_max"] = max(self.facts["restart_ms_max"], round(1000 * (time.monotonic() - began)))
        self.listener = Listener(self.server, self.ledger.last_sequence(), self.ledger.heard)

    # --- power cut ---

    def power_cut(self):
        time.sleep(self.chance.uniform(0.05, 1.0))
        self.fail_power()
        history = [record.time for record in disk.records(self.journal)]
        at, moment = len(history), books.now()
        if self.chance.random() < 0.5:
            first = next(number for number, when in enumerate(history) if when > 0)
            at = self.chance.randint(first, len(history))
            moment = history[at - 1] + 1
        torn = f"{self.seed}" if self.seed % 2 else None
        self.blows.append({"at": at, "of": len(history), "torn": torn})
        found = disk.replay(self.journal)
        for difference in disk.differences(found.now(), self.root):
            self.violations.append(f"blind: {difference}")
        self.ledger.forget_since(moment)
        with open(self.work / "ledger", "wb") as out:
            pickle.dump({"entries": self.ledger.entries, "events": self.ledger.events, "at": at, "torn": torn}, out)
        self.root.rename(self.work / "before")
        rebuild(self.journal, at, torn, self.root)
        self.server.environment = None
        self.restart()

    def fail_power(self):
        """All processes die at one point of the journal: nobody is between an operation and its record while its lock is held here."""
        with open(self.journal, "rb") as journal:
            fcntl.flock(journal, fcntl.LOCK_EX)
            self.load.stopping = True
            workers = self.server.workers()
            self.server.kill_front()
            for worker in workers:
                kill(worker)
            while any(map(lives, workers)):
                time.sleep(0.001)
        self.load.stop()
        self.listener.join()

    # --- after the blow ---

    def settle(self):
        """What was not answered is asked again, and everything runs to its end."""
        self.load.stop()
        client = Client(self.server)
        for entry in self.ledger.entries.values():
            if not entry.acknowledged:
                self.facts["in_doubt"] += 1
                books.submit(client, self.ledger, entry)
        client.close()
        finish(self.server, self.ledger, self.asked.patience)
        self.listener.close()
        if self.listener.refused:
            self.violations.append(f"complaint: /v2/events: {self.listener.refused}")


def finish(server, ledger, patience):
    client = Client(server)
    if not books.wait_until_final(client, patience):
        ledger.complain(f"not everything was final after {patience} s")
    client.close()


def judge(server, ledger, patience):
    """Reads the log of events whole, up to a last job of our own, and compares."""
    client = Client(server)
    last = books.Entry("last", Question("affine", 1))
    ledger.add(last)
    books.submit(client, ledger, last)
    log, complete = [], threading.Event()
    def heard(sequence, type, data):
        log.append((sequence, type, data.get("job")))
        if data.get("job") == "last" and type in books.FINAL:
            complete.set()
    listener = Listener(server, 0, heard)
    if not complete.wait(patience):
        ledger.complain(f"the log of events does not come to the last job's end: {log[-3:]}")
    listener.close()
    verdict = books.verify(client, ledger, log)
    client.close()
    return verdict


def rebuild(journal, at, torn, out):
    found = disk.replay(journal, at)
    disk.write(found.fsynced() if torn is None else found.torn(torn), out)


def command(asked, root):
    return [str(asked.lapse), "serve", "--models", str(asked.out / "models"), "--data", str(root / "data"), "--listen", "127.0.0.1:0", *asked.option]


def watched(asked, root, journal):
    return {"LD_PRELOAD": str(asked.library), "LAPSE_POWER_CUT_ROOT": str(root), "LAPSE_POWER_CUT_JOURNAL": str(journal)}


def learn_answers(asked):
    """Direct inference of what only the model knows; the other models' answers are computed here."""
    root = asked.out / "work" / "direct"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    server = Server(command(asked, root), asked.out / "direct.log")
    server.start()
    client = Client(server)
    for number in range(DEMO_INPUTS):
        body, headers = Question("demo", number).request()
        reply = client.ask("POST", "/v2/models/demo/infer", body, headers)
        if reply.status != 200:
            raise RuntimeError(f"direct inference: {reply.status} {reply.body[:300]}")
        Question.demo_answers[number] = answer(reply.body, reply.header_length())
    for model in ("affine", "slow"):
        for seed in range(2):
            body, headers = Question(model, seed).request()
            reply = client.ask("POST", f"/v2/models/{model}/infer", body, headers)
            if wrong := Question(model, seed).wrong(reply.body, reply.header_length()):
                raise RuntimeError(f"direct inference of {model}: {wrong}")
    client.close()
    server.stop()
    shutil.rmtree(root)


def judge_again(asked, kept):
    """The disk and the clients' knowledge of a power cut that was kept."""
    with open(kept / "ledger", "rb") as file:
        known = pickle.load(file)
    root = asked.out / "work" / "again"
    shutil.rmtree(root, ignore_errors=True)
    root.parent.mkdir(parents=True, exist_ok=True)
    rebuild(kept / "journal", known["at"], known["torn"], root)
    ledger = books.Ledger()
    ledger.entries, ledger.events = known["entries"], known["events"]
    server = Server(command(asked, root), asked.out / "again.log")
    server.start()
    client = Client(server)
    for entry in ledger.entries.values():
        if not entry.acknowledged:
            books.submit(client, ledger, entry)
    finish(server, ledger, asked.patience)
    verdict = judge(server, ledger, asked.patience)
    server.stop()
    print("\n".join(verdict.violations) or "nothing is wrong")
    return 1 if verdict.violations else 0


def summary(results):
    lines = ["# Nothing lost", "", "`make bench-serve` (bench/serve/nothing_lost.py). Raw figures: rounds.jsonl.", "",
             "| | kill -9 | power cut, fsynced only | power cut, torn |", "|---|---|---|---|"]
    groups = [[r for r in results if r["kind"] == "kill"], [r for r in results if r["kind"] == "cut" and r["seed"] % 2 == 0],
              [r for r in results if r["kind"] == "cut" and r["seed"] % 2 == 1]]
    def row(name, value):
        lines.append(f"| {name} | " + " | ".join(str(value(group)) if group else "-" for group in groups) + " |")
    row("rounds", len)
    row("rounds with a violation", lambda group: sum(bool(r["violations"]) for r in group))
    for name in ("submitted", "acknowledged", "done", "failed", "cancelled", "deleted", "retried", "in_doubt", "fronts_killed", "workers_killed",
                 "lost", "duplicated", "wrong", "unfinished"):
        row({"retried": "attempts after the first", "in_doubt": "in doubt after the blow, submitted again", "fronts_killed": "fronts killed",
             "workers_killed": "workers killed"}.get(name, name), lambda group: sum(r.get(name, 0) for r in group))
    row("slowest restart, ms", lambda group: max(r.get("restart_ms_max", 0) for r in group))
    row("longest round, s", lambda group: max(r["seconds"] for r in group))
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lapse", type=pathlib.Path, required=True)
    parser.add_argument("--library", type=pathlib.Path, help="power_cut.so (beside the program, in bench/)")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--cuts", type=int, default=200)
    parser.add_argument("--quick", action="store_true", help="a few rounds of each: does it run at all")
    parser.add_argument("--seed", type=int, default=1, help="of the first round; the next has the next")
    parser.add_argument("--option", action="append", default=[], help="one more argument of the server")
    parser.add_argument("--patience", type=float, default=30, metavar="SECONDS", help="in which everything has to become final")
    parser.add_argument("--only", metavar="KIND:SEED")
    parser.add_argument("--again", type=pathlib.Path, metavar="FOLDER")
    asked = parser.parse_args()
    if asked.quick:
        asked.kills = asked.cuts = 3
    asked.out = asked.out.resolve()
    asked.lapse = asked.lapse.resolve()
    asked.library = (asked.library or asked.lapse.parent / "bench" / "power_cut.so").resolve(strict=True)
    write_models(asked.out / "models")
    learn_answers(asked)
    if asked.again:
        return judge_again(asked, asked.again)
    rounds = [("kill", asked.seed + n) for n in range(asked.kills)] + [("cut", asked.seed + n) for n in range(asked.cuts)]
    if asked.only:
        kind, _, seed = asked.only.partition(":")
        rounds = [(kind, int(seed))]
    results = []
    with open(asked.out / "rounds.jsonl", "w") as out:
        for kind, seed in rounds:
            this = Round(asked, kind, seed)
            result = this.run()
            results.append(result)
            print(json.dumps(result), file=out, flush=True)
            if result["violations"]:
                keep(asked, this, result)
            else:
                shutil.rmtree(this.work)
    text = summary(results)
    (asked.out / "nothing_lost.md").write_text(text)
    print(text)
    return 1 if any(result["violations"] for result in results) else 0


def keep(asked, this, result):
    kept = asked.out / "kept" / f"{this.kind}-{this.seed}"
    shutil.rmtree(kept, ignore_errors=True)
    kept.parent.mkdir(exist_ok=True)
    this.work.rename(kept)
    print(f"{this.kind}:{this.seed} {result['blows']}: {len(result['violations'])} violations, kept in {kept}", file=sys.stderr)
    for violation in result["violations"][:5]:
        print(f"  {violation}", file=sys.stderr)
    how = f"--again {kept}" if (kept / "ledger").exists() else f"--only {this.kind}:{this.seed}"
    print(f"  once more: {sys.argv[0]} --lapse {asked.lapse} --out {asked.out} {how}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
