#!/usr/bin/python3
"""The example clients, in curl, Python and JavaScript, run as they stand against a real server."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["LAPSE_SOURCE_DIR"])
EXAMPLES = SOURCE / "examples" / "serve"
sys.path.insert(0, str(SOURCE / "bench" / "serve"))
from server import Client, Server  # noqa: E402

# Node 20 has fetch and no EventSource: as much of one as the standard says, over fetch.
EVENT_SOURCE = """
globalThis.EventSource = class extends EventTarget {
  constructor(url) { super(); this.stop = new AbortController(); this.read(url).catch(() => {}); }
  async read(url) {
    let text = "";
    const answer = await fetch(url, { signal: this.stop.signal, headers: { Accept: "text/event-stream" } });
    this.dispatchEvent(new Event("open"));
    for await (const piece of answer.body) {
      const messages = (text += Buffer.from(piece).toString()).split("\\n\\n");
      text = messages.pop();
      for (const message of messages) {
        const field = (name) => message.split("\\n").filter((line) => line.startsWith(name + ":")).map((line) => line.slice(name.length + 1).trim()).join("\\n");
        if (field("data")) this.dispatchEvent(Object.assign(new Event(field("event") || "message"), { data: field("data") }));
      }
    }
  }
  close() { this.stop.abort(); }
};
"""


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        (cls.folder / "models").mkdir()
        shutil.copy(SOURCE / "models" / "demo" / "model.onnx", cls.folder / "models" / "demo.onnx")
        cls.server = Server([os.environ["LAPSE"], "serve", "--models", str(cls.folder / "models"), "--data", str(cls.folder / "data"), "--listen",
                             "127.0.0.1:0"], cls.folder / "log")
        cls.server.start()
        cls.addClassCleanup(cls.server.stop)
        cls.address = "http://{}:{}".format(*cls.server.address)
        tensor = Client(cls.server).ask("GET", "/v2/models/demo").json()["inputs"][0]
        shape = [1 if each < 0 and place == 0 else 16 if each < 0 else each for place, each in enumerate(tensor["shape"])]
        count = 1
        for each in shape:
            count *= each
        cls.request = {"inputs": [{"name": tensor["name"], "shape": shape, "datatype": "FP32", "data": [0.5] * count}]}
        (cls.folder / "request.json").write_text(json.dumps(cls.request))
        (cls.folder / "bad.json").write_text(json.dumps({"inputs": []}))
        cls.direct = Client(cls.server).ask("POST", "/v2/models/demo/infer", json.dumps(cls.request)).json()["outputs"]

    def run_client(self, *command):
        return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60)

    def check(self, run):
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(json.loads(run.stdout)["outputs"], self.direct)

    def test_curl(self):
        self.check(self.run_client("sh", EXAMPLES / "client.sh", self.address, "demo", self.folder / "request.json"))

    def test_python(self):
        self.check(self.run_client(sys.executable, EXAMPLES / "client.py", self.address, "demo", self.folder / "request.json"))

    def javascript(self, file):
        program = self.folder / "program.mjs"
        (self.folder / "client.mjs").write_text((EXAMPLES / "client.js").read_text())
        program.write_text(EVENT_SOURCE + f"""
import {{ readFileSync }} from "node:fs";
import {{ webcrypto }} from "node:crypto";
import {{ infer }} from "./client.mjs";
globalThis.crypto ??= webcrypto;  // every browser's; Debian 12's node has it elsewhere
console.log(JSON.stringify(await infer({json.dumps(self.address)}, "demo", JSON.parse(readFileSync({json.dumps(str(self.folder / file))})))));
""")
        return self.run_client("node", program)

    @unittest.skipUnless(shutil.which("node"), "there is no node here")
    def test_javascript(self):
        self.check(self.javascript("request.json"))

    @unittest.skipUnless(shutil.which("node"), "there is no node here")
    def test_javascript_tells_why_a_request_was_refused(self):
        run = self.javascript("bad.json")
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("Error: ", run.stderr)

    def test_a_refused_request_is_a_failure_of_the_client(self):
        for client in (["sh", EXAMPLES / "client.sh"], [sys.executable, EXAMPLES / "client.py"]):
            self.assertNotEqual(self.run_client(*client, self.address, "demo", self.folder / "bad.json").returncode, 0)


if __name__ == "__main__":
    unittest.main()
