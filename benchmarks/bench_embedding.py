"""Embedding pictures with the packaged EfficientNet-Lite0 on one CPU thread: against torch in eager mode, fp32.

    python -m benchmarks.bench_embedding [--batches 4] [--rounds 3]

Batches of 32 at 224 px. Prints ratios of one run and stores them in results/embedding.json.

Eight bits are not offered: ONNX Runtime's static quantisation (per channel, calibrated on 96 photos) ran 1.5 times as
fast here (AVX2, no VNNI), and its vectors had a cosine of 0.97 on average, 0.94 at least, to those of full precision,
where neighbours are asked for to 0.999.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks import timing

timing.pin_threads()

import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
import torch  # noqa: E402

from backbones.embedder import export_onnx  # noqa: E402
from backbones.weights import PACKAGED, backbone  # noqa: E402
from benchmarks.photos import scene  # noqa: E402

BATCH = 32


def run(batches: int, rounds: int) -> bool:
    """Measure, print, store; tells whether the goals are met."""
    torch.set_num_threads(1)
    small = [np.asarray(scene(seed, (300, 400)).resize((224, 224)), np.float32) / 127.5 - 1 for seed in range(BATCH)]
    pixels = np.ascontiguousarray(np.stack(small).transpose(0, 3, 1, 2))
    model = backbone(PACKAGED)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(export_onnx()), options, providers=["CPUExecutionProvider"])

    def eager() -> np.ndarray:
        with torch.inference_mode():
            return np.asarray([model(torch.from_numpy(pixels)).numpy() for _ in range(batches)][-1])

    def own() -> np.ndarray:
        return np.asarray([session.run(None, {"pixels": pixels})[0] for _ in range(batches)][-1])

    left, right = eager(), own()
    cosine = (left * right).sum(1) / np.linalg.norm(left, axis=1) / np.linalg.norm(right, axis=1)
    seconds = timing.alternating({"torch eager fp32": eager, "ONNX Runtime fp32 (ours)": own}, rounds)
    ratio = seconds["torch eager fp32"] / seconds["ONNX Runtime fp32 (ours)"]
    goals = {"against torch eager": (ratio, ">=", 5.0), "least cosine": (float(cosine.min()), ">=", 0.9999)}
    spent = {name: (batches * BATCH, one) for name, one in seconds.items()}
    timing.print_speeds(f"{PACKAGED}, {batches} batches of {BATCH}", spent)
    is_met = timing.print_goals(goals)
    timing.keep("embedding", {"batches": batches, "rounds": rounds, "cpu_s": seconds, "goals": timing.as_json(goals)})
    return is_met


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    return 0 if run(options.batches, options.rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
