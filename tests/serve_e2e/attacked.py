"""A server that is attacked by hand-written bytes: whatever comes, the same processes live and answer, and the front has not grown."""

import os
import pathlib
import re
import select
import socket

from serving import PATIENCE, SMALL, ServingCase

SANITIZED = bool(os.environ.get("LAPSE_SANITIZE"))


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body


def answers(received):
    """Every response in these bytes; what is left over is an error."""
    found = []
    while received:
        head, end, received = received.partition(b"\r\n\r\n")
        if not end or not head.startswith(b"HTTP/1.1 "):
            raise ValueError(f"no response: {head[:200]}")
        lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:])
        length = int(headers.get("Content-Length", 0))
        found.append(Answer(int(lines[0].split()[1]), headers, received[:length]))
        received = received[length:]
    return found


class AttackedCase(ServingCase):
    growth = 12 << 20  # bytes that the front may grow by in a test

    def setUp(self):
        super().setUp()
        self.well()  # what the first request brings with it is no growth
        self.pid, self.started, self.before = self.server.process.pid, sorted(self.server.workers()), self.peak()

    def tearDown(self):
        self.well()
        self.assertEqual(self.server.process.pid, self.pid)
        self.assertEqual(sorted(self.server.workers()), self.started, "a worker was started anew")
        if not SANITIZED:  # AddressSanitizer keeps what was freed
            self.assertLess(self.peak() - self.before, self.growth, "the front's memory has grown")
        self.assertNotIn('status="500"', self.ask("GET", "/metrics", **self.credentials()).body.decode())

    def credentials(self):
        return {}

    def well(self):
        self.assertTrue(self.server.alive())
        self.ask("GET", "/v2/health/live")
        self.ask("POST", "/v2/models/echo/infer", SMALL, **self.credentials())

    def peak(self):
        status = pathlib.Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) << 10

    def connect(self):
        connection = socket.create_connection(self.server.address, timeout=PATIENCE)
        self.addCleanup(connection.close)
        return connection

    def request(self, line, *fields, body=b""):
        """`line` without the version; Host is this server's own."""
        host = "Host: {}:{}".format(*self.server.address)
        return "\r\n".join([f"{line} HTTP/1.1", host, *fields, "", ""]).encode("latin-1") + body

    def feed(self, connection, pieces):
        """Sends until the server answers or takes no more. Returns how many bytes went out."""
        sent = 0
        try:
            for piece in pieces:
                connection.sendall(piece)
                sent += len(piece)
                if select.select([connection], [], [], 0)[0]:
                    break
        except OSError:
            pass  # closed: what it said before can still be read
        return sent

    def rest(self, connection):
        """What the server says until it closes."""
        received = b""
        try:
            while piece := connection.recv(65536):
                received += piece
        except ConnectionResetError:
            pass
        return answers(received)

    def talk(self, *pieces):
        connection = self.connect()
        self.feed(connection, pieces)
        return self.rest(connection)

    def one_line(self, answer, status):
        """It was refused with this status, for a reason on one line."""
        self.assertIn(answer.status, status if isinstance(status, tuple) else (status,), answer.body[:300])
        self.assertEqual(answer.headers["Content-Type"], "application/json")
        self.assertRegex(answer.body, rb'^\{"error":"[^\n]+"')
