#!/usr/bin/python3
"""The page of --html as people open it: from disk, in headless Chromium. Without Chromium or Selenium it skips."""

import base64
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import numpy

SOURCE, BUILD, LAPSE = pathlib.Path(os.environ["LAPSE_SOURCE_DIR"]), pathlib.Path(os.environ["LAPSE_BINARY_DIR"]), os.environ["LAPSE"]
sys.path.insert(0, str(SOURCE / "tests" / "web"))

from browser import DESKTOP, PHONE, SCREENSHOTS, grave_faults, lacking, start_browser

MS = 1_000_000


def quantiles(median, count, spread=0.02):
    """A summary as the documents hold it; percentiles that so few runs don't support tell how many are needed."""
    def one(value, needs):
        return {"value": value, "low": value * (1 - spread), "high": value * (1 + spread)} if count >= needs else {"needs": needs}
    return {"count": count, "median_ns": one(median, 6), "p90_ns": one(1.1 * median, 36), "p95_ns": one(1.15 * median, 72), "p99_ns": one(1.3 * median, 368),
            "p999_ns": one(2 * median, 3688), "min_ns": 0.9 * median, "max_ns": 2.1 * median, "mean_ns": 1.01 * median, "standard_deviation_ns": 0.1 * median}


ENVIRONMENT = {"cpu": "AMD EPYC 9B14", "cpus_online": 8, "cpus_allowed": 2, "cpu_limit": None, "memory_limit_bytes": None, "memory_total_bytes": 1 << 34,
               "governor": "powersave", "hypervisor": "kvm", "os": "Debian 12", "kernel": "6.1", "libc": "2.36", "compiler": "g++ 12.2", "build_type": "Release",
               "lapse_version": "0.1.0", "git_commit": "abc"}


def pipeline(batches=24, warmup=6):
    """Stages of 4, 1, 5, 1 and 2 ms. One after the other a batch takes 13 ms; overlapped one ends every 5 ms."""
    took = [4 * MS, 1 * MS, 5 * MS, 1 * MS, 2 * MS]

    def spans(period, gap):
        out = []
        for batch in range(batches):
            at = batch * period
            for stage, length in enumerate(took):
                out.append([stage, batch, at, length])
                at += length + (gap if stage in (0, 2) else 0)
        return out

    def way(period, gap, latency):
        count = batches + warmup
        return {"throughput_per_s": 8e9 / period, "rounds": [{"items": 8 * batches, "batches": batches, "duration_ns": batches * period}] * 6,
                "busy_ns": took, "utilisation": [length / period for length in took], "latency": quantiles(latency, batches), "warmup": warmup,
                "latency_ns": [(2 if i < warmup else 1) * latency + i * 1000 for i in range(count)], "start_ns": [i * period for i in range(count)],
                "spans": spans(period, gap)}

    return {"schema": "lapse.pipeline/1", "lapse": "0.1.0", "created": "2026-03-01T12:00:00Z", "argv": ["lapse", "pipeline", "resnet18.onnx", "--images", "photos"],
            "failure": None,
            "subject": {"model": "resnet18.onnx", "engine": "onnxruntime", "engine_version": "1.30.0", "device": "cuda:0", "threads": 1, "batch": 8, "asynchronous": True,
                        "source": "images", "items": 8 * batches, "batches": batches, "workers": 2, "depth": 2, "in_flight": 2},
            "environment": ENVIRONMENT,
            "stages": [{"name": name, "where": where, "threads": 1} for name, where in
                       (("preprocess", "host"), ("h2d", "device"), ("forward", "device"), ("d2h", "device"), ("postprocess", "host"))],
            "speedup": {"value": 2.6, "low": 2.55, "high": 2.64},
            "bound": {"stage": "forward", "throughput_per_s": 1600, "efficiency": {"value": 0.995, "low": 0.98, "high": 1.0}},
            "answer": {"verdict": "equal", "items": 8 * batches, "different": 0, "random": 0},
            "skipped": {"count": 2, "files": [{"file": "torn.jpg", "reason": "the picture is damaged"}, {"file": "<b>.jpg", "reason": "the file is empty"}]},
            "ways": {"synchronous": way(13 * MS, 0, 13 * MS), "asynchronous": way(5 * MS, 3 * MS, 19 * MS)}}


