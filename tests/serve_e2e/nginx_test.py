#!/usr/bin/python3
"""The recipe of docs/nginx.conf, run: TLS in front of a real server, with server-sent events and large uploads."""

import http.client
import json
import math
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

from serving import SOURCE, Client, Server, hold_port

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


@unittest.skipUnless(NGINX and shutil.which("openssl"), "nginx or openssl is not installed")
class Nginx(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="lapse-nginx-")))
        folder.chmod(0o755)
        (folder / "models").mkdir()
        shutil.copy(SOURCE / "models" / "demo" / "model.onnx", folder / "models" / "demo.onnx")
        cls.port = hold_port(cls.addClassCleanup)
        cls.server = Server([os.environ["LAPSE"], "serve", "--models", str(folder / "models"), "--data", str(folder / "data"), "--listen", "127.0.0.1:0",
                             "--host", f"photos.example.org:{cls.port}"], folder / "log")
        cls.server.start()
        cls.addClassCleanup(cls.server.stop)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                        "/CN=photos.example.org", "-addext", "subjectAltName=DNS:photos.example.org", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
                       check=True, capture_output=True)
        cls.start_nginx()

    @classmethod
    def start_nginx(cls):
        folder = cls.folder
        recipe = (SOURCE / "docs" / "nginx.conf").read_text()
        for pattern, ours in ((r"127\.0\.0\.1:8000;", f"127.0.0.1:{cls.server.address[1]};"), (r"listen 443 ssl;", f"listen 127.0.0.1:{cls.port} ssl;"),
                              (r"ssl_certificate /\S+;", f"ssl_certificate {folder}/cert.pem;"), (r"ssl_certificate_key /\S+;", f"ssl_certificate_key {folder}/key.pem;")):
            recipe, count = re.subn(pattern, ours, recipe)
            assert count == 1, f"docs/nginx.conf has changed: {pattern} is there {count} times"
        (folder / "recipe.conf").write_text(recipe)
        places = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(f"daemon off; master_process off; {user} pid {folder}/nginx.pid; error_log {folder}/nginx.log; events {{}} "
                                           f"http {{ access_log off; {places} include {folder}/recipe.conf; }}")
        nginx = subprocess.Popen([NGINX, "-p", folder, "-e", folder / "nginx.log", "-c", folder / "nginx.conf"], stdout=subprocess.DEVNULL,
                                 stderr=open(folder / "nginx.out", "wb"))
        cls.addClassCleanup(lambda: (nginx.kill(), nginx.wait()))
        deadline = time.monotonic() + 20
        while True:
            try:
                return socket.create_connection(("127.0.0.1", cls.port), 5).close()
            except ConnectionRefusedError:
                assert nginx.poll() is None and time.monotonic() < deadline, (folder / "nginx.log").read_text() + (folder / "nginx.out").read_text()
                time.sleep(0.02)

    def connect(self):
        context = ssl.create_default_context(cafile=self.folder / "cert.pem")
        connection = http.client.HTTPSConnection("photos.example.org", self.port, timeout=60, context=context)
        plain = socket.create_connection(("127.0.0.1", self.port), 60)  # the name is known to the certificate alone
        connection.sock = context.wrap_socket(plain, server_hostname="photos.example.org")
        self.addCleanup(connection.close)
        return connection

    def ask(self, connection, method, path, body=None, headers=None):
        connection.request(method, path, body, headers or {})
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read() or b"null")

    def request(self):
        tensor = Client(self.server).ask("GET", "/v2/models/demo").json()["inputs"][0]
        shape = [1 if each < 0 and place == 0 else 16 if each < 0 else each for place, each in enumerate(tensor["shape"])]
        return json.dumps({"inputs": [{"name": tensor["name"], "shape": shape, "datatype": "FP32", "data": [0.5] * math.prod(shape)}]})

    def next_event(self, stream):
        """Each is read as far as its end and no further: were they held back, this would wait until the time-out."""
        event = {}
        while line := stream.readline().decode().rstrip("\r\n"):
            name, _, value = line.partition(":")
            event[name] = value.strip()
        return event

    def test_events_arrive_one_by_one_while_the_stream_is_open(self):
        connection = self.connect()
        connection.request("GET", "/v2/events", headers={"Accept": "text/event-stream"})
        stream = connection.getresponse()
        self.assertEqual(stream.status, 200)
        other, request = self.connect(), self.request()
        for id in ("one", "two"):
            self.assertEqual(self.ask(other, "PUT", f"/v2/jobs/{id}?model=demo", request, {"Content-Type": "application/json"})[0], 202)
            types = []
            while not types or types[-1] != "done":
                event = self.next_event(stream)
                if "event" in event and json.loads(event["data"])["job"] == id:
                    types.append(event["event"])
            self.assertEqual(types[0], "queued")
        self.assertEqual(self.ask(other, "GET", "/v2/jobs/two")[1]["state"], "done")

    def test_an_upload_of_50_MiB_is_accepted(self):
        signature = Client(self.server).ask("GET", "/v2/models/demo").json()["inputs"][0]
        image = signature["shape"][1:]  # the first dimension is the batch: any number of images
        images = (50 << 20) // (4 * math.prod(image))
        size = 4 * images * math.prod(image)
        header = json.dumps({"inputs": [{"name": signature["name"], "shape": [images, *image], "datatype": "FP32",
                                         "parameters": {"binary_data_size": size}}]}).encode()
        body = header + bytes(size)
        status, job = self.ask(self.connect(), "PUT", "/v2/jobs/large?model=demo", body,
                               {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(header))})
        self.assertEqual(status, 202, job)
        self.ask(self.connect(), "DELETE", "/v2/jobs/large")

    def test_an_upload_above_the_limit_is_refused(self):
        connection = self.connect()
        connection.putrequest("PUT", "/v2/jobs/huge?model=demo")
        connection.putheader("Content-Length", str(1 << 30))
        connection.endheaders()
        self.assertEqual(connection.getresponse().status, 413)

    def test_pages_of_our_own_may_ask_and_those_of_others_may_not(self):
        own, other = f"https://photos.example.org:{self.port}", "https://evil.example"
        self.assertEqual(self.ask(self.connect(), "GET", "/v2/jobs", headers={"Origin": own})[0], 200)
        self.assertEqual(self.ask(self.connect(), "GET", "/v2/jobs", headers={"Origin": other})[0], 403)

    def test_a_foreign_host_name_is_refused(self):
        self.assertIn(self.ask(self.connect(), "GET", "/v2/jobs", headers={"Host": "evil.example"})[0], (400, 403, 421))


if __name__ == "__main__":
    unittest.main()
