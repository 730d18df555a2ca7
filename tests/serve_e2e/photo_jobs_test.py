"""Photos as jobs, as far as the front goes: what is taken, what is refused, and the bytes that come back."""

import json
import re
import unittest
import urllib.parse

from serving import SMALL, X, ServingCase

JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0 and no picture behind it"
PNG = b"\x89PNG\r\n\x1a\n and no picture behind it"


class PhotoJobs(ServingCase):
    """`wide` takes photos, which are cut short: so its jobs fail, after they were taken."""

    models = {"wide": {"model": "sim:device=1ms", "photo": {"scale": 3}}, "echo": {"model": "sim:device=1ms"},
              "slow": {"model": "sim:device=1s"}}

    def test_a_photo_is_a_job_whatever_type_it_is_sent_as(self):
        for number, (photo, content_type) in enumerate(((JPEG, "image/jpeg"), (PNG, "image/png"), (b"RIFF1234WEBPVP8 ", "image/webp"),
                                                        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic"))):
            headers = {"Content-Type": "application/json", "Inference-Header-Content-Length": "5"}
            job = self.client.ask("PUT", f"/v2/jobs/p{number}?model=wide&label=IMG_1.jpg", photo, headers).json()
            self.assertEqual(job["input"], {"href": f"/v2/jobs/p{number}/input", "bytes": len(photo), "content_type": content_type})
            self.assertEqual(job["label"], "IMG_1.jpg")
            reply = self.ask("GET", job["input"]["href"])
            self.assertEqual((reply.body, reply.headers["Content-Type"]), (photo, content_type))
            self.assertNotIn("Inference-Header-Content-Length", reply.headers)
        later = self.ask("POST", "/v2/models/wide/infer?label=x", JPEG, 202, Prefer="respond-async").json()
        self.assertEqual((later["label"], later["input"]["content_type"]), ("x", "image/jpeg"))

    def test_what_is_no_photo_is_refused_by_its_content(self):
        for body, kind in ((b"GIF89a", "GIF"), (b"%PDF-1.7", "PDF"), (SMALL.encode(), None), (b"\xff\xd8", None), (b"<svg xmlns=", "SVG")):
            reply = self.refused("PUT", "/v2/jobs/p?model=wide", body, status=415, Content_Type="image/jpeg",
                                 says="the file is no JPEG, PNG, WebP, HEIC or AVIF picture")
            self.assertEqual(reply.json().get("hint"), kind)
        self.refused("PUT", "/v2/jobs/p?model=wide", b"", status=400, says="the file is empty")
        self.assertEqual(self.ask("GET", "/v2/jobs").json()["jobs"], [])

    def test_what_is_wished_for_is_checked_and_is_part_of_the_request(self):
        for query, says in (("format=gif", "format"), ("format=", "format"), ("keep_metadata=yes", "keep_metadata"),
                            ("priority=11", "priority"), ("deadline_seconds=x", "deadline"), ("label=a%C2%85b", "label"),
                            ("label=%FF", "label"), ("label=" + 256 * "a", "label")):
            self.refused("PUT", f"/v2/jobs/p?model=wide&{query}", JPEG, status=400, says=says)
        self.refused("PUT", "/v2/jobs/p?model=echo&format=png", SMALL, status=400, says="format")
        self.refused("PUT", "/v2/jobs/p?model=echo&keep_metadata=false", SMALL, status=400, says="keep_metadata")
        wishes = "&label=a&format=png&keep_metadata=true"
        job = self.put("p", "wide", JPEG, query=wishes)
        self.assertEqual(job["input"]["bytes"], len(JPEG))
        self.until("p", "failed", "done")
        self.put("p", "wide", JPEG, status=200, query=wishes)
        for other in ("&label=b&format=png&keep_metadata=true", "&label=a&format=webp&keep_metadata=true", "&label=a&format=png", ""):
            self.refused("PUT", f"/v2/jobs/p?model=wide{other}", JPEG, status=409, says="p")

    def test_a_photo_model_has_jobs_alone(self):
        self.refused("POST", "/v2/models/wide/infer", SMALL, status=422, says="jobs")

    def test_a_model_tells_how_large_its_photos_become(self):
        self.assertEqual(self.ask("GET", "/v2/models/wide").json()["parameters"], {"photo": {"scale": 3}})
        self.assertNotIn("parameters", self.ask("GET", "/v2/models/echo").json())

    def test_an_input_is_fetched_in_parts_and_not_again_when_it_is_known(self):
        self.put("p", "wide", PNG)
        path = "/v2/jobs/p/input"
        whole = self.ask("GET", path)
        self.assertEqual(whole.headers["X-Content-Type-Options"], "nosniff")
        self.assertEqual(whole.headers["Content-Disposition"], 'inline; filename="p.png"')
        tag = whole.headers["ETag"]
        part = self.ask("GET", path, status=206, Range="bytes=1-3")
        self.assertEqual((part.body, part.headers["Content-Range"]), (b"PNG", f"bytes 1-3/{len(PNG)}"))
        self.assertEqual(self.ask("GET", path, status=206, Range="bytes=1-3", If_Range=tag).body, b"PNG")
        self.assertEqual(self.ask("GET", path, status=416, Range="bytes=999-").headers["Content-Range"], f"bytes */{len(PNG)}")
        self.assertEqual(self.ask("GET", path, status=304, If_None_Match=tag).body, b"")
        self.assertEqual(self.ask("HEAD", path).headers["Content-Length"], str(len(PNG)))
        self.refused("GET", "/v2/jobs/none/input", status=404, says="none")
        self.refused("GET", path + "?download=maybe", status=400, says="download")
        self.until("p", "failed", "done")
        self.ask("DELETE", "/v2/jobs/p")
        self.refused("GET", path, status=410, says="p")


class Labels(ServingCase):
    def downloaded_as(self, path):
        """(what it is to be called in ASCII, and as it is)"""
        disposition = self.ask("GET", path + "?download=1").headers["Content-Disposition"]
        names = re.fullmatch(r"""attachment; filename="([ !#-~]+)"(?:; filename\*=UTF-8''([A-Za-z0-9!#$&+.^_`|~%-]+))?""", disposition)
        self.assertIsNotNone(names, disposition)
        return names[1], urllib.parse.unquote(names[2] or names[1], errors="strict")

    def test_a_download_is_called_by_its_label_and_the_model(self):
        cases = {"IMG_1234.JPG": ("IMG_1234", "IMG_1234"), "휴가 1.jpg": ("__ 1", "휴가 1"), "../../etc/passwd": ("passwd", "passwd"),
                 r"C:\x\a.jpg": ("C__x_a", "C__x_a"), 'a"b; filename=evil.exe': ("a_b; filename=evil", "a_b; filename=evil"),
                 ".htaccess": ("_htaccess", "_htaccess"), "..": ("_.", "_."), "100%.png": ("100_", "100%"),
                 "/": ("n8", "n8"), "": ("n9", "n9")}
        for number, (label, (ascii_name, name)) in enumerate(cases.items()):
            job = f"n{number}"
            self.put(job, query="&label=" + urllib.parse.quote(label, safe=""))
            self.until(job, "done")
            self.assertEqual(self.downloaded_as(f"/v2/jobs/{job}/result"), (f"{ascii_name}-echo.json", f"{name}-echo.json"), label)
            self.assertEqual(self.downloaded_as(f"/v2/jobs/{job}/input"), (f"{ascii_name}.json", f"{name}.json"), label)

    def test_a_long_name_is_cut_between_characters(self):
        self.put("long", query="&label=" + urllib.parse.quote(85 * "한"))
        self.until("long", "done")
        self.assertEqual(self.downloaded_as("/v2/jobs/long/result")[1], 81 * "한" + "-echo.json")

    def test_a_result_is_noted_as_delivered_and_an_input_is_not(self):
        self.put("one")
        self.wait_for(lambda: [job["id"] for job in self.ask("GET", "/v2/jobs?state=done").json()["jobs"]] == ["one"], "it is never done")
        self.ask("GET", "/v2/jobs/one/input")
        self.assertNotIn("delivered", self.ask("GET", "/v2/jobs").json()["jobs"][0]["times"])
        self.ask("GET", "/v2/jobs/one/result")
        self.wait_for(lambda: "delivered" in self.ask("GET", "/v2/jobs").json()["jobs"][0]["times"], "the download is never noted")


class OnlyLive(ServingCase):
    def test_a_cancel_that_comes_too_late_deletes_nothing(self):
        self.put("one")
        self.until("one", "done")
        late = self.ask("DELETE", "/v2/jobs/one?only=live").json()
        self.assertEqual((late["id"], late["state"]), ("one", "done"))
        self.assertEqual(self.values(self.ask("GET", "/v2/jobs/one/result")).ravel().tolist(), X)
        self.refused("DELETE", "/v2/jobs/one?only=done", status=400, says="only")
        self.assertEqual(self.ask("DELETE", "/v2/jobs/one").json()["deleted"], "one")
        self.refused("DELETE", "/v2/jobs/one?only=live", status=410, says="one")

    def test_a_live_job_is_cancelled(self):
        self.put("busy", "slow")
        self.until("busy", "running")
        self.put("waits", "slow")
        self.assertEqual(self.ask("DELETE", "/v2/jobs/waits?only=live").json()["stopped"], "before it started")
        self.assertEqual(self.ask("DELETE", "/v2/jobs/busy?only=live").json()["state"], "cancelled")


class SmallBodies(ServingCase):
    options = ("--max-body", "1MiB")
    models = {"wide": {"model": "sim:device=1ms", "photo": {"scale": 3}}}

    def test_a_photo_of_too_many_bytes_is_refused(self):
        reply = self.refused("PUT", "/v2/jobs/p?model=wide", JPEG + bytes(1 << 20), status=413, says="the file is too large")
        self.assertEqual(json.loads(reply.body)["hint"], "> 1 MiB")


if __name__ == "__main__":
    unittest.main()
