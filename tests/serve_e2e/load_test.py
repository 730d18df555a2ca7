#!/usr/bin/python3
"""The load client, asked to load a server of known behaviour, right or wrong: does it say what happened."""

import asyncio
import json
import os
import pathlib
import subprocess
import tempfile
import threading
import unittest

LOAD = os.environ["LAPSE_BINARY_DIR"] + "/bench/load"


class Known:
    """As much of a job server as the load client talks to, with known faults."""

    def __init__(self, refuse_every=0, drop_streams=0, forget_every=0, fail_every=0):
        self.refuse_every, self.drop_streams, self.forget_every, self.fail_every = refuse_every, drop_streams, forget_every, fail_every
        self.jobs, self.bodies, self.streams, self.sessions = 0, set(), [], 0
        self.loop = asyncio.new_event_loop()
        started = threading.Event()
        threading.Thread(target=self.run, args=(started,), daemon=True).start()
        started.wait(10)

    def run(self, started):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=500))
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        self.loop.run_forever()

    async def serve(self, reader, writer):
        try:
            while True:
                lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                method, target, _ = lines[0].split()
                headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                if target == "/v2/events":
                    return await self.stream(writer, headers.get("cookie", ""))
                status, extra, answer = self.answer(method, target, headers, body)
                writer.write(f"HTTP/1.1 {status} .\r\n{extra}Content-Length: {len(answer)}\r\n\r\n".encode() + answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def answer(self, method, target, headers, body):
        if target == "/v2/session":
            self.sessions += 1
            return 200, f"Set-Cookie: s={self.sessions}; HttpOnly\r\n", b"{}"
        if method != "PUT":
            return 200, "", b"{}"
        self.jobs += 1
        self.bodies.add(body)
        if self.refuse_every and self.jobs % self.refuse_every == 0:
            return 429, "", b'{"error": "the queue is full"}'
        end = "failed" if self.fail_every and self.jobs % self.fail_every == 0 else "done"
        if not (self.forget_every and self.jobs % self.forget_every == 0):
            self.loop.call_later(0.002, self.tell, headers.get("cookie", ""), target.split("/")[3].split("?")[0], end)
        return 202, "", b"{}"

    async def stream(self, writer, owner):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        if len(self.streams) < self.drop_streams:
            self.loop.call_later(0.5, writer.close)
        self.streams.append((owner, writer))

    def tell(self, owner, job, end):
        for each, writer in self.streams:
            if each == owner and not writer.is_closing():
                # In two chunks that end anywhere, as a network may deliver it.
                event = f": alive\n\nid: 1\nevent: {end}\ndata: {json.dumps({'job': job})}\n\n".encode()
                for part in (event[:17], event[17:]):
                    writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")


class Load(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def load(self, known, mode, *options, status=0):
        done = subprocess.run([LOAD, mode, "--address", f"127.0.0.1:{known.port}", "--shape", "1,64", *map(str, options)], capture_output=True, text=True,
                              timeout=120)
        self.assertEqual(done.returncode, status, done.stderr)
        return json.loads(done.stdout) if status == 0 else done.stderr

    def test_submissions_are_distinct_and_every_sample_is_kept(self):
        known = Known()
        got = self.load(known, "submit", "--count", 300, "--clients", 4, "--samples", self.folder / "s.csv", "--answers", self.folder / "a.tsv")
        self.assertEqual(got["statuses"], {"202": 300})
        self.assertEqual(got["acknowledgement"]["count"], 300)
        self.assertEqual(len(known.bodies), 300)
        header = json.loads(next(iter(known.bodies)).split(b"}}]}")[0] + b"}}]}")
        self.assertEqual(header["inputs"][0]["parameters"]["binary_data_size"], 256)
        self.assertTrue(all(body.endswith(next(iter(known.bodies))[-240:]) for body in known.bodies))
        lines = (self.folder / "s.csv").read_text().splitlines()
        self.assertEqual(len(lines), 301)
        took = sorted(float(line.split(",")[1]) for line in lines[1:])
        self.assertAlmostEqual(got["acknowledgement"]["p99_seconds"], took[296], places=8)
        self.assertAlmostEqual(got["acknowledgement"]["max_seconds"], took[-1], places=8)
        self.assertEqual(len({line.split("\t")[0] for line in (self.folder / "a.tsv").read_text().splitlines()}), 300)

    def test_refusals_are_counted_and_are_no_acknowledgements(self):
        got = self.load(Known(refuse_every=5), "submit", "--count", 100, "--health", "/v2/health/live", "--health-every", 0.001)
        self.assertEqual(got["statuses"], {"202": 80, "429": 20})
        self.assertEqual(got["acknowledgement"]["count"], 80)
        self.assertEqual(list(got["health_statuses"]), ["200"])

    def test_a_server_that_is_not_there_is_counted_as_broken(self):
        nobody = Known()
        nobody.port = 9
        got = self.load(nobody, "submit", "--count", 3, "--clients", 1)
        self.assertEqual((got["statuses"], got["acknowledgement"]), ({"broken": 3}, {"count": 0}))
        self.assertIn("load: ", self.load(nobody, "through", status=1))

    def test_jobs_are_followed_to_their_ends(self):
        got = self.load(Known(fail_every=10), "through", "--outstanding", 8, "--warmup", 0.1, "--seconds", 0.5)
        self.assertFalse(got["stream_ended"])
        self.assertEqual(set(got["ends"]), {"done", "failed"})
        self.assertEqual(sum(got["ends"].values()), got["submitted"])
        self.assertEqual(got["result_statuses"], {"200": got["ends"]["done"]})
        self.assertGreater(got["completed_in_window"], 0)
        self.assertLess(got["completed_in_window"], got["ends"]["done"])

    def test_submissions_are_spread_evenly_when_a_rate_is_given(self):
        got = self.load(Known(), "through", "--outstanding", 8, "--rate", 40, "--warmup", 0, "--seconds", 1)
        self.assertGreater(got["submitted"], 0)
        self.assertLessEqual(got["submitted"], 40)

    def test_streams_are_held_and_each_hears_of_its_own_jobs(self):
        got = self.load(Known(), "hold", "--streams", 40, "--owners", 20, "--idle", 10, "--seconds", 1, "--jobs", 30)
        self.assertEqual(got["streams"], {"asked": 40, "opened": 40, "dropped": 0})
        self.assertEqual(got["idle"], {"asked": 10, "opened": 10, "dropped": 0})
        self.assertEqual((got["jobs"]["acknowledged"], got["ends_heard"], got["jobs"]["unheard_of"]), (31, 62, 0))

    def test_dropped_streams_and_untold_ends_are_found(self):
        got = self.load(Known(drop_streams=3), "hold", "--streams", 20, "--owners", 20, "--idle", 0, "--seconds", 1, "--jobs", 20, "--patience", 1)
        self.assertEqual(got["streams"]["dropped"], 3)
        got = self.load(Known(forget_every=7), "hold", "--streams", 1, "--owners", 1, "--idle", 0, "--seconds", 1, "--jobs", 20, "--patience", 1)
        self.assertEqual((got["jobs"]["acknowledged"], got["jobs"]["unheard_of"]), (21, 3))

    def test_bad_use_is_one_line(self):
        known = Known()
        known.port = "nowhere"
        self.assertEqual(len(self.load(known, "submit", status=1).splitlines()), 1)


if __name__ == "__main__":
    unittest.main()
