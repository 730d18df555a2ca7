"""Bytes that mean harm: as HTTP, as JSON, as tensors, as names."""

import gzip
import json
import random
import struct
import threading
import unittest

import numpy

from attacked import AttackedCase
from serving import SMALL, X, Client, binary

INFER = "POST /v2/models/echo/infer"
CHUNKED = "Transfer-Encoding: chunked"
MI = 1 << 20


class Http(AttackedCase):
    options = ("--max-body", "1MiB", "--max-body-memory", "5MiB", "--header-timeout", "500ms", "--body-timeout", "500ms", "--idle-timeout",
               "500ms")

    def smuggled(self):
        return self.request("PUT /v2/jobs/smuggled?model=echo", f"Content-Length: {len(SMALL)}", body=SMALL.encode())

    def refused_and_closed(self, status, *pieces):
        """One answer, and nothing that stands behind is taken for a request."""
        found = self.talk(*pieces, self.smuggled())
        self.assertEqual(len(found), 1, found)
        self.one_line(found[0], status)
        self.assertEqual(found[0].headers["Connection"], "close")
        self.ask("GET", "/v2/jobs/smuggled", status=404)

    def test_framing_that_two_readers_could_understand_in_two_ways_is_refused(self):
        length = f"Content-Length: {len(SMALL)}"
        for fields, status in (
            ((length, CHUNKED), 400), ((CHUNKED, length), 400), ((length, length), 400), ((length, "Content-Length: 0"), 400),
            (("Content-Length: 5, 5",), 400), (("Content-Length: +5",), 400), (("Content-Length: -5",), 400),
            (("Content-Length: 0x5",), 400), (("Content-Length: 99999999999999999999",), 400), (("Content-Length : 5",), 400),
            (("Content-Length\t: 5",), 400), (("Transfer-Encoding : chunked",), 400), ((CHUNKED, CHUNKED), 400),
            (("Transfer-Encoding: chunked, identity",), (400, 501)), (("Transfer-Encoding: xchunked",), (400, 501)),
            (("Transfer-Encoding: gzip, chunked",), (400, 501)), (("Transfer-Encoding:\x0bchunked",), (400, 501)),
            (("X: y", " Content-Length: 5"), 400), (("X: y", "\tContent-Length: 5"), 400), (("X: y\nContent-Length: 5",), 400),
            (("X: y\rContent-Length: 5",), 400), (("X: y\0",), 400), ((": y",), 400), (("X y",), 400), (("Host: elsewhere",), 400),
            (("Cookie: a=b", "Cookie: a=c"), 400),
        ):
            with self.subTest(fields=fields):
                self.refused_and_closed(status, self.request(INFER, *fields))

    def test_request_lines_that_are_none_are_refused(self):
        host = "Host: {}:{}\r\n\r\n".format(*self.server.address).encode()
        for line, status in (
            (b"GET /v2 HTTP/1.1\n", 400), (b"GET  /v2 HTTP/1.1\r\n", 400), (b"GET\t/v2\tHTTP/1.1\r\n", 400), (b"GET /v2\r\n", 400),
            (b" GET /v2 HTTP/1.1\r\n", 400), (b"G\0T /v2 HTTP/1.1\r\n", 400), (b"GET /v2 HTTP/2.0\r\n", 505),
            (b"GET /v2 HTTP/1.2\r\n", (400, 505)), (b"GET http://127.0.0.1/v2 HTTP/1.1\r\n", 400),
            (b"CONNECT 127.0.0.1:22 HTTP/1.1\r\n", 405), (b"TRACE /v2 HTTP/1.1\r\n", 405), (b"GET /v2#a HTTP/1.1\r\n", 400),
            (b"GET /\xc3\xa9 HTTP/1.1\r\n", 400), (b"GET /v2/jobs?limit=%zz HTTP/1.1\r\n", 400),
            (b"GET /v2/jobs?model=%0d%0aX: HTTP/1.1\r\n", 400), (b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", 400), (b"\0" * 100, 400),
        ):
            with self.subTest(line=line):
                self.refused_and_closed(status, line + host)

    def test_chunks_that_two_readers_could_understand_in_two_ways_are_refused(self):
        for body in (b"3\nabc\r\n0\r\n\r\n", b"3\r\nabcd\r\n0\r\n\r\n", b"0x3\r\nabc\r\n0\r\n\r\n", b"+3\r\nabc\r\n0\r\n\r\n",
                     b"-1\r\n\r\n", b"ffffffffffffffffff\r\nabc", b"3;a\nb\r\nabc\r\n0\r\n\r\n", b"0\r\nX: y\n\r\n\r\n", b"\r\n",
                     b";a\r\n\r\n"):
            with self.subTest(body=body):
                self.refused_and_closed(400, self.request(INFER, CHUNKED, body=body))

    def test_chunk_extensions_and_trailers_mean_nothing(self):
        body = SMALL.encode()
        chunks = b"%x;Content-Length=1;a=\"b;c\"\r\n%b\r\n%X;x\r\n%b\r\n0;last\r\nContent-Length: 7\r\nHost: elsewhere\r\n\r\n" % (
            10, body[:10], len(body) - 10, body[10:])
        found = self.talk(self.request(INFER, CHUNKED, body=chunks) + self.request("GET /v2", "Connection: close"))
        self.assertEqual([one.status for one in found], [200, 200])

    def test_what_nobody_reads_over_is_bounded(self):
        for body in (b"1;" + b"x" * 64, b"0\r\nX: " + b"y" * 64):
            with self.subTest(body=body[:8]):
                connection = self.connect()
                sent = self.feed(connection, [self.request(INFER, CHUNKED, body=body)] + [b"z" * 4096] * 1000)
                self.one_line(self.rest(connection)[0], 400)
                self.assertLess(sent, 1000 * 4096)

    def test_huge_and_endless_headers_are_refused(self):
        for status, start, more in ((414, b"GET /" + b"a" * 20000, b"a" * 4096),
                                    (431, self.request("GET /v2", "X: " + "y" * 20000), b"y" * 4096),
                                    (431, self.request("GET /v2")[:-2], b"A: b\r\n" * 700)):
            with self.subTest(start=start[:10]):
                connection = self.connect()
                self.feed(connection, [start] + [more] * 5000)
                self.one_line(self.rest(connection)[0], status)

    def test_compressed_bodies_are_not_taken(self):
        bomb = gzip.compress(bytes(64 * MI))
        for coding in ("gzip", "deflate", "br", "zstd", "identity, gzip", "x-unknown"):
            with self.subTest(coding=coding):
                found = self.talk(self.request(INFER, f"Content-Encoding: {coding}", f"Content-Length: {len(bomb)}", body=bomb))
                self.one_line(found[0], 415)

    def test_a_slow_header_and_a_slow_body_have_their_time(self):
        for start in (b"G", b"\r\n", self.request("GET /v2")[:-2], self.request(INFER, "Content-Length: 100", body=b"{"),
                      self.request(INFER, CHUNKED), self.request(INFER, CHUNKED, body=b"5\r\n{"),
                      self.request(INFER, CHUNKED, body=b"0\r\nX: y")):
            with self.subTest(start=start[-20:]):
                self.one_line(self.talk(start)[0], 408)
        self.assertEqual(self.talk(), [], "nothing was asked, so nothing is said")

    def test_hundreds_of_slow_clients_keep_nobody_waiting(self):
        slow = []
        for _ in range(400):
            slow.append(self.connect())
            slow[-1].sendall(self.request("GET /v2", "X: ")[:-4])
        for _ in range(20):
            for connection in slow:
                try:
                    connection.sendall(b"y")  # never silent, and never done
                except OSError:
                    pass
            self.ask("GET", "/v2/health/live")
        for connection in slow:
            self.one_line(self.rest(connection)[0], 408)

    def test_a_gigabyte_is_refused_when_it_is_announced_or_when_it_has_come_too_far(self):
        announced = self.request(INFER, f"Content-Length: {1 << 30}")
        self.one_line(self.talk(announced)[0], 413)
        self.one_line(self.talk(self.request(INFER, f"Content-Length: {1 << 30}", "Expect: 100-continue"))[0], 413)
        spaces = b"%x\r\n%b\r\n" % (65536, b" " * 65536)
        for pieces in ([announced] + [b" " * 65536] * 16384, [self.request(INFER, CHUNKED)] + [spaces] * 16384):
            connection = self.connect()
            sent = self.feed(connection, pieces)
            self.one_line(self.rest(connection)[0], 413)
            self.assertLess(sent, 1 << 30)

    def test_chunk_bombs_are_refused(self):
        self.one_line(self.talk(self.request(INFER, CHUNKED, body=b"fffffffffffffff\r\n" + b" " * MI * 2))[0], 413)
        tiny = self.talk(self.request(INFER, CHUNKED, body=b"1\r\n \r\n" * MI + b"1\r\n \r\n" * 10))  # six bytes for each of the body
        self.one_line(tiny[0], 413)

    def test_bodies_that_many_send_at_once_have_one_bounded_memory(self):
        senders = [self.connect() for _ in range(40)]
        for connection in senders:
            self.feed(connection, [self.request(INFER, f"Content-Length: {MI}"), b" " * (MI - 1)])
        statuses = {}
        for connection in senders:
            found = self.rest(connection)
            self.one_line(found[0], (408, 429))
            statuses[found[0].status] = found[0]
        self.assertEqual(set(statuses), {408, 429})
        self.assertEqual(statuses[429].headers["Retry-After"], "1")

    def test_bodies_that_are_only_announced_keep_nobody_out(self):
        for connection in [self.connect() for _ in range(40)]:
            self.feed(connection, [self.request(INFER, f"Content-Length: {MI}")])
        self.client.close()  # it may have been idle for too long, and a POST is not sent twice
        self.ask("POST", "/v2/models/echo/infer", SMALL)

    def test_noise_is_answered_or_closed(self):
        chance = random.Random(1)
        good = self.request(INFER, f"Content-Length: {len(SMALL)}", body=SMALL.encode())
        for _ in range(300):
            bytes_ = bytearray(good)
            for _ in range(chance.randrange(1, 8)):
                bytes_[chance.randrange(len(bytes_))] = chance.randrange(256)
            connection = self.connect()
            self.feed(connection, [bytes(bytes_)])
            connection.shutdown(1)
            for answer in self.rest(connection):
                self.assertIn(answer.status, (200, 400, 403, 404, 405, 408, 413, 414, 415, 417, 422, 501, 505), bytes(bytes_))


class Requests(AttackedCase):
    """What the HTTP around it is sound."""

    models = {**AttackedCase.models, "strict": {"model": "sim:device=1ms", "finite_inputs": True}}

    def refused_now_and_later(self, body, status, says="", model="echo", **headers):
        self.refused("POST", f"/v2/models/{model}/infer", body, status=status, says=says, **headers)
        self.refused("PUT", f"/v2/jobs/bad?model={model}", body, status=status, says=says, **headers)
        self.assertEqual(self.ask("GET", "/v2/jobs").json()["jobs"], [])

    def input(self, **changes):
        given = {"name": "x", "shape": [1, 4], "datatype": "FP32", "data": X, **changes}
        return json.dumps({"inputs": [{key: value for key, value in given.items() if value is not None}]})

    def test_json_of_ten_thousand_levels(self):
        for opening, closing in (("[", "]"), ('{"a":', "}")):
            deep = opening * 10_000 + "0" + closing * 10_000
            for body in (deep, opening * 10_000, f'{{"inputs":{deep}}}', f'{{"id":{deep},"inputs":[]}}',
                         f'{{"parameters":{{"a":{deep}}},"inputs":[]}}', f'{{"inputs":[{{"name":"x","shape":{deep}}}]}}',
                         f'{{"inputs":[{{"name":"x","shape":[1,4],"datatype":"FP32","data":{deep}}}]}}'):
                with self.subTest(body=body[:50]):
                    self.refused_now_and_later(body, 400)

    def test_json_that_is_none_or_says_too_much(self):
        many = ",".join(f'"k{i}":0' for i in range(100_000))
        tensor = '{"name":"n%d","shape":[0],"datatype":"FP32","data":[]}'
        for body, says in (("", "JSON"), ("{", "JSON"), ("NaN", "JSON"), (self.input(data=[float("nan")] * 4), "JSON"),
                           (SMALL.replace("4.0", "1e999"), "large"), (b'{"id":"\xff","inputs":[]}', "JSON"), (SMALL + SMALL, "JSON"),
                           ("\ufeff".encode() + b"\0" + SMALL.encode(), "JSON"), ("{" + many + ',"inputs":[]}', "1024 keys"),
                           ('{"inputs":[%s]}' % ",".join(tensor % i for i in range(2000)), "1024 inputs"),
                           ('{"inputs":[],"inputs":[]}', "twice"), ('{"inputs":{}}', "list"), ('{"inputs":[1]}', "objects"),
                           ('[]', "object")):
            with self.subTest(body=body[:40]):
                self.refused_now_and_later(body, 400, says)
        reply = self.refused("POST", "/v2/models/echo/infer", self.input(name="\n\x1b" + "n" * 100_000), status=400, says="n")
        self.assertLess(len(reply.body), 1000)

    def test_shapes_and_data_that_disagree(self):
        for changes, says in (
            ({"shape": [1, 5]}, "5"), ({"shape": [4, 1]}, "x"), ({"data": X + X}, "more"), ({"data": X[:3]}, "3"), ({"data": [X, X]}, "x"),
            ({"data": [[1, 2], [3, 4]]}, "x"), ({"shape": [-1, 4]}, "whole number"), ({"shape": [1, -4]}, "whole number"),
            ({"shape": [1.0, 4]}, "whole number"), ({"shape": [2**32, 2**32]}, "more elements"), ({"shape": [2**62, 4]}, "more elements"),
            ({"shape": [2**63, 2]}, "whole number"), ({"shape": [2**64, 1]}, "whole number"), ({"shape": [10**30]}, "whole number"),
            ({"shape": [0, 2**62], "data": []}, "x"), ({"shape": [1] * 40}, "dimensions"), ({"shape": "4"}, "list"),
            ({"shape": None}, "shape"), ({"data": None}, "data"), ({"data": "AAAA"}, "list"), ({"data": ["1", "2", "3", "4"]}, "string"),
            ({"data": [True] * 4}, "FP32"), ({"data": [1e39] * 4}, "FP32"), ({"datatype": None}, "datatype"),
            ({"datatype": "FP64"}, "FP64"), ({"datatype": "FLOAT"}, "FLOAT"), ({"datatype": "INT8", "data": [1, 2, 3, 128]}, "INT8"),
            ({"name": "z"}, "z"),
        ):
            with self.subTest(**changes):
                self.refused_now_and_later(self.input(**changes), 400, says)
        self.refused_now_and_later(self.input(datatype="BYTES", data=["a"]), 422, "BYTES")
        self.refused_now_and_later(json.dumps({"inputs": []}), 400, "missing")
        self.refused_now_and_later(json.dumps({**json.loads(SMALL), "outputs": [{"name": "nothing"}]}), 400, "nothing")

    def binary_input(self, behind=b"", header_length=None, **changes):
        given = {"name": "x", "shape": [1, 4], "datatype": "FP32", "parameters": {"binary_data_size": 16}, **changes}
        header = json.dumps({"inputs": [given]}).encode()
        return header + behind, str(len(header) if header_length is None else header_length)

    def test_binary_tensors_that_disagree_with_their_bytes(self):
        good = struct.pack("<4f", *X)
        for changes in ({"behind": good[:-1]}, {"behind": good + b"\0"}, {"behind": b""}, {"behind": good, "shape": [1, 5]},
                        {"behind": good, "shape": [2**32, 2**32]}, {"behind": good, "shape": [2**62, 4]},
                        {"behind": good, "shape": [-1, -4]}, {"behind": good, "datatype": "FP64"},
                        {"behind": good, "parameters": {"binary_data_size": 15}}, {"behind": good, "parameters": {"binary_data_size": -16}},
                        {"behind": good, "parameters": {"binary_data_size": 2**63}},
                        {"behind": good, "parameters": {"binary_data_size": 16.0}}, {"behind": good, "data": X},
                        {"behind": good, "header_length": 2**40}, {"behind": good, "header_length": 0},
                        {"behind": good, "header_length": 10}, {"behind": good, "header_length": -1},
                        {"behind": good, "header_length": "0x10"}, {"behind": good, "header_length": 10**30},
                        {"behind": b"", "shape": [0, 2**62], "parameters": {"binary_data_size": 0}}):
            with self.subTest(**changes):
                body, length = self.binary_input(**changes)
                self.refused_now_and_later(body, 400, Inference_Header_Content_Length=length)

    def test_not_a_number_is_refused_where_the_model_says_so_and_nowhere_else(self):
        for value in (float("nan"), float("inf"), float("-inf")):
            body, headers = binary(x=numpy.array([[1, 2, 3, value]], numpy.float32))
            headers = {name.replace("-", "_"): text for name, text in headers.items()}
            self.refused_now_and_later(body, 400, "NaN", model="strict", **headers)
            self.ask("POST", "/v2/models/echo/infer", body, **headers)
            without = body.replace(b'"binary_data_output": true', b'"binary_data_output":false')
            self.refused("POST", "/v2/models/echo/infer", without, status=400, says="JSON", **headers)

    def test_names_lead_nowhere_but_to_models_and_jobs(self):
        (self.folder / "outside.json").write_text(json.dumps({"model": "sim:device=1ms"}))
        self.put("there")
        for name in ("..%2foutside", "%2e%2e%2foutside", "%2e%2e/outside", "../outside", "..", "%2e", ".%2e", "..%5coutside",
                     "%252e%252e%252foutside", "echo%00", "%00", "%0aecho", "%c0%ae%c0%ae%c0%afoutside", "%e0%80%ae%e0%80%ae/outside",
                     "%f0%80%80%af", "%ff", "%", "%2", "%zz", "/etc/passwd", "%2fetc%2fpasswd", "echo/..", "echo%2f..", "a" * 8000,
                     "'%3bDROP%20TABLE%20jobs--", "echo%20.json", "${jndi:ldap:%2f%2flocalhost}"):
            with self.subTest(name=name):
                for method, path in (("GET", f"/v2/models/{name}"), ("GET", f"/v2/models/echo/versions/{name}"),
                                     ("POST", f"/v2/models/{name}/infer"), ("GET", f"/v2/jobs/{name}"), ("GET", f"/v2/jobs/{name}/result"),
                                     ("DELETE", f"/v2/jobs/{name}"), ("PUT", f"/v2/jobs/{name}?model=echo"),
                                     ("PUT", f"/v2/jobs/a?model={name}"), ("PUT", f"/v2/jobs/a?model=echo&version={name}")):
                    reply = self.client.ask(method, path, SMALL if method in ("POST", "PUT") else None)
                    self.assertIn(reply.status, (400, 404, 405), (method, path, reply.body[:200]))
                    self.assertNotIn("\n", reply.json()["error"])
        for key in ("../x", "a b", "", "a/b", "k" * 129, "\xff"):
            self.refused("POST", "/v2/models/echo/infer", SMALL, status=400, says="id", Prefer="respond-async", Idempotency_Key=key)
        self.assertEqual([job["id"] for job in self.ask("GET", "/v2/jobs").json()["jobs"]], ["there"])


def doubles(bytes_):
    """JSON of that size, in the form that grows most when it is read: a tensor of eight bytes for two characters."""
    count = bytes_ // 2 - 4096
    return count, ",".join("0" * count)


class LargeBodies(AttackedCase):
    """As large as the default limit allows."""

    growth = 420 << 20

    def infer(self, body):
        return Client(self.server, timeout=60).ask("POST", "/v2/models/echo/infer", body)

    def test_64_MiB_of_json(self):
        count, zeros = doubles(64 * MI)
        for body in ('{"inputs":[{"name":"x","shape":[%d],"datatype":"FP64","data":[%s]}]}' % (count, zeros),
                     '{"inputs":[{"name":"x","data":[%s],"shape":[%d],"datatype":"FP64"}]}' % (zeros, count),
                     '{"inputs":[],"a":[%s]}' % ("[0]," * (15 * MI) + "0"), "[" * (60 * MI),
                     '{"a' + '":0,"'.join(str(i) for i in range(5_000_000)) + '":0}', '{"inputs":[],"%s":0}' % ("k" * 60 * MI),
                     '{"id":"%s","inputs":[]}' % ("\\u0041" * 10 * MI), " " * (65 * MI)):
            with self.subTest(body=body[:60]):
                reply = self.infer(body)
                self.assertIn(reply.status, (400, 413), reply.body[:300])
                self.assertLess(len(reply.body), 1000)


class ManyLargeBodies(AttackedCase):
    options = ("--max-body", "16MiB", "--max-body-memory", "96MiB")
    growth = 140 << 20

    def test_bodies_and_what_they_are_read_into_have_one_bounded_memory(self):
        body = '{"inputs":[{"name":"x","shape":[%d],"datatype":"FP64","data":[%s]}]}' % doubles(16 * MI)
        statuses = []

        def ask():
            statuses.append(Client(self.server, timeout=60).ask("POST", "/v2/models/echo/infer", body).status)
        clients = [threading.Thread(target=ask) for _ in range(16)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        self.assertEqual(set(statuses), {400, 429})


if __name__ == "__main__":
    unittest.main()