def sweep():
    """Two engines at batches 1 to 16, of which one has its knee at 4; one point ran out of memory, another one's times are wrong."""
    rows = [("onnxruntime", 1, 6, 160), ("onnxruntime", 2, 8, 250), ("onnxruntime", 4, 11, 360), ("onnxruntime", 8, 21, 380), ("onnxruntime", 16, 41, 390),
            ("torch", 1, 9, 110), ("torch", 2, 13, 155), ("torch", 4, 23, 200), ("torch", 8, 38, 210)]
    points = [{"batch": batch, "threads": 1, "inflight": 1, "engine": engine, "device": "cpu", "state": "measured", "engine_version": "1.0", "device_name": "",
               "throughput": {"value": rate, "low": 0.97 * rate, "high": 1.03 * rate}, "latency": quantiles(latency * MS, 400 if latency < 30 else 100),
               "pareto": engine == "onnxruntime", "times_wrong": False, "warnings": []} for engine, batch, latency, rate in rows]
    points.append({"batch": 64, "threads": 1, "inflight": 1, "engine": "torch", "device": "cpu", "state": "out-of-memory", "reason": "64 GiB asked for"})
    points.append({**points[0], "batch": 32, "times_wrong": True, "pareto": False})
    return {"schema": "lapse.sweep/1", "lapse": "0.1.0", "created": "2026-03-01T12:00:00Z", "argv": ["lapse", "sweep", "resnet18.onnx"], "model": "resnet18.onnx",
            "environment": ENVIRONMENT, "folder": "points", "planned": 12, "reused": 0, "knee": 2,
            "slo": {"quantile": "p99", "limit_ns": 30 * MS, "best": 3, "within": [0, 1, 2, 3, 5, 6], "over": [4, 8], "undecided": [7, 10]}, "points": points}


