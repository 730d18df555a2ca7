"""Models by ONNX Runtime."""

import unittest

import numpy

from case import Case, DEMO, QUICK, SOURCE, demo_input, demo_output


class Onnx(Case):
    def test_the_demo_folder_is_checked_and_measured(self):
        result = self.json(DEMO, "--max-runs", "20")
        self.assertEqual(result["answer"]["verdict"], "correct")
        self.assertEqual(result["subject"]["engine"], "onnxruntime")
        self.assertGreater(result["memory"]["peak_bytes"], 0)
        self.assertEqual(result["samples"]["submit_ns"], result["samples"]["end_to_end_ns"])

    def test_threads_and_seed_and_rotation_are_passed_on(self):
        result = self.json(DEMO / "model.onnx", "--threads", "1", "--rotate", "3", "--seed", "7", *QUICK)
        self.assertEqual(result["subject"]["threads"], 1)
        self.assertEqual(result["subject"]["input_sets"], 3)

    def test_offline_runs_blocking_inferences_in_parallel(self):
        result = self.json(DEMO / "model.onnx", "--scenario", "offline", "--in-flight", "2", "--max-runs", "60")
        self.assertGreaterEqual(result["samples"]["count"], 40)
        self.assertGreater(result["throughput_per_s"], 0)

    def test_an_expected_output_is_compared_before_anything_is_timed(self):
        data = DEMO / "test_data_set_0"
        right, wrong = demo_output(), demo_output()
        wrong[0, 0, 0, 0] += 1
        x = self.npy("x.npy", demo_input())
        self.assertTrue(data.exists())
        good = self.json(DEMO / "model.onnx", "--input", f"x={x}", "--expect", f"y={self.npy('y.npy', right)}", *QUICK)
        self.assertEqual(good["answer"]["verdict"], "correct")
        self.refused("time", DEMO / "model.onnx", "--input", f"x={x}", "--expect", f"y={self.npy('n.npy', wrong)}", status=4, says="wrong answer")
        self.refused("time", DEMO / "model.onnx", "--input", f"x={x}", "--expect", f"0={self.npy('z.npy', right[:, :, :9])}", status=4, says="shape")
        self.refused("time", DEMO / "model.onnx", "--input", f"x={x}", "--expect", f"z={self.npy('y.npy', right)}", status=2, says="--expect z")

    def test_a_folder_brings_its_own_inputs(self):
        self.refused("time", DEMO, "--batch", "4", status=2, says="inputs of its own")

    def test_check_does_not_count_as_passed_what_expects_nothing(self):
        (self.folder / "test_data_set_0").mkdir()
        (self.folder / "model.onnx").write_bytes((DEMO / "model.onnx").read_bytes())
        (self.folder / "test_data_set_0" / "input_0.pb").write_bytes((DEMO / "test_data_set_0" / "input_0.pb").read_bytes())
        self.assertIn("0 run (0 passed", self.lapse("check", self.folder).stdout)
        self.refused("check", self.folder, "--engine", "nosuch", status=2, says="nosuch")

    def test_check_counts_the_cases(self):
        run = self.lapse("check", SOURCE / "models" / "demo")
        self.assertIn("1 cases: 1 run (1 passed, 0 failed", run.stdout)

    def test_data_dependent_output_shapes_are_reported_as_they_come(self):
        import onnx
        from onnx import TensorProto, helper
        graph = helper.make_graph([helper.make_node("NonZero", ["x"], ["y"])], "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4, 5])],
                                  [helper.make_tensor_value_info("y", TensorProto.INT64, [2, None])])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        path = self.folder / "nonzero.onnx"
        onnx.save(model, str(path))
        result = self.json(path, *QUICK)
        self.assertEqual(result["subject"]["outputs"], [{"name": "y", "dtype": "int64", "shape": [2, 20]}])

    def test_a_model_that_is_random_by_design_is_named_not_failed(self):
        import onnx
        from onnx import TensorProto, helper
        graph = helper.make_graph([helper.make_node("RandomNormalLike", ["x"], ["y"])], "g",
                                  [helper.make_tensor_value_info("x", TensorProto.FLOAT, [64])],
                                  [helper.make_tensor_value_info("y", TensorProto.FLOAT, [64])])
        path = self.folder / "random.onnx"
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), str(path))
        result = self.json(path, "--expect", f"y={self.npy('y.npy', numpy.zeros(64, numpy.float32))}", *QUICK)
        self.assertEqual(result["answer"]["verdict"], "random")
        self.assertIn("random_model", [warning["code"] for warning in result["warnings"]])


if __name__ == "__main__":
    unittest.main()
