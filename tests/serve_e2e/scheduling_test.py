"""Whose turn it is, how long anybody waits, and what becomes of work that nobody waits for, that fails, or whose time has passed."""

import json
import pathlib
import threading
import unittest

from serving import SMALL, X, Client, ServingCase
from server import kill  # noqa: E402


def request(number, **parameters):
    data = [float(number)] + X[1:]
    return json.dumps({"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": data}], "parameters": parameters})


class Turns(ServingCase):
    models = {"step": {"model": "sim:device=100ms,first=3s"}}  # everybody has come while the first one runs

    def visitor(self):
        """Headers of somebody of his own."""
        return {"Cookie": self.ask("POST", "/v2/session").headers["Set-Cookie"].split(";")[0]}

    def claimed(self, jobs):
        """When each was; the server's own times, which have an order."""
        return {job: self.job_of(headers, job)["times"]["claimed"] for job, headers in jobs.items()}

    def job_of(self, headers, job):
        return self.ask("GET", f"/v2/jobs/{job}", **headers).json()

    def wait_for_all(self, jobs):
        for job, headers in jobs.items():
            self.wait_for(lambda: self.job_of(headers, job)["state"] == "done", f"{job} is never done")

    def test_who_comes_with_little_does_not_wait_for_who_came_with_much(self):
        greedy, modest = self.visitor(), self.visitor()
        jobs = {f"g{number}": greedy for number in range(20)}
        for number, job in enumerate(jobs):
            self.put(job, "step", request(number), **greedy)
        jobs |= {f"m{number}": modest for number in range(3)}
        for number in range(3):
            self.put(f"m{number}", "step", request(100 + number), **modest)
        self.wait_for_all(jobs)
        order = sorted(jobs, key=self.claimed(jobs).get)
        self.assertLess(order.index("m2"), order.index("g12"), order)

    def test_a_higher_priority_goes_first(self):
        me = self.visitor()
        jobs = {f"low{number}": me for number in range(8)} | {"high": me, "triton": me}
        for number in range(8):
            self.put(f"low{number}", "step", request(number), query="&priority=-1", **me)
        self.put("high", "step", request(8), query="&priority=10", **me)
        self.put("triton", "step", request(9, priority=1), **me)  # its highest level
        self.assertEqual([self.job_of(me, job)["priority"] for job in ("low0", "high", "triton")], [-1, 10, 10])
        self.wait_for_all(jobs)
        order = sorted(jobs, key=self.claimed(jobs).get)
        self.assertLess(max(order.index("high"), order.index("triton")), order.index("low5"), order)