@unittest.skipIf(lacking, "there is no " + ", no ".join(lacking))
class Page(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="lapse-html-")))

    def lapse(self, *arguments):
        subprocess.run([LAPSE, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, timeout=300)

    def page(self, document, *options):
        """Through the program, as people do."""
        saved, page = self.folder / "saved.json", self.folder / "page.html"
        saved.write_text(json.dumps(document))
        self.lapse(*options, "show", saved, "--html", page)
        return page

    def measured(self, *arguments):
        page, saved = self.folder / "time.html", self.folder / "time.json"
        self.lapse("time", *arguments, "--html", page, "--json", saved)
        return page, json.loads(saved.read_text())

    def open(self, page, **how):
        """At the end nothing must have been complained of, and nothing have been asked of anybody."""
        browser = start_browser(logs=("browser", "performance"), **how)
        self.addCleanup(browser.quit)
        self.addCleanup(self.assert_quiet, browser, page)
        browser.get(page.as_uri())
        return browser

    def assert_quiet(self, browser, page):
        self.assertEqual([entry["message"] for entry in browser.get_log("browser")], [])
        messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
        asked = [message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent"]
        self.assertEqual([url for url in asked if not url.startswith(("data:", "chrome:"))], [page.as_uri()])

    def shoot(self, browser, name):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        height = browser.execute_script("return document.documentElement.scrollHeight")
        shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": {
            "x": 0, "y": 0, "width": browser.execute_script("return innerWidth"), "height": height, "scale": 1}})
        (SCREENSHOTS / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))

    def datasets(self, browser, canvas):
        return browser.execute_script("""const chart = Chart.getChart(document.getElementById(arguments[0]));
            return chart.data.datasets.map(({ label, data }) => ({ label, data }));""", canvas)

    def table(self, browser, label):
        """Its rows as lists of texts, hidden or not."""
        return browser.execute_script("""const region = [...document.querySelectorAll('[role=region]')].find((one) => one.getAttribute('aria-label') === arguments[0]);
            return [...region.querySelector('tbody').rows].map((row) => [...row.cells].map((cell) => cell.textContent));""", label)

    def facts(self, browser):
        return browser.execute_script("return Object.fromEntries([...document.querySelectorAll('.facts > div')].map((one) => [one.querySelector('dt').textContent, "
                                      "[...one.querySelectorAll('dd')].map((line) => line.textContent)]))")

    def press(self, browser, canvas, *keys):
        """Goes to the chart and presses them; what is said after the last one."""
        from selenium.webdriver.common.keys import Keys  # may be absent
        element = browser.find_element("id", canvas)
        if browser.switch_to.active_element != element:
            browser.execute_script("arguments[0].focus()", element)
        for key in keys:
            element.send_keys(getattr(Keys, key, key))
        return browser.execute_script("return document.getElementById('said').textContent")

    def every_look(self, page, name, **how):
        """Both languages, light and dark, wide and narrow: no grave fault, nothing off the side, every chart drawn and with its table."""
        for dark in (False, True):
            for size in (DESKTOP, PHONE):
                browser = self.open(page, dark=dark, size=size, **how)
                where = f"{name}-{'dark' if dark else 'light'}-{'phone' if size == PHONE else 'desktop'}"
                self.shoot(browser, f"html-{where}")
                self.assertEqual(grave_faults(browser), [], where)
                wide, room = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
                self.assertLessEqual(wide, room, f"{where} scrolls sideways")
                charts = browser.execute_script("""return [...document.querySelectorAll('canvas')].map((canvas) => ({
                    id: canvas.id, label: canvas.getAttribute('aria-label'), focus: canvas.tabIndex, wide: canvas.clientWidth,
                    table: canvas.closest('.card').querySelector('details tbody') !== null,
                    drawn: new Set(new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size }))""")
                for chart in charts:
                    self.assertGreater(chart["drawn"], 5, (where, chart))
                    self.assertGreater(chart["wide"], 200, (where, chart))
                    self.assertEqual(chart["focus"], 0)
                    self.assertTrue(chart["label"] and chart["table"], chart)
                browser.find_element("css selector", "[data-language=ko]").click()
                self.assertEqual(browser.execute_script("return document.documentElement.lang"), "ko")
                self.assertEqual(grave_faults(browser), [], where)
                if not dark:
                    self.shoot(browser, f"html-{where}-korean")
                self.assertLessEqual(*browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]"), where)


