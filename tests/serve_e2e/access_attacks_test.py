"""Who is not who he says, who comes from where he should not, and messages that lead where they should not."""

import base64
import hashlib
import hmac
import http.server
import json
import socket
import subprocess
import sys
import threading
import time
import unittest
import urllib.parse

from attacked import AttackedCase
from serving import LAPSE, SMALL, SOURCE, X, hold_port


class Tokens(AttackedCase):
    options = ("--auth", "token")

    def prepare(self):
        self.ann, self.ben = self.token("ann"), self.token("ben")
        self.late = self.token("ann", "--expires", "1ms")

    def token(self, owner, *options):
        made = subprocess.run([LAPSE, "token", "create", "--data", str(self.folder / "data"), "--owner", owner, *options],
                              capture_output=True, text=True)
        self.assertEqual(made.returncode, 0, made.stderr)
        return made.stdout.strip()

    def credentials(self, token=None):
        return {"Authorization": f"Bearer {token or self.ann}"}

    def secret(self, folder="data"):
        return (self.folder / folder / "secret").read_bytes()

    def cookie(self, owner, token_id, seconds, secret):
        """As the server makes them."""
        def encode(value):
            return base64.urlsafe_b64encode(value).decode().rstrip("=")
        text = f"{owner}\n{token_id}\n{int(time.time() + seconds)}".encode()
        key = hmac.new(secret, b"session", hashlib.sha256).digest()
        return f"lapse_session={encode(text)}.{encode(hmac.new(key, text, hashlib.sha256).digest())}"

    def token_id(self, owner):
        listed = subprocess.run([LAPSE, "token", "list", "--json", "--data", str(self.folder / "data")], capture_output=True, text=True)
        return next(token["id"] for token in json.loads(listed.stdout) if token["owner"] == owner)

    def test_tokens_that_are_forged_expired_or_none(self):
        for given in (None, "", "Bearer", "Bearer ", f"Basic {self.ann}", self.ann, f"Bearer {self.ann}x", f"Bearer {self.ann[:-1]}",
                      f"Bearer {self.ann.upper()}", f"Bearer {self.late}", "Bearer lapse_" + "A" * 43, "Bearer " + "A" * 8000,
                      f"Bearer {hashlib.sha256(self.ann.encode()).hexdigest()}", f"Bearer {self.ann} {self.ben}", "Bearer null",
                      "Bearer ' OR 1=1"):
            with self.subTest(given=given):
                headers = {} if given is None else {"Authorization": given}
                for method, path in (("GET", "/v2"), ("GET", "/v2/jobs"), ("PUT", "/v2/jobs/a?model=echo"),
                                     ("POST", "/v2/models/echo/infer"), ("GET", "/v2/events"), ("GET", "/metrics"),
                                     ("GET", "/v2/webhook-secret"), ("POST", "/v2/session"), ("GET", "/nothing")):
                    reply = self.refused(method, path, SMALL if method in ("PUT", "POST") else None, status=401, says="token", **headers)
                    self.assertEqual(reply.headers["WWW-Authenticate"], "Bearer")
        for path in ("/v2/health/live", "/v2/health/ready", "/openapi.json"):
            self.ask("GET", path)
        twice = self.talk(self.request("GET /v2", f"Authorization: Bearer {self.ann}", f"Authorization: Bearer {self.ben}"))
        self.one_line(twice[0], 400)
        self.assertNotIn(self.ann, self.log())

    def test_cookies_that_are_forged_or_expired(self):
        (self.folder / "other").mkdir()
        (self.folder / "other" / "secret").write_bytes(bytes(32))
        ann = self.token_id("ann")
        good = self.cookie("ann", ann, 60, self.secret())
        self.ask("GET", "/v2/jobs", Cookie=good)
        middle = len("lapse_session=") + 2
        for forged in (self.cookie("ann", ann, -1, self.secret()), self.cookie("ann", ann, 60, self.secret("other")),
                       self.cookie("ann", "", 60, self.secret()), self.cookie("ann", "00000000", 60, self.secret()), good[:-1], good + "A",
                       good[:middle] + ("A" if good[middle] != "A" else "B") + good[middle + 1:], good.split(".")[0],
                       good.split(".")[0] + ".", "lapse_session=", "lapse_session=.", "lapse_session=" + "A" * 8000):
            with self.subTest(forged=forged):
                self.refused("GET", "/v2/jobs", status=401, says="session", Cookie=forged)

    def test_a_session_ends_with_its_token(self):
        begun = self.ask("POST", "/v2/session", **self.credentials())
        self.assertRegex(begun.headers["Set-Cookie"], "HttpOnly; SameSite=Strict")
        cookie = begun.headers["Set-Cookie"].split(";")[0]
        self.assertEqual(self.ask("POST", "/v2/session", Cookie=cookie).json()["owner"], "ann")
        id_ = self.token_id("ann")
        self.ann, kept = self.token("ann"), self.ann
        subprocess.run([LAPSE, "token", "revoke", "--data", str(self.folder / "data"), id_], check=True)
        self.wait_for(lambda: self.client.ask("GET", "/v2", headers={"Authorization": f"Bearer {kept}"}).status == 401,
                      "a revoked token is valid")
        self.refused("GET", "/v2/jobs", status=401, says="session", Cookie=cookie)

    def test_other_owners_jobs_are_not_there(self):
        ann, ben = self.credentials(), self.credentials(self.ben)
        self.put("anns", "slow", **ann)
        for method, path in (("GET", "/v2/jobs/anns"), ("GET", "/v2/jobs/anns/result"), ("DELETE", "/v2/jobs/anns"),
                             ("POST", "/v2/jobs/anns/retry")):
            self.refused(method, path, status=404, says="anns", **ben)
        self.assertEqual(self.ask("GET", "/v2/jobs", **ben).json()["jobs"], [])
        self.put("anns", "echo", body=SMALL.replace("1.0", "7.0"), **ben)  # ids are an owner's own
        self.wait_for(lambda: self.ask("GET", "/v2/jobs/anns", **ben).json()["state"] == "done", "Ben's is never done")
        self.ask("DELETE", "/v2/jobs/anns", **ben)
        self.refused("GET", "/v2/jobs/anns", status=410, says="anns", **ben)
        self.wait_for(lambda: self.ask("GET", "/v2/jobs/anns", **ann).json()["state"] == "done", "Ann's is never done")
        self.assertEqual(self.values(self.ask("GET", "/v2/jobs/anns/result", **ann)).ravel().tolist(), X)
        keys = [self.ask("GET", "/v2/webhook-secret", **who).json()["secret"] for who in (ann, ben)]
        self.assertNotEqual(*keys)

    def test_events_tell_of_nobody_elses_jobs(self):
        stream = self.connect()
        stream.sendall(self.request("GET /v2/events?after=0", f"Authorization: Bearer {self.ben}"))
        self.put("anns", **self.credentials())
        self.wait_for(lambda: self.ask("GET", "/v2/jobs/anns", **self.credentials()).json()["state"] == "done", "Ann's is never done")
        self.put("bens", **self.credentials(self.ben))
        heard = b""
        while b"event: done" not in heard:
            heard += stream.recv(65536)
        self.assertIn(b"bens", heard)
        self.assertNotIn(b"anns", heard)

    def test_a_public_address_needs_tokens(self):
        base = [LAPSE, "serve", "--models", str(self.folder / "models"), "--data", str(self.folder / "none")]
        for options in (["--listen", "0.0.0.0:0"], ["--listen", "[::]:0"], ["--listen", "0.0.0.0:0", "--auth", "token"]):
            run = subprocess.run(base + options, capture_output=True, text=True, timeout=30)
            self.assertEqual(run.returncode, 2, run.stderr)
            self.assertIn("lapse token create", run.stderr)


