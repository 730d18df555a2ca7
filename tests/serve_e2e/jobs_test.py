"""Jobs: handed in, looked at, fetched, cancelled, tried again, forgotten."""

import json
import unittest

import numpy

from serving import SMALL, X, ServingCase, binary

OTHER = SMALL.replace("4.0", "5.0")
LONG_FIRST = {"slow": {"model": "sim:device=1s,first=3s"}}  # what is asked while the first job runs has time, and the others take less


class Jobs(ServingCase):
    def test_a_job_is_acknowledged_runs_and_its_result_is_fetched(self):
        reply = self.ask("POST", "/v2/models/echo/infer", SMALL, 202, Prefer="respond-async")
        self.assertEqual(reply.headers["Preference-Applied"], "respond-async")
        self.assertRegex(reply.headers["Server-Timing"], r"^store;dur=[0-9]+[.][0-9]{3}$")
        job = reply.json()["id"]
        self.assertEqual(reply.headers["Location"], f"/v2/jobs/{job}")
        done = self.until(job, "done")
        self.assertEqual(done["result"]["href"], f"/v2/jobs/{job}/result")
        self.assertEqual(self.values(self.ask("GET", done["result"]["href"])).ravel().tolist(), X)
        self.wait_for(lambda: "delivered" in self.job(job)["times"], "the download is never noted")
        times = self.job(job)["times"]
        self.assertEqual(list(times), sorted(times, key=times.get))
        self.assertEqual(set(times), {"accepted", "queued", "claimed", "batched", "started", "stored", "delivered"})
        self.assertGreater(done["durations"]["forward_seconds"], 0)

    def test_the_same_request_again_is_the_same_job_and_another_is_a_conflict(self):
        self.put("mine", "slow")
        self.assertEqual(self.put("mine", "slow")["id"], "mine")
        self.refused("PUT", "/v2/jobs/mine?model=slow", OTHER, status=409, says="mine")
        self.refused("PUT", "/v2/jobs/mine?model=echo", SMALL, status=409, says="mine")
        self.refused("PUT", "/v2/jobs/mine?model=slow&priority=3", SMALL, status=409, says="mine")
        self.until("mine", "done")
        self.assertEqual(self.put("mine", "slow", status=200)["state"], "done")
        self.assertEqual(len(self.ask("GET", "/v2/jobs").json()["jobs"]), 1)

    def test_an_idempotency_key_is_the_jobs_id(self):
        for key in ("key-1", "key-1", '"key-1"'):
            headers = {"Prefer": "wait=3, Respond-Async", "Idempotency-Key": key}
            self.assertEqual(self.client.ask("POST", "/v2/models/slow/infer", SMALL, headers).json()["id"], "key-1")
        for key in ("a/b", "", '""', ".", "..", "a" * 129):  # what could not stand in the job's path
            self.refused("POST", "/v2/models/slow/infer", SMALL, status=400, says="id", Prefer="respond-async", Idempotency_Key=key)

    def test_what_was_deleted_is_gone_and_what_never_was_is_not_found(self):
        self.put("one")
        self.until("one", "done")
        self.assertEqual(self.ask("DELETE", "/v2/jobs/one").json(), {"deleted": "one", "blobs": {"deleted": 0, "shared": 0, "kept": 2}})
        self.refused("GET", "/v2/jobs/one", status=410, says="one")
        self.refused("GET", "/v2/jobs/one/result", status=410, says="one")
        self.refused("PUT", "/v2/jobs/one?model=echo", SMALL, status=410, says="one")
        self.refused("DELETE", "/v2/jobs/one", status=410, says="one")
        for method, path in (("GET", "/v2/jobs/two"), ("GET", "/v2/jobs/two/result"), ("DELETE", "/v2/jobs/two"), ("POST", "/v2/jobs/two/retry")):
            self.refused(method, path, status=404, says="two")

    def test_what_is_wrong_is_refused_before_it_is_a_job(self):
        self.refused("PUT", "/v2/jobs/a?model=nobody", SMALL, status=404, says="nobody")
        self.refused("PUT", "/v2/jobs/a", SMALL, status=400, says="model")
        self.refused("PUT", "/v2/jobs/a%20b?model=echo", SMALL, status=400, says="id")
        self.refused("PUT", f"/v2/jobs/{'a' * 129}?model=echo", SMALL, status=400, says="id")
        self.refused("PUT", "/v2/jobs/a?model=echo", "{}", status=400, says="inputs")
        self.refused("PUT", "/v2/jobs/a?model=echo&priority=11", SMALL, status=400, says="priority")
        self.refused("PUT", "/v2/jobs/a?model=echo&deadline_seconds=nan", SMALL, status=400, says="deadline")
        self.refused("PUT", "/v2/jobs/a?model=echo&webhook=ftp://x/", SMALL, status=400, says="http")
        self.refused("PUT", "/v2/jobs/a?model=echo&webhook=http://127.0.0.1/", SMALL, status=403, says="public")
        self.refused("GET", "/v2/jobs?state=lost", status=400, says="lost")
        self.refused("GET", "/v2/jobs?limit=0", status=400, says="limit")
        self.assertEqual(self.ask("GET", "/v2/jobs").json(), {"jobs": [], "next": None})

    def test_jobs_are_listed_newest_first_in_pages(self):
        for number in range(5):
            self.put(f"j{number}")
        self.until("j4", "done")
        seen, next_page = [], ""
        while next_page is not None:
            page = self.ask("GET", f"/v2/jobs?limit=2{next_page and f'&before={next_page}'}").json()
            seen += [job["id"] for job in page["jobs"]]
            next_page = page["next"]
        self.assertEqual(seen, ["j4", "j3", "j2", "j1", "j0"])
        self.assertEqual(self.ask("GET", "/v2/jobs?state=failed").json()["jobs"], [])
        self.assertEqual(self.ask("GET", "/v2/jobs?model=slow").json()["jobs"], [])

    def test_a_result_is_fetched_in_parts_and_not_again_when_it_is_known(self):
        body, headers = binary(x=numpy.array([X], numpy.float32))
        self.client.ask("PUT", "/v2/jobs/r?model=echo", body, headers)
        self.until("r", "done")
        path = "/v2/jobs/r/result"
        whole = self.ask("GET", path)
        tag, size = whole.headers["ETag"], len(whole.body)
        self.assertEqual(whole.body[whole.header_length():], numpy.array(X, numpy.float32).tobytes())
        part = self.ask("GET", path, status=206, Range="bytes=3-9")
        self.assertEqual(part.body, whole.body[3:10])
        self.assertEqual(part.headers["Content-Range"], f"bytes 3-9/{size}")
        self.assertEqual(self.ask("GET", path, status=206, Range="bytes=-4").body, whole.body[-4:])
        self.assertEqual(self.ask("GET", path, status=416, Range=f"bytes={size}-").headers["Content-Range"], f"bytes */{size}")
        self.assertEqual(self.ask("GET", path, status=206, Range="bytes=1-2", If_Range=tag).body, whole.body[1:3])
        self.assertEqual(self.ask("GET", path, Range="bytes=1-2", If_Range='"another"').body, whole.body)
        self.assertEqual(self.ask("GET", path, status=304, If_None_Match=f'"x", {tag}').body, b"")
        self.ask("GET", path, If_None_Match='"another"')
        self.assertEqual(self.ask("HEAD", path).headers["Content-Length"], str(size))

    def test_a_result_is_a_conflict_until_there_is_one(self):
        self.put("later", "slow")
        self.refused("GET", "/v2/jobs/later/result", status=409, says="not done")

    def test_a_running_job_that_is_cancelled_says_what_was_stopped(self):
        self.put("runs", "slow")
        self.until("runs", "running")
        cancelled = self.ask("DELETE", "/v2/jobs/runs").json()
        self.assertEqual(cancelled["state"], "cancelled")
        self.assertTrue(cancelled["stopped"])
        self.refused("GET", "/v2/jobs/runs/result", status=409, says="cancelled")

    def test_a_job_that_nobody_waits_for_any_more_is_not_started(self):
        self.put("busy", "slow")
        self.until("busy", "running")
        self.put("late", "slow", query="&deadline_seconds=0.01")
        self.assertEqual(self.until("late", "expired")["attempt"], 0)