class Pipeline(Page):
    def test_shows_both_ways_on_one_axis_of_time(self):
        document = pipeline()
        browser = self.open(self.page(document))
        for way, measured in document["ways"].items():
            lanes = self.datasets(browser, f"timeline-{way}")
            self.assertEqual([lane["label"] for lane in lanes], ["preprocess", "H2D", "forward", "D2H", "postprocess"])
            for stage, lane in enumerate(lanes):
                self.assertEqual([[stage, bar["batch"], bar["x"][0], bar["x"][1] - bar["x"][0]] for bar in lane["data"]],
                                 [span for span in measured["spans"] if span[0] == stage])
        self.assertEqual(self.ranges(browser)[0], self.ranges(browser)[1])
        rows = self.table(browser, "Timeline")
        self.assertEqual(len(rows), 2 * 5 * 24)
        self.assertEqual(rows[7], ["synchronous", "forward", "1", "18.00 ms", "23.00 ms", "5.000 ms"])

    def test_gives_each_thread_of_a_stage_its_lane(self):
        document = pipeline()
        document["stages"][0]["threads"] = 2
        document["ways"]["asynchronous"]["spans"] = [[0, 0, 0, 9 * MS], [0, 1, 4 * MS, 9 * MS], [0, 2, 9 * MS, 9 * MS], [2, 0, 9 * MS, 1 * MS], [2, 1, 13 * MS, 1 * MS]]
        browser = self.open(self.page(document))
        lanes = self.datasets(browser, "timeline-asynchronous")
        self.assertEqual([lane["label"] for lane in lanes], ["preprocess", "preprocess", "H2D", "forward", "D2H", "postprocess"])
        self.assertEqual([[bar["batch"] for bar in lane["data"]] for lane in lanes], [[0, 2], [1], [], [0, 1], [], []])
        self.assertEqual(self.press(browser, "timeline-asynchronous", "ARROW_RIGHT", "ARROW_DOWN", "ARROW_DOWN"), "forward, batch 0, 9.000 … 10.00 ms, took 1.000 ms")

    def ranges(self, browser):
        return browser.execute_script("return ['synchronous', 'asynchronous'].map((way) => { const { min, max } = Chart.getChart(`timeline-${way}`).scales.x; return [min, max]; })")

    def test_begins_with_the_first_batches_and_zooms_and_moves_in_both_at_once(self):
        browser = self.open(self.page(pipeline()))
        tenth = 130 * MS  # when the synchronous way is done with ten
        first = self.ranges(browser)[0]
        self.assertEqual(first[0], 0)
        self.assertAlmostEqual(first[1], tenth, delta=0.03 * tenth)
        browser.find_element("xpath", "//button[text()='All']").click()
        self.assertEqual(self.ranges(browser), [[0, 24 * 13 * MS]] * 2)
        browser.find_element("xpath", "//button[text()='The first 10 batches']").click()
        self.assertEqual(self.ranges(browser), [first] * 2)
        said = self.press(browser, "timeline-asynchronous", "+")
        self.assertEqual(said, "33.15 … 99.45 ms of 312.0 ms")
        self.assertEqual(self.ranges(browser)[0], self.ranges(browser)[1])
        self.assertAlmostEqual(self.ranges(browser)[0][1] - self.ranges(browser)[0][0], first[1] / 2, delta=1)
        self.press(browser, "timeline-asynchronous", "PAGE_DOWN")
        self.assertGreater(self.ranges(browser)[0][0], 80 * MS)
        self.press(browser, "timeline-synchronous", "-", "-", "-", "-", "-")
        self.assertEqual(self.ranges(browser), [[0, 24 * 13 * MS]] * 2)

    def test_is_walked_through_by_keyboard_bar_by_bar(self):
        browser = self.open(self.page(pipeline()))
        self.assertEqual(self.press(browser, "timeline-synchronous", "ARROW_RIGHT"), "preprocess, batch 0, 0 … 4.000 ms, took 4.000 ms")
        self.assertEqual(self.press(browser, "timeline-synchronous", "ARROW_RIGHT"), "preprocess, batch 1, 13.00 … 17.00 ms, took 4.000 ms")
        self.assertEqual(self.press(browser, "timeline-synchronous", "ARROW_DOWN", "ARROW_DOWN"), "forward, batch 1, 18.00 … 23.00 ms, took 5.000 ms")
        tooltip = browser.execute_script("const { tooltip } = Chart.getChart('timeline-synchronous'); return [tooltip.opacity, tooltip.body[0].lines]")
        self.assertEqual(tooltip, [1, ["forward, batch 1", "18.00 … 23.00 ms", "took 5.000 ms"]])
        self.assertEqual(self.press(browser, "timeline-synchronous", "END"), "forward, batch 23, 304.0 … 309.0 ms, took 5.000 ms")
        low, high = self.ranges(browser)[0]
        self.assertLess(low, 304 * MS)
        self.assertGreaterEqual(high, 309 * MS, "what is told is in view")
        self.assertEqual(self.press(browser, "timeline-synchronous", "ARROW_UP", "HOME"), "H2D, batch 0, 4.000 … 5.000 ms, took 1.000 ms")

    def test_tells_what_overlap_gains_and_what_it_costs(self):
        browser = self.open(self.page(pipeline()))
        facts = self.facts(browser)
        self.assertEqual(facts["Speed-up"], ["2.60×", "95 % interval 2.55× … 2.64×"])
        self.assertEqual(facts["Throughput"][0], "615.4 → 1,600")
        self.assertEqual(facts["Efficiency"], ["100 %", "95 % interval 98 % … 100 %", "of the bound 1,600 items/s: forward is the slowest stage"])
        self.assertEqual(facts["Latency of a batch, median"], ["13.00 → 19.00 ms", "1.46× as long: overlap raises throughput, and a batch waits in queues"])
        self.assertEqual(facts["Answers of both ways"], ["Equal", "192 items, compared one by one"])
        rows = {row[0]: row[1:] for row in self.table(browser, "Latency of a batch")}
        self.assertEqual(rows["median"], ["13.00 ms", "12.74 … 13.26 ms", "19.00 ms", "18.62 … 19.38 ms"])
        self.assertEqual(rows["p90"][0], "needs ≥ 36 runs")
        self.assertEqual(self.table(browser, "How busy each stage was")[2], ["forward", "device", "38 %", "5.000 ms", "100 %", "5.000 ms"])
        self.assertEqual([[bar["x"] for bar in way["data"]][2] for way in self.datasets(browser, "utilisation")], [5 / 13, 1])
        text = browser.find_element("tag name", "main").text
        for part in ("resnet18.onnx · onnxruntime 1.30.0 · cuda:0", "batch 8 · 1 thread · 192 pictures a round · 2 threads prepare · queues of 2 · 2 in flight", "2 files were skipped",
                     "<b>.jpg", "AMD EPYC 9B14", "2 of 8", "lapse · 0.1.0 · 2026-03-01T12:00:00Z", "lapse pipeline resnet18.onnx --images photos"):
            self.assertIn(part, text)

    def test_marks_the_warm_up_and_leaves_it_out_of_the_histogram(self):
        browser = self.open(self.page(pipeline()))
        before, after = self.datasets(browser, "sequence")
        self.assertEqual((before["label"], after["label"], len(before["data"])), ("synchronous", "asynchronous", 30))
        self.assertEqual([point["warm"] for point in after["data"]], [True] * 6 + [False] * 24)
        self.assertEqual(after["data"][6], {"x": 7, "y": 19 * MS + 6000, "warm": False})
        self.assertEqual(sum(point["count"] for way in self.datasets(browser, "histogram") for point in way["data"]), 48)
        self.assertIn("asynchronous, batch 1 (warm-up), 38.00 ms", self.press(browser, "sequence", "ARROW_RIGHT", "ARROW_DOWN", "HOME"))

    def test_says_that_it_ended_early_or_that_answers_differ(self):
        document = pipeline()
        document["failure"] = {"code": "internal", "message": "the stage threw", "hint": ""}
        document["answer"] = {"verdict": "different", "items": 192, "different": 3, "random": 0}
        document["speedup"] = {"value": 2.6, "low": None, "high": None}
        facts = self.facts(browser := self.open(self.page(document)))
        self.assertEqual(facts["Answers of both ways"], ["Different", "3 of 192 items"])
        self.assertEqual(facts["Speed-up"][1], "too few rounds for an interval")
        self.assertEqual(browser.find_element("css selector", ".alert").text, "It ended early: the stage threw")

    def test_looks_well_everywhere(self):
        self.every_look(self.page(pipeline()), "pipeline")


