"""Embedding pictures with the packaged EfficientNet-Lite0 on one CPU thread: against torch in eager mode, fp32.

    python -m benchmarks.bench_embedding [--batches 4] [--rounds 3]

Batches of 32 at 224 px, of real photos where ../shared/data has them, else of made ones. Prints ratios of one run and
stores them in results/embedding.json. Eight bits are measured where the processor has VNNI, as they are offered there
only.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks import timing

timing.pin_threads()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from PIL import Image  # noqa: E402

from backbones.eight_bit import has_eight_bit_products  # noqa: E402
from backbones.embedder import Embedder, embedder  # noqa: E402
from backbones.pixels import prepare_pixels  # noqa: E402
from backbones.weights import PACKAGED, backbone, preprocessing  # noqa: E402
from benchmarks.photos import scene, sources  # noqa: E402

BATCH = 32
COMPARED = 96
"""Photos whose vectors are compared."""
EAGER, OWN, OWN_EIGHT_BIT = "torch eager fp32", "ONNX Runtime fp32 (ours)", "ONNX Runtime int8 (ours)"
Vectors = NDArray[np.float32]


def pictures() -> list[NDArray[np.uint8]]:
    """Give garments, rubbish and people, as many of each; made photos where there are none."""
    kinds = [paths for name in ("noise/good", "noise/noise", "lfw") if (paths := sources(name))]
    if not kinds:
        return [np.asarray(scene(seed, (300, 400))) for seed in range(COMPARED)]
    each = COMPARED // len(kinds)
    chosen = [path for paths in kinds for path in paths[:: max(1, len(paths) // each)][:each]]
    return [np.asarray(Image.open(path).convert("RGB")) for path in chosen]


def cosines(left: Vectors, right: Vectors) -> Vectors:
    """Compare vectors in pairs."""
    norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    return np.asarray((left * right).sum(axis=1) / norms)


def run(batches: int, rounds: int) -> bool:
    """Measure, print, store; tells whether the goals are met."""
    torch.set_num_threads(1)
    settings = preprocessing()
    photos = pictures()
    pixels = np.stack([prepare_pixels(photo, settings) for photo in photos[:BATCH]])
    model = backbone(PACKAGED)

    def eager() -> None:
        with torch.inference_mode():
            for _ in range(batches):
                model(torch.from_numpy(pixels))

    def own(precision: str) -> None:
        opened = embedder(precision=precision)
        assert isinstance(opened, Embedder)
        for _ in range(batches):
            opened.run(pixels)

    contestants = {EAGER: eager, OWN: lambda: own("float32")}
    with torch.inference_mode():
        peer = np.asarray(model(torch.from_numpy(pixels)).numpy())
    vectors = embedder().embed(photos)
    goals = {"least cosine to torch": (float(cosines(peer, vectors[:BATCH]).min()), ">=", 0.9999)}
    if has_eight_bit_products():
        contestants[OWN_EIGHT_BIT] = lambda: own("int8")
        found = cosines(vectors, embedder(precision="int8").embed(photos))
        goals["int8, mean cosine to fp32"] = float(found.mean()), ">=", 0.999
        goals["int8, least cosine to fp32"] = float(found.min()), ">=", 0.995
    seconds = timing.alternating(contestants, rounds)
    goals["against torch eager"] = seconds[EAGER] / seconds[OWN], ">=", 5.0
    if OWN_EIGHT_BIT in seconds:
        goals["int8 against torch eager"] = seconds[EAGER] / seconds[OWN_EIGHT_BIT], ">=", 10.0
    spent = {name: (batches * BATCH, one) for name, one in seconds.items()}
    timing.print_speeds(f"{PACKAGED}, {batches} batches of {BATCH}", spent, {"x torch": EAGER})
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