class Pages(AttackedCase):
    """What other sites' pages can bring a browser on this machine to send."""

    def test_hosts_that_are_not_this_server(self):
        port = self.server.address[1]
        for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", f"127.0.0.1:{port + 1}", f"127.0.0.1.evil.example:{port}",
                     f"localhost.evil.example:{port}", f"127.0.0.2:{port}", f"0.0.0.0:{port}", f"2130706433:{port}", f"[::2]:{port}",
                     f"localhost:{port}.evil.example", "localhost:"):
            with self.subTest(host=host):
                found = self.talk(f"GET /v2/jobs HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                self.one_line(found[0], 403)
        for host in ("", f"user@127.0.0.1:{port}", f"127.0.0.1:{port}/", f"127.0.0.1:{port}, evil.example"):
            with self.subTest(host=host):
                self.one_line(self.talk(f"GET /v2/jobs HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())[0], 400)
        self.one_line(self.talk(b"GET /v2/jobs HTTP/1.0\r\n\r\n")[0], 403)
        self.ask("GET", "/v2/jobs", Host=f"LocalHost:{port}")

    def test_pages_of_other_sites(self):
        port = self.server.address[1]
        own = f"http://127.0.0.1:{port}"
        for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": ""}, {"Origin": own + ".evil.example"},
                        {"Origin": f"http://127.0.0.1:{port + 1}"}, {"Origin": f"http://localhost:{port}"},
                        {"Origin": f"file://127.0.0.1:{port}"}, {"Origin": f"{own}@evil.example"}, {"Sec_Fetch_Site": "cross-site"},
                        {"Sec_Fetch_Site": "same-site"}, {"Origin": own, "Sec_Fetch_Site": "cross-site"}):
            for method, path in (("POST", "/v2/models/echo/infer"), ("PUT", "/v2/jobs/a?model=echo"), ("DELETE", "/v2/jobs/a"),
                                 ("GET", "/v2/jobs"), ("GET", "/v2/events"), ("POST", "/v2/session"), ("OPTIONS", "/v2/jobs/a"),
                                 ("GET", "/v2/webhook-secret")):
                with self.subTest(method=method, path=path, **headers):
                    reply = self.refused(method, path, SMALL if method in ("PUT", "POST") else None, status=403, says="another site",
                                         **headers)
                    self.assertFalse([name for name in reply.headers if name.lower().startswith("access-control-")])
        self.assertEqual(self.ask("GET", "/v2/jobs").json()["jobs"], [])
        self.put("own", Origin=own, Sec_Fetch_Site="same-origin")

    def test_a_session_is_a_browsers_own(self):
        one, two = (self.ask("POST", "/v2/session").headers["Set-Cookie"].split(";")[0] for _ in range(2))
        self.put("mine", Cookie=one)
        self.ask("GET", "/v2/jobs/mine", Cookie=one)
        for other in ({"Cookie": two}, {}):
            self.refused("GET", "/v2/jobs/mine", status=404, says="mine", **other)


class Receiver(threading.Thread):
    """Takes POSTs on loopback and answers with `status`."""

    def __init__(self, status, location=None):
        super().__init__(daemon=True)
        self.messages = messages = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                messages.append((self.path, dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(status)
                if location:
                    self.send_header("Location", location)
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        self.start()

    def run(self):
        self.server.serve_forever()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class WebhookCase(AttackedCase):
    def receiver(self, *arguments):
        receiver = Receiver(*arguments)
        self.addCleanup(receiver.close)
        return receiver

    def put_with(self, job, url, status=202):
        return self.ask("PUT", f"/v2/jobs/{job}?model=echo&webhook={urllib.parse.quote(url, safe='')}", SMALL, status)


class Webhooks(WebhookCase):
    def test_private_addresses_in_every_form(self):
        port = self.receiver(200).port
        for host in ("127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1",
                     "224.0.0.1", "255.255.255.255", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
                     "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1]", "[fd00::1]", "[ff02::1]"):
            self.put_with("a", f"http://{host}:{port}/", 403)
        for host in ("2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "127.1", "127.0.0.01", "127.0.0.1.", "0",
                     "user@127.0.0.1", "1.1.1.1@127.0.0.1", "127.0.0.1\\@example.org", "127.0.0.1%00.example.org", "[::1", "①②⑦.0.0.1",
                     "a b"):
            self.put_with("a", f"http://{host}:{port}/", 400)
        for url in ("file:///etc/passwd", "gopher://127.0.0.1/", "ftp://example.org/", "//example.org/", "http://", "javascript:alert(1)",
                    "http://example.org/\r\nX: y", "http://example.org:99999/", "http://example.org/" + "a" * 2000):
            self.put_with("a", url, 400)
        self.assertEqual(self.ask("GET", "/v2/jobs").json()["jobs"], [])

    def test_a_name_that_leads_to_a_private_address(self):
        receiver = self.receiver(200)
        self.put_with("named", f"http://localhost:{receiver.port}/")  # what a name leads to is known when it is looked up, and not before
        self.wait_for(lambda: "leads to no public address" in self.log(), "the log does not say where it leads")
        self.assertEqual(receiver.messages, [])


class PrivateWebhooks(WebhookCase):
    options = ("--allow-private-webhooks",)

    def test_redirects_are_not_followed(self):
        behind = self.receiver(200)
        for status in (301, 302, 303, 307, 308):
            front = self.receiver(status, f"http://127.0.0.1:{behind.port}/")
            self.put_with(f"to-{status}", f"http://127.0.0.1:{front.port}/")
            self.wait_for(lambda: f"answered {status}" in self.log(), "the log does not say what was answered")
            self.assertTrue(front.messages)
        self.assertEqual(behind.messages, [])

    def test_a_message_that_is_changed_or_sent_again_is_known_as_that(self):
        """Taken down on its way, and handed to the receiver of the examples."""
        taken = self.receiver(204)
        self.put_with("job", f"http://127.0.0.1:{taken.port}/done")
        self.wait_for(lambda: taken.messages, "no message comes")
        path, headers, body = taken.messages[0]
        self.assertEqual((path, headers["Content-Type"]), ("/done", "application/json"))
        secret = self.ask("GET", "/v2/webhook-secret").json()["secret"]
        port = hold_port(self.addCleanup)
        example = subprocess.Popen([sys.executable, SOURCE / "examples" / "serve" / "webhook.py", str(port), secret],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(lambda: (example.kill(), example.wait(), example.stdout.close()))

        def hand_over(body=body, **changes):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                fields = {**headers, **{f"Lapse-{name}": str(value) for name, value in changes.items()}, "Content-Length": len(body)}
                head = "\r\n".join(["POST / HTTP/1.0", *(f"{name}: {value}" for name, value in fields.items()), "", ""])
                connection.sendall(head.encode() + body)
                return int(connection.recv(4096).split()[1])

        def listens():
            try:
                return hand_over() == 204
            except OSError:
                return False
        self.wait_for(listens, "the example does not listen")
        sent, number = int(headers["Lapse-Timestamp"]), int(headers["Lapse-Delivery"])

        def signed(number, sent, key=secret):
            return "v1=" + hmac.new(key.encode(), f"{number}.{sent}.".encode() + body, hashlib.sha256).hexdigest()
        self.assertEqual(headers["Lapse-Signature"], signed(number, sent))
        self.assertEqual(hand_over(), 204, "lapse itself may send it again")
        for changes in ({"body": body.replace(b"done", b"gone")}, {"Delivery": number + 1}, {"Timestamp": sent + 1},
                        {"Signature": signed(number, sent, "other")}, {"Signature": ""},
                        {"Timestamp": sent - 301, "Signature": signed(number, sent - 301)}):
            self.assertEqual(hand_over(**changes), 403, changes)
        example.terminate()
        self.assertEqual(example.stdout.read(), "done job\n", "taken once")


if __name__ == "__main__":
    unittest.main()
