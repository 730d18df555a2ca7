"""A worker as a process: what it was started with, signals, and a front that goes away. tests/serve has all that it says."""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import unittest

from case import Case, LAPSE

LOAD = {"type": "load", "name": "m", "version": "1", "model": "null", "engine": "", "device": "", "options": [], "threads": 1, "max_batch": 1,
        "declared": {"inputs": [], "outputs": []}, "blobs": ""}
INPUT = b'{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}'


class Worker:
    def __init__(self, **load):
        self.socket, other = socket.socketpair()
        self.socket.settimeout(60)
        self.process = subprocess.Popen([LAPSE, "work", "--socket", str(other.fileno())], pass_fds=[other.fileno()], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        other.close()
        self.send({**LOAD, **load})

    def send(self, message, payload=b""):
        header = json.dumps(message).encode()
        self.socket.sendall(struct.pack("<IQ", len(header), len(payload)) + header + payload)

    def run(self, key, body=INPUT):
        self.send({"type": "run", "items": [{"key": key, "offset": 0, "size": len(body), "header_length": 0, "owner": "", "parameters": ""}]}, body)

    def read(self, size):
        return self.socket.recv(size, socket.MSG_WAITALL) if size else b""

    def hear(self, kind):
        while True:
            prefix = self.read(12)
            if not prefix:
                return None
            header, payload = struct.unpack("<IQ", prefix)
            message, body = json.loads(self.read(header)), self.read(payload)
            if message["type"] == kind:
                return {**message, "body": body}

    def end(self):
        self.socket.close()
        stdout, stderr = self.process.communicate(timeout=60)
        return self.process.returncode, stdout, stderr


class Work(Case):
    def test_serves_until_it_is_stopped(self):
        worker = Worker()
        self.assertEqual(worker.hear("loaded")["platform"], "null")
        worker.run(7)
        answer = worker.hear("finished")
        self.assertEqual((answer["key"], answer["how"]), (7, 0))
        self.assertEqual(json.loads(answer["body"])["outputs"][0]["data"], [1, 2, 3, 4])
        worker.send({"type": "stop"})
        self.assertIsNone(worker.hear("nothing more"))
        self.assertEqual(worker.end(), (0, "", ""))

    def test_ends_at_once_when_the_front_goes_away_whatever_runs(self):
        worker = Worker(model="sim:device=10m")
        worker.run(1)
        self.assertIsNotNone(worker.hear("started"))
        self.assertEqual(worker.end(), (0, "", ""))

    def test_dies_with_the_process_that_started_it(self):
        # The socket stays open here, so that nothing but the parent's death tells it.
        ours, theirs = socket.socketpair()
        start = ("import os, subprocess, sys\n"
                 "print(subprocess.Popen([sys.argv[1], 'work', '--socket', sys.argv[2]], pass_fds=[int(sys.argv[2])]).pid, flush=True)\n"
                 "sys.stdin.read()\n")
        with subprocess.Popen([sys.executable, "-c", start, LAPSE, str(theirs.fileno())], pass_fds=[theirs.fileno()], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as parent:
            parent.stdout.readline()
            theirs.close()
            header = json.dumps({**LOAD, "model": "sim:device=10m"}).encode()
            ours.sendall(struct.pack("<IQ", len(header), 0) + header)
            self.assertTrue(ours.recv(12))
            parent.send_signal(signal.SIGKILL)
        ours.settimeout(60)
        while ours.recv(1 << 16):
            pass
        ours.close()

    def test_leaves_ctrl_c_to_the_front(self):
        worker = Worker()
        worker.hear("loaded")
        worker.process.send_signal(signal.SIGINT)
        worker.run(1)
        self.assertEqual(worker.hear("finished")["how"], 0)
        worker.send({"type": "stop"})
        self.assertEqual(worker.end()[0], 0)

    def test_ends_with_one_line_when_what_comes_is_no_message(self):
        for bad in (b"GET / HTTP/1.1\r\n\r\n", b"\0" * 12, struct.pack("<IQ", 2, 0) + b"{}", struct.pack("<IQ", 2, 1 << 40) + b"{}"):
            worker = Worker()
            worker.hear("loaded")
            worker.socket.sendall(bad)
            worker.process.wait(timeout=60)
            status, _, stderr = worker.end()
            self.assertEqual((status, len(stderr.splitlines())), (2, 1), stderr)

    def test_is_told_once_what_to_load_and_that_first(self):
        worker = Worker()
        worker.send(LOAD)
        self.assertEqual(worker.end()[0], 2)

    def test_says_what_is_no_socket(self):
        self.refused("work", "--socket", "0", status=2, says="0 is not the descriptor of a stream socket")
        self.refused("work", "--socket", "99", status=2, says="99 is not the descriptor of a stream socket")
        self.refused("work", "--socket", "x", status=2, says="x")
        self.refused("work", status=2, says="--socket is required")


if __name__ == "__main__":
    unittest.main()
