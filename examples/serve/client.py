#!/usr/bin/env python3
"""Hands a request to lapse serve, goes on, and fetches the result when its end is told. The standard library alone.

    client.py http://127.0.0.1:8000 MODEL request.json
"""
import json, sys, urllib.request, uuid

server, model, request = sys.argv[1:]
id = uuid.uuid4()  # of our own: sending it again after a broken connection makes no second job
events = urllib.request.urlopen(f"{server}/v2/events")  # from here on nothing that happens to our jobs is missed
urllib.request.urlopen(urllib.request.Request(f"{server}/v2/jobs/{id}?model={model}", open(request, "rb").read(), {"Content-Type": "application/json"}, method="PUT"))
# From here on the job is on the server's disk, and this program could do something else.
for line in events:
    if line.startswith(b"event:"):
        event = line[6:].strip().decode()
    if line.startswith(b"data:") and json.loads(line[5:]).get("job") == str(id) and event in ("done", "failed", "cancelled", "expired"):
        break
if event != "done":
    sys.exit(urllib.request.urlopen(f"{server}/v2/jobs/{id}").read().decode())
print(urllib.request.urlopen(f"{server}/v2/jobs/{id}/result").read().decode())
