"""What bench/gpu/run does, in numbers: steps with their time limits, models, goals. Pure data."""

MODELS = ("bert_base", "espcn", "resnet50")
BATCHES = (1, 32)

# Seconds that a step may take at the most, in order: in all, and with --quick. `pairs` takes what is left.
STEPS = {
    "machine": (60, 60),
    "build": (180, 180),
    "models": (60, 60),
    "tests": (120, 90),
    "doctor": (60, 60),
    "transfers": (70, 60),
    "onnxruntime": (15, 10),
    "overlap": (60, 40),
    "audit": (60, 20),
    "pairs": (400, 90),
}
WHOLE = (540, 300)  # --quick: about 2 minutes besides a build from nothing
ROUNDS = {"pairs": (12, 1), "audit": (6, 1), "overlap": (6, 1)}
SECONDS = (0.8, 0.3)  # of one run of lapse; a fifth of it may be warm-up. Half of it for each of the other methods

DEVICE_GOAL = 0.01  # |lapse's device time / do_bench's - 1|
AUDIT_GOAL = 1.01  # end to end with the audit / without it

# The faults that a test puts into measurements on real streams, again and again (tests/measure/gpu_faults_test.cpp), and "clean" for none.
FAULTS = ("pending-on-return", "other-stream", "side-stream", "launch-gaps", "outputs-on-device")
