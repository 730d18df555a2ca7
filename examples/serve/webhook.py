#!/usr/bin/env python3
"""Receives lapse's webhooks, each once, and from nobody else. The standard library alone.

    webhook.py PORT SECRET        the secret is what GET /v2/webhook-secret tells
"""
import hashlib, hmac, http.server, json, sys, time

port, secret = sys.argv[1:]
seen = set()  # in a real receiver: where what the message brings about is kept, too


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        number, sent, signature = (self.headers.get(f"Lapse-{name}", "") for name in ("Delivery", "Timestamp", "Signature"))
        expected = "v1=" + hmac.new(secret.encode(), f"{number}.{sent}.".encode() + body, hashlib.sha256).hexdigest()
        # In this order: what is not signed by lapse is not read any further.
        if not hmac.compare_digest(signature.encode(), expected.encode()) or abs(time.time() - int(sent)) > 300:
            self.send_error(403)
            return
        if number not in seen:  # lapse sends again what it doesn't know to have been delivered
            seen.add(number)
            message = json.loads(body)
            print(message["event"], message["job"]["id"], flush=True)
        self.send_response(204)
        self.end_headers()


http.server.HTTPServer(("127.0.0.1", int(port)), Receiver).serve_forever()
