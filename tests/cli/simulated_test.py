"""What lapse tells of devices whose times are known."""

import unittest

from case import Case


class Simulated(Case):
    def test_strict_ends_with_5_unless_the_times_were_steady(self):
        self.lapse("time", "sim:device=1ms,time=virtual", "--strict")
        few = self.lapse("time", "sim:device=1ms,time=virtual", "--max-runs", "5", "--strict", status=5)
        self.assertIn("too few to tell whether they were steady", " ".join(few.stdout.split()))
        self.lapse("time", "sim:device=1ms,time=virtual", "--max-runs", "5")

    def test_submit_device_and_end_to_end_are_exact_in_virtual_time(self):
        result = self.json("sim:submit=50us,device=5ms,time=virtual")
        summary = result["summary"]
        self.assertEqual(summary["submit"]["median_ns"], {"value": 50e3, "low": 50e3, "high": 50e3, "effective": result["samples"]["count"]})
        self.assertEqual(summary["device"]["median_ns"]["value"], 5e6)
        self.assertEqual(summary["end_to_end"]["median_ns"]["value"], 5.05e6)

    def test_the_report_says_that_the_call_alone_is_wrong_and_by_which_factor(self):
        text = self.lapse("time", "sim:submit=50us,device=5ms,time=virtual").stdout
        self.assertIn("101× too small", text)

    def test_a_real_device_thread_is_measured_too(self):
        result = self.json("sim:submit=50us,device=2ms", "--max-runs", "50")
        self.assertGreaterEqual(result["summary"]["end_to_end"]["min_ns"], 2e6)
        self.assertGreaterEqual(result["summary"]["device"]["min_ns"], 2e6)
        self.assertLess(result["summary"]["submit"]["min_ns"], 2e6)

    def test_a_blocking_engine_has_three_equal_series(self):
        samples = self.json("sim:device=1ms,blocking=1,time=virtual")["samples"]
        self.assertEqual(samples["submit_ns"], samples["end_to_end_ns"])
        self.assertEqual(samples["device_ns"], samples["end_to_end_ns"])

    def test_the_cold_inference_stays_out_of_the_samples(self):
        result = self.json("sim:device=1ms,first=80ms,time=virtual")
        self.assertEqual(result["cold"]["first_ns"], 80e6)
        self.assertEqual(result["summary"]["end_to_end"]["max_ns"], 1e6)

    def test_a_percentile_that_the_sample_cannot_support_says_what_it_needs(self):
        summary = self.json("sim:device=1ms,time=virtual", "--max-runs", "40")["summary"]["end_to_end"]
        self.assertIn("value", summary["p90_ns"])
        self.assertEqual(summary["p95_ns"], {"needs": 72})
        self.assertEqual(summary["p99_ns"], {"needs": 368})
        self.assertEqual(summary["p999_ns"], {"needs": 3688})

    def test_offline_keeps_the_device_busy(self):
        single = self.json("sim:submit=900us,device=1ms,time=virtual", "--max-runs", "400")
        offline = self.json("sim:submit=900us,device=1ms,time=virtual", "--max-runs", "400", "--scenario", "offline", "--in-flight", "4")
        self.assertAlmostEqual(single["throughput_per_s"], 526, delta=1)
        self.assertGreater(offline["throughput_per_s"], 970)
        self.assertEqual(offline["subject"]["in_flight"], 4)

    def test_null_measures_lapse_itself(self):
        result = self.json("null", "--max-runs", "1000")
        self.assertEqual(result["samples"]["count"], 1000)
        self.assertEqual(result["subject"]["engine"], "null")

    def test_the_batch_multiplies_the_throughput(self):
        result = self.json("sim:device=1ms,time=virtual", "--batch", "8")
        self.assertEqual(result["subject"]["inputs"][0]["shape"], [8, 4])
        self.assertAlmostEqual(result["throughput_per_s"], 8000, delta=1)


if __name__ == "__main__":
    unittest.main()