class LongPasses(ServingCase):
    models = {"slow": {"model": "sim:device=3s"}}

    def test_a_job_that_waits_behind_a_long_pass_is_not_called_running(self):
        for number in range(3):
            self.put(f"j{number}", "slow")
        self.until("j0", "running")
        self.assertEqual(self.job("j0")["progress"], {"done": 0, "total": 1})
        self.assertEqual([self.job(f"j{number}")["queue"]["position"] for number in (1, 2)], [0, 1])
        self.until("j0", "done")
        self.until("j1", "running")
        waits = self.job("j2")
        self.assertEqual(waits["queue"]["position"], 0)
        self.assertGreater(waits["queue"]["estimated_seconds"], 0)


class LongFirst(ServingCase):
    models = LONG_FIRST

    def test_a_queued_job_that_is_cancelled_never_runs(self):
        self.put("first", "slow")
        self.until("first", "running")
        self.put("second", "slow", query="&priority=-1")
        self.assertEqual(self.job("second")["queue"]["position"], 0)
        cancelled = self.ask("DELETE", "/v2/jobs/second").json()
        self.assertEqual((cancelled["state"], cancelled["stopped"]), ("cancelled", "before it started"))
        self.until("first", "done")
        self.assertEqual(self.job("second")["attempt"], 0)
        self.assertEqual(self.ask("POST", "/v2/jobs/second/retry", status=202).json()["state"], "queued")
        self.until("second", "done")
        self.refused("POST", "/v2/jobs/second/retry", status=409, says="done")