class Sweep(Page):
    def test_shows_latency_against_throughput_a_line_for_each_engine(self):
        browser = self.open(self.page(document := sweep()))
        ort, torch, front = self.datasets(browser, "curve")
        self.assertEqual((ort["label"], torch["label"], front["label"]), ("onnxruntime", "torch", "Pareto front"))
        # As the limit is one of p99, that is what one sees; the runs of the slow points support none.
        self.assertEqual([point["index"] for point in ort["data"]], [0, 1, 2, 3])
        self.assertEqual(ort["data"][2], {"x": 360, "left": 0.97 * 360, "right": 1.03 * 360, "y": 1.3 * 11 * MS, "low": 1.3 * 11 * MS * 0.98, "high": 1.3 * 11 * MS * 1.02, "index": 2})
        self.assertEqual([point["x"] for point in front["data"]], [160, 250, 360, 380])
        browser.find_element("css selector", "[data-choice=p50]").click()
        self.assertEqual(self.datasets(browser, "curve")[0]["data"][4]["y"], 41 * MS)
        self.assertEqual(browser.execute_script("return document.activeElement.dataset.choice"), "p50")
        self.assertEqual(self.press(browser, "curve", "ARROW_RIGHT", "ARROW_RIGHT", "ARROW_RIGHT"), "batch 4, onnxruntime, median 11.00 ms, 360.0 items/s, Pareto front, knee")
        self.assertEqual(self.press(browser, "curve", "ARROW_DOWN"), "batch 8, torch, median 38.00 ms, 210.0 items/s")
        self.assertEqual(self.press(browser, "curve", "ARROW_DOWN"), "batch 8, torch, median 38.00 ms, 210.0 items/s", "the front itself is passed over")

    def test_tells_the_knee_and_the_largest_batch_within_the_limit(self):
        browser = self.open(self.page(sweep()))
        facts = self.facts(browser)
        self.assertEqual(facts["Knee: where more throughput begins to cost more latency"], ["batch 4, onnxruntime", "median 11.00 ms, 360.0 items/s"])
        self.assertEqual(facts["Largest batch with p99 ≤ 30.00 ms"], ["batch 8, onnxruntime", "p99 27.30 ms, 380.0 items/s", "1 point is undecided"])
        self.assertEqual(facts["Points"], ["10", "1 could not be measured"])
        self.assertEqual(browser.find_element("css selector", ".alert").text, "Interrupted: 11 of 12 points are measured.")

    def test_lists_every_point_those_that_failed_too(self):
        rows = self.table(self.open(self.page(sweep())), "All points")
        self.assertEqual(len(rows), 11)
        self.assertEqual(rows[2], ["4", "onnxruntime", "cpu", "1", "1", "Pareto front · knee", "11.00 ms", "10.78 … 11.22 ms", "12.10 ms", "14.30 ms", "360.0", "349.2 … 370.8"])
        self.assertEqual(rows[3][5], "Pareto front · largest within")
        self.assertEqual(rows[7][5], "undecided")
        self.assertEqual((rows[8][5], rows[8][9]), ("", "needs ≥ 368 runs"))
        self.assertEqual(rows[9], ["64", "torch", "cpu", "1", "1", "out of memory · 64 GiB asked for", "", "", "", "", "", ""])
        self.assertEqual(rows[10][5], "times wrong")

    def test_of_one_lonely_failed_point_there_is_nothing_to_draw(self):
        document = sweep()
        document.update(points=document["points"][9:10], knee=None, slo=None, planned=1)
        browser = self.open(self.page(document))
        self.assertIn("There is nothing to draw.", browser.find_element("tag name", "main").text)

    def test_looks_well_everywhere(self):
        self.every_look(self.page(sweep()), "sweep")


