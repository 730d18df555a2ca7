"""The server keeps to the document that it serves: schemathesis makes up requests from it, and looks at every answer."""

import os
import pathlib
import subprocess
import unittest

from attacked import AttackedCase
from serving import LAPSE, SOURCE

SCHEMATHESIS = SOURCE / ".deps" / "venv-test" / "bin" / "schemathesis"
# A request that was not started in the time that it gave itself: nothing is wrong with the server.
LATE = '[checks]\nnot_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", "504"]\n'
KNOWN = '[parameters]\n"path.model" = "echo"\n"path.version" = "1"\n"query.model" = "echo"\n"query.version" = "1"\n'


@unittest.skipUnless(SCHEMATHESIS.exists(), "tools/setup test has not made the environment with schemathesis")
class OpenApi(AttackedCase):
    def check(self, *options, requests="any", config="", without=()):
        """Every check but those left out. What a schema can't say is left out everywhere: which tensors a model takes."""
        (self.folder / "schemathesis.toml").write_text(config + LATE)
        command = [SCHEMATHESIS, "--no-color", "--config-file", self.folder / "schemathesis.toml", "run",
                   "http://{}:{}/openapi.json".format(*self.server.address), "--exclude-path", "/v2/events",  # a stream has no end
                   "--checks", "all", "--exclude-checks", ",".join(("positive_data_acceptance", *without)), "--generation-deterministic",
                   "--continue-on-failure", "--request-timeout", "20", "--warnings", "off", *options]
        environment = {**os.environ, "SCHEMATHESIS_HOOKS": "openapi_hooks", "LAPSE_REQUESTS": requests, "PYTHONWARNINGS": "ignore",
                       "PYTHONPATH": str(pathlib.Path(__file__).parent), "PYTHONDONTWRITEBYTECODE": "1"}
        run = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def assert_answered(self, method, route, status, **credentials):
        metrics = self.ask("GET", "/metrics", **credentials).body.decode()
        self.assertIn(f'lapse_http_requests_total{{method="{method}",route="{route}",status="{status}"}}', metrics)

    def test_requests_of_any_kind(self):
        self.check("--phases", "examples,coverage,fuzzing", "--max-examples", "10")

    def test_requests_that_a_model_takes_and_what_follows_from_them(self):
        # A header more than the document has is no error in HTTP.
        self.check("--max-examples", "10", requests="sound", config=KNOWN, without=("negative_data_rejection",))
        self.assert_answered("POST", "/v2/models/{model}/infer", 200)
        self.assert_answered("PUT", "/v2/jobs/{id}", 202)
        self.assert_answered("GET", "/v2/jobs/{id}/result", 200)
        self.assert_answered("DELETE", "/v2/jobs/{id}", 200)


@unittest.skipUnless(SCHEMATHESIS.exists(), "tools/setup test has not made the environment with schemathesis")
class OpenApiWithTokens(OpenApi):
    options = ("--auth", "token")

    def prepare(self):
        made = subprocess.run([LAPSE, "token", "create", "--data", str(self.folder / "data"), "--owner", "ann"], capture_output=True,
                              text=True, check=True)
        self.token = made.stdout.strip()

    def credentials(self):
        return {"Authorization": f"Bearer {self.token}"}

    def assert_answered(self, method, route, status):
        super().assert_answered(method, route, status, **self.credentials())

    def check(self, *options, **more):
        super().check("--header", f"Authorization: Bearer {self.token}", *options, **more)

    def test_requests_of_any_kind(self):
        OpenApi.check(self, "--max-examples", "3")
        self.assert_answered("PUT", "/v2/jobs/{id}", 401)


if __name__ == "__main__":
    unittest.main()
