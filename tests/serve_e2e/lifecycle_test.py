"""Starts, stops, crashes, and disks that are not well."""

import http.client
import json
import os
import signal
import subprocess
import unittest

from serving import LAPSE, PATIENCE, SMALL, ServingCase


class Lifecycle(ServingCase):
    def test_kill_9_loses_nothing_that_was_acknowledged(self):
        for number in range(20):
            self.put(f"echo-{number}")
        for number in range(3):
            self.put(f"slow-{number}", "slow")
        self.restart()
        for number in range(20):
            self.until(f"echo-{number}", "done")
        for number in range(3):
            self.assertLessEqual(self.until(f"slow-{number}", "done")["attempt"], 2)
        self.assertEqual(len(self.ask("GET", "/v2/jobs").json()["jobs"]), 23)

    def test_workers_end_with_their_server(self):
        workers = self.server.workers()
        self.assertEqual(len(workers), 2)
        self.server.kill_front()
        self.wait_for(lambda: not any(os.path.exists(f"/proc/{worker}") for worker in workers), "workers outlive their server")

    def test_one_data_folder_has_one_server(self):
        run = subprocess.run(self.server.command, capture_output=True, text=True, timeout=30)
        self.assertEqual(run.returncode, 70)
        self.assertIn("another", run.stderr)
        self.assertLessEqual(len(run.stderr.splitlines()), 2)

    def test_a_corrupt_database_is_said_and_not_overwritten(self):
        self.put("one")
        self.until("one", "done")
        self.assertEqual(self.server.stop(), 0)
        database = self.folder / "data" / "jobs.sqlite"
        damaged = b"this is not a database" + database.read_bytes()[22:]
        database.write_bytes(damaged)
        run = subprocess.run(self.server.command, capture_output=True, text=True, timeout=30)
        self.assertEqual(run.returncode, 70, run.stderr)
        self.assertIn("jobs.sqlite", run.stderr)
        self.assertEqual(database.read_bytes(), damaged)

    def test_bad_use_is_one_line(self):
        for options, says in ((["--listen", "0.0.0.0:0"], "0.0.0.0"), (["--listen", "x"], "ADDRESS"), (["--max-body", "much"], "much"),
                              (["--models", "/nowhere"], "/nowhere")):
            command = [LAPSE, "serve", "--models", str(self.folder / "models"), "--data", str(self.folder / "other"), "--listen", "127.0.0.1:0"]
            given = command + options
            if options[0] in ("--listen", "--models"):
                place = command.index(options[0])
                given = command[:place + 1] + [options[1]] + command[place + 2:]
            run = subprocess.run(given, capture_output=True, text=True, timeout=30)
            self.assertEqual(run.returncode, 2, (given, run.stderr))
            self.assertIn(says, run.stderr.splitlines()[0])
            self.assertEqual(run.stdout, "")


class Stopped(ServingCase):
    models = {**ServingCase.models, "slow": {"model": "sim:device=3s"}}

    def test_sigterm_lets_what_runs_finish_and_keeps_the_rest(self):
        self.put("runs", "slow")
        self.put("waits", "slow")
        self.until("runs", "running")
        self.server.process.send_signal(signal.SIGTERM)
        self.wait_for(lambda: self.client.ask("GET", "/v2/health/ready").status == 503, "it is ready although it stops")
        refused = self.refused("PUT", "/v2/jobs/new?model=echo", SMALL, status=503, says="stopping")
        self.assertEqual(refused.headers["Retry-After"], "1")
        self.job("runs")
        self.assertEqual(self.server.process.wait(30), 0)
        (self.folder / "models" / "slow.json").write_text(json.dumps(self.models["echo"]))  # the rest need not take as long
        self.server.start()
        self.assertEqual(self.job("runs")["state"], "done")
        self.assertEqual(self.job("runs")["attempt"], 1)
        self.until("waits", "done")

    def test_a_second_signal_ends_it_at_once(self):
        self.put("runs", "slow")
        self.until("runs", "running")
        self.server.process.send_signal(signal.SIGTERM)
        self.wait_for(lambda: self.client.ask("GET", "/v2/health/ready").status == 503, "it is ready although it stops")
        self.server.process.send_signal(signal.SIGTERM)
        self.assertNotEqual(self.server.process.wait(30), 0)


class ShortDrain(ServingCase):
    options = ("--drain", "300ms")
    models = {"slow": {"model": "sim:device=20s"}, "brief": {"model": "sim:device=3s"}}

    def test_what_takes_longer_than_the_deadline_goes_back_and_costs_no_attempt(self):
        self.put("runs", "slow")
        self.until("runs", "running")
        self.assertEqual(self.server.stop(), 0)
        self.server.process.stdout.close()
        self.server.start()
        again = self.until("runs", "running")
        self.assertEqual(again["attempt"], 1)

    def test_a_synchronous_request_that_runs_is_answered_and_one_that_waits_is_refused(self):
        self.server.command[self.server.command.index("300ms")] = "30s"
        self.restart()

        def ask():
            connection = http.client.HTTPConnection(*self.server.address, timeout=PATIENCE)
            self.addCleanup(connection.close)
            connection.request("POST", "/v2/models/brief/infer", SMALL)
            return connection

        runs = ask()
        impatient = json.dumps({**json.loads(SMALL), "parameters": {"timeout": 100_000}})
        self.wait_for(lambda: self.client.ask("POST", "/v2/models/brief/infer", impatient).status == 504, "the worker is never busy")
        waits = ask()
        self.wait_for(lambda: "lapse_http_connections 3" in self.ask("GET", "/metrics").body.decode(), "the second request does not come")
        self.server.process.send_signal(signal.SIGTERM)
        self.assertEqual([connection.getresponse().status for connection in (runs, waits)], [200, 503])
        self.assertEqual(self.server.process.wait(30), 0)


class FullDisk(ServingCase):
    def test_a_disk_that_is_nearly_full_takes_nothing_new_and_gives_what_there_is(self):
        self.put("one")
        self.until("one", "done")
        self.assertEqual(self.server.stop(), 0)
        self.server.process.stdout.close()
        self.server.command += ["--min-free", "8000TiB"]
        # The start waits until the server is ready, which it will never be.
        with self.assertRaisesRegex(RuntimeError, "nearly full"):
            self.server.start(timeout=3)
        self.refused("PUT", "/v2/jobs/two?model=echo", SMALL, status=503, says="nearly full")
        self.ask("GET", "/v2/jobs/one/result")
        self.ask("GET", "/v2/health/live")


if __name__ == "__main__":
    unittest.main()
