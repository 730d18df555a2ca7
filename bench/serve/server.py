"""`lapse serve` as a process that is started, killed and talked to."""

import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time


class Gone(Exception):
    """The server did not answer: whether the request had an effect is not known."""


class Server:
    def __init__(self, command, log, environment=None):
        self.command, self.log, self.environment = command, log, environment
        self.process, self.address = None, None

    def start(self, timeout=20):
        self.address = None
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL,
                                            env={**os.environ, **(self.environment or {})}, text=True)
        line = self.process.stdout.readline()
        found = re.search(r"(\d+\.\d+\.\d+\.\d+):(\d+)", line)
        if not found:
            self.process.wait(timeout)
            raise RuntimeError(f"the server did not start ({line!r}, status {self.process.returncode}); its log: {self.log}")
        self.address = (found[1], int(found[2]))
        deadline, client = time.monotonic() + timeout, Client(self)
        while (reply := client.ask("GET", "/v2/health/ready")).status != 200:
            if time.monotonic() > deadline:
                raise RuntimeError(f"not ready after {timeout} s: {reply.body[:300]}; its log: {self.log}")
            time.sleep(0.005)
        client.close()

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def workers(self):
        """Process ids, by their parent."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                except OSError:
                    continue
                if int(parent) == self.process.pid and state not in "ZX":
                    found.append(int(entry.name))
        return found

    def kill_front(self):
        self.process.kill()
        self.process.wait()

    def stop(self, timeout=20):
        """As an administrator does. Returns the exit status."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill_front()
        return self.process.returncode


def kill(process):
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        pass


def lives(process):
    try:
        return pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def header_length(self):
        return int(self.headers.get("Inference-Header-Content-Length", 0))


class Client:
    """One connection that is kept; made anew when the server is another."""

    def __init__(self, server, timeout=15):
        self.server, self.timeout = server, timeout
        self.connection, self.process = None, None

    def ask(self, method, path, body=None, headers=None):
        for _ in range(2):  # a connection that was kept may be closed by now: what may be asked twice is asked once more on a new one
            kept = self.connection is not None and self.process is self.server.process
            try:
                if not kept:
                    self.close()
                    self.process = self.server.process
                    if self.server.address is None:
                        raise Gone("not started")
                    self.connection = http.client.HTTPConnection(*self.server.address, timeout=self.timeout)
                self.connection.request(method, path, body, headers or {})
                reply = self.connection.getresponse()
                return Reply(reply.status, reply.headers, reply.read())
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as error:
                self.close()
                if not kept or method not in ("GET", "PUT"):
                    raise Gone(str(error)) from error
            except (OSError, http.client.HTTPException) as error:
                self.close()
                raise Gone(str(error)) from error
        raise Gone("closed twice")

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None


class Listener(threading.Thread):
    """Hands every event to heard(sequence, type, data), until the server is gone or close() is called."""

    def __init__(self, server, after, heard, headers=None):
        super().__init__(daemon=True)
        self.heard, self.closing, self.refused = heard, False, None
        self.connection = http.client.HTTPConnection(*server.address, timeout=30)
        self.connection.connect()
        self.socket = self.connection.sock
        self.connection.request("GET", f"/v2/events?after={after}", headers=headers or {})
        self.start()

    def run(self):
        try:
            reply = self.connection.getresponse()
            if reply.status != 200:
                self.refused = f"{reply.status} {reply.read()[:200]}"
                return
            event, rest = {}, b""
            while piece := reply.read1(65536):
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    name, _, value = line.decode().rstrip("\r").partition(": ")
                    if name and value:
                        event[name] = value
                    elif not line.strip() and "event" in event:
                        self.heard(int(event.get("id", 0)), event["event"], json.loads(event["data"]))
                        event = {}
        except (OSError, ValueError, http.client.HTTPException):
            pass  # the server was killed, or close() was called

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.join()
        self.connection.close()