class Result(Page):
    def test_draws_latency_against_the_pause_before_it(self):
        page, saved = self.measured("sim:device=1ms,sleep=5ms,wake=2ms,time=virtual", "--idle", "0,1ms,10ms", "--budget", "10s")
        browser = self.open(page)
        median, p90 = self.datasets(browser, "idle")
        self.assertEqual((median["label"], p90["label"]), ("median", "p90"))
        self.assertEqual([(point["x"], point["y"]) for point in median["data"]], [("0", MS), ("1 ms", MS), ("10 ms", 3 * MS)])
        self.assertEqual(self.press(browser, "idle", "END"), "pause 10 ms, median 3.000 ms, 95 % interval 3.000 … 3.000 ms")
        self.assertEqual(self.press(browser, "idle", "ARROW_DOWN"), "pause 10 ms, p90 3.000 ms, 95 % interval 3.000 … 3.000 ms")
        heading = browser.execute_script("return document.getElementById('idle').closest('.card').querySelector('h2').textContent")
        self.assertEqual([row[4] for row in self.table(browser, heading)], ["1×", "1.000×", "3.000×"])
        self.every_look(page, "idle")

    def test_shows_a_real_measurement_as_it_was_saved(self):
        page, saved = self.measured("null", "--max-runs", "3000", "--budget", "5s")
        browser = self.open(page)
        runs, warm = saved["samples"]["end_to_end_ns"], saved["warmup"]["samples"]["end_to_end_ns"]
        self.assertEqual(len(runs), saved["samples"]["count"])
        [bins] = self.datasets(browser, "histogram")
        high = float(numpy.quantile(runs, 0.99))  # whatever interval it has: on a busy machine none
        self.assertEqual(sum(bin["count"] for bin in bins["data"]), sum(ns <= high for ns in runs))
        first = bins["data"][0]
        self.assertEqual(first["count"], sum(first["from"] <= ns < first["to"] for ns in runs))
        [course] = self.datasets(browser, "sequence")
        points = {point["x"]: point["y"] for point in course["data"]}
        self.assertEqual(max(points.values()), max(runs + warm), "what stands out stays")
        for x, y in points.items():
            self.assertEqual(y, runs[x - 1] if x > 0 else warm[x - 1 + saved["warmup"]["discarded"]])
        self.assertTrue(any(point.get("warm") for point in course["data"]))
        text = subprocess.run([LAPSE, "show", self.folder / "time.json"], capture_output=True, text=True, check=True).stdout
        rows = self.table(browser, browser.find_element("xpath", "//h2[starts-with(text(), 'latency')]").text)
        self.assertEqual([row[0] for row in rows], ["median", "p90", "p95", "p99", "p99.9", "mean"])
        for cell in sum(rows, []):
            self.assertIn(" ".join(cell.split()), " ".join(text.split()))

    def test_shows_device_and_submit_of_an_asynchronous_subject(self):
        page, saved = self.measured("sim:submit=50us,device=5ms,jitter=0.1,time=virtual", "--max-runs", "400")
        browser = self.open(page)
        for canvas, series in (("histogram", "end_to_end"), ("histogram-device", "device")):
            [bins] = self.datasets(browser, canvas)
            high = saved["summary"][series]["p99_ns"]["value"]
            self.assertEqual(sum(bin["count"] for bin in bins["data"]), sum(ns <= high for ns in saved["samples"][series + "_ns"]), canvas)
        text = browser.find_element("tag name", "main").text
        self.assertIn("without synchronising you would have read", text)
        self.assertIn("runs of the warm-up, 40 are in this figure; they are in no other.", text)
        self.assertIn("submit\nAll of them took 50.00 µs.", text)
        self.assertRegex(self.press(browser, "histogram", "ARROW_RIGHT"), r"^\d.* … \d.* ms, \d+ runs? \(.* %\)$")
        self.assertRegex(self.press(browser, "sequence", "END"), r"^run 400, \d\.\d+ ms$")

    def test_says_how_many_runs_were_discarded_where_the_file_has_none_of_them(self):
        page, saved = self.measured("sim:device=1ms,time=virtual", "--max-runs", "50", "--warmup", "7")
        self.assertEqual(len(saved["warmup"]["samples"]["end_to_end_ns"]), 7)
        del saved["warmup"]["samples"]
        browser = self.open(self.page(saved))
        self.assertIn("7 runs of the warm-up came before and are not in the file.", browser.find_element("tag name", "main").text)
        self.assertEqual(len(self.datasets(browser, "sequence")[0]["data"]), 50)

    def test_says_warnings_and_alerts_as_the_text_does_in_both_languages(self):
        _, saved = self.measured("sim:device=1ms,jitter=0.1,time=virtual", "--max-runs", "12")
        saved["plan"]["stop"], saved["interrupted"] = "interrupted", True
        page = self.page(saved, "--lang", "ko")
        browser = self.open(page)
        warnings = [item.text for item in browser.find_elements("css selector", ".warnings li")]
        self.assertEqual(browser.find_element("css selector", ".alert").text, "중단됨: 그때까지 측정한 결과입니다")
        self.assertIn("20회보다 적은 실행으로는 히스토그램을 그리지 않습니다.", browser.find_element("tag name", "main").text)
        self.assertTrue(warnings)
        text = subprocess.run([LAPSE, "show", self.folder / "saved.json", "--lang", "ko"], capture_output=True, text=True, check=True).stdout
        for line in "\n".join(warnings).replace("→ ", "").splitlines():
            self.assertIn("".join(line.split()), "".join(text.split()))
        browser.find_element("css selector", "[data-language=en]").click()
        self.assertEqual(browser.find_element("css selector", ".alert").text, "INTERRUPTED: this is what had been measured until then")
        self.assertEqual(browser.title.split(" · ")[0], "sim:device=1ms,jitter=0.1,time=virtual")

    def test_a_hostile_name_is_text_and_nothing_else(self):
        _, saved = self.measured("sim:device=1ms,time=virtual", "--max-runs", "40")
        name = "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">{{document}}"
        saved["subject"]["model"] = name
        browser = self.open(self.page(saved))
        self.assertIn(name, browser.find_element("tag name", "h1").text)
        self.assertIn(name, browser.title)
        self.assertEqual(browser.find_elements("tag name", "img"), [])

    def test_follows_the_colours_of_the_system_and_prints_on_white(self):
        page, _ = self.measured("sim:device=1ms,time=virtual", "--max-runs", "400")
        browser = self.open(page, dark=True)
        def ground():
            return browser.execute_async_script("""requestAnimationFrame(() => requestAnimationFrame(() => arguments[0](
                [getComputedStyle(document.documentElement).backgroundColor, Chart.getChart('sequence').data.datasets[0].borderColor])))""")
        dark = ground()
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "light"}]})
        light = ground()
        self.assertNotEqual(dark[0], light[0])
        self.assertNotEqual(dark[1], light[1])
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
        self.assertEqual(ground(), dark)
        browser.execute_script("dispatchEvent(new Event('beforeprint'))")
        self.assertEqual(ground()[1], light[1], "drawn for paper")
        browser.execute_script("dispatchEvent(new Event('afterprint'))")
        self.assertEqual(ground(), dark)
        self.assertGreater(len(browser.print_page()), 10_000)

    def test_looks_well_everywhere(self):
        _, saved = self.measured("sim:submit=50us,device=5ms,jitter=0.1,time=virtual", "--max-runs", "600")
        warm = saved["warmup"]["samples"]["end_to_end_ns"]
        warm[:] = [int(ns * (1 + 3 * 0.8**run)) for run, ns in enumerate(warm)]
        self.every_look(self.page(saved), "result")