class Batches(ServingCase):
    models = {"patient": {"model": "sim:device=1ms", "max_batch": 4, "max_delay_ms": 3_600_000},
              "hasty": {"model": "sim:device=1500ms", "max_batch": 8}}

    def infer_together(self, model, count):
        answers = [None] * count

        def infer(number):
            answers[number] = Client(self.server).ask("POST", f"/v2/models/{model}/infer", request(number))
        threads = [threading.Thread(target=infer, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for number, answer in enumerate(answers):
            self.assertEqual(self.values(answer).ravel().tolist(), [float(number)] + X[1:])

    def batches(self, model):
        counted = self.ask("GET", f"/v2/models/{model}/stats").json()["model_stats"][0]
        return {each["batch_size"]: each["compute_infer"]["count"] for each in counted["batch_stats"]}

    def test_a_full_batch_waits_for_nobody(self):
        self.infer_together("patient", 4)
        self.assertEqual(self.batches("patient"), {4: 1})

    def test_who_comes_while_a_pass_runs_goes_with_the_next_one(self):
        self.put("first", "hasty", request(0))
        self.until("first", "running")
        self.infer_together("hasty", 6)
        self.assertEqual(self.until("first", "done")["batch_size"], 1)
        self.assertEqual(self.batches("hasty"), {1: 1, 6: 1})

    def test_jobs_and_requests_share_a_batch(self):
        for number in range(3):
            self.put(f"j{number}", "patient", request(number))
        self.infer_together("patient", 1)
        self.assertEqual(self.until("j0", "done")["batch_size"], 4)
        self.assertEqual(self.batches("patient"), {4: 1})


class Late(ServingCase):
    models = {"slow": {"model": "sim:device=1500ms"}}

    def test_nothing_is_started_after_its_deadline(self):
        self.put("runs", "slow")
        self.until("runs", "running")
        self.put("late", "slow", query="&deadline_seconds=0.2")  # behind the one that runs
        self.assertEqual(self.until("late", "expired")["attempt"], 0)
        self.assertNotIn("started", self.job("late")["times"])
        self.put("again", "slow", request(5))
        self.until("again", "running")
        self.refused("POST", "/v2/models/slow/infer", request(1, timeout=200_000), status=504, says="not started")
        self.until("again", "done")
        self.assertEqual(self.ask("GET", "/v2/models/slow/stats").json()["model_stats"][0]["inference_count"], 2)


class DeadLetters(ServingCase):
    options = ("--max-attempts", 2)

    def test_after_its_last_attempt_a_job_has_failed_with_the_last_error_until_it_is_tried_again(self):
        (self.folder / "models" / "echo.json").unlink()
        self.wait_for(lambda: len(self.server.workers()) == 1, "the other model's worker never ends")
        self.put("unlucky", "slow")
        for attempt in (1, 2):
            self.wait_for(lambda: self.job("unlucky")["attempt"] == attempt and self.job("unlucky")["state"] == "running", "it never runs")
            for worker in self.server.workers():
                kill(worker)
        failed = self.until("unlucky", "failed")
        self.assertEqual((failed["attempt"], failed["max_attempts"]), (2, 2))
        self.assertIn("signal 9", failed["error"]["message"])
        self.assertTrue(failed["error"]["hint"])
        self.assertEqual([job["id"] for job in self.ask("GET", "/v2/jobs?state=failed").json()["jobs"]], ["unlucky"])
        self.ask("POST", "/v2/jobs/unlucky/retry", status=202)
        done = self.until("unlucky", "done")
        self.assertNotIn("error", done)
        self.assertEqual(done["attempt"], 1)


class Bounds(ServingCase):
    options = ("--max-queue-bytes", "4KiB")
    models = {"slow": {"model": "sim:device=2s"}}

    def test_a_queue_is_bounded_by_bytes_and_says_when_there_is_room(self):
        self.refused("PUT", "/v2/jobs/huge?model=slow", SMALL + " " * 4096, status=413, says="whole queue")
        self.put("first", "slow")
        self.until("first", "done")  # so that its pace is known
        large = SMALL + " " * 1900
        for number in range(2):
            self.put(f"runs{number}", "slow", large)
            self.until(f"runs{number}", "running", "done")
        for number in range(2):
            self.put(f"waits{number}", "slow", large)
        refused = self.refused("PUT", "/v2/jobs/more?model=slow", large, status=429, says="bytes")
        self.assertIn(int(refused.headers["Retry-After"]), range(2, 10))


class Forgotten(ServingCase):
    options = ("--retention", "4s", "--tombstone", "3s", "--blob-grace", "10ms")

    def test_what_is_done_is_kept_for_its_retention_then_gone_then_unknown_and_takes_its_blobs_with_it(self):
        self.put("one")
        self.until("one", "done")
        self.ask("GET", "/v2/jobs/one/result")
        blobs = [file for file in (self.folder / "data" / "blobs").rglob("*") if len(file.name) == 64]
        self.assertEqual(len(blobs), 2)
        self.wait_for(lambda: self.client.ask("GET", "/v2/jobs/one").status == 410, "it is never forgotten")
        self.wait_for(lambda: not any(map(pathlib.Path.exists, blobs)), "its blobs stay")
        self.wait_for(lambda: self.client.ask("GET", "/v2/jobs/one").status == 404, "its tombstone stays")
        self.put("one")
        self.until("one", "done")


if __name__ == "__main__":
    unittest.main()
