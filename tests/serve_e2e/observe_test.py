"""What a server tells of itself: a job's document, the metrics, the log and `lapse top` agree."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
import unicodedata
import unittest

from serving import LAPSE, PATIENCE, SMALL, ServingCase, hold_port

STAGES = ("queue", "dispatch", "batch_wait", "h2d", "forward", "d2h", "store")


class Observed(ServingCase):
    options = ("--log-level", "debug", "--max-attempts", "1")
    models = {**ServingCase.models, "copies": {"model": "sim:device=1ms,h2d=500us,d2h=200us,time=virtual"}}

    def metrics(self):
        found = {}
        for line in self.ask("GET", "/metrics").body.decode().splitlines():
            if not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                found[name] = float(value)
        return found

    def lines(self, job):
        return [line for line in map(json.loads, self.log().splitlines()) if line.get("job") == job]

    def test_a_jobs_document_and_the_histograms_tell_the_same_times(self):
        self.put("one", "copies")
        self.until("one", "done")
        self.wait_for(lambda: "delivery_seconds" in self.job("one")["durations"], "that it was told of its end is never noted")
        durations = self.job("one")["durations"]
        self.assertEqual(list(durations), [f"{stage}_seconds" for stage in (*STAGES, "total", "delivery")])
        self.assertAlmostEqual(sum(durations[f"{stage}_seconds"] for stage in STAGES), durations["total_seconds"], places=6)
        self.assertEqual([durations[f"{stage}_seconds"] for stage in ("h2d", "forward", "d2h")], [0.0005, 0.001, 0.0002])
        self.wait_for(lambda: 'lapse_job_delivery_seconds_count{model="copies"}' in self.metrics(), "the delivery is not counted")
        metrics = self.metrics()
        for name, value in durations.items():
            self.assertEqual(metrics[f'lapse_job_{name}_count{{model="copies"}}'], 1)
            self.assertAlmostEqual(metrics[f'lapse_job_{name}_sum{{model="copies"}}'], value, places=6)
        self.assertEqual(metrics['lapse_job_accepted_seconds_count{model="copies"}'], 1)
        self.assertEqual(metrics['lapse_job_accepted_bytes_total{model="copies"}'], len(SMALL))

    def test_every_end_is_counted_and_logged_with_the_jobs_id(self):
        self.put("runs", "slow")
        self.until("runs", "running")
        self.put("late", "slow", query="&deadline_seconds=0.01&priority=-1")
        self.put("unwanted", "slow", query="&priority=-2")
        self.ask("DELETE", "/v2/jobs/unwanted")
        for worker in self.server.workers():
            os.kill(worker, signal.SIGKILL)
        self.until("runs", "failed")
        self.until("late", "expired")
        self.put("well")
        self.until("well", "done")
        ends = {"runs": ("failed", "warning", "slow"), "late": ("expired", "info", "slow"), "unwanted": ("cancelled", "info", "slow"), "well": ("done", "debug", "echo")}
        for job, (state, level, model) in ends.items():
            self.wait_for(lambda: len(self.lines(job)) == 2, f"{job}: {self.lines(job)}")
            accepted, ended = self.lines(job)
            self.assertEqual((accepted["message"], accepted["level"]), ("job accepted", "debug"))
            self.assertEqual((ended["message"], ended["level"], ended["owner"], ended["model"]), (f"job {state}", level, "local", model))
            self.assertEqual(self.metrics()[f'lapse_jobs_ended_total{{model="{model}",state="{state}"}}'], 1)
        self.assertIn("worker", self.lines("runs")[1]["reason"])

    def test_a_full_queue_is_counted_once(self):
        before = self.metrics().get('lapse_rejected_total{why="queue_full"}', 0)
        self.server.stop()
        self.server.process.stdout.close()
        self.server.command += ["--max-queue", "1"]
        self.server.start()
        self.put("runs", "slow")
        self.until("runs", "running")
        while self.client.ask("PUT", f"/v2/jobs/more{time.monotonic_ns()}?model=slow", SMALL).status == 202:
            pass
        self.assertEqual(self.metrics()['lapse_rejected_total{why="queue_full"}'], before + 1)


def columns(text):
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


class Top(ServingCase):
    def begin(self, *options, size=(24, 60)):
        """`lapse top` on a terminal of its own."""
        self.terminal, end = pty.openpty()
        self.addCleanup(os.close, self.terminal)
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        self.program = subprocess.Popen([LAPSE, "top", "http://{}:{}".format(*self.server.address), *options], stdin=end, stdout=end, stderr=end)
        os.close(end)
        self.addCleanup(lambda: (self.program.kill(), self.program.wait()))
        self.shown = b""

    def picture(self):
        """The lines of the last whole picture that has come by now."""
        while select.select([self.terminal], [], [], 0.01)[0]:
            try:
                self.shown += os.read(self.terminal, 65536)
            except OSError:
                break
        pictures = self.shown.decode(errors="replace").split("\x1b[H")[1:]
        whole = [picture for picture in pictures if picture.endswith("\x1b[J") or "\x1b[J" in picture]
        return [line.replace("\x1b[K", "").rstrip("\r") for line in whole[-1].split("\x1b[J")[0].split("\n")[:-1]] if whole else []

    def test_it_fits_a_narrow_terminal_in_either_language_and_ends_with_q(self):
        self.put("one")
        for options, words in (((), ("queued 0", "workers 1")), (("--lang", "ko"), ("대기 0", "작업자 1"))):
            self.begin(*options)
            self.wait_for(lambda: all(word in "\n".join(self.picture()) for word in words), f"{words} are never shown: {self.shown}")
            for line in self.picture():
                self.assertLessEqual(columns(line), 60, line)
            os.write(self.terminal, b"q")
            self.assertEqual(self.program.wait(PATIENCE), 0)
            self.picture()
            self.assertTrue(self.shown.endswith(b"\x1b[?7h\x1b[?25h\x1b[?1049l"), "the terminal is not as it was")

    def test_it_says_that_the_server_is_gone_and_goes_on_when_it_is_back(self):
        self.server.command[self.server.command.index("127.0.0.1:0")] = f"127.0.0.1:{hold_port(self.addCleanup)}"
        self.restart()
        self.begin(size=(24, 40))
        self.wait_for(lambda: any("echo" in line for line in self.picture()), "it never shows the models")
        self.server.kill_front()
        self.server.process.stdout.close()
        self.wait_for(lambda: self.picture()[0].startswith("reconnecting"), "it does not say that the server is gone")
        self.assertTrue(any("echo" in line for line in self.picture()), "what was known is no longer shown")
        self.assertIn(b"\x1b[?7l", self.shown, "a long line would push the others down")
        self.server.start()
        self.wait_for(lambda: not self.picture()[0].startswith("reconnecting"), "it does not see that the server is back")

    def test_one_table_for_a_script(self):
        self.put("one")
        self.until("one", "done")
        run = subprocess.run([LAPSE, "top", "http://{}:{}".format(*self.server.address), "--once"], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertRegex(run.stdout, re.compile(r"^echo +0 +0 ", re.M))

    def test_nobody_there_is_one_line(self):
        run = subprocess.run([LAPSE, "top", "http://127.0.0.1:1"], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual((run.returncode, run.stdout), (70, ""))
        self.assertIn("no answer", run.stderr.splitlines()[0])


if __name__ == "__main__":
    unittest.main()