class Words(unittest.TestCase):
    """Without a browser: the page's sentences in both languages."""

    STRING = r"'((?:[^'\\\n]|\\.)*)'"

    def setUp(self):
        page = SOURCE / "lapse" / "report" / "page"
        self.korean = {quoted or word: text for quoted, word, text in re.findall(rf"^  (?:{self.STRING}|(\w+)):\s*{self.STRING},$", (page / "korean.js").read_text(), re.M)}
        self.sources = "".join(file.read_text() for file in sorted(page.glob("*.js")) if file.name != "korean.js")

    def test_every_sentence_has_its_korean_and_none_is_left_over(self):
        called = set(re.findall(rf"\bt\(\s*{self.STRING}", self.sources))
        for pair in re.findall(rf"\btn\({self.STRING}, {self.STRING}", self.sources):
            called |= set(pair)
        called |= {"synchronous", "asynchronous"}  # by the names of the ways
        self.assertGreater(len(called), 100)
        self.assertEqual(called - set(self.korean), set())
        self.assertEqual(set(self.korean) - called, set())

    def test_values_are_the_same_in_both(self):
        for english, text in self.korean.items():
            self.assertEqual(sorted(re.findall(r"\{\w+\}", english)), sorted(re.findall(r"\{\w+\}", text)), english)


if __name__ == "__main__":
    unittest.main()