class NoGrace(ServingCase):
    options = ("--blob-grace", "0s")

    def test_blobs_that_other_jobs_refer_to_stay(self):
        for job in ("one", "two"):
            self.put(job)
            self.until(job, "done")
        self.assertEqual(self.ask("DELETE", "/v2/jobs/one").json()["blobs"], {"deleted": 0, "shared": 2, "kept": 0})
        self.assertEqual(self.values(self.ask("GET", "/v2/jobs/two/result")).ravel().tolist(), X)
        self.assertEqual(self.ask("DELETE", "/v2/jobs/two").json()["blobs"], {"deleted": 2, "shared": 0, "kept": 0})

    def test_a_blob_that_no_job_refers_to_is_collected(self):
        def blobs():
            return len(list((self.folder / "data" / "blobs").glob("??/*")))
        self.put("one")
        self.until("one", "done")
        for number in range(2):  # the first may be met by the look after the start
            self.put("one", body=SMALL.replace("1.0", f"{number}.5"), status=409)
            self.wait_for(lambda: blobs() == 2, "what the refused request left is never collected")

    def test_a_retry_still_has_its_input(self):
        self.put("busy", "slow")
        self.until("busy", "running")
        self.put("one", "slow")
        self.ask("DELETE", "/v2/jobs/one")
        self.put("two", "slow")
        self.ask("DELETE", "/v2/jobs/two")
        self.assertEqual(self.ask("DELETE", "/v2/jobs/two").json()["blobs"]["shared"], 1)
        self.ask("POST", "/v2/jobs/one/retry", status=202)
        self.until("one", "done")


class OtherAddress(ServingCase):
    def new_server(self, *options, data="data"):
        server = super().new_server(*options, data=data)
        server.command[server.command.index("127.0.0.1:0")] = "127.0.0.2:0"
        return server

    def test_the_address_that_is_listened_on_is_a_name_of_the_server(self):
        self.assertEqual(self.server.address[0], "127.0.0.2")
        self.put("one")
        self.refused("GET", "/v2/jobs/one", status=403, says="name", Host="127.0.0.3:8000")


class FullQueue(ServingCase):
    options = ("--max-queue", 2)
    models = LONG_FIRST

    def test_a_full_queue_says_when_to_come_again(self):
        self.put("runs", "slow")
        self.until("runs", "running")
        self.put("q1", "slow")
        self.put("q2", "slow")
        refused = self.refused("PUT", "/v2/jobs/q3?model=slow", SMALL, status=429, says="")
        self.assertGreaterEqual(int(refused.headers["Retry-After"]), 1)
        self.assertEqual(self.put("q2", "slow")["id"], "q2")
        self.refused("GET", "/v2/jobs/q3", status=404, says="q3")
        self.until("q2", "done")
        self.put("q3", "slow")


class SmallBodies(ServingCase):
    options = ("--max-body", "4KiB")

    def test_a_body_that_is_too_large_is_refused(self):
        self.refused("PUT", "/v2/jobs/big?model=echo", " " * 5000, status=413, says="")
        self.put("small")


if __name__ == "__main__":
    unittest.main()
