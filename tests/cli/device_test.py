"""The options of a device, on a simulated one: copies, streams, graphs, a cold cache. All of it in virtual time, so every figure is exact."""

import unittest

from case import Case, DEMO, HAS_ONNXRUNTIME

STAGED = "sim:submit=50us,device=5ms,h2d=300us,d2h=200us,time=virtual"


def medians(result):
    return {series: summary["median_ns"]["value"] for series, summary in result["summary"].items()}


class Device(Case):
    def test_each_stage_has_a_series_of_its_own(self):
        result = self.json(STAGED)
        self.assertEqual(medians(result), {"end_to_end": 5.5e6, "submit": 50e3, "device": 5e6, "h2d": 300e3, "d2h": 200e3})
        self.assertEqual(result["subject"]["transfers"], "pinned")
        self.assertEqual(len(result["samples"]["h2d_ns"]), result["samples"]["count"])
        self.assertEqual(result["samples"]["start_ns"][0], 0)
        self.assertEqual(result["device"]["name"], "simulated device")

    def test_the_report_says_what_is_timed(self):
        self.assertIn("timed         H2D, forward and D2H (pinned host memory)\n", self.lapse("time", STAGED).stdout)
        self.assertIn("timed         forward only", self.lapse("time", STAGED, "--transfers", "none").stdout)
        self.assertIn("timed         all that a call submits", self.lapse("time", "sim:device=1ms,time=virtual").stdout)
        self.assertNotIn("timed  ", self.lapse("time", "null", "--max-runs", "10").stdout)

    def test_without_transfers_the_forward_pass_alone_is_timed(self):
        result = self.json(STAGED, "--transfers", "none")
        self.assertEqual(medians(result), {"end_to_end": 5.05e6, "submit": 50e3, "device": 5e6})
        self.assertEqual(result["subject"]["transfers"], "none")
        self.assertNotIn("h2d_ns", result["samples"])

    def test_csv_has_a_column_more_for_each_stage(self):
        csv = self.lapse("time", STAGED, "--max-runs", "2", "--csv", "-").stdout.splitlines()
        self.assertEqual(csv[:2], ["run,end_to_end_ns,submit_ns,device_ns,h2d_ns,d2h_ns,disturbed", "1,5500000,50000,5000000,300000,200000,"])

    def test_streams_are_taken_in_turn_by_those_in_flight(self):
        offline = ["--scenario", "offline", "--in-flight", "4", "--max-runs", "400"]
        one, two = self.json(STAGED, *offline), self.json(STAGED, *offline, "--streams", "2")
        self.assertEqual((one["subject"]["streams"], two["subject"]["streams"]), (1, 2))
        self.assertGreater(two["throughput_per_s"], 1.8 * one["throughput_per_s"])
        self.assertIn("4 in flight on 2 streams", self.lapse("time", STAGED, *offline, "--streams", "2").stdout)

    def test_a_graph_takes_the_submission_off_every_run(self):
        result = self.json("sim:submit=1ms,device=2ms,kernels=100,time=virtual", "--cuda-graph")
        self.assertTrue(result["subject"]["graph"])
        self.assertLess(result["summary"]["submit"]["median_ns"]["value"], 1e6)
        self.assertIn("forward launched as", self.lapse("time", STAGED, "--cuda-graph").stdout)

    def test_a_cold_cache_is_cold_in_every_run(self):
        model = "sim:device=1ms,cold=3ms,time=virtual"
        self.assertEqual(medians(self.json(model))["device"], 1e6)
        cold = self.json(model, "--cold-cache")
        self.assertEqual(medians(cold)["device"], 3e6)
        self.assertTrue(cold["subject"]["cold_cache"])

    def test_a_host_has_a_cache_to_flush_too(self):
        self.assertTrue(self.json("null", "--cold-cache", "--max-runs", "3", "--warmup", "0")["subject"]["cold_cache"])


class BadDeviceUse(Case):
    def test_each_is_one_line_with_status_2_and_names_the_option(self):
        offline = ["--scenario", "offline", "--in-flight", "4"]
        for arguments, says in [
            ([STAGED, "--transfers", "foo"], "--transfers: 'foo' is none of pinned, pageable, none"),
            ([STAGED, "--transfers", "pageable"], "transfers=pageable"),
            (["null", "--transfers", "pinned"], "--transfers pinned: this model is not copied"),
            (["sim:device=1ms", "--transfers", "none"], "--transfers none: this model is not copied"),
            ([STAGED, "--streams", "0"], "--streams"),
            ([STAGED, "--streams", "129"], "--streams"),
            ([STAGED, "--streams", "4"], "4 streams need as many in flight"),
            ([STAGED, "--streams", "5", *offline], "5 streams need as many in flight"),
            (["null", "--streams", "2", *offline], "--streams 2: the device 'cpu' has no streams"),
            ([STAGED, "--cold-cache", *offline], "--cold-cache belongs to one inference at a time"),
            (["null", "--cuda-graph"], "graph"),
            (["sim:blocking=1,time=virtual", "--cuda-graph"], "graph"),
            ([STAGED, "--audit", "maybe"], "--audit: 'maybe' is none of on, off"),
            (["sim:fault=hiccup"], "fault=hiccup"),
            (["sim:kernels=0"], "kernels=0"),
            (["sim:h2d=fast"], "h2d=fast"),
        ]:
            with self.subTest(arguments=arguments):
                run = self.refused("time", *arguments, status=2, says=says)
                if "transfers=pageable" not in says:
                    self.assertIn("hint: ", run.stderr)

    @unittest.skipUnless(HAS_ONNXRUNTIME, "needs the plug-in for ONNX Runtime")
    def test_a_model_on_the_cpu_is_told_the_same(self):
        self.refused("time", DEMO, "--transfers", "pinned", status=2, says="--transfers pinned: this model is not copied")
        self.refused("time", DEMO, "--cuda-graph", status=2, says="graph")


if __name__ == "__main__":
    unittest.main()
