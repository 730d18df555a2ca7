"""The server as a browser test has it: real, on the project's photo models, behind a wire that can be cut, slowed and counted."""

import os
import pathlib
import select
import socket
import subprocess
import sys
import threading
import time

SOURCE = pathlib.Path(os.environ["LAPSE_SOURCE_DIR"])
sys.path.insert(0, str(SOURCE / "bench" / "serve"))
from server import Client, Server, kill  # noqa: E402, F401

MODELS = pathlib.Path(os.environ.get("LAPSE_PHOTO_MODELS", SOURCE / "models" / "photo-sr"))
PIECE = 16 * 1024


class Wire:
    """Carries bytes between browsers and the server, wherever it listens just now. The browser always sees the same address."""

    def __init__(self):
        self.target, self.whole, self.pause = None, True, 0.0
        self.streams = self.most_uploads = self.requests = 0
        self.lock, self.open, self.uploads = threading.Lock(), set(), set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                browser, _ = self.listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self.carry, args=(browser,), daemon=True).start()

    def carry(self, browser):
        try:
            if not self.whole or self.target is None:
                raise OSError
            server = socket.create_connection(self.target, timeout=10)
        except OSError:
            browser.close()
            return
        pair = {browser, server}
        with self.lock:
            self.open |= pair
        try:
            while self.whole:
                for ready in select.select(pair, [], [], 0.2)[0]:
                    data = ready.recv(PIECE)
                    if not data:
                        return
                    if ready is browser:
                        self.note(browser, data)
                        time.sleep(self.pause if browser in self.uploads else 0)
                    else:
                        self.uploads.discard(browser)  # it is being answered
                    (server if ready is browser else browser).sendall(data)
        except (OSError, ValueError):
            pass
        finally:
            with self.lock:
                self.open -= pair
            if browser in self.uploads:
                self.uploads.discard(browser)
            for end in pair:
                end.close()

    def note(self, browser, data):
        self.requests += data.startswith((b"GET ", b"PUT ", b"POST ", b"DELETE "))
        self.streams += data.startswith(b"GET /v2/events")
        if data.startswith(b"PUT /v2/jobs/"):
            self.uploads.add(browser)
            self.most_uploads = max(self.most_uploads, len(self.uploads))

    def cut(self):
        """Connections end in the middle, and new ones are refused."""
        self.whole = False
        with self.lock:
            for end in list(self.open):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def mend(self):
        self.whole = True

    def close(self):
        self.cut()
        self.listener.close()


class PhotoServer:
    """`lapse serve` that may be killed and started again without the browser seeing another address."""

    def __init__(self, folder, *options, names=()):
        self.folder, self.wire = pathlib.Path(folder), Wire()
        hosts = [f"{name}:{self.wire.port}" for name in ("127.0.0.1", *names)]
        command = [os.environ["LAPSE"], "serve", "--models", str(MODELS), "--data", str(self.folder / "data"), "--listen", "127.0.0.1:0"]
        for host in hosts:
            command += ["--host", host]
        self.server = Server(command + list(map(str, options)), self.folder / "log")
        self.start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.wire.port}/"

    def start(self):
        self.server.start()
        self.wire.target = self.server.address

    def crash(self):
        """As kill -9 or a power cut leaves it."""
        self.server.kill_front()
        self.server.process.stdout.close()

    def kill_workers(self):
        for worker in self.server.workers():
            kill(worker)

    def token(self, owner):
        run = subprocess.run([os.environ["LAPSE"], "token", "create", "--data", str(self.folder / "data"), "--owner", owner],
                             capture_output=True, text=True, check=True)
        return run.stdout.strip()

    def close(self):
        if self.server.alive():
            self.crash()
        self.wire.close()
