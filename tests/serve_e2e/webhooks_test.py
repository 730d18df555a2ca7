"""Webhooks: told of every end, tried again until they are told, and not forgotten by a crash."""

import hashlib
import hmac
import http.server
import json
import threading
import unittest
import urllib.parse

from serving import SMALL, ServingCase, hold_port


class Receiver(threading.Thread):
    """Answers its messages with these statuses, and with 204 from then on."""

    def __init__(self, *statuses, port=0):
        super().__init__(daemon=True)
        self.messages, remaining = [], list(statuses)
        messages = self.messages

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                messages.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(remaining.pop(0) if remaining else 204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_port
        self.start()

    def run(self):
        self.server.serve_forever()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Webhooks(ServingCase):
    options = ("--allow-private-webhooks",)

    def receiver(self, *statuses, port=0):
        receiver = Receiver(*statuses, port=port)
        self.addCleanup(receiver.close)
        return receiver

    def put_with(self, job, port, model="echo", query=""):
        return self.put(job, model, query=f"{query}&webhook={urllib.parse.quote(f'http://127.0.0.1:{port}/told', safe='')}")

    def told(self, receiver, count=1):
        self.wait_for(lambda: len(receiver.messages) >= count, "no message comes")
        return [(headers, json.loads(body)) for headers, body in receiver.messages]

    def test_it_tells_of_the_end_and_who_sent_it(self):
        receiver = self.receiver()
        self.put_with("one", receiver.port)
        (headers, message), = self.told(receiver)
        self.assertEqual((message["event"], message["job"]["id"], message["job"]["state"]), ("done", "one", "done"))
        self.assertEqual(self.ask("GET", message["job"]["result"]["href"]).status, 200)
        key = self.ask("GET", "/v2/webhook-secret").json()["secret"].encode()
        signed = f"{headers['Lapse-Delivery']}.{headers['Lapse-Timestamp']}.".encode() + receiver.messages[0][1]
        self.assertEqual(headers["Lapse-Signature"], "v1=" + hmac.new(key, signed, hashlib.sha256).hexdigest())
        self.wait_for(lambda: "delivered" in self.job("one")["times"], "what was told is never noted")

    def test_every_end_is_told(self):
        receiver = self.receiver()
        self.put("busy", "slow")
        self.until("busy", "running")
        self.put_with("late", receiver.port, "slow", "&deadline_seconds=0.01&priority=-1")
        self.put_with("unwanted", receiver.port, "slow", "&priority=-2")
        self.ask("DELETE", "/v2/jobs/unwanted")
        ends = {message["job"]["id"]: message["event"] for _, message in self.told(receiver, 2)}
        self.assertEqual(ends, {"late": "expired", "unwanted": "cancelled"})

    def test_a_receiver_that_fails_is_told_again_under_the_same_number(self):
        receiver = self.receiver(500, 404)
        self.put_with("one", receiver.port)
        self.told(receiver, 3)
        self.assertEqual(len({headers["Lapse-Delivery"] for headers, _ in receiver.messages}), 1)
        self.assertEqual(len({body for _, body in receiver.messages}), 1)
        self.wait_for(lambda: "delivered" in self.job("one")["times"], "what was told is never noted")
        self.put_with("two", receiver.port)
        messages = self.told(receiver, 4)
        self.assertNotEqual(messages[3][0]["Lapse-Delivery"], messages[0][0]["Lapse-Delivery"])
        self.assertEqual(len(receiver.messages), 4, "it was told after it had answered well")

    def test_a_message_outlives_a_crash(self):
        port = hold_port(self.addCleanup)
        self.put_with("one", port)
        self.wait_for(lambda: "a webhook was not delivered" in self.log(), "it is not said that nobody listens")
        self.restart()
        (_, message), = self.told(self.receiver(port=port))
        self.assertEqual((message["event"], message["job"]["id"]), ("done", "one"))


if __name__ == "__main__":
    unittest.main()
