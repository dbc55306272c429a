"""How much of the speed of a training step is left when its pictures come from the release instead of from memory.

Peer: the same step (float, augmentation, network, loss, backward, update) fed with one random batch that lies on the
device already. Rounds of the two take turns, so that a busy machine slows both.

    python -m benchmarks.bench_loader            # GPU where there is one, else CPU
    python -m benchmarks.bench_loader --model timm:tf_efficientnet_lite0 --size-px 96 --mode rgb
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from training.augment import augment
from training.batches import BatchFeed, Examples, epoch_order
from training.config import AugmentConfig, ModelConfig
from training.inference import as_float
from training.loop import keep_freed_memory
from training.models import create_model

RESULTS = Path(__file__).parent / "results" / "loader.json"
GOAL = 0.9
"""Share of the peer's speed that must be left."""
AUGMENT = AugmentConfig(rotation_deg=15, zoom_frac=0.15, flip=True)
CLASSES = 4

Batch = dict[str, Tensor]


def endless(feed: Callable[[int], BatchFeed]) -> Iterator[Batch]:
    """Give the batches of one epoch after the other."""
    epoch = 0
    while True:
        yield from feed(epoch)
        epoch += 1


def rate(step: Callable[[Batch], None], batches: Iterator[Batch], steps: int, batch_size: int) -> float:
    """Run so many steps; pictures per second."""
    start = time.perf_counter()
    for _ in range(steps):
        step(next(batches))
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return steps * batch_size / (time.perf_counter() - start)


def measure(settings: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure both feeds in turns."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    channels, size = (1 if settings.mode == "grey" else 3), settings.size_px
    shape = (settings.pictures, channels, size, size)
    random = np.random.default_rng(1)
    pixels = np.lib.format.open_memmap(folder / "pixels.npy", mode="w+", dtype=np.uint8, shape=shape)
    for start in range(0, len(pixels), 1000):
        pixels[start : start + 1000] = random.integers(0, 256, pixels[start : start + 1000].shape, dtype=np.uint8)
    pixels.flush()
    pixels = np.load(folder / "pixels.npy", mmap_mode="r")
    examples = Examples(np.arange(len(pixels))[:, np.newaxis], random.integers(0, CLASSES, len(pixels)))

    torch.manual_seed(1)
    model = create_model(ModelConfig(name=settings.model, dense=64), channels, size, CLASSES).to(device)
    model.to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(model.parameters())
    generator = torch.Generator().manual_seed(1)

    def step(batch: Batch) -> None:
        images = augment(as_float(batch["image"].to(device)).flatten(0, 1), AUGMENT, generator)
        loss = torch.nn.functional.cross_entropy(model(images), batch["target"].to(device))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    def feed(epoch: int) -> BatchFeed:
        return BatchFeed(pixels, examples, settings.batch_size, epoch_order(len(pixels), 1, epoch))

    released = endless(feed)
    first = {name: value.to(device) for name, value in next(released).items()}

    def in_memory() -> Iterator[Batch]:
        while True:
            yield first

    peer = in_memory()
    rate(step, released, settings.steps // 4 + 1, settings.batch_size)
    rate(step, peer, settings.steps // 4 + 1, settings.batch_size)
    count, size_of_batch = settings.steps, settings.batch_size
    pairs = [
        (rate(step, released, count, size_of_batch), rate(step, peer, count, size_of_batch))
        for _ in range(settings.rounds)
    ]
    ratios = [ours / theirs for ours, theirs in pairs]
    return {
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
        "model": settings.model, "size_px": size, "mode": settings.mode, "batch_size": settings.batch_size,
        "release_images_per_s": round(statistics.median(ours for ours, _ in pairs), 1),
        "memory_images_per_s": round(statistics.median(theirs for _, theirs in pairs), 1),
        "ratio": round(statistics.median(ratios), 4),
        "goal": GOAL,
    }  # fmt: skip


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="small_cnn")
    parser.add_argument("--size-px", type=int, default=64)
    parser.add_argument("--mode", default="grey", choices=("grey", "rgb"))
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=7)
    settings = parser.parse_args()
    keep_freed_memory()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        result = measure(settings, Path(folder))
    RESULTS.parent.mkdir(exist_ok=True)
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    known[f"{result['device']}, {result['model']}, {result['size_px']} px {result['mode']}"] = result
    RESULTS.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
