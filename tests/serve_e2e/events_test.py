"""Server-sent events: told as they happen, told again to who comes back, across a restart, and to nobody else."""

import http.client
import json
import subprocess
import time
import unittest

from serving import LAPSE, PATIENCE, ServingCase


class Stream:
    """One open stream, read by hand: a browser's EventSource without its reconnecting."""

    def __init__(self, test, query="", **headers):
        self.connection = http.client.HTTPConnection(*test.server.address, timeout=PATIENCE)
        self.connection.request("GET", f"/v2/events{query}", headers={name.replace("_", "-"): value for name, value in headers.items()})
        self.reply = self.connection.getresponse()
        test.assertEqual(self.reply.status, 200)
        test.assertEqual(self.reply.headers["Content-Type"], "text/event-stream")
        test.addCleanup(self.connection.close)

    def line(self):
        return self.reply.readline().decode().rstrip("\n")

    def next(self):
        """(id, type, data) of the next event; what is none is passed over."""
        event = {}
        while True:
            line = self.line()
            name, colon, value = line.partition(": ")
            if colon and name:
                event[name] = value
            elif not line and "event" in event:
                return int(event["id"]), event["event"], json.loads(event["data"])


class Events(ServingCase):
    def told(self, stream, last):
        """Types of one job's events, to its end."""
        events = []
        while not events or events[-1][1] != last:
            events.append(stream.next())
        return events

    def test_what_happens_is_told_in_order_and_without_a_gap(self):
        stream = Stream(self)
        self.assertEqual([stream.line() for _ in range(3)], ["retry: 2000", "id: 0", ""])
        self.put("one")
        events = self.told(stream, "done")
        self.assertEqual([(number, kind) for number, kind, _ in events], [(1, "queued"), (2, "running"), (3, "done")])
        for _, _, data in events:
            self.assertEqual((data["job"], data["model"]), ("one", "echo"))
            self.assertRegex(data["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$")
        self.ask("DELETE", "/v2/jobs/one")
        self.assertEqual(stream.next()[:2], (4, "deleted"))

    def test_whoever_reads_the_head_misses_nothing_from_then_on(self):
        for number in range(20):
            stream = Stream(self)  # its head has been read
            self.put(f"job{number}")
            first = next(event for event in iter(stream.next, None) if event[2]["job"] == f"job{number}")
            self.assertEqual(first[1], "queued")
            stream.connection.close()

    def test_who_comes_back_is_told_what_he_missed_across_a_crash(self):
        stream = Stream(self)
        self.put("one")
        last = self.told(stream, "done")[-1][0]
        stream.connection.close()
        self.put("two")
        self.until("two", "done")
        self.put("three", "slow")
        self.restart()
        back = Stream(self, Last_Event_ID=str(last))
        events = self.told(back, "queued") + self.told(back, "done")
        self.assertEqual([number for number, _, _ in events], list(range(last + 1, last + 1 + len(events))))
        self.assertEqual({data["job"] for _, _, data in events}, {"two"})
        later = self.told(back, "done")
        self.assertEqual({data["job"] for _, _, data in later}, {"three"})
        self.assertEqual(later[0][0], events[-1][0] + 1)

    def test_the_header_of_a_reconnecting_browser_goes_before_its_address(self):
        self.put("one")
        self.until("one", "done")
        self.assertEqual(Stream(self, "?after=0").next()[0], 1)
        self.assertEqual(Stream(self, "?after=0", Last_Event_ID="2").next()[0], 3)
        self.refused("GET", "/v2/events?after=x", status=400, says="number")

    def test_two_listeners_hear_the_same(self):
        first, second = Stream(self), Stream(self)
        self.put("one")
        self.assertEqual(self.told(first, "done"), self.told(second, "done"))

    def test_an_end_that_was_told_counts_as_delivered(self):
        stream = Stream(self)
        self.put("one")
        self.told(stream, "done")
        self.wait_for(lambda: "delivered" in self.job("one")["times"], "what was told is never noted")

    def test_a_silent_stream_is_kept_alive(self):
        stream = Stream(self)
        self.assertEqual([stream.line() for _ in range(3)], ["retry: 2000", "id: 0", ""])
        began = time.monotonic()
        self.assertEqual(stream.line(), ":")
        self.assertLess(time.monotonic() - began, PATIENCE)

    def test_a_stop_ends_the_streams(self):
        stream = Stream(self)
        self.assertEqual(self.server.stop(), 0)
        self.assertEqual(stream.reply.read(), b"retry: 2000\nid: 0\n\n")

    def test_a_stream_that_breaks_before_its_first_event_misses_none_either(self):
        self.put("one")
        self.until("one", "done")
        lines = Stream(self)
        number = next(line for line in iter(lines.line, "") if line.startswith("id: "))[4:]
        lines.connection.close()
        self.put("two")
        self.assertEqual(Stream(self, Last_Event_ID=number).next()[1:2], ("queued",))


class Tokens(ServingCase):
    options = ("--auth", "token")

    def token(self, *arguments):
        run = subprocess.run([LAPSE, "token", *arguments, "--data", str(self.folder / "data")], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout

    def test_a_stream_ends_with_its_token(self):
        headers = {"Authorization": f"Bearer {self.token('create', '--owner', 'ann').strip()}"}
        self.wait_for(lambda: self.client.ask("GET", "/v2/jobs", headers=headers).status == 200, "a new token is never known")
        stream = Stream(self, **headers)
        self.assertEqual([stream.line() for _ in range(3)], ["retry: 2000", "id: 0", ""])
        self.token("revoke", json.loads(self.token("list", "--json"))[0]["id"])
        self.assertEqual(stream.reply.read().strip(b":\n"), b"")
        self.assertEqual(self.client.ask("GET", "/v2/events", headers=headers).status, 401)


class ShortMemory(ServingCase):
    options = ("--retention", "1s", "--tombstone", "1s", "--blob-grace", "0s")

    def test_who_was_away_too_long_is_told_so_and_a_newcomer_gets_what_there_is(self):
        stream = Stream(self)
        self.put("old")
        last = [stream.next() for _ in range(3)][-1][0]
        self.wait_for(lambda: self.client.ask("GET", "/v2/jobs/old").status == 404, "old jobs are never forgotten")
        self.put("new")
        missed = Stream(self, Last_Event_ID=str(last - 1)).next()
        self.assertEqual(missed[1], "reset")
        number, kind, data = Stream(self, "?after=0").next()
        self.assertEqual((kind, data["job"]), ("queued", "new"))
        self.assertGreater(number, last, "a number is given twice")
        self.assertEqual(stream.next(), (number, kind, data), "an open stream goes on")


if __name__ == "__main__":
    unittest.main()
